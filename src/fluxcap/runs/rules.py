"""What each trainer leaves behind (``data/runs.toml``), ready for use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from fluxcap.errors import UsageError

Pattern = re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Losses:
    """Which file holds the losses, in which format, under which key."""

    kind: str
    file: Pattern
    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """One trainer's; each is explained in ``data/runs.toml``."""

    checkpoints: tuple[Pattern, ...]
    final: Pattern | None
    metadata: Mapping[str, str]
    samples: tuple[Pattern, ...]
    step_zero: Pattern | None
    media: Pattern | None
    near: int
    bar: Pattern | None
    said: Pattern | None
    outer: Pattern | None
    line: Pattern | None
    loss: Pattern | None
    losses: Losses | None
    counts_rest: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Common:
    """What all trainers share: folders that are not looked into, tqdm's bar, and signs that steer a terminal."""

    skip: Pattern
    bar: Pattern
    control: Pattern


def rules(trainer: str) -> Rules:
    """The rules of a trainer; ``UsageError`` for one whose runs fluxcap cannot read."""
    data = _data()["trainer"]
    if trainer not in data:
        raise UsageError(f"fluxcap reads no runs of '{trainer}'", f"it reads those of: {', '.join(data)}")
    return _rules(data[trainer].get("same_as", trainer))


@lru_cache(maxsize=1)
def common() -> Common:
    """What all trainers share."""
    data = _data()
    return Common(
        skip=re.compile("|".join(data["walk"]["skip"])),
        bar=re.compile(data["console"]["bar"]),
        control=re.compile(data["console"]["control"]),
    )


@lru_cache
def _rules(name: str) -> Rules:
    given = _data()["trainer"][name]

    def pattern(key: str) -> Pattern | None:
        return re.compile(given[key]) if key in given else None

    losses = given.get("losses")
    return Rules(
        checkpoints=tuple(map(re.compile, given["checkpoints"])),
        final=pattern("final"),
        metadata=given.get("metadata", {}),
        samples=tuple(map(re.compile, given.get("samples", ()))),
        step_zero=pattern("step_zero"),
        media=pattern("media"),
        near=given.get("near", 0),
        bar=pattern("bar"),
        said=pattern("said"),
        outer=pattern("outer"),
        line=pattern("line"),
        loss=pattern("loss"),
        losses=Losses(kind=losses["kind"], file=re.compile(losses["file"]), key=losses["key"]) if losses else None,
        counts_rest=given.get("counts_rest", False),
    )


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "runs.toml").read_text(encoding="utf-8"))
