"""Which caption to read first: reasons to look at each one, and the captions in the order of their weight. Pure."""

from __future__ import annotations

import statistics
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Literal

from fluxcap.spread import spread
from fluxcap.think import PictureThought, Thought
from fluxcap.thinking import thinking
from fluxcap.types import Issue
from fluxcap.vocabulary import slot, slots

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
    siblings = _Siblings(thought.pictures)
    reviews = [
        Review(
            path=picture.image.path,
            text=picture.text,
            author=picture.author,
            reasons=tuple(sorted((*_seen(picture), *siblings.unlike(picture)), key=lambda one: -one.weight)),
        )
        for picture in thought.pictures
    ]
    return sorted(reviews, key=lambda one: -one.weight)


def _seen(picture: PictureThought) -> Iterator[Reason]:
    """What the picture itself gives: issues, sources that contradict each other, weak evidence, and departures."""
    count = weights()
    told: Counter[str] = Counter()
    for issue in picture.issues:
        if issue.code == "SET001":  # told as a deviation below
            continue
        told[issue.code] += 1
        yield Reason(kind="issue", text=_told(issue), weight=getattr(count, issue.severity) / told[issue.code])
    for slot_id, verdict in picture.verdicts.items():
        trait = picture.traits.get(slot_id)
        if trait is None:
            continue
        name, said = slots()[slot_id].name, verdict.outcome == "said"
        if trait.conflict:
            text = f"{name}: {trait.value}, but {' and '.join(trait.conflict)}"
            yield Reason(kind="conflict", text=text, weight=count.conflict_said if said else count.conflict_unsaid)
        if verdict.deviation:
            text = f"{name}: {trait.value}, unlike the usual"
            yield Reason(kind="deviation", text=text, weight=count.deviation)
        elif said and trait.confidence < count.unsure_below and not picture.kept:
            text = f"{name}: {trait.value}, only {trait.confidence:.0%} sure"
            yield Reason(kind="unsure", text=text, weight=count.unsure)


def _told(issue: Issue) -> str:
    return f"{issue.code} {issue.message}"


class _Siblings:
    """What the captions of a set have in common, to tell one that is unlike the others."""

    def __init__(self, pictures: Sequence[PictureThought]) -> None:
        self.pictures = len(pictures)
        self.lengths = [len(one.text.split()) for one in pictures]
        self.median = statistics.median(self.lengths) if self.lengths else 0.0
        self.spread = statistics.median([abs(one - self.median) for one in self.lengths]) if self.lengths else 0.0
        said = Counter(slot_id for one in pictures for slot_id, v in one.verdicts.items() if v.outcome == "said")
        limit = thinking()
        widely = max(limit.auto_known, limit.auto_share * self.pictures)
        self.common = [slot_id for slot_id in slots() if said[slot_id] >= widely]
        self.odd: Mapping[str, frozenset[int]] = {}
        self.place = {one.image.path: place for place, one in enumerate(pictures)}
        odd: dict[str, frozenset[int]] = {}
        for slot_id in self.common:
            seen = spread(slot_id, [one.traits for one in pictures])
            if seen is not None and seen.share >= limit.auto_share and slot(slot_id).place != "tail":
                odd[slot_id] = seen.pictures - seen.usual.pictures
        self.odd = odd

    def unlike(self, picture: PictureThought) -> Iterator[Reason]:
        """Much longer or shorter, silent about what nearly all others say, or the only one with another value."""
        weight = weights().unlike
        words = len(picture.text.split())
        if self.pictures >= thinking().auto_known:
            off = abs(words - self.median)
            if off > weights().usual_length * max(self.spread, 0.1 * self.median):
                than = "longer" if words > self.median else "shorter"
                text = f"{words} words, much {than} than the others (about {self.median:.0f})"
                yield Reason(kind="unlike", text=text, weight=weight)
        for slot_id in self.common:
            name = slots()[slot_id].name
            if picture.verdicts[slot_id].outcome == "unknown":
                text = f"{name}: not known here, said nearly everywhere else"
                yield Reason(kind="unlike", text=text, weight=weight / 2)
            elif self.place[picture.image.path] in self.odd.get(slot_id, frozenset()):
                text = f"{name}: {picture.traits[slot_id].value}, unlike nearly all others"
                yield Reason(kind="unlike", text=text, weight=weight)
