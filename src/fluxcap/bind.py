"""The plan: for the whole set, which traits belong to the subject (bound) and which are said (free). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from fluxcap.errors import UsageError
from fluxcap.spread import Spread, Traits, constant, free_spreads, spread, together
from fluxcap.thinking import thinking
from fluxcap.types import Binding, Issue, Trait
from fluxcap.vocabulary import Slot, canonical, clashes, is_silent, near, presets, same, slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The person's word: slots to bind, free, or leave to the set, and the usual values they named."""

    bound: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    auto: frozenset[str] = frozenset()
    usual: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one trait of one picture, and why, in words. ``deviation``: bound, but clearly different here."""

    slot: str
    outcome: Literal["said", "left out", "unknown", "silent"]
    reason: str
    deviation: bool = False


def bind(pictures: Sequence[Traits], preset: str, wish: Wish | None = None) -> Mapping[str, Binding]:
    """Decide every slot: the preset first, then the set's own statistics (auto), then the person, in rising order.

    Raises ``UsageError`` for an unknown preset.
    """
    if preset not in presets():
        raise UsageError(f"{preset} is not a preset", f"known presets: {', '.join(presets())}")
    wish = wish or Wish()
    return {slot_id: _decide(row, spread(slot_id, pictures), preset, wish) for slot_id, row in slots().items()}


def _decide(row: Slot, seen: Spread | None, preset: str, wish: Wish) -> Binding:
    default = row.default_for(preset)
    by: Literal["preset", "set", "person"] = "preset"
    for word, chosen in (("bound", wish.bound), ("free", wish.free), ("auto", wish.auto)):
        if row.id in chosen:
            default, by = word, "person"  # type: ignore[assignment]
    why = "you decided so" if by == "person" else f"the preset {preset} says so"
    if default == "auto":
        limit = thinking()
        constant = seen is not None and seen.known >= limit.auto_known and seen.share >= limit.auto_share
        by = "set" if by == "preset" else by
        default = "bound" if constant else "free"
        if seen is None:
            why = "nobody saw it in any picture"
        elif constant:
            why = f"the same nearly everywhere: {seen.usually}"
        elif seen.known < limit.auto_known:
            why = f"known in {seen.known} only, too few to call it constant: {seen.usually}"
        else:
            why = f"it varies: {seen.usually}"
    if preset == "likeness" and by == "preset":
        seen = None  # nothing but trigger and class word is said, so nothing is usual that a picture could depart from
    value, tags = _usual_value(row, seen, wish, default)
    return Binding(slot=row.id, decision=default, value=value, tags=tags, reason=why, by=by)


def _usual_value(row: Slot, seen: Spread | None, wish: Wish, decision: str) -> tuple[str | None, tuple[str, ...]]:
    if decision == "free":
        return None, ()
    if wish.usual and row.id in wish.usual:
        return canonical(row.id, wish.usual[row.id])
    limit = thinking()
    if seen is None or seen.share < limit.usual_share or seen.known < limit.auto_known:
        return None, ()
    return seen.usual.value, seen.usual.tags


def judge(traits: Traits, bindings: Mapping[str, Binding]) -> Mapping[str, Verdict]:
    """Slot id -> what becomes of it in this picture, in caption order."""
    return {slot_id: _judge(slot_id, traits.get(slot_id), bindings[slot_id]) for slot_id in slots()}


def to_say(traits: Traits, verdicts: Mapping[str, Verdict]) -> Mapping[str, str]:
    """Slot id -> value, for what the caption says."""
    return {slot_id: traits[slot_id].value for slot_id, verdict in verdicts.items() if verdict.outcome == "said"}


def _judge(slot_id: str, trait: Trait | None, binding: Binding) -> Verdict:
    if trait is None:
        return Verdict(slot=slot_id, outcome="unknown", reason="no source saw it, so nothing is said")
    if binding.decision == "free":
        if is_silent(slot_id, trait.value):
            return Verdict(slot=slot_id, outcome="silent", reason="free, and saying nothing says it")
        return Verdict(
            slot=slot_id, outcome="said", reason=f"free ({binding.reason}): said, so that it can be prompted"
        )
    if _deviates(trait, binding):
        if is_silent(slot_id, trait.value):
            reason = f"bound, usually {binding.value}, but clearly different here; saying nothing says it"
            return Verdict(slot=slot_id, outcome="silent", reason=reason, deviation=True)
        reason = f"bound, usually {binding.value}, but clearly different here: said"
        return Verdict(slot=slot_id, outcome="said", reason=reason, deviation=True)
    return Verdict(slot=slot_id, outcome="left out", reason=f"bound ({binding.reason}): the trigger word absorbs it")


def _deviates(trait: Trait, binding: Binding) -> bool:
    """Clearly different: strong evidence, no conflict, and neither the same as the usual value nor its neighbour."""
    if binding.value is None or trait.confidence < thinking().deviation_from or trait.conflict:
        return False
    if same(trait.slot, trait.value, trait.tags, binding.value, binding.tags):
        return False
    if near(trait.slot, trait.value, binding.value):
        return False
    return clashes(trait.slot, trait.value, trait.tags, binding.value, binding.tags) or not set(trait.tags) & set(
        binding.tags
    )


def set_issues(
    pictures: Mapping[str, Traits], bindings: Mapping[str, Binding], judged: Mapping[str, Mapping[str, Verdict]]
) -> list[Issue]:
    """What the set as a whole should be told: deviations, pictures that play somebody else, free traits that never vary.

    ``pictures`` and ``judged`` go by the picture's path.
    """
    limit = thinking()
    issues: list[Issue] = []
    for path, verdicts in judged.items():
        traits = pictures[path]
        off = [slot_id for slot_id, verdict in verdicts.items() if verdict.deviation]
        image_id = next((trait.image_id for trait in traits.values()), None)
        if len(off) >= limit.plays_somebody_else:
            what = "; ".join(f"{slots()[s].name}: {traits[s].value}, usually {bindings[s].value}" for s in off)
            message = f"the subject seems to play somebody else here ({what}); drop the picture, or describe it fully"
            issues.append(Issue(code="SET002", message=message, severity="warning", image_id=image_id, path=path))
        else:
            for slot_id in off:
                name, value = slots()[slot_id].name, traits[slot_id].value
                message = f"{name} is {value} here, usually {bindings[slot_id].value}; describe it in this caption, or drop the picture"
                issues.append(Issue(code="SET001", message=message, severity="note", image_id=image_id, path=path))
    free = free_spreads(pictures.values(), bindings)
    for seen in constant(free, len(pictures)):
        message = f"{slots()[seen.slot].name} hardly varies: {seen.usually}; the LoRA will bake it in although it is said: add pictures that differ"
        issues.append(Issue(code="SET003", message=message, severity="warning"))
    for one in together(free):
        what = " and ".join(f"{value.value} ({slots()[value.slot].name})" for value in one.values)
        message = f"always together, in {one.count} pictures: {what}; the LoRA cannot tell them apart: add pictures with one and not the other"
        issues.append(Issue(code="SET005", message=message, severity="note"))
    if 0 < len(pictures) < limit.few_pictures:
        message = f"{len(pictures)} pictures are few: 25 to 30 good ones are enough, fewer than {limit.few_pictures} seldom are"
        issues.append(Issue(code="SET004", message=message, severity="note"))
    return issues
