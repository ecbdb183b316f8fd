"""What is read of a training: how far it is, what it saved, which pictures it made. Steps are training steps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a training is. ``rate`` is in steps a second, ``left`` in seconds; None where nothing tells it."""

    step: int
    steps: int | None = None
    loss: float | None = None
    rate: float | None = None

    @property
    def left(self) -> float | None:
        """Seconds to the end at this rate; samples on the way are not counted."""
        if not self.rate or self.steps is None:
            return None
        return max(0, self.steps - self.step) / self.rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A picture made while training. ``prompt`` is the prompt's number, ``label`` its name where the trainer keeps it."""

    step: int
    prompt: int
    path: Path
    label: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A saved LoRA. ``step`` is as the trainer counts, and ``told_by`` says what tells it; None where nothing does."""

    step: int | None
    path: Path
    final: bool = False
    told_by: Literal["name", "file", "log", "nothing"] = "name"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """The loss of one step. ``at`` is the time in seconds since 1970."""

    step: int
    value: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What lies in a run's folder.

    ``checkpoints`` go by step, the final one last; ``samples`` by step and prompt; ``losses`` by step. ``near`` is the
    number of steps that may lie between a checkpoint and its samples.
    """

    trainer: str
    folder: Path
    checkpoints: tuple[Checkpoint, ...] = ()
    samples: tuple[Sample, ...] = ()
    losses: tuple[Loss, ...] = ()
    near: int = 0

    def samples_of(self, checkpoint: Checkpoint) -> tuple[Sample, ...]:
        """The samples that this checkpoint made, by prompt: those of its step, or of the nearest within ``near``."""
        if checkpoint.step is None:
            return ()
        steps = {one.step for one in self.samples if abs(one.step - checkpoint.step) <= self.near}
        if not steps:
            return ()
        nearest = min(steps, key=lambda step: (abs(step - (checkpoint.step or 0)), -step))
        return tuple(one for one in self.samples if one.step == nearest)
