"""What the set as a whole should be told: deviations, pictures that play somebody else, traits that never vary. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fluxcap.bind import Verdict
from fluxcap.english import spoken
from fluxcap.spread import Traits, constant, free_spreads, together
from fluxcap.thinking import thinking
from fluxcap.types import Binding, Issue
from fluxcap.vocabulary import plays_a_part, slots


def set_issues(
    pictures: Mapping[str, Traits], bindings: Mapping[str, Binding], judged: Mapping[str, Mapping[str, Verdict]]
) -> list[Issue]:
    """All findings. ``pictures`` and ``judged`` go by the picture's path."""
    limit = thinking()
    issues = [*_departures(pictures, bindings, judged)]
    free = free_spreads(pictures.values(), bindings)
    if same := constant(free, len(pictures)):
        what = "; ".join(f"{slots()[one.slot].name}: {one.usually}" for one in same)
        message = f"hardly varies, so the LoRA will bake it in although it is said: {what}. Add pictures that differ"
        issues.append(Issue(code="SET003", message=message, severity="warning"))
    for one in together(free):
        what = " and ".join(f"{spoken(value.value)} ({slots()[value.slot].name})" for value in one.values)
        message = f"always together, in {one.count} pictures: {what}; the LoRA cannot tell them apart: add pictures with one and not the other"
        issues.append(Issue(code="SET005", message=message, severity="note"))
    if 0 < len(pictures) < limit.few_pictures:
        message = f"{len(pictures)} pictures are few: 25 to 30 good ones are enough, fewer than {limit.few_pictures} seldom are"
        issues.append(Issue(code="SET004", message=message, severity="note"))
    return issues


def _departures(
    pictures: Mapping[str, Traits], bindings: Mapping[str, Binding], judged: Mapping[str, Mapping[str, Verdict]]
) -> Iterator[Issue]:
    """Pictures in which bound traits differ; several of them, or what one wears to play a part, and it is somebody else (P5)."""
    limit = thinking()
    played = _played(pictures)
    for path, verdicts in judged.items():
        traits = pictures[path]
        off = {
            slot_id: f"{slots()[slot_id].name}: {spoken(traits[slot_id].value)}, usually {_usual(bindings[slot_id])}"
            for slot_id, verdict in verdicts.items()
            if verdict.deviation
        }
        part = {slot_id: f"{slots()[slot_id].name}: {what}" for slot_id, what in played.get(path, {}).items()}
        image_id = next((trait.image_id for trait in traits.values()), None)
        if len({**part, **off}) >= limit.plays_somebody_else:
            what = "; ".join({**part, **off}.values())
            message = f"the subject seems to play somebody else here ({what}); drop the picture, or describe it fully"
            yield Issue(code="SET002", message=message, severity="warning", image_id=image_id, path=path)
            continue
        for slot_id in off:
            name, value, usual = slots()[slot_id].name, spoken(traits[slot_id].value), _usual(bindings[slot_id])
            message = f"{name}: {value} here, usually {usual}; describe it in this caption, or drop the picture"
            yield Issue(code="SET001", message=message, severity="note", image_id=image_id, path=path)


def _usual(binding: Binding) -> str:
    return spoken(binding.value or "nothing of the kind")


def _played(pictures: Mapping[str, Traits]) -> Mapping[str, Mapping[str, str]]:
    """Path -> slot -> value, of what is worn or painted on to play a part, where few pictures of the set have such a thing."""
    limit = thinking()
    found: dict[str, dict[str, str]] = {}
    for path, traits in pictures.items():
        for slot_id, trait in traits.items():
            if trait.confidence >= limit.deviation_from and not trait.conflict and plays_a_part(slot_id, trait.tags):
                found.setdefault(path, {})[slot_id] = trait.value
    if len(found) > (1 - limit.auto_share) * len(pictures):
        return {}
    return found
