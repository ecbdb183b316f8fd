"""A value as the pieces that are decided one by one, and the value that some of them make: 'long blonde hair with bangs'."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

from fluxcap.english import items, join, words
from fluxcap.vocabulary.table import slot
from fluxcap.vocabulary.tags import meaning
from fluxcap.vocabulary.values import canonical, normal


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a value: the attribute it tells of ('' where the trait has none), its words, and what leads it in.

    ``place``: words before the noun, the noun itself, or a phrase behind it; 'item' is a thing of a list.
    """

    attribute: str
    text: str
    place: str = "item"
    lead: str = ""


@lru_cache(maxsize=8192)
def pieces(slot_id: str, value: str) -> tuple[Piece, ...]:
    """The pieces of a value, in its order.

    A trait with attributes is cut into what tells of each ('long', 'blonde', 'with bangs'), one of several things into the
    things; any other is one piece.
    """
    row = slot(slot_id)
    if row.many:
        return tuple(
            Piece(attribute=(_of_tags(slot_id, item) or _rest(slot_id)) if row.attribute else "", text=item)
            for item in items(value)
        )
    if row.attribute:
        return tuple(_described(slot_id, value))
    return (Piece(attribute="", text=value),)


def value_of(slot_id: str, kept: Sequence[Piece]) -> tuple[str, tuple[str, ...]]:
    """The value that these pieces make, and its tags; '' where nothing is left to say."""
    if not kept:
        return "", ()
    if all(piece.place == "item" for piece in kept):
        return canonical(slot_id, ", ".join(piece.text for piece in kept))
    before = [piece.text for piece in kept if piece.place == "before"]
    noun = next((piece.text for piece in kept if piece.place == "noun"), slot_id)
    behind = [piece for piece in kept if piece.place == "behind"]
    if not before and not behind and noun == slot_id:
        return "", ()
    text = " ".join([*before, noun])
    for lead, group in groupby(behind, key=lambda piece: piece.lead):
        said = [piece.text for piece in group]
        text += f" {lead} {join(said)}" if lead else "".join(f", {one}" for one in said)
    return canonical(slot_id, text)


_BEHIND = re.compile(
    r"\s*,\s*(?:and\s+)?|\s+and\s+|\s+(?=(?:with|in|into|under)\s)"
    r"|\s+(?=(?:tied|pulled|pinned|swept|slicked|combed|gathered|worn|braided|styled|put|brushed|parted|shaved)\b)"
)
_LEADS = re.compile(r"(with|in|into|under)\s+(.*)", re.DOTALL)


def _described(slot_id: str, value: str) -> list[Piece]:
    """The pieces of words around one noun: those before it one by one, the phrases behind it whole."""
    if re.fullmatch(r"[\w'-]+", value) and normal(value) != slot_id:
        told = _of_word(slot_id, value) or _colour(slot_id)
        return [Piece(attribute=told, text=value, place="noun")]
    found = _noun(slot_id).search(value)
    if found:
        before, noun, rest = value[: found.start()], found[0], value[found.end() :]
    else:
        before, _, rest = value.partition(",")
        noun, rest = slot_id, f",{rest}" if rest else ""
    made: list[Piece] = _before(slot_id, before)
    style = _rest(slot_id)
    if noun != slot_id:
        made.append(Piece(attribute=_of_tags(slot_id, noun) or style, text=noun, place="noun"))
    lead = ""
    for part in (one.strip() for one in _BEHIND.split(rest)):
        if not part:
            continue
        led = _LEADS.fullmatch(part)
        lead, text = (led[1], led[2]) if led else (lead if lead == "with" else "", part)
        made.append(Piece(attribute=_of_phrase(slot_id, text), text=text, place="behind", lead=lead))
    return made


def _before(slot_id: str, text: str) -> list[Piece]:
    """The words before the noun, those of one attribute that stand together as one piece."""
    said: list[tuple[str, str]] = []
    waiting: list[str] = []
    for word in re.findall(r"[^\s,]+", text):
        if word.lower() in ("a", "an", "her", "his", "their", "the"):
            continue
        told = "" if word.lower() in ("and", "very", "&", "to") else _of_word(slot_id, word)
        waiting.append(word)
        if told:
            said.append((told, " ".join(waiting)))
            waiting = []
    if waiting:
        shade = normal(waiting[-1]) in {*words()["attributes"]["shades"], *words()["groups"]["colour"]}
        said.append((_colour(slot_id) if shade else _rest(slot_id), " ".join(waiting)))
    merged = [(key, [text for _, text in group]) for key, group in groupby(said, key=lambda one: one[0])]
    return [Piece(attribute=key, text=" ".join(texts), place="before") for key, texts in merged]


def _of_word(slot_id: str, word: str) -> str:
    """The attribute that a word before the noun tells of; '' for a shade, which goes with the colour behind it."""
    plain = normal(word)
    own = words()["shades_of"].get(slot_id, {})
    groups = words()["groups"]
    if plain in words()["attributes"]["shades"] or (plain in own and plain not in groups["colour"]):
        return ""
    if any(part in groups["colour"] or part in own for part in plain.split("-")):
        return _colour(slot_id)
    return _of_tags(slot_id, f"{plain} {slot_id}") or _rest(slot_id)


def _of_phrase(slot_id: str, text: str) -> str:
    """The attribute of a phrase behind the noun: highlights and roots are colour, all else is as its tags say."""
    last = normal(text).split(" ")[-1]
    if last in words()["attributes"]["coloured"]:
        return _colour(slot_id)
    return _of_tags(slot_id, text) or _rest(slot_id)


def _of_tags(slot_id: str, text: str) -> str:
    for tag in canonical(slot_id, text)[1]:
        known = meaning(tag)
        if known is not None and known.slot == slot_id:
            return next((one.id for one in slot(slot_id).attribute if known.facet in one.facets), "")
    return ""


def _colour(slot_id: str) -> str:
    return next(one.id for one in slot(slot_id).attribute if "color" in one.facets)


def _rest(slot_id: str) -> str:
    """The attribute that takes what no other one does."""
    return next(one.id for one in slot(slot_id).attribute if one.rest)


@lru_cache(maxsize=8)
def _noun(slot_id: str) -> re.Pattern[str]:
    """The noun that the words are said of, with the word that makes it one ('pixie cut')."""
    nouns = sorted({slot_id, *words()["attributes"]["nouns"], *words()["reading"]["tied"]}, key=len, reverse=True)
    cuts = "|".join(words()["attributes"]["cuts"])
    return re.compile(rf"\b(?:(?:{cuts})[ -])?(?:{'|'.join(map(re.escape, nouns))})\b", re.IGNORECASE)
