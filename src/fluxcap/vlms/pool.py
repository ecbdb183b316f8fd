"""Work on many pictures at once: as many as the server makes good use of, tried again where it was busy or down, memory flat.

Time is that of the running event loop, so that a test with a loop of its own waits for nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from fluxcap.errors import FluxcapError
from fluxcap.vlms.limit import Limit
from fluxcap.vlms.types import Busy, Denied, Down, NotReady, NoVision, UnknownModel

J = TypeVar("J")
R = TypeVar("R")

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
"""Seconds before a job is tried again; doubled each time, with up to half of it taken off at random."""

_LOADING = 10.0
"""Seconds; the longest wait for a model that is being loaded."""

_OWN_FAULT = 6
"""Times that the server may fail over one picture while it answers for others; then the picture is to blame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """How many jobs ended (left ones too), in how many seconds, and the most that were allowed under way at once."""

    done: int
    seconds: float
    peak_slots: int


async def run(
    jobs: AsyncIterator[J] | Iterator[J],
    work: Callable[[J], Awaitable[R]],
    done: Callable[[J, R | FluxcapError], None],
    *,
    slots: int | None = None,
    most: int = 64,
    patience: float = 600,
    chance: random.Random | None = None,
) -> Rate:
    """Do the work of every job and hand each to ``done`` as it ends, with its result or with the error it is left with.

    ``slots`` are under way at once; None: as many as the server makes use of, ``most`` at most. Jobs are taken only as there is
    room. ``Busy``, ``NotReady`` and ``Down`` are tried again for ``patience`` seconds; once the server has answered nobody for
    that long, whatever is left gets that error untried. ``Denied``, ``UnknownModel``, ``NoVision`` and what is no
    ``FluxcapError`` end everything and are raised; so does cancelling, which drops what is under way.
    """
    pool = _Pool(jobs, work, done, Limit(max(1, most), max(1, slots) if slots else None), patience, chance)
    return await pool.run()


@dataclass(slots=True)
class _Job(Generic[J]):
    """A job that was taken: when it first failed, how often it was tried, and how often it failed while others did not."""

    job: J
    number: int
    since: float | None = None
    tries: int = 0
    alone: int = 0
    token: tuple[int, int] = (0, 0)
    begun: float = 0.0
    answers: int = 0


@dataclass(slots=True)
class _Ended(Generic[R]):
    """How one try ended, and when."""

    outcome: R | FluxcapError
    at: float


@dataclass(slots=True)
class _Trouble:
    """What the server's failures add up to. Nobody is asked before ``hold``; ``since`` nobody was answered."""

    hold: float = 0.0
    since: float | None = None
    row: int = 0
    answers: int = 0
    given_up: FluxcapError | None = field(default=None)


class _Pool(Generic[J, R]):
    def __init__(
        self,
        jobs: AsyncIterator[J] | Iterator[J],
        work: Callable[[J], Awaitable[R]],
        done: Callable[[J, R | FluxcapError], None],
        limit: Limit,
        patience: float,
        chance: random.Random | None,
    ) -> None:
        self._jobs, self._work, self._done = jobs, work, done
        self._limit, self._patience = limit, patience
        self._chance = chance or random.Random()
        self._flying: dict[asyncio.Task[_Ended[R]], _Job[J]] = {}
        self._waiting: list[tuple[float, int, _Job[J]]] = []
        self._pull: asyncio.Future[J] | None = None
        self._dry = False
        self._trouble = _Trouble()
        self._taken = self._finished = 0

    async def run(self) -> Rate:
        start = self._now()
        try:
            while await self._begin():
                await self._pause()
        except asyncio.CancelledError:
            self._collect()  # what has ended is not lost
            raise
        finally:
            tasks: list[asyncio.Future[object]] = [*self._flying, *([self._pull] if self._pull else [])]  # type: ignore[list-item]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return Rate(done=self._finished, seconds=self._now() - start, peak_slots=self._limit.peak)

    async def _begin(self) -> bool:
        """Begin what there is room for; False once everything has ended."""
        self._limit.settle()
        while len(self._flying) < self._limit.now:
            if self._trouble.given_up is None and self._now() < self._trouble.hold:
                break
            job = await self._next()
            if job is None:
                self._limit.idle()
                break
            if self._trouble.given_up is not None:
                self._finish(job, self._trouble.given_up)
                continue
            job.token, job.begun = self._limit.begun(), self._now()
            if not job.tries:
                job.answers = self._trouble.answers
            job.tries += 1
            self._flying[asyncio.ensure_future(self._try(job.job))] = job
        return bool(self._flying or self._waiting or not self._dry)

    async def _next(self) -> _Job[J] | None:
        """A job whose wait is over, else a new one; None where there is none for now."""
        if self._waiting and (self._waiting[0][0] <= self._now() or self._trouble.given_up is not None):
            return heapq.heappop(self._waiting)[2]
        if self._dry or len(self._waiting) >= 2 * self._limit.peak:
            return None
        try:
            if isinstance(self._jobs, AsyncIterator):
                if self._pull is None:
                    self._pull = asyncio.ensure_future(self._jobs.__anext__())
                    await asyncio.wait([self._pull], timeout=0)
                if not self._pull.done():
                    return None
                pull, self._pull = self._pull, None
                job = pull.result()
            else:
                job = next(self._jobs)
        except (StopIteration, StopAsyncIteration):
            self._dry = True
            return None
        self._taken += 1
        return _Job(job=job, number=self._taken)

    async def _try(self, job: J) -> _Ended[R]:
        try:
            outcome: R | FluxcapError = await self._work(job)
        except (Denied, UnknownModel, NoVision):
            raise
        except FluxcapError as error:
            outcome = error
        return _Ended(outcome, self._now())

    async def _pause(self) -> None:
        """Until something ends, comes, or has waited long enough."""
        now = self._now()
        until: float | None = None
        pull: list[asyncio.Future[J]] = []
        if len(self._flying) < self._limit.now:
            if self._pull is not None and now >= self._trouble.hold:
                pull = [self._pull]
            until = self._waiting[0][0] if self._waiting else None
            if now < self._trouble.hold:
                until = max(until or 0.0, self._trouble.hold)
        pending: list[asyncio.Future[object]] = [*self._flying, *pull]  # type: ignore[list-item]
        timeout = None if until is None else max(0.0, until - now)
        if not pending:
            await asyncio.sleep(timeout or 0.0)
            return
        await asyncio.wait(pending, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        self._collect()

    def _collect(self) -> None:
        """Take down what has ended; what ends everything is raised after the rest was taken."""
        fatal: BaseException | None = None
        for task in sorted((task for task in self._flying if task.done()), key=lambda task: self._flying[task].number):
            job = self._flying.pop(task)
            if task.cancelled():
                continue
            error = task.exception()
            if error is None:
                self._ended(job, task.result())
            else:
                fatal = fatal or error
        if fatal is not None:
            raise fatal

    def _ended(self, job: _Job[J], ended: _Ended[R]) -> None:
        error = ended.outcome
        if isinstance(error, Busy | NotReady | Down):
            self._again(job, error)
            return
        self._trouble.since, self._trouble.row = None, 0
        self._trouble.answers += 1
        self._limit.ended(job.token, None if isinstance(error, FluxcapError) else ended.at - job.begun, ended.at)
        self._finish(job, ended.outcome)

    def _again(self, job: _Job[J], error: Busy | NotReady | Down) -> None:
        """Let a job wait that the server could not take, and the others too where it takes nobody."""
        now, trouble = self._now(), self._trouble
        others_answered, job.answers = trouble.answers > job.answers, trouble.answers
        trouble.since = now if trouble.since is None else trouble.since
        trouble.row += job.begun >= trouble.hold  # those begun before a hold say nothing new
        job.since = job.begun if job.since is None else job.since
        wait = self._wait(job.tries)
        if isinstance(error, Busy):
            self._limit.refused(job.token, len(self._flying))
            wait = wait if error.retry_after is None else error.retry_after + self._chance.uniform(0, 0.1)
        elif isinstance(error, NotReady):
            self._limit.ended(job.token, None, now)
            wait = min(wait, _LOADING)
        else:
            job.alone += others_answered
            if job.alone <= 1:
                self._limit.failed(job.token)
            else:
                self._limit.ended(job.token, None, now)
        if now - trouble.since >= self._patience:
            trouble.given_up = error
        out_of_patience = now + wait - job.since > self._patience
        if trouble.given_up is not None or out_of_patience or job.alone >= _OWN_FAULT:
            self._finish(job, error)
        else:
            heapq.heappush(self._waiting, (now + wait, job.number, job))
        if isinstance(error, NotReady) or (trouble.row >= 2 and not self._flying):
            wait = max(wait, min(self._wait(trouble.row), _LOADING if isinstance(error, NotReady) else _LONGEST_WAIT))
            trouble.hold = max(trouble.hold, now + min(wait, self._patience))

    def _wait(self, tries: int) -> float:
        longest = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** min(tries - 1, 16))
        return longest * self._chance.uniform(0.5, 1)

    def _finish(self, job: _Job[J], outcome: R | FluxcapError) -> None:
        self._finished += 1
        self._done(job.job, outcome)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
