"""The pictures that are sent are made ahead, on the other cores: no slot of a server stands empty while one is made."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

J = TypeVar("J")

MOST = 32
"""Pictures that lie ready at most, 0.35 MB each: a server that answers many at once is given as many at once."""

_THREADS = 4


class Ready(Generic[J]):
    """A job whose picture is made, or being made, as JPEG for a long side of ``side`` pixels."""

    def __init__(self, job: J, side: int, made: Future[bytes]) -> None:
        self.job = job
        self.side = side
        self._made = made

    def wait(self) -> bytes:
        """As ``jpeg``, for a thread that may wait."""
        return self._made.result()

    async def jpeg(self) -> bytes:
        """Its bytes, once they are there. Raises whatever making them raised."""
        return await asyncio.wrap_future(self._made)


class Ahead(Generic[J]):
    """The jobs in order, each :class:`Ready`; use it in a ``with``, which lets go of those that nobody took.

    ``make`` gives the JPEG of a job for a long side, and is called in threads. ``side`` is asked anew for every picture, as a
    server may turn out to take smaller ones only.
    """

    def __init__(
        self, jobs: Iterable[J], make: Callable[[J, int], bytes], side: Callable[[], int], *, most: int = MOST
    ) -> None:
        self._jobs = iter(jobs)
        self._make, self._side, self._most = make, side, most
        self._lying: deque[Ready[J]] = deque()
        self._threads = ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1), "fluxcap-pictures")

    def __enter__(self) -> Ahead[J]:
        return self

    def __exit__(self, *_: object) -> None:
        # waits for those under way: a thread that ended later would call a loop that is closed by then
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._lying.clear()

    def __iter__(self) -> Iterator[Ready[J]]:
        return self

    def __next__(self) -> Ready[J]:
        for job in self._jobs:
            side = self._side()
            self._lying.append(Ready(job, side, self._threads.submit(self._make, job, side)))
            if len(self._lying) > self._most:
                break
        if not self._lying:
            raise StopIteration
        return self._lying.popleft()
