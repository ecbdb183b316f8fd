"""Exports with one key or option misspelt on purpose: what a trainer says of it, and what our own check says. Pure but for copies."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fluxcap.exporters import Command, Rendered, formats, unknown_keys
from fluxcap.exporting import Exported


@dataclass(frozen=True, slots=True, kw_only=True)
class Misspelt:
    """``where`` is the file and the place in it, or the script; ``wrong`` the key as it is misspelt."""

    where: str
    wrong: str
    rendered: Rendered


def cases(trainer: str, rendered: Rendered) -> Iterator[Misspelt]:
    """Every key of the configs and every option of the commands, each misspelt once; sections where any name goes are left out."""
    for path, text in rendered.files.items():
        value = loaded(path, text)
        if isinstance(value, (dict, list)):
            for spot in keys(value):
                wrong = misspell(str(spot[-1]))
                files = {**rendered.files, path: dumped(path, renamed(value, spot, wrong))}
                case = replace(rendered, files=files)
                if unknown_keys(trainer, case) or not free(trainer, rendered, path, value, spot):
                    yield Misspelt(where=path, wrong=".".join(map(str, (*spot[:-1], wrong))), rendered=case)
    for number, command in enumerate(rendered.commands):
        for place, word in enumerate(command.argv):
            if word.startswith("--") and any(before.endswith(".py") for before in command.argv[:place]):
                name, sign, rest = word.partition("=")
                argv = (*command.argv[:place], misspell(name) + sign + rest, *command.argv[place + 1 :])
                commands = (*rendered.commands[:number], replace(command, argv=argv), *rendered.commands[number + 1 :])
                yield Misspelt(where="the command", wrong=misspell(name), rendered=replace(rendered, commands=commands))


def free(trainer: str, rendered: Rendered, path: str, value: Any, spot: tuple[str | int, ...]) -> bool:
    """Whether any name goes there: one that nobody knows is not found either."""
    odd = {**rendered.files, path: dumped(path, renamed(value, spot, "a-name-that-nobody-knows"))}
    return not unknown_keys(trainer, replace(rendered, files=odd))


def misspell(name: str) -> str:
    """The last letter twice: what a finger does, and no known abbreviation."""
    return name + name[-1]


def keys(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where the keys of nested tables are; of a list's tables only those of the first."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield (*path, key)
            yield from keys(item, (*path, key))
    elif isinstance(value, list) and value:
        yield from keys(value[0], (*path, 0))


def renamed(value: Any, spot: tuple[str | int, ...], name: str) -> Any:
    """A copy with the key at ``spot`` under another name, in its old place."""
    if isinstance(value, Mapping):
        if len(spot) == 1:
            return {name if key == spot[0] else key: item for key, item in value.items()}
        return {key: renamed(item, spot[1:], name) if key == spot[0] else item for key, item in value.items()}
    return [renamed(item, spot[1:], name) if place == spot[0] else item for place, item in enumerate(value)]


def loaded(path: str, text: str) -> Any:
    """A config as plain data; None for other files."""
    if path.endswith(".toml"):
        return tomllib.loads(text)
    if path.endswith(".json"):
        return json.loads(text)
    if path.endswith((".yaml", ".yml")):
        from ruamel.yaml import YAML

        return YAML(typ="safe", pure=True).load(text)
    return None


def dumped(path: str, value: Any) -> str:
    """The same in the file's own format."""
    writers = {".toml": formats.toml, ".json": formats.json, ".yaml": formats.yaml}
    return writers[Path(path).suffix](value)


def written(done: Exported, case: Misspelt, folder: Path) -> tuple[Path, Path, list[list[str]]]:
    """The export again in ``folder``, with the mistake: its place, its dataset's, and its commands."""
    assert done.manifest is not None
    shutil.copytree(done.out, folder)
    old, new = done.out.as_posix(), folder.as_posix()
    for path, text in case.rendered.files.items():
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")
    return folder, folder / done.manifest.dataset, words(case.rendered.commands, old, new)


def words(commands: tuple[Command, ...], old: str = "", new: str = "") -> list[list[str]]:
    """The words of the commands, with the export's place replaced."""
    return [[word.replace(old, new) if old else word for word in command.argv] for command in commands]
