"""Evidence of one picture -> its traits: what the sources agree on, or a conflict. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from fluxcap.thinking import thinking
from fluxcap.types import Evidence, Trait
from fluxcap.vocabulary import Slot, is_nothing, same, slots


def resolve(evidence: Iterable[Evidence]) -> Mapping[str, Trait]:
    """Slot id -> what is known, in caption order; a trait below ``assert_from`` is not known.

    A person's word beats all. Where geometry decides (view, framing, gaze, eyes, mouth, camera height), a measurement beats
    the models. That there is nothing ('none') is believed of persons and measurements only. Else sources that say the same add up (1 - product of their doubts) and the strongest group wins.
    """
    by_slot: dict[str, list[Evidence]] = {}
    for claim in evidence:
        if is_nothing(claim.value) and not claim.source.startswith(("human", "measure")):
            continue
        by_slot.setdefault(claim.slot, []).append(claim)
    found = {slot_id: _settle(row, by_slot[slot_id]) for slot_id, row in slots().items() if slot_id in by_slot}
    return {slot_id: trait for slot_id, trait in found.items() if trait is not None}


def _settle(row: Slot, claims: Sequence[Evidence]) -> Trait | None:
    groups = _groups(row, claims)
    weights = {id(group): _weight(group) for group in groups}

    def rank(group: list[Evidence]) -> tuple[bool, bool, float]:
        kinds = {claim.source.split(":", 1)[0] for claim in group}
        measured = row.geometry and any(
            c.source.startswith("measure") and c.confidence >= thinking().assert_from for c in group
        )
        return "human" in kinds, measured, weights[id(group)]

    groups.sort(key=rank, reverse=True)
    best, rest = groups[0], groups[1:]
    confidence = weights[id(best)]
    if confidence < thinking().assert_from:
        return None
    speaker = max(best, key=lambda claim: (claim.source.startswith("human"), claim.confidence, len(claim.value)))
    if is_nothing(speaker.value):
        return None
    value, tags = _added_up(row, speaker, claims)
    against = [] if row.many or rank(best)[0] else [g for g in rest if weights[id(g)] >= thinking().conflict_from]
    return Trait(
        image_id=speaker.image_id,
        slot=row.id,
        value=value,
        tags=tags,
        confidence=round(confidence, 3),
        sources=tuple(dict.fromkeys(claim.source for claim in best)),
        conflict=tuple(f"{g[0].value} ({', '.join(dict.fromkeys(c.source for c in g))})" for g in against),
    )


def _added_up(row: Slot, speaker: Evidence, claims: Sequence[Evidence]) -> tuple[str, tuple[str, ...]]:
    """What the speaker says of a slot of several things, in all its claims: 'white shirt' and 'red tie' are both worn."""
    if not row.many:
        return speaker.value, speaker.tags
    more = [
        claim
        for claim in claims
        if claim.source == speaker.source
        and claim is not speaker
        and claim.confidence >= thinking().assert_from
        and not is_nothing(claim.value)
        and not same(row.id, claim.value, claim.tags, speaker.value, speaker.tags)
    ]
    more.sort(key=lambda claim: (-claim.confidence, claim.value))
    values = dict.fromkeys((speaker.value, *(claim.value for claim in more)))
    return ", ".join(values), tuple(dict.fromkeys((*speaker.tags, *(tag for claim in more for tag in claim.tags))))


def _groups(row: Slot, claims: Sequence[Evidence]) -> list[list[Evidence]]:
    """Claims that say the same, each joined to the first group whose strongest claim it matches."""
    groups: list[list[Evidence]] = []
    for claim in sorted(claims, key=lambda one: (-one.confidence, one.source, one.value)):
        for group in groups:
            if same(row.id, group[0].value, group[0].tags, claim.value, claim.tags):
                group.append(claim)
                break
        else:
            groups.append([claim])
    return groups


def _weight(group: Sequence[Evidence]) -> float:
    """Doubts multiply over independent sources; one source counts once, with its strongest claim."""
    best: dict[str, float] = {}
    for claim in group:
        best[claim.source] = max(best.get(claim.source, 0.0), claim.confidence)
    doubt = 1.0
    for confidence in best.values():
        doubt *= 1.0 - min(max(confidence, 0.0), 1.0)
    return 1.0 - doubt
