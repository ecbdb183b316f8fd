"""A vision language model in this process: questions that come close together are answered as one batch.

While the model answers one batch, the pictures of the next are made ready. To keep it busy, have at least twice ``batch``
questions under way.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from fluxcap.errors import FluxcapError, ImageError
from fluxcap.vlms.local_answers import Answers, Prepared
from fluxcap.vlms.local_model import Opened, is_memory, one_line, open_model
from fluxcap.vlms.types import Down, Form, FormRefused, Question, Reply

WAIT = 0.01
"""Seconds without another question after which a batch that is not full is begun."""

T = TypeVar("T")


@dataclass(slots=True, kw_only=True, eq=False)
class _Asked:
    """One question under way."""

    question: Question
    picture: Any
    answer: asyncio.Future[Reply] = field(repr=False)

    @property
    def kind(self) -> tuple[int, float]:
        """Only questions alike in this go into one batch."""
        return self.question.max_tokens, self.question.temperature

    def settle(self, result: Reply | BaseException) -> None:
        if self.answer.done():
            return
        if isinstance(result, BaseException):
            self.answer.set_exception(result)
        else:
            self.answer.set_result(result)


class LocalServer:
    """A model from a folder or the Hugging Face hub, run by transformers. Opening it takes as long as loading it does.

    ``batch`` is how many pictures are answered at once; it is halved when the memory does not suffice. ``static`` (CUDA
    only) keeps all shapes fixed, so that torch compiles the model: slow at first, faster for thousands of pictures.
    ``opened`` is a model that is open already; then the others are not looked at. Raises what :func:`fluxcap.vlms.local_model.open_model` raises.
    """

    kind = "local"
    url = ""

    def __init__(
        self,
        name: str,
        *,
        device: str = "auto",
        dtype: str = "auto",
        batch: int | None = None,
        static: bool = False,
        opened: Opened | None = None,
    ) -> None:
        opened = opened or open_model(name, device=device, dtype=dtype, batch=batch)
        on_cuda = opened.device.startswith("cuda")
        self.model = name
        self.batch = opened.batch
        self.notices: tuple[str, ...] = opened.notices
        if static and not on_cuda:
            self.notices += ("static shapes pay on CUDA only; the vision model runs without them",)
        self.opened = opened
        self._answers: Answers | None = Answers(opened, name, static=static and on_cuda)
        self._preparing = ThreadPoolExecutor(1, "fluxcap-vlm-pictures")
        self._answering = ThreadPoolExecutor(1, "fluxcap-vlm-model")
        self._waiting: list[_Asked] = []
        self._under_way: set[_Asked] = set()
        self._more = asyncio.Event()
        self._gatherer: asyncio.Task[None] | None = None
        self._running: asyncio.Task[None] | None = None

    def describe(self) -> str:
        """What runs on what: 'Qwen3-VL-4B-Instruct on cuda (NVIDIA H200), bfloat16, 16 pictures at once'."""
        card = f" ({self.opened.card})" if self.opened.card else ""
        name = Path(self.model).name
        return f"{name} on {self.opened.device}{card}, {self.opened.dtype}, {self.batch} pictures at once"

    async def models(self) -> list[str]:
        """The one model that is open."""
        return [self.model]

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        """The answer to one question. Forms are not enforced here: all but 'text' raise ``FormRefused``.

        Raises ``ImageError`` for bytes that are no picture, ``TooLarge`` and ``Down`` as the types tell.
        """
        if form != "text":
            raise FormRefused("a model in this process is not held to a form", "ask for it in words")
        self._open()
        picture = await asyncio.to_thread(_decode, jpeg)
        asked = _Asked(question=question, picture=picture, answer=asyncio.get_running_loop().create_future())
        self._open()
        self._waiting.append(asked)
        self._under_way.add(asked)
        if self._gatherer is None or self._gatherer.done():
            self._more = asyncio.Event()  # of this loop
            self._gatherer = asyncio.create_task(self._gather())
            self._gatherer.add_done_callback(self._ended)
        self._more.set()
        try:
            return await asked.answer
        finally:
            self._under_way.discard(asked)

    async def close(self) -> None:
        """Let go of the model and its memory; questions still under way end with ``Down``."""
        if self._answers is None:
            return
        self._answers = None
        for asked in self._under_way:
            asked.settle(Down("the vision model was closed", "run it again"))
        self._waiting.clear()
        for task in (self._gatherer, self._running):
            if task is not None and not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task
        for pool in (self._preparing, self._answering):
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)
        opened, self.opened = self.opened, _without_model(self.opened)
        del opened
        _empty_cache()

    def _open(self) -> Answers:
        if self._answers is None:
            raise Down("the vision model was closed", "run it again")
        return self._answers

    async def _in(self, pool: ThreadPoolExecutor, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(pool, work, *arguments)

    async def _gather(self) -> None:
        """Takes questions in batches as long as there are any: a full one at once, others when the model is free."""
        while self._waiting:
            batch = await self._next_batch()
            if not batch:
                continue
            prepared = await self._prepared(batch)  # while the model is busy with the batch before
            if self._running is not None and not self._running.done():
                await asyncio.wait([self._running])
            self._running = asyncio.create_task(self._run(batch, prepared))

    def _ended(self, task: asyncio.Task[None]) -> None:
        """If gathering itself fails, those who wait are told; they would wait for ever."""
        if not task.cancelled() and (error := task.exception()) is not None:
            for asked in self._under_way:
                asked.settle(Down(f"{self.model} failed ({one_line(error)})", "run it again"))

    async def _next_batch(self) -> list[_Asked]:
        while True:
            self._waiting = [asked for asked in self._waiting if not asked.answer.done()]  # some gave up
            if not self._waiting:
                return []
            alike = [asked for asked in self._waiting if asked.kind == self._waiting[0].kind][: self.batch]
            if len(alike) < self.batch:
                self._more.clear()
                more: set[asyncio.Task[Any]] = {asyncio.create_task(self._more.wait())}
                busy = {self._running} if self._running is not None and not self._running.done() else set()
                limit = None if busy else WAIT
                done, _ = await asyncio.wait(more | busy, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
                for task in more:
                    task.cancel()
                if done:
                    continue
                # nothing came in time, and the model is free
            self._waiting = [asked for asked in self._waiting if asked not in alike]
            return alike

    async def _prepared(self, batch: Sequence[_Asked]) -> Prepared | Exception:
        questions, pictures = [asked.question for asked in batch], [asked.picture for asked in batch]
        try:
            return await self._in(self._preparing, self._open().prepare, questions, pictures)
        except Exception as error:  # processors raise what they happen to raise
            return error

    async def _run(self, batch: list[_Asked], prepared: Prepared | Exception) -> None:
        """Has a batch answered; one that fails is tried in halves, so that one picture does not spoil the others."""
        trouble = prepared if isinstance(prepared, Exception) else None
        if isinstance(prepared, Prepared):
            try:
                replies = await self._in(self._answering, self._open().generate, prepared)
            except Exception as error:  # torch too
                trouble = error
            else:
                for asked, reply in zip(batch, replies, strict=True):
                    asked.settle(reply)
                return
        assert trouble is not None
        del prepared
        memory = is_memory(trouble)
        if memory:
            trouble.__traceback__ = None  # it holds what fills the memory
            _empty_cache()
        if len(batch) == 1 or self._answers is None:
            for asked in batch:
                asked.settle(self._told(trouble, memory))
            return
        half = len(batch) // 2
        if memory and self.batch > half:
            self.batch = half
        for part in (batch[:half], batch[half:]):
            await self._run(part, await self._prepared(part))

    def _told(self, trouble: Exception, memory: bool) -> FluxcapError:
        if isinstance(trouble, FluxcapError):
            return trouble
        if memory:
            return Down(
                f"the memory of {self.opened.device} does not suffice for one picture",
                "send smaller pictures, or use a smaller model",
            )
        return Down(f"{self.model} failed ({one_line(trouble)})", "try again, or use another model")


def _decode(jpeg: bytes) -> Any:
    from PIL import Image

    try:
        with Image.open(BytesIO(jpeg)) as picture:
            return picture.convert("RGB")
    except Exception as error:  # Pillow raises many kinds
        raise ImageError("the picture cannot be read", "check the file") from error


def _without_model(opened: Opened) -> Opened:
    return replace(opened, model=None, processor=None)


def _empty_cache() -> None:
    gc.collect()
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    elif torch.backends.mps.is_available():
        torch.mps.empty_cache()
