"""Training: a set is exported, the trainer's own command is started on it, and what it does is shown.

The trainer runs below a keeper (``training.keeper``), a process of its own: what starts it and what shows it may come and go.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap import registry, runs
from fluxcap.codec import encode_json
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.training import job as jobs
from fluxcap.training.environment import find_python, step
from fluxcap.training.job import Job, Step
from fluxcap.training.keeper import BUSY
from fluxcap.training.processes import is_alive, start, tell
from fluxcap.training.rules import resuming
from fluxcap.training.watching import Ending, Seen, Watch, ending

if TYPE_CHECKING:  # the keeper imports this package too, and stays for hours
    from fluxcap.exporters import Exporter
    from fluxcap.exporting import Exported
    from fluxcap.observe import Progress

__all__ = ["Begun", "Ending", "Seen", "Watch", "begin", "default_out", "ending", "stop"]

_UP = 30.0
"""Seconds in which a keeper must have come up."""

_KEEPERS: list[subprocess.Popen[bytes]] = []
"""Started by this process, and never waited for: they outlive it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A training that was started, or an export that was refused, with no job then. ``notices`` are told to the person."""

    exported: Exported
    job: Job | None = None
    notices: tuple[str, ...] = ()


def default_out(folder: Path, trainer: str) -> Path:
    """Where a set is exported to when nobody says: beside its folder."""
    here = folder.absolute()
    return here.parent / f"{here.name}-{trainer}"


def begin(
    folder: Path,
    out: Path,
    *,
    trainer: str,
    home: Path,
    python: Path | None = None,
    overrides: Mapping[str, object] | None = None,
    models: str | None = None,
    extra: Sequence[str] = (),
    resume: bool = False,
    progress: Progress = lambda done, _: iter(done),
) -> Begun:
    """Export a set and start its trainer, which lies in ``home``; returns when it runs. Look on with :class:`Watch`.

    ``extra`` are words after the training's own command; ``resume`` goes on with the run that lies in ``out``. Nothing
    starts where the check refuses the set. Raises ``UsageError`` for what is named wrongly or missing, ``FluxcapError`` where
    a training runs there already or the trainer cannot go on.
    """
    from fluxcap.exporting import RUN, export

    exporter: Exporter = registry.load("exporter", trainer)()
    if exporter.neutral:
        raise UsageError(f"{trainer} is no trainer", "name one: ai-toolkit, kohya, onetrainer, simpletuner ...")
    if not home.is_dir():
        raise UsageError(f"--trainer-path {home} is no folder", f"name {exporter.home}")
    interpreter = find_python(home, python)
    out = out.absolute()
    if jobs.is_running(out):
        raise jobs.already(out)
    words = _resumed(out / RUN, trainer, resume)
    before = jobs.read_job(out)
    done = export(folder, out, trainer=trainer, overrides=overrides, models=models, progress=progress)
    if done.refused or done.given is None or done.rendered is None:
        return Begun(exported=done)
    _refuse_missing(done, models)
    commands = [step(command, home, interpreter) for command in done.rendered.commands]
    commands[-1] = _longer(commands[-1], [*words, *extra])
    places = done.given.places
    job = Job(
        trainer=trainer,
        title=exporter.title,
        commands=tuple(commands),
        run=places.output,
        log=new_log(out / "logs", datetime.now().astimezone()).as_posix(),
        dataset=places.dataset,
        steps=done.given.recipe.steps,
        resumed=resume,
    )
    _start(out, job)
    changed = resume and before is not None and before.dataset != places.dataset
    told = "pictures or captions changed since this run began; it goes on with the new ones"
    return Begun(exported=done, job=job, notices=(told,) if changed else ())


def stop(out: Path, how: jobs.Urgency = "gently") -> bool:
    """Ask a training to end, ``now`` without patience; False where none runs. It has not ended yet when this returns."""
    state = jobs.is_running(out)
    if state is None:
        return False
    jobs.ask_to_stop(out, how)
    if state.trainer is not None and not is_alive(state.keeper):
        tell(state.trainer.pid, "gentle" if how == "gently" else "hard")
    return True


def new_log(folder: Path, now: datetime) -> Path:
    """A log that is not there yet: two runs of one second must not share one, or the first one's end is told of the second."""
    name = f"{now:%Y%m%d-%H%M%S}"
    names = (name, *(f"{name}-{number}" for number in range(2, 1000)))
    return next(path for one in names if not (path := folder / f"{one}.log").exists())


def _start(out: Path, job: Job) -> None:
    """Start the keeper and wait until it says that it keeps the job."""
    before = time.time()
    place = jobs.folder(out)
    place.mkdir(parents=True, exist_ok=True)
    argv = (sys.executable, "-m", "fluxcap.training.keeper", str(out))
    with (place / "keeper.log").open("wb") as log:
        keeper = start(argv, env=os.environ, folder=out, output=log, own_console=True, spoken_to=True)
    _KEEPERS[:] = [one for one in (*_KEEPERS, keeper) if one.poll() is None]
    assert keeper.stdin is not None
    try:
        keeper.stdin.write(encode_json(job).encode())
        keeper.stdin.close()
    except OSError:
        pass  # it ended already; its exit code says why
    try:
        _wait_for(keeper, out, before)
    except KeyboardInterrupt:
        keeper.terminate()
        stop(out)
        raise


def _wait_for(keeper: subprocess.Popen[bytes], out: Path, before: float) -> None:
    """Until the keeper says that it keeps a job; raises ``FluxcapError`` where it ends instead."""
    until = time.monotonic() + _UP
    while time.monotonic() < until:
        state = jobs.read_state(out)
        if state is not None and state.began >= before:
            return
        code = keeper.poll()
        if code is not None:
            if code == BUSY:
                raise jobs.already(out)
            break
        time.sleep(0.05)
    raise FluxcapError("the training did not start", f"see {jobs.folder(out) / 'keeper.log'}")


def _longer(command: Step, words: Sequence[str]) -> Step:
    return replace(command, argv=(*command.argv, *words))


def _refuse_missing(done: Exported, models: str | None) -> None:
    """Refuse a training whose model is not there, before it loads for minutes. Raises ``UsageError``."""
    assert done.given is not None
    assert done.rendered is not None
    if not done.rendered.placeholders:
        return
    if models is None:
        raise UsageError(f"{done.trainer} wants the model's files", "name the folder that holds them: --models FOLDER")
    place = done.given.places.models
    texts = [word for command in done.rendered.commands for word in command.argv] + list(done.rendered.files.values())
    named = {path for text in texts for path in re.findall(re.escape(place) + r"/[^\s\"']+", text)}
    missing = sorted(path for path in named if not Path(path).exists())
    if missing:
        raise UsageError(
            f"files of the model are missing: {', '.join(missing)}", "bring them there, or name another --models"
        )


def _resumed(place: Path, trainer: str, resume: bool) -> tuple[str, ...]:
    """The words that make a trainer go on; refuses to begin anew where a run lies, and to go on where none does."""
    how = resuming(trainer)
    if not resume:
        checkpoints = runs.read(place, trainer).checkpoints
        if checkpoints:
            steps = max((one.step for one in checkpoints if one.step is not None), default=None)
            upto = "" if steps is None else f", up to step {steps}"
            raise UsageError(
                f"{place.parent} holds a run already{upto}", "go on with it: --resume; or train anew into another --out"
            )
        return ()
    if how.resume is None:
        raise FluxcapError(how.cannot, "train anew into another --out")
    found = [path for pattern in how.needs for path in place.glob(pattern)]
    if not found:
        raise FluxcapError(
            f"there is nothing to go on from in {place}", how.cannot or "start the training without --resume"
        )
    newest = max(found, key=lambda path: path.stat().st_mtime).as_posix()
    return tuple(word.replace("{found}", newest) for word in how.resume)
