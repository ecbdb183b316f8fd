"""The keeper: a small process of its own that runs the trainer's commands one after the other and sees how they end.

It lives in its own session, so that a closed terminal ends neither it nor the trainer; ``fluxcap train`` only looks on.
Started as ``python -m fluxcap.training.keeper OUT`` with the job on its standard input.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from fluxcap.codec import decode_json
from fluxcap.errors import FluxcapError
from fluxcap.runs.console import COMMAND
from fluxcap.training import job as jobs
from fluxcap.training.environment import surroundings
from fluxcap.training.job import Job, State, Step
from fluxcap.training.processes import ProcessId, family, identify, is_alive, start, tell
from fluxcap.training.rules import waits

BUSY = 75
"""Exit code where a training runs in the folder already."""

_LOOK = 0.2
"""Seconds between two looks at the trainer."""


def keep(out: Path, job: Job) -> int:
    """Run a job to its end, whatever that is; the exit code of the command that ended it. Raises ``FluxcapError`` where busy."""
    with jobs.lock(out):
        if jobs.is_running(out):
            raise jobs.already(out)
        jobs.forget_stop(out)
        me = identify(os.getpid()) or ProcessId(pid=os.getpid(), born="")
        state = State(status="starting", keeper=me, began=time.time())
        jobs.write_job(out, job)
        jobs.write_state(out, state)
        log = Path(job.log)
        log.parent.mkdir(parents=True, exist_ok=True)
        code = 0
        for number, step in enumerate(job.commands):
            state = replace(state, command=number)
            code, state = _run(out, step, log, state)
            if code != 0 or jobs.asked_to_stop(out):
                break
        stopped = jobs.asked_to_stop(out) is not None
        status: jobs.Status = "stopped" if stopped else "failed" if code else "done"
        jobs.write_state(out, replace(state, status=status, exit_code=code, ended=time.time()))
        jobs.forget_stop(out)
        return code


def _run(out: Path, step: Step, log: Path, state: State) -> tuple[int, State]:
    with log.open("ab") as output:
        output.write(f"{COMMAND}{subprocess.list2cmdline(step.argv)}\n".encode("utf-8", "replace"))
        output.flush()
        try:
            child = start(step.argv, env=surroundings(os.environ, step), folder=Path(step.folder), output=output)
        except OSError as error:
            output.write(f"{step.argv[0]} cannot be started: {error}\n".encode("utf-8", "replace"))
            return 127, state
    state = replace(state, status="running", trainer=identify(child.pid) or ProcessId(pid=child.pid, born=""))
    jobs.write_state(out, state)
    while child.poll() is None and not jobs.asked_to_stop(out):
        time.sleep(_LOOK)
    if child.poll() is None:
        state = replace(state, status="stopping")
        jobs.write_state(out, state)
        end(child, out)
    return child.wait(), state


def end(child: subprocess.Popen[bytes], out: Path) -> None:
    """End a trainer and all below it: gently, then firmly, then hard; at once where somebody is in a hurry."""
    gentle, firm = waits()
    below = family(child.pid)
    tell(child.pid, "gentle")
    if not _ends(child, gentle, out):
        below = _all(below, family(child.pid))
        tell(child.pid, "firm", below)
        _ends(child, firm, None)
    left = _all(below, family(child.pid))
    if child.poll() is None or any(map(is_alive, left)):
        tell(child.pid, "hard", left)
    child.wait()


def _ends(child: subprocess.Popen[bytes], seconds: float, out: Path | None) -> bool:
    """Whether it ends by itself in this time; not waited for longer than somebody has patience."""
    until = time.monotonic() + seconds
    while time.monotonic() < until and not (out is not None and jobs.asked_to_stop(out) == "now"):
        if child.poll() is not None:
            return True
        time.sleep(_LOOK / 4)
    return child.poll() is not None


def _all(one: tuple[ProcessId, ...], other: tuple[ProcessId, ...]) -> tuple[ProcessId, ...]:
    return tuple({process.pid: process for process in (*one, *other)}.values())


def main() -> int:
    """Read the job, close what belongs to who started us, and keep it."""
    out = Path(sys.argv[1])
    job = decode_json(sys.stdin.buffer.read(), Job, "the job")
    try:
        return 0 if keep(out, job) == 0 else 1
    except FluxcapError:
        return BUSY


if __name__ == "__main__":
    sys.exit(main())
