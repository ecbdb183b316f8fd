"""Which caption to read first: reasons to look at each one, and the captions in the order of their weight. Pure."""

from __future__ import annotations

import statistics
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from typing import Literal

from fluxcap.english import join, spoken
from fluxcap.spread import spread
from fluxcap.think import PictureThought, Thought
from fluxcap.thinking import thinking
from fluxcap.types import Trait
from fluxcap.vocabulary import slots

Kind = Literal["issue", "conflict", "unsure", "deviation", "unlike"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why a caption should be looked at, in words. ``weight`` says how much it counts, against the others."""

    kind: Kind
    text: str
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One caption with its reasons, the weightiest first. ``weight`` is their sum."""

    path: str
    text: str
    author: str
    reasons: tuple[Reason, ...]

    @property
    def weight(self) -> float:
        """How much speaks for looking at it, against the others."""
        return sum(reason.weight for reason in self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """What each reason counts (``data/limits.toml``, table ``review``)."""

    error: float
    warning: float
    note: float
    conflict_said: float
    conflict_unsaid: float
    deviation: float
    unsure: float
    unsure_below: float
    unlike: float
    usual_length: float


@lru_cache(maxsize=1)
def weights() -> Weights:
    """The weights in use."""
    text = resources.files("fluxcap").joinpath("data", "limits.toml").read_text(encoding="utf-8")
    return Weights(**tomllib.loads(text)["review"])


def queue(thought: Thought) -> list[Review]:
    """Every caption, the one with most against it first; equal ones in the order of the set."""
    siblings = _Siblings.of(thought.pictures)
    reviews = [
        Review(
            path=picture.image.path,
            text=picture.text,
            author=picture.author,
            reasons=_weighed([*_issues(picture), *_traits(picture), *siblings.unlike(picture)]),
        )
        for picture in thought.pictures
    ]
    return sorted(reviews, key=lambda one: -one.weight)


def _weighed(found: Sequence[tuple[str, Reason]]) -> tuple[Reason, ...]:
    """The reasons, the weightiest first; of several for the same cause the second counts half, the third a third."""
    told: Counter[str] = Counter()
    weighed: list[Reason] = []
    for cause, reason in sorted(found, key=lambda one: -one[1].weight):
        told[cause] += 1
        weighed.append(replace(reason, weight=round(reason.weight / told[cause], 3)))
    return tuple(sorted(weighed, key=lambda reason: -reason.weight))


def _issues(picture: PictureThought) -> Iterator[tuple[str, Reason]]:
    for issue in picture.issues:
        if issue.code != "SET001":  # told as a deviation
            weight = float(getattr(weights(), issue.severity))
            yield issue.code, Reason(kind="issue", text=f"{issue.code} {issue.message}", weight=weight)


def _traits(picture: PictureThought) -> Iterator[tuple[str, Reason]]:
    """Sources that contradict each other, departures from the usual, and weak evidence."""
    count = weights()
    for slot_id, verdict in picture.verdicts.items():
        trait = picture.traits.get(slot_id)
        if trait is None:
            continue
        told, said = f"{slots()[slot_id].name}: {spoken(trait.value)}", verdict.outcome == "said"
        if trait.conflict:
            text = f"{told}, but {spoken(' and '.join(trait.conflict))}"
            weight = count.conflict_said if said else count.conflict_unsaid
            yield "conflict", Reason(kind="conflict", text=text, weight=weight)
        if verdict.deviation:
            yield "deviation", Reason(kind="deviation", text=f"{told}, unlike the usual", weight=count.deviation)
        elif said and trait.confidence < count.unsure_below and not (picture.kept or _of_settings(trait)):
            text = f"{told}, only {trait.confidence:.0%} sure"
            yield "unsure", Reason(kind="unsure", text=text, weight=count.unsure)


def _of_settings(trait: Trait) -> bool:
    """Whether the person said it of every picture, in the settings."""
    return all(source.startswith("settings:") for source in trait.sources)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Siblings:
    """What the captions of a set have in common: their length in words, what nearly all say, and who says something else."""

    median: float
    spread: float
    common: tuple[str, ...]
    odd: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, pictures: Sequence[PictureThought]) -> _Siblings:
        limit = thinking()
        if len(pictures) < limit.auto_known:
            return cls(median=0, spread=0, common=(), odd={})
        lengths = [len(one.text.split()) for one in pictures]
        median = statistics.median(lengths)
        said = Counter(slot_id for one in pictures for slot_id, v in one.verdicts.items() if v.outcome == "said")
        common = tuple(slot_id for slot_id in slots() if said[slot_id] >= limit.auto_share * len(pictures))
        odd: dict[str, frozenset[str]] = {}
        for slot_id in common:
            seen = spread(slot_id, [one.traits for one in pictures])
            if seen is not None and seen.share >= limit.auto_share and slots()[slot_id].place != "tail":
                odd[slot_id] = frozenset(pictures[n].image.path for n in seen.pictures - seen.usual.pictures)
        spread_of_lengths = statistics.median([abs(one - median) for one in lengths])
        return cls(median=median, spread=max(spread_of_lengths, 0.1 * median), common=common, odd=odd)

    def unlike(self, picture: PictureThought) -> Iterator[tuple[str, Reason]]:
        """Much longer or shorter, unknown in what nearly all others tell, or with a value of its own."""
        weight = weights().unlike
        words = len(picture.text.split())
        if abs(words - self.median) > weights().usual_length * self.spread:
            than = "longer" if words > self.median else "shorter"
            text = f"{words} words, much {than} than the others (about {self.median:.0f})"
            yield "length", Reason(kind="unlike", text=text, weight=weight)
        names = [slots()[s].name for s in self.common if picture.verdicts[s].outcome == "unknown"]
        if names:
            text = f"nothing is known of {join(names)}, which nearly all others tell"
            yield "unknown", Reason(kind="unlike", text=text, weight=weight * len(names) / len(self.common))
        for slot_id, paths in self.odd.items():
            if picture.image.path in paths and not picture.verdicts[slot_id].deviation:
                text = f"{slots()[slot_id].name}: {spoken(picture.traits[slot_id].value)}, unlike nearly all others"
                yield "odd", Reason(kind="unlike", text=text, weight=weight)
