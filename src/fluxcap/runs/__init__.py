"""The run reader: what a trainer's output folder holds, by step. Shown while it trains, and ranked afterwards."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fluxcap.runs import logs
from fluxcap.runs.console import Console
from fluxcap.runs.rules import Rules, common, rules
from fluxcap.runs.types import Checkpoint, Loss, Progress, Run, Sample
from fluxcap.runs.weights import told_step

__all__ = ["Checkpoint", "Console", "Loss", "Progress", "Run", "Sample", "read", "rules"]


def read(out: Path, trainer: str) -> Run:
    """What lies in ``out``: an export's folder, the trainer's output in it, or any folder that holds a run of that trainer.

    A folder that is not there is an empty run. Of two files for one step and prompt, as after a resume, the newer counts.
    Samples that go by epochs have no step, and are left out but for those before the first, of which the oldest count. Raises ``UsageError`` for a
    trainer that is not known.
    """
    how = rules(trainer)
    files = list(_files(out))
    losses = how.losses
    found = () if losses is None else logs.losses(_fitting(out, files, losses.file), losses.kind, losses.key)
    samples = _samples(out, files, how)
    known = [*(one.step for one in samples), *(loss.step for loss in found)]
    return Run(
        trainer=trainer,
        folder=out,
        checkpoints=_checkpoints(out, files, how, known),
        samples=samples,
        losses=found,
        near=how.near,
    )


def _files(out: Path) -> Iterator[str]:
    """Paths of files under the folder, with '/'; caches and pictures of the set are not looked into."""
    skip = common().skip
    for place, folders, names in os.walk(out):
        folders[:] = sorted(name for name in folders if not skip.search(name))
        inner = Path(place).relative_to(out).as_posix()
        yield from (name if inner == "." else f"{inner}/{name}" for name in sorted(names))


def _fitting(out: Path, files: list[str], pattern: re.Pattern[str]) -> list[Path]:
    return [out / path for path in files if pattern.search(path)]


def _checkpoints(out: Path, files: list[str], how: Rules, known: list[int]) -> tuple[Checkpoint, ...]:
    found: dict[tuple[int | None, bool], tuple[float, Checkpoint]] = {}
    for path in files:
        one = _checkpoint(out / path, path, how)
        if one is None:
            continue
        changed = _changed(one.path)
        key = (one.step, one.final)
        if key not in found or found[key][0] <= changed:
            found[key] = changed, one
    checkpoints = [one for _, one in found.values()]
    last = max((*known, *(one.step for one in checkpoints if one.step is not None)), default=None)
    settled = [
        replace(one, step=last, told_by="log") if one.final and one.step is None and last is not None else one
        for one in checkpoints
    ]
    return tuple(sorted(settled, key=lambda one: (one.final, one.step is None, one.step or 0)))


def _checkpoint(file: Path, path: str, how: Rules) -> Checkpoint | None:
    for pattern in how.checkpoints:
        match = pattern.search(path)
        if match is None:
            continue
        told = match.groupdict().get("step")
        if told is not None:
            return Checkpoint(step=int(told), path=file)
        step = told_step(file, how.metadata)
        return Checkpoint(step=step, path=file, told_by="nothing" if step is None else "file")
    if how.final is None or not how.final.search(path):
        return None
    step = told_step(file, how.metadata)
    return Checkpoint(step=step, path=file, final=True, told_by="nothing" if step is None else "file")


def _samples(out: Path, files: list[str], how: Rules) -> tuple[Sample, ...]:
    media = _media(out, files, how)
    found: dict[tuple[int, str], tuple[str, Sample]] = {}
    for path in files:
        match = next((match for pattern in how.samples if (match := pattern.search(path))), None)
        zero = match is None and how.step_zero is not None
        if zero and how.step_zero:
            match = how.step_zero.search(path)
        if match is None:
            continue
        parts = match.groupdict()
        step = int(parts.get("step") or 0)
        step, label = media.get(out / path, (step, parts.get("label") or ""))
        one = Sample(step=step, prompt=int(parts.get("prompt") or 0), label=label, path=out / path)
        key = (step, parts.get("prompt") or label)
        order = parts.get("at") or ""
        if key not in found or (order < found[key][0] if zero else order >= found[key][0]):
            found[key] = order, one
    samples = [one for _, one in found.values()]
    if how.samples and "prompt" not in how.samples[0].groupindex:
        labels = sorted({one.label for one in samples})
        samples = [replace(one, prompt=labels.index(one.label)) for one in samples]
    return tuple(sorted(samples, key=lambda one: (one.step, one.prompt)))


def _media(out: Path, files: list[str], how: Rules) -> Mapping[Path, tuple[int, str]]:
    """Step and label by picture, from a list that the trainer keeps; names of files alone may be read in two ways."""
    told: dict[Path, tuple[int, str]] = {}
    for file in _fitting(out, files, how.media) if how.media else ():
        for row in logs.rows(file):
            path, step, label = row.get("path"), row.get("step"), row.get("label")
            if isinstance(path, str) and isinstance(step, int) and isinstance(label, str):
                told[file.parent / path] = step, label
    return told


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
