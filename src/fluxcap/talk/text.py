"""The text of a caption as the judges of wording see it: what is only quoted is hidden, words and sentences have their places."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

HIDDEN = "·"
"""What stands in :func:`plain` for a sign that is not judged; it is no letter, so that no pattern reads it as a word."""

_QUOTED_AT_MOST = 12
"""Words within quotes that may be legible text; what is longer is the caption itself in quotes, and is judged."""

_SAME = str.maketrans({"’": "'", "ʼ": "'", "‑": "-", "‐": "-", "\u00a0": " ", "\u202f": " ", "_": " "})
_QUOTES = re.compile(
    r"\"[^\"\n]{1,200}\"|“[^“”\n]{1,200}”|„[^„“”\n]{1,200}[“”]|«[^«»\n]{1,200}»|「[^「」\n]{1,200}」|『[^『』\n]{1,200}』"
    r"|(?<![\w'’])['‘](?=\S)[^'‘\n]{1,120}?(?<=\S)['’](?![\w'’])"
)
_SPOKEN = re.compile(
    r"\b(?:(?:says|saying|spells|spelling|labell?ed|lettering|slogan|with the (?:words?|text|letters?|numbers?|name|title))[ :]+"
    r"(?P<any>(?:[^\s.,;:!?]+ ?){1,6})"
    r"|(?:reads?|reading|marked|titled|printed|written)[ :]+(?P<capitals>(?:[A-Z0-9][^\s.,;:]*[ ]?){1,8}))"
)
_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_END = re.compile(r"[.!?…]+[\"”'’)\]*]*(?=\s|$)|[。！？]|[\r\n]+")
_NO_END = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|st|mt|no|vs|jr|sr|prof|approx|ca|etc|e\.g|i\.e|a\.k\.a|feat|vol|inc|ltd)|\b(?-i:[A-Z]))$",
    re.IGNORECASE,
)


Place = tuple[int, int]
"""Characters from, to (exclusive)."""


class Word(NamedTuple):
    """One word in small letters, and the characters it stands at."""

    text: str
    start: int
    end: int


class Sentence(NamedTuple):
    """A sentence without the space around it; ``ended``: a full stop or another sign closes it."""

    start: int
    end: int
    ended: bool


@lru_cache(maxsize=1024)
def plain(text: str, trigger: str = "", *, signs: bool = False) -> str:
    """The text, as long as it was, with quoted text and the trigger word hidden.

    There is one kind of apostrophe and of blank in it, underscores are blanks too; ``signs`` leaves all signs as they are.
    Legible text is quoted, or follows 'says', 'reading' and the like.
    """
    found = text if signs else text.translate(_SAME)
    if trigger.strip():
        said = r"\s+".join(map(re.escape, (trigger if signs else trigger.translate(_SAME)).split()))
        found = re.sub(rf"(?<![^\W_]){said}(?![^\W_])", lambda match: HIDDEN * len(match[0]), found)
    found = _QUOTES.sub(_hide_quoted, found)
    return _SPOKEN.sub(_hide_spoken, found)


def _hide_quoted(match: re.Match[str]) -> str:
    inside = match[0][1:-1]
    if len(inside.split()) > _QUOTED_AT_MOST:
        return match[0]
    return match[0][0] + HIDDEN * len(inside) + match[0][-1]


def _hide_spoken(match: re.Match[str]) -> str:
    kept = "any" if match["any"] is not None else "capitals"
    start, end = match.start(kept) - match.start(), match.end(kept) - match.start()
    if not any(sign.isalnum() for sign in match[kept]):
        return match[0]
    return match[0][:start] + re.sub(r"\S", HIDDEN, match[0][start:end]) + match[0][end:]


@lru_cache(maxsize=1024)
def words(text: str) -> tuple[Word, ...]:
    """The words of a text, in its order; hyphens and apostrophes hold a word together."""
    return tuple(Word(match[0].lower(), *match.span()) for match in _WORD.finditer(text))


@lru_cache(maxsize=1024)
def sentences(text: str) -> tuple[Sentence, ...]:
    """The sentences of a text; lines end them too. What stands after the last full stop is one that is not ``ended``."""
    found: list[Sentence] = []
    start = 0
    for match in _END.finditer(text):
        if match[0] == "." and _NO_END.search(text[max(0, match.start() - 8) : match.start()]):
            continue
        _add(found, text, start, match.end(), ended=bool(match[0].strip()))
        start = match.end()
    _add(found, text, start, len(text), ended=False)
    return tuple(found)


def _add(found: list[Sentence], text: str, start: int, end: int, *, ended: bool) -> None:
    piece = text[start:end]
    if any(sign.isalnum() for sign in piece):
        start += len(piece) - len(piece.lstrip())
        found.append(Sentence(start, start + len(piece.strip()), ended))


def cut(text: str, start: int, end: int, name: str = "") -> str:
    """The text without this stretch: no blank, comma or small letter is left where none belongs.

    ``name`` (the trigger word) keeps its letters.
    """
    left, gone, right = text[:start].rstrip(), text[start:end].strip(), text[end:].lstrip()
    if not right or right[0] in ",;.!?":
        left = left.rstrip(" ,;:(–—-")
    begins = not left or left[-1] in ".!?"
    if begins:
        right = right.lstrip(" ,;:.–—-")
        if gone[:1].isupper() and not (name and right.startswith(name)) and gone[-1:] not in "\"'.!?:\n":
            right = right[:1].upper() + right[1:]
    if not left or not right:
        return left + right
    return left + ("" if right[0] in ",;.!?)" else " ") + right


def within(place: Place, places: Sequence[Place]) -> bool:
    """Whether a place lies in one of others."""
    return any(start <= place[0] and place[1] <= end for start, end in places)


def first_of(places: Sequence[Place]) -> list[Place]:
    """The places in order without those that overlap an earlier one; of two at one start the longer counts."""
    kept: list[Place] = []
    for start, end in sorted(places, key=lambda place: (place[0], -place[1])):
        if not kept or start >= kept[-1][1]:
            kept.append((start, end))
    return kept
