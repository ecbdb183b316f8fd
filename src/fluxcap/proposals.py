"""The plan in plain words: what the set shows of each trait, what was decided, where it differs, and what else could be done. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fluxcap.bind import Verdict
from fluxcap.english import join, spoken
from fluxcap.spread import Spread, Traits, attribute_spread, constant, spread, tag_counts
from fluxcap.thinking import thinking
from fluxcap.types import Binding, Decider, Decision
from fluxcap.vocabulary import Slot, slots

_SHOWN = 3
"""Values of a trait that a reason names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """How a trait, or one attribute of it, spreads over the set.

    ``known`` of ``of`` pictures know it; ``values`` are value and count, the most common first, values that say the same together;
    ``without`` counts pictures that have nothing of the kind. ``constancy`` is the share of the most common value, ``entropy`` in bits.
    """

    attribute: str
    known: int
    of: int
    values: tuple[tuple[str, int], ...]
    without: int
    constancy: float
    entropy: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One row of the plan.

    ``parts`` is attribute or value -> decision, where they are decided by themselves. ``deviations`` is value -> paths of the
    pictures in which a bound trait is clearly different. ``tags`` counts canonical tags. ``suggestion`` is what the person could do; it is never done by itself.
    """

    slot: str
    decision: Decision
    by: Decider
    usual: str | None
    reason: str
    parts: Mapping[str, Decision]
    deviations: Mapping[str, tuple[str, ...]]
    statistics: tuple[Statistic, ...]
    tags: Mapping[str, int]
    suggestion: str = ""


def proposals(
    pictures: Mapping[str, Traits], bindings: Mapping[str, Binding], judged: Mapping[str, Mapping[str, Verdict]]
) -> list[Proposal]:
    """A row for every trait but the trigger word, in caption order. ``pictures`` and ``judged`` go by the picture's path."""
    return [
        _proposal(row, pictures, bindings[row.id], judged) for row in slots().values() if row.id not in ("trigger",)
    ]


def _proposal(
    row: Slot, pictures: Mapping[str, Traits], binding: Binding, judged: Mapping[str, Mapping[str, Verdict]]
) -> Proposal:
    traits = list(pictures.values())
    whole = spread(row.id, traits)
    by_attribute = {
        one.id: seen for one in row.attribute if (seen := attribute_spread(row.id, one, traits)) is not None
    }
    deviations: dict[str, list[str]] = {}
    for path, verdicts in judged.items():
        if verdicts[row.id].deviation:
            deviations.setdefault(pictures[path][row.id].value, []).append(path)
    parts = {part.attribute or part.value or "": part.decision for part in binding.parts}
    reason = "; ".join(
        [f"{_facts(row, whole, by_attribute, binding)}: {_decided(row, binding)}", *_elsewhere(deviations)]
    )
    return Proposal(
        slot=row.id,
        decision=binding.decision,
        by=binding.by,
        usual=binding.value,
        reason=reason,
        parts=parts,
        deviations={value: tuple(paths) for value, paths in deviations.items()},
        statistics=tuple(_statistic(seen, len(traits)) for seen in (whole, *by_attribute.values()) if seen),
        tags=tag_counts(row.id, traits),
        suggestion=_suggestion(row, whole, binding, len(traits)),
    )


def _facts(row: Slot, whole: Spread | None, by_attribute: Mapping[str, Spread], binding: Binding) -> str:
    if whole is None:
        return "nobody saw it"
    told = [by_attribute[part.attribute] for part in binding.parts if part.attribute in by_attribute]
    if told:
        return ", ".join(seen.usually for seen in told)
    first, *more = whole.values[:_SHOWN]
    values = [
        f"{spoken(first.value)} in {first.count} of {whole.known}",
        *(f"{spoken(one.value)} in {one.count}" for one in more),
    ]
    rest = len(whole.values) - len(values)
    return ", ".join(values) + (f", {rest} more" if rest else "")


def _decided(row: Slot, binding: Binding) -> str:
    """'bound', 'said (you decided so)', or what of it is bound and what is said."""
    deciders = {binding.by, *(part.by for part in binding.parts)}
    who = " (you decided so)" if "person" in deciders else " (the preset says so)" if "preset" in deciders else ""
    names = {one.id: one.name for one in row.attribute}
    bound = [names.get(p.attribute) or p.value or "" for p in binding.parts if p.decision == "bound"]
    said = [names.get(p.attribute) or p.value or "" for p in binding.parts if p.decision == "free"]
    if binding.decision == "free" and bound:
        return f"{join(bound)} bound, {join(said) if said else 'the rest'} said{who}"
    if binding.decision == "bound" and said:
        return f"bound, but {join(said)} said{who}"
    return ("bound" if binding.decision == "bound" else "said") + who


def _elsewhere(deviations: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for value, paths in deviations.items():
        yield f"{len(paths)} picture{'s' if len(paths) > 1 else ''} with {spoken(value)}: said there"


def _suggestion(row: Slot, seen: Spread | None, binding: Binding, pictures: int) -> str:
    """What the person could decide otherwise, where they have not decided and the set speaks for it."""
    limit = thinking()
    if seen is None or binding.by == "person" or row.id in ("medium", "subject"):
        return ""
    if binding.decision == "free" and binding.parts:
        return ""
    widely = seen.known >= limit.auto_known
    if binding.decision == "bound" and widely and seen.share < limit.usual_share and not binding.parts:
        return f"it varies; to be able to prompt it: --free {row.id}"
    if binding.decision == "free" and constant([seen], pictures):
        own = row.place in ("opening", "worn")  # a place or a view belongs to no subject
        return "add pictures that differ" + (f", or leave it to the subject: --bound {row.id}" if own else "")
    return ""


def _statistic(seen: Spread, of: int) -> Statistic:
    return Statistic(
        attribute=seen.attribute,
        known=seen.known,
        of=of,
        values=tuple((value.value, value.count) for value in seen.values),
        without=len(seen.without),
        constancy=round(seen.share, 4),
        entropy=round(seen.entropy, 4),
    )
