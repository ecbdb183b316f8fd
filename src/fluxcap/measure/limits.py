"""The limits of ``data/measure.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType


@cache
def limits(table: str) -> Mapping[str, float]:
    """One table of limits, by the trait's name."""
    everything = tomllib.loads((resources.files("fluxcap") / "data" / "measure.toml").read_text("utf-8"))
    return MappingProxyType({name: float(value) for name, value in everything[table].items()})
