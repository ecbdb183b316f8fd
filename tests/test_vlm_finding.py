"""Servers found on this machine, sight tested by pictures, and the line that settles on one. The servers are made here."""

from __future__ import annotations

import asyncio
import io
import json
import socket
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from PIL import Image

from fluxcap.errors import FluxcapError
from fluxcap.project import load
from fluxcap.vlms import finding
from fluxcap.vlms.finding import (
    SEEN,
    Found,
    best,
    can_see,
    config_lines,
    find,
    likely_vision,
    shown,
    starting_slots,
    usual,
)
from fluxcap.vlms.types import Down, Form, NoVision, Question, Reply

Answers = dict[str, Any]


@contextmanager
def server(answers: Answers, seen: list[str] | None = None, otherwise: tuple[int, Any] = (404, {})) -> Iterator[int]:
    """A server on a free port of this machine: what it answers by path (JSON, bytes, or (status, headers)); yields the port."""
    stop = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if seen is not None:
                seen.append(self.path)
            status, body = (200, answers[self.path]) if self.path in answers else otherwise
            if body == "hang":
                stop.wait(5)
                return
            headers: dict[str, str] = {}
            if isinstance(body, tuple):
                status, headers = body
                body = b""
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield http.server_address[1]
    finally:
        stop.set()
        http.shutdown()
        http.server_close()
        thread.join()


def openai(*models: str, owner: str | None = "vllm") -> Answers:
    rows = [{"id": model, "object": "model", **({"owned_by": owner} if owner else {})} for model in models]
    return {"/v1/models": {"object": "list", "data": rows}}


def ollama(*models: str) -> Answers:
    return {
        **openai(*models, owner="library"),
        "/api/tags": {"models": [{"name": model, "model": model} for model in models]},
        "/api/version": {"version": "0.18.2"},
    }


def found_at(answers: Answers, **options: Any) -> Found | None:
    with server(answers, **options) as port:
        found = asyncio.run(find([port], seconds=2.0))
        assert all(f":{port}" in one.url for one in found)
        return found[0] if found else None


def test_ollama_by_its_own_protocol() -> None:
    one = found_at(ollama("qwen3-vl:8b-instruct", "llama3.1:8b"))
    assert one is not None
    assert (one.kind, one.name, one.models) == ("ollama", "Ollama", ("qwen3-vl:8b-instruct", "llama3.1:8b"))
    assert not one.url.endswith("/v1")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        ("vllm", "vLLM"),
        ("llamacpp", "llama.cpp"),
        ("sglang", "SGLang"),
        ("organization_owner", "LM Studio"),
        ("somebody", "OpenAI-compatible server"),
        (None, "OpenAI-compatible server"),
    ],
)
def test_servers_by_what_they_say_of_themselves(owner: str | None, name: str) -> None:
    one = found_at(openai("a", "b", "a", owner=owner))
    assert one is not None
    assert (one.kind, one.name, one.models) == ("openai", name, ("a", "b"))
    assert one.url.endswith("/v1")


def test_who_speaks_ollama_too_is_asked_in_its_own_way() -> None:
    one = found_at({**ollama("k"), **openai("koboldcpp/k", owner="koboldcpp")})
    assert one is not None
    assert (one.kind, one.name, one.models) == ("openai", "KoboldCpp", ("koboldcpp/k",))


def test_a_server_without_models_is_a_server() -> None:
    one = found_at(ollama())
    assert one is not None
    assert one.models == ()


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"/v1/models": {"error": "Unexpected endpoint"}},
        {"/v1/models": b"<html>hello</html>"},
        {"/v1/models": b"\xff\xfe\x00"},
        {"/v1/models": b"[" * 100_000},
        {"/v1/models": [1, 2]},
        {"/v1/models": {"data": "all"}},
        {"/v1/models": {"data": ["a"]}},
        {"/v1/models": b'{"data": [], "x": "' + b"x" * 5_000_000 + b'"}'},
        {"/api/version": {"version": "1"}},
        {"/v1/models": (401, {})},
    ],
    ids=["404", "LM Studio", "page", "bytes", "deep", "list", "text", "texts", "endless", "other", "key"],
)
def test_what_is_no_server_of_models(answers: Answers) -> None:
    assert found_at(answers) is None


def test_lm_studio_answers_everything() -> None:
    strange = (200, {"error": "Unexpected endpoint or method. (GET /api/tags)"})
    one = found_at(openai("qwen/qwen3-vl-8b", owner="organization_owner"), otherwise=strange)
    assert one is not None
    assert (one.kind, one.name) == ("openai", "LM Studio")


def test_one_path_that_hangs_hides_no_server() -> None:
    with server({**openai("a"), "/api/version": "hang"}) as port:
        assert [one.models for one in asyncio.run(find([port], seconds=0.2))] == [("a",)]


def test_all_ports_are_asked_at_once() -> None:
    with ExitStack() as stack:
        slow = [stack.enter_context(server({}, otherwise=(200, "hang"))) for _ in range(5)]
        quick = stack.enter_context(server(openai("a")))
        began = time.monotonic()
        found = asyncio.run(find([*slow, quick], seconds=0.2))
        assert time.monotonic() - began < 0.9  # one after the other they would take 1 s
    assert [one.models for one in found] == [("a",)]


def test_order_is_the_ports_and_none_twice() -> None:
    with server(openai("a")) as first, server(openai("b")) as second:
        found = asyncio.run(find([second, first, second], seconds=2.0))
    assert [one.models for one in found] == [("b",), ("a",)]


def test_nothing_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound and not listening
        assert asyncio.run(find([held.getsockname()[1]], seconds=1.0)) == []


def test_the_usual_ports_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    async def ask(client: object, port: int, seconds: float) -> None:
        asked.append(port)

    monkeypatch.setattr(finding, "_ask", ask)
    assert asyncio.run(find()) == []
    assert asked == [11434, 1234, 8080, 8000, 30000, 5001, 5000, 1337]


def test_no_proxy_and_no_redirect(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the environment nor a server leads elsewhere; the other one would be a server if it were asked."""
    elsewhere: list[str] = []
    with server(openai("stolen"), elsewhere) as other:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{other}")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        led = {"/v1/models": (302, {"Location": f"http://127.0.0.1:{other}/v1/models"})}
        assert found_at(led) is None
        one = found_at(openai("own"))
    assert one is not None
    assert one.models == ("own",)
    assert elsewhere == []


def test_only_this_machine_is_asked() -> None:
    assert finding.HERE == "127.0.0.1"
    asked: list[str] = []
    found_at({}, seen=asked)
    assert sorted(asked) == ["/api/tags", "/api/version", "/v1/models"]


class Looker:
    """A server whose model answers by ``say``, given the colour at the middle of the picture."""

    kind = "openai"
    model = "test"
    url = "http://127.0.0.1:1/v1"

    def __init__(self, say: Callable[[str], str | FluxcapError], finish: str = "stop") -> None:
        self.say, self.finish = say, finish
        self.asked: list[tuple[Question, Form]] = []

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        self.asked.append((question, form))
        picture = Image.open(io.BytesIO(jpeg))
        assert (picture.format, picture.mode) == ("JPEG", "RGB")
        middle = picture.getpixel((picture.width // 2, picture.height // 2))
        assert isinstance(middle, tuple)
        colour = min(SEEN, key=lambda name: sum(abs(a - b) for a, b in zip(SEEN[name], middle, strict=True)))
        said = self.say(colour)
        if isinstance(said, FluxcapError):
            raise said
        return Reply(text=said, finish=self.finish, prompt_tokens=None, answer_tokens=None, seconds=0.0)

    async def models(self) -> list[str]:
        return [self.model]

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("words", ["{}", "{}.", "**{}**", "The square is {}, on a white ground.", "A bright {} square"])
def test_who_looks_sees(words: str) -> None:
    looker = Looker(lambda colour: words.format(colour.capitalize()))
    assert asyncio.run(can_see(looker)) is True
    assert len(looker.asked) == 2
    assert all(form == "text" and question.schema is None for question, form in looker.asked)


@pytest.mark.parametrize(
    "said",
    [*SEEN, "blue", "red", "yellow or green", "I cannot see images.", "a", ", ".join(finding.COLOURS)],
)
def test_who_guesses_does_not(said: str) -> None:
    assert asyncio.run(can_see(Looker(lambda _: said))) is False


def test_the_wrong_way_round_is_no_sight() -> None:
    first, second = SEEN
    assert asyncio.run(can_see(Looker(lambda colour: second if colour == first else first))) is False


def test_a_model_that_takes_no_pictures_does_not_see() -> None:
    assert asyncio.run(can_see(Looker(lambda _: NoVision("takes no pictures")))) is False


@pytest.mark.parametrize("said", [Down("nobody answers"), "", "  \n"])
def test_who_did_not_answer_is_not_judged(said: str | FluxcapError) -> None:
    assert asyncio.run(can_see(Looker(lambda _: said))) is None


def test_who_was_cut_short_is_not_judged() -> None:
    assert asyncio.run(can_see(Looker(lambda _: "Let me think: green or blue", finish="length"))) is None


def test_half_an_answer_is_none() -> None:
    first = next(iter(SEEN))
    assert asyncio.run(can_see(Looker(lambda colour: colour if colour == first else Down("gone")))) is None


def test_the_pictures_are_the_same_every_time() -> None:
    assert len({shown(colour) for colour in SEEN}) == 2
    assert all(shown(colour) == shown(colour) and len(shown(colour)) < 20_000 for colour in SEEN)
    assert not any(colour in finding.ASKED.text + finding.ASKED.system for colour in finding.COLOURS)


@pytest.mark.parametrize(
    "name",
    [
        "Qwen/Qwen3-VL-8B-Instruct", "qwen2.5vl:7b", "huihui_ai/qwen3-vl-abliterated:8b-instruct", "qwen3.5:9b",
        "Qwen3VL-8B-Instruct-Q8_0.gguf", "qwen/qwen-2.5-vl-72b", "gemma3:4b", "google/gemma-3-27b-it", "gemma-4-12b",
        "llava:13b", "llama3.2-vision", "meta-llama/Llama-3.2-11B-Vision-Instruct", "llama3-llava-next-8b",
        "OpenGVLab/InternVL3_5-8B", "openbmb/MiniCPM-V-4_5", "fancyfeast/llama-joycaption-beta-one-hf-llava", "moondream",
        "SmolVLM2-2.2B-Instruct", "mistral-small3.2:24b", "pixtral-12b", "zai-org/GLM-4.5V", "deepseek-vl2", "gpt-4o-mini",
        "openai/gpt-5", "anthropic/claude-sonnet-4.5", "gemini-3-flash", "Qwen3-Omni-30B-A3B-Instruct", "microsoft/Florence-2-large",
    ],
)  # fmt: skip
def test_names_that_see(name: str) -> None:
    assert likely_vision(name) is True


@pytest.mark.parametrize(
    "name",
    [
        "llama3.1:8b", "meta-llama/Llama-3.2-3B-Instruct", "Qwen/Qwen3-8B", "qwen3:30b-a3b", "qwen2.5-coder:7b", "qwen3-coder",
        "gemma3:1b", "google/gemma-3-1b-it", "gemma2:9b", "mistral:7b", "mixtral:8x7b", "nomic-embed-text", "phi4",
        "text-embedding-3-small", "Qwen3-VL-Embedding-2B", "whisper-1", "gpt-oss:20b", "deepseek-r1:8b", "mmproj-model-f16.gguf",
        "gpt-4o-transcribe",
    ],
)  # fmt: skip
def test_names_that_do_not(name: str) -> None:
    assert likely_vision(name) is False


@pytest.mark.parametrize("name", ["", "my-model", "default", "/models/model.gguf", "olmo-2"])
def test_names_that_do_not_tell(name: str) -> None:
    assert likely_vision(name) is None


def one(*models: str, kind: finding.Kind = "openai", url: str = "http://127.0.0.1:8000/v1") -> Found:
    return Found(url=url, kind=kind, name="x", models=models)


@pytest.mark.parametrize(
    ("models", "taken"),
    [
        (("llama3.1:8b", "qwen3-vl:8b-thinking", "qwen3-vl:8b-instruct"), "qwen3-vl:8b-instruct"),
        (("qwen3-vl:8b-thinking", "gemma3:4b"), "gemma3:4b"),
        (("qwen3-vl:8b", "qwen3-vl:8b-instruct"), "qwen3-vl:8b-instruct"),
        (("joycaption-beta-one", "qwen3-vl:8b-thinking"), "qwen3-vl:8b-thinking"),
        (("joycaption-beta-one", "llama3.1"), "joycaption-beta-one"),
        (("gemma3:12b", "gemma3:4b"), "gemma3:12b"),
    ],
)
def test_the_best_model(models: tuple[str, ...], taken: str) -> None:
    found = one(*models)
    assert best([found]) == (found, taken)


def test_the_best_is_looked_for_on_every_server() -> None:
    text, sees = one("llama3.1:8b", "my-model"), one("qwen3-vl-8b-instruct", url="http://127.0.0.1:1234/v1")
    assert best([text, sees]) == (sees, "qwen3-vl-8b-instruct")
    assert best([text]) is None
    assert best([]) is None


@pytest.mark.parametrize(
    ("found", "model", "table"),
    [
        (one("llama3.1", "gemma3:4b"), None, {"url": "http://127.0.0.1:8000/v1", "name": "gemma3:4b"}),
        (one("llama3.1", "gemma3:4b"), "llama3.1", {"url": "http://127.0.0.1:8000/v1", "name": "llama3.1"}),
        (one("my-model"), None, {"url": "http://127.0.0.1:8000/v1", "name": "my-model"}),
        (one('C:\\models\\a "b".gguf'), None, {"url": "http://127.0.0.1:8000/v1", "name": 'C:\\models\\a "b".gguf'}),
        (one(), None, {"url": "http://127.0.0.1:8000/v1"}),
        (
            one("gemma3", kind="ollama", url="http://127.0.0.1:11434"),
            None,
            {"url": "http://127.0.0.1:11434", "name": "gemma3"},
        ),
        (
            one("gemma3", kind="ollama", url="http://127.0.0.1:4321"),
            None,
            {"url": "http://127.0.0.1:4321", "name": "gemma3", "kind": "ollama"},
        ),
    ],
)
def test_lines_for_the_settings(found: Found, model: str | None, table: dict[str, str], tmp_path) -> None:
    lines = config_lines(found, model)
    assert lines.startswith("[vlm]\n")
    assert tomllib.loads(lines) == {"vlm": table}
    (tmp_path / "fluxcap.toml").write_text(lines, encoding="utf-8")
    assert load(tmp_path).vlm.url == table["url"]


def test_where_to_start() -> None:
    assert starting_slots("openai", "vLLM") >= 4
    assert starting_slots("openai", "SGLang") >= 4
    assert starting_slots("openai", "LM Studio") <= 2
    assert starting_slots("openai") == starting_slots("ollama") == starting_slots("mine") == 1


def test_servers_of_the_file() -> None:
    assert len({row.port for row in usual()}) == len({row.name for row in usual()}) == len(usual())
    assert {row.kind for row in usual()} == {"openai", "ollama"}
    assert all(0 < row.port < 65536 and row.slots >= 1 for row in usual())
