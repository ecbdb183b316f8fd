"""``data/facts.toml``: words and limits of the checks that compare a caption with facts and with the rest of the set."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from fluxcap.codec import from_builtins


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """Words for people: single ones, several, and how many a word comes to."""

    one: tuple[str, ...]
    many: tuple[str, ...]
    crowd: tuple[str, ...]
    group: tuple[str, ...]
    number: Mapping[str, str]
    size: Mapping[str, str]
    words: Mapping[str, tuple[str, ...]]
    total: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """The patterns of which way the subject faces; group ``side`` is left or right."""

    toward: str
    hand: str
    patterns: tuple[str, ...]
    gaze: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Slots and tags that may stand anywhere, and when a set has an order of its own."""

    loose: tuple[str, ...]
    passing: tuple[str, ...]
    own_order_from: float
    own_order_known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Another:
    """When a caption is said to belong to another picture."""

    contradictions: int
    surely: float
    against: float
    at_most: float
    looked_at: int
    alike: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fragment:
    """When words that many captions share are said to be boilerplate."""

    share: float
    captions: int
    words: int
    own_words: int
    grammar: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The file as a whole; each limit is explained there."""

    people: People
    sides: Sides
    order: Order
    another: Another
    fragment: Fragment


@lru_cache(maxsize=1)
def tables() -> Tables:
    """The words and limits in use."""
    text = resources.files("fluxcap").joinpath("data", "facts.toml").read_text(encoding="utf-8")
    return from_builtins(tomllib.loads(text), Tables, "facts.toml")
