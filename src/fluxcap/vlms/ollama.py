"""Ollama by its own API: its OpenAI-compatible one can set neither the context's length nor ``think``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fluxcap.errors import FluxcapError
from fluxcap.vlms.addresses import is_local, key_names, ollama_base
from fluxcap.vlms.openai_chat import CONNECT_SECONDS, as_base64, known_names
from fluxcap.vlms.refusals import refusal, said
from fluxcap.vlms.saying import count_of, object_of, text_of
from fluxcap.vlms.types import Down, Form, Question, Reply, UnknownModel, Unreachable

if TYPE_CHECKING:
    import httpx


class OllamaServer:
    """One model behind ``url``/api/chat. Asks once: trying again is the caller's business."""

    kind = "ollama"

    def __init__(
        self, url: str, model: str, *, key: str | None = None, seconds: float = 300, context: int = 8192
    ) -> None:
        """``seconds`` is the time for one answer, loading the model included; ``context`` is in tokens.

        Raises ``UsageError`` for a bad address.
        """
        self.url = ollama_base(url)
        self.model = model
        self._key = key
        self._seconds = seconds
        self._context = context
        self._think_refused = False
        self._client = _client(self.url, key, seconds)

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        """The answer to one question about one picture; errors as in ``vlms.types``."""
        body = self._body(question, as_base64(jpeg), form)
        start = time.perf_counter()
        status, text = 0, ""
        headers: Mapping[str, str] = {}
        for last in (False, True):
            if not self._think_refused:
                body["think"] = False
            status, text, headers = await self._ask("POST", "/api/chat", body)
            answer = object_of(text) if status < 300 else None
            if answer is not None and isinstance(answer.get("message"), Mapping) and not answer.get("error"):
                return _reply(answer, time.perf_counter() - start)
            if status < 300 and not (answer or {}).get("error"):
                raise Down(f"{self.url} answers with what is no chat reply", "is it the address of Ollama?")
            if last or status != 400 or "think" not in said(text) or body.pop("think", None) is None:
                break
            self._think_refused = True
        raise await self._error(status if status >= 300 else 500, said(text, self._key), headers, form)

    async def models(self) -> list[str]:
        """The names of the models that the server has."""
        status, text, headers = await self._ask("GET", "/api/tags", None)
        if status >= 300:
            error = refusal(status, said(text, self._key), headers, form="text", **self._names())
            raise Down(f"{self.url} lists no models") if isinstance(error, UnknownModel) else error
        rows = (object_of(text) or {}).get("models")
        rows = rows if isinstance(rows, list) else []
        return [row["name"] for row in rows if isinstance(row, Mapping) and isinstance(row.get("name"), str)]

    async def close(self) -> None:
        """Let go of its connections."""
        await self._client.aclose()

    def _body(self, question: Question, picture: str, form: Form) -> dict[str, Any]:
        messages: list[dict[str, Any]] = [{"role": "user", "content": question.text, "images": [picture]}]
        if question.system:
            messages.insert(0, {"role": "system", "content": question.system})
        body: dict[str, Any] = {
            "model": self.model,
            "messages": messages,
            "stream": False,
            "truncate": False,  # else a question too long loses its beginning, and nobody is told
            "options": {
                "num_ctx": self._context,
                "temperature": question.temperature,
                "num_predict": question.max_tokens,
            },
        }
        if question.schema is not None and form != "text":
            body["format"] = dict(question.schema) if form == "json_schema" else "json"
        return body

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, str, Mapping[str, str]]:
        """Status, text and headers of one request; ``Down`` where there is no whole answer."""
        import httpx

        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._client.request(method, path, json=body)
        except (httpx.TimeoutException, TimeoutError) as error:
            raise Down(
                f"{self.url} gave no answer within {self._seconds:g} s", "ask for less at once, or give it more time"
            ) from error
        except httpx.HTTPError as error:
            words = said(str(error), self._key)[:120] or type(error).__name__
            raise Unreachable(
                f"{self.url} cannot be reached or broke off ({words})", "is Ollama running there? (ollama serve)"
            ) from error
        return answer.status_code, answer.text, answer.headers

    async def _error(self, status: int, words: str, headers: Mapping[str, str], form: Form) -> FluxcapError:
        """The error for a refusal; one about the model's name tells how to get it, and the names that there are."""
        error = refusal(status, words, headers, form=form, **self._names())
        if not isinstance(error, UnknownModel):
            return error
        try:
            known = known_names(self.model, await self.models())
        except FluxcapError:
            known = ""
        return UnknownModel(error.message, f"ollama pull {self.model}" + (f"; {known}" if known else ""))

    def _names(self) -> dict[str, Any]:
        return {"url": self.url, "model": self.model, "keys": key_names(self.url)}


def _client(url: str, key: str | None, seconds: float) -> httpx.AsyncClient:
    try:
        import httpx
    except ModuleNotFoundError as error:
        raise FluxcapError(f"the package {error.name} is not installed", "pip install httpx") from error

    return httpx.AsyncClient(
        base_url=url,
        headers={"authorization": f"Bearer {key}"} if key else {},
        timeout=httpx.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
        trust_env=not is_local(url),  # a proxy does not reach this machine
        follow_redirects=False,  # pictures go to the host that was named, and no further
    )


def _reply(answer: Mapping[str, Any], seconds: float) -> Reply:
    return Reply(
        text=text_of(answer["message"]),
        finish=str(answer.get("done_reason") or ""),
        prompt_tokens=count_of(answer, "prompt_eval_count"),
        answer_tokens=count_of(answer, "eval_count"),
        seconds=seconds,
    )
