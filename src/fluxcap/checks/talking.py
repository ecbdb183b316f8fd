"""Where a caption talks to somebody: refusals, openings that lead to the caption, labels, leave-taking.

The checks of hedges, denials and talk about the picture keep quiet in such places: each is one fault, not four.
"""

from __future__ import annotations

import re
from functools import lru_cache

from fluxcap.checks.wording import Place, first_of, within
from fluxcap.talk import sentences, talk

CALL = re.compile(r"\W*·+(?:'s)?(?: (?!is\b|was\b|in\b|with\b|a\b)[\w-]+)?\W*")
"""The trigger word as a judged text has it, the class word after it, and the signs behind them."""

_LABEL = re.compile(r"[\W_]*(?:[\w'’/&()-]+[ \t]+){0,7}[\w'’)/-]+[*_\"]*\s?:(?!\d)[*_]*\s*")
_DASHED = re.compile(r"[\W_]*(?:[\w'’/&()-]+[ \t]+){0,2}[\w'’)/-]+\s+[–—-]+>?\s+|[\W_]*[\w]+\s*(?:=>|->|=|»)\s*")


@lru_cache(maxsize=1024)
def refusals(text: str) -> tuple[Place, ...]:
    """The sentences of a judged text in which somebody refuses, or a failure is reported."""
    rules = talk()
    found: list[Place] = []
    for start, end, _ in sentences(text):
        called = CALL.match(text, start, end)
        begin = called.end() if called and not any(sign.isalnum() for sign in text[:start]) else start
        said = text[begin:end]
        if rules.refusal.search(said) or (rules.first.search(said) and rules.unable.search(said)):
            found.append((begin, end))
    return tuple(found)


@lru_cache(maxsize=1024)
def preambles(text: str) -> tuple[Place, ...]:
    """What of a judged text answers somebody, leads to the caption, or takes leave of the reader."""
    rules = talk()
    refused = refusals(text)
    found: list[Place] = []
    whole = sentences(text)
    called = CALL.match(text)
    for n, (start, end, _) in enumerate(whole):
        begin = called.end() if n == 0 and called else start
        led = _led(text, begin, end if n else len(text))
        if led > begin:
            found.append((begin, led))
        said = text[max(begin, led) : end]
        if not said or within((start, end), refused):
            continue
        if rules.closes.search(said) or _answers(said) or (n == 0 and said.rstrip().endswith("!")):
            found.append((max(begin, led), end))
    return tuple(place for place in first_of(found) if not within(place, refused))


def _answers(said: str) -> bool:
    """Whether somebody speaks of the answer in a sentence, not of what is to be seen."""
    rules = talk()
    person = rules.first.search(said) or rules.second.search(said)
    if person is None or rules.thinks.search(said) or rules.sees.search(said, person.end()):
        return False
    return rules.answers.search(said) is not None


def _led(text: str, begin: int, end: int) -> int:
    """Where what leads to the caption ends: 'Sure!', 'Here is the caption:', 'Caption:', one after the other."""
    rules = talk()
    place = begin
    for _ in range(6):
        skipped = re.compile(r"[\s\"'“*#>`:.,!_–—-]*").match(text, place, end)
        at = skipped.end() if skipped else place
        if (yes := rules.yes.match(text, at, end)) is not None:
            place = yes.end() + len(re.match(r"[\s!,.:;–—-]*", text[yes.end() : end])[0])  # type: ignore[index]
        elif (lead := rules.leads.match(text, at, end)) is not None:
            place = lead.end()
        elif ((label := _LABEL.match(text, at, end)) is not None and _is_label(label[0])) or (
            (label := _DASHED.match(text, at, end)) is not None
            and len(talk().labels.findall(label[0])) == len(label[0].split()) - 1 > 0
        ):
            place = label.end()
        else:
            break
    return place


def _is_label(said: str) -> bool:
    """'Final caption:' and 'A caption for the photo:' are labels; 'an outdoor photo in winter:' is the caption."""
    found = [match[0].lower() for match in talk().labels.finditer(said)]
    first = re.sub(r"^\W+", "", said).split(" ")[0].lower()
    if first in ("a", "an", "the") and all(re.match(r"(?:image|photo|picture)", one) for one in found):
        return False
    return bool(found)
