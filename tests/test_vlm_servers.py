"""Asking model servers over HTTP: what is sent, what comes back, and every way in which a server misbehaves."""

from __future__ import annotations

import asyncio
import io
import socket
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from importlib.util import find_spec
from typing import TypeVar

import pytest
from PIL import Image

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.vlms import types
from fluxcap.vlms.addresses import find_key, is_local, key_names, ollama_base, openai_base
from fluxcap.vlms.opening import kind_of, open_server
from fluxcap.vlms.refusals import refusal, retry_after, said
from fluxcap.vlms.saying import text_of, without_thinking
from fluxcap.vlms.types import Form, Question, Reply, Server

if find_spec("openai") is None or find_spec("httpx") is None:
    pytest.skip("openai and httpx are not installed", allow_module_level=True)

import vlm_server
from vlm_server import ANSWER, VlmServer

from fluxcap.vlms.ollama import OllamaServer
from fluxcap.vlms.openai_chat import OpenAIServer

T = TypeVar("T")

MODEL = "eyes-vl:4b"
SCHEMA = {
    "type": "object",
    "properties": {"hair": {"type": "string"}},
    "required": ["hair"],
    "additionalProperties": False,
}
QUESTION = Question(system="Tell what is visible.", text="Which hair?", schema=SCHEMA, max_tokens=321, temperature=0.2)
KINDS = ("openai", "ollama")


def picture(width: int = 64, height: int = 48, kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), (200, 30, 30)).save(out, kind)
    return out.getvalue()


def use(server: Server, work: Callable[[Server], Awaitable[T]]) -> T:
    async def run() -> T:
        try:
            return await work(server)
        finally:
            await server.close()

    return asyncio.run(run())


def client(server: VlmServer, kind: str, model: str = MODEL, key: str | None = None, seconds: float = 5) -> Server:
    if kind == "ollama":
        return OllamaServer(server.url, model, key=key, seconds=seconds)
    return OpenAIServer(server.url, model, key=key, seconds=seconds)


def ask(
    server: VlmServer, kind: str, form: Form = "json_schema", jpeg: bytes | None = None, question: Question = QUESTION
) -> Reply:
    return use(client(server, kind), lambda asked: asked.reply(question, jpeg or picture(), form))


# What is sent


def test_the_question_as_openai_has_it() -> None:
    with VlmServer() as server:
        reply = ask(server, "openai")
    (seen,) = server.seen
    system, user = seen.body["messages"]
    assert system == {"role": "system", "content": "Tell what is visible."}
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert user["content"][1]["text"] == "Which hair?"
    assert seen.body["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "traits", "strict": True, "schema": SCHEMA},
    }
    assert (seen.body["model"], seen.body["max_tokens"], seen.body["temperature"]) == (MODEL, 321, 0.2)
    assert seen.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert (seen.format, seen.width, seen.height) == ("JPEG", 64, 48)
    assert seen.jpeg == picture()
    assert (reply.text, reply.finish, reply.prompt_tokens, reply.answer_tokens) == (ANSWER, "stop", 900, 42)
    assert 0 < reply.seconds < 5


def test_the_question_as_ollama_has_it() -> None:
    with VlmServer() as server:
        reply = ask(server, "ollama")
    (seen,) = server.seen
    system, user = seen.body["messages"]
    assert system == {"role": "system", "content": "Tell what is visible."}
    assert (user["content"], len(user["images"])) == ("Which hair?", 1)
    assert seen.body["format"] == SCHEMA
    assert (seen.body["think"], seen.body["stream"], seen.body["truncate"]) == (False, False, False)
    assert seen.body["options"] == {"num_ctx": 8192, "temperature": 0.2, "num_predict": 321}
    assert seen.jpeg == picture()
    assert (reply.text, reply.finish, reply.prompt_tokens, reply.answer_tokens) == (ANSWER, "stop", 900, 42)


def test_the_form_of_the_answer_and_prose() -> None:
    prose = Question(system="", text="Describe it.", schema=None)
    with VlmServer() as server:
        ask(server, "openai", "json_object")
        ask(server, "openai", "text")
        ask(server, "openai", "json_schema", question=prose)
        ask(server, "ollama", "json_object")
        ask(server, "ollama", "text")
        ask(server, "ollama", "json_schema", question=prose)
    assert [seen.body.get("response_format") for seen in server.seen[:3]] == [{"type": "json_object"}, None, None]
    assert [seen.body.get("format") for seen in server.seen[3:]] == ["json", None, None]
    assert [len(seen.body["messages"]) for seen in server.seen] == [2, 2, 1, 2, 2, 1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("format", ["PNG", "WEBP"])
def test_only_jpeg_leaves(kind: str, format: str) -> None:
    with VlmServer() as server:
        with pytest.raises(ValueError, match="JPEG only"):
            ask(server, kind, jpeg=picture(kind=format))
        assert not server.seen


@pytest.mark.parametrize("kind", KINDS)
def test_the_test_server_answers_nonsense_for_what_is_no_picture(kind: str) -> None:
    with VlmServer() as server:
        assert ask(server, kind, jpeg=b"\xff\xd8\xff broken").text == vlm_server.NONSENSE


def test_the_environment_does_not_leak_to_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_ADMIN_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, f"secret-{name}")
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: secret-header")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with VlmServer() as server:
        ask(server, "openai")
        ask(server, "ollama")
    for seen in server.seen:
        own = [name for name in seen.headers if name.startswith(("x-", "openai-")) or name == "authorization"]
        assert own in ([], ["x-stainless-raw-response"])
        assert "secret" not in str(seen.headers)


@pytest.mark.parametrize("kind", KINDS)
def test_a_local_server_is_not_asked_through_a_proxy(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with VlmServer() as server:
        assert ask(server, kind).text == ANSWER
        assert kind_of(server.url) == "ollama"


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_goes_along_and_a_wrong_one_is_told_by_the_name_of_its_variable(kind: str) -> None:
    with VlmServer(key="sk-right") as server:
        reply = use(client(server, kind, key="sk-right"), lambda asked: asked.reply(QUESTION, picture(), "text"))
        assert reply.text == ANSWER
        for key in ("sk-wrong", None):
            with pytest.raises(types.Denied, match="set FLUXCAP_VLM_KEY") as caught:
                use(client(server, kind, key=key), lambda asked: asked.reply(QUESTION, picture(), "text"))
            assert "sk-" not in str(caught.value)
            with pytest.raises(types.Denied):
                use(client(server, kind, key=key), lambda asked: asked.models())


# What comes back


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("behaviour", "text", "finish"),
    [
        ("fenced", f"```json\n{ANSWER}\n```", "stop"),
        ("preamble", vlm_server.PREAMBLE + ANSWER, "stop"),
        ("thinking", ANSWER, "stop"),
        ("reasoning", ANSWER, "stop"),
        ("think_tags", ANSWER, "stop"),
        ("think_cut", f"{vlm_server.THOUGHT} Or is it", "length"),
        ("parts", ANSWER, "stop"),
        ("null_error", ANSWER, "stop"),
        ("empty", "", "stop"),
        ("null", "", "stop"),
        ("whitespace", '{"hair":', "length"),
        ("truncated", ANSWER[: len(ANSWER) // 2], "length"),
        ("refusal", vlm_server.REFUSAL, "stop"),
        ("filtered", "", "content_filter"),
    ],
)
def test_answers_come_back_wherever_the_server_put_them(kind: str, behaviour: str, text: str, finish: str) -> None:
    with VlmServer(behaviour) as server:
        reply = ask(server, kind)
    assert (reply.text, reply.finish) == (text, finish)
    assert len(server.seen) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_counts_no_tokens(kind: str) -> None:
    with VlmServer("no_usage") as server:
        reply = ask(server, kind)
    assert (reply.prompt_tokens, reply.answer_tokens) == (None, None)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("<think>a</think>b", "b"),
        ("a</think>b", "b"),
        ("a<think>b", "a"),
        ("◁think▷a◁/think▷b", "b"),
        ("<Thinking>a</Thinking>\n b <think>c</think>", "b"),
        ("I think so", "I think so"),
    ],
)
def test_thinking_is_no_answer(text: str, left: str) -> None:
    assert without_thinking(text) == left


def test_an_answer_in_nothing_but_thinking_marks_is_taken() -> None:
    assert text_of({"content": f"<think>{ANSWER}</think>"}) == ANSWER
    assert text_of({"content": None, "refusal": "No."}) == "No."
    assert text_of({}) == ""


def test_thinking_is_cut_quickly() -> None:
    assert without_thinking("<think> </think>" * 50_000 + " \n" * 100_000 + "b") == "b"


# How servers fail


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [
        ("too_large", types.TooLarge),
        ("text_only", types.NoVision),
        ("loading", types.NotReady),
        ("broken", types.Down),
        ("busy", types.Busy),
        ("queue_full", types.Busy),
        ("denied", types.Denied),
        ("hidden_error", types.Down),
        ("late_error", types.Down),
        ("html", types.Down),
        ("cut", types.Down),
        ("half", types.Down),
        ("redirect", UsageError),
    ],
)
def test_every_failure_has_its_name_and_one_line(kind: str, behaviour: str, error: type[FluxcapError]) -> None:
    with VlmServer(behaviour) as server, pytest.raises(error) as caught:
        ask(server, kind)
    assert type(caught.value) is error or (error is types.Down and type(caught.value) is types.Unreachable)
    assert "\n" not in str(caught.value)
    assert server.url in str(caught.value)
    assert len(server.seen) == 1, "the caller tries again, not the client"


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_for_no_known_reason_concerns_this_picture(kind: str) -> None:
    with VlmServer("odd") as server, pytest.raises(FluxcapError, match="that did not work") as caught:
        ask(server, kind)
    assert type(caught.value) is FluxcapError


@pytest.mark.parametrize("kind", KINDS)
def test_a_form_that_is_not_supported(kind: str) -> None:
    with VlmServer(forms=frozenset({"json_schema"})) as server:
        with pytest.raises(types.FormRefused):
            ask(server, kind, "json_object")
        assert ask(server, kind, "json_schema").text == ANSWER
        assert ask(server, kind, "text").text == ANSWER


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_that_is_too_large_for_this_server(kind: str) -> None:
    with VlmServer(pixels=100 * 100) as server:
        with pytest.raises(types.TooLarge):
            ask(server, kind, jpeg=picture(200, 100))
        assert ask(server, kind, jpeg=picture(100, 100)).text == ANSWER


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_than_the_slots_and_when_to_come_back(kind: str) -> None:
    async def three(asked: Server) -> list[Reply | BaseException]:
        questions = (asked.reply(QUESTION, picture(), "text") for _ in range(3))
        return await asyncio.gather(*questions, return_exceptions=True)

    with VlmServer(slots=2, latency=0.15, retry_after="2.5") as server:
        answers = use(client(server, kind), three)
    (busy,) = (answer for answer in answers if isinstance(answer, BaseException))
    assert isinstance(busy, types.Busy)
    assert busy.retry_after == 2.5
    assert server.under.most == 3


@pytest.mark.parametrize("behaviour", ["silent", "trickle"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_never_answers(kind: str, behaviour: str) -> None:
    with VlmServer(behaviour) as server, pytest.raises(types.Down, match=r"no answer within 0\.1 s"):
        use(client(server, kind, seconds=0.1), lambda asked: asked.reply(QUESTION, picture(), "text"))


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_there(kind: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        asked = OllamaServer(url, MODEL) if kind == "ollama" else OpenAIServer(url, MODEL)
        with pytest.raises(types.Down, match="cannot be reached"):
            use(asked, lambda asked: asked.reply(QUESTION, picture(), "text"))


def test_a_model_that_is_not_there_is_told_with_those_that_are() -> None:
    with VlmServer() as server:
        with pytest.raises(types.UnknownModel, match="known there: eyes-vl:4b, words:7b"):
            use(client(server, "openai", model="eye-vl"), lambda asked: asked.reply(QUESTION, picture(), "text"))
        with pytest.raises(types.UnknownModel, match="ollama pull eye-vl; known there: eyes-vl:4b"):
            use(client(server, "ollama", model="eye-vl"), lambda asked: asked.reply(QUESTION, picture(), "text"))


@pytest.mark.parametrize("kind", KINDS)
def test_the_models_of_a_server(kind: str) -> None:
    with VlmServer() as server:
        assert use(client(server, kind), lambda asked: asked.models()) == ["eyes-vl:4b", "words:7b"]
    with VlmServer(ollama=kind == "ollama", openai=kind == "openai") as other:
        wrong = client(other, "ollama" if kind == "openai" else "openai")
        assert use(client(other, kind), lambda asked: asked.models())
        with pytest.raises(types.Down, match="lists no models"):
            use(wrong, lambda asked: asked.models())
        wrong = client(other, "ollama" if kind == "openai" else "openai")
        with pytest.raises(types.UnknownModel, match=r"right address|ollama pull"):
            use(wrong, lambda asked: asked.reply(QUESTION, picture(), "text"))


def test_arguments_that_a_strict_server_refuses_are_left_out_and_remembered() -> None:
    async def twice(asked: Server) -> list[str]:
        return [(await asked.reply(QUESTION, picture(), "json_schema")).text for _ in range(2)]

    strict = frozenset({"chat_template_kwargs", "temperature", "max_tokens", "think"})
    with VlmServer(strict=strict) as server:
        assert use(client(server, "openai"), twice) == [ANSWER, ANSWER]
        assert len(server.seen) == 5, "one question for each of three arguments, then two that are answered"
        last = server.seen[-1].body
        assert not strict & set(last)
        assert last["max_completion_tokens"] == 321
        assert use(client(server, "ollama"), twice) == [ANSWER, ANSWER]
        assert ["think" in seen.body for seen in server.seen[5:]] == [True, False, False]


def test_a_context_too_short_for_max_tokens_is_no_refused_argument() -> None:
    words = (
        "'max_tokens' or 'max_completion_tokens' is too large: 700. This model's maximum context length is 1024 tokens."
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vlm_server.REFUSALS, "short", (400, words))
        with VlmServer("short") as server, pytest.raises(types.TooLarge):
            ask(server, "openai")
    assert len(server.seen) == 1


# What the words of a refusal mean, as the known servers say them


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, '{"object": "error", "message": "Qwen/Qwen3-0.6B is not a multimodal model None", "code": 400}', types.NoVision),
        (500, '{"code":500,"message":"image input is not supported by this server"}', types.NoVision),
        (500, '{"error":{"message":"Failed to parse messages: Unsupported content part type: \\"image_url\\""}}', types.NoVision),
        (400, '{"error":"Model does not support images. Please use a model that does."}', types.NoVision),
        (404, '{"error":{"message":"No endpoints found that support image input","code":404}}', types.NoVision),
        (400, '{"error":{"message":"Invalid content type. image_url is only supported by certain models."}}', types.NoVision),
        (400, '{"error":"this model is missing data required for image input"}', types.NoVision),
        (400, '{"message":"At most 0 image(s) may be provided in one prompt."}', types.NoVision),
        (400, '{"error":{"message":"We do not support images over 20MB"}}', types.TooLarge),
        (400, '{"error":{"message":"This model does not support images larger than 2048 px"}}', types.TooLarge),
        (400, '{"error":{"message":"The model does not support images of this kind"}}', FluxcapError),
        (400, '{"message":"Multimodal prompt is too long after expanding multimodal tokens."}', types.TooLarge),
        (400, '{"message":"The input (61709 tokens) is longer than the model\'s context length (40960)."}', types.TooLarge),
        (400, '{"error":{"code":400,"message":"request (5000 tokens) exceeds the available context size"}}', types.TooLarge),
        (413, "<html><h1>413 Request Entity Too Large</h1></html>", types.TooLarge),
        (400, '{"error":"\'response_format.type\' must be \'json_schema\' or \'text\'"}', types.FormRefused),
        (400, '{"error":{"message":"Failed to initialize samplers: failed to parse grammar"}}', types.FormRefused),
        (500, '{"error":"Failed to create new sequence: unable to create sampling context\\n"}', types.FormRefused),
        (503, '{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}', types.NotReady),
        (500, '{"error":"error loading model /models/x: unable to allocate buffer"}', types.Down),
        (503, '{"error":"server busy, please try again.  maximum pending requests exceeded"}', types.Busy),
        (502, "Bad Gateway", types.Down),
        (429, '{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}', types.Denied),
        (429, '{"error":{"message":"You exceeded your current quota. Please retry in 20 s."}}', types.Busy),
        (402, '{"error":{"message":"This request requires more credits","code":402}}', types.Denied),
        (403, '{"error":{"message":"Your input was flagged: requires moderation","code":403}}', FluxcapError),
        (400, '{"error":{"message":"The image was rejected by our safety system"}}', FluxcapError),
        (404, '{"error":{"message":"The model `x` does not exist.","code":"model_not_found"}}', types.UnknownModel),
        (400, '{"error":{"message":"x is not a valid model ID","code":400}}', types.UnknownModel),
        (404, '{"error":"model \'x\' not found"}', types.UnknownModel),
        (422, '{"detail":[{"loc":["body","messages"],"msg":"field required"}]}', FluxcapError),
    ],
)  # fmt: skip
def test_the_words_of_the_known_servers(status: int, body: str, error: type[FluxcapError]) -> None:
    words = said(body)
    got = refusal(status, words, {}, form="json_schema", url="http://127.0.0.1:1/v1", model="m", keys=("K",))
    assert type(got) is error, f"{got!r} for {words}"
    assert "\n" not in str(got)


def test_a_form_is_not_blamed_where_none_was_asked_for() -> None:
    got = refusal(400, "failed to parse grammar", {}, form="text", url="u", model="m")
    assert type(got) is FluxcapError


def test_a_server_that_is_gone_for_a_while_says_until_when() -> None:
    for headers, error in ({"retry-after": "30"}, types.Busy), ({}, types.Down):
        got = refusal(503, "Service Unavailable", headers, form="text", url="u", model="m")
        assert type(got) is error
    assert type(refusal(408, "", {}, form="text", url="u", model="m")) is types.Down


def test_neither_the_key_nor_the_picture_is_repeated() -> None:
    words = said('{"error": {"message": "bad key sk-123 for data:image/jpeg;base64,' + "A" * 5000 + '"}}', "sk-123")
    assert "sk-123" not in words
    assert len(words) < 80


def test_what_the_provider_behind_the_server_says_is_read() -> None:
    body = '{"error": {"message": "Provider returned error", "metadata": {"raw": "image too large"}}}'
    assert said(body) == "Provider returned error image too large"


def test_when_to_come_back() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"retry-after-ms": "250", "retry-after": "1"}) == 0.25
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 50 < (retry_after({"retry-after": later}) or 0) <= 60
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "-5"}) is None


# Addresses, keys, kinds


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("127.0.0.1:8000/", "http://127.0.0.1:8000/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1"),
        ("https://h/v1beta/openai/", "https://h/v1beta/openai"),
        ("http://[::1]:8000", "http://[::1]:8000/v1"),
    ],
)
def test_addresses_take_their_usual_form(url: str, base: str) -> None:
    assert openai_base(url) == base


@pytest.mark.parametrize("end", ["", "/", "/api", "/api/chat", "/v1", "/v1/chat/completions"])
def test_addresses_of_ollama(end: str) -> None:
    assert ollama_base(f"http://localhost:11434{end}") == "http://localhost:11434"


@pytest.mark.parametrize(
    "url", ["", "ftp://h/v1", "http://", "http://h:port/v1", "http://[::1/v1", "http://h/v1?key=sk-1"]
)
def test_what_is_no_address_is_told(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        openai_base(url)
    assert "sk-1" not in str(caught.value)


def test_an_address_with_a_key_in_it_is_refused_and_not_repeated() -> None:
    with pytest.raises(UsageError, match="FLUXCAP_VLM_KEY") as caught:
        open_server("https://me:sk-1@h/v1", "m")
    assert "sk-1" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:1", True),
        ("http://LOCALHOST.:1", True),
        ("http://a.localhost", True),
        ("http://127.8.9.1/v1", True),
        ("http://[::1]:1", True),
        ("http://[::ffff:127.0.0.1]:1", True),
        ("http://0.0.0.0:1", False),
        ("http://192.168.1.5:1", False),
        ("http://localhost.example.com", False),
        ("http://127.0.0.1.example.com", False),
        ("https://api.openai.com/v1", False),
        ("nonsense://x", False),
    ],
)
def test_what_this_machine_is(url: str, local: bool) -> None:
    assert is_local(url) is local


KEYS = {"FLUXCAP_VLM_KEY": "mine", "OPENAI_API_KEY": "openai", "OPENROUTER_API_KEY": "router"}


@pytest.mark.parametrize(
    ("url", "names", "key"),
    [
        ("https://api.openai.com/v1", {"OPENAI_API_KEY", "OPENROUTER_API_KEY"}, "openai"),
        ("https://openrouter.ai/api/v1", {"OPENAI_API_KEY", "OPENROUTER_API_KEY"}, "router"),
        ("https://api.openai.com/v1", set(KEYS), "mine"),
        ("https://api.openai.com.example.org/v1", {"OPENAI_API_KEY", "OPENROUTER_API_KEY"}, None),
        ("https://example.org/v1", {"OPENAI_API_KEY", "OPENROUTER_API_KEY"}, None),
        ("https://example.org/v1", set(KEYS), "mine"),
        ("http://127.0.0.1:8000", set(KEYS), "mine"),
        ("http://127.0.0.1:8000", {"OPENAI_API_KEY"}, None),
        ("http://192.168.1.5:8000", {"OPENAI_API_KEY"}, None),
    ],
)
def test_keys_go_to_their_own_host_only(url: str, names: set[str], key: str | None) -> None:
    assert find_key(url, {name: KEYS[name] for name in names}) == key


@pytest.mark.parametrize("url", ["http://192.168.1.5:8000", "http://api.openai.com/v1"])
def test_no_key_travels_unencrypted(url: str) -> None:
    for kind in ("auto", "openai", "ollama"):
        with pytest.raises(UsageError, match="the key is not sent") as caught:
            open_server(url, "m", kind=kind, environ={"FLUXCAP_VLM_KEY": "sk-1"})
        assert "sk-1" not in str(caught.value)


def test_a_key_with_a_line_break_is_told_before_it_is_sent() -> None:
    with pytest.raises(UsageError, match="FLUXCAP_VLM_KEY"):
        find_key("https://h/v1", {"FLUXCAP_VLM_KEY": "sk 1"})
    assert key_names("https://openrouter.ai/api/v1") == ("FLUXCAP_VLM_KEY", "OPENROUTER_API_KEY")


def opened(url: str, kind: str = "auto", **environ: str) -> str:
    async def look(server: Server) -> str:
        return server.kind

    return use(open_server(url, MODEL, kind=kind, environ=environ), look)


def test_the_kind_of_a_server() -> None:
    assert opened("http://192.0.2.1:11434/v1") == "ollama"
    assert opened("http://192.0.2.1:8000/v1") == "openai"
    assert opened("https://openrouter.ai") == "openai"
    assert opened("http://192.0.2.1:11434", "openai") == "openai"
    assert opened("https://h/v1", "ollama") == "ollama"
    with VlmServer() as both, VlmServer(ollama=False) as plain, VlmServer(kobold=True) as kobold:
        assert opened(both.url) == "ollama"
        assert opened(plain.url) == "openai"
        assert opened(kobold.url) == "openai"
    assert opened(plain.url) == "openai", "nobody there: told when it is asked"


@pytest.mark.parametrize(("kind", "model"), [("claude", "m"), ("auto", " ")])
def test_what_cannot_be_opened(kind: str, model: str) -> None:
    with pytest.raises(UsageError):
        open_server("http://127.0.0.1:8000", model, kind=kind)


def test_an_opened_server_brings_its_key() -> None:
    with VlmServer(key="sk-right") as server:
        for kind in KINDS:
            asked = open_server(server.url, MODEL, kind=kind, environ={"FLUXCAP_VLM_KEY": "sk-right\n"})
            assert use(asked, lambda asked: asked.reply(QUESTION, picture(), "text")).text == ANSWER


@pytest.mark.parametrize(("kind", "package"), [("openai", "openai"), ("ollama", "httpx")])
def test_a_missing_package_is_told(kind: str, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(FluxcapError, match=f"the package {package} is not installed; pip install"):
        open_server("http://127.0.0.1:8000/v1", MODEL, kind=kind)
