"""Asks a vision language model about each picture, once; every answer is stored as it comes, so that any run goes on."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.errors import FluxcapError
from fluxcap.observe import Progress, digest
from fluxcap.translate import ANSWER, PROSE
from fluxcap.types import Evidence, ImageRef, Issue, Observation
from fluxcap.vlms.types import Down, Question, Server, Unreachable

if TYPE_CHECKING:
    from fluxcap.store import Store
    from fluxcap.vlms.ladder import Asked
    from fluxcap.vlms.pool import Rate

VERSION = "1"
"""Raised whenever the same answer would be taken down differently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """How a model is asked. ``question`` goes by the picture's id (with its hints); ``prompts`` names the words in use."""

    server: Server
    question: dict[str, Question]
    prompts: str
    mode: str = "traits"
    side: int = 1024
    slots: int | None = None
    background: str = "#ffffff"
    patience: float = 600

    @property
    def source(self) -> str:
        """The source's name in evidence."""
        return f"vlm:{self.server.model}"

    @property
    def inputs(self) -> str:
        """The parameters of the question that an answer depends on."""
        return digest(self.server.model, self.mode, str(self.side), self.background)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What asking gave: how many answered now, what was left without vision, and how fast it went."""

    asked: int
    issues: tuple[Issue, ...]
    rate: Rate | None = None


def unasked(store: Store, images: Sequence[ImageRef], how: How, *, again: bool = False) -> list[ImageRef]:
    """The pictures that this model was not asked about in this way, each once however many files hold it."""
    known = set() if again else store.observed(how.source, _version(how), how.inputs)
    return list({image.id: image for image in images if image.id not in known}.values())


def ask(
    store: Store,
    folder: Path,
    images: Sequence[ImageRef],
    how: How,
    *,
    progress: Progress = lambda done, _: iter(done),
) -> Told:
    """Ask about these pictures, as many at once as the server takes, and store each answer as it comes.

    A picture that gets no usable answer becomes an issue, and is asked again in the next run. Raises what ends everything: a
    wrong key, an unknown model, a model without eyes, a server that nobody reaches.
    """
    asked = 0
    issues: list[Issue] = []
    rates: list[Rate] = []
    down: list[Down] = []

    def stored() -> Generator[None, None, None]:
        with closing(_answers(folder, images, how, rates)) as answers:
            yield from taken_down(answers)

    def taken_down(answers: Iterator[tuple[ImageRef, Asked | FluxcapError]]) -> Iterator[None]:
        nonlocal asked
        for image, outcome in answers:
            if isinstance(outcome, FluxcapError):
                issues.append(_left(image, outcome))
                down.extend([outcome] if isinstance(outcome, Down) else [])
            else:
                _store(store, image, how, outcome)
                asked += 1
            yield

    with closing(stored()) as stream:
        for _ in progress(stream, len(images)):
            pass
    if not asked and down and len(down) == len(images):
        raise down[-1]  # nobody was ever there
    return Told(asked=asked, issues=tuple(issues), rate=rates[0] if rates else None)


_End = BaseException | None


def _answers(
    folder: Path, images: Sequence[ImageRef], how: How, rates: list[Rate]
) -> Generator[tuple[ImageRef, Asked | FluxcapError], None, None]:
    """Answers in the order in which they come. The event loop runs in a thread of its own: the store is this thread's."""
    came: queue.Queue[tuple[ImageRef, Asked | FluxcapError] | tuple[None, _End]] = queue.Queue()
    loop = asyncio.new_event_loop()

    def run() -> None:
        asyncio.set_event_loop(loop)
        try:
            rates.append(loop.run_until_complete(task))
            came.put((None, None))
        except BaseException as error:  # handed to the thread that waits
            came.put((None, error))
        finally:
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()

    task = loop.create_task(_run(folder, images, how, lambda image, outcome: came.put((image, outcome))))
    thread = threading.Thread(target=run, name="fluxcap-vision", daemon=True)
    thread.start()
    try:
        while True:
            image, outcome = came.get()
            if image is None:
                if isinstance(outcome, BaseException):
                    raise outcome
                return
            yield image, outcome  # type: ignore[misc]
    finally:
        if thread.is_alive():
            with suppress(RuntimeError):  # it may end this very moment
                loop.call_soon_threadsafe(task.cancel)
            thread.join()


async def _run(
    folder: Path, images: Sequence[ImageRef], how: How, done: Callable[[ImageRef, Asked | FluxcapError], None]
) -> Rate:
    from fluxcap.vlms.ahead import Ahead, Ready
    from fluxcap.vlms.ladder import Ladder
    from fluxcap.vlms.pictures import jpeg
    from fluxcap.vlms.pool import run

    ladder = Ladder(how.server, side=how.side)

    def make(image: ImageRef, side: int) -> bytes:
        return jpeg(folder / image.path, name=image.path, side=side, background=how.background, digest=image.id)

    async def work(ready: Ready[ImageRef]) -> Asked:
        def picture(side: int) -> bytes:
            return ready.wait() if side == ready.side else make(ready.job, side)

        return await ladder.ask(how.question[ready.job.id], picture, picture_id=ready.job.id)

    def ended(ready: Ready[ImageRef], outcome: Asked | FluxcapError) -> None:
        done(ready.job, outcome)

    try:
        await _be_there(how.server)
        with Ahead(images, make, lambda: ladder.side) as jobs:
            return await run(iter(jobs), work, ended, slots=how.slots, patience=how.patience)
    finally:
        await how.server.close()


async def _be_there(server: Server) -> None:
    """Who is not there at all is told at once, not after the pool's patience; other trouble the questions will meet."""
    try:
        await server.models()
    except Unreachable:
        raise
    except FluxcapError:
        return


def _store(store: Store, image: ImageRef, how: How, asked: Asked) -> None:
    from fluxcap.codec import encode_json

    said = asked.text if asked.values is None else encode_json(asked.values)
    slot = PROSE if asked.values is None else ANSWER
    claim = Evidence(image_id=image.id, slot=slot, value=said, tags=(), confidence=1.0, source=how.source)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    look = Observation(
        image_id=image.id, source=how.source, version=_version(how), inputs_hash=how.inputs, created_at=created
    )
    store.add(look, [claim])


def _version(how: How) -> str:
    return f"{VERSION}:{how.prompts}"


def _left(image: ImageRef, error: FluxcapError) -> Issue:
    from fluxcap.images import shown

    message = f"{shown(image.path)} was left without vision ({error.message}); the next run asks again"
    return Issue(code="VLM001", message=message, severity="warning", image_id=image.id, path=image.path)
