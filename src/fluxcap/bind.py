"""The plan: for the whole set, which traits belong to the subject (bound) and which are said (free). Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from fluxcap.errors import UsageError
from fluxcap.spread import Spread, Traits, attribute_of, attribute_spread, spread
from fluxcap.thinking import thinking
from fluxcap.types import Binding, Decider, Decision, Part, Trait
from fluxcap.vocabulary import (
    Attribute,
    Piece,
    Slot,
    canonical,
    clashes,
    is_silent,
    near,
    pieces,
    presets,
    same,
    slots,
    value_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """The person's word: what to bind, free, or leave to the set, and the usual values they named.

    A wish names a slot ('hair'), an attribute of it ('hair.color') or one value ('makeup=red lipstick'). ``usual`` goes by slot.
    """

    bound: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    auto: frozenset[str] = frozenset()
    usual: Mapping[str, str] | None = None

    def of(self, name: str) -> Literal["bound", "free", "auto"] | None:
        """What the person wishes for this name, if anything."""
        return "bound" if name in self.bound else "free" if name in self.free else "auto" if name in self.auto else None

    def values(self, slot_id: str) -> Iterator[tuple[str, Decision]]:
        """The values of a slot that are bound or free by themselves."""
        for decision, names in (("bound", self.bound), ("free", self.free)):
            for name in sorted(names):
                of, sign, value = name.partition("=")
                if sign and of.strip() == slot_id:
                    yield value.strip(), decision  # type: ignore[misc]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What becomes of one trait of one picture, and why, in words.

    ``value`` and ``tags`` are what is said, where something is. ``deviation``: bound, but clearly different here.
    """

    slot: str
    outcome: Literal["said", "left out", "unknown", "silent"]
    reason: str
    deviation: bool = False
    value: str = ""
    tags: tuple[str, ...] = ()


def bind(pictures: Sequence[Traits], preset: str, wish: Wish | None = None) -> Mapping[str, Binding]:
    """Decide every slot: the preset first, then the set's own statistics (auto), then the person, in rising order.

    A slot with attributes is decided attribute by attribute where it is left to the set. Raises ``UsageError`` for an unknown preset.
    """
    if preset not in presets():
        raise UsageError(f"{preset} is not a preset", f"known presets: {', '.join(presets())}")
    wish = wish or Wish()
    return {slot_id: _decide(row, pictures, preset, wish) for slot_id, row in slots().items()}


def judge(traits: Traits, bindings: Mapping[str, Binding]) -> Mapping[str, Verdict]:
    """Slot id -> what becomes of it in this picture, in caption order."""
    return {slot_id: _judge(slot_id, traits.get(slot_id), bindings[slot_id]) for slot_id in slots()}


def to_say(verdicts: Mapping[str, Verdict]) -> Mapping[str, str]:
    """Slot id -> value, for what the caption says."""
    return {slot_id: verdict.value for slot_id, verdict in verdicts.items() if verdict.outcome == "said"}


def _decide(row: Slot, pictures: Sequence[Traits], preset: str, wish: Wish) -> Binding:
    seen = spread(row.id, pictures)
    wished, by, why = _by_whom(row.id, row.default_for(preset), preset, wish)
    parts: tuple[Part, ...] = ()
    default: Decision = "bound" if wished == "bound" else "free"
    if wished == "auto":
        by = "set" if by == "preset" else by
        default, why = _by_the_set(seen)
        if row.attribute and seen is not None:
            parts = tuple(_attributes(row, pictures, None, by, default))
            bound = [part for part in parts if part.decision == "bound"]
            default = "bound" if parts and len(bound) == len(parts) else "free"
            if bound:
                varied = [part for part in parts if part.decision == "free"]
                why = "the same nearly everywhere: " + ", ".join(part.reason for part in bound)
                why += f"; it varies: {', '.join(part.reason for part in varied)}" if varied else ""
            else:
                parts = ()
    elif default == "bound" and row.attribute:
        parts = tuple(_attributes(row, pictures, "bound", by))
    if preset == "likeness" and by == "preset":
        seen, parts = (
            None,
            (),
        )  # nothing but trigger and class word is said, so nothing is usual that a picture could depart from
    value, tags = _usual_value(row, seen, parts, wish, default)
    if parts and wish.usual and row.id in wish.usual:
        parts = tuple(_as_told(row.id, part, value or "") for part in parts)
    return Binding(
        slot=row.id,
        decision=default,
        value=value,
        tags=tags,
        reason=why,
        by=by,
        parts=(*_values(row.id, wish), *_named(row, parts, pictures, wish)),
    )


def _by_whom(name: str, default: str, preset: str, wish: Wish) -> tuple[str, Decider, str]:
    wished = wish.of(name)
    return (wished, "person", "you decided so") if wished else (default, "preset", f"the preset {preset} says so")


def _by_the_set(seen: Spread | None) -> tuple[Decision, str]:
    limit = thinking()
    if seen is None:
        return "free", "nobody saw it in any picture"
    if seen.known < limit.auto_known:
        return "free", f"known in {seen.known} only, too few to call it constant: {seen.usually}"
    if seen.share >= limit.auto_share:
        return "bound", f"the same nearly everywhere: {seen.usually}"
    return "free", f"it varies: {seen.usually}"


def _attributes(
    row: Slot, pictures: Sequence[Traits], decided: Decision | None, by: Decider, whole: Decision = "free"
) -> Iterator[Part]:
    """The attributes of a slot that are known: decided as the slot is, or (None) each by its own statistics.

    One that is known too seldom goes with what the statistics of the whole slot say.
    """
    for attribute in row.attribute:
        seen = attribute_spread(row.id, attribute, pictures)
        if seen is None and (decided is None or attribute.unseen != "none"):
            continue
        decision = decided or (whole if seen and seen.known < thinking().auto_known else _by_the_set(seen)[0])
        usual = _usual_of(attribute, seen, len(pictures)) if decision == "bound" else (None, ())
        reason = seen.usually if seen else f"no {attribute.name}"
        yield Part(attribute=attribute.id, decision=decision, value=usual[0], tags=usual[1], reason=reason, by=by)


def _usual_of(attribute: Attribute, seen: Spread | None, pictures: int) -> tuple[str | None, tuple[str, ...]]:
    """What is usual of a bound attribute: a value, '' for nothing of the kind, or None where nothing is."""
    limit = thinking()
    known = seen.known if seen else pictures if attribute.unseen == "none" else 0
    if known < limit.auto_known:
        return None, ()
    if seen is None or len(seen.without) >= limit.auto_share * known:
        return "", ()
    return (seen.usual.value, seen.usual.tags) if seen.share >= limit.usual_share else (None, ())


def _as_told(slot_id: str, part: Part, usual: str) -> Part:
    """A part whose usual value is that of the value which the person named; an attribute it does not tell has none."""
    value, tags = value_of(slot_id, [one for one in pieces(slot_id, usual) if one.attribute == part.attribute])
    return replace(part, value=value or None, tags=tags) if part.decision == "bound" else part


def _values(slot_id: str, wish: Wish) -> Iterator[Part]:
    for value, decision in wish.values(slot_id):
        settled, tags = canonical(slot_id, value)
        yield Part(attribute="", decision=decision, value=settled, tags=tags, reason="you decided so", by="person")


def _named(row: Slot, parts: Sequence[Part], pictures: Sequence[Traits], wish: Wish) -> Iterator[Part]:
    """The parts, with the attributes that the person decided by name."""
    mine = {part.attribute: part for part in parts}
    for attribute in row.attribute:
        wished = wish.of(f"{row.id}.{attribute.id}")
        if wished is None:
            if attribute.id in mine:
                yield mine[attribute.id]
            continue
        one = replace(row, attribute=(attribute,))
        chosen = None if wished == "auto" else wished
        found = next(_attributes(one, pictures, chosen, "person"), None)
        if found is not None:
            yield found
        elif chosen is not None:
            yield Part(
                attribute=attribute.id, decision=chosen, value=None, tags=(), reason="you decided so", by="person"
            )


def _usual_value(
    row: Slot, seen: Spread | None, parts: Sequence[Part], wish: Wish, decision: str
) -> tuple[str | None, tuple[str, ...]]:
    if wish.usual and row.id in wish.usual and decision == "bound":
        return canonical(row.id, wish.usual[row.id])
    told = [piece for part in parts if part.value for piece in pieces(row.id, part.value)]
    if told:
        return value_of(row.id, told)
    if decision == "free":
        return None, ()
    limit = thinking()
    if seen is None or seen.share < limit.usual_share or seen.known < limit.auto_known:
        return None, ()
    return seen.usual.value, seen.usual.tags


def _judge(slot_id: str, trait: Trait | None, binding: Binding) -> Verdict:
    if trait is None:
        return Verdict(slot=slot_id, outcome="unknown", reason="no source saw it, so nothing is said")
    if binding.parts:
        return _judge_parts(trait, binding)
    if binding.decision == "free":
        if is_silent(slot_id, trait.value):
            return Verdict(slot=slot_id, outcome="silent", reason="free, and saying nothing says it")
        reason = f"free ({binding.reason}): said, so that it can be prompted"
        return Verdict(slot=slot_id, outcome="said", reason=reason, value=trait.value, tags=trait.tags)
    if _deviates(trait, binding.value, binding.tags):
        if is_silent(slot_id, trait.value):
            reason = f"bound, usually {binding.value}, but clearly different here; saying nothing says it"
            return Verdict(slot=slot_id, outcome="silent", reason=reason, deviation=True)
        reason = f"bound, usually {binding.value}, but clearly different here: said"
        return Verdict(slot=slot_id, outcome="said", reason=reason, deviation=True, value=trait.value, tags=trait.tags)
    return Verdict(slot=slot_id, outcome="left out", reason=f"bound ({binding.reason}): the trigger word absorbs it")


def _judge_parts(trait: Trait, binding: Binding) -> Verdict:
    """What is said of a trait some of whose parts are bound and some free: only what is free, or clearly different here."""
    by_attribute = {part.attribute: part for part in binding.parts if part.attribute}
    off = {
        name
        for name, part in by_attribute.items()
        if part.decision == "bound"
        and (mine := attribute_of(trait, name)) is not None
        and _deviates(mine, part.value, part.tags)
    }
    kept: list[Piece] = []
    left: list[Piece] = []
    for piece in pieces(trait.slot, trait.value):
        value, tags = value_of(trait.slot, [piece])
        part = next(
            (
                one
                for one in binding.parts
                if not one.attribute and one.value and same(trait.slot, value, tags, one.value, one.tags)
            ),
            by_attribute.get(piece.attribute),
        )
        decision = part.decision if part else binding.decision
        different = part is not None and bool(part.attribute) and part.attribute in off
        says = decision == "free" or different or (bool(off) and piece.place == "noun")
        (kept if says else left).append(piece)
    if not kept:
        reason = f"bound ({binding.reason}): the trigger word absorbs it"
        return Verdict(slot=trait.slot, outcome="left out", reason=reason)
    value, tags = (trait.value, trait.tags) if not left else value_of(trait.slot, kept)
    if not value:
        return Verdict(slot=trait.slot, outcome="left out", reason=f"bound ({binding.reason}): nothing else is known")
    if off:
        reason = f"bound, usually {binding.value or 'nothing of the kind'}, but clearly different here: said"
    else:
        gone = f"; bound, so left out: {', '.join(piece.text for piece in left)}" if left else ""
        reason = f"free ({binding.reason}): said, so that it can be prompted{gone}"
    return Verdict(slot=trait.slot, outcome="said", reason=reason, deviation=bool(off), value=value, tags=tags)


def _deviates(trait: Trait, usual: str | None, tags: Sequence[str]) -> bool:
    """Clearly different: strong evidence, and neither the same as the usual value nor its neighbour.

    What one source alone says against another is not clear; two that agree against one are.
    """
    if usual is None or trait.confidence < thinking().deviation_from or (trait.conflict and len(trait.sources) < 2):
        return False
    if usual == "":
        return True
    if same(trait.slot, trait.value, trait.tags, usual, tags) or near(trait.slot, trait.value, usual):
        return False
    return clashes(trait.slot, trait.value, trait.tags, usual, tags) or not set(trait.tags) & set(tags)
