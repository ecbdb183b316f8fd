"""A server of vision language models that misbehaves as told: OpenAI's chat API and Ollama's, on a port of this machine.

    with VlmServer("too_large", "good") as server:  # the first request is refused, all later ones are answered
        ...  # ask server.url
    server.seen[0].width

It looks at what it is sent: a picture that is no JPEG gets nonsense for an answer.
"""

from __future__ import annotations

import base64
import binascii
import io
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from PIL import Image

ANSWER = '{"hair": "red", "pose": "standing"}'
PREAMBLE = "Sure! Here is the JSON you asked for:\n\n"
REFUSAL = "I'm sorry, but I can't help with identifying people in images."
NONSENSE = "%%% no picture %%%"
THOUGHT = "The hair looks red, so I will say so."

# what the known servers say (status, words), by behaviour
REFUSALS: dict[str, tuple[int, str]] = {
    "too_large": (
        400,
        "The decoder prompt (length 16476) is longer than the maximum model length of 16384. Make sure that `max_model_len`"
        " is no smaller than the number of text tokens plus multimodal tokens.",
    ),
    "text_only": (
        500,
        "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj",
    ),
    "loading": (503, "Loading model"),
    "broken": (500, "EngineCore encountered an issue. See stack trace (above) for the root cause."),
    "busy": (429, "Too many requests"),
    "queue_full": (503, "server busy, please try again.  maximum pending requests exceeded"),
    "denied": (401, "Incorrect API key provided"),
    "odd": (400, "that did not work"),
}
FORM_REFUSED = "'response_format.type' must be 'json_schema' or 'text'"


@dataclass(slots=True, kw_only=True)
class Seen:
    """One question as it came in. ``image`` is None where the bytes are no picture."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    at: float
    jpeg: bytes = b""
    image: Image.Image | None = None

    @property
    def width(self) -> int:
        return self.image.width if self.image else 0

    @property
    def height(self) -> int:
        return self.image.height if self.image else 0

    @property
    def format(self) -> str:
        return (self.image.format or "") if self.image else ""


@dataclass(slots=True, kw_only=True)
class Rules:
    """What holds for every question, whatever the behaviour. ``answer`` may look at the question."""

    answer: str | Callable[[Seen], str] = ANSWER
    models: tuple[str, ...] = ("eyes-vl:4b", "words:7b")
    key: str | None = None
    """Anything else is refused with 401."""
    latency: float = 0.0
    """Seconds until an answer."""
    slots: int | None = None
    """Questions under way at once; more are refused with 429."""
    retry_after: str | None = "1"
    """What a refusal for now says of later; None: nothing."""
    pixels: int | None = None
    """A larger picture is refused."""
    forms: frozenset[str] = frozenset({"json_schema", "json_object"})
    """Other ``response_format`` is refused."""
    strict: frozenset[str] = frozenset()
    """Arguments that are refused as unknown."""
    ollama: bool = True
    """Whether it answers /api/... at all."""
    openai: bool = True
    kobold: bool = False
    """Whether it says of itself that it is KoboldCpp."""
    look: bool = True
    """Whether it decodes the pictures; benchmarks would measure that."""
    keep: bool = True
    """Whether the pictures are kept in ``seen``."""


@dataclass(slots=True)
class _Under:
    """How many questions are under way, and were at most."""

    now: int = 0
    most: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class VlmServer:
    """``behaviours`` are taken one by one, one for each question; the last holds for all that follow.

    good, prose, fenced, preamble, thinking (the answer lies in ``reasoning_content`` or ``thinking``), reasoning (in
    ``reasoning``), think_tags, think_cut, parts (a list as content), empty, null, whitespace (a loop, cut by the length), truncated,
    refusal, filtered, no_usage, hidden_error (200 with an error in it), late_error (with an
    answer too), null_error, html, trickle (a byte now and then), cut (the connection closes midway),
    half (so does the body of the answer), silent (never answers), redirect, and the names in ``REFUSALS``.
    """

    def __init__(self, *behaviours: str, **rules: Any) -> None:
        self.behaviours = list(behaviours) or ["good"]
        self.rules = Rules(**rules)
        self.seen: list[Seen] = []
        self.under = _Under()
        self.closing = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> VlmServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def next_behaviour(self) -> str:
        with self.under.lock:
            return self.behaviours.pop(0) if len(self.behaviours) > 1 else self.behaviours[0]


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


def _handler(server: VlmServer) -> type[BaseHTTPRequestHandler]:
    rules = server.rules

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            if not self._knows():
                self._send(404, {"detail": "Not Found"})
            elif not self._may():
                self._refuse("denied")
            elif self.path == "/v1/models":
                self._send(200, {"object": "list", "data": [{"id": name, "object": "model"} for name in rules.models]})
            elif self.path == "/api/tags":
                self._send(200, {"models": [{"name": name, "model": name} for name in rules.models]})
            elif self.path == "/api/extra/version" and rules.kobold:
                self._send(200, {"result": "KoboldCpp", "version": "1.99"})
            elif self.path == "/api/version":
                self._send(200, {"version": "0.32.1"})
            else:
                self._send(404, {"detail": "Not Found"})

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            if not self._knows() or self.path not in ("/v1/chat/completions", "/api/chat"):
                self._send(404, {"detail": "Not Found"})
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(path=self.path, headers=headers, body=json.loads(raw), at=time.monotonic())
            if rules.look:
                _look(seen)
            picture, kept = seen.image, seen
            if not rules.keep:
                kept = Seen(path=seen.path, headers=headers, body={}, at=seen.at)
            with server.under.lock:
                server.seen.append(kept)
                server.under.now += 1
                server.under.most = max(server.under.most, server.under.now)
                full = rules.slots is not None and server.under.now > rules.slots
            try:
                if full:
                    self._refuse("busy")
                elif not self._may():
                    self._refuse("denied")
                elif not self._refused(seen, picture):
                    if rules.latency:
                        server.closing.wait(rules.latency)
                    self._behave(server.next_behaviour(), seen)
            finally:
                with server.under.lock:
                    server.under.now -= 1

        def _knows(self) -> bool:
            return rules.ollama if self.path.startswith("/api/") else rules.openai

        def _may(self) -> bool:
            return rules.key is None or self.headers.get("authorization") == f"Bearer {rules.key}"

        def _refused(self, seen: Seen, picture: Image.Image | None) -> bool:
            """Whether the question breaks a rule; then it has been answered."""
            if seen.body["model"] not in rules.models:
                words = f"The model `{seen.body['model']}` does not exist."
                self._error(404, f"model '{seen.body['model']}' not found" if self._is_ollama() else words)
            elif unknown := [name for name in rules.strict if name in seen.body]:
                words = f'"{seen.body["model"]}" does not support thinking'
                self._error(
                    400, words if unknown == ["think"] else f"Unrecognized request argument supplied: {unknown[0]}"
                )
            elif (form := _form(seen)) and form not in rules.forms:
                self._error(400, "invalid JSON schema in format" if self._is_ollama() else FORM_REFUSED)
            elif rules.pixels is not None and picture is not None and picture.width * picture.height > rules.pixels:
                self._refuse("too_large")
            else:
                return False
            return True

        def _is_ollama(self) -> bool:
            return self.path.startswith("/api/")

        def _behave(self, behaviour: str, seen: Seen) -> None:
            if behaviour in REFUSALS:
                self._refuse(behaviour)
            elif behaviour == "cut":
                self.close_connection = True
            elif behaviour == "silent":
                server.closing.wait(20)
                self.close_connection = True
            elif behaviour == "redirect":
                self._send(307, {}, {"location": "http://127.0.0.1:9/v1/chat/completions"})
            elif behaviour == "html":
                self._raw(200, b"<html><body>It works!</body></html>", "text/html")
            elif behaviour == "hidden_error":
                self._send(200, {"error": {"message": "Provider returned error", "code": 502}})
            elif behaviour == "late_error":
                self._send(200, _answer("good", seen, rules) | {"error": {"message": "Upstream idle timeout"}})
            elif behaviour == "null_error":
                self._send(200, _answer("good", seen, rules) | {"error": None})
            elif behaviour == "trickle":
                self._trickle(json.dumps(_answer("good", seen, rules)).encode())
            else:
                answer = _answer(behaviour, seen, rules)
                self._send(200, answer, half=behaviour == "half")

        def _refuse(self, behaviour: str) -> None:
            status, words = REFUSALS[behaviour]
            self._error(
                status, words, {"retry-after": rules.retry_after} if status == 429 and rules.retry_after else {}
            )

        def _error(self, status: int, words: str, headers: dict[str, str] | None = None) -> None:
            error: Any = (
                words if self._is_ollama() else {"message": words, "type": "invalid_request_error", "code": status}
            )
            self._send(status, {"error": error}, headers)

        def _send(self, status: int, data: Any, headers: dict[str, str] | None = None, *, half: bool = False) -> None:
            self._raw(status, json.dumps(data).encode(), "application/json", headers, half=half)

        def _trickle(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            for byte in body:
                if server.closing.wait(0.03):
                    break
                self.wfile.write(bytes((byte,)))

        def _raw(
            self, status: int, body: bytes, kind: str, headers: dict[str, str] | None = None, *, half: bool = False
        ) -> None:
            self.send_response(status)
            for name, value in {"content-type": kind, "content-length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if half else body)
            self.close_connection = self.close_connection or half

    return Handler


def _look(seen: Seen) -> None:
    """Decode the picture of the question, as strictly as a server would."""
    try:
        if seen.path == "/api/chat":
            text = seen.body["messages"][-1]["images"][0]
        else:
            part = seen.body["messages"][-1]["content"][0]
            head, _, text = part["image_url"]["url"].partition(",")
            if head != "data:image/jpeg;base64":
                return
        seen.jpeg = base64.b64decode(text, validate=True)
        image = Image.open(io.BytesIO(seen.jpeg), formats=["JPEG"])
        image.load()
        seen.image = image
    except (KeyError, IndexError, TypeError, binascii.Error, OSError):
        return


def _form(seen: Seen) -> str | None:
    if seen.path == "/api/chat":
        form = seen.body.get("format")
        return None if form is None else "json_object" if form == "json" else "json_schema"
    return seen.body.get("response_format", {}).get("type")


def _answer(behaviour: str, seen: Seen, rules: Rules) -> dict[str, Any]:
    """A chat reply of the API that was asked."""
    ollama = seen.path == "/api/chat"
    good = rules.answer if isinstance(rules.answer, str) else rules.answer(seen)
    finish = "length" if behaviour in ("whitespace", "truncated", "think_cut") else "stop"
    contents: dict[str, Any] = {
        "prose": "A woman with red hair stands in a garden.",
        "fenced": f"```json\n{good}\n```",
        "preamble": f"{PREAMBLE}{good}",
        "think_tags": f"<think>\n{THOUGHT}\n</think>\n\n{good}",
        "think_cut": f"<think>\n{THOUGHT} Or is it",
        "thinking": "",
        "reasoning": None,
        "parts": [{"type": "text", "text": good}],
        "empty": "",
        "null": None,
        "whitespace": '{"hair":' + " \n\t" * 300,
        "truncated": good[: len(good) // 2],
        "refusal": REFUSAL,
        "filtered": "",
    }
    content = contents.get(behaviour, good) if seen.image or not rules.look else NONSENSE
    message: dict[str, Any] = {"role": "assistant", "content": content}
    if behaviour == "thinking":
        message["thinking" if ollama else "reasoning_content"] = good
    elif behaviour == "reasoning":
        message["reasoning"] = good
    if behaviour == "filtered":
        finish = "content_filter"
    if ollama:
        counts = {} if behaviour == "no_usage" else {"prompt_eval_count": 900, "eval_count": 42}
        return {"model": seen.body["model"], "message": message, "done": True, "done_reason": finish, **counts}
    usage = {} if behaviour == "no_usage" else {"usage": {"prompt_tokens": 900, "completion_tokens": 42}}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    return {"id": "x", "object": "chat.completion", "model": seen.body["model"], "choices": [choice], **usage}
