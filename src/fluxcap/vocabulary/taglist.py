"""Tag lists as people keep them in caption files: Danbooru's spelling or plain words, weights, escaped brackets, kaomoji."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from fluxcap.english import words
from fluxcap.vocabulary.lexicon import phrase_meaning
from fluxcap.vocabulary.table import slots
from fluxcap.vocabulary.tags import listed, meaning, tag_table
from fluxcap.vocabulary.values import normal, wordings

_WEIGHT = re.compile(r"^(.+?):\s*-?\d*\.?\d+$", re.DOTALL)
_EXTRA = re.compile(r"<\w+:[^<>]*>|\bBREAK\b")
_QUALITY = re.compile(r"score_\d(?:_up)?|rating:\w+")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagList:
    """What a tag list holds: tags in Danbooru's spelling, and what is no known tag, as it stands."""

    tags: tuple[str, ...]
    others: tuple[str, ...]


@lru_cache(maxsize=1024)
def parse_tags(text: str) -> TagList:
    """Read a tag list: parted by commas or lines, or by blanks where there is no comma ('1girl solo long_hair').

    Weights ('(red dress:1.2)', '((smile))', '[hat]') and LoRA calls are taken off, brackets may be escaped ('\\('), kaomoji
    (':d', '>_<') stay as they are. Quality words ('masterpiece') are dropped.
    """
    pieces = re.split(r"[,\n]+", _EXTRA.sub(",", text))
    if len([piece for piece in pieces if piece.strip()]) == 1 and _is_blank_parted(text):
        pieces = text.split()
    known: list[str] = []
    others: list[str] = []
    for piece in pieces:
        plain = piece.strip()
        tag = spelled(plain)
        if tag is not None:
            known.append(tag)
        elif plain and (bare := _unweighted(plain)) and bare.lower() not in tag_table()["quality"]:
            others += [] if _QUALITY.fullmatch(bare.lower()) else [bare]
    return TagList(tags=tuple(dict.fromkeys((*known, *of_minors(text)))), others=tuple(dict.fromkeys(others)))


def of_minors(text: str) -> tuple[str, ...]:
    """The tags ('loli', 'child') for words of a text that tell of a minor, in whatever form they stand there."""
    plain = f" {re.sub(r'[^a-z0-9]+', ' ', text.lower())} "
    groups: Mapping[str, list[str]] = tag_table()["minors"]
    found = [tag for tag, said in groups.items() if any(f" {word} " in plain for word in said)]
    return tuple(dict.fromkeys((*found, *(["child"] if _YOUNG.search(plain) else []))))


def is_explicit_text(text: str) -> bool:
    """Whether a text has a word that only a setting admits to captions."""
    plain = f" {re.sub(r'[^a-z0-9]+', ' ', text.lower())} "
    return any(f" {word} " in plain for word in tag_table()["explicit"]["words"])


_AGE = r"(?:[0-9]|1[0-7])"
_YOUNG = re.compile(
    rf" {_AGE} (?:years?|yrs?|yo|y o) | (?:aged?|age is|age of) (?:about |around |approximately |roughly |maybe )?{_AGE}"
    r"(?! (?:to |or |and )?[2-9]\d)(?: |$)"
)
"""'10 years old', 'age: about 12'; not 'in her 20s' or '25'."""


def spelled(piece: str) -> str | None:
    """The tag that a piece of a tag list means, in Danbooru's spelling; None where it is no known tag."""
    piece = piece.strip()
    for form in (piece, piece.lower(), _unweighted(piece)):
        for tag in (form, re.sub(r"\s+", "_", form.lower()), re.sub(r"\s+", "_", form.lower()).replace("gray", "grey")):
            if tag in listed():
                return tag
    plain = re.sub(r"\s+", "_", _unweighted(piece).lower())
    if (value := _values().get(plain.replace("_", " "))) is not None:
        return value
    if set(plain.split("_")) & set(words()["reading"]["apart"]):
        found = phrase_meaning(plain.replace("_", " "))
        return (found.tag or None) if found is not None else None
    if plain and plain not in tag_table()["quality"]:
        if re.fullmatch(tag_table()["counted"], plain) or meaning(plain) is not None:
            return plain
        found = phrase_meaning(plain.replace("_", " "))
        return (found.tag or None) if found is not None else _kind_of(plain.split("_"))
    return None


def _kind_of(parts: list[str]) -> str | None:
    """'beige_trousers' -> 'beige_pants': a known wording with words before it."""
    for start in range(1, len(parts)):
        base = phrase_meaning(" ".join(parts[start:]))
        if base is not None and base.tag and meaning(made := "_".join([*parts[:start], base.tag])) is not None:
            return made
    return None


@lru_cache(maxsize=1)
def _values() -> Mapping[str, str]:
    """What the listed values are called ('smiling', 'front view'), and the tag that means them."""
    found: dict[str, str] = {}
    for slot_id, row in slots().items():
        for value in row.value:
            if value.tags and slot_id not in ("mouth", "eyes", "view", "gaze", "lighting", "depth_of_field"):
                found.setdefault(normal(value.id), value.tags[0])
        for wording, value_id in wordings(slot_id).items():
            tags = next((value.tags for value in row.value if value.id == value_id), ())
            if tags:
                found.setdefault(wording, tags[0])
    return found


def looks_like_tags(text: str) -> bool:
    """Whether a text is a tag list, not sentences: at least three pieces, most of them known tags, and no full stops."""
    if re.search(r"[a-z]{2}\.(?:\s|$)", text):
        return False
    pieces = [piece for piece in re.split(r"[,\n]+", text) if piece.strip()]
    if len(pieces) == 1 and _is_blank_parted(text):
        return True
    if len(pieces) < 3 or sum(len(piece.split()) for piece in pieces) > 4 * len(pieces):
        return False
    if any(len(said) > 3 and said & _OF_SENTENCES for piece in pieces if (said := set(piece.lower().split()))):
        return False
    return 2 * len(parse_tags(text).tags) > len(pieces)


_OF_SENTENCES = frozenset({"a", "an", "the", "is", "are", "her", "his", "their", "she", "he", "they"})


def _is_blank_parted(text: str) -> bool:
    parts = text.split()
    return len(parts) > 2 and "_" in text and 2 * sum(part.lower() in listed() for part in parts) > len(parts)


def _unweighted(piece: str) -> str:
    """The piece without weights; escaped brackets become plain ones."""
    piece = re.sub(r"(?<=\w)\s+\([^()]*:\s*-?\d*\.?\d+\)$", "", piece)
    piece = piece.replace("\\(", "\x01").replace("\\)", "\x02").strip()
    while True:
        before = piece
        piece = piece.strip()
        if len(piece) > 1 and piece[0] + piece[-1] in ("()", "[]", "{}"):
            piece = piece[1:-1]
            if found := _WEIGHT.match(piece):
                piece = found[1]
        elif piece[:1] in "([{" and piece[:1] and not _closed(piece):
            piece = piece[1:]  # '(smile, happy:1.2)' is cut at its comma
        elif piece[-1:] in ")]}" and piece[-1:] and not _closed(piece):
            piece = _WEIGHT.sub(r"\1", piece[:-1])
        if piece == before:
            return piece.replace("\x01", "(").replace("\x02", ")")


def _closed(piece: str) -> bool:
    return all(piece.count(one) == piece.count(other) for one, other in ("()", "[]", "{}"))
