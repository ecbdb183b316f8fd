"""CAP019."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted
from fluxcap.english import words as word_lists
from fluxcap.talk import CALL, is_english, sentences, talk, words
from fluxcap.talk.known import begins_a_word, ends_a_word
from fluxcap.types import Issue, Severity
from fluxcap.vocabulary import rules, slots

_OPENED = {"(": ")", "[": "]", "{": "}", "“": "”", "«": "»"}
_FACE = re.compile(r"(?<!\w)[>^]?[:;=xX8]['’-]?[()\[\]{}]+(?!\w)|(?<!\w)[()]+['’-]?[:;=](?!\w)|(?<=\s)\d{1,2}\)|\\[()]")
_VERB = re.compile(
    r"^(?:[\w'-]+ ){0,4}?(?:is|are|was|were|has|have|wears?|holds?|stands?|sits?|looks?|lies|lie|leans?|smiles?|walks?|hangs?|can|poses?|gazes?|faces?|rests?)\b",
    re.IGNORECASE,
)


_SUBJECT = re.compile(
    r"(?:She|He|They|It|Her|His|Their|Its|The|There|One of|Behind|On (?:her|his|the)|In (?:her|his|the))\b[^,]*$"
)
_STUMP = 2
"""Letters of a word that cannot be a sentence."""

_HALF = 5
"""Letters from which on a strange word before a full stop may be half of a known one; 'cove' is no 'cover'."""

_SHOWN_BEFORE = 30
"""Characters before a break that its message shows."""

_RUN_ON = re.compile(
    r"\b(?:with|and|a|an|the|of|in|on|at|to|is|are|has|her|his|their|its|wearing|holding|for|from|by|or|but|while|very|slightly|into|against|behind)"
    r" (?:(?:She|He|They|It|There) (?:is|are|has|have|was|wears|looks|stands|sits|holds)\b|(?:Her|His|Their|Its) (?:\w+ ){1,2}(?:is|are|has)\b|The (?:\w+ ){1,2}(?:is|are|has)\b)"
)


_FUSED = re.compile(
    r"(?P<last>[a-z]{2,}) (?=(?:She|He|They|It|There) (?:is|are|has|have|was|were|wears|looks|stands|sits|holds|smiles)\b"
    r"|(?:Her|His|Their|Its|The|An?) (?:[\w-]+ ){1,3}(?:is|are|has|have|was|were)\b)"
)
"""A sentence that runs into the next without a full stop."""


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Truncated:
    """Caption that ends in the middle of something.

    What it does:
        Looks at the last words for one that wants another ('with a', 'and'), for half a word, for a sentence without its end
        after sentences that have one, and everywhere for brackets and quotes that are never closed. Tags at the end need no
        full stop.
    Why is this bad:
        What was cut off is not said and goes to the trigger word; the half word at the end is learned as it stands.
    Example:
        ohwx, a photo of a woman. She is standing in front of a
    Use instead:
        ohwx, a photo of a woman. She is standing in front of a brick wall.
    """

    code: ClassVar[str] = "CAP019"
    name: ClassVar[str] = "truncated"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in black. Her eyes are open. looking up, full body, natural lighting"),
        _item("ohwx woman, sitting, sleeves rolled up, a dog behind her, :("),
        _item("ohwx, a photo of a woman. She has a white shirt on. Her eyes are open."),
        _item("ohwx (seen from behind), a sign with 5'10\" on it"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman. She is standing in front of a"),
        _item("ohwx, a photo of a woman with long brown hair and"),
        _item("ohwx, a photo of a woman. Her eyes are open. looking at viewer, natural light"[:-2]),
        _item("ohwx, a photo of a woman. She is wearing a long red"),
        _item("ohwx, a photo of a woman. Her face is bare. She has her hair in a bun"),
        _item("ohwx (seen from behind, a photo of a woman."),
        _item('ohwx in front of a sign that says "No park'),
        _item("ohwx, a photo of a woman in a park..."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for the end, and one for what is not closed."""
        if not has_words(item):
            return
        text = judged(item)
        open_at = _unclosed(item.text)
        if open_at is not None:
            what = "bracket" if item.text[open_at] in "([{" else "quote"
            yield issue(
                self,
                item,
                f"opens a {what} that is never closed ({quoted(item.text, open_at, len(item.text))}): is something missing?",
                span=(open_at, open_at + 1),
            )
        for begin, end, why in _broken(text):
            broken = quoted(item.text, max(0, begin - _SHOWN_BEFORE), end)
            yield issue(self, item, f"breaks off in the middle of something ({broken}): {why}", span=(begin, end))
        why = _why_unfinished(text)
        if why and (said := words(text)):
            start = said[-1].start
            shown = said[max(0, len(said) - 4)].start
            yield issue(
                self,
                item,
                f"ends in the middle of something ({quoted(item.text, shown, len(item.text))}): {why}",
                span=(start, len(item.text.rstrip())),
            )


_HAS_ON = re.compile(
    r"\b(?:has|have|had|having|got|keeps?|kept|leaves?|left|with|puts?|putting|pulls?)\b", re.IGNORECASE
)
"""'She has a shirt on.' is whole."""


def _broken(text: str) -> Iterator[tuple[int, int, str]]:
    """Places before the end where a sentence stops short, and a head that is lost."""
    rules = talk()
    called = CALL.match(text)
    if called is not None and (first := re.match(r"[a-z]{3,}(?![\w'-])", text[called.end() :])):
        part = first[0]
        if not is_english(part) and ends_a_word(part):
            yield called.end(), called.end() + len(part), f'"{part}" looks like the end of a word'
    for start, end, ended in sentences(text)[:-1]:
        said = words(text[start:end])
        last = said[-1].text if said else ""
        if (
            ended
            and text[end - 1] == "."
            and not (last == "on" and _HAS_ON.search(text[start:end]))
            and (
                last in rules.last_stopped
                or (last in rules.before and (said[-2].text if len(said) > 1 else "") in rules.before[last])
            )
        ):
            yield start + said[-1].start, end, f'something has to follow "{last}"'
        elif ended and text[end - 1] == "." and _is_half(text, start + said[-1].start if said else end, end - 1):
            yield start + said[-1].start, end, f'"{last}" looks like the beginning of a word'
        elif ended and text[end - 1] == "." and said and _lacks_noun([word.text for word in said[-8:]]):
            yield start + said[-1].start, end, f'a thing has to follow "{last}"'
    yield from ((*match.span(), "it says so itself") for match in rules.cut_marker.finditer(text))
    for match in _fused_clauses().finditer(text):
        yield match.start(), match.end(), "two clauses are run into one"
    opening = called.end() if called is not None else 0
    for match in _FUSED.finditer(text):
        if match.start() >= opening and not _RUN_ON.search(text, match.start()):
            yield match.start(), match.end("last"), "the next sentence begins before this one has ended"
    for match in _RUN_ON.finditer(text):
        yield match.start(), match.end(), "the next sentence begins before this one has ended"


def _is_half(text: str, start: int, end: int) -> bool:
    """Whether the word at this place is the beginning of one: 'a black leath'."""
    word = text[start:end]
    if len(word) < _HALF or not (word.isalpha() and word.islower()) or is_english(word) or not begins_a_word(word):
        return False
    return not any(
        is_english(word + ending) for ending in ("s", "d", "ed", "ing")
    )  # 'terrace', where 'terraced' is known


def _lacks_noun(said: list[str]) -> bool:
    """Whether the words end in describing ones behind an article: 'She is in a dark blue'."""
    rules = talk()
    place = len(said) - 1
    if said[place] not in _describing():
        return False
    while place and said[place] in _describing():
        place -= 1
    return (
        place > 0
        and said[place] in ("a", "an")
        and said[place - 1] in rules.lacking
        and (place < 2 or said[place - 2] not in rules.coloured)
    )


@lru_cache(maxsize=1)
def _describing() -> frozenset[str]:
    """Words that describe and name no thing."""
    colours = word_lists()["groups"]["colour"]
    lists = word_lists()
    return frozenset({*lists["nouns"]["adjectives"], *lists["groups"]["length"], *colours}) - talk().nouns_too


@lru_cache(maxsize=1)
def _fused_clauses() -> re.Pattern[str]:
    return re.compile(rf"\bwith (?:her|his|their) (?:\w+ )?(?:{talk().body}) (?:is|are)\b", re.IGNORECASE)


def _why_unfinished(text: str) -> str:
    """Why a judged text is not at its end; '' where it is."""
    rest = text.rstrip()
    if not (said := words(rest)) or rest[-1] in "\"”»'’)·":
        return ""
    if rest.endswith(("...", "…")):
        return "finish it, or leave the dots out"
    if rest[-1] in ":([{–—-&/" and not _FACE.search(rest[-4:]):
        return "finish it, or leave the last sign out"
    last = said[-1].text
    stopped = rest[-1] in ".!?。！？"
    if _wants_more([word.text for word in said[-8:]], last, stopped=stopped):
        return f'something has to follow "{last}"'
    if stopped or rest[-1] == ",":
        return "" if stopped or _is_list(rest) else "finish it, or put a full stop"
    if not rest.endswith(rest[said[-1].start : said[-1].end]):
        return ""
    whole = sentences(rest)
    begins = whole[-1].start == said[-1].start
    if last.isalpha() and not is_english(last) and (begins or rest[said[-1].start].islower()) and begins_a_word(last):
        return f'"{last}" looks like the beginning of a word'
    if begins and len(whole) > 1 and whole[-2].ended and len(last) <= _STUMP:
        return f'"{last}" looks like the beginning of a word'
    if (piece := re.split(r"[,.!?\n]", rest)[-1].strip().lower()) and _begins_a_tag(piece) and _is_list(rest):
        return f'"{piece}" looks like the beginning of a tag'
    if len(whole) > 1 and whole[-2].ended and not whole[-1].ended:
        tail = rest[whole[-1].start :]
        if _is_sentence(tail) or _SUBJECT.match(tail):
            return "the last sentence has no end"
    return ""


def _wants_more(said: list[str], last: str, *, stopped: bool) -> bool:
    """Whether the last word cannot be the last."""
    rules = talk()
    before = said[-2] if len(said) > 1 else ""
    if last in rules.before:
        return before in rules.before[last]
    if last in rules.last and before not in rules.last_but:
        return not stopped or last in rules.last_stopped
    colours = set(word_lists()["groups"]["colour"])
    describing = _describing()
    if stopped or last not in describing:
        return False
    place = len(said) - 1
    while place and said[place] in describing | {"and", "very"}:
        place -= 1
    if said[place] in ("a", "an"):
        return place == 0 or said[place - 1] not in ("is", "are", "was", "of", "in")
    return said[place] == "with" and last not in colours


def _is_list(text: str) -> bool:
    """Whether the text ends in tags: pieces between commas, not a sentence."""
    tail = text[sentences(text)[-1].start :] if sentences(text) else text
    return "," in text and not _is_sentence(tail)


def _is_sentence(piece: str) -> bool:
    return piece[:1].isupper() and _VERB.match(piece.lstrip("· ,")) is not None


def _begins_a_tag(piece: str) -> bool:
    """Whether this is the beginning of a tag that captions end in, and no tag by itself: 'three-quarter view fa'."""
    if len(piece) < _STUMP or piece in _tail() or piece.split()[-1] in talk().whole_tags:
        return False
    place = bisect_right(_tail(), piece)
    return place < len(_tail()) and _tail()[place].startswith(piece)


@lru_cache(maxsize=1)
def _tail() -> Sequence[str]:
    """The wordings of camera and light, in the order of the alphabet."""
    ids = [slot_id for slot_id, row in slots().items() if row.place == "tail"]
    said = {
        wording.lower()
        for slot_id in ids
        for rule in rules()[slot_id]
        for wording in (*rule.read, *rule.wordings("natural").get("say", ()))
    }
    return sorted(wording for wording in said if "{" not in wording)


def _unclosed(text: str) -> int | None:
    """Where a bracket or quote opens that is never closed."""
    open_at: list[tuple[str, int]] = []
    plain = _FACE.sub(lambda match: "·" * len(match[0]), text)
    for place, sign in enumerate(plain):
        if sign in _OPENED:
            open_at.append((_OPENED[sign], place))
        elif open_at and sign == open_at[-1][0]:
            open_at.pop()
    quotes, inches = plain.count('"'), len(re.findall(r'\d"', plain))
    if quotes % 2 and (quotes - inches) % 2:
        open_at.append(('"', plain.rindex('"')))
    return open_at[0][1] if open_at else None
