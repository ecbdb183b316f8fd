"""What a server's refusal means: its HTTP status and the words that the known servers use, as the errors of this room."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.vlms.types import Busy, Denied, Down, Form, FormRefused, NotReady, NoVision, TooLarge, UnknownModel

_READ = 700
"""So many characters of a refusal are read: some servers repeat the whole question behind their own words."""

_TOLD = 200
"""So many are shown to the person."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


# Each line: the words of the server that is named behind it.
_FORM = _any(
    r"response_format",  # LM Studio: 'response_format.type' must be 'json_schema' or 'text'; OpenAI, vLLM, SGLang
    r"json_schema|json_object|json mode",
    r"\bgrammars?\b|xgrammar|guided_|structured.?outputs?",  # llama.cpp: Failed to initialize samplers: failed to parse grammar
    r"(invalid|unsupported) (json )?(schema|format:)",  # Ollama, llama.cpp
    r"unable to create sampling context",  # Ollama, for a schema that it cannot turn into a grammar
    r"support the requested parameters|handle the requested parameters",  # OpenRouter
)
_TOO_LARGE = _any(
    r"context (length|size|window)|maximum model length|max_model_len",  # OpenAI, vLLM, SGLang, llama.cpp, LM Studio, Ollama
    r"(prompt|input|request) (is |\([^)]*\) is )?too (long|large)|too long",  # SGLang: Multimodal prompt is too long
    r"(image|picture|payload|entity|body|file|content)\b[^.]{0,40} too (large|big)",
    r"\bimages?\b[^.]{0,60}\b(exceeds?|(larger|bigger) than|(over|above|at most) \d+ ?([kM]B|px|pixels))",
    r"too many (image )?tokens|tokens? (count )?exceeds?",
)
_NO_VISION = _any(
    r"(not|doesn't|n't) support (image|vision|multi-?modal|picture)\w*\b(?! (of|with|in)\b)",
    r"(image|vision|multi-?modal)( inputs?)? (is|are) not supported",  # llama.cpp: image input is not supported
    r"support image input",  # OpenRouter, as 404: No endpoints found that support image input
    r"image input modality is not enabled",  # Gemini
    r"not a multi-?modal model",  # vLLM, SGLang
    r"image_url is only supported by",  # OpenAI
    r"at most 0 image",  # vLLM with --limit-mm-per-prompt
    r"mmproj",  # llama.cpp
    r"missing data required for image input",  # Ollama
    r"unsupported content part type|unknown variant [`'\"]image_url",  # llama.cpp of old, DeepSeek
    r"content must be a string",
)
_LOADING = _any(
    r"(?<!error )(?<!failed )loading (the )?model",  # llama.cpp: Loading model
    r"model (is )?(still |currently )?(loading|being loaded)",
    r"warming up|starting up|not ready",
)
_BUSY = _any(r"busy|overloaded|too many requests|pending requests|rate.?limit|queue|at capacity|no slots? available")
_NO_MODEL = _any(
    r"models? [^.]{0,120}(not found|does not exist|not loaded|not exist)",
    r"no models? (is |are )?loaded",  # LM Studio
    r"(not a valid|invalid|unknown) model( id| name)?\b",  # OpenRouter, LM Studio
    r"no endpoints found",  # OpenRouter
    r"server is pinned to",  # transformers serve
)
_NO_MONEY = _any(r"insufficient.?(quota|credit|balance|funds)", r"out of credits")
_NOT_THIS_PICTURE = _any(r"flagged|moderation|content.?(policy|filter)|safety system|usage polic")


def said(body: str, secret: str | None = None) -> str:
    """The words of a refusal on one line, out of the forms that servers wrap them in; never with the key in it."""
    words = _words(body)
    if secret:
        words = words.replace(secret, "***")
    words = re.sub(r"[A-Za-z0-9+/=_-]{120,}", "...", words)  # the picture, repeated by the server
    words = re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", words)  # a terminal would obey them
    return " ".join(words.split())[:_READ]


def refusal(
    status: int,
    words: str,
    headers: Mapping[str, str],
    *,
    form: Form,
    url: str,
    model: str,
    keys: Sequence[str] = (),
) -> FluxcapError:
    """The error for an answer that is none: ``words`` as :func:`said` gives them, header names in small letters.

    A request that was refused for a reason that nobody knows is a plain ``FluxcapError``: it concerns this picture only.
    """
    told = f"{url} answers {status}" + (f": {words[:_TOLD]}" if words else "")
    error = _by_status(status, words, told, headers, url, keys)
    if error is None and form != "text" and _FORM.search(words):
        error = FormRefused(f"{model} is not held to {form} by its server ({told})")
    if error is None and (status == 413 or _TOO_LARGE.search(words)):
        error = TooLarge(f"picture and question are too large for {model} ({told})", "send a smaller picture")
    if error is None and _NO_VISION.search(words):
        error = NoVision(
            f"{model} takes no pictures ({told})",
            "choose a vision model (llama.cpp: start it with --mmproj)",
        )
    if error is None and status >= 500:
        error = _failed(status, words, told, headers)
    if error is None and (status == 404 or (status < 500 and _NO_MODEL.search(words))):
        error = UnknownModel(f"there is no model {model!r} ({told})")
    return error or FluxcapError(f"the picture was refused: {told}")


def _by_status(
    status: int, words: str, told: str, headers: Mapping[str, str], url: str, keys: Sequence[str]
) -> FluxcapError | None:
    """The errors that the status alone tells of."""
    if status < 400:
        where = headers.get("location", "")
        return UsageError(
            f"{url} sends requests on to {where or 'another address'}", "name that address if you trust it"
        )
    if status == 402 or (status in (403, 429) and _NO_MONEY.search(words)):
        return Denied(f"the account has nothing left ({told})", "top it up, or choose another server")
    if status == 403 and _NOT_THIS_PICTURE.search(words):
        return FluxcapError(f"the server refuses this picture ({told})")
    if status in (401, 403):
        return Denied(f"the key is missing or wrong ({told})", f"set {' or '.join(keys)}" if keys else "")
    if status == 408:
        return Down(f"the server gave up waiting ({told})")
    if status == 429:
        return Busy(f"the server has too much to do ({told})", retry_after=retry_after(headers))
    return None


def _failed(status: int, words: str, told: str, headers: Mapping[str, str]) -> FluxcapError:
    """A 5xx that is nobody's fault: loading, busy, or broken."""
    wait = retry_after(headers)
    if _LOADING.search(words):
        return NotReady(f"the model is still being loaded ({told})")
    if status == 529 or (status == 503 and wait is not None) or _BUSY.search(words):
        return Busy(f"the server has too much to do ({told})", retry_after=wait)
    return Down(f"the server failed ({told})", "its own log says why")


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds until the server wants to be asked again: ``Retry-After`` in seconds or as a date, or in milliseconds."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        text = headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", text):
            return float(text) / unit
        if text and unit == 1.0:
            try:
                at = parsedate_to_datetime(text)
            except ValueError:
                continue
            return max(0.0, (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds())
    return None


def _words(body: str) -> str:
    """``error.message``, ``error``, ``message`` or ``detail`` of a JSON body, its codes, and what a provider behind it said."""
    try:
        data: object = json.loads(body)
    except ValueError:
        return re.sub(r"<[^>]*>", " ", body)
    words: list[str] = []
    codes: list[str] = []
    while isinstance(data, dict):
        metadata = data.get("metadata")
        if isinstance(metadata, dict) and metadata.get("raw"):  # OpenRouter: the words of the provider
            words.append(str(metadata["raw"]))
        codes += [data[key] for key in ("code", "type") if isinstance(data.get(key), str)]
        data = next((data[key] for key in ("error", "message", "detail", "msg") if data.get(key)), "")
    words.insert(0, data if isinstance(data, str) else json.dumps(data, ensure_ascii=False))
    return " ".join(words + [f"({code})" for code in codes])
