"""Addresses of servers: their usual form, whether they are this machine, and which key may go there."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from fluxcap.errors import UsageError

KEY = "FLUXCAP_VLM_KEY"
"""The environment variable whose key goes to whichever server the person named."""

_HOSTS_OWN_KEY = {"api.openai.com": "OPENAI_API_KEY", "openrouter.ai": "OPENROUTER_API_KEY"}
_VERSION = re.compile(r"v\d+\w*")


def split(url: str) -> SplitResult:
    """The parts of an address; ``http://`` is added where it says no scheme.

    Raises ``UsageError`` for what is no address of a web server, and for one with a name, a key or a question mark in it.
    """
    text = url.strip()
    parts = None
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        told = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        told = False
    if parts is not None and (parts.username is not None or parts.password is not None):
        # the address itself is not repeated: it holds a secret
        raise UsageError("the address of the server has a name or a key in it", f"leave it out and set {KEY}")
    if parts is None or not told:
        raise UsageError(f"{url!r} is not the address of a server", "write it like http://127.0.0.1:8000/v1")
    if parts.query or parts.fragment:
        raise UsageError(
            f"the address of the server ({_bare(parts)}) ends in a question", "leave out what follows the ?"
        )
    return parts


def openai_base(url: str) -> str:
    """The address that ``/chat/completions`` is put behind: ``.../v1`` where it names no version, no slash at the end."""
    parts = split(url)
    path = parts.path.rstrip("/").removesuffix("/chat/completions").rstrip("/")
    if not names_version(path):
        path += "/v1"
    return _bare(parts._replace(path=path))


def ollama_base(url: str) -> str:
    """The address that ``/api/chat`` is put behind."""
    parts = split(url)
    path = parts.path.rstrip("/")
    for end in ("/chat/completions", "/chat", "/v1", "/api"):
        path = path.removesuffix(end)
    return _bare(parts._replace(path=path))


def names_version(path: str) -> bool:
    """Whether the path says which version of the OpenAI API it is (``/v1``, ``/api/v1``, ``/v1beta/openai``)."""
    return any(_VERSION.fullmatch(part) for part in path.split("/"))


def is_local(url: str) -> bool:
    """Whether the address is this machine: loopback names and addresses only; an address that says nothing else is not."""
    try:
        host = (split(url).hostname or "").rstrip(".")
    except UsageError:
        return False
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def key_names(url: str) -> tuple[str, ...]:
    """The environment variables whose key may go to this address, first come first taken."""
    own = _HOSTS_OWN_KEY.get(split(url).hostname or "")
    return (KEY, own) if own else (KEY,)


def find_key(url: str, environ: Mapping[str, str]) -> str | None:
    """The key for this address, if there is one.

    Raises ``UsageError`` where it would have to travel unencrypted to another machine.
    """
    for name in key_names(url):
        key = environ.get(name, "").strip()
        if not key:
            continue
        if split(url).scheme != "https" and not is_local(url):
            raise UsageError(
                f"{name} is set, and {_bare(split(url))} is neither this machine nor encrypted: the key is not sent there",
                f"use https://, or unset {name} if that server wants no key",
            )
        if not key.isascii() or any(sign.isspace() for sign in key):
            raise UsageError(f"{name} holds signs that no key has", "copy the key anew, without quotes and line breaks")
        return key
    return None


def _bare(parts: SplitResult) -> str:
    return parts._replace(query="", fragment="").geturl().rstrip("/")
