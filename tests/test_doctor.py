"""``fluxcap doctor`` and the address 'auto' against servers of this machine: what is found, what sees, what is written down."""

from __future__ import annotations

import json
import socket
import sys
import tomllib
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fluxcap import cli
from fluxcap.doctor import doctor
from fluxcap.errors import UsageError
from fluxcap.vlms import finding
from fluxcap.vlms.choosing import choose
from fluxcap.vlms.finding import Usual

if find_spec("openai") is None or find_spec("httpx") is None:
    pytest.skip("openai and httpx are not installed", allow_module_level=True)

from vlm_server import Seen, VlmServer

EYES, WORDS = "qwen3-vl-4b-instruct", "nomic-embed-text"
COLOURS = {"yellow": (255, 235, 0), "green": (0, 140, 30)}

Settle = Callable[..., None]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither weights nor keys of this machine are looked at."""
    monkeypatch.setattr("fluxcap.measure.missing_models", list)
    monkeypatch.setattr("fluxcap.taggers.unavailable", lambda _named=None: "")
    for name in ("FLUXCAP_VLM_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def usual_ports(monkeypatch: pytest.MonkeyPatch) -> Settle:
    """Lets the usual ports be those of the test."""

    def settle(*ports: int) -> None:
        rows = tuple(Usual(name="vLLM", kind="openai", port=port, slots=4) for port in ports)
        ollama = Usual(name="Ollama", kind="ollama", port=free_port(), slots=1)
        monkeypatch.setattr(finding, "usual", lambda: (*rows, ollama))

    return settle


@pytest.fixture
def seeing() -> Iterator[VlmServer]:
    with VlmServer(answer=looks, models=(WORDS, EYES), ollama=False) as server:
        yield server


def looks(seen: Seen) -> str:
    """The colour in the middle of the picture, in a sentence."""
    assert seen.image is not None
    middle = seen.image.convert("RGB").getpixel((seen.width // 2, seen.height // 2))
    near = min(COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], middle, strict=True)))  # type: ignore[arg-type]
    return f"The square is {near}."


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def command(monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["fluxcap", *map(str, words)])
    capsys.readouterr()
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    return code, out, err


# ---------------------------------------------------------------------------------------------------------- the doctor


def test_a_model_that_sees_is_found_and_written_down(seeing: VlmServer) -> None:
    said: list[str] = []
    health = doctor(ports=[free_port(), seeing.port], say=said.append)
    assert [(one.model, one.sees) for one in health.models] == [(EYES, True), (WORDS, None)]
    assert health.missing == ()
    assert tomllib.loads(health.config)["vlm"] == {"url": f"{seeing.url}/v1", "name": EYES}
    assert len(health.servers) == 1
    assert EYES in health.servers[0]
    assert any(EYES in line for line in said), "that pictures are shown is said"
    assert {seen.body["model"] for seen in seeing.seen} == {EYES}, "a language model is not shown pictures"
    assert {seen.format for seen in seeing.seen} == {"JPEG"}


def test_the_name_alone_is_not_believed() -> None:
    with VlmServer(answer="The square is red.", models=(EYES,), ollama=False) as server:
        health = doctor(ports=[server.port])
    assert [(one.model, one.sees) for one in health.models] == [(EYES, False)]
    assert health.config == ""
    assert any("no model that sees" in line for line in health.missing)


def test_a_model_without_eyes_is_told(seeing: VlmServer) -> None:
    with VlmServer("text_only", models=(EYES,), ollama=False) as blind:
        health = doctor(ports=[blind.port, seeing.port])
    assert {(one.url.split(":")[2].split("/")[0], one.sees) for one in health.models if one.model == EYES} == {
        (str(blind.port), False),
        (str(seeing.port), True),
    }
    assert tomllib.loads(health.config)["vlm"]["url"] == f"{seeing.url}/v1", "the one that sees is taken, not the first"


def test_a_model_of_no_known_name_is_tried_too() -> None:
    with VlmServer(answer=looks, models=("mine",), ollama=False) as server:
        health = doctor(ports=[server.port])
    assert [(one.model, one.sees) for one in health.models] == [("mine", True)]
    assert tomllib.loads(health.config)["vlm"]["name"] == "mine"


def test_ollama_at_another_port_is_written_down_with_its_kind() -> None:
    with VlmServer(answer=looks, models=(EYES,)) as server:
        health = doctor(ports=[server.port])
        assert {seen.path for seen in server.seen} == {"/api/chat"}
    assert tomllib.loads(health.config)["vlm"] == {"url": server.url, "name": EYES, "kind": "ollama"}


def test_nobody_there_is_told_with_what_to_do() -> None:
    health = doctor(ports=[free_port()])
    assert (health.servers, health.models, health.config) == ((), (), "")
    assert any("Ollama" in line for line in health.missing)


def test_missing_weights_are_told_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.measure.missing_models", lambda: ["face.tflite"])
    monkeypatch.setattr("fluxcap.taggers.unavailable", lambda _named=None: "run: fluxcap models pull wd-vit")
    missing = "\n".join(doctor(ports=[]).missing)
    assert "fluxcap models pull measure" in missing
    assert "fluxcap models pull wd-vit" in missing


def test_the_command_prints_what_to_write(
    seeing: VlmServer, usual_ports: Settle, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    usual_ports(seeing.port)
    code, out, err = command(monkeypatch, capsys, "doctor")
    assert code == 0
    assert f"{EYES}: sees" in out
    assert tomllib.loads(out[out.index("[vlm]") :])["vlm"]["name"] == EYES
    assert EYES in err
    code, out, _ = command(monkeypatch, capsys, "doctor", "--json")
    assert json.loads(out)["models"][0]["sees"] is True


# ---------------------------------------------------------------------------------------------------------------- auto


def test_auto_takes_the_model_of_this_machine_and_says_so(seeing: VlmServer, usual_ports: Settle) -> None:
    usual_ports(seeing.port)
    server, line = choose("auto", None)
    assert (server.model, server.url) == (EYES, f"{seeing.url}/v1")
    assert EYES in line
    assert "on this machine" in line


def test_auto_with_a_name_takes_the_server_that_has_it(seeing: VlmServer, usual_ports: Settle) -> None:
    with VlmServer(models=("other-vl",), ollama=False) as other:
        usual_ports(other.port, seeing.port)
        assert choose("auto", WORDS)[0].url == f"{seeing.url}/v1"
        with pytest.raises(UsageError, match="no server"):
            choose("auto", "nowhere")


def test_auto_where_nobody_is_names_the_doctor(usual_ports: Settle) -> None:
    usual_ports(free_port())
    with pytest.raises(UsageError) as told:
        choose("auto", None)
    assert "fluxcap doctor" in told.value.hint


def test_captions_by_auto(
    seeing: VlmServer, usual_ports: Settle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """From the command line, with nothing but the word."""
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (None, ()))
    monkeypatch.setattr("fluxcap.pipeline._tagger", lambda _folder, _project: (None, ()))
    usual_ports(seeing.port)
    seeing.rules.answer = '{"pose": "standing"}'
    Image.new("RGB", (40, 40), (220, 0, 0)).save(tmp_path / "red.png")
    code, _, err = command(
        monkeypatch, capsys, "caption", tmp_path, "--trigger", "ohwx", "--subject", "woman", "--vlm-url", "auto"
    )
    assert code == 0, err
    assert "standing" in (tmp_path / "red.txt").read_text(encoding="utf-8")
    assert f"asking {EYES}" in err


def test_a_server_with_one_model_needs_no_name() -> None:
    with VlmServer(models=("mine",)) as server:
        assert choose(f"{server.url}/v1", None)[0].model == "mine"
    with VlmServer(models=("mine", "yours")) as server, pytest.raises(UsageError) as told:
        choose(f"{server.url}/v1", None)
    assert "mine, yours" in told.value.hint
    with VlmServer(models=()) as server, pytest.raises(UsageError, match="no model"):
        choose(f"{server.url}/v1", None)
