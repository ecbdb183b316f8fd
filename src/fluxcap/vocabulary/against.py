"""Whether a statement of a caption speaks against what is known of the picture. Pure; the words are data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from fluxcap.english import items, strip_article
from fluxcap.types import Trait
from fluxcap.vocabulary.finding import tags_of
from fluxcap.vocabulary.mentions import Mention
from fluxcap.vocabulary.senses import Classes, classes, dimensions, kinds, limits, region, sides
from fluxcap.vocabulary.table import slot
from fluxcap.vocabulary.tags import base_of, meaning
from fluxcap.vocabulary.values import clashes, normal

_LAYERS = re.compile(r",|\b(?:over|under|underneath|beneath|with|and)\b")
"""What stands between two garments of one phrase: 'a jacket over a white shirt'."""


ANYTHING = "*"
"""The class of words that may mean any."""


def trusted(fact: Trait) -> bool:
    """Whether a fact is known well enough to hold a caption against it (``heard_from`` in ``data/against.toml``)."""
    return fact.confidence >= limits().heard_from


def speaks_against(said: Mention, facts: Mapping[str, Trait]) -> Trait | None:
    """The fact that a statement speaks against; None where it may be true of the picture.

    Facts of less than ``heard_from`` confidence are not asked. What counts:

    - a listed value (view, framing, gaze, mouth, eyes, camera height): another one that is no neighbour of the fact;
    - any dimension of ``data/against.toml`` in which both have words and none of them may mean the same: the colour and
      the length of hair, age, posture, indoors and outdoors, the kind of place, the time of day, the expression, the
      medium and so on. Setting and background are asked together, so are pose and action;
    - of things that are worn or held, a thing of the same kind that differs in colour, pattern, material or length from
      every such thing of the fact;
    - a garment that has no place among those of a complete fact (``complete_from``): its colours are none of what is worn
      there, it is a skirt where trousers are known, or a dress where a shirt and jeans are.

    What the facts are silent about is never contradicted: a necklace, glasses or a belt may simply not have been named.
    """
    known = {slot_id: fact for slot_id, fact in facts.items() if trusted(fact)}
    own = known.get(said.slot)
    if own is not None and normal(own.value) == normal(said.value):
        return None
    if own is not None and slot(said.slot).listed and _both_listed(said, own):
        return own if clashes(said.slot, said.value, said.tags, own.value, own.tags) else None
    return _in_a_dimension(said, known) or (own if own is not None and _in_its_things(said, own) else None)


def _is_of(facet: str, said: Mention) -> bool:
    """Whether all that is known of an open statement is of this facet: 'realistic' and 'sepia' tell how any medium may look."""
    if said.value in {value.id for value in slot(said.slot).value}:
        return False
    known = [found for tag in said.tags if (found := meaning(tag)) is not None]
    return bool(known) and all(found.facet == facet for found in known)


def _both_listed(said: Mention, fact: Trait) -> bool:
    known = {value.id for value in slot(said.slot).value}
    return said.value in known and fact.value in known


def _in_a_dimension(said: Mention, facts: Mapping[str, Trait]) -> Trait | None:
    for dimension in dimensions(said.slot):
        mine = classes(dimension, said.value)
        if not mine or ANYTHING in mine or (dimension.but_for and _is_of(dimension.but_for, said)):
            continue
        told = [
            (fact, found)
            for slot_id in (dimension.slots if said.slot not in dimension.apart else (said.slot,))
            if (fact := facts.get(slot_id)) is not None
            and (not dimension.sure or fact.confidence >= limits().complete_from)
            and (found := classes(dimension, fact.value))
            and ANYTHING not in found
        ]
        if told and not mine & frozenset(one for _, found in told for one in found):
            return next((fact for fact, _ in told if fact.slot == said.slot), told[0][0])
    return None


def speaks_for(slot_id: str, said: str, known: str) -> bool:
    """Whether a value names a side of another in other words ('golden' of 'long blonde hair'), and none of its sides falsely."""
    both = [
        mine & its
        for dimension in dimensions(slot_id)
        if (mine := classes(dimension, said)) and (its := classes(dimension, known))
    ]
    return bool(both) and all(both)


class _Thing(NamedTuple):
    """One thing of a list: its words, its kinds, and where it is worn."""

    words: str
    kinds: Classes
    regions: Classes


def _in_its_things(said: Mention, fact: Trait) -> bool:
    if not sides(said.slot):
        return False
    theirs = _things(said.slot, fact.value)
    complete = fact.confidence >= limits().complete_from
    return any(_is_against(said.slot, one, theirs, complete) for one in _things(said.slot, said.value))


def _is_against(slot_id: str, one: _Thing, theirs: Sequence[_Thing], complete: bool) -> bool:
    if "outfit" in one.kinds:
        return complete and _is_of_no_colour(one, theirs)
    kin = [other for other in theirs if one.kinds & other.kinds]
    if kin:
        return all(_differ(slot_id, one, other) for other in kin)
    return slot_id == "clothing" and complete and _has_no_place(one, theirs)


def _is_of_no_colour(one: _Thing, theirs: Sequence[_Thing]) -> bool:
    """Whether what is said of all the clothes ('head-to-toe black') has a colour that none of those known has."""
    (colour,) = (side for side in sides("clothing") if side.name == "colour")
    mine, its = classes(colour, one.words), [classes(colour, other.words) for other in theirs if other.regions]
    return bool(mine and its) and all(found and not mine & found for found in its)


def _differ(slot_id: str, one: _Thing, other: _Thing) -> bool:
    """Whether two things of one kind cannot be the same one."""
    for side in sides(slot_id):
        mine, its = classes(side, one.words), classes(side, other.words)
        if mine and its and not mine & its:
            return True
    return False


_RIVALS: Mapping[str, frozenset[str]] = {
    "inner": frozenset({"inner", "whole"}),
    "outer": frozenset({"inner", "outer", "whole"}),
    "lower": frozenset({"lower", "whole"}),
    "whole": frozenset({"inner", "outer", "lower", "whole"}),
}
"""Where a garment is worn -> where it would have been seen if it were there: a shirt may hide under a jacket, no coat does."""


def _has_no_place(one: _Thing, theirs: Sequence[_Thing]) -> bool:
    """Whether a garment that is not among those known cannot be worn with them."""
    if "naked" in one.kinds:
        return any(other.regions for other in theirs)
    wanted = frozenset(rival for where in one.regions for rival in _RIVALS[where])
    rivals = [other for other in theirs if not other.kinds or other.regions & wanted]
    if not rivals or (any("suit" in other.kinds for other in rivals) and one.regions == {"inner"}):
        return False
    if all(other.kinds for other in rivals):
        if "whole" in one.regions:
            wholes = [other for other in rivals if "whole" in other.regions]
            parts = "suit" in one.kinds and any("outer" in other.regions for other in theirs)
            return not any("costume" in other.kinds for other in (one, *wholes)) and bool(wholes or not parts)
        alike = [other for other in rivals if other.regions == one.regions]
        if one.regions in ({"lower"}, {"outer"}) and alike:
            return True
        if one.regions == {"lower"}:
            return "leggings" not in one.kinds and not any("costume" in other.kinds for other in rivals)
        if "coat" in one.kinds and one.regions == {"outer"}:
            return True
    (colour,) = (side for side in sides("clothing") if side.name == "colour")
    mine, its = classes(colour, one.words), [classes(colour, other.words) for other in rivals]
    plain = one.regions == {"outer"} or all(its)  # what is worn on top would have been named, whatever is below
    return bool(mine) and plain and not any(mine & found for found in its)


@lru_cache(maxsize=4096)
def _things(slot_id: str, value: str) -> tuple[_Thing, ...]:
    return tuple(_each(slot_id, normal(value)))


def _each(slot_id: str, value: str) -> Iterator[_Thing]:
    for item in items(value):
        parts = [part.strip() for part in _LAYERS.split(item)]
        if slot_id != "clothing" or sum(bool(kinds(part)) for part in parts) < 2:
            parts = [item]
        for part in parts:
            words = strip_article(part)
            found = kinds(words) if slot_id == "clothing" else _kinds_of(slot_id, words)
            if words:
                yield _Thing(words, found, frozenset(where for kind in found if (where := region(kind))))


def _kinds_of(slot_id: str, words: str) -> Classes:
    """What a thing is, apart from its colours: by the dimension of such things, else by the plainest of its tags."""
    named = frozenset(one for row in dimensions(slot_id) if row.things for one in classes(row, words))
    return named or frozenset(_root(tag) for tag in tags_of(slot_id, words))


def _root(tag: str) -> str:
    seen = {tag}
    while (base := base_of(tag)) is not None and base not in seen:
        seen.add(base)
        tag = base
    return tag
