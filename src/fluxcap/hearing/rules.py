"""The rules of belief in what vision models say (``data/hearing.toml``), ready for use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from fluxcap.english import words
from fluxcap.talk import talk
from fluxcap.vocabulary import normal
from fluxcap.vocabulary.tags import listed


@dataclass(frozen=True, slots=True, kw_only=True)
class Alike:
    """When one answer for many pictures is that of a model that does not look; explained in ``data/hearing.toml``."""

    said: int
    others: int
    share: float
    set: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The rules; each is explained in ``data/hearing.toml``."""

    confidence: Mapping[str, float]
    most_words: int
    most_characters: int
    repeats: int
    alike: Alike
    empty: frozenset[str]
    about: re.Pattern[str]
    untold: re.Pattern[str]
    no_text: re.Pattern[str]
    denied: re.Pattern[str]
    open: frozenset[str]
    describing: frozenset[str]
    trailing: re.Pattern[str]
    hedges: re.Pattern[str]
    meta: tuple[re.Pattern[str], ...]
    subject: tuple[re.Pattern[str], ...]
    wordings: Mapping[str, Mapping[str, str]]
    proper: frozenset[str]
    common: frozenset[str]
    names: re.Pattern[str]
    brands: frozenset[str]


@lru_cache(maxsize=1)
def rules() -> Rules:
    """The rules in use."""
    data = tomllib.loads(resources.files("fluxcap").joinpath("data", "hearing.toml").read_text(encoding="utf-8"))
    said: Mapping[str, Any] = data["words"]
    common = {word for tag in listed() for word in re.split(r"[_()'\W]+", tag)}
    names = [re.escape(name) for name in sorted(data["proper"]["names"], key=len, reverse=True)]
    groups = words()["groups"]
    return Rules(
        confidence=data["confidence"],
        most_words=data["most"]["words"],
        most_characters=data["most"]["characters"],
        repeats=data["most"]["repeats"],
        alike=Alike(**data["alike"]),
        empty=frozenset(said["empty"]),
        about=_pattern(r"^(?:{})\s*(?=\w)", map(re.escape, said["about"])),
        untold=_pattern(r"\W*(?:.*\b(?:is|are) )?(?:{})\W*", said["untold"]),
        no_text=_pattern(r"(?:{})", said["no_text"]),
        denied=_pattern(r"(?<![\w-])(?:{})(?![\w-])", [talk().denial_said, *said["denied"]]),
        open=frozenset(said["open"]),
        describing=frozenset({*words()["nouns"]["adjectives"], *groups["colour"], *groups["length"]}),
        trailing=_pattern(r"(?:[\s,;:(-]|\b(?:{})\b)+$", said["trailing"]),
        hedges=talk().hedge_said,
        meta=tuple(re.compile(one, re.IGNORECASE) for one in said["meta"]),
        subject=tuple(re.compile(one, re.IGNORECASE) for one in said["subject"]),
        wordings={slot_id: {normal(w): v for w, v in table.items()} for slot_id, table in data["wordings"].items()},
        proper=frozenset(data["proper"]["words"]),
        common=frozenset(common | set(data["proper"]["either"])),
        names=_pattern(r"(?<![\w-])(?:{})(?:'s|s)?(?![\w-])", names),
        brands=frozenset(data["proper"]["brands"]),
    )


def _pattern(around: str, either: Iterable[str]) -> re.Pattern[str]:
    return re.compile(around.replace("{}", "|".join(either)), re.IGNORECASE)
