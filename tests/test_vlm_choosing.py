"""Which vision model a run asks, and those that other packages bring."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from vlm_server import VlmServer

from fluxcap import registry
from fluxcap.errors import UsageError
from fluxcap.vlms.choosing import choose
from fluxcap.vlms.fake import Fake
from fluxcap.vlms.types import Question, Server

QUESTION = Question(system="", text="What is there?", schema=None)


def test_a_fake_answers_what_it_was_given() -> None:
    fake = Fake(lambda question, jpeg: f"{question.text} {len(jpeg)}")
    reply = asyncio.run(fake.reply(QUESTION, b"123", "text"))
    assert reply.text == "What is there? 3"
    assert fake.asked == 1
    assert asyncio.run(fake.models()) == ["fake"]


def test_the_only_model_of_a_server_needs_no_name() -> None:
    with VlmServer(models=("eyes-vl:4b",)) as server:
        chosen, line = choose(server.url, None)
        assert chosen.model == "eyes-vl:4b"
        assert "on this machine" in line


def test_of_several_models_one_has_to_be_named() -> None:
    with VlmServer() as server, pytest.raises(UsageError, match="none is named") as told:
        choose(server.url, None)
    assert "eyes-vl:4b" in told.value.hint


def test_another_machine_is_told() -> None:
    _, line = choose("https://vision.example/v1", "eyes")
    assert "the pictures are sent there" in line


def test_a_package_brings_a_kind_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, str | None]] = []

    def mine(url: str, name: str | None) -> Server:
        made.append((url, name))
        return Fake(lambda *_: "{}", model="mine")

    load: Callable[[str, str], object] = registry.load
    monkeypatch.setattr(
        registry, "load", lambda seam, name: mine if (seam, name) == ("vlm", "mine") else load(seam, name)
    )
    chosen, line = choose("my-address", "my-model", kind="mine")
    assert chosen.model == "mine"
    assert made == [("my-address", "my-model")]
    assert "mine" in line
    with pytest.raises(UsageError, match="vlm 'yours' is not known"):
        choose("my-address", "my-model", kind="yours")


@pytest.mark.parametrize(("url", "kind"), [("local", "auto"), ("anything", "local")])
def test_a_model_in_this_process_has_to_be_named(url: str, kind: str) -> None:
    with pytest.raises(UsageError, match="no model is named to run in this process"):
        choose(url, None, kind=kind)
