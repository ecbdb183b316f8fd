"""``data/limits.toml`` and ``data/targets.toml`` as values: text encoders, targets, and what trainers limit."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any, Literal

from fluxcap.errors import UsageError
from fluxcap.types import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Encoder:
    """A text encoder. ``overhead`` counts what is added to every caption: special tokens, chat template, system message.

    ``folders`` are the names of the folders its files lie in, ``mark`` is a token that only its vocabulary has,
    ``files`` are (hub repository, file name, may be fetched), ``estimate`` the costs of :func:`units`
    and ``words`` the exact ones of frequent words. ``signs`` are all signs that it knows (None: every one).
    """

    id: str
    name: str
    overhead: int
    overhead_exact: bool
    mark: str
    folders: tuple[str, ...]
    files: tuple[tuple[str, str, bool], ...]
    estimate: Mapping[str, float]
    words: Mapping[str, int]
    signs: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """An encoder's limit, overhead included. ``severity`` is how bad it is to pass it."""

    encoder: str
    limit: int
    severity: Severity
    source: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How pictures are made during training. ``guidance`` is what the model is told, ``cfg`` the weight against no prompt."""

    steps: int
    guidance: float
    cfg: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What captions, exports and prompts are for: a base model. Each field is explained in ``data/targets.toml``.

    ``trainers`` goes by fluxcap's name of the trainer: that trainer's own words for this model.
    """

    id: str
    name: str
    family: Literal["flux1", "flux2", "flux3"]
    style: Literal["sentences-tags", "sentences"]
    limits: tuple[Limit, ...]
    hub: str
    files: Mapping[str, str]
    sample: Sampling
    params_per_dim: int
    trainers: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerLimit:
    """A limit that a trainer sets for some targets. ``config`` is the trainer's key that raises it, if there is one."""

    trainer: str
    targets: tuple[str, ...]
    limit: Limit
    config: str = ""


def targets() -> Mapping[str, Target]:
    """All targets, by id."""
    return _tables()[1]


def target(target_id: str) -> Target:
    """The target of that id; :class:`UsageError` names the known ones."""
    known = targets()
    if target_id not in known:
        raise UsageError(f"target '{target_id}' is not known", f"choose one of: {', '.join(known)}")
    return known[target_id]


def encoder(encoder_id: str) -> Encoder:
    """The encoder of that id."""
    return _tables()[0][encoder_id]


def for_trainer(aim: Target, trainer: str, *, raised: bool = False) -> Target:
    """The target with the limits that this trainer has. ``raised``: its configuration raises those that can be raised."""
    theirs = {
        entry.limit.encoder: entry.limit
        for entry in _tables()[2]
        if entry.trainer == trainer and aim.id in entry.targets and not (raised and entry.config)
    }
    return replace(aim, limits=tuple(theirs.get(limit.encoder, limit) for limit in aim.limits))


@cache
def _tables() -> tuple[Mapping[str, Encoder], Mapping[str, Target], tuple[TrainerLimit, ...]]:
    data = _read("limits.toml")
    encoders = {
        row["id"]: Encoder(
            **row
            | {
                "folders": tuple(row["folders"]),
                "files": tuple((entry["repo"], entry["file"], entry.get("fetch", False)) for entry in row["files"]),
                "overhead_exact": row.get("overhead_exact", True),
                "signs": _signs(row.pop("signs", None), row.pop("unknown", "")),
                "words": {word: int(cost) for cost, words in row.get("words", {}).items() for word in words.split()},
            }
        )
        for row in data["encoder"]
    }
    aims = {
        row["id"]: Target(
            **row | {"limits": tuple(Limit(**limit) for limit in row["limits"]), "sample": Sampling(**row["sample"])}
        )
        for row in _read("targets.toml")["target"]
    }
    return encoders, aims, tuple(_trainer_limit(row) for row in data["trainer_limit"])


def _signs(beyond_ascii: str | None, not_known: str) -> frozenset[str] | None:
    if beyond_ascii is None:
        return None
    return frozenset(map(chr, range(32, 127))) - frozenset(not_known) | frozenset(beyond_ascii)


def _read(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("fluxcap").joinpath("data", name).read_text(encoding="utf-8"))


def _trainer_limit(row: dict[str, Any]) -> TrainerLimit:
    own = {"trainer": row.pop("trainer"), "targets": tuple(row.pop("targets")), "config": row.pop("config", "")}
    return TrainerLimit(**own, limit=Limit(**row))
