"""Where a text talks to somebody: refusals, openings that lead to the caption, labels, leave-taking.

Texts come as :func:`fluxcap.talk.plain` gives them. What else is found in such places is no fault of its own.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fluxcap.talk.rules import talk
from fluxcap.talk.text import Place, first_of, sentences, within

CALL = re.compile(r"\W*·+(?:'s)?(?: (?!is\b|was\b|in\b|with\b|a\b)[\w-]+)?\W*")
"""The trigger word as a judged text has it, the class word after it, and the signs behind them."""

_LABEL = re.compile(r"[\W_]*(?:[\w'’/&()-]+[ \t]+){0,7}[\w'’)/-]+[*_\"]*(?:\s?:(?!\d)[*_]*\s*|[ \t]*\n\s*)")
_DASHED = re.compile(r"[\W_]*(?:[\w'’/&()-]+[ \t]+){0,2}[\w'’)/-]+\s+[–—-]+>?\s+|[\W_]*[\w]+\s*(?:=>|->|=|»)\s*")


_BEFORE_CALL = re.compile(r"\W*(?P<said>[^·.!?\n]{1,90}?)\s*(?:[:–—»>)|]+>?|\s-+>?|\n|(?P<comma>,))\s*[\"“'‘*]*(?=·)")
"""What stands before the trigger word with a sign or a new line behind it."""

_NUMBERED = re.compile(r"\w\W+[A-Z]\w+ $")
"""A name before 'I', which is then a numeral: 'King George'."""

_SIGNS = re.compile(r"[\s\"'“*#>`:.,!_–—-]*")
_BEHIND = re.compile(r"[\s!,.:;–—-]*")

_CAPTION_FROM = 20
"""Characters behind a colon that may be the caption itself."""

_SHOUT = 4
"""Words: 'Enjoy!', 'What a great picture!'"""

_LABEL_AT_MOST = 6
"""Words of a label."""

_LEADS_AT_MOST = 6
"""One after the other: 'Sure! Of course. Here is the caption: Caption:'."""


@lru_cache(maxsize=1024)
def refusals(text: str) -> tuple[Place, ...]:
    """The sentences in which somebody refuses, or a failure is reported."""
    rules = talk()
    begin = _called(text)
    hits = [begin + match.end() - 1 for match in rules.refusal.finditer(text[begin:])]
    speaks = writer(text) is not None
    found: list[Place] = []
    for start, end, ended in sentences(text) if hits or speaks else ():
        start = max(start, begin)
        said = text[start:end]
        here = [hit for hit in hits if start <= hit < end]
        who = writer(said) if speaks else None
        if who is not None and rules.unable.search(said):
            here.append(start + who.start())
        if here:
            comma = text.rfind(",", start, min(here)) if not ended else -1
            found.append((comma + 1 if comma >= 0 else start, end))
    return tuple(found)


def refuses(said: str) -> bool:
    """Whether somebody refuses in a text, or a failure is reported."""
    return bool(refusals(said))


@lru_cache(maxsize=1024)
def preambles(text: str) -> tuple[Place, ...]:
    """What answers somebody, leads to the caption, or takes leave of the reader."""
    rules = talk()
    refused = refusals(text)
    found: list[Place] = []
    found += [match.span() for match in rules.counts.finditer(text)]
    closes = [match.end() - 1 for match in rules.closes.finditer(text)]
    speaks = writer(text) or rules.second.search(text)
    before = _before_call(text)
    if before:
        found.append((0, before))
    for n, (start, end, _) in enumerate(sentences(text)):
        begin = max(start, _called(text), before)
        if begin >= end:
            continue
        lead = led(text, begin, end if n else len(text))
        if lead > begin:
            found.append((begin, lead))
        rest = max(begin, lead)
        if rest >= end or within((start, end), refused):
            continue
        said = text[rest:end]
        shouts = said.rstrip().endswith("!") and (n == 0 or len(said.split()) <= _SHOUT)
        if shouts or any(rest <= hit < end for hit in closes):
            found.append((rest, end))
        elif speaks and _answers(said):
            colon = text.find(": ", rest, end)
            found.append((rest, colon + 2 if 0 <= colon < end - _CAPTION_FROM else end))
    return tuple(place for place in first_of(found) if not within(place, refused))


def _before_call(text: str) -> int:
    """Where a short opening ends that stands before the trigger word and describes nothing: 'My best shot:'; 0 for none."""
    rules = talk()
    said = _BEFORE_CALL.match(text)
    if said is None or rules.describes.match(said["said"]):
        return 0
    dashed = said[0][said.end("said") - said.start() :].strip()[:1] in ("-", "–", "—")
    if (dashed or said["comma"]) and rules.labels.search(said["said"]) is None:
        return 0
    return 0 if said["comma"] and "," in said["said"] else said.end()


def _called(text: str) -> int:
    """Where the words end that call the subject at the start: trigger word, class word, and signs."""
    called = CALL.match(text)
    return called.end() if called else 0


def writer(text: str, start: int = 0, end: int | None = None) -> re.Match[str] | None:
    """Where somebody speaks of themselves ('I', 'my', 'we'); the numeral of 'George I' is none."""
    stop = len(text) if end is None else end
    for match in talk().first.finditer(text, start, stop):
        if match[0] != "I" or not _NUMBERED.search(text, start, match.start()):
            return match
    return None


def _answers(said: str) -> bool:
    """Whether somebody speaks of the answer in a sentence, not of what is to be seen."""
    rules = talk()
    person = writer(said) or rules.second.search(said)
    if person is None or rules.thinks.search(said) or rules.sees.search(said, person.end()):
        return False
    return rules.answers.search(said) is not None


def led(text: str, begin: int = 0, end: int | None = None) -> int:
    """Where what leads to the caption ends: 'Sure!', 'Here is the caption:', 'Caption:'; ``begin`` where nothing does."""
    stop = len(text) if end is None else end
    place = begin
    for _ in range(_LEADS_AT_MOST):
        skipped = _SIGNS.match(text, place, stop)
        found = _lead_end(text, skipped.end() if skipped else place, stop)
        if found is None:
            break
        place = found
    return place


def _lead_end(text: str, at: int, end: int) -> int | None:
    """The end of one thing that leads to the caption, at this place."""
    rules = talk()
    if (yes := rules.yes.match(text, at, end)) is not None:
        behind = _BEHIND.match(text, yes.end(), end)
        return behind.end() if behind else yes.end()
    if (lead := rules.leads.match(text, at, end)) is not None:
        return lead.end()
    if (label := _LABEL.match(text, at, end)) is not None and _is_label(label[0], all_of_it=":" not in label[0]):
        return label.end()
    if (dashed := _DASHED.match(text, at, end)) is not None and _is_label(dashed[0], all_of_it=True):
        return dashed.end()
    return None


def _is_label(said: str, *, all_of_it: bool = False) -> bool:
    """'Final caption:' and 'Photo 3:' are labels; 'an outdoor photo in winter:' is the caption."""
    rules = talk()
    parts = re.findall(r"[#\w'’]+(?:-\w+)*", said.lower())
    strong = rules.labels.search(said) is not None
    known = all(rules.labels.fullmatch(part) or rules.weak_labels.fullmatch(part) for part in parts)
    if all_of_it:
        return strong and known
    return bool(parts) and (
        (strong and len(parts) <= _LABEL_AT_MOST) or (known and parts[-1] not in ("a", "an", "the", "of"))
    )
