"""What vision models answered about a set -> evidence, and what was not believed of it. No model is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from fluxcap.codec import decode_json
from fluxcap.errors import UsageError
from fluxcap.hearing import Heard, hear, hear_prose, one_answer_for_many
from fluxcap.translate import ANSWER, PROSE
from fluxcap.types import Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Listened:
    """Evidence by the picture's id, with what the answers say.

    ``refused`` counts what was not believed, by reason; ``alike`` are the pictures whose whole answer was that of many others.
    """

    evidence: dict[str, tuple[Evidence, ...]]
    refused: Mapping[str, int]
    alike: frozenset[str]


def listen(
    evidence: Mapping[str, Sequence[Evidence]],
    *,
    names: Sequence[str] = (),
    class_word: bool = True,
    model: str | None = None,
) -> Listened:
    """Put what the answers say beside them, trait by trait.

    ``names`` may be said. Where the class word is known, an answer's word for the subject is not heard. ``model`` is the one
    whose answers count (None: every one's).
    """
    alike = _alike(evidence)
    refused: Counter[str] = Counter()
    found: dict[str, tuple[Evidence, ...]] = {}
    for image_id, claims in evidence.items():
        told: list[Evidence] = []
        for claim in claims:
            if claim.slot not in (ANSWER, PROSE):
                told.append(claim)
                continue
            told.append(claim)  # whether the picture may be used hangs on every word of it
            if model is not None and claim.source != f"vlm:{model}":
                continue
            if image_id in alike:
                refused["the same answer for many pictures"] += 1
                continue
            heard = _heard(claim, tuple(names))
            told += [one for one in heard.evidence if one.slot != "subject" or not class_word]
            refused.update(one.reason for one in heard.refused)
        found[image_id] = tuple(told)
    return Listened(evidence=found, refused=dict(refused), alike=alike)


def _alike(evidence: Mapping[str, Sequence[Evidence]]) -> frozenset[str]:
    by_source: dict[str, dict[str, Mapping[str, object]]] = {}
    for image_id, claims in evidence.items():
        for claim in claims:
            if claim.slot == ANSWER:
                by_source.setdefault(claim.source, {})[image_id] = _values(claim.value)
    return frozenset(image_id for answers in by_source.values() for image_id in one_answer_for_many(answers))


@lru_cache(maxsize=4096)
def _heard(claim: Evidence, names: tuple[str, ...]) -> Heard:
    if claim.slot == PROSE:
        return hear_prose(claim.value, image_id=claim.image_id, source=claim.source, allowed_names=names)
    return hear(_values(claim.value), image_id=claim.image_id, source=claim.source, allowed_names=names)


@lru_cache(maxsize=4096)
def _values(text: str) -> Mapping[str, object]:
    try:
        return decode_json(text, dict[str, object], "an answer")
    except UsageError:  # the store was edited by hand
        return {}
