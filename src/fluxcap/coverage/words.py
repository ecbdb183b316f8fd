"""Coverage in words: the shopping list, what there is too much of, what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence

from fluxcap.coverage.counting import Coverage, Have
from fluxcap.english import join, plural
from fluxcap.vocabulary import slots

_NAMED = 5
"""So many pictures are named, the others are counted."""


def told(coverage: Coverage) -> list[tuple[str, list[str]]]:
    """What to say of it, as headings with their sentences, the shopping list last; some may be empty."""
    return [
        ("Not in the matrix", unplaced(coverage)),
        ("Cannot be told", not_told(coverage)),
        ("The same nearly everywhere", constancies(coverage)),
        ("Over-full", too_many(coverage)),
        ("Shopping list", shopping_list(coverage) or ["nothing is missing, of what can be told"]),
    ]


def size(coverage: Coverage) -> str:
    """How large the set is, and whether that is enough."""
    here = f"{coverage.pictures} {plural('picture', coverage.pictures)}"
    return here + ("" if coverage.pictures >= coverage.aim else f"; the wishes are those of a set of {coverage.aim}")


def shopping_list(coverage: Coverage) -> list[str]:
    """What to take, the most needed first: what is missing altogether before what is missing in part."""
    missing = [one for one in coverage.haves if one.ask]
    return [one.ask for one in sorted(missing, key=lambda one: -one.missing / one.want)]


def too_many(coverage: Coverage) -> list[str]:
    """Of what there is too much, the fullest first."""
    crowded = sorted((one for one in coverage.haves if one.over), key=lambda one: -one.over)
    return [_too_many(one, coverage.pictures) for one in crowded]


def _too_many(one: Have, pictures: int) -> str:
    what = f"{slots()[one.slots[-1]].name}: {one.values[0][0]}" if one.values else one.name
    crowd = one.values[0][1] if one.values else one.have
    return f"{what}, in {crowd} of {pictures} pictures; {one.most} are enough: add others, or leave some out"


def constancies(coverage: Coverage) -> list[str]:
    """The free traits that hardly vary."""
    return [
        f"{slots()[one.slot].name}: {one.value}, in "
        + (f"all {one.count} pictures" if one.count == coverage.pictures else f"{one.count} of {one.known}")
        for one in coverage.constant
    ]


def not_told(coverage: Coverage) -> list[str]:
    """What cannot be told, by the traits that too few sources saw."""
    by_slots: dict[tuple[str, ...], list[Have]] = {}
    for one in coverage.haves:
        if not one.told:
            by_slots.setdefault(one.slots, []).append(one)
    return [_not_told(slot_ids, group, coverage.pictures) for slot_ids, group in by_slots.items()]


def _not_told(slot_ids: Sequence[str], group: Sequence[Have], pictures: int) -> str:
    names = join([slots()[slot_id].name for slot_id in slot_ids])
    blind = max(len(one.perhaps) for one in group)
    unmeasured = blind == pictures and all(slots()[slot_id].geometry for slot_id in slot_ids)
    where = "" if blind == pictures else f" in {blind} of {pictures} pictures"
    who = "measuring, a vision model or your captions" if unmeasured else "a vision model or your captions"
    return f"{join([one.name for one in group])}: no source saw {names}{where}; {who} can tell"


def unplaced(coverage: Coverage) -> list[str]:
    """The pictures that the matrix has no place for, and those that do not count."""
    lines = [
        f"{len(paths)} {plural('picture', len(paths))}: {slots()[slot_id].name} not known"
        for slot_id, paths in coverage.unknown.items()
        if paths
    ]
    if coverage.left_out:
        more = len(coverage.left_out) - _NAMED
        named = [*coverage.left_out[:_NAMED], *([f"{more} more"] if more > 0 else [])]
        lines.append(f"{join(named)}: not counted, since the subject seems to play somebody else")
    return lines
