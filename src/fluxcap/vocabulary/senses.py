"""``data/against.toml``: the words of each dimension, and the classes that they may stand for."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources

from fluxcap.codec import from_builtins
from fluxcap.vocabulary.lexicon import Token, loosely, tokens
from fluxcap.vocabulary.values import normal

Classes = frozenset[str]
_Words = Mapping[tuple[str, ...], Classes]

_SHADES = frozenset({"dark", "light", "bright", "deep", "pale", "soft"})
"""Before a colour they shade it and are no colour themselves."""
_NEAR = 3
"""So many years from the next decade an age may be taken for it."""
_WINDOW = 4
"""So many words before a noun may tell its colour ('a plain light grey studio wall')."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How sure a fact has to be; explained in ``data/against.toml``."""

    heard_from: float
    complete_from: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Dimension:
    """One side of a trait. ``words`` are phrases and the classes that they may mean, ``of`` the nouns they count before.

    ``sure``: compared only with facts that are complete enough. ``apart``: slots compared only with themselves.
    ``things``: its classes are kinds of things. ``but_for``: a facet whose tags say nothing here.
    """

    name: str
    slots: tuple[str, ...]
    words: Mapping[str, str]
    of: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    sure: bool = False
    colours: bool = False
    numbers: bool = False
    things: bool = False
    but_for: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Garments:
    """The kinds of garments by their words, and the kinds that are worn in one region."""

    words: Mapping[str, str]
    region: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    limits: Limits
    colours: Mapping[str, str]
    dimension: tuple[Dimension, ...]
    garments: Garments
    thing: tuple[Dimension, ...] = field(default_factory=tuple)


@lru_cache(maxsize=1)
def _table() -> _Table:
    text = resources.files("fluxcap").joinpath("data", "against.toml").read_text(encoding="utf-8")
    return from_builtins(tomllib.loads(text), _Table, "against.toml")


def limits() -> Limits:
    """How sure a fact has to be."""
    return _table().limits


@lru_cache(maxsize=64)
def dimensions(slot_id: str) -> tuple[Dimension, ...]:
    """The dimensions of whole values in which a slot speaks."""
    return tuple(row for row in _table().dimension if slot_id in row.slots)


@lru_cache(maxsize=64)
def sides(slot_id: str) -> tuple[Dimension, ...]:
    """The dimensions in which single things of a slot are compared."""
    return tuple(row for row in _table().thing if slot_id in row.slots)


@lru_cache(maxsize=8192)
def kinds(text: str) -> Classes:
    """The kinds of the garments in a text; the last words say what a thing is ('tuxedo jacket', 'dress shirt')."""
    return frozenset(kind for _, found in _found(_spoken(text), _garment_words()) for kind in found)


@lru_cache(maxsize=64)
def region(kind: str) -> str:
    """Where a kind of garment is worn: inner, outer, lower, whole; '' for what is worn anywhere or unknown."""
    return next((name for name, members in _table().garments.region.items() if kind in members), "")


def wordings(name: str) -> tuple[str, ...]:
    """All words of a dimension, as they are listed."""
    dimension = next(row for row in (*_table().dimension, *_table().thing) if row.name == name)
    return (*dimension.words, *(_table().colours if dimension.colours else ()))


def classes(dimension: Dimension, text: str) -> Classes:
    """What a text may mean in a dimension; empty where it says nothing there."""
    return _classes(dimension.name, text)


@lru_cache(maxsize=65536)
def _classes(name: str, text: str) -> Classes:
    dimension, known = _words(name)
    said = _spoken(text)
    if dimension.numbers:
        tens = frozenset(one for token in said if token.word.isdecimal() for one in _tens(int(token.word)))
        return tens or _union(said, known, dimension.colours)
    if not dimension.of:
        return _union(said, known, dimension.colours)
    bare = {token.word for token in said} <= {*_SHADES, "plain", "solid", *(word for key in known for word in key)}
    parts = [said] if bare else _before(said, dimension.of)
    return frozenset(one for part in parts for one in _union(part, known, dimension.colours))


def _tens(number: int) -> Classes:
    """The decade of an age, and the years between two where it is near the next one."""
    tens = number // 10 * 10
    if not 10 <= number < 100:
        return frozenset()
    below = {f"{tens - 10}-{tens}"} if number % 10 <= _NEAR else set()
    above = {f"{tens}-{tens + 10}"} if number % 10 >= 10 - _NEAR else set()
    return frozenset({str(tens), *below, *above})


def _union(said: Sequence[Token], known: _Words, colours: bool) -> Classes:
    hits = list(_found(said, known))
    starts = {place for place, _ in hits}
    return frozenset(
        one
        for place, found in hits
        if not (colours and said[place].word in _SHADES and _is_alone(said, place) and place + 1 in starts)
        for one in found
    )


def _is_alone(said: Sequence[Token], place: int) -> bool:
    """Whether the next word follows at once, so that a shade here belongs to it."""
    return place + 1 < len(said) and not said[place + 1].apart


def _before(said: Sequence[Token], nouns: Sequence[str]) -> Iterator[Sequence[Token]]:
    """The words right before each of these nouns."""
    wanted = {loosely(noun) for noun in nouns}
    for place, token in enumerate(said):
        if token.word not in wanted:
            continue
        start = place
        while start > max(place - _WINDOW, 0) and not said[start].apart:
            start -= 1
        yield said[start:place]


def _found(said: Sequence[Token], known: _Words) -> Iterator[tuple[int, Classes]]:
    """The longest known phrases, from left to right, each with its place."""
    longest = max(map(len, known), default=0)
    place = 0
    while place < len(said):
        for length in range(min(longest, len(said) - place), 0, -1):
            if any(token.apart for token in said[place + 1 : place + length]):
                continue
            hit = known.get(tuple(token.word for token in said[place : place + length]))
            if hit is not None:
                yield place, hit
                place += length
                break
        else:
            place += 1


@lru_cache(maxsize=16384)
def _spoken(text: str) -> tuple[Token, ...]:
    return tuple(token._replace(word=loosely(token.word)) for token in tokens(normal(text)))


@lru_cache(maxsize=64)
def _words(name: str) -> tuple[Dimension, _Words]:
    dimension = next(row for row in (*_table().dimension, *_table().thing) if row.name == name)
    return dimension, _keyed({**(_table().colours if dimension.colours else {}), **dimension.words})


@lru_cache(maxsize=1)
def _garment_words() -> _Words:
    return _keyed(_table().garments.words)


def _keyed(rows: Mapping[str, str]) -> _Words:
    return {tuple(token.word for token in _spoken(phrase)): frozenset(said.split()) for phrase, said in rows.items()}
