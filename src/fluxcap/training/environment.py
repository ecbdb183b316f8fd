"""The trainer's own environment: which Python runs it, and a command's words as a process takes them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.errors import UsageError
from fluxcap.training.job import Step
from fluxcap.training.rules import modules

if TYPE_CHECKING:
    from fluxcap.exporters import Command

_FOLDERS = ("venv", ".venv", "env")
"""What the trainers' guides call the environment in their folder."""

_ABOVE = 2
"""Folders above that may hold it: diffusers' scripts lie two below its own."""

_OURS = ("PYTHONHOME", "VIRTUAL_ENV", "COLUMNS", "LINES", "__PYVENV_LAUNCHER__")
"""Not handed on: fluxcap's own environment, and a terminal's width at which bars would be cut."""


def find_python(home: Path, named: Path | None = None) -> Path:
    """The Python of the trainer in ``home``: the one named (a file, or an environment's folder), or that of a venv beside it.

    Not resolved: in an environment the name decides, not what it links to. Raises ``UsageError``.
    """
    if named is not None:
        found = _in(named) if named.is_dir() else named
        if found is None or not found.is_file():
            raise UsageError(f"--python {named} is no Python", "name its file, or the environment's folder")
        return found.absolute()
    for folder in (home, *home.absolute().parents[:_ABOVE]):
        for name in _FOLDERS:
            found = _in(folder / name)
            if found is not None:
                return found.absolute()
    raise UsageError(
        f"no environment of its own lies in {home} ({', '.join(_FOLDERS)})",
        "name the Python that the trainer runs with: --python PATH",
    )


def step(command: Command, home: Path, python: Path) -> Step:
    """An exporter's command as a process: its program from the trainer's environment, never through a shell."""
    first, *rest = command.argv
    return Step(
        argv=(*_program(first, python), *rest),
        env={**command.env, **_variables(python)},
        folder=command.folder or home.absolute().as_posix(),
    )


def surroundings(own: Mapping[str, str], step: Step) -> dict[str, str]:
    """The environment variables of a step: ours without what is only ours, the step's added."""
    left = {key: value for key, value in own.items() if key not in _OURS}
    path = os.pathsep.join(one for one in (step.env.get("PATH", ""), left.get("PATH", "")) if one)
    return {**left, **step.env, "PATH": path}


def _variables(python: Path) -> dict[str, str]:
    """``PATH`` is put in front of the one that is there."""
    added = {"PATH": str(python.parent), "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}
    if (python.parent.parent / "pyvenv.cfg").is_file():
        added["VIRTUAL_ENV"] = str(python.parent.parent)
    return added


def _program(name: str, python: Path) -> tuple[str, ...]:
    if name == "python":
        return (str(python),)
    for file in (python.parent / name, python.parent / f"{name}.exe", python.parent / "Scripts" / f"{name}.exe"):
        if file.is_file():
            return (str(file),)
    words = modules().get(name)
    return (str(python), "-m", *words) if words else (name,)


def _in(folder: Path) -> Path | None:
    """The Python of an environment in this folder, as venv or conda lays it, on any system."""
    places = (
        folder / "bin" / "python",
        folder / "Scripts" / "python.exe",
        folder / "python.exe",
        folder / "bin/python3",
    )
    return next((place for place in places if place.is_file()), None)
