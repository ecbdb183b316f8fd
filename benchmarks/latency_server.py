"""A server that speaks OpenAI's chat API with fixed latency, for ``vision_throughput.py``: no model, and cheap per question.

    with latency_server.started(answer) as address:
        ...  # ask address + "/0.5/16/queues/0/v1"; statistics at /0.5/16/queues/0/v1/stats

The path holds the latency in seconds, the slots, what happens beyond them (``refuses``: 429 with ``Retry-After: 1``, or ``queues``),
and a number that tells runs apart. The first question of each path is read in full, of the others the bytes only.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Literal

Kind = Literal["refuses", "queues"]


@dataclass(slots=True)
class Model:
    """What lies behind one address: /LATENCY/SLOTS/KIND/NUMBER/v1."""

    latency: float
    slots: int
    kind: Kind
    busy: int = 0
    waiting: deque[Any] = field(default_factory=deque)
    started: list[float] = field(default_factory=list)
    refused: int = 0
    bytes: int = 0
    most_waiting: int = 0
    looked: dict[str, bool] = field(default_factory=dict)


class Speaker(asyncio.Protocol):
    """One connection: HTTP/1.1, kept alive, one question after the other."""

    def __init__(self, models: dict[str, Model], answer: bytes) -> None:
        self.models, self.answer = models, answer
        self.head, self.left, self.size, self.path, self.body = b"", 0, 0, "", bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if not self.left:
            head, end, data = (self.head + data).partition(b"\r\n\r\n")
            self.head = b"" if end else head
            if not end:
                return
            lines = head.decode("latin-1").lower().split("\r\n")
            self.path = lines[0].split()[1]
            lengths = [line.split(":")[1] for line in lines if line.startswith("content-length:")]
            self.left, self.size = int(lengths[0]) if lengths else 0, len(head) + 4
        model = self.model()
        model.bytes += len(data) + self.size
        self.size = 0
        if not model.looked:
            self.body += data
        self.left -= len(data)
        if not self.left:
            self.asked(model)

    def model(self) -> Model:
        name, _, _ = self.path.partition("/v1")
        if name not in self.models:
            latency, slots, kind, _ = name.strip("/").split("/")
            self.models[name] = Model(float(latency), int(slots), kind)  # type: ignore[arg-type]
        return self.models[name]

    def asked(self, model: Model) -> None:
        if self.path.endswith("/stats"):
            said = {name: getattr(model, name) for name in ("started", "refused", "bytes", "most_waiting", "looked")}
            self.say(b"200 OK", json.dumps(said).encode())
            return
        if self.path.endswith("/models"):
            self.say(b"200 OK", b'{"object": "list", "data": [{"id": "bench-vl", "object": "model"}]}')
            return
        if not model.looked:
            model.looked, self.body = looked(bytes(self.body)), bytearray()
        if model.busy < model.slots:
            self.begin(model)
        elif model.kind == "queues":
            model.waiting.append(self)
            model.most_waiting = max(model.most_waiting, len(model.waiting))
        else:
            model.refused += 1
            self.say(b"429 Too Many Requests\r\nretry-after: 1", b'{"error": {"message": "Too many requests"}}')

    def begin(self, model: Model) -> None:
        model.busy += 1
        model.started.append(time.monotonic())
        asyncio.get_running_loop().call_later(model.latency, self.done, model)

    def done(self, model: Model) -> None:
        model.busy -= 1
        self.say(b"200 OK", self.answer)
        while model.waiting and model.busy < model.slots:
            first = model.waiting.popleft()
            if not first.transport.is_closing():
                first.begin(model)

    def say(self, status: bytes, body: bytes) -> None:
        head = b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        self.transport.write(head + body)


def looked(body: bytes) -> dict[str, bool]:
    """Whether a question holds what the real servers are sent."""
    data = json.loads(body)
    parts = [
        part for message in data["messages"] if isinstance(message["content"], list) for part in message["content"]
    ]
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    schema = data.get("response_format", {}).get("type") == "json_schema"
    return {"one JPEG": len(urls) == 1 and urls[0].startswith("data:image/jpeg;base64,/9j/"), "schema": schema}


def serve(answer: bytes, port: Connection) -> None:
    async def forever() -> None:
        models: dict[str, Model] = {}
        server = await asyncio.get_running_loop().create_server(
            lambda: Speaker(models, answer), "127.0.0.1", 0, backlog=256
        )
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(forever())


@contextmanager
def started(answer: bytes) -> Iterator[str]:
    """The address of a server in a process of its own, which gives this answer to every question."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(answer, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}"
    finally:
        process.terminate()
        process.join()
