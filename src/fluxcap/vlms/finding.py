"""Servers on this machine: which answer on the usual ports, which of their models see, and the line that settles it."""

from __future__ import annotations

import asyncio
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Literal, cast

from fluxcap.errors import FluxcapError
from fluxcap.vlms.cost import family, plain
from fluxcap.vlms.types import NoVision, Question, Server

if TYPE_CHECKING:
    import httpx

Kind = Literal["openai", "ollama"]
"""The protocol that a server speaks."""

HERE = "127.0.0.1"

MOST_BYTES = 4_000_000
"""A list of models is shorter; what goes on is some other service."""

UNKNOWN_SERVER = "OpenAI-compatible server"

SEEN = {"yellow": (255, 235, 0), "green": (0, 140, 30)}
"""The colours shown to a model, one after the other; neither is what a model guesses first, and it cannot guess both."""

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "brown", "black", "gray", "grey")
"""Colours that an answer may name; white is the ground and may be named along."""

ASKED = Question(
    system="You look at a picture and answer in one word.",
    text="The picture shows one large square on a white ground. Which colour is the square? Answer with one word.",
    schema=None,
    max_tokens=600,  # a model that thinks first needs them
    temperature=0.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """A server as ``vlms.toml`` knows it; ``slots`` is how many questions it is asked at once to begin with."""

    name: str
    kind: Kind
    port: int
    slots: int
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A server that answered: its address as ``fluxcap.toml`` wants it, and the names of its models."""

    url: str
    kind: Kind
    name: str
    models: tuple[str, ...]


async def find(ports: Iterable[int] | None = None, *, seconds: float = 1.0) -> list[Found]:
    """The servers that answer on this machine (127.0.0.1 and no other), in the order of ``ports``.

    ``ports`` None: the usual ones. All are asked at once and given ``seconds``; what answers otherwise is no server of ours.
    """
    import httpx

    asked = list(dict.fromkeys(ports if ports is not None else (one.port for one in usual())))
    # no proxy of the environment, and no redirect: both would lead away from this machine
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=seconds) as client:
        answers = await asyncio.gather(*(_ask(client, port, seconds) for port in asked))
    return [found for found in answers if found is not None]


async def can_see(server: Server) -> bool | None:
    """Whether the model sees, by two test pictures of known colours. None where it did not answer."""
    for colour in SEEN:
        try:
            reply = await server.reply(ASKED, shown(colour), "text")
        except NoVision:
            return False
        except FluxcapError:
            return None
        words = set(re.findall(r"[a-z]+", reply.text.lower())) & set(COLOURS)
        if words != {colour}:
            return None if reply.finish == "length" or not reply.text.strip() else False
    return True


def shown(colour: str) -> bytes:
    """A large square of one of the colours ``SEEN`` on white, as JPEG; the same bytes every time."""
    import io

    from PIL import Image

    picture = Image.new("RGB", (448, 448), "white")
    picture.paste(SEEN[colour], (96, 96, 352, 352))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def likely_vision(model_name: str) -> bool | None:
    """Whether a model of that name sees; None where the name does not tell."""
    if _says(model_name, "never"):
        return False
    if _says(model_name, "sees") or family(model_name) is not None:
        return True
    return False if _says(model_name, "blind") else None


def best(found: Iterable[Found]) -> tuple[Found, str] | None:
    """The server and model to take: one that likely sees and does as told. None where no name tells that it sees.

    Captioners that only write prose come last, models that think first before them, those that say 'instruct' first.
    """
    seeing = [(one, model) for one in found for model in one.models if likely_vision(model)]
    return min(seeing, key=lambda pair: _rank(pair[1]), default=None)


def config_lines(found: Found, model: str | None = None) -> str:
    """The table for ``fluxcap.toml`` that settles on this server; ``model`` None: its best, else its first."""
    import tomlkit

    if model is None:
        likely = best([found])
        model = likely[1] if likely is not None else next(iter(found.models), None)
    settings = {"url": found.url} if model is None else {"url": found.url, "name": model}
    if found.kind == "ollama" and not found.url.endswith(f":{_ollama().port}"):
        settings["kind"] = found.kind  # elsewhere the address does not tell
    return tomlkit.dumps({"vlm": settings})


def starting_slots(kind: str, name: str = "") -> int:
    """How many questions to ask at once to begin with: by the server's name, else the least of its kind."""
    rows = [one for one in usual() if one.name == name] or [one for one in usual() if one.kind == kind]
    return min((one.slots for one in rows), default=1)


@cache
def usual() -> tuple[Usual, ...]:
    """The servers of ``vlms.toml``."""
    return tuple(Usual(**row) for row in _table()["server"])


async def _ask(client: httpx.AsyncClient, port: int, seconds: float) -> Found | None:
    """What answers on a port, if it is a server of models."""
    paths = ("/v1/models", "/api/tags", "/api/version")
    listed, tags, version = await asyncio.gather(*(_get(client, port, path, seconds) for path in paths))
    rows = _rows(listed, "data")
    owners = {row.get("owned_by") for row in rows or ()}
    itself = next((one for one in usual() if one.owner and one.owner in owners), None)
    tagged = _rows(tags, "models")
    # KoboldCpp and others speak some of Ollama's protocol too; their own is the better one
    if tagged is not None and isinstance(version.get("version"), str) and itself is None:
        return Found(url=f"http://{HERE}:{port}", kind="ollama", name=_ollama().name, models=_names(tagged, "name"))
    if rows is None:
        return None
    here = next((one for one in usual() if one.port == port and one.kind == "openai" and not one.owner), None)
    named = itself or here
    name = named.name if named is not None else UNKNOWN_SERVER
    return Found(url=f"http://{HERE}:{port}/v1", kind="openai", name=name, models=_names(rows, "id"))


async def _get(client: httpx.AsyncClient, port: int, path: str, seconds: float) -> Mapping[str, Any]:
    """The JSON object at a path; empty where there is none in time."""
    import httpx

    body = bytearray()
    try:
        async with asyncio.timeout(seconds), client.stream("GET", f"http://{HERE}:{port}{path}") as answer:
            if answer.status_code != 200:
                return {}
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > MOST_BYTES:
                    return {}
        data = json.loads(body)
    except (httpx.HTTPError, TimeoutError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _rows(data: Mapping[str, Any], key: str) -> list[Mapping[str, Any]] | None:
    """The list of objects under a key; None where there is no such list (LM Studio answers 200 to any path)."""
    rows = data.get(key)
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return None
    return cast("list[Mapping[str, Any]]", rows)


def _names(rows: Iterable[Mapping[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(row[key] for row in rows if isinstance(row.get(key), str) and row[key]))


def _ollama() -> Usual:
    return next(one for one in usual() if one.kind == "ollama")


def _rank(model: str) -> tuple[bool, bool, bool]:
    return _says(model, "prose"), _says(model, "thinks"), not _says(model, "instruct")


def _says(model: str, what: str) -> bool:
    """Whether a model's name fits one of the patterns of ``vlms.toml``."""
    name = plain(model)
    return any(re.search(pattern, name) for pattern in _table()["sight"][what])


@cache
def _table() -> dict[str, Any]:
    text = resources.files("fluxcap").joinpath("data", "vlms.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
