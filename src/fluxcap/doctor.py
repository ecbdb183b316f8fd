"""What fluxcap can look with on this machine, and what to write into ``fluxcap.toml`` for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass

_MOST_MODELS = 4
"""So many models of one server are shown a test picture; each may have to be loaded first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """A model of a server on this machine. ``sees`` None: it was not tried, or did not answer."""

    server: str
    url: str
    model: str
    sees: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What is here. ``missing`` are lines that say what is not, each with the command that brings it."""

    servers: tuple[str, ...]
    models: tuple[Sight, ...]
    config: str
    missing: tuple[str, ...]


def doctor(*, ports: Iterable[int] | None = None, say: Callable[[str], None] = lambda _: None) -> Health:
    """Look for servers on this machine (no other is asked), show test pictures to their likely models, and sum up."""
    from fluxcap.measure import missing_models
    from fluxcap.taggers import unavailable

    missing = []
    if missing_models():
        missing.append("the measuring models are not here; run: fluxcap models pull measure")
    if no_tagger := unavailable():
        missing.append(f"no tagger: {no_tagger}")
    servers, models, config = asyncio.run(_servers(ports, say))
    if not servers:
        missing.append("no server of vision models answers on this machine; start vLLM, Ollama, LM Studio or llama.cpp")
    elif not config:
        missing.append("no model that sees was found; load one (Qwen3-VL, Gemma 3 ...) and run this again")
    return Health(servers=servers, models=models, config=config, missing=tuple(missing))


async def _servers(
    ports: Iterable[int] | None, say: Callable[[str], None]
) -> tuple[tuple[str, ...], tuple[Sight, ...], str]:
    from fluxcap.vlms.finding import best, can_see, config_lines, find, likely_vision
    from fluxcap.vlms.opening import open_server

    found = await find(ports)
    seen: list[Sight] = []
    for one in found:
        likely = sorted(one.models, key=lambda model: {True: 0, None: 1, False: 2}[likely_vision(model)])
        for place, model in enumerate(likely):
            sees: bool | None = None
            if place < _MOST_MODELS and likely_vision(model) is not False:
                say(f"showing test pictures to {model} at {one.name}")
                server = open_server(one.url, model, kind=one.kind)
                try:
                    sees = await can_see(server)
                finally:
                    await server.close()
            seen.append(Sight(server=one.name, url=one.url, model=model, sees=sees))
    able = [sight for sight in seen if sight.sees]
    choice = best([one for one in found if any(sight.url == one.url for sight in able)])
    if choice is not None and not any(sight.model == choice[1] for sight in able):
        choice = None
    if choice is None and able:
        choice = (next(one for one in found if one.url == able[0].url), able[0].model)
    servers = tuple(f"{one.name} at {one.url}: {', '.join(one.models) or 'no model loaded'}" for one in found)
    return servers, tuple(seen), config_lines(*choice) if choice is not None else ""
