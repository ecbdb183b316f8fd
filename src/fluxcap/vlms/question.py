"""What a vision language model is asked of a picture: the question in words (``data/prompts.toml``) and the answer's schema."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from fluxcap.codec import decode_toml
from fluxcap.errors import UsageError
from fluxcap.vlms.types import Question
from fluxcap.vocabulary import Slot, slot, slots

UNKNOWN = "unknown"
"""The answer where a trait cannot be told."""

LONGEST = 160
"""Characters of an open answer; a loop within a value ends there."""

MOST_HINTS = 60
PROSE_TOKENS = 400
TRAIT_TOKENS = 700


@dataclass(frozen=True, slots=True, kw_only=True)
class _Traits:
    system: str
    lead: str
    line: str
    listed: str
    usual: str
    open: str
    rules: tuple[str, ...]
    hints: str
    tail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prose:
    system: str
    text: str
    hints: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Prompts:
    version: int
    traits: _Traits
    prose: _Prose


_PLACES = {
    ("traits", "line"): ("key", "question"),
    ("traits", "listed"): ("values",),
    ("traits", "usual"): ("values",),
    ("traits", "hints"): ("hints",),
    ("traits", "tail"): ("keys",),
    ("prose", "hints"): ("hints",),
}
"""What the parts must hold a place for; without it the model would not be told."""


def questions(
    slots_wanted: Sequence[str] | None = None,
    *,
    hints: Sequence[str] = (),
    kind: Literal["traits", "prose"] = "traits",
    prompts: Path | None = None,
    max_tokens: int | None = None,
) -> Question:
    """The one question about a picture: all wanted traits at once (None: every trait that has a question), or prose.

    ``hints`` are tags that a tagger saw, ``prompts`` a file used in place of ``data/prompts.toml``. The same arguments always
    give the same question. Raises ``UsageError`` for an unknown trait, where nothing is left to ask, and for a file of
    prompts that cannot be read or lacks a part.
    """
    said = _prompts(*_text_of(prompts))
    told = ", ".join(dict.fromkeys(" ".join(hint.replace("_", " ").split()) for hint in hints if hint.strip("_ \n")))
    told = ", ".join(told.split(", ")[:MOST_HINTS])
    if kind == "prose":
        parts = [said.prose.text, said.prose.hints.replace("{hints}", told) if told else ""]
        return Question(
            system=said.prose.system,
            text="\n\n".join(filter(None, parts)),
            schema=None,
            max_tokens=max_tokens or PROSE_TOKENS,
        )
    rows = asked(slots_wanted)
    words = said.traits
    keys = ", ".join(row.id for row in rows)
    parts = [
        "\n".join([words.lead.strip(), *(_line(words, row) for row in rows)]),
        "\n".join(f"- {rule}" for rule in words.rules),
        words.hints.replace("{hints}", told) if told else "",
        words.tail.replace("{keys}", keys),
    ]
    return Question(
        system=words.system,
        text="\n\n".join(filter(None, parts)),
        schema=_schema(rows),
        max_tokens=max_tokens or TRAIT_TOKENS,
    )


def asked(slots_wanted: Sequence[str] | None = None) -> tuple[Slot, ...]:
    """The traits that are asked, in the order of asking: that of captions, then those that are asked last.

    Traits without a question are left out. Raises ``UsageError`` for an unknown trait, and where none is left.
    """
    wanted = set(slots()) if slots_wanted is None else {slot(slot_id).id for slot_id in slots_wanted}
    rows = [row for row in slots().values() if row.id in wanted and row.question]
    if not rows:
        raise UsageError("no trait is left to ask a vision model about", "name one that can be seen, such as hair")
    return tuple(sorted(rows, key=lambda row: row.ask_last))


def prompt_version(prompts: Path | None = None) -> str:
    """Version and digest of the prompts in use: '1-0a1b2c3d'. It changes with any change of the file."""
    text, where = _text_of(prompts)
    return f"{_prompts(text, where).version}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def _line(words: _Traits, row: Slot) -> str:
    """One trait in words. Models of some servers never see the schema, so its values are said here."""
    values = [value.id for value in row.value] + [UNKNOWN] * row.listed
    template = words.listed if row.listed else words.usual if values else words.open
    shown = template.replace("{values}", ", ".join(f'"{value}"' for value in values))
    line = words.line if "{values}" in words.line else words.line + "{values}"
    return line.replace("{key}", row.id).replace("{question}", row.question).replace("{values}", shown)


def _schema(rows: Sequence[Slot]) -> Mapping[str, Any]:
    """The answer's form: one flat object of strings, which every server's grammar knows."""
    return {
        "type": "object",
        "properties": {row.id: _property(row) for row in rows},
        "required": [row.id for row in rows],
        "additionalProperties": False,
    }


def _property(row: Slot) -> Mapping[str, Any]:
    if row.listed:
        return {"type": "string", "enum": [*(value.id for value in row.value), UNKNOWN]}
    return {"type": "string", "maxLength": LONGEST}


def _text_of(prompts: Path | None) -> tuple[str, str]:
    """The text of the prompts, and what the file is called."""
    if prompts is None:
        return resources.files("fluxcap").joinpath("data", "prompts.toml").read_text(encoding="utf-8"), "prompts.toml"
    try:
        return prompts.read_text(encoding="utf-8-sig"), str(prompts)
    except UnicodeDecodeError:
        raise UsageError(f"{prompts} is not UTF-8", "save it as UTF-8") from None
    except OSError as error:
        raise UsageError(f"{prompts} cannot be read ({error.strerror or error})", "look at vlm.prompts") from error


@lru_cache(maxsize=8)
def _prompts(text: str, where: str) -> _Prompts:
    _refuse_missing(text, where)
    said = decode_toml(text, _Prompts, where)
    for (table, part), places in _PLACES.items():
        for place in places:
            if "{" + place + "}" not in getattr(getattr(said, table), part):
                raise UsageError(f"{where}: {table}.{part} has no place for {{{place}}}", f"write {{{place}}} into it")
    return said


def _refuse_missing(text: str, where: str) -> None:
    """Raise for the first part that is not there; broken TOML and wrong types are ``decode_toml``'s to tell."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    for table, cls in (("", _Prompts), ("traits", _Traits), ("prose", _Prose)):
        there = data.get(table, {}) if table else data
        for part in fields(cls):
            if isinstance(there, dict) and part.name not in there:
                name = f"{table}.{part.name}" if table else part.name
                raise UsageError(f"{where}: {name} is missing", "take it over from fluxcap's own prompts.toml")
