"""In which order a caption tells: its sentences, each with the places of the traits that it speaks of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from fluxcap.checks.around import Around
from fluxcap.checks.tables import tables
from fluxcap.vocabulary import Mention, slots

PLACES = ("opening", "scene", "worn", "face", "tail")
"""The places of the traits, as they follow each other in a caption."""


class Part(NamedTuple):
    """A sentence, or a run of tags within one: its characters, and the places it speaks of (in no order)."""

    start: int
    end: int
    places: frozenset[int]


class Break(NamedTuple):
    """Part ``early`` stands before part ``late``, and belongs behind it."""

    early: Part
    late: Part


def parts(text: str, mentions: Sequence[Mention]) -> list[Part]:
    """The sentences, and the tags of camera and light where several stand together, from left to right."""
    found: list[Part] = []
    for start, end in _sentences(text):
        inside = [said for said in mentions if start <= said.start and said.end <= end]
        pieces = _tags(text, start, end, inside)
        if pieces is None:
            found.append(Part(start, end, _places(inside)))
        else:
            found += pieces
    return found


def breaks(text: str, mentions: Sequence[Mention], around: Around | None = None) -> list[Break]:
    """Where a part stands before another that everything in it belongs behind; the set's own order counts where it has one."""
    told = parts(text, mentions)
    other = _own_order(around) if around is not None else frozenset()
    found: list[Break] = []
    for place, early in enumerate(told):
        for late in told[place + 1 :]:
            if _is_before(late, early) and (_first(late), _last(early)) not in other:
                found.append(Break(early, late))
                break
    return found


def _is_before(one: Part, other: Part) -> bool:
    """Whether everything in a part belongs before everything in another."""
    return bool(one.places) and bool(other.places) and max(one.places) < min(other.places)


def _first(part: Part) -> int:
    return min(part.places)


def _last(part: Part) -> int:
    return max(part.places)


def _places(mentions: Sequence[Mention]) -> frozenset[int]:
    return frozenset(place for said in mentions if (place := place_of(said.slot)) is not None)


@lru_cache(maxsize=128)
def place_of(slot_id: str) -> int | None:
    """Where a slot's words stand; None for those that may stand anywhere."""
    return None if slot_id in tables().order.loose else PLACES.index(slots()[slot_id].place)


def _sentences(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for stop in re.finditer(r"[.!?;](?=\s|$)|\n", text):
        if text[start : stop.end()].strip():
            yield start, stop.end()
        start = stop.end()
    if text[start:].strip():
        yield start, len(text)


def _tags(text: str, start: int, end: int, mentions: Sequence[Mention]) -> list[Part] | None:
    """A sentence cut where tags of camera and light stand within it; None where there are none besides other things."""
    pieces = _pieces(text, start, end)
    tails = [_is_tag(text, piece, mentions) for piece in pieces]
    for place, piece in enumerate(pieces):
        alone = not any(tails[near] for near in (place - 1, place + 1) if 0 <= near < len(tails))
        if alone and text[slice(*piece)].split()[0].lower() in tables().order.passing:
            tails[place] = False
    if not any(tails) or all(tails):
        return None
    found: list[Part] = []
    for (begin, stop), tail in zip(pieces, tails, strict=True):
        inside = _places([said for said in mentions if begin <= said.start and said.end <= stop])
        if found and tail == (found[-1].places == _TAIL):
            found[-1] = Part(found[-1].start, stop, found[-1].places | inside)
        else:
            found.append(Part(begin, stop, inside))
    return found


_TAIL = frozenset({PLACES.index("tail")})
_GAZE = "gaze"
"""'Looking down, she ...' begins many a sentence: it is no tag."""


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    cuts = [start, *(start + found.end() for found in re.finditer(r",\s*", text[start:end])), end]
    return [(begin, stop) for begin, stop in pairwise(cuts) if text[begin:stop].strip(" ,.")]


def _is_tag(text: str, piece: tuple[int, int], mentions: Sequence[Mention]) -> bool:
    """Whether a piece between commas is nothing but a tag of camera or light."""
    begin, stop = piece
    inside = [said for said in mentions if begin <= said.start and said.end <= stop]
    if not inside or _places(inside) != _TAIL or all(said.slot == _GAZE for said in inside):
        return False
    covered = sum(said.end - said.start for said in inside)
    return 10 * covered >= 7 * len(text[begin:stop].strip(" ,.\n"))


@lru_cache(maxsize=4)
def _own_order(around: Around) -> frozenset[tuple[int, int]]:
    """The pairs of places (first, second by the table) that the captions of this set mostly tell the other way round."""
    ways: Counter[tuple[int, int, bool]] = Counter()
    for one in around.pictures.values():
        middle = _middles(parts(one.text, one.mentions))
        for first in middle:
            for second in middle:
                if first < second:
                    ways[first, second, middle[second] < middle[first]] += 1
    limit = tables().order
    found: set[tuple[int, int]] = set()
    for first, second, turned in list(ways):
        both = ways[first, second, True] + ways[first, second, False]
        if turned and both >= limit.own_order_known and ways[first, second, True] >= limit.own_order_from * both:
            found.add((first, second))
    return frozenset(found)


def _middles(told: Sequence[Part]) -> Mapping[int, float]:
    """Where each place is told, on average, counted in parts; only parts that speak of one place tell it."""
    at: dict[int, list[int]] = {}
    for number, part in enumerate(told):
        if len(part.places) == 1:
            at.setdefault(next(iter(part.places)), []).append(number)
    return {place: sum(numbers) / len(numbers) for place, numbers in at.items()}
