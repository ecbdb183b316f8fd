"""Pictures made ahead: how far, in which order, and what becomes of the ones that fail or are not wanted any more."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from fluxcap.errors import FluxcapError, ImageError
from fluxcap.vlms.ahead import Ahead
from fluxcap.vlms.pool import run


def made(job: int, side: int) -> bytes:
    return b"%d at %d" % (job, side)


def taken(ahead: Ahead[int]) -> list[tuple[int, bytes]]:
    async def take() -> list[tuple[int, bytes]]:
        return [(ready.job, await ready.jpeg()) for ready in ahead]

    return asyncio.run(take())


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 50])
def test_every_job_comes_once_and_in_order(count: int) -> None:
    with Ahead(range(count), made, lambda: 1024, most=3) as ahead:
        assert taken(ahead) == [(job, made(job, 1024)) for job in range(count)]


def until(condition: object, seconds: float = 5) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.002)
    return False


def test_no_more_are_made_than_may_lie_ready() -> None:
    begun: list[int] = []
    with Ahead(range(100), lambda job, _: begun.append(job) or b"", lambda: 1024, most=5) as ahead:
        next(ahead)
        assert until(lambda: len(begun) == 6), "while nobody waits for them"
        next(ahead)
        assert until(lambda: len(begun) == 7)
        time.sleep(0.02)
        assert sorted(begun) == list(range(7))


def test_jobs_are_taken_from_their_source_only_as_there_is_room() -> None:
    drawn: list[int] = []
    with Ahead((drawn.append(n) or n for n in range(100)), made, lambda: 1024, most=5) as ahead:
        next(ahead)
        assert drawn == list(range(6))


def test_a_failure_belongs_to_its_picture() -> None:
    def make(job: int, side: int) -> bytes:
        if job == 1:
            raise ImageError("b.jpg is damaged", "save it again", code="IMG004")
        return made(job, side)

    outcomes: dict[int, object] = {}

    async def main() -> None:
        with Ahead(range(3), make, lambda: 512) as ahead:
            await run(ahead, lambda ready: ready.jpeg(), lambda ready, one: outcomes.update({ready.job: one}))

    asyncio.run(main())
    assert outcomes[0] == made(0, 512)
    assert outcomes[2] == made(2, 512)
    assert isinstance(outcomes[1], FluxcapError)
    assert outcomes[1].message == "b.jpg is damaged"


def test_a_picture_that_is_asked_for_again_is_not_made_again() -> None:
    begun: list[int] = []

    async def main() -> None:
        with Ahead([7], lambda job, _: begun.append(job) or b"7", lambda: 1024) as ahead:
            ready = next(ahead)
            assert [await ready.jpeg(), await ready.jpeg()] == [b"7", b"7"]

    asyncio.run(main())
    assert begun == [7]


def test_the_side_is_asked_anew_for_each() -> None:
    sides = iter([1024, 1024, 768, 768])
    with Ahead(range(4), made, lambda: next(sides), most=1) as ahead:
        assert [ready.side for ready in ahead] == [1024, 1024, 768, 768]


def test_those_that_nobody_took_are_not_made_and_no_thread_is_left() -> None:
    gate, begun = threading.Event(), []

    def make(job: int, _: int) -> bytes:
        begun.append(job)
        gate.wait(5)
        return b""

    with Ahead(range(30), make, lambda: 1024) as ahead:
        next(ahead)
        assert until(lambda: begun)
        later = threading.Timer(0.1, gate.set)  # while the end waits for those that were begun
        later.start()
    later.join()
    assert len(begun) <= 4, "one per thread"
    assert not [one for one in threading.enumerate() if one.name.startswith("fluxcap-pictures")]
