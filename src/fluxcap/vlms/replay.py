"""Answers kept in a file, one JSON line each, and a server that gives them again."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from fluxcap import codec
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.vlms.answers import storable
from fluxcap.vlms.types import Form, Question, Reply, Server

_ORDER: dict[Form, int] = {"json_schema": 0, "json_object": 1, "text": 2}
_ASKING: ContextVar[tuple[str, int]] = ContextVar("asking", default=("", 0))


@contextmanager
def asking(picture: str, side: int) -> Iterator[None]:
    """In it, replies are about this picture (its sha256; empty: that of the JPEG sent) at this long side, in pixels.

    ``Ladder`` says so around every question; a ``Server`` itself is told no more than the bytes.
    """
    token = _ASKING.set((picture, side))
    try:
        yield
    finally:
        _ASKING.reset(token)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One answer in the file: what was asked about which picture, and what came back, untouched. No address, no key."""

    picture: str
    kind: str
    model: str
    question: str
    form: Form
    side: int
    text: str
    finish: str
    prompt_tokens: int | None
    answer_tokens: int | None
    seconds: float


def question_hash(question: Question) -> str:
    """Sixteen hex digits that tell this question from any other."""
    parts = [question.system, question.text, question.schema, question.max_tokens, question.temperature]
    return hashlib.sha256(codec.encode_json(parts).encode("utf-8")).hexdigest()[:16]


def _picture_and_side(jpeg: bytes) -> tuple[str, int]:
    picture, side = _ASKING.get()
    return picture or hashlib.sha256(jpeg).hexdigest(), side


class Recorder:
    """Appends answers to a file, each written through at once. A last line that was cut by a kill is removed first.

    Raises ``UsageError`` where the file is no recording, ``FluxcapError`` where it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            _mend_end(path)
            self._file = path.open("ab")
        except OSError as error:
            raise _not_written(path, error) from error

    def write(self, line: Line) -> None:
        """Append one answer. Raises ``FluxcapError`` where the disk refuses."""
        try:
            self._file.write((codec.encode_json(line) + "\n").encode("utf-8"))
            self._file.flush()
        except OSError as error:
            raise _not_written(self.path, error) from error

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def recorded(server: Server, recorder: Recorder) -> Server:
    """The same server, whose answers are written down."""
    return _Recording(server, recorder)


class _Recording:
    def __init__(self, server: Server, recorder: Recorder) -> None:
        self.kind, self.model, self.url = server.kind, server.model, server.url
        self._server = server
        self._recorder = recorder

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        reply = await self._server.reply(question, jpeg, form)
        picture, side = _picture_and_side(jpeg)
        line = Line(
            picture=picture,
            kind=self.kind,
            model=self._server.model,
            question=question_hash(question),
            form=form,
            side=side,
            text=storable(reply.text),
            finish=reply.finish,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
            seconds=reply.seconds,
        )
        self._recorder.write(line)
        return reply

    async def models(self) -> list[str]:
        return await self._server.models()

    async def close(self) -> None:
        self._recorder.close()
        await self._server.close()


class ReplayServer:
    """Gives the answers of a file again, for the same picture and question, by form and side; of equal ones the last.

    A form or side at which this picture was never asked (the ladder of that run had learnt to begin elsewhere) is answered by an
    empty reply where the file has an answer further down the ladder, else by the last one it has. ``notes`` tell of a cut
    last line. Raises ``UsageError`` where the file is missing, damaged, or holds answers of several models and none is named.
    """

    def __init__(self, path: Path, model: str | None = None) -> None:
        lines, self.notes = read(path)
        models = list(dict.fromkeys(line.model for line in lines))
        if model is None and len(models) > 1:
            raise UsageError(f"{path.name} holds answers of {', '.join(models)}", "name the model that is meant")
        self.model = model or models[0]
        if self.model not in models:
            raise UsageError(f"{path.name} holds no answer of {self.model}", f"it has those of {', '.join(models)}")
        self.url = f"replay:{path.name}"
        self.kind = next(line.kind for line in lines if line.model == self.model)
        self._name = path.name
        self._models = models
        self._lines: dict[tuple[str, str], dict[tuple[Form, int], Line]] = {}
        self._pictures = {line.picture for line in lines if line.model == self.model}
        for line in lines:
            if line.model == self.model:
                rungs = self._lines.setdefault((line.picture, line.question), {})
                rungs.pop((line.form, line.side), None)  # the last one comes last
                rungs[line.form, line.side] = line

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        """The recorded answer. Raises ``FluxcapError`` that names the picture where there is none."""
        picture, side = _picture_and_side(jpeg)
        rungs = self._lines.get((picture, question_hash(question)))
        if rungs is None:
            what = "with another question only" if picture in self._pictures else "not at all"
            hint = "ask the model itself (without --replay), or use the prompt of that run"
            raise FluxcapError(f"{self._name} has the picture {picture[:12] or '?'} {what}", hint)
        line = rungs.get((form, side))
        if line is None:
            if any((-one[1], _ORDER[one[0]]) > (-side, _ORDER[form]) for one in rungs):
                return Reply(text="", finish="not recorded", prompt_tokens=None, answer_tokens=None, seconds=0.0)
            line = list(rungs.values())[-1]
        return Reply(
            text=line.text,
            finish=line.finish,
            prompt_tokens=line.prompt_tokens,
            answer_tokens=line.answer_tokens,
            seconds=line.seconds,
        )

    async def models(self) -> list[str]:
        """The models whose answers the file holds."""
        return list(self._models)

    async def close(self) -> None:
        """Nothing to let go of."""


def read(path: Path) -> tuple[list[Line], tuple[str, ...]]:
    """The answers of a file, and a note where its last line was cut. Raises ``UsageError``, which names a damaged line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror or error}", "check the path") from error
    rows = data.split(b"\n")
    lines: list[Line] = []
    notes: tuple[str, ...] = ()
    for number, row in enumerate(rows, 1):
        if not row.strip():
            continue
        try:
            lines.append(codec.decode_json(row, Line, f"{path.name} line {number}"))
        except UsageError as error:
            if number < len(rows) or not lines:  # a line that was written whole ends
                raise UsageError(error.message, "it is no recording of answers, or damaged there") from error
            notes = (f"the last line of {path.name} was cut off and is left out",)
    if not lines:
        raise UsageError(f"{path.name} holds no answers", "record some first: --record FILE")
    return lines, notes


def _mend_end(path: Path) -> None:
    """Cut off a half line at the end, so that the next one stands alone. Raises ``UsageError`` for any other file."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("r+b") as file:
        first = file.readline()
        if not first.endswith(b"\n"):
            raise UsageError(f"{path.name} is no recording of answers", "name another file to record to")
        codec.decode_json(first, Line, f"{path.name} line 1")
        place = file.seek(-1, os.SEEK_END)
        while file.read(1) != b"\n":
            place = file.seek(place - 1)
        file.truncate(place + 1)


def _not_written(path: Path, error: OSError) -> FluxcapError:
    return FluxcapError(f"{path.name} cannot be written: {error.strerror or error}", "name another file to record to")
