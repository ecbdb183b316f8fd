"""Processes: started in a session of their own, told to end gently and then less so, known again by pid and birth.

On POSIX a signal goes to the whole group and to all descendants, of which launchers start some in groups of their own. On
Windows a group gets Ctrl-Break through the console that it shares with its keeper.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

WINDOWS = os.name == "nt"

How = Literal["gentle", "firm", "hard"]

_NEW_GROUP = 0x00000200  # CREATE_NEW_PROCESS_GROUP
_NO_WINDOW = 0x08000000  # CREATE_NO_WINDOW: a console of its own that nobody sees, so that closing ours does not end it
_QUERY = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_STILL_ACTIVE = 259


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessId:
    """A process for good: its number and its birth, since systems give numbers out again. ``born`` is '' where unknown."""

    pid: int
    born: str


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    folder: Path,
    output: IO[bytes],
    own_console: bool = False,
    spoken_to: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own: it outlives our terminal, and Ctrl-C there does not reach it.

    ``own_console`` gives it a console of its own on Windows; ``spoken_to``: its standard input is a pipe, else it is empty.
    Raises ``OSError``.
    """
    options: dict[str, Any] = {"start_new_session": True}
    if WINDOWS:
        options = {"creationflags": _NEW_GROUP | (_NO_WINDOW if own_console else 0)}
    return subprocess.Popen(
        list(argv),
        env=dict(env),
        cwd=folder,
        stdin=subprocess.PIPE if spoken_to else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        **options,
    )


def identify(pid: int) -> ProcessId | None:
    """The process of this number as it is now; None where there is none, or only its remains (a zombie)."""
    born = _born_windows(pid) if WINDOWS else _born_posix(pid)
    return None if born is None else ProcessId(pid=pid, born=born)


def is_alive(process: ProcessId) -> bool:
    """Whether this very process runs, and not another one with its number."""
    now = identify(process.pid)
    return now is not None and (now.born == process.born or not now.born or not process.born)


def family(pid: int) -> tuple[ProcessId, ...]:
    """The processes below this one; on Windows none, where the tree is ended by another tool."""
    children: dict[int, list[int]] = {}
    for child, parent in _parents():
        children.setdefault(parent, []).append(child)
    found: list[int] = []
    waiting = [pid]
    while waiting:
        below = [one for one in children.get(waiting.pop(), ()) if one not in found]
        found += below
        waiting += below
    return tuple(one for one in map(identify, found) if one is not None)


def tell(pid: int, how: How, others: Iterable[ProcessId] = ()) -> None:
    """Tell the group of ``pid`` to end, and ``others`` where it has to be hard; who is gone already is no error.

    ``gentle`` is what Ctrl-C does (Ctrl-Break on Windows), ``firm`` asks to end at once, ``hard`` does not ask.
    """
    if WINDOWS:
        _tell_windows(pid, how)
        return
    number = {"gentle": signal.SIGINT, "firm": signal.SIGTERM, "hard": signal.SIGKILL}[how]
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
    if how == "gentle":
        return  # launchers hand it on in their own way; twice would cut their saving short
    for one in others:
        if is_alive(one):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(one.pid, number)


def _tell_windows(pid: int, how: How) -> None:
    if how == "gentle":
        with suppress(OSError):
            os.kill(pid, getattr(signal, "CTRL_BREAK_EVENT", 1))
        return
    force = ["/F"] if how == "hard" else []
    with suppress(OSError):
        subprocess.run(["taskkill", *force, "/T", "/PID", str(pid)], capture_output=True, check=False)


def _born_posix(pid: int) -> str | None:
    if not Path("/proc/self/stat").exists():
        return _born_by_ps(pid)
    fields = _stat(pid)
    if fields is None or fields[0] in "ZX":
        return None
    boot = ""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return f"{boot}/{fields[19]}"


def _stat(pid: int) -> list[str] | None:
    """What Linux says of a process, from its state (field 3 of proc(5)) on; its name before may hold anything."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()
    return fields if len(fields) >= 20 else None


def _born_by_ps(pid: int) -> str | None:
    """Where there is no /proc, as on macOS."""
    told = _ps(["-o", "stat=,lstart=", "-p", str(pid)]).split(maxsplit=1)
    return None if len(told) < 2 or told[0].startswith("Z") else told[1].strip()


def _parents() -> list[tuple[int, int]]:
    """Every process with the one that it is below of."""
    if WINDOWS:
        return []
    if Path("/proc/self/stat").exists():
        numbers = [int(entry.name) for entry in os.scandir("/proc") if entry.name.isdigit()]
        return [(number, int(fields[1])) for number in numbers if (fields := _stat(number)) is not None]
    return _parents_by_ps()


def _parents_by_ps() -> list[tuple[int, int]]:
    rows = (line.split() for line in _ps(["-A", "-o", "pid=,ppid="]).splitlines())
    return [(int(row[0]), int(row[1])) for row in rows if len(row) == 2 and row[0].isdigit() and row[1].isdigit()]


def _ps(options: Sequence[str]) -> str:
    with suppress(OSError):
        done = subprocess.run(["ps", *options], capture_output=True, check=False, env={**os.environ, "LC_ALL": "C"})
        return done.stdout.decode("ascii", "replace")
    return ""


def _born_windows(pid: int) -> str | None:
    kernel: Any = ctypes.WinDLL("kernel32") if hasattr(ctypes, "WinDLL") else None
    if kernel is None:
        return None
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(_QUERY, False, pid)
    if not handle:
        return None
    try:
        code = ctypes.c_ulong()
        times = [ctypes.c_ulonglong() for _ in range(4)]
        handed = ctypes.c_void_p(handle)
        if not kernel.GetExitCodeProcess(handed, ctypes.byref(code)) or code.value != _STILL_ACTIVE:
            return None
        if not kernel.GetProcessTimes(handed, *(ctypes.byref(one) for one in times)):
            return ""
        return str(times[0].value)
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
