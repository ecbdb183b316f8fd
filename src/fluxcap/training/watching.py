"""Looking on: how a training stands, from its console and the files it writes. Nothing here changes it."""

from __future__ import annotations

import codecs
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fluxcap import runs
from fluxcap.runs import Checkpoint, Console, Loss, Progress, Run, Sample
from fluxcap.training.job import RUNNING, Job, Status, read_job, read_state
from fluxcap.training.rules import failure, last_words

_FILES_EVERY = 3.0
"""Seconds between two looks into the run's folder."""

_MEAN = 50
"""Steps over which the shown loss is the mean: one step's loss tells little, since each has another noise."""

_AT_ONCE = 1 << 20
"""Bytes read of a log at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One look. ``stage`` is what it does beside training; ``samples`` and ``checkpoints`` are those new since the last look."""

    status: Status
    progress: Progress | None
    stage: str
    samples: tuple[Sample, ...] = ()
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a training stands or ended. ``reason`` and ``hint`` say in words why it failed, ``words`` are the trainer's own."""

    status: Status
    exit_code: int | None
    reason: str
    hint: str
    words: str
    last: tuple[str, ...]
    log: Path
    progress: Progress | None
    run: Run


class _Log:
    """A file that grows, read on from where the last look ended."""

    def __init__(self, path: Path) -> None:
        self._path, self._place = path, 0
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def more(self) -> Iterator[str]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._place)
                while data := file.read(_AT_ONCE):
                    self._place += len(data)
                    yield self._decoder.decode(data)
        except OSError:
            return


class Watch:
    """Looks on at the training of an export's folder; what was told once is not told as new again."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._job = read_job(out)
        self._console = _console(self._job) if self._job else None
        self._log = _Log(Path(self._job.log)) if self._job else None
        self._known: set[Path] = set()
        self._losses: tuple[Loss, ...] = ()
        self._looked = -_FILES_EVERY

    def looks(self, every: float = 0.5) -> Iterator[Seen]:
        """One look each ``every`` seconds until the training ends, the last after its end. Nothing where none ever ran."""
        while self._job is not None:
            seen = self.look()
            yield seen
            if seen.status not in RUNNING:
                return
            time.sleep(every)

    def look(self) -> Seen:
        """How it stands."""
        assert self._job is not None
        assert self._console is not None
        assert self._log is not None
        state = read_state(self._out)  # before the log is read, so that the last look misses nothing
        status: Status = state.status if state else "lost"
        for text in self._log.more():
            self._console.feed(text)
        samples: tuple[Sample, ...] = ()
        checkpoints: tuple[Checkpoint, ...] = ()
        if status not in RUNNING or time.monotonic() - self._looked >= _FILES_EVERY:
            run, self._looked = runs.read(Path(self._job.run), self._job.trainer), time.monotonic()
            self._losses = run.losses
            samples = tuple(one for one in run.samples if one.path not in self._known)
            checkpoints = tuple(one for one in run.checkpoints if one.path not in self._known)
            self._known.update(one.path for one in samples)
            self._known.update(one.path for one in checkpoints)
        return Seen(
            status=status,
            progress=_progress(self._console.progress, self._losses, self._job.steps, state.began if state else 0.0),
            stage=self._console.stage,
            samples=samples,
            checkpoints=checkpoints,
        )


def ending(out: Path) -> Ending | None:
    """How the last training of this folder stands or ended, and what it made; None where none ever ran."""
    job, state = read_job(out), read_state(out)
    if job is None or state is None:
        return None
    console = _console(job)
    for text in _Log(Path(job.log)).more():
        console.feed(text)
    run = runs.read(Path(job.run), job.trainer)
    found = failure(console.lines, state.exit_code) if state.status in ("failed", "lost") else None
    return Ending(
        status=state.status,
        exit_code=state.exit_code,
        reason=found.means if found else "",
        hint=found.hint if found else "",
        words=last_words(console.lines) if state.status == "failed" else "",
        last=tuple(console.lines)[-8:],
        log=Path(job.log),
        progress=_progress(console.progress, run.losses, job.steps, state.began),
        run=run,
    )


def _console(job: Job) -> Console:
    return Console(job.trainer, steps=job.steps, resumed=job.resumed)


def _progress(said: Progress | None, losses: tuple[Loss, ...], steps: int, began: float) -> Progress | None:
    """What the console says, with a calmer loss from the trainer's log; that log alone where the console says nothing."""
    fresh = [one for one in losses if one.at >= began]
    if said is None and not fresh:
        return None
    mean = sum(one.value for one in losses[-_MEAN:]) / len(losses[-_MEAN:]) if losses else None
    if said is not None:
        return Progress(step=said.step, steps=said.steps, loss=mean if mean is not None else said.loss, rate=said.rate)
    last = fresh[-20:]
    seconds = last[-1].at - last[0].at
    rate = (last[-1].step - last[0].step) / seconds if seconds > 0 else None
    return Progress(step=last[-1].step, steps=steps, loss=mean, rate=rate)
