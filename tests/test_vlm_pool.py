"""The pool against simulated servers on a clock that costs no time: how fast, how many at once, and every way of failing."""

from __future__ import annotations

import asyncio
import random
import selectors
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from fluxcap.errors import FluxcapError, ImageError
from fluxcap.vlms.limit import Limit
from fluxcap.vlms.pool import Rate, run
from fluxcap.vlms.types import Busy, Denied, Down, NotReady, NoVision, UnknownModel


class Clock(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to whatever comes next."""

    def __init__(self) -> None:
        super().__init__(selectors.SelectSelector())
        self.seconds = 0.0
        select = self._selector.select

        def jump(timeout: float | None = None) -> Any:
            assert timeout is not None, "nothing will ever happen again"
            self.seconds += max(0.0, timeout)
            return select(0)

        self._selector.select = jump

    def time(self) -> float:
        return self.seconds


def simulate(main: Coroutine[Any, Any, Any]) -> Any:
    with asyncio.Runner(loop_factory=Clock) as runner:
        return runner.run(main)


def now() -> float:
    return asyncio.get_running_loop().time()


class Server:
    """Takes ``slots`` at once, each for ``latency`` seconds (spread by ``noise``); beyond them it refuses or lets wait."""

    def __init__(
        self, slots: int, *, queues: bool, latency: float = 0.5, noise: float = 0.0, retry: float | None = 1
    ) -> None:
        self.slots, self.queues, self.latency, self.noise, self.retry = slots, queues, latency, noise, retry
        self.room = asyncio.Semaphore(slots)
        self.here = self.most_here = self.refused = 0
        self.random = random.Random(7)
        self.ends: list[float] = []

    async def work(self, job: int) -> int:
        if not self.queues and self.here >= self.slots:
            self.refused += 1
            await asyncio.sleep(0.002)
            raise Busy("queue full", retry_after=self.retry)
        self.here += 1
        self.most_here = max(self.most_here, self.here)
        try:
            async with self.room:
                await asyncio.sleep(self.latency * self.random.uniform(1 - self.noise, 1 + self.noise))
            self.ends.append(now())
            return job
        finally:
            self.here -= 1


def go(jobs: int, work: Callable[[int], Any], **how: Any) -> tuple[Rate, dict[int, Any]]:
    """Run inside a simulation; every job must come back once."""
    results: dict[int, Any] = {}

    def done(job: int, result: Any) -> None:
        assert job not in results
        results[job] = result

    async def main() -> tuple[Rate, dict[int, Any]]:
        how.setdefault("chance", random.Random(1))
        rate = await run(iter(range(jobs)), work, done, **how)
        assert sorted(results) == list(range(jobs))
        assert rate.done == jobs
        return rate, results

    return main()


WARM_UP = 22
"""Latencies until the useful number is found."""


@pytest.mark.parametrize("noise", [0.0, 0.3], ids=["even", "uneven"])
@pytest.mark.parametrize("queues", [False, True], ids=["refuses", "queues"])
@pytest.mark.parametrize("slots", [1, 4, 16, 64])
def test_the_useful_number_is_found_and_kept(slots, queues, noise):
    async def main():
        server = Server(slots, queues=queues, noise=noise)
        rate, _ = await go(450 + 24 * slots, server.work)
        return server, rate

    server, rate = simulate(main())
    warm, measured = WARM_UP * server.latency, -(-400 // slots) * server.latency
    ended = sum(warm < end <= warm + measured + 1e-6 for end in server.ends)
    assert ended >= 0.9 * measured * slots / server.latency
    assert rate.peak_slots <= max(slots + 2, 2 * slots)
    assert server.refused <= slots + 10


def test_a_fixed_number_stays():
    async def main():
        server = Server(16, queues=True)
        rate, _ = await go(60, server.work, slots=5)
        return server, rate

    server, rate = simulate(main())
    assert (server.most_here, rate.peak_slots) == (5, 5)
    assert rate.seconds == pytest.approx(6)


def test_never_more_than_most():
    async def main():
        server = Server(64, queues=True)
        rate, _ = await go(400, server.work, most=7)
        return server, rate

    server, rate = simulate(main())
    assert (server.most_here, rate.peak_slots) == (7, 7)


@pytest.mark.parametrize("how", [{}, {"slots": 3}], ids=str)
@pytest.mark.parametrize("asynchronous", [False, True])
def test_jobs_are_taken_only_as_there_is_room(how, asynchronous):
    async def main():
        server = Server(8, queues=True)
        taken, ended, ahead = 0, 0, []

        def count():
            nonlocal taken
            for job in range(300):
                taken += 1
                ahead.append(taken - ended)
                yield job

        async def slowly():
            for job in count():
                if job % 10 == 0:
                    await asyncio.sleep(0.01)
                yield job

        def done(job, result):
            nonlocal ended
            ended += 1

        rate = await run(slowly() if asynchronous else count(), server.work, done, chance=random.Random(1), **how)
        assert ended == rate.done == 300
        return rate.peak_slots, max(ahead)

    peak, ahead = simulate(main())
    assert ahead <= peak + 1


def test_a_slow_source_does_not_make_it_grow():
    async def main():
        server = Server(64, queues=True)

        async def seldom():
            for job in range(100):
                await asyncio.sleep(0.4)
                yield job

        return await run(seldom(), server.work, lambda *_: None)

    assert simulate(main()).peak_slots == 2


def test_one_at_a_time_is_found_where_more_brings_nothing():
    async def main():
        server = Server(1, queues=True)
        here = []

        async def work(job):
            here.append(server.here + 1)
            return await server.work(job)

        await go(200, work)
        return here

    assert Counter(simulate(main())[30:]).most_common(1)[0][0] == 1


@pytest.mark.parametrize(
    "error", [Busy("busy"), Busy("busy", retry_after=3), NotReady("loading"), Down("down")], ids=repr
)
def test_tried_again_until_it_works(error):
    async def main():
        tries: Counter[int] = Counter()

        async def work(job):
            tries[job] += 1
            await asyncio.sleep(0.1)
            if now() < 20:
                raise error
            return -job

        _, results = await go(30, work)
        return tries, results

    tries, results = simulate(main())
    assert results == {job: -job for job in range(30)}
    assert sum(tries.values()) - 30 < 45, "it hammers"


def test_retry_after_is_waited():
    async def main():
        begun = []

        async def work(job):
            begun.append(now())
            if len(begun) == 1:
                raise Busy("busy", retry_after=7)
            return job

        await go(1, work)
        return begun

    begun = simulate(main())
    assert 7 <= begun[1] - begun[0] < 7.2


@pytest.mark.parametrize("error", [Busy("busy"), NotReady("loading"), Down("down")], ids=repr)
def test_after_all_patience_the_rest_is_left_at_once(error):
    async def main():
        tries = 0

        async def work(job):
            nonlocal tries
            tries += 1
            raise error

        rate, results = await go(5000, work, patience=60)
        assert all(result is error for result in results.values())
        return tries, rate.seconds

    tries, seconds = simulate(main())
    assert 20 < seconds < 120
    assert tries < 200


def test_a_picture_that_fells_the_server_is_left_and_the_others_are_not_slowed():
    async def main():
        server = Server(8, queues=True)

        async def work(job):
            if job == 50:
                await asyncio.sleep(0.1)
                raise Down("500")
            return await server.work(job)

        rate, results = await go(800, work)
        return rate.seconds, results

    seconds, results = simulate(main())
    assert [job for job, result in results.items() if isinstance(result, Down)] == [50]
    assert seconds < 1.25 * 800 * 0.5 / 8


def test_failures_now_and_then_lose_nothing():
    async def main():
        server, chance = Server(16, queues=True), random.Random(3)

        async def work(job):
            if chance.random() < 0.05:
                raise Down("502")
            return await server.work(job)

        return await go(500, work)

    _, results = simulate(main())
    assert not [job for job, result in results.items() if isinstance(result, FluxcapError)]


def grown(to: int) -> Limit:
    """The limit after a server that never slows down."""
    limit = Limit(64)
    while limit.now < to:
        for token in [limit.begun() for _ in range(64)]:
            limit.ended(token, 0.5, 0.5)
        limit.settle()
    return limit


def test_halves_where_the_server_fails():
    limit = grown(40)
    before = limit.now
    for token in [limit.begun() for _ in range(before)]:  # one event, however many it hits
        limit.failed(token)
    assert limit.now == before // 2
    limit.failed(limit.begun())
    assert limit.now == before // 4


def test_a_refusal_tells_how_many_the_server_takes():
    limit = grown(18)
    for others, token in zip((17, 16, 15), [limit.begun() for _ in range(3)], strict=True):
        limit.refused(token, others)
    assert limit.now == 15


@pytest.mark.parametrize(
    "error", [Denied("no"), UnknownModel("which"), NoVision("blind"), ZeroDivisionError()], ids=repr
)
def test_what_ends_everything(error):
    async def main():
        results, dropped = [], []

        async def work(job):
            try:
                await asyncio.sleep(0 if job == 0 else 1 if job in (1, 40) else 0.5 + job)
            except asyncio.CancelledError:
                dropped.append(job)
                raise
            if job == 40:
                raise error
            return job

        with pytest.raises(type(error)):
            await run(iter(range(40, -1, -1)), work, lambda job, _: results.append(job), slots=41)
        assert len(asyncio.all_tasks()) == 1
        return results, dropped

    results, dropped = simulate(main())
    assert sorted(results) == [0, 1]  # what ended with it is not lost
    assert sorted(dropped) == list(range(2, 40))


def test_other_errors_are_left_to_the_caller():
    async def main():
        async def work(job):
            await asyncio.sleep(0.1)
            if job % 3 == 0:
                raise ImageError(f"broken {job}")
            return job

        return await go(30, work)

    _, results = simulate(main())
    assert [job for job, result in results.items() if isinstance(result, ImageError)] == list(range(0, 30, 3))


def test_cancelling_drops_only_what_is_under_way():
    async def main():
        server, results, dropped = Server(4, queues=True), [], []

        async def work(job):
            try:
                return await server.work(job)
            except asyncio.CancelledError:
                dropped.append(job)
                raise

        task = asyncio.ensure_future(run(iter(range(1000)), work, lambda job, _: results.append(job), slots=4))
        await asyncio.sleep(5.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(asyncio.all_tasks()) == 1
        return results, dropped

    results, dropped = simulate(main())
    assert sorted(results) == list(range(40))
    assert sorted(dropped) == [40, 41, 42, 43]


def test_an_error_in_done_ends_everything():
    async def main():
        async def work(job):
            await asyncio.sleep(job)

        def done(job, result):
            raise OSError("disk full")

        with pytest.raises(OSError, match="disk full"):
            await run(iter(range(9)), work, done, slots=4)
        assert len(asyncio.all_tasks()) == 1

    simulate(main())


def test_no_jobs():
    assert simulate(go(0, Server(1, queues=True).work))[0] == Rate(done=0, seconds=0, peak_slots=2)
