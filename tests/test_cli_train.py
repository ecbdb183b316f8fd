"""``fluxcap train`` as a person uses it, and the commands of its page."""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from running import Run, Said, measured

from fluxcap import pipeline, screen_train, training
from fluxcap.runs import Progress
from fluxcap.training import Seen
from fluxcap.training import job as jobs

FAKE = Path(__file__).parent / "fake_aitoolkit.py"
DOCS = Path(__file__).resolve().parents[1] / "docs"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and sessions of POSIX")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with a captioned set and a stand-in for ai-toolkit with its environment."""
    measured(monkeypatch)
    monkeypatch.chdir(tmp_path)
    for number in range(3):
        Path("photos").mkdir(exist_ok=True)
        Image.fromarray(np.full((40, 64 + number, 3), 60 + number, np.uint8)).save(f"photos/{number}.png")
    pipeline.caption(Path("photos"), {"trigger": "ohwx", "subject": "woman"})
    Path("ai-toolkit/venv/bin").mkdir(parents=True)
    Path("ai-toolkit/run.py").write_text(FAKE.read_text(encoding="utf-8"), encoding="utf-8")
    starter = Path("ai-toolkit/venv/bin/python")
    starter.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n', encoding="utf-8")
    starter.chmod(0o755)
    yield tmp_path
    for out in tmp_path.glob("*/.fluxcap-train"):
        if training.stop(out.parent, "now"):
            until = time.monotonic() + 20
            while jobs.is_running(out.parent) and time.monotonic() < until:
                time.sleep(0.05)
    for one in training._KEEPERS:
        one.wait(20)


def fluxcap(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: object) -> Said:
    return Run(monkeypatch, capsys)(*words)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    return lambda *words: fluxcap(capsys, monkeypatch, *words)


START = ("train", "photos", "--trainer", "ai-toolkit", "--trainer-path", "ai-toolkit")


def test_a_training_tells_where_everything_lies(run: Any, place: Path) -> None:
    said = run(*START)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0].startswith("photos-ai-toolkit: training with ostris/ai-toolkit, ")
    assert "trained at step 6" in lines
    assert "  step 2     ohwx/ohwx_000000002.safetensors, 2 samples" in lines
    assert "  step 6     ohwx/ohwx.safetensors (final)" in lines
    assert f"  samples    {place}/photos-ai-toolkit/run/ohwx/samples" in lines


def test_json_at_the_end(run: Any) -> None:
    said = run(*START, "--json")
    assert said.code == 0
    told = json.loads(said.out)
    assert (told["status"], told["exit_code"], told["progress"]["step"]) == ("done", 0, 6)
    assert [one["step"] for one in told["checkpoints"]] == [0, 2, 4, 6]
    assert len(told["checkpoints"][1]["samples"]) == 2


def test_what_the_check_refuses_is_listed(run: Any) -> None:
    Path("photos/1.txt").write_text("a photo of a woman", encoding="utf-8")
    said = run(*START)
    assert said.code == 1
    assert "1.png" in said.out
    assert "nothing was exported" in said.out
    assert not Path("photos-ai-toolkit").exists()
    assert json.loads(run(*START, "--json").out)["refused"] is True


def test_a_failure_is_one_line_and_a_hint(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "memory")
    said = run(*START)
    assert said.code == 3
    assert "fluxcap: the trainer failed: the card's memory is full" in said.err
    assert "hint: close what else uses the card" in said.err
    assert "failed at step 3" in said.out
    monkeypatch.setenv("FAKE", "crash")
    said = run(*START, "--resume")
    assert said.code == 3
    assert "the trainer failed: exit code 1: ValueError: something that nobody foresaw" in said.err


def test_detach_attach_and_stop(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "slow")
    monkeypatch.setenv("FAKE_STEPS", "8")
    began = time.monotonic()
    said = run(*START, "--detach")
    assert said.code == 0
    assert "--attach --out" in said.out
    assert time.monotonic() - began < 4
    again = run(*START)
    assert again.code == 3
    assert "a training runs in" in again.err
    said = run("train", "photos", "--trainer", "ai-toolkit", "--attach")
    assert said.code == 0
    assert "trained at step 8" in said.out
    assert run("train", "photos", "--attach", "--out", "photos-ai-toolkit").code == 0
    said = run("train", "photos", "--trainer", "ai-toolkit", "--stop")
    assert said.code == 3
    assert "no training runs in" in said.err


@pytest.mark.slow
@posix
def test_ctrl_c_stops_the_training_cleanly(place: Path) -> None:
    """In a process of its own, with the signal that a terminal sends."""
    code = "from fluxcap.cli import main; main()"
    viewer = subprocess.Popen(
        [sys.executable, "-c", code, *START],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**os.environ, "FAKE": "slow", "FAKE_STEPS": "500", "PYTHONUNBUFFERED": "1"},
    )
    out = place / "photos-ai-toolkit"
    timer = threading.Timer(60, viewer.kill)
    timer.start()
    try:
        while not ((end := training.ending(out)) and end.progress and end.progress.step >= 2):
            assert viewer.poll() is None
            time.sleep(0.05)
        os.killpg(viewer.pid, signal.SIGINT)
        said = viewer.communicate()[0].decode()
    finally:
        timer.cancel()
    assert viewer.returncode == 130, said
    assert "stopping; the trainer may save first" in said
    assert "stopped at step" in said
    end = training.ending(out)
    assert end is not None
    assert end.status == "stopped"
    assert "KeyboardInterrupt" in end.log.read_text(encoding="utf-8")


@posix
def test_ctrl_c_while_looking_on_leaves_the_training_running(
    run: Any, monkeypatch: pytest.MonkeyPatch, place: Path
) -> None:
    monkeypatch.setenv("FAKE", "slow")
    monkeypatch.setenv("FAKE_STEPS", "500")
    run(*START, "--detach")

    def interrupted(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(screen_train, "show", interrupted)
    said = run("train", "photos", "--trainer", "ai-toolkit", "--attach")
    assert said.code == 0
    assert "the training goes on" in said.err
    assert jobs.is_running(place / "photos-ai-toolkit")
    assert "may save first" in run("train", "photos", "--trainer", "ai-toolkit", "--stop").out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("train", "photos"), "no trainer is named"),
        (("train", "photos", "--trainer", "ai-toolkit"), "the trainer's folder is not named"),
        ((*START, "--attach", "--stop"), "name one"),
        ((*START, "stray"), "'stray' is one word too many"),
        ((*START, "--out", "photos/out"), "lies in the folder of pictures"),
        (("train", "photos", "--trainer", "plain", "--trainer-path", "."), "plain is no trainer"),
    ],
)
def test_what_is_used_wrongly(run: Any, words: tuple[str, ...], told: str) -> None:
    said = run(*words)
    assert said.code == 2
    assert told in said.err


def test_nothing_ever_ran(run: Any) -> None:
    said = run("train", "photos", "--trainer", "ai-toolkit", "--attach")
    assert said.code == 3
    assert "no training ever ran in" in said.err


def test_one_look_in_one_line() -> None:
    made = Progress(step=240, steps=2000, loss=0.41234, rate=0.2)
    assert screen_train.line(Seen(status="running", progress=made, stage="")) == (
        "step 240 of 2000, loss 0.4123, 5.0 s/step, 2 h 27 min left"
    )
    assert screen_train.line(Seen(status="starting", progress=None, stage="")) == "starting"
    assert screen_train.line(Seen(status="running", progress=None, stage="loading \x1b[2J")) == "loading \\x1b[2J"
    assert screen_train.duration(40) == "40 s"
    assert screen_train.duration(420) == "7 min"


@pytest.mark.slow
def test_the_pages_commands(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command of docs/training.md, in its order, with the stand-in for ai-toolkit; those for other trainers must parse."""
    monkeypatch.setenv("FAKE_STEPS", "3")
    page = (DOCS / "training.md").read_text(encoding="utf-8")
    commands = [
        line.split("  #")[0].strip()
        for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
        for line in block.splitlines()
        if line.startswith("fluxcap train")
    ]
    assert len(commands) >= 6
    for command in commands:
        words = [str(Path.cwd() / word[2:]) if word.startswith("~/") else word for word in shlex.split(command)[1:]]
        said = run(*words)
        assert "No such option" not in said.err, command
        if not re.search("kohya|diffusers|--stop", command):
            assert said.code == 0, (command, said)
