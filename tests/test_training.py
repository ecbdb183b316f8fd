"""Trainings: processes and their keeper, refusals, resuming, and a stand-in for ai-toolkit trained to the end."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from PIL import Image

from fluxcap import pipeline, training
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.exporters import Command
from fluxcap.training import job as jobs
from fluxcap.training import keeper, processes
from fluxcap.training.environment import find_python, step, surroundings
from fluxcap.training.job import Job, State, Step
from fluxcap.training.processes import ProcessId, identify, is_alive
from fluxcap.training.rules import failure, last_words, resuming
from fluxcap.types import Claim

FAKE = Path(__file__).parent / "fake_aitoolkit.py"
posix = pytest.mark.skipif(os.name == "nt", reason="signals and sessions of POSIX")


def wait_for(what: Callable[[], Any], seconds: float = 20.0) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = what()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError(f"nothing came in {seconds} s")


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Measured:
        name, version = "fake", "1"

        def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
            return [Claim(slot="framing", value="close-up", confidence=0.9)]

    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (Measured(), ()))
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path / "nowhere"))
    folder = tmp_path / "set"
    folder.mkdir()
    for number in range(3):
        Image.fromarray(np.full((40, 64 + number, 3), 60 + number, np.uint8)).save(folder / f"{number}.png")
    pipeline.caption(folder, {"trigger": "ohwx", "subject": "woman"})
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that looks like ai-toolkit's."""
    place = tmp_path / "ai toolkit"
    place.mkdir()
    (place / "run.py").write_text(FAKE.read_text(encoding="utf-8"), encoding="utf-8")
    return place


Begin = Callable[..., training.Begun]


@pytest.fixture
def begin(photos: Path, home: Path, tmp_path: Path) -> Iterator[Begin]:
    out = tmp_path / "out"

    def run(**options: Any) -> training.Begun:
        given = {"trainer": "ai-toolkit", "home": home, "python": Path(sys.executable), **options}
        return training.begin(photos, out, **given)

    yield run
    if training.stop(out, "now"):
        wait_for(lambda: not jobs.is_running(out))
    for one in training._KEEPERS:
        one.wait(20)


def ended(out: Path) -> training.Ending:
    wait_for(lambda: not jobs.is_running(out))
    end = training.ending(out)
    assert end is not None
    return end


# ---- a training to the end


def test_a_training_to_its_end(begin: Begin, tmp_path: Path) -> None:
    out = tmp_path / "out"
    begun = begin()
    assert begun.job is not None
    looks = list(training.Watch(out).looks(every=0.05))
    assert looks[-1].status == "done"
    assert looks[-1].progress is not None
    assert looks[-1].progress.step == 6
    assert looks[-1].progress.loss == pytest.approx(sum(1 / n for n in range(1, 7)) / 6)
    assert sorted(one.step for look in looks for one in look.samples) == [0, 0, 2, 2, 4, 4]
    end = ended(out)
    assert [(one.step, one.final, one.told_by) for one in end.run.checkpoints] == [
        (0, False, "name"),
        (2, False, "name"),
        (4, False, "name"),
        (6, True, "file"),
    ]
    assert end.exit_code == 0
    console = end.log.read_text(encoding="utf-8")
    assert end.log.parent == out / "logs"
    assert f"fake ai-toolkit at {tmp_path / 'ai toolkit'}, PATH {Path(sys.executable).parent}" in console
    assert "ai-toolkit.yaml" in console.splitlines()[0]


def test_words_for_the_trainer_come_after_its_command(begin: Begin, tmp_path: Path) -> None:
    begun = begin(extra=("--log", "x y"))
    assert begun.job is not None
    assert begun.job.commands[-1].argv[-2:] == ("--log", "x y")


def test_a_set_that_the_check_refuses_is_not_trained(begin: Begin, photos: Path, tmp_path: Path) -> None:
    (photos / "1.txt").write_text("a photo of a woman", encoding="utf-8")
    begun = begin()
    assert begun.job is None
    assert any(issue.severity == "error" for issue in begun.exported.issues)
    assert jobs.read_state(tmp_path / "out") is None


@pytest.mark.parametrize(
    ("fake", "reason"),
    [
        ("memory", "the card's memory is full"),
        ("missing", "a file is missing: /models/ae.safetensors"),
        ("crash", ""),
    ],
)
def test_a_crash_is_told_in_words(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: str, reason: str
) -> None:
    monkeypatch.setenv("FAKE", fake)
    begin()
    end = ended(tmp_path / "out")
    assert (end.status, end.exit_code, end.reason) == ("failed", 1, reason)
    assert end.progress is not None
    assert end.progress.step == 3
    if not reason:
        assert end.words == "ValueError: something that nobody foresaw"


# ---- stopping


@posix
def test_a_clean_stop_lets_the_trainer_end_by_itself(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "slow")
    monkeypatch.setenv("FAKE_STEPS", "500")
    begin()
    out = tmp_path / "out"
    wait_for(lambda: (end := training.ending(out)) and end.progress and end.progress.step >= 1)
    assert training.stop(out)
    end = ended(out)
    assert end.status == "stopped"
    assert "KeyboardInterrupt" in end.log.read_text(encoding="utf-8")
    assert not training.stop(out)


@posix
@pytest.mark.parametrize(("fake", "number"), [("stubborn", -signal.SIGTERM), ("deaf", -signal.SIGKILL)])
def test_a_trainer_that_does_not_listen_is_ended_harder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake: str, number: int
) -> None:
    monkeypatch.setattr(keeper, "waits", lambda: (0.3, 0.3))
    code = "import signal, time; [signal.signal(one, signal.SIG_IGN) for one in ({},)]; print('up', flush=True); time.sleep(60)"
    ignored = "signal.SIGINT" if fake == "stubborn" else "signal.SIGINT, signal.SIGTERM"
    job = a_job(tmp_path, code.format(ignored))
    thread = threading.Thread(target=keeper.keep, args=(tmp_path, job))
    thread.start()
    wait_for(lambda: Path(job.log).exists() and "\nup" in Path(job.log).read_text())
    training.stop(tmp_path)
    thread.join(20)
    state = jobs.read_state(tmp_path)
    assert state is not None
    assert (state.status, state.exit_code) == ("stopped", number)


@posix
def test_impatience_ends_it_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "waits", lambda: (600.0, 0.2))
    job = a_job(
        tmp_path,
        "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); print('up', flush=True); time.sleep(60)",
    )
    thread = threading.Thread(target=keeper.keep, args=(tmp_path, job))
    thread.start()
    wait_for(lambda: Path(job.log).exists() and "\nup" in Path(job.log).read_text())
    training.stop(tmp_path)
    wait_for(lambda: (state := jobs.read_state(tmp_path)) and state.status == "stopping")
    training.stop(tmp_path, "now")
    thread.join(20)
    assert not thread.is_alive()


@posix
def test_children_in_sessions_of_their_own_end_too(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "family")
    begin()
    out = tmp_path / "out"
    marker = out / "run" / "ohwx" / "child"
    child = identify(int(wait_for(lambda: marker.exists() and marker.read_text())))
    assert child is not None
    training.stop(out)
    ended(out)
    wait_for(lambda: not is_alive(child))


# ---- one at a time, closed terminals, other processes with the same number


def test_two_trainings_of_one_folder_are_refused(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE", "slow")
    begin()
    with pytest.raises(FluxcapError, match=r"a training runs in .*out \(process \d+\)"):
        begin()
    job = jobs.read_job(tmp_path / "out")
    assert job is not None
    with pytest.raises(FluxcapError, match="a training runs in"):
        keeper.keep(tmp_path / "out", job)
    with pytest.raises(FluxcapError, match="a training runs in"):
        training._start(tmp_path / "out", job)


@pytest.mark.slow
@posix
@pytest.mark.skipif(not hasattr(os, "openpty"), reason="a terminal of our own is POSIX")
def test_a_closed_terminal_does_not_end_the_training(photos: Path, home: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    words = [str(photos), "--trainer", "ai-toolkit", "--trainer-path", str(home), "--python", sys.executable]
    code = "import fcntl, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); from fluxcap.cli import main; main()"
    ours, theirs = os.openpty()
    seen = bytearray()
    viewer = subprocess.Popen(
        [sys.executable, "-c", code, "train", *words, "--out", str(out)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**os.environ, "FAKE": "slow", "FAKE_STEPS": "500", "TERM": "xterm", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(theirs)
    reader = threading.Thread(target=_read_all, args=(ours, seen), daemon=True)
    reader.start()
    try:
        wait_for(lambda: b"Ctrl-C stops it" in seen and b" of 500, loss" in seen and b"sample  run/ohwx" in seen, 60)
        assert viewer.poll() is None
    finally:
        _close(ours)
        ended_by = viewer.wait(20)
    try:
        assert ended_by == -signal.SIGHUP  # by the kernel, as when a window is closed
        before = training.ending(out)
        assert before is not None
        assert before.progress is not None
        first = before.progress.step
        wait_for(lambda: (end := training.ending(out)) and end.progress and end.progress.step > first + 1)
        assert jobs.is_running(out) is not None
    finally:
        training.stop(out)
    assert ended(out).status == "stopped"


def _read_all(file: int, into: bytearray) -> None:
    while True:
        try:
            into += os.read(file, 4096)
        except OSError:
            return


def _close(file: int) -> None:
    """A read that waits would keep the terminal open."""
    duplicate = os.open(os.devnull, os.O_RDWR)
    os.dup2(duplicate, file)
    os.close(duplicate)


@posix
def test_a_number_that_was_given_out_again_is_another_process(tmp_path: Path) -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_alive(me)
    assert not is_alive(replace(me, born="another birth"))
    jobs.folder(tmp_path).mkdir()
    jobs.write_job(tmp_path, a_job(tmp_path, ""))
    running = State(status="running", keeper=replace(me, born="long ago"), trainer=me, began=0.0)
    jobs.write_state(tmp_path, running)
    assert jobs.is_running(tmp_path) == running
    jobs.write_state(tmp_path, replace(running, trainer=replace(me, born="long ago")))
    assert jobs.is_running(tmp_path) is None
    lost = jobs.read_state(tmp_path)
    assert lost is not None
    assert lost.status == "lost"
    jobs.lock(tmp_path).close()


@posix
def test_a_trainer_whose_keeper_was_killed_is_still_seen_and_stopped(
    begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE", "slow")
    monkeypatch.setenv("FAKE_STEPS", "500")
    begin()
    out = tmp_path / "out"
    state = wait_for(lambda: (state := jobs.is_running(out)) and state.trainer and state)
    wait_for(lambda: (end := training.ending(out)) and end.progress)
    os.kill(state.keeper.pid, signal.SIGKILL)
    wait_for(lambda: not is_alive(state.keeper))
    assert jobs.is_running(out) is not None
    with pytest.raises(FluxcapError, match="a training runs in"):
        begin()
    training.stop(out)
    assert ended(out).status == "lost"


def test_dead_and_unknown_processes() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    born = identify(child.pid)
    child.wait()
    assert born is None or not is_alive(born)
    assert identify(2**22 + 12345) is None
    processes.tell(2**22 + 12345, "hard")


def test_strange_state_files_are_as_none(tmp_path: Path) -> None:
    place = jobs.folder(tmp_path)
    place.mkdir()
    for text in ("", "{", "[]", '{"status": "flying"}', "\x00"):
        for name in ("job.json", "state.json"):
            (place / name).write_text(text, encoding="utf-8")
        assert jobs.read_job(tmp_path) is None
        assert jobs.read_state(tmp_path) is None
        assert training.ending(tmp_path) is None
        assert list(training.Watch(tmp_path).looks()) == []


def a_job(out: Path, code: str) -> Job:
    return Job(
        trainer="kohya",
        title="a trainer",
        commands=(Step(argv=(sys.executable, "-c", code), folder=str(out)),),
        run=str(out / "run"),
        log=str(out / "logs" / "a.log"),
        dataset=str(out / "dataset-0"),
        steps=10,
    )


def test_commands_run_in_order_until_one_fails(tmp_path: Path) -> None:
    first = a_job(tmp_path, "print('one')")
    second, third = (
        a_job(tmp_path, code).commands[0] for code in ("print('two'); raise SystemExit(3)", "print('three')")
    )
    assert keeper.keep(tmp_path, replace(first, commands=(*first.commands, second, third))) == 3
    said = Path(first.log).read_text(encoding="utf-8")
    assert "\none" in said
    assert "\ntwo" in said
    assert "\nthree" not in said
    state = jobs.read_state(tmp_path)
    assert state is not None
    assert (state.status, state.command, state.exit_code) == ("failed", 1, 3)


def test_a_program_that_cannot_be_started(tmp_path: Path) -> None:
    job = replace(a_job(tmp_path, ""), commands=(Step(argv=("no-such-program-here",), folder=str(tmp_path)),))
    assert keeper.keep(tmp_path, job) == 127
    end = training.ending(tmp_path)
    assert end is not None
    assert (end.status, end.reason) == ("failed", "a file is missing: no-such-program-here")


# ---- resuming


def test_a_run_that_is_there_is_not_trained_over(begin: Begin, tmp_path: Path) -> None:
    begin()
    ended(tmp_path / "out")
    with pytest.raises(UsageError, match="holds a run already, up to step 6; go on with it: --resume"):
        begin()


def test_a_run_is_taken_up_again(begin: Begin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    monkeypatch.setenv("FAKE", "crash")
    begin()
    assert ended(out).status == "failed"
    monkeypatch.setenv("FAKE", "")
    begun = begin(resume=True)
    assert begun.job is not None
    assert begun.notices == ()
    end = ended(out)
    assert end.status == "done"
    assert [one.step for one in end.run.checkpoints] == [0, 2, 4, 6]
    assert "initial" not in end.log.read_text(encoding="utf-8")
    assert len(list((out / "logs").glob("*.log"))) >= 1


def test_changed_captions_are_told_when_a_run_goes_on(begin: Begin, photos: Path, tmp_path: Path) -> None:
    begin()
    ended(tmp_path / "out")
    (photos / "1.txt").write_text("ohwx woman, a photo of a woman. She is waving.", encoding="utf-8")
    assert begin(resume=True).notices == (
        "pictures or captions changed since this run began; it goes on with the new ones",
    )


def test_nothing_to_go_on_from(begin: Begin) -> None:
    with pytest.raises(FluxcapError, match=r"there is nothing to go on from .*; start the training without --resume"):
        begin(resume=True)


@pytest.mark.parametrize(
    ("trainer", "there", "words"),
    [
        ("diffusers", "checkpoint-250", ("--resume_from_checkpoint=latest",)),
        ("simpletuner", "checkpoint-250", ("--resume_from_checkpoint=latest",)),
        ("onetrainer", "backup/2026-11-23-backup-250", ("--config-values", "continue_last_backup=true")),
        ("diffusion-pipe", "20261123_02-19-44/latest", ("--resume_from_checkpoint",)),
        ("ai-toolkit", "ohwx/ohwx_000000250.safetensors", ()),
        ("kohya", "ohwx-step00000250-state", ("--resume={run}/ohwx-step00000250-state", "--skip_until_initial_step")),
        ("fluxgym", "ohwx-step00000250-state", ("--resume={run}/ohwx-step00000250-state", "--skip_until_initial_step")),
    ],
)
def test_how_each_trainer_goes_on(tmp_path: Path, trainer: str, there: str, words: tuple[str, ...]) -> None:
    run = tmp_path / "run"
    with pytest.raises(FluxcapError, match="there is nothing to go on from"):
        training._resumed(run, trainer, True)
    (run / there).mkdir(parents=True)
    assert training._resumed(run, trainer, True) == tuple(word.format(run=run.as_posix()) for word in words)


def test_trainers_that_cannot_go_on_say_why(tmp_path: Path) -> None:
    with pytest.raises(FluxcapError, match="musubi-tuner counts from the first step again"):
        training._resumed(tmp_path, "musubi", True)
    assert resuming("somebody-elses").cannot
    (tmp_path / "ohwx-step00000250-state").mkdir()
    with pytest.raises(FluxcapError, match="--save_state"):
        training._resumed(tmp_path / "none", "kohya", True)


# ---- refusals before anything is started


def test_what_is_named_wrongly(begin: Begin, tmp_path: Path, photos: Path) -> None:
    with pytest.raises(UsageError, match="plain is no trainer"):
        begin(trainer="plain")
    with pytest.raises(UsageError, match=r"--trainer-path .* is no folder; name the folder of ai-toolkit"):
        begin(home=tmp_path / "nowhere")
    with pytest.raises(UsageError, match="no environment of its own lies in"):
        begin(python=None)
    with pytest.raises(UsageError, match=r"--python .* is no Python"):
        begin(python=photos)
    assert not (tmp_path / "out").exists()


def test_the_models_files_must_be_there(begin: Begin, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"kohya wants the model's files; .*--models FOLDER"):
        begin(trainer="kohya")
    models = tmp_path / "models"
    models.mkdir()
    (models / "ae.safetensors").touch()
    with pytest.raises(UsageError, match=r"files of the model are missing: .*flux1-dev\.safetensors") as refused:
        begin(trainer="kohya", models=str(models))
    assert "ae.safetensors" not in str(refused.value)


# ---- the trainer's environment


def environment(folder: Path) -> Path:
    """An environment that is laid out as venv does."""
    (folder / "bin").mkdir(parents=True)
    (folder / "pyvenv.cfg").touch()
    for name in ("python", "accelerate"):
        (folder / "bin" / name).touch()
    return folder / "bin" / "python"


@pytest.mark.parametrize("name", ["venv", ".venv", "env"])
def test_the_environment_beside_the_trainer_is_found(tmp_path: Path, name: str) -> None:
    made = environment(tmp_path / "diffusers" / name)
    inner = tmp_path / "diffusers" / "examples" / "dreambooth"
    inner.mkdir(parents=True)
    assert find_python(inner) == made
    assert find_python(tmp_path / "diffusers") == made
    assert find_python(inner, made.parent.parent) == made
    assert find_python(inner, made) == made


def test_programs_come_from_the_trainers_environment(tmp_path: Path) -> None:
    python = environment(tmp_path / "venv")
    bare = tmp_path / "python"
    bare.touch()
    launch = Command(argv=("accelerate", "launch", "x.py"))
    assert step(launch, tmp_path, python).argv == (str(python.parent / "accelerate"), "launch", "x.py")
    assert step(launch, tmp_path, bare).argv[:3] == (str(bare), "-m", "accelerate.commands.accelerate_cli")
    assert step(Command(argv=("python", "run.py")), tmp_path, bare).argv == (str(bare), "run.py")
    assert step(Command(argv=("deepspeed", "--x")), tmp_path, bare).argv[1:] == (
        "-m",
        "deepspeed.launcher.runner",
        "--x",
    )
    assert step(Command(argv=("simpletuner", "train"), folder="/data/out"), tmp_path, bare).folder == "/data/out"


def test_variables_of_our_own_environment_are_not_handed_on(tmp_path: Path) -> None:
    made = step(Command(argv=("python",), env={"NCCL_P2P_DISABLE": "1"}), tmp_path, environment(tmp_path / "venv"))
    ours = {"VIRTUAL_ENV": "/ours", "PYTHONHOME": "/ours", "COLUMNS": "40", "PATH": "/bin", "HF_TOKEN": "x"}
    theirs = surroundings(ours, made)
    assert theirs["VIRTUAL_ENV"] == str(tmp_path / "venv")
    assert theirs["PATH"] == f"{tmp_path / 'venv' / 'bin'}{os.pathsep}/bin"
    assert theirs["HF_TOKEN"] == "x"
    assert theirs["NCCL_P2P_DISABLE"] == "1"
    assert "PYTHONHOME" not in theirs
    assert "COLUMNS" not in theirs
    assert "HF_TOKEN" not in made.env  # what is written to the disk holds nobody's secrets


# ---- Windows, as far as it can be tried elsewhere


def test_windows_starts_groups_and_breaks_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    started: list[dict[str, Any]] = []
    told: list[tuple[Any, ...]] = []
    monkeypatch.setattr(processes, "WINDOWS", True)
    monkeypatch.setattr(processes.subprocess, "Popen", lambda argv, **options: started.append(options))
    monkeypatch.setattr(processes.subprocess, "run", lambda argv, **options: told.append(tuple(argv)))
    monkeypatch.setattr(processes.os, "kill", lambda pid, number: told.append((pid, number)))
    with (tmp_path / "log").open("wb") as log:
        processes.start(["x"], env={}, folder=tmp_path, output=log)
        processes.start(["x"], env={}, folder=tmp_path, output=log, own_console=True)
    assert [one["creationflags"] for one in started] == [0x200, 0x200 | 0x08000000]
    assert "start_new_session" not in started[0]
    for how in ("gentle", "firm", "hard"):
        processes.tell(7, how)  # type: ignore[arg-type]
    assert told == [
        (7, getattr(signal, "CTRL_BREAK_EVENT", 1)),
        ("taskkill", "/T", "/PID", "7"),
        ("taskkill", "/F", "/T", "/PID", "7"),
    ]
    assert processes.family(7) == ()


class Kernel:
    """What fluxcap uses of Windows' kernel32: process 7 runs, 8 has ended, others are not there."""

    class OpenProcess:
        restype: Any = None

        def __call__(self, access: int, inherit: bool, pid: int) -> int:
            return pid if pid in (7, 8) else 0

    def __init__(self) -> None:
        self.OpenProcess = Kernel.OpenProcess()  # type: ignore[misc,assignment]
        self.closed = 0

    def GetExitCodeProcess(self, handle: Any, code: Any) -> int:
        code._obj.value = 259 if handle.value == 7 else 0
        return 1

    def GetProcessTimes(self, handle: Any, *times: Any) -> int:
        times[0]._obj.value = 133_000_000
        return 1

    def CloseHandle(self, handle: Any) -> None:
        self.closed += 1


def test_windows_knows_a_process_by_its_birth(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel()
    monkeypatch.setattr(processes, "WINDOWS", True)
    monkeypatch.setattr(processes.ctypes, "WinDLL", lambda name: kernel, raising=False)
    assert identify(7) == ProcessId(pid=7, born="133000000")
    assert identify(8) is None
    assert identify(9) is None
    assert kernel.closed == 2


def test_a_file_that_another_process_holds_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs.folder(tmp_path).mkdir()
    tries: list[int] = []

    def held(path: Path, text: str) -> None:
        tries.append(1)
        if len(tries) < 4:
            raise PermissionError(13, "in use")
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr(jobs, "write_atomic", held)
    monkeypatch.setattr(jobs, "_PAUSE", 0.001)
    job = a_job(tmp_path, "")
    jobs.write_job(tmp_path, job)
    assert jobs.read_job(tmp_path) == job
    monkeypatch.setattr(jobs, "write_atomic", lambda *_: (_ for _ in ()).throw(PermissionError(13, "in use")))
    with pytest.raises(PermissionError):
        jobs.write_job(tmp_path, job)


@posix
@pytest.mark.skipif(shutil.which("ps") is None, reason="there is no ps here")
def test_systems_without_proc_ask_ps(monkeypatch: pytest.MonkeyPatch) -> None:
    born = processes._born_by_ps(os.getpid())
    assert born
    assert processes._born_by_ps(2**22 + 12345) is None
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(30)"])
    try:
        assert child.pid in {one.pid for one in processes.family(os.getpid())}
        monkeypatch.setattr(processes, "_parents", processes._parents_by_ps)
        assert child.pid in {one.pid for one in processes.family(os.getpid())}
    finally:
        child.kill()
        child.wait()


# ---- last words


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 20.00 MiB", "the card's memory is full"),
        ("RuntimeError: [enforce fail] DefaultCPUAllocator: can't allocate memory", "the machine's memory is full"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("huggingface_hub.errors.GatedRepoError: 401 Client Error.", "the model's page asks for access first"),
        ("OSError: x/y is not a local folder and is not a valid model identifier", "the model was not found"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: '/m/ae.safetensors'",
            "a file is missing: /m/ae.safetensors",
        ),
        (
            "safetensors_rust.SafetensorError: Error while deserializing header: HeaderTooLarge",
            "a model's file is broken or was not downloaded whole",
        ),
        ("ModuleNotFoundError: No module named 'bitsandbytes'", "the trainer's environment lacks bitsandbytes"),
        ("train.py: error: unrecognized arguments: --foo", "the trainer does not know an option of the command: --foo"),
        (
            "KeyError: 'double_blocks.0.img_attn.qkv.weight'",
            "the trainer misses the key 'double_blocks.0.img_attn.qkv.weight'",
        ),
        ("AssertionError: Torch not compiled with CUDA enabled", "the trainer finds no graphics card"),
        ("RuntimeError: Training loss became NaN. This may be due to", "the loss is no number any more"),
        (
            "        size mismatch for img_in.weight: copying a param",
            "the model's file is of another kind than the trainer expects",
        ),
    ],
)
def test_last_words(line: str, means: str) -> None:
    found = failure(["Traceback (most recent call last):", line, "steps: 1"], 1)
    assert found is not None
    assert found.means == means
    assert found.hint


def test_last_words_that_are_not_known() -> None:
    launched = [
        "ValueError: odd",
        "Traceback",
        "subprocess.CalledProcessError: Command 'x KeyError: y' returned 1",
        "bye",
    ]
    assert last_words(launched) == "ValueError: odd"
    assert last_words(["one", "two"]) == "two"
    assert last_words([]) == ""
    assert failure(launched, 1) is None
    assert failure(["ValueError: odd"], 1) is None
    killed = failure(["steps: 1"], -9)
    assert killed is not None
    assert "memory" in killed.means


@for_all(st.lists(st.text(), max_size=5))
def test_any_last_words_are_taken(lines: list[str]) -> None:
    failure(lines, 1)


def test_runs_of_one_second_have_logs_of_their_own(tmp_path: Path) -> None:
    now = datetime(2026, 11, 23, 18, 15, 40, tzinfo=UTC)
    first = training.new_log(tmp_path, now)
    first.write_text("out of memory", encoding="utf-8")
    assert [first.name, training.new_log(tmp_path, now).name] == ["20261123-181540.log", "20261123-181540-2.log"]
