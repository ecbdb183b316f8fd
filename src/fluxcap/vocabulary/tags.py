"""Danbooru tags: which trait each one is evidence of, and its phrase. ``data/tags.csv`` lists them, affixes cover the rest."""

from __future__ import annotations

import csv
import hashlib
import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from fluxcap.codec import from_builtins
from fluxcap.english import words
from fluxcap.vocabulary.table import slots

Flag = Literal["", "quiet", "explicit", "young", "minor"]
"""``quiet``: known, never said. ``explicit``: said only where a setting admits it. ``young``: says that a person is a child.
``minor``: sexualises a child; the picture is not to be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What a tag says: its slot ('' for a tag about nothing that is seen), a facet of the slot, and the value's phrase.

    ``implies`` are tags that it makes redundant; ``also`` are other wordings that people use for it.
    """

    tag: str
    slot: str
    facet: str = ""
    phrase: str = ""
    flag: Flag = ""
    implies: tuple[str, ...] = ()
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Affix:
    """A rule for tags that no list names. ``{0}`` in ``phrase`` is what stands before (suffix) or after (prefix) the words.

    ``facets`` names the facet where the last of them is of a group of ``words.toml``.
    """

    words: tuple[str, ...]
    slot: str
    phrase: str
    facet: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    flag: Flag = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Affixes:
    prefix: tuple[Affix, ...]
    suffix: tuple[Affix, ...]
    bare: frozenset[str]


@lru_cache(maxsize=1)
def tag_table() -> Mapping[str, Any]:
    """``data/tags.toml`` as it stands: how tags are read."""
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "tags.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def listed() -> Mapping[str, Meaning]:
    """The tags of ``data/tags.csv``, and those of the trait table's listed values (each means the value it stands first for)."""
    found: dict[str, Meaning] = {}
    text = resources.files("fluxcap").joinpath("data", "tags.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        implies, also = tuple(row.pop("implies").split()), tuple(w for w in row.pop("also").split("|") if w)
        found[row["tag"]] = Meaning(**row, implies=implies, also=also)  # type: ignore[arg-type]
    for slot_id, slot in slots().items():
        for value in slot.value:
            if value.tags and value.tags[0] not in found:
                found[value.tags[0]] = Meaning(tag=value.tags[0], slot=slot_id, phrase=value.id)
    return found


@lru_cache(maxsize=1)
def _affixes() -> _Affixes:
    table = {name: tag_table()[name] for name in ("prefix", "suffix", "bare")}
    return from_builtins(table, _Affixes, "tags.toml")


@lru_cache(maxsize=1)
def vocabulary_version() -> str:
    """Another one whenever the words change, so that captions are read anew with better ones."""
    data = resources.files("fluxcap").joinpath("data")
    names = ("tags.csv", "tags.toml", "words.toml", "reading.toml", "phrases.toml", "slots.toml")
    return hashlib.sha256(b"".join(data.joinpath(name).read_bytes() for name in names)).hexdigest()[:12]


def suffixes() -> tuple[Affix, ...]:
    """The rules by last word."""
    return _affixes().suffix


@lru_cache(maxsize=65536)
def meaning(tag: str) -> Meaning | None:
    """What a tag says: as listed, else by an affix, else by the listed tag that its last words are; None where unknown.

    ``tag`` is spelled as Danbooru spells it ('white_shirt').
    """
    known = listed().get(tag)
    return known if known is not None else meaning_by_rule(tag)


def meaning_by_rule(tag: str) -> Meaning | None:
    """What the rules make of a tag, as if the list lacked it; None where none fits."""
    bare, _, qualifier = tag.partition("_(")
    if qualifier and (known := meaning(bare)) is not None:
        return _as(known, tag, known.phrase)
    parts = tag.split("_")
    return _by_prefix(tag, parts) or _by_base(tag, parts) or _by_suffix(tag, parts)


def _by_prefix(tag: str, parts: list[str]) -> Meaning | None:
    for rule in _affixes().prefix:
        for start in rule.words:
            first = start.split("_")
            if parts[: len(first)] == first and len(parts) > len(first):
                return _ruled(rule, tag, parts[len(first) :])
    return None


def _by_suffix(tag: str, parts: list[str]) -> Meaning | None:
    for rule in _affixes().suffix:
        for end in rule.words:
            last = end.split("_")
            if parts[-len(last) :] == last and len(parts) > len(last):
                return _ruled(rule, tag, parts[: -len(last)])
    return None


def _ruled(rule: Affix, tag: str, rest: list[str]) -> Meaning:
    said = _spoken(" ".join(rest))
    facet = next((name for group, name in rule.facets.items() if rest[-1] in words()["groups"][group]), rule.facet)
    return Meaning(
        tag=tag, slot=rule.slot, facet=facet, phrase=rule.phrase.format(said, tag.replace("_", " ")), flag=rule.flag
    )


def _by_base(tag: str, parts: list[str]) -> Meaning | None:
    """'teal_cardigan' is a cardigan: the longest listed tag that the last words are, where that tag names a thing."""
    for start in range(1, len(parts)):
        base = listed().get("_".join(parts[start:]))
        if base is not None and base.slot in _affixes().bare and base.flag != "quiet" and base.phrase:
            return _as(base, tag, f"{_spoken(' '.join(parts[:start]))} {base.phrase}".strip())
    return None


def _as(base: Meaning, tag: str, phrase: str) -> Meaning:
    return Meaning(tag=tag, slot=base.slot, facet=base.facet, phrase=phrase, flag=base.flag)


def _spoken(text: str) -> str:
    """A stretch of a tag as words: one spelling of colours, apostrophes as they are."""
    return re.sub(r"\bgray\b", "grey", text)


@lru_cache(maxsize=65536)
def base_of(tag: str) -> str | None:
    """The tag that this one is a kind of: 'white_shirt' -> 'shirt', 't-shirt' -> 'shirt' (listed), 'shirt' -> None."""
    known = meaning(tag)
    if known is None:
        return None
    parts = tag.split("_")
    for start in range(1, len(parts)):
        base = "_".join(parts[start:])
        other = meaning(base)
        if other is not None and other.slot == known.slot:
            return base
    return next((other for other in known.implies if (m := meaning(other)) and m.slot == known.slot), None)


def redundant(tags: Collection[str]) -> frozenset[str]:
    """Those of ``tags`` that another one says already: 'shirt' beside 'white_shirt', 'smile' beside 'grin'.

    A tag is redundant beside one whose words include all of its own and end in the same word (never by letters: 'bow' is
    not in 'elbow_gloves'), or beside one that is listed to imply it.
    """
    by_last: dict[str, list[frozenset[str]]] = {}
    for tag in tags:
        parts = tag.split("_")
        by_last.setdefault(parts[-1], []).append(frozenset(parts))
    gone: set[str] = set()
    for tag in tags:
        parts = tag.split("_")
        mine = frozenset(parts)
        if any(mine < other for other in by_last[parts[-1]]):
            gone.add(tag)
        gone.update(_implied(tag) - {tag})
    return frozenset(gone & set(tags))


def plays_a_part(slot: str, tags: Collection[str]) -> bool:
    """Whether tags of a slot tell of what is worn or painted on to play a part: face paint, a costume, a wig, horns (P5)."""
    table = tag_table()["plays_a_part"]
    told = frozenset(table["words"].get(slot, ()))
    for tag in tags:
        if tag in table["never"]:
            continue
        known = meaning(tag)
        if told & {*tag.split("_"), *(known.phrase.split() if known else ()), *_implied(tag)}:
            return True
    return False


@lru_cache(maxsize=65536)
def _implied(tag: str) -> frozenset[str]:
    found: set[str] = set()
    waiting = [tag]
    while waiting:
        known = meaning(waiting.pop())
        for other in known.implies if known else ():
            if other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(found)
