"""Which model is asked: the one that the settings name, one on this machine where they say 'auto', or one in this process."""

from __future__ import annotations

import asyncio

from fluxcap import registry
from fluxcap.errors import UsageError
from fluxcap.vlms.types import Server

LOCAL, AUTO = "local", "auto"
OWN = ("auto", "openai", "ollama")
"""The kinds of servers that are told by their address."""


def choose(url: str, name: str | None, *, kind: str = "auto") -> tuple[Server, str]:
    """The server, opened, and a line that says what is asked and where.

    ``url`` "auto" takes a server of this machine whose model likely sees, "local" a model run by transformers. Raises
    ``UsageError`` where there is none, or where several models are there and none is named.
    """
    if LOCAL in (url, kind):
        return _in_process(name)
    if kind not in OWN:  # another package's: fluxcap.vlm
        plugged: Server = registry.load("vlm", kind)(url, name)
        return plugged, f"asking {plugged.model} by {kind}"
    if url == AUTO:
        return _on_this_machine(name)
    from fluxcap.vlms.opening import is_local, open_server

    server = open_server(url, name or _only_model(url, kind), kind=kind)
    where = "on this machine" if is_local(url) else f"at {server.url}: the pictures are sent there"
    return server, f"asking {server.model} {where}"


def _in_process(name: str | None) -> tuple[Server, str]:
    if not name:
        raise UsageError("no model is named to run in this process", "set vlm.name to a folder, or a name on the hub")
    from fluxcap.vlms.local import LocalServer

    server = LocalServer(name)
    return server, " ".join([f"asking {server.describe()}", *(f"({notice})" for notice in server.notices)])


def _on_this_machine(name: str | None) -> tuple[Server, str]:
    from fluxcap.vlms.finding import best, find
    from fluxcap.vlms.opening import open_server

    found = asyncio.run(find())
    if name is not None:
        found = [one for one in found if name in one.models]
    choice = (found[0], name) if found and name is not None else best(found)
    if choice is None:
        raise UsageError("no server with a model that sees was found on this machine", "run: fluxcap doctor")
    one, model = choice
    return open_server(
        one.url, model, kind=one.kind
    ), f"asking {model}, found at {one.name} on this machine ({one.url})"


def _only_model(url: str, kind: str) -> str:
    from fluxcap.vlms.opening import open_server

    async def names() -> list[str]:
        server = open_server(url, "?", kind=kind)
        try:
            return await server.models()
        finally:
            await server.close()

    known = asyncio.run(names())
    if len(known) != 1:
        told = f"{url} has {len(known)} models" if known else f"{url} has no model"
        raise UsageError(
            f"{told}, and none is named", f"set vlm.name to one of: {', '.join(known)}" if known else "load one there"
        )
    return known[0]
