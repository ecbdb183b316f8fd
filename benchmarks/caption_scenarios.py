"""Sets, presets and scenarios of ``what_to_caption.py``: which subject, who looks at the pictures, and how well."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labelled import Labelled
from one_subject import Kind, Pool, corrupted

from fluxcap.types import Evidence
from fluxcap.vocabulary import slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source of evidence: its name, confidence, and the share of its values that are wrong. ``geometry``: it sees nothing else."""

    name: str
    confidence: float
    wrong: float = 0.0
    geometry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """Who looks at the pictures, and how well."""

    name: str
    title: str
    sources: tuple[Source, ...]

    @property
    def errs(self) -> bool:
        return any(source.wrong for source in self.sources)


def _three(vlm: float, tagger: float = 0.0, sidecar: float = 0.0) -> tuple[Source, ...]:
    return (
        Source(name="vlm:one", confidence=0.8, wrong=vlm),
        Source(name="tagger:two", confidence=0.7, wrong=tagger),
        Source(name="sidecar:three", confidence=0.7, wrong=sidecar),
    )


def _measured(vlm: float, measure: float) -> tuple[Source, ...]:
    return (
        Source(name="vlm:one", confidence=0.8, wrong=vlm),
        Source(name="sidecar:two", confidence=0.7),
        Source(name="measure:three", confidence=0.9, wrong=measure, geometry=True),
    )


CLEAN = Scenario(name="clean", title="one source, no errors", sources=(Source(name="vlm:one", confidence=0.8),))
THREE = Scenario(name="three-10", title="three sources, 10 % errors in the surest", sources=_three(0.1))
SCENARIOS = (
    CLEAN,
    Scenario(name="one-10", title="one source, 10 % errors", sources=_three(0.1)[:1]),
    Scenario(name="one-20", title="one source, 20 % errors", sources=_three(0.2)[:1]),
    THREE,
    Scenario(name="three-20", title="three sources, 20 % errors in the surest", sources=_three(0.2)),
    Scenario(name="all-10", title="three sources, 10 % errors in each", sources=_three(0.1, 0.1, 0.1)),
    Scenario(
        name="vlm-10", title="two sources and a measurement, 10 % errors in the model", sources=_measured(0.1, 0.0)
    ),
    Scenario(
        name="measure-10",
        title="two sources and a measurement, 10 % errors in the measurement",
        sources=_measured(0.0, 0.1),
    ),
)
"""Errors of several sources are drawn apart from one another. For view, framing, gaze, eyes, mouth and camera height a measurement beats
the models by design: its errors in them pass ('measure-10')."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """A set of pictures and the preset it is captioned with."""

    name: str
    kind: Kind
    preset: str
    class_word: str


SETS = (
    Set(name="person", kind="person", preset="person", class_word="person"),
    Set(name="character", kind="character", preset="character", class_word="person"),
    Set(name="style", kind="style", preset="style", class_word=""),
    Set(name="labels, person", kind="labels", preset="person", class_word="person"),
    Set(name="labels, character", kind="labels", preset="character", class_word="person"),
    Set(name="labels, style", kind="labels", preset="style", class_word=""),
)


def observe(
    pictures: Sequence[Labelled], sources: Iterable[Source], values: Pool, rng: random.Random
) -> tuple[list[list[Evidence]], list[dict[str, list[str]]]]:
    """What the sources say of each picture, and by picture the wrong values among it, by slot."""
    said: list[list[Evidence]] = [[] for _ in pictures]
    wrong: list[dict[str, list[str]]] = [{} for _ in pictures]
    for source in sources:
        seen = corrupted(pictures, source.wrong, values, rng) if source.wrong else pictures
        for place, (true, told) in enumerate(zip(pictures, seen, strict=True)):
            claims = told.evidence(source.name, source.confidence)
            said[place] += [one for one in claims if slots()[one.slot].geometry or not source.geometry]
            for one in said[place]:
                if one.source == source.name and told.values[one.slot] != true.values[one.slot]:
                    wrong[place].setdefault(one.slot, []).append(one.value)
    return said, wrong
