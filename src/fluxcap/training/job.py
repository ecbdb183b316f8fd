"""One training of an export's folder: what is to run, how it stands, and that there is only one.

``.fluxcap-train/`` in the export holds ``job.json`` (what runs), ``state.json`` (how it stands), ``lock`` (held by the
process that watches over it) and ``stop`` (somebody asks it to end).
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Literal, TypeVar

from fluxcap.codec import decode_json, to_builtins
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.store.lock import try_lock
from fluxcap.textfiles import write_atomic
from fluxcap.training.processes import ProcessId, is_alive

FOLDER = ".fluxcap-train"

T = TypeVar("T")

_TRIES, _PAUSE = 20, 0.05

Status = Literal["starting", "running", "stopping", "done", "failed", "stopped", "lost"]
"""``lost``: it ended and nobody saw how, as when the machine was turned off."""

Urgency = Literal["gently", "now"]

RUNNING: tuple[Status, ...] = ("starting", "running", "stopping")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command. ``env`` is added to what is there, its ``PATH`` in front of it; ``folder`` is where it runs."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is to run. ``run`` is the trainer's output folder, ``log`` the console's file, ``steps`` the training's length."""

    trainer: str
    title: str
    commands: tuple[Step, ...]
    run: str
    log: str
    dataset: str
    steps: int
    resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How it stands. ``keeper`` watches over ``trainer``, the process of command ``command``; times in seconds since 1970."""

    status: Status
    keeper: ProcessId
    began: float
    trainer: ProcessId | None = None
    command: int = 0
    exit_code: int | None = None
    ended: float | None = None


def folder(out: Path) -> Path:
    """Where a training of this export keeps what it knows."""
    return out / FOLDER


def write_job(out: Path, job: Job) -> None:
    """Remember what runs."""
    _write(folder(out) / "job.json", job)


def read_job(out: Path) -> Job | None:
    """What runs or ran last; None where nothing ever did."""
    try:
        return decode_json((folder(out) / "job.json").read_bytes(), Job, "job.json")
    except (OSError, UsageError):
        return None


def write_state(out: Path, state: State) -> None:
    """Remember how it stands."""
    _write(folder(out) / "state.json", state)


def read_state(out: Path) -> State | None:
    """How the last training stands; ``lost`` where it says that it runs, and none of its processes does."""
    state = _state(out)
    if state is None or state.status not in RUNNING or _is_anybody_there(state):
        return state
    state = _state(out) or state  # it may have ended well between the two looks
    return state if state.status not in RUNNING else replace(state, status="lost")


def is_running(out: Path) -> State | None:
    """The state of a training that runs in this folder, else None."""
    state = read_state(out)
    return state if state is not None and state.status in RUNNING else None


def lock(out: Path) -> IO[bytes]:
    """Be the only one that trains in this folder, until the file is closed or the process ends. Raises ``FluxcapError``."""
    place = folder(out)
    try:
        place.mkdir(parents=True, exist_ok=True)
        held = (place / "lock").open("a+b")
    except OSError as error:
        raise FluxcapError(
            f"{place} cannot be written: {error.strerror or error}", "check the rights and the free space"
        ) from error
    if not try_lock(held):
        held.close()
        raise already(out)
    return held


def already(out: Path) -> FluxcapError:
    """What is told where a training runs in this folder."""
    state = read_state(out)
    who = f" (process {(state.trainer or state.keeper).pid})" if state is not None else ""
    return FluxcapError(
        f"a training runs in {out}{who}", "show it with --attach, stop it with --stop, or train into another --out"
    )


def ask_to_stop(out: Path, how: Urgency = "gently") -> None:
    """Ask the keeper to end the training; it looks several times a second."""
    folder(out).mkdir(parents=True, exist_ok=True)
    write_atomic(folder(out) / "stop", how)


def asked_to_stop(out: Path) -> Urgency | None:
    """Whether somebody asked, and how urgently."""
    try:
        text = (folder(out) / "stop").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return "now" if text.strip() == "now" else "gently"


def forget_stop(out: Path) -> None:
    """Nobody asks any more."""
    with suppress(OSError):
        (folder(out) / "stop").unlink(missing_ok=True)


def _write(path: Path, value: Job | State) -> None:
    text = json.dumps(to_builtins(value), ensure_ascii=False, indent=1) + "\n"
    _patiently(lambda: write_atomic(path, text))


def _patiently(act: Callable[[], T]) -> T:
    """On Windows a file that another process has open for a moment is neither replaced nor read."""
    for _ in range(_TRIES):
        with suppress(PermissionError):
            return act()
        time.sleep(_PAUSE)
    return act()


def _state(out: Path) -> State | None:
    try:
        return decode_json(_patiently((folder(out) / "state.json").read_bytes), State, "state.json")
    except (OSError, UsageError):
        return None


def _is_anybody_there(state: State) -> bool:
    return is_alive(state.keeper) or (state.trainer is not None and is_alive(state.trainer))
