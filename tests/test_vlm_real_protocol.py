"""A real server of the OpenAI chat API, ``transformers serve`` with a tiny random model, asked by ``OpenAIServer``.

What is tested is the protocol, not the answers: the weights are random. Needs the extras ``vlm`` and ``local`` and what
transformers serves with; run it by: pip install -e ".[vlm,local]" "transformers[serving]", then
``pytest tests/test_vlm_real_protocol.py``. Torch built for CPU suffices.
"""

from __future__ import annotations

import asyncio
import importlib.util
import io
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fluxcap.errors import FluxcapError
from fluxcap.vlms.openai_chat import OpenAIServer
from fluxcap.vlms.types import Down, Question

MISSING = [
    name
    for name in ("torch", "transformers", "accelerate", "fastapi", "uvicorn", "pydantic", "openai")
    if find_spec(name) is None
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)} (see the head of this file)"),
]

START_SECONDS = 120
SCHEMA = {"type": "object", "properties": {"hair": {"type": "string"}}, "required": ["hair"]}


def jpeg(seed: int, width: int = 120, height: int = 90) -> bytes:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG", quality=90)
    return out.getvalue()


def ask(tokens: int = 9, schema=None) -> Question:
    # at 0 transformers takes the likeliest word, so that answers can be compared
    return Question(system="You look.", text="What is seen?", schema=schema, max_tokens=tokens, temperature=0.0)


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    """The folder of the tiny model."""
    spec = importlib.util.spec_from_file_location("tiny_vlm", Path(__file__).with_name("tiny_vlm.py"))
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    return maker.make(tmp_path_factory.mktemp("tiny") / "idefics3")


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    """(address, model's name) of a server that runs."""
    home = tmp_path_factory.mktemp("hub")
    (home / "hub").mkdir()  # its list of models fails without one
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = home / "log.txt"
    command = ["-m", "transformers.cli.transformers", "serve", str(model), "--device", "cpu"]
    with log.open("w", encoding="utf-8") as out:
        server = subprocess.Popen(
            [sys.executable, *command, "--host", "127.0.0.1", "--port", str(port)],
            stdout=out,
            stderr=out,
            env={**os.environ, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"},
        )
    try:
        address = f"http://127.0.0.1:{port}"
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{address}/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                said = log.read_text(encoding="utf-8")[-2000:]
                assert server.poll() is None, f"transformers serve ended: {said}"
                assert time.monotonic() < end, f"transformers serve did not start: {said}"
                time.sleep(0.2)
        yield address, str(model)
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(20)


def asked(served, *pairs: tuple[Question, bytes], form="text"):
    """The replies to the questions, asked at once."""

    async def go():
        server = OpenAIServer(*served)
        try:
            return await asyncio.gather(*(server.reply(question, picture, form) for question, picture in pairs))
        finally:
            await server.close()

    return asyncio.run(go())


def test_a_reply_with_its_counts(served):
    (reply,) = asked(served, (ask(), jpeg(1)))
    assert reply.text
    assert reply.finish == "length"
    assert reply.answer_tokens == 9
    assert reply.prompt_tokens > 20
    assert reply.seconds > 0
    (longer,) = asked(served, (ask(tokens=17), jpeg(1)))
    assert longer.answer_tokens == 17
    assert longer.text.startswith(reply.text[:3])


def test_the_server_sees_the_picture(served):
    """Other pictures, other answers; a larger one takes more tokens (Idefics3 cuts it into tiles)."""
    pictures = [jpeg(1), jpeg(2), jpeg(3), jpeg(4, 200, 60)]
    replies = asked(served, *((ask(), picture) for picture in pictures))
    assert len({reply.text for reply in replies}) == 4
    assert len({reply.prompt_tokens for reply in replies[:3]}) == 1
    assert replies[3].prompt_tokens != replies[0].prompt_tokens


def test_many_at_once_get_their_own(served):
    alone = [asked(served, (ask(), jpeg(n)))[0].text for n in range(3)]
    together = asked(served, *((ask(), jpeg(n % 3)) for n in range(9)))
    assert [reply.text for reply in together] == alone * 3


@pytest.mark.parametrize("form", ["json_schema", "json_object"])
def test_a_form_is_taken_though_not_kept(served, form):
    """This server ignores ``response_format``: the answer is no JSON, which is for the parser to find out."""
    (reply,) = asked(served, (ask(schema=SCHEMA), jpeg(1)), form=form)
    assert reply.finish == "length"
    assert reply.text == asked(served, (ask(), jpeg(1)))[0].text


def test_bytes_that_are_no_picture(served):
    """It fails over them; it is told as the server's failure and the next question is answered."""
    with pytest.raises(FluxcapError) as told:
        asked(served, (ask(), b"\xff\xd8\xff" + bytes(100)))
    assert "\n" not in str(told.value)
    assert asked(served, (ask(), jpeg(1)))[0].text


def test_its_models(served):
    async def go():
        server = OpenAIServer(*served)
        try:
            return await server.models()
        finally:
            await server.close()

    assert asyncio.run(go()) == []  # it lists those of the hub's cache, not the folder that it serves


def test_nobody_is_there(model):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    with pytest.raises(Down):
        asked((f"http://127.0.0.1:{free}", str(model)), (ask(), jpeg(1)))


def test_in_this_process_it_says_the_same(served, model):
    """The same weights and words: served and in this process, the answers are equal."""
    from fluxcap.vlms.local import LocalServer

    server = LocalServer(str(model), device="cpu")

    async def go():
        return await asyncio.gather(*(server.reply(ask(), jpeg(n), "text") for n in range(3)))

    here = [(reply.text, reply.finish, reply.answer_tokens, reply.prompt_tokens) for reply in asyncio.run(go())]
    asyncio.run(server.close())
    there = [asked(served, (ask(), jpeg(n)))[0] for n in range(3)]
    assert [(r.text.strip(), r.finish, r.answer_tokens, r.prompt_tokens) for r in there] == here
