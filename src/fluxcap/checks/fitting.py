"""Which picture of the set a caption fits: its statements against the facts of the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from fluxcap.checks.around import Around, Sibling, plain
from fluxcap.checks.tables import tables
from fluxcap.types import Trait
from fluxcap.vocabulary import Mention, normal, same, speaks_against, trusted

_LEFT_OUT = frozenset({"trigger", "subject"})


class Fit(NamedTuple):
    """How well statements fit a picture: ``score`` in natural logarithms, and how many speak for and against it."""

    score: float
    agreeing: int
    against: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Index:
    """The facts of the set: how often each tag of each slot is, and in which pictures."""

    pictures: int
    holders: Mapping[tuple[str, str], Sequence[str]]


def belongs_to(item: Sibling, around: Around) -> Sibling | None:
    """The picture whose caption this one seems to be; None where it fits its own about as well."""
    copied = _copied(item, around)
    if copied is not None:
        return copied
    limit = tables().another
    said = _statements(item)
    own = _fit(said, item.traits, around)
    if own.against == 0 or len(said) - own.agreeing < limit.contradictions:
        return None
    best, fit = None, own
    for other in _candidates(item, said, around):
        theirs = _fit(said, other.traits, around)
        if theirs.score > fit.score and theirs.against < own.against:
            best, fit = other, theirs
    chance = math.log(len(around.pictures))
    return best if fit.score - own.score > chance + limit.surely else None


def _copied(item: Sibling, around: Around) -> Sibling | None:
    """The picture for which fluxcap would write these very words, where it would write others for this one."""
    text = plain(item.text)
    if not text or text == plain(item.composed):
        return None
    theirs = around.by_composed.get(text, ())
    return theirs[0] if theirs and _tells_something(item) else None


def _tells_something(item: Sibling) -> bool:
    return bool(_statements(item))


def _statements(item: Sibling) -> list[Mention]:
    return [said for said in item.mentions if said.slot not in _LEFT_OUT]


def _fit(said: Sequence[Mention], facts: Mapping[str, Trait], around: Around) -> Fit:
    limit = tables().another
    score, agreeing, against = 0.0, 0, 0
    for one in said:
        if speaks_against(one, facts) is not None:
            score -= limit.against
            against += 1
        elif agrees(one, facts):
            score += min(limit.at_most, _rarity(one, facts[one.slot], around))
            agreeing += 1
    return Fit(score, agreeing, against)


def agrees(said: Mention, facts: Mapping[str, Trait]) -> bool:
    """Whether a statement says what is known."""
    fact = facts.get(said.slot)
    if fact is None or not trusted(fact):
        return False
    return normal(said.value) == normal(fact.value) or same(said.slot, said.value, said.tags, fact.value, fact.tags)


def _rarity(said: Mention, fact: Trait, around: Around) -> float:
    """How telling it is that a picture has what is said, as the logarithm of how few have it."""
    index = _index(around)
    shared = [tag for tag in said.tags if tag in fact.tags] or fact.tags
    few = min((len(index.holders.get((said.slot, tag), ())) for tag in shared), default=index.pictures)
    return math.log(index.pictures / max(few, 1))


def _candidates(item: Sibling, said: Sequence[Mention], around: Around) -> list[Sibling]:
    """The other pictures that share the rarest values with what is said."""
    index = _index(around)
    score: dict[str, float] = {}
    for one in said:
        for tag in one.tags:
            holders = index.holders.get((one.slot, tag), ())
            if holders and 2 * len(holders) <= index.pictures + 1:
                worth = math.log(index.pictures / len(holders)) + 1e-3
                for path in holders:
                    score[path] = score.get(path, 0.0) + worth
    score.pop(item.path, None)
    best = sorted(score, key=lambda path: (-score[path], path))
    return [around.pictures[path] for path in best[: tables().another.looked_at]]


@lru_cache(maxsize=4)
def _index(around: Around) -> _Index:
    holders: dict[tuple[str, str], list[str]] = {}
    for one in around.pictures.values():
        for slot_id, fact in one.traits.items():
            if trusted(fact):
                for tag in dict.fromkeys(fact.tags):
                    holders.setdefault((slot_id, tag), []).append(one.path)
    return _Index(pictures=len(around.pictures), holders=holders)
