"""The trait table (``data/slots.toml``) and the wordings (``data/phrases.toml``) as values."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from fluxcap.codec import from_builtins
from fluxcap.errors import UsageError

Place = Literal["opening", "scene", "worn", "face", "tail"]
Default = Literal["bound", "free", "auto"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A listed value. ``silent``: known, but saying nothing says it (nobody else is in the picture)."""

    id: str
    tags: tuple[str, ...] = ()
    silent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """What is counted and decided by itself within a trait: the colour of the hair. ``facets`` are those of its tags.

    ``unseen`` tells what it means that nothing is said of it: nothing is known, nothing of the kind where the trait is known
    ("plain": no special hairstyle), or nothing of the kind at all ("none": no horns). ``rest``: takes what no other one does.
    """

    id: str
    name: str
    facets: tuple[str, ...]
    unseen: Literal["unknown", "plain", "none"] = "unknown"
    rest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One row of the trait table; the fields are explained at its top."""

    id: str
    place: Place
    name: str
    geometry: bool = False
    listed: bool = False
    many: bool = False
    ask_last: bool = False
    question: str = ""
    default: Mapping[str, Default] = field(default_factory=dict)
    value: tuple[Value, ...] = ()
    attribute: tuple[Attribute, ...] = ()

    def default_for(self, preset: str) -> Default:
        """What the preset decides for this slot before the set or the person says anything."""
        return self.default.get(preset, self.default["any"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One wording rule of a slot: the values it is for, and its forms per style."""

    value: tuple[str, ...]
    match: re.Pattern[str] | None
    read: tuple[str, ...]
    forms: Mapping[str, Mapping[str, tuple[str, ...]]]

    def wordings(self, style: str) -> Mapping[str, tuple[str, ...]]:
        """Form -> equal wordings, for a style; what the style does not word itself is natural's."""
        return {**self.forms.get("natural", {}), **self.forms.get(style, {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    version: int
    presets: tuple[str, ...]
    slot: tuple[Slot, ...]


@lru_cache(maxsize=1)
def _table() -> _Table:
    return from_builtins(_toml("slots.toml"), _Table, "slots.toml")


@lru_cache(maxsize=1)
def slots() -> Mapping[str, Slot]:
    """All slots by id, in caption order."""
    return {row.id: row for row in _table().slot}


def presets() -> tuple[str, ...]:
    """The names of the presets."""
    return _table().presets


def slot(slot_id: str) -> Slot:
    """One slot; raises ``UsageError`` that lists the known ones."""
    try:
        return slots()[slot_id]
    except KeyError:
        raise UsageError(f"{slot_id} is not a trait", f"known traits: {', '.join(slots())}") from None


@lru_cache(maxsize=1)
def rules() -> Mapping[str, tuple[Rule, ...]]:
    """Slot id -> its wording rules, in order."""
    return {slot_id: tuple(_rule(row) for row in rows) for slot_id, rows in _toml("phrases.toml").items()}


def rule_for(slot_id: str, value: str) -> tuple[Rule, re.Match[str] | None]:
    """The first rule that fits a value. The last rule of every open slot fits anything (tested)."""
    for rule in rules()[slot_id]:
        if value in rule.value:
            return rule, None
        if rule.match is not None and (found := rule.match.fullmatch(value)):
            return rule, found
    raise UsageError(f"{value!r} is not a value of {slot_id}", f"known: {', '.join(v.id for v in slot(slot_id).value)}")


def _rule(row: dict[str, Any]) -> Rule:
    value = row.get("value", ())
    forms = {
        style: {form: (said,) if isinstance(said, str) else tuple(said) for form, said in wordings.items()}
        for style, wordings in row.items()
        if style not in ("value", "match", "read")
    }
    match = row.get("match")
    return Rule(
        value=(value,) if isinstance(value, str) else tuple(value),
        match=re.compile(match, re.IGNORECASE) if match else None,
        read=tuple(row.get("read", ())),
        forms=forms,
    )


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(resources.files("fluxcap").joinpath("data", name).read_text(encoding="utf-8"))
