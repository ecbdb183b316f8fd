"""The limits of belief (``data/limits.toml``, table ``thinking``): when evidence counts, and what the set decides."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True, kw_only=True)
class Thinking:
    """The limits of belief; each is explained in ``data/limits.toml``, table ``thinking``."""

    assert_from: float
    conflict_from: float
    heard_at_most: float
    deviation_from: float
    auto_share: float
    auto_known: int
    usual_share: float
    plays_somebody_else: int
    few_pictures: int
    together_known: int
    together_share: float


@lru_cache(maxsize=1)
def thinking() -> Thinking:
    """The limits in use."""
    text = resources.files("fluxcap").joinpath("data", "limits.toml").read_text(encoding="utf-8")
    return Thinking(**tomllib.loads(text)["thinking"])
