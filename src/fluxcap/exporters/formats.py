"""Plain data as TOML, YAML, JSON and shell scripts, each written by its library. Comments stand above their keys."""

from __future__ import annotations

import json as json_library
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from fluxcap.exporters.types import Command

Notes = Mapping[str, str]
"""Dotted path of a key ('config.process.0.train.lr') -> the comment above it. List items are named by their number."""


def json(value: object) -> str:
    """JSON, indented, with every letter as it is; the format has no comments."""
    return json_library.dumps(value, ensure_ascii=False, indent=2) + "\n"


def json_lines(rows: Sequence[object]) -> str:
    """One JSON value a line."""
    return "".join(json_library.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def toml(value: Mapping[str, Any], notes: Notes | None = None, head: str = "") -> str:
    """TOML, with lists of tables as ``[[...]]``. ``head`` is a comment on top."""
    import tomlkit

    left = dict(notes or {})
    document = tomlkit.document()
    for line in head.splitlines():
        document.add(tomlkit.comment(line))
    if head:
        document.add(tomlkit.nl())
    _fill_toml(document, value, "", left)
    _all_told(left)
    return tomlkit.dumps(document)


def _fill_toml(table: Any, value: Mapping[str, Any], path: str, notes: dict[str, str]) -> None:
    import tomlkit

    for key, item in value.items():
        for line in notes.pop(path + key, "").splitlines():
            table.add(tomlkit.comment(line))
        if isinstance(item, Mapping):
            inner = tomlkit.table()
            _fill_toml(inner, item, f"{path}{key}.", notes)
            table.add(key, inner)
        elif isinstance(item, (list, tuple)) and item and isinstance(item[0], Mapping):
            rows = tomlkit.aot()
            for place, row in enumerate(item):
                inner = tomlkit.table()
                _fill_toml(inner, row, f"{path}{key}.{place}.", notes)
                rows.append(inner)
            table.add(key, rows)
        else:
            table.add(key, list(item) if isinstance(item, tuple) else item)


def yaml(value: Mapping[str, Any], notes: Notes | None = None, head: str = "") -> str:
    """YAML 1.2 that YAML 1.1 readers take the same way: texts in quotes, small numbers without exponent."""
    from io import StringIO

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap

    left = dict(notes or {})
    writer = YAML()
    writer.width = 1_000_000  # a folded prompt is hard to read
    writer.indent(mapping=2, sequence=4, offset=2)
    document = _for_yaml(value, "", left)
    assert isinstance(document, CommentedMap)
    if head:
        document.yaml_set_start_comment(head)
    _all_told(left)
    stream = StringIO()
    writer.dump(document, stream)
    return stream.getvalue()


def _for_yaml(value: Any, path: str, notes: dict[str, str], depth: int = 0) -> Any:
    from ruamel.yaml.comments import CommentedMap, CommentedSeq
    from ruamel.yaml.scalarfloat import ScalarFloat
    from ruamel.yaml.scalarstring import DoubleQuotedScalarString

    if isinstance(value, Mapping):
        made = CommentedMap()
        for key, item in value.items():
            note = notes.pop(path + key, "")
            made[key] = _for_yaml(item, f"{path}{key}.", notes, depth + 2)
            if note:
                made.yaml_set_comment_before_after_key(key, before=note, indent=depth)
        return made
    if isinstance(value, (list, tuple)):
        items = CommentedSeq(_for_yaml(item, f"{path}{place}.", notes, depth + 2) for place, item in enumerate(value))
        if not any(isinstance(item, (Mapping, str)) for item in value):
            items.fa.set_flow_style()
        return items
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, float) and "e" in repr(value):  # 1e-05 is a text to a YAML 1.1 reader
        digits = f"{value:.12f}".rstrip("0")
        return ScalarFloat(value, width=len(digits), prec=1)
    return value


def _all_told(left: Mapping[str, str]) -> None:
    if left:
        raise ValueError(f"comments for keys that are not there: {', '.join(left)}")


def number(value: float) -> str:
    """A number without exponent: 0.0001, 1, 3.5."""
    return f"{value:.10f}".rstrip("0").rstrip(".")


def scripts(commands: Sequence[Command], home: str) -> dict[str, str]:
    """The commands as ``train.sh`` and ``train.bat``, to be started in the trainer's folder."""
    if not commands:
        return {}
    posix = ["#!/bin/sh", f"# Start this in {home}, with its environment active.", "set -e"]
    windows = ["@echo off", f"rem Start this in {home}, with its environment active.", "chcp 65001 >nul"]
    for command in commands:
        if command.folder:
            posix.append(f"cd {shlex.quote(command.folder)}")
            windows.append(f"cd /d {_for_cmd(command.folder)}")
        before = "".join(f"{key}={shlex.quote(value)} " for key, value in command.env.items())
        posix.append(before + " \\\n  ".join(shlex.quote(word) for word in command.argv))
        windows += [f'set "{key}={value}"' for key, value in command.env.items()]
        windows += [" ^\r\n  ".join(_for_cmd(word) for word in command.argv), "if errorlevel 1 exit /b 1"]
    return {"train.sh": "\n".join(posix) + "\n", "train.bat": "\r\n".join(windows) + "\r\n"}


def shell(command: Command) -> str:
    """One command as a person types it into a shell."""
    before = "".join(f"{key}={shlex.quote(value)} " for key, value in command.env.items())
    where = f"cd {shlex.quote(command.folder)} && " if command.folder else ""
    return where + before + shlex.join(command.argv)


def _for_cmd(word: str) -> str:
    """A word for Windows' cmd: a percent sign is doubled, blanks and signs stand in quotes."""
    plain = word.replace("%", "%%")
    if plain and not set(plain) & set(' \t"&|<>^()@!,;='):
        return plain
    return '"' + plain.replace('"', '\\"') + '"'
