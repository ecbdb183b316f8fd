"""What a trainer says while it trains: pieces of its console's text in, how far it is out. No I/O."""

from __future__ import annotations

import math
import re
from collections import deque
from dataclasses import replace

from fluxcap.runs.rules import common, rules
from fluxcap.runs.types import Progress

COMMAND = "$ "
"""Begins the line that tells which command was started."""

_KEPT = 200
"""Last lines that are kept: a traceback with what led to it."""

_LONGEST = 100_000
"""Signs without an end of line after which the rest is cut: no line is that long, but a broken tool's output may be."""


class Console:
    """Follows a console. Feed it what comes; ``progress``, ``stage`` and ``lines`` tell what it knows by now.

    ``steps`` is the whole training's length, for trainers that do not say it; ``resumed``: the training goes on from an
    earlier one, where some trainers count what is left.
    """

    def __init__(self, trainer: str, *, steps: int | None = None, resumed: bool = False) -> None:
        self._rules = rules(trainer)
        self._steps = steps
        self._rest = resumed and self._rules.counts_rest
        self._epochs: tuple[int, int] | None = None
        self._open = ""
        self.progress: Progress | None = None
        """How far the training is; None before its first step."""
        self.stage = ""
        """What it does beside training: the last line, or another bar than the training's."""
        self.lines: deque[str] = deque(maxlen=_KEPT)
        """The last lines, without bars and signs that steer a terminal."""

    def feed(self, text: str) -> None:
        """More of the console, cut anywhere."""
        *whole, self._open = re.split(r"[\r\n]", self._open + text)
        for line in whole:
            self._take(line)
        if self._open.rstrip().endswith("]"):  # tqdm ends no line: the newest bar stands open
            self._take(self._open, whole=False)
        self._open = self._open[-_LONGEST:]

    def _take(self, line: str, *, whole: bool = True) -> None:
        plain = common().control.sub("", line).strip()
        if not plain:
            return
        bars = list(common().bar.finditer(plain))
        for bar in bars:
            self._bar(bar)
        if bars:
            plain = plain[bars[-1].end() :].strip()  # what is written next stands behind a bar, which ends no line
        if plain and whole:
            if not self._line(plain) and not plain.startswith(COMMAND):
                self.stage = plain
            self.lines.append(plain)

    def _line(self, plain: str) -> bool:
        found = self._rules.line.search(plain) if self._rules.line else None
        if found is None:
            return False
        seconds = _number(found["seconds"])
        self.progress = Progress(
            step=int(found["done"]),
            steps=self._steps,
            loss=_number(found["loss"]),
            rate=1 / seconds if seconds else None,
        )
        return True

    def _bar(self, bar: re.Match[str]) -> None:
        desc, said = bar["desc"].strip(), bar["said"] or ""
        done, total = int(bar["done"]), int(bar["total"])
        if self._rules.outer and self._rules.outer.fullmatch(desc):
            if self._epochs is None or self._epochs[0] != done:
                self._epochs = done, total
            return
        if not self._is_training(desc, said):
            self.stage = f"{desc} {done}/{total}" if desc else self.stage
            return
        step, steps = done, total
        if self._rules.outer:
            epoch, epochs = self._epochs or (0, 1)
            step, steps = epoch * total + done, epochs * total
        elif self._rest and self._steps and total < self._steps:
            step, steps = self._steps - total + done, self._steps
        loss = self._rules.loss.search(said) if self._rules.loss else None
        before = self.progress or Progress(step=0)
        self.stage = ""
        self.progress = replace(
            before,
            step=step,
            steps=steps,
            loss=_number(loss["loss"]) if loss else before.loss,
            rate=_rate(bar) or before.rate,
        )

    def _is_training(self, desc: str, said: str) -> bool:
        if self._rules.bar:
            return self._rules.bar.fullmatch(desc) is not None
        return self._rules.said is not None and self._rules.said.search(said) is not None


def _rate(bar: re.Match[str]) -> float | None:
    rate = _number(bar["rate"])
    if not rate:
        return None
    return rate if bar["unit"] == "it/s" else 1 / rate


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
