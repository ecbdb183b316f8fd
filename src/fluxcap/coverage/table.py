"""The wishes (``data/coverage.toml``) as values."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from fluxcap.codec import from_builtins
from fluxcap.english import plural
from fluxcap.types import Trait
from fluxcap.vocabulary import slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A name for values of a slot; the fields are explained in ``data/coverage.toml``."""

    slot: str
    one_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    absence: bool = False

    def has(self, trait: Trait | None) -> bool | None:
        """Whether the trait is of this kind; None where it is not known."""
        if trait is None:
            return None
        return trait.value in self.one_of if self.one_of else trait.value not in self.none_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a set should show; the fields are explained in ``data/coverage.toml``."""

    id: str
    noun: str
    how: str = ""
    note: str = ""
    kinds: tuple[str, ...] = ()
    differ: str = ""
    want: int = 0
    per: int | None = None
    most: int | None = None

    @property
    def name(self) -> str:
        """'close-ups facing left', 'different places'."""
        many = plural(self.noun, 2)
        return f"different {many}" if self.differ else f"{many} {self.how}".strip()

    def ask(self, have: int, missing: int) -> str:
        """What is to be taken where so many are missing, in words."""
        noun = plural(self.noun, missing)
        if self.differ:
            more = "more" if have else "different" if missing > 1 else ""
            return " ".join(filter(None, ("take pictures", self.how, str(missing), more, noun)))
        note = f"({self.note})" if self.note else ""
        return " ".join(filter(None, ("take", str(missing), noun, self.how, note)))

    @property
    def about(self) -> tuple[str, ...]:
        """The slots that decide it."""
        named = (*(wishes().kinds[kind].slot for kind in self.kinds), self.differ)
        return tuple(dict.fromkeys(filter(None, named)))

    def wanted(self, pictures: int) -> int:
        """How many a set of so many pictures wants; a small one wants as many as it takes to become large enough."""
        grown = max(self.want, self.want * pictures // (self.per or wishes().pictures))
        row = slots().get(self.differ)
        return min(grown, len(row.value)) if row is not None and row.listed else grown


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Wishes under one heading, and the presets that have them."""

    name: str
    presets: tuple[str, ...]
    wish: tuple[Wish, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Axes:
    """The slots of the picture's rows and columns, and the columns from left to right."""

    rows: str
    columns: str
    order: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """The table of wishes; ``pictures`` is the size of set that they are for, ``doubt`` a part of it in per cent."""

    pictures: int
    doubt: int
    matrix: Axes
    kinds: Mapping[str, Kind]
    group: tuple[Group, ...]

    def of(self, preset: str) -> Iterator[tuple[Group, Wish]]:
        """The wishes of a preset, in their order, each with its group."""
        for group in self.group:
            if preset in group.presets:
                yield from ((group, wish) for wish in group.wish)


@lru_cache(maxsize=1)
def wishes() -> Wishes:
    """The wishes in use."""
    text = resources.files("fluxcap").joinpath("data", "coverage.toml").read_text(encoding="utf-8")
    return from_builtins(tomllib.loads(text), Wishes, "coverage.toml")
