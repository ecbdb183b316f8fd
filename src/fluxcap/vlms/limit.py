"""How many questions may be under way at once: found by trying, from what the server does under each number.

While the server answers about as soon as it did with fewer, the number doubles; then it grows by quarters, as long as throughput (counted
once the first question begun under a number has ended) gains at all. What gains nothing is taken back, and what costs nothing is left
out. After that it rests, and tries again ever more seldom.
"""

from __future__ import annotations

import math
from statistics import median, pvariance
from typing import Literal

_START = 2
_IN_STEP = 0.92
"""The time that a question took with fewer under way, by what it takes now: below it the server has no more room."""

_WORTH = 0.4
"""The share of its own growth that a larger number has to bring in throughput, to be kept."""

_COST = 0.15
"""The share of its own shrinking that a smaller number may cost in throughput, to be kept."""

_OUTLIER = 2.5
"""Times the median: a question that went down the ladder counts no longer than this."""

_SURE = 40
"""Questions without which nothing is decided but to double: times differ, and a few tell little."""

_REST, _LONGEST_REST = 4, 64
"""Rounds between trials; doubled by each that brings nothing."""

_ROOM = 1.1
"""Where growth has ended, so much more than the useful number is kept: a server that waits for us is worse than a short queue."""

Phase = Literal["fast", "up", "down", "rest"]


class Limit:
    """The number of questions that may be under way (``now``), by which the pool goes. ``fixed`` never changes.

    Work goes in rounds, each under one number. Times are in seconds of any one clock.
    """

    def __init__(self, most: int, fixed: int | None = None) -> None:
        self.now = fixed if fixed is not None else min(_START, most)
        self.peak = self.now
        self._fixed = fixed is not None
        self._most = most
        self._phase: Phase = "fast"
        self._base: tuple[int, float] | None = None  # number and throughput: what a trial is held against
        self._free: list[float] = []  # times of questions that waited for no other
        self._rests, self._rest_for = 0, _REST
        self._fewer = False  # whether fewer were tried since it grew last
        self._bounded = False  # the server refuses more, so that fewer are never tried
        self._round = self._begun = self._from = self._wanted = self._left = 0
        self._times: list[float] = []
        # when counting began (below 0: not yet), what ended since, and when the last did
        self._open, self._count, self._last = -1.0, 0, 0.0
        self._new_round()

    def begun(self) -> tuple[int, int]:
        """A question begins; what is returned goes to ``ended``."""
        self._begun += 1
        return self._round, self._begun

    def ended(self, token: tuple[int, int], seconds: float | None, at: float) -> None:
        """It ended at a time, after so many seconds; None where that tells nothing of the server."""
        number, place = token
        if self._fixed:
            return
        if number == self._round and self._from < place <= self._wanted:
            self._left -= 1
            if seconds is not None:
                self._times.append(seconds)
        if self._open >= 0 and at > self._open:
            self._count, self._last = self._count + 1, at
        elif self._open < 0 and number == self._round:
            self._open = at

    def settle(self) -> None:
        """Choose the number anew, if enough has ended; called before questions begin, when all that ended together is told."""
        if self._fixed:
            return
        if self._phase != "fast":
            if self._count >= max(self.now, _SURE):
                self._judge(self.now, self._count / (self._last - self._open))
                self._new_round()
        elif self._left <= 0:
            self._grow()

    def idle(self) -> None:
        """There was room and nothing to do: this round tells nothing."""
        if self._begun:
            self._new_round()

    def refused(self, token: tuple[int, int], others: int) -> None:
        """The server takes no more while ``others`` are under way: so many it does take."""
        if self._fixed:
            return
        self._bounded = True
        if others < self.now:
            self._set(others)
        if token[0] == self._round and self._phase == "up":
            self._rest_for = min(2 * self._rest_for, _LONGEST_REST)
        self._rest()

    def failed(self, token: tuple[int, int]) -> None:
        """The server failed under this number: half of it. More failures of questions begun before change nothing."""
        if self._fixed or token[0] != self._round:
            return
        self._set(self.now // 2)
        self._phase, self._free = "fast", []
        self._new_round()

    def _grow(self) -> None:
        if self._times and self._free and not self._in_step():
            if len(self._times) < _SURE:  # perhaps chance: as many again, that begin from now on
                self._from, self._wanted, self._left = self._begun, self._begun + self.now, self.now
                return
            # more was begun than the server does at once: by Little's law, throughput by the time that one takes with no queue
            useful = math.ceil(_ROOM * self.now * _mean(self._free) / _mean(self._times))
            self._set(min(self.now, useful))
            self._phase, self._base, self._fewer = "down", None, True
        elif self._times:
            self._free += self._times
            self._trial("fast")
        self._new_round()

    def _in_step(self) -> bool:
        """Whether the server answers about as soon as it did with fewer under way, but for what may be chance."""
        chance = math.hypot(*(math.sqrt(pvariance(times) / len(times)) for times in (self._free, self._times)))
        return _mean(self._free) >= _IN_STEP * (_mean(self._times) - chance)

    def _judge(self, number: int, rate: float) -> None:
        """What the throughput under this number says of the trial; outside of trials it is what they are held against."""
        base, self._base = self._base, (number, rate)
        if self._phase == "rest":
            if base is not None and base[0] == number and self._rests:
                self._base = (number, (base[1] * self._rests + rate) / (self._rests + 1))
            self._rests += 1
            if self._rests >= self._rest_for:
                self._fewer = not self._fewer and not self._bounded
                self._trial("down" if self._fewer else "up")
            return
        if base is None:
            self._trial(self._phase)
            return
        grown, gained = number / base[0] - 1, rate / base[1] - 1
        if gained >= (_WORTH if grown > 0 else _COST) * grown:
            self._rest_for = _REST
            self._trial(self._phase)
            return
        self._base = base
        self._set(base[0])
        if self._phase == "up" and not self._bounded and not self._fewer:
            self._fewer = True  # growth has ended: did it go too far already?
            self._trial("down")
            return
        self._rest_for = min(2 * self._rest_for, _LONGEST_REST)
        self._rest()

    def _trial(self, phase: Phase) -> None:
        quarter = 1 if self._bounded else max(1, self.now // 4)
        faster = 2 * self.now if self.now > _START else self.now + 1  # most small servers take one question or two
        wanted = {"fast": faster, "up": self.now + quarter, "down": self.now - quarter}[phase]
        wanted = max(1, min(wanted, self._most))
        if wanted == self.now:
            self._rest()
            return
        self._set(wanted)
        self._phase = phase

    def _rest(self) -> None:
        self._phase, self._rests = "rest", 0
        self._new_round()

    def _set(self, number: int) -> None:
        self.now = max(1, min(number, self._most))
        self.peak = max(self.peak, self.now)

    def _new_round(self) -> None:
        self._round += 1
        self._begun = self._from = 0
        self._wanted = self._left = max(self.now, 3)
        self._times = []
        self._open, self._count, self._last = -1.0, 0, 0.0


def _mean(times: list[float]) -> float:
    longest = _OUTLIER * median(times)
    return max(1e-6, sum(min(seconds, longest) for seconds in times) / len(times))
