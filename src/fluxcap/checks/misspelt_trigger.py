"""CAP012."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words, is_first, quoted
from fluxcap.talk import Place, folded, is_english
from fluxcap.types import Issue, Severity

_PART = re.compile(r"[^\W_]+")
_GAP = re.compile(r"(?:</w>|[^\w]|_){1,5}")
"""What may have come between the letters of a shattered word: blanks, hyphens, any signs, a tokenizer's marks."""

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
    if len(wanted) < 3:
        return ()
    right = find(text, trigger)
    parts = [match.span() for match in _PART.finditer(text)]
    glued = wanted + folded(class_word) if class_word else ""
    found: list[tuple[int, int, str]] = []
    place = 0
    while place < len(parts):
        for count, (start, end) in _windows(text, parts, place, len(wanted) + len(folded(class_word)) + 2):
            if any(a < end and start < b for a, b in right):
                break
            said = folded(text[start:end].replace("</w>", ""))
            words = [text[a:b] for a, b in parts[place : place + count]]
            if said != wanted and any(said.replace(*like) == wanted.replace(*like) for like in _LIKE):
                said = wanted
            if glued and said == glued and count == 1 and said != wanted:
                found.append((start, end, f"{trigger} {class_word}"))
            elif _is_nearly(words, said, wanted, trigger, first=is_first(text, start), alone=not right):
                found.append((start, end, trigger))
            else:
                continue
            place += count - 1
            break
        place += 1
    return tuple(found)


def _windows(text: str, parts: Sequence[Place], place: int, longest: int) -> Iterator[tuple[int, Place]]:
    """The stretches of words from this one on that may be one word in pieces; the longest first."""
    ends = [place]
    size = parts[place][1] - parts[place][0]
    while ends[-1] + 1 < len(parts) and _GAP.fullmatch(text[parts[ends[-1]][1] : parts[ends[-1] + 1][0]]):
        size += parts[ends[-1] + 1][1] - parts[ends[-1] + 1][0]
        if size > longest:
            break
        ends.append(ends[-1] + 1)
    for end in reversed(ends):
        yield end - place + 1, (parts[place][0], parts[end][1])


def _is_nearly(words: Sequence[str], said: str, wanted: str, trigger: str, *, first: bool, alone: bool) -> bool:
    """Whether what is said is the trigger word with a fault."""
    pieces = len(trigger.split())
    ordinary = all(is_english(word) for word in words)
    if said == wanted:
        if len(words) == pieces and [word.lower() for word in words] == trigger.lower().split():
            return first or not ordinary  # other capitals
        return not ordinary or (len(words) > pieces and all(len(word) == 1 for word in words))
    if ordinary or not (first or alone):
        return False
    if len(words) > pieces and not all(len(word) <= 2 or not is_english(word) for word in words):
        return False
    if abs(len(said) - len(wanted)) > 2 or said.isdigit():
        return False
    away = _distance(said, wanted)
    if len(words) > pieces:
        return away <= 1 and len(wanted) > 3 and first
    if said in (wanted + "s", wanted + "es"):
        return len(wanted) > 3 or first
    return (
        away <= (1 if len(wanted) < 6 else 2)
        and (first or len(wanted) > 3)
        and (len(wanted) > 3 or said[0] == wanted[0])
    )


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
