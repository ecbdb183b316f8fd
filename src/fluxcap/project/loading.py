"""``fluxcap.toml`` -> ``Project``: what the person settled for this folder. Secrets never live there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.project.settings import LISTS, Known, Plan, Project, check, refuse_two_lists

FILE = "fluxcap.toml"
_TABLES = ("tagger", "vlm", "recipe")
_SECRET = re.compile(r"(^|[._-])(api[_-]?key|key|token|secret|password|passwd|credentials?)s?($|[._-])", re.IGNORECASE)


def load(folder: Path, overrides: Mapping[str, object] | None = None, known: Known | None = None) -> Project:
    """The folder's settings: defaults, then ``fluxcap.toml`` (it may be missing), then ``overrides``.

    ``overrides`` come from the command line: dotted keys (``trigger``, ``plan.bound``), None means not given; a list in the
    plan takes its slots out of the file's other lists. Raises ``UsageError`` for whatever is not a setting or not a fit.
    """
    path = folder / FILE
    text = _read(path)
    project = Project() if text is None else decode(text, path.name)
    project = check(project, known or Known(), path.name)
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    return check(_override(project, given), known or Known(), "command line") if given else project


def _read(path: Path) -> str | None:
    """The file's text, None where there is no file. UTF-8, with or without BOM."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is not UTF-8 text", "save it as UTF-8 in your editor") from error
    except OSError as error:
        raise FluxcapError(
            f"{path.name} cannot be read: {error.strerror or error}", "check the file and its rights"
        ) from error


def decode(text: str, where: str) -> Project:
    """The settings that a ``fluxcap.toml`` holds; raises ``UsageError`` with the key that is not one."""
    from fluxcap.codec import UnknownKey, decode_toml

    try:
        return _tidy(decode_toml(text.removeprefix("\ufeff"), Project, where))
    except UnknownKey as error:
        if _SECRET.search(error.key):
            raise UsageError(f"{where}: {error.key} does not belong there", "keys come from the environment") from error
        raise


def _tidy(project: Project) -> Project:
    """Blanks around words off, each entry once."""
    lists: dict[str, Any] = {name: tuple(dict.fromkeys(map(entry, getattr(project.plan, name)))) for name in LISTS}
    plan = replace(project.plan, **lists)
    words = {name: value.strip() for name in ("trigger", "subject") if (value := getattr(project, name)) is not None}
    return replace(project, plan=plan, **words)


def _override(project: Project, given: Mapping[str, object]) -> Project:
    """``given`` over the file's settings, with the same checks of names and types."""
    from fluxcap.codec import from_builtins

    tables: dict[str, Any] = {}
    for key, value in given.items():
        table, _, name = key.rpartition(".")
        plain = list(value) if isinstance(value, (tuple, set, frozenset)) else value
        (tables.setdefault(table, {}) if table else tables)[name] = plain
    new = _tidy(from_builtins(tables, Project, "command line"))
    moves = {name: getattr(new.plan, name) for name in LISTS}
    refuse_two_lists(new.plan, "command line")
    values = {name: getattr(new, name) for name in tables if name not in ("plan", *_TABLES)}
    for table in _TABLES:
        mine = {name: getattr(getattr(new, table), name) for name in tables.get(table, {})}
        values[table] = replace(getattr(project, table), **mine)
    return replace(project, plan=moved(project.plan, moves, new.plan.usual), **values)


def entry(text: str) -> str:
    """An entry of a plan's list without blanks around its words: 'makeup = red lipstick' -> 'makeup=red lipstick'."""
    return "=".join(part.strip() for part in text.split("=", 1))


def moved(plan: Plan, moves: Mapping[str, Sequence[str]], usual: Mapping[str, str | None]) -> Plan:
    """``plan`` with each slot in the list it was moved to, and in no other."""
    gone = {slot for slots in moves.values() for slot in slots}
    lists = {
        name: tuple(
            dict.fromkeys((*(s for s in getattr(plan, name) if s not in gone or s in moves[name]), *moves[name]))
        )
        for name in LISTS
    }
    values = {**plan.usual, **usual}
    return Plan(**lists, usual={slot: value for slot, value in values.items() if value is not None})
