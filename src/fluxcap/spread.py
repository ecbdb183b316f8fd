"""How a trait spreads over a set: which values it takes, in which pictures, and which values come only together. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import log2

from fluxcap.english import spoken
from fluxcap.thinking import thinking
from fluxcap.types import Binding, Trait
from fluxcap.vocabulary import Attribute, is_silent, pieces, same, slots, value_of

Traits = Mapping[str, Trait]
"""Slot id -> trait, of one picture."""

_SAID = frozenset({"trigger", "medium", "subject", "people"})
"""What one set has in common by intention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a slot, as first worded, and the pictures (by their place) that say the same."""

    slot: str
    value: str
    tags: tuple[str, ...]
    pictures: frozenset[int]

    @property
    def count(self) -> int:
        """In how many pictures."""
        return len(self.pictures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The values of one slot (or of one attribute of it) over the set, the most common first.

    Pictures that do not know the trait do not count. ``without`` are those that have nothing of the kind: they know it.
    """

    slot: str
    values: tuple[Value, ...]
    attribute: str = ""
    without: frozenset[int] = frozenset()

    @property
    def known(self) -> int:
        """In how many pictures the trait is known."""
        return sum(value.count for value in self.values) + len(self.without)

    @property
    def usual(self) -> Value:
        """The most common value; of equally common ones that which came first."""
        return self.values[0]

    @property
    def share(self) -> float:
        """The part of the pictures that know the trait in which it has its usual value, 0 to 1 (constancy)."""
        return self.usual.count / self.known

    @property
    def entropy(self) -> float:
        """How much the trait varies, in bits (Shannon): 0 where it never does, 1 for two values that are equally common."""
        counts = [one for one in (*(value.count for value in self.values), len(self.without)) if one]
        return max(0.0, -sum(one / self.known * log2(one / self.known) for one in counts))

    @property
    def usually(self) -> str:
        """The usual value and how often it comes, in words: 'blonde in 24 of 25'."""
        said = self.usual.value
        if self.attribute and not slots()[self.slot].many:
            said = " ".join(piece.text for piece in pieces(self.slot, said))
        return f"{spoken(said)} in {self.usual.count} of {self.known}"

    @property
    def pictures(self) -> frozenset[int]:
        """The pictures that know the trait."""
        return frozenset().union(*(value.pictures for value in self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Values of different slots that come only together, in ``count`` pictures: training cannot tell them apart."""

    values: tuple[Value, ...]
    count: int


def spread(slot_id: str, pictures: Sequence[Traits]) -> Spread | None:
    """The values of a slot over these pictures; those that say the same count together. None where nobody knows it."""
    first: list[Trait] = []
    places: list[set[int]] = []
    worded: dict[tuple[str, tuple[str, ...]], int] = {}
    for picture, traits in enumerate(pictures):
        trait = traits.get(slot_id)
        if trait is None:
            continue
        key = (trait.value, trait.tags)
        if key not in worded:
            worded[key] = next((place for place, other in enumerate(first) if _same(other, trait)), len(first))
            if worded[key] == len(first):
                first.append(trait)
                places.append(set())
        places[worded[key]].add(picture)
    values = [
        Value(slot=slot_id, value=trait.value, tags=trait.tags, pictures=frozenset(where))
        for trait, where in zip(first, places, strict=True)
    ]
    return Spread(slot=slot_id, values=tuple(sorted(values, key=lambda value: -value.count))) if values else None


def attribute_spread(slot_id: str, attribute: Attribute, pictures: Sequence[Traits]) -> Spread | None:
    """As ``spread``, of one attribute of a slot: the colour of the hair. None where nobody knows it."""
    told: list[Traits] = []
    without: set[int] = set()
    for picture, traits in enumerate(pictures):
        trait = traits.get(slot_id)
        part = attribute_of(trait, attribute.id) if trait else None
        told.append({slot_id: part} if part else {})
        if part is None and (attribute.unseen == "none" or (attribute.unseen == "plain" and trait)):
            without.add(picture)
    seen = spread(slot_id, told)
    return replace(seen, attribute=attribute.id, without=frozenset(without)) if seen else None


def attribute_of(trait: Trait, attribute: str) -> Trait | None:
    """What a trait tells of one attribute, as a trait: of 'long blonde hair' the colour is 'blonde hair'."""
    value, tags = value_of(trait.slot, [one for one in pieces(trait.slot, trait.value) if one.attribute == attribute])
    return replace(trait, value=value, tags=tags) if value else None


def tag_counts(slot_id: str, pictures: Sequence[Traits]) -> Mapping[str, int]:
    """In how many pictures each canonical tag of a slot is known, the most common first."""
    counts = Counter(tag for traits in pictures if (trait := traits.get(slot_id)) for tag in set(trait.tags))
    return dict(sorted(counts.items(), key=lambda one: (-one[1], one[0])))


def free_spreads(pictures: Iterable[Traits], bindings: Mapping[str, Binding]) -> list[Spread]:
    """How the free traits spread, in caption order; without those that the settings say of every picture, or that count heads."""
    sets = list(pictures)
    asked = (
        slot_id
        for slot_id, binding in bindings.items()
        if binding.decision == "free"
        and slot_id not in _SAID
        and not any(part.attribute and part.decision == "bound" for part in binding.parts)
    )
    return [seen for slot_id in asked if (seen := spread(slot_id, sets)) is not None]


def constant(spreads: Iterable[Spread], pictures: int) -> list[Spread]:
    """Traits that hardly vary in a set of so many pictures: said or not, a LoRA bakes them in (P18)."""
    limit = thinking()
    least = max(limit.auto_known, limit.auto_share * pictures)
    return [
        seen
        for seen in spreads
        if seen.usual.count >= least and seen.share >= limit.auto_share and not is_silent(seen.slot, seen.usual.value)
    ]


def together(spreads: Iterable[Spread]) -> list[Together]:
    """Values of different slots that cannot be told apart, as groups, those in most pictures first.

    The measure is Jaccard's, over the pictures that know both traits: pictures with both values by those with either. What is in
    nearly all pictures is constant, not together; of what is in fewer than ``together_known`` nothing is said, nor of what a caption
    says by saying nothing.
    """
    limit = thinking()
    spreads = list(spreads)
    known = {one.slot: one.pictures for one in spreads}
    values = [
        value
        for one in spreads
        for value in one.values
        if value.count >= limit.together_known and not is_silent(value.slot, value.value)
    ]
    groups: list[list[Value]] = []
    for value in values:
        for group in groups:
            if all(_common(value, other, known) for other in group):
                group.append(value)
                break
        else:
            groups.append([value])
    found = [
        Together(
            values=tuple(group),
            count=min(len(one.pictures & other.pictures) for one in group for other in group if one is not other),
        )
        for group in groups
        if len(group) > 1
    ]
    return sorted(found, key=lambda one: -one.count)


def _common(one: Value, other: Value, known: Mapping[str, frozenset[int]]) -> bool:
    if one.slot == other.slot:
        return False
    limit = thinking()
    both_known = known[one.slot] & known[other.slot]
    both = one.pictures & other.pictures
    either = (one.pictures | other.pictures) & both_known
    return (
        len(both) >= limit.together_known
        and len(both) >= limit.together_share * len(either)
        and len(both) < limit.auto_share * len(both_known)
    )


def _same(one: Trait, other: Trait) -> bool:
    return same(one.slot, one.value, one.tags, other.value, other.tags)
