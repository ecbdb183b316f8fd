"""The OpenAI-compatible chat API: vLLM, SGLang, llama.cpp server, LM Studio, OpenRouter, cloud services."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from fluxcap.errors import FluxcapError
from fluxcap.vlms.addresses import is_local, key_names, openai_base
from fluxcap.vlms.refusals import refusal, said
from fluxcap.vlms.saying import count_of, object_of, text_of
from fluxcap.vlms.types import Down, Form, Question, Reply, UnknownModel, Unreachable

if TYPE_CHECKING:
    import openai

CONNECT_SECONDS = 10.0
"""Until a connection must stand."""

_HEADERS = frozenset(
    ("host", "accept", "accept-encoding", "connection", "content-length", "content-type", "user-agent")
)
"""All that a server is told besides the key; the SDK would add the machine's kind and accounts of the environment."""

_RAW = frozenset(("x-stainless-raw-response",))
"""By this one the SDK knows, when the answer is there, that it was asked for the answer as it is; it says no more than that."""

_OPENAI_HEADERS = frozenset(("openai-organization", "openai-project"))

_OPTIONAL = ("chat_template_kwargs", "temperature", "max_tokens")
"""What some servers refuse: the first is unknown to strict ones, the others to OpenAI's thinking models."""

_REFUSED_ARGUMENT = re.compile(
    r"unsupported (parameter|value)|unrecognized|unknown (parameter|argument|field|name|property)|not permitted"
    r"|extra_forbidden|unexpected (keyword|property|field|parameter)|additional propert|not supported with this model",
    re.IGNORECASE,
)


class OpenAIServer:
    """One model behind ``url``/chat/completions. Asks once: trying again is the caller's business."""

    kind = "openai"

    def __init__(self, url: str, model: str, *, key: str | None = None, seconds: float = 120) -> None:
        """``seconds`` is the time for one answer. ``key`` goes to this address only. Raises ``UsageError`` for a bad one."""
        self.url = openai_base(url)
        self.model = model
        self._key = key
        self._seconds = seconds
        self._refused: set[str] = set()
        self._client = _client(self.url, key, seconds)

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        """The answer to one question about one picture; errors as in ``vlms.types``."""
        picture = as_base64(jpeg)
        start = time.perf_counter()
        # each round finds at most one argument that the server refuses
        for last in (*(False for _ in _OPTIONAL), True):
            body = _body(question, picture, form, self.model, frozenset(self._refused))
            status, text, headers = await self._ask("POST", "/chat/completions", body)
            answer = object_of(text) if status < 300 else None
            if answer is not None and not answer.get("error") and _choice(answer):
                return _reply(answer, time.perf_counter() - start)
            if answer is not None:
                status, text = _hidden_error(answer, status, text)
            elif status < 300:
                raise Down(f"{self.url} answers with what is no chat reply", "is it the address of a model server?")
            words = said(text, self._key)
            refused = _refused_argument(status, words, body)
            if last or refused is None:
                raise await self._error(status, words, headers, form)
            self._refused.add(refused)
        raise AssertionError("the last round raises")

    async def models(self) -> list[str]:
        """The names of the models that the server has."""
        status, text, headers = await self._ask("GET", "/models", None)
        if status >= 300:
            error = refusal(status, said(text, self._key), headers, form="text", **self._names())
            raise Down(f"{self.url} lists no models") if isinstance(error, UnknownModel) else error
        data = (object_of(text) or {}).get("data")
        rows = data if isinstance(data, list) else []
        return [row["id"] for row in rows if isinstance(row, Mapping) and isinstance(row.get("id"), str)]

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.close()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, str, Mapping[str, str]]:
        """Status, text and headers (names in small letters) of one request; ``Down`` where there is no whole answer."""
        import openai

        try:
            async with asyncio.timeout(self._seconds):
                if method == "GET":
                    raw = await self._client.models.with_raw_response.list()
                else:
                    raw = await self._client.chat.completions.with_raw_response.create(**(body or {}))
        except openai.APIStatusError as error:
            return error.response.status_code, error.response.text, _lower(error.response.headers)
        except (openai.APITimeoutError, TimeoutError) as error:
            raise _timed_out(self.url, self._seconds) from error
        except openai.APIConnectionError as error:
            raise _unreachable(self.url, error.__cause__ or error) from error
        except openai.OpenAIError as error:
            raise Down(f"{self.url} gives no answer ({said(str(error), self._key)})") from error
        return raw.http_response.status_code, raw.http_response.text, _lower(raw.http_response.headers)

    async def _error(self, status: int, words: str, headers: Mapping[str, str], form: Form) -> FluxcapError:
        """The error for a refusal; one about the model's name tells the names that there are."""
        error = refusal(status, words, headers, form=form, **self._names())
        if not isinstance(error, UnknownModel):
            return error
        try:
            known = await self.models()
        except FluxcapError:
            known = []
        return UnknownModel(error.message, known_names(self.model, known) or f"is {self.url} the right address?")

    def _names(self) -> dict[str, Any]:
        return {"url": self.url, "model": self.model, "keys": key_names(self.url)}


def as_base64(jpeg: bytes) -> str:
    """The picture as text. Raises ``ValueError`` for anything but a JPEG, the one format that all servers read."""
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise ValueError("servers are sent JPEG only")
    return base64.b64encode(jpeg).decode("ascii")


def known_names(model: str, known: list[str]) -> str:
    """A hint with the nearest names first; nothing where none is known."""
    import difflib

    near = difflib.get_close_matches(model, known, n=3, cutoff=0.5)
    names = near + [name for name in known if name not in near]
    more = len(names) - 8
    return f"known there: {', '.join(names[:8])}{f' and {more} more' if more > 0 else ''}" if names else ""


def _client(url: str, key: str | None, seconds: float) -> openai.AsyncOpenAI:
    try:
        import openai
    except ModuleNotFoundError as error:
        raise FluxcapError(f"the package {error.name} is not installed", 'pip install "fluxcap[vlm]"') from error

    allowed = _HEADERS | _RAW | (_OPENAI_HEADERS if urlsplit(url).hostname == "api.openai.com" else frozenset())

    async def only_ours(request: Any) -> None:
        for name in {*request.headers} - allowed:
            del request.headers[name]
        if key is not None:
            request.headers["authorization"] = f"Bearer {key}"

    return openai.AsyncOpenAI(
        api_key=key or "none",  # else the SDK takes one from the environment; the hook takes "none" out again
        base_url=url,
        max_retries=0,
        timeout=seconds,
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=openai.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            trust_env=not is_local(url),  # a proxy does not reach this machine
            follow_redirects=False,  # pictures go to the host that was named, and no further
            event_hooks={"request": [only_ours]},
        ),
    )


def _body(question: Question, picture: str, form: Form, model: str, refused: frozenset[str]) -> dict[str, Any]:
    """The arguments of the request: picture first, then the text."""
    parts: list[dict[str, Any]] = [
        {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}},
        {"type": "text", "text": question.text},
    ]
    messages: list[dict[str, Any]] = [{"role": "user", "content": parts}]
    if question.system:
        messages.insert(0, {"role": "system", "content": question.system})
    body: dict[str, Any] = {"model": model, "messages": messages}
    body["max_completion_tokens" if "max_tokens" in refused else "max_tokens"] = question.max_tokens
    if "temperature" not in refused:
        body["temperature"] = question.temperature
    if "chat_template_kwargs" not in refused:
        body["extra_body"] = {"chat_template_kwargs": {"enable_thinking": False}}
    if question.schema is not None and form == "json_schema":
        schema = {"name": "traits", "strict": True, "schema": dict(question.schema)}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    elif question.schema is not None and form == "json_object":
        body["response_format"] = {"type": "json_object"}
    return body


def _refused_argument(status: int, words: str, body: Mapping[str, Any]) -> str | None:
    """The argument that the server does not know, if that is what it complains of and it was sent."""
    if status not in (400, 422):
        return None
    sent = {*body, *body.get("extra_body", ())}
    unknown = _REFUSED_ARGUMENT.search(words) is not None
    for name in _OPTIONAL:
        if name in sent and name in words and (unknown or name == "chat_template_kwargs"):
            return name
    # it says that something is unknown, not what: the least usual argument goes
    named = any(name in words for name in ("response_format", "image_url", "messages"))
    return "chat_template_kwargs" if unknown and not named and "chat_template_kwargs" in sent else None


def _choice(answer: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first choice, where it holds a message."""
    choices = answer.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if not isinstance(choice, Mapping) or choice.get("error"):
        return None
    return choice if isinstance(choice.get("message"), Mapping) else None


def _hidden_error(answer: Mapping[str, Any], status: int, text: str) -> tuple[int, str]:
    """Status and text of an error that came as a good answer (OpenRouter: ``error`` at the top or in the choice)."""
    choices = answer.get("choices")
    inner = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}
    error = answer.get("error") or inner.get("error")
    code = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(code, int) and 400 <= code < 600:
        status = code
    return (status if status >= 400 else 502), json.dumps({"error": error}) if error else text


def _reply(answer: Mapping[str, Any], seconds: float) -> Reply:
    choice = _choice(answer) or {}
    return Reply(
        text=text_of(choice["message"]),
        finish=str(choice.get("finish_reason") or ""),
        prompt_tokens=count_of(answer.get("usage"), "prompt_tokens"),
        answer_tokens=count_of(answer.get("usage"), "completion_tokens"),
        seconds=seconds,
    )


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _timed_out(url: str, seconds: float) -> Down:
    return Down(f"{url} gave no answer within {seconds:g} s", "ask for less at once, or give it more time")


def _unreachable(url: str, cause: BaseException) -> Unreachable:
    words = " ".join(str(cause).split())[:120] or type(cause).__name__
    return Unreachable(f"{url} cannot be reached or broke off ({words})", "is the server running there?")
