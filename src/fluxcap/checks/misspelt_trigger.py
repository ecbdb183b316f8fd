"""CAP012."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import ClassVar, NamedTuple

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words, quoted
from fluxcap.talk import Place, folded, is_english
from fluxcap.types import Issue, Severity

_PART = re.compile(r"[^\W_]+")
_GAP = re.compile(r"(?:[^\w]|_){1,6}")
"""What may have come between the letters of a shattered word: blanks, hyphens, any signs, a tokenizer's marks."""

_WORD_END = "</w>"
"""What CLIP's tokenizer writes behind a word."""

_SHORTEST = 3
"""Letters of a trigger word; of a shorter one every word is near."""

_LONG = 6
"""Letters of a trigger word of which two may be wrong."""

_AWAY_AT_MOST = 2

_LIKE = (("vv", "w"), ("rn", "m"), ("cl", "d"))
"""Letters in a row that look like another one."""


def _item(text: str, trigger: str = "ohwx", class_word: str = "woman") -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger=trigger, class_word=class_word, text=text)


class MisspeltTrigger:
    """Trigger word that is written wrong.

    What it does:
        Looks for words that are nearly the trigger word: other capitals, letters that are missing, too many, exchanged or only
        look alike, a plural, the word in pieces ('oh wx', 'o-h-w-x'), or grown together with the class word. English words that
        happen to be near ('and' for 'ann') are let be.
    Why is this bad:
        The encoders cut 'ohxw' into other tokens than 'ohwx': the picture teaches another word, and the trigger word learns
        nothing from it.
    Example:
        oh wx woman, a photo of a woman in a park.
    Use instead:
        ohwx woman, a photo of a woman in a park.
    """

    code: ClassVar[str] = "CAP012"
    name: ClassVar[str] = "misspelt-trigger"
    severity: ClassVar[Severity] = "error"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx woman, a photo of a woman in a park."),
        _item("A photo of a woman in a park."),
        _item("and a woman, a photo of Anna", trigger="ann"),
        _item("sks woman on skis, asks for tea", trigger="sks"),
        _item("ohwx's hat, ohwx-woman", class_word=""),
        _item("A woman on a street", trigger="ona"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohxw woman, a photo of a woman."),
        _item("OHWX woman, a photo of a woman."),
        _item("oh wx, a photo of a woman."),
        _item("o-h-w-x, a photo of a woman."),
        _item("\u043ehwx woman, a photo of a woman."),
        _item("0hwx woman, a photo of a woman."),
        _item("A photo of ohwxs in a park."),
        _item("ohwxwoman, a photo of a woman."),
        _item("ohw\u200bx woman, a photo of a woman."),
        _item("zorblaks person, a photo.", trigger="zorblax person", class_word=""),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place, with the trigger word in its place."""
        if not has_words(item):
            return
        trigger = " ".join(item.trigger.split())
        found = misspelt(item.text, trigger, item.class_word)
        text = item.text
        for start, end, instead in reversed(found):
            text = text[:start] + instead + text[end:]
        fix = text if found and not misspelt(text, trigger, item.class_word) else None
        for start, end, _ in found:
            yield issue(
                self,
                item,
                f'says {quoted(item.text, start, end)} where the trigger word is "{trigger}": write it exactly so',
                span=(start, end),
                fix=fix,
            )


@lru_cache(maxsize=1024)
def misspelt(text: str, trigger: str, class_word: str) -> tuple[tuple[int, int, str], ...]:
    """The places of words that are nearly the trigger word, in the order of the text, each with what belongs there.

    A word that is a whole trigger word is none, nor is an English word. The first words of a caption may differ more.
    """
    wanted = folded(trigger)
    if len(wanted) < _SHORTEST:
        return ()
    right = find(text, trigger)
    glued = wanted + folded(class_word) if class_word else ""
    shown = text.replace(_WORD_END, " " * len(_WORD_END))
    parts = [_Part(*match.span(), match[0], _folded(match[0])) for match in _PART.finditer(shown)]
    found: list[tuple[int, int, str]] = []
    place = 0
    while place < len(parts):
        for said in _stretches(shown, parts, place, (len(wanted), len(glued))):
            start, end = said[0].start, said[-1].end
            if any(a < end and start < b for a, b in right):
                continue
            if len(said) == 1 and said[0].letters == glued:
                found.append((start, end, f"{trigger} {class_word}"))
            elif _is_nearly(said, trigger, wanted, first=place == 0, alone=not right):
                found.append((*_with_signs(text, start, end), trigger) if len(said) > 1 else (start, end, trigger))
            else:
                continue
            place += len(said) - 1
            break
        place += 1
    return tuple(found)


def _with_signs(text: str, start: int, end: int) -> Place:
    """A shattered word with the signs around it that belong to its pieces: '(oh)wx', 'oh*wx*', 'o.h.w.x.'."""
    inside = text[start:end]
    if start and text[start - 1] in "([{\"'*<" and any(sign in inside for sign in ")]}\"'*>"):
        start -= 1
    if text[end : end + 1] in tuple(")]}\"'*>.") and (text[end] in inside or text[end] in ")]}>"):
        end += 1
    return start, end + (len(_WORD_END) if text.startswith(_WORD_END, end) else 0)


class _Part(NamedTuple):
    """Letters without a sign between them, as they stand and in one spelling."""

    start: int
    end: int
    text: str
    letters: str


_folded = lru_cache(maxsize=8192)(folded)


def _stretches(text: str, parts: Sequence[_Part], place: int, sizes: tuple[int, int]) -> Iterator[Sequence[_Part]]:
    """This part, and the stretches from it on that may be one word in pieces, by their size; the longest first."""
    size, glued = sizes
    stops: list[int] = []
    length = 0
    for end in range(place, len(parts)):
        length += len(parts[end].letters)
        if end > place and (
            length > size + _AWAY_AT_MOST or not _GAP.fullmatch(text, parts[end - 1].end, parts[end].start)
        ):
            break
        if abs(length - size) <= _AWAY_AT_MOST or (end == place and length == glued):
            stops.append(end + 1)
    for stop in reversed(stops):
        yield parts[place:stop]


def _is_nearly(said: Sequence[_Part], trigger: str, wanted: str, *, first: bool, alone: bool) -> bool:
    """Whether what is said is the trigger word with a fault; ``alone``: the right one is nowhere."""
    letters = "".join(part.letters for part in said)
    if letters != wanted and any(letters.replace(*like) == wanted.replace(*like) for like in _LIKE):
        letters = wanted
    if letters != wanted and (not (first or alone) or letters.isdigit()):
        return False
    pieces = len(trigger.split())
    shattered = len(said) > pieces
    ordinary = all(is_english(part.text) for part in said)
    if letters == wanted:
        if [part.text.lower() for part in said] == trigger.lower().split():
            return first or not ordinary  # only the capitals are others
        return not ordinary or (shattered and all(len(part.text) == 1 for part in said))
    if ordinary or (shattered and any(len(part.text) > 2 and is_english(part.text) for part in said)):
        return False
    if shattered:
        return first and len(wanted) > _SHORTEST and _distance(letters, wanted) <= 1
    if not first and len(wanted) <= _SHORTEST:
        return False
    if letters in (wanted + "s", wanted + "es"):
        return True
    away = 1 if len(wanted) < _LONG else _AWAY_AT_MOST
    return _distance(letters, wanted) <= away and (len(wanted) > _SHORTEST or letters[0] == wanted[0])


@lru_cache(maxsize=4096)
def _distance(one: str, other: str) -> int:
    """Letters that are missing, too many, wrong or exchanged with the next (optimal string alignment)."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]
