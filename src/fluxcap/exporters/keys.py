"""Whether a config uses only keys that its trainer knows: most trainers accept a misspelt one without a word. Pure.

What they know is in ``data/trainer_keys.toml``, made from their sources by ``tools/make_trainer_keys.py``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import PurePosixPath
from typing import Any

from fluxcap.exporters.types import Command, Rendered

_PREFIXES = {
    "ai-toolkit.yaml": "",
    "onetrainer.json": "",
    "dataset.toml": "dataset.",
    "train.toml": "train.",
    "config.json": "config.",
    "multidatabackend.json": "backends.",
}
"""Name of a config -> where its sections begin in the table."""

_SAME_CODE = {"fluxgym": "kohya"}
"""Trainers that run another one's code."""


def unknown_keys(trainer: str, rendered: Rendered) -> list[str]:
    """Every key and option that the trainer does not know, with its file or script; empty where all is well.

    A trainer without a table (one of another package) is not judged.
    """
    sections = known(trainer)
    if not sections:
        return []
    found: list[str] = []
    for path, text in rendered.files.items():
        prefix = _PREFIXES.get(PurePosixPath(path).name)
        if prefix is not None:
            found += [f"{path}: {key}" for key in _walk(_parsed(path, text), "", prefix, sections)]
    return [*found, *(told for command in rendered.commands for told in _options(command, sections))]


@cache
def known(trainer: str) -> Mapping[str, Collection[str]]:
    """The keys that a trainer knows, by section; empty for a trainer without a table."""
    text = resources.files("fluxcap").joinpath("data", "trainer_keys.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text).get(_SAME_CODE.get(trainer, trainer), {}).get("sections", {})
    return {path: frozenset(keys.split()) for path, keys in rows.items()}


def _parsed(path: str, text: str) -> Any:
    if path.endswith(".toml"):
        return tomllib.loads(text)
    if path.endswith(".json"):
        return json.loads(text)
    from ruamel.yaml import YAML

    return YAML(typ="safe", pure=True).load(text)


def _walk(value: Any, path: str, prefix: str, sections: Mapping[str, Collection[str]]) -> Iterator[str]:
    """The dotted paths of keys that are not known."""
    if isinstance(value, list):
        for item in value:
            yield from _walk(item, f"{path}.*".lstrip("."), prefix, sections)
    if not isinstance(value, Mapping):
        return
    allowed = sections.get(prefix + path, frozenset())
    if "any" in allowed:
        return
    for key, item in value.items():
        inner = f"{path}.{key}".lstrip(".")
        if key not in allowed:
            yield inner
        else:
            yield from _walk(item, inner, prefix, sections)


def _options(command: Command, sections: Mapping[str, Collection[str]]) -> Iterator[str]:
    """The options after the script's name that the script does not have."""
    script = next((n for n, word in enumerate(command.argv) if f"options.{PurePosixPath(word).name}" in sections), None)
    if script is None:
        return
    name = PurePosixPath(command.argv[script]).name
    allowed = sections[f"options.{name}"]
    for word in command.argv[script + 1 :]:
        option = word.partition("=")[0]
        if option.startswith("--") and option[2:] not in allowed:
            yield f"{name}: {option}"
