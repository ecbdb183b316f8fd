"""From an address to a server that can be asked: of which kind it is, and which key it may see."""

from __future__ import annotations

import os
from collections.abc import Mapping
from urllib.parse import urlsplit

from fluxcap.errors import UsageError
from fluxcap.vlms.addresses import find_key, is_local, names_version, ollama_base, split
from fluxcap.vlms.types import Server

__all__ = ["is_local", "kind_of", "open_server"]

KINDS = ("auto", "openai", "ollama")

OLLAMA_PORT = 11434

ANSWER_SECONDS = 2.0
"""Until a server must have said whether it is Ollama."""


def open_server(url: str, model: str, *, kind: str = "auto", environ: Mapping[str, str] | None = None) -> Server:
    """The server at ``url`` with its model; ``kind`` is openai, ollama or auto. Close it in the loop that used it.

    The key comes from ``environ`` (the process's where None), and only one that may go to that host. Raises ``UsageError`` for a bad
    address, an unknown kind, and a key that would travel unencrypted to another machine.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no server of kind {kind!r}", f"known: {', '.join(KINDS)}")
    if not model.strip():
        raise UsageError("no model is named", "name one that the server has; fluxcap doctor lists them")
    key = find_key(url, os.environ if environ is None else environ)
    if (kind_of(url, key) if kind == "auto" else kind) == "ollama":
        from fluxcap.vlms.ollama import OllamaServer

        return OllamaServer(url, model, key=key)
    from fluxcap.vlms.openai_chat import OpenAIServer

    return OpenAIServer(url, model, key=key)


def kind_of(url: str, key: str | None = None) -> str:
    """'ollama' or 'openai'; the server itself is asked only where port and path do not tell."""
    parts = split(url)
    if parts.port == OLLAMA_PORT:
        return "ollama"
    if names_version(parts.path) or (parts.scheme == "https" and not is_local(url)):
        return "openai"
    base = ollama_base(url)
    # KoboldCpp answers in Ollama's name, but knows its chat only in part
    return "ollama" if _tells(f"{base}/api/version", key) and not _tells(f"{base}/api/extra/version", key) else "openai"


def _tells(url: str, key: str | None) -> bool:
    """Whether a JSON object with a version lies there."""
    import httpx

    headers = {"authorization": f"Bearer {key}"} if key and urlsplit(url).scheme == "https" else {}
    try:
        with httpx.Client(trust_env=not is_local(url), timeout=ANSWER_SECONDS, follow_redirects=False) as client:
            answer = client.get(url, headers=headers)
            data = answer.json() if answer.status_code == 200 else None
    except (httpx.HTTPError, ValueError):
        return False
    return isinstance(data, dict) and "version" in data
