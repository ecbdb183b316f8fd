"""The vision model in the main job, from pictures to captions, against a server of this machine."""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from importlib import import_module, resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fluxcap import actions, cli, pipeline
from fluxcap.consult import Consulting
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.page import summary
from fluxcap.store import Store
from fluxcap.taggers import Fake
from fluxcap.types import Claim
from fluxcap.vision import How
from fluxcap.vlms.types import Denied, Down, NoVision, UnknownModel

if find_spec("openai") is None or find_spec("httpx") is None:
    pytest.skip("openai and httpx are not installed", allow_module_level=True)

import vlm_server
from coloured import COLOURS, WORDS, draw, nearest, text, without_models
from vlm_server import REFUSAL, Seen, VlmServer

MODEL = "eyes-vl:4b"


KEY = "sk-only-for-that-server-4711"
ANSWERS: dict[str, Mapping[str, object]] = {
    "red": {"pose": "standing", "clothing": "red dress", "hair": "long blonde hair", "framing": "full body"},
    "green": {"pose": "sitting", "clothing": "white shirt, black skirt", "setting": "on a beach", "hair": "unknown"},
    "blue": {"pose": "lying", "clothing": "green coat", "hair": "short black hair", "holding": "white cup"},
    "grey": {"pose": "kneeling", "clothing": "yellow scarf"},
    "white": {"pose": "squatting", "clothing": "brown jacket"},
}


def colour_of(seen: Seen) -> str:
    assert seen.image is not None
    middle = seen.image.convert("RGB").getpixel((seen.width // 2, seen.height // 2))
    return nearest(middle)  # type: ignore[arg-type]


def by_colour(seen: Seen) -> str:
    return json.dumps(ANSWERS[colour_of(seen)])


def saying(answers: Mapping[str, object]) -> Callable[[Seen], str]:
    """Answers by colour; what is text is said as it stands, other colours say what they always say."""

    def answer(seen: Seen) -> str:
        said = answers.get(colour_of(seen), ANSWERS[colour_of(seen)])
        return said if isinstance(said, str) else json.dumps(said)

    return answer


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is measured, no tagger and no key of this machine is found."""
    without_models(monkeypatch, tmp_path_factory.mktemp("nowhere"))
    for name in ("FLUXCAP_VLM_KEY", "OPENAI_API_KEY", "OPENROUTER_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server() -> Iterator[VlmServer]:
    with VlmServer(answer=by_colour) as one:
        yield one


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw(tmp_path / "photos", "red", "green", "blue")


def asking(server: VlmServer, **more: object) -> dict[str, object]:
    return {**WORDS, "vlm.url": f"{server.url}/v1", "vlm.name": MODEL, **more}


def run(folder: Path, server: VlmServer, settings: Mapping[str, object] | None = None, **options: Any) -> Any:
    return pipeline.caption(folder, {**asking(server), **(settings or {})}, **options)


def texts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.glob("*.txt"))}


def traits(folder: Path, name: str) -> dict[str, Any]:
    record = next(one for one in actions.dump(folder) if one["path"] == f"{name}.png")
    return record["traits"]  # type: ignore[return-value]


def command(monkeypatch: pytest.MonkeyPatch, capsys: Any, *words: object) -> tuple[int, str, str]:
    monkeypatch.setattr(sys, "argv", ["fluxcap", *map(str, words)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    capsys.readouterr()
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = int(end.code or 0)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def line(folder: Path, server: VlmServer, *more: object) -> tuple[object, ...]:
    """The words of a command that captions with the server."""
    plain = ("--trigger", "ohwx", "--subject", "woman", "--vlm-url", f"{server.url}/v1", "--vlm-name", MODEL)
    return ("caption", folder, *plain, *more)


def until(true: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come to that"
        time.sleep(0.01)


# ------------------------------------------------------------------------------------------------------- into captions


def test_answers_become_captions(photos: Path, server: VlmServer) -> None:
    done = run(photos, server)
    assert (done.asked, len(server.seen)) == (3, 3)
    assert "standing" in text(photos, "red")
    assert "a red dress" in text(photos, "red")
    assert "a white shirt and a black skirt" in text(photos, "green")
    assert "on a beach" in text(photos, "green")
    assert "a white cup" in text(photos, "blue")
    assert [one for one in done.issues if one.code == "VLM001"] == []
    assert any(MODEL in notice and "3 of 3" in notice for notice in done.notices)


def test_the_source_is_told(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    assert traits(photos, "red")["pose"]["value"] == "standing"
    assert traits(photos, "red")["pose"]["sources"] == [f"vlm:{MODEL}"]
    assert "answer" not in traits(photos, "red")


def test_what_is_measured_beats_what_is_said(photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    class Measured:
        name, version = "fake", "1"

        def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
            return [Claim(slot="framing", value="close-up", confidence=0.9)]

    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (Measured(), ()))
    server.rules.answer = saying({"red": {"framing": "full body", "pose": "standing"}})
    run(photos, server)
    assert "close-up" in text(photos, "red")
    assert "full body" not in text(photos, "red")
    assert "standing" in text(photos, "red")
    assert traits(photos, "red")["framing"]["sources"] == ["measure:fake"]
    assert any("full body" in other for other in traits(photos, "red")["framing"]["conflict"])


def test_what_is_bound_is_left_out(photos: Path, server: VlmServer) -> None:
    run(photos, server, {"plan.bound": ["hair"]})
    assert "hair" not in text(photos, "red")
    assert all("hair" in seen.body["messages"][-1]["content"][1]["text"] for seen in server.seen)
    run(photos, server, {"plan.free": ["hair"]})
    assert "long blonde hair" in text(photos, "red")
    assert "hair" not in text(photos, "green"), "unknown says nothing"


def test_a_person_s_captions_stay(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    (photos / "red.txt").write_text("ohwx woman, as I say it.", encoding="utf-8")
    run(photos, server, force=True)
    assert text(photos, "red") == "ohwx woman, as I say it."


def test_prose_is_read(photos: Path, server: VlmServer) -> None:
    server.rules.answer = saying({
        "red": "Sure! Here is a description:\n\nA woman in a red dress stands in a garden. She is smiling. There is no hat.",
        "green": "A woman sits on a wooden bench.",
        "blue": "A woman with a white cup in her hand.",
    })  # fmt: skip
    done = run(photos, server, {"vlm.mode": "prose"})
    assert done.asked == 3
    assert "red dress" in text(photos, "red")
    assert "standing" in text(photos, "red")
    assert "hat" not in text(photos, "red")
    assert "sitting" in text(photos, "green")
    assert all("response_format" not in seen.body for seen in server.seen)
    assert run(photos, server, {"vlm.mode": "prose"}).asked == 0
    server.rules.answer = by_colour
    assert run(photos, server, {"vlm.mode": "traits"}).asked == 3, "traits are another question"


@pytest.mark.parametrize("kind", ["openai", "ollama"])
def test_both_protocols_come_to_the_same_captions(tmp_path: Path, server: VlmServer, kind: str) -> None:
    photos = draw(tmp_path / kind, "red", "green", "blue")
    done = run(photos, server, {"vlm.url": server.url, "vlm.kind": kind})
    assert done.asked == 3
    assert {seen.path for seen in server.seen} == {"/api/chat" if kind == "ollama" else "/v1/chat/completions"}
    assert "a red dress" in text(photos, "red")


# ------------------------------------------------------------------------------------------------------ asked only once


def test_the_second_run_asks_nothing_and_loses_nothing(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    before = texts(photos)
    done = run(photos, server)
    assert (done.asked, len(server.seen)) == (0, 3)
    assert len(done.thought.pictures) == 3
    assert set(done.outcomes.values()) == {"unchanged"}
    assert texts(photos) == before
    assert len(before) == 3


def test_the_second_run_writes_what_is_missing(photos: Path, server: VlmServer) -> None:
    run(photos, server, dry_run=True)
    assert not list(photos.glob("*.txt"))
    done = run(photos, server)
    assert (done.asked, len(server.seen)) == (0, 3)
    assert "a red dress" in text(photos, "red")


def test_a_changed_plan_asks_nothing(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    pipeline.plan(photos, free=["hair"])
    assert "long blonde hair" in text(photos, "red")
    assert len(server.seen) == 3


def test_later_commands_need_no_server(photos: Path) -> None:
    with VlmServer(answer=by_colour) as server:
        run(photos, server)
    assert not [issue for issue in pipeline.check(photos).issues if issue.code == "CAP011"]
    assert "a red dress" in actions.explain(photos / "red.png")[0].text


def test_force_asks_again(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    server.rules.answer = saying({"red": {"pose": "sitting"}})
    assert run(photos, server, force=True).asked == 3
    assert "sitting" in text(photos, "red")
    assert len(server.seen) == 6


def test_another_model_is_asked_anew_and_the_former_is_remembered(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    before = texts(photos)
    assert run(photos, server, {"vlm.name": "words:7b"}).asked == 3
    assert {seen.body["model"] for seen in server.seen[3:]} == {"words:7b"}
    assert run(photos, server).asked == 0
    assert texts(photos) == before


@pytest.mark.parametrize("setting", [{"vlm.side": 512}, {"background": "#000000"}, {"vlm.max_tokens": 300}], ids=str)
def test_another_way_of_asking_asks_again(photos: Path, server: VlmServer, setting: dict[str, object]) -> None:
    run(photos, server)
    assert run(photos, server, setting).asked == 3
    assert run(photos, server, setting).asked == 0
    assert run(photos, server).asked == 0


def test_changed_prompts_ask_again(photos: Path, server: VlmServer) -> None:
    own = resources.files("fluxcap").joinpath("data", "prompts.toml").read_text(encoding="utf-8")
    run(photos, server)
    (photos / "mine.toml").write_text(own.replace("You look at one picture", "You see one picture"), encoding="utf-8")
    assert run(photos, server, {"vlm.prompts": "mine.toml"}).asked == 3
    assert server.seen[-1].body["messages"][0]["content"].startswith("You see one picture")
    assert run(photos, server, {"vlm.prompts": "mine.toml"}).asked == 0


def test_a_new_picture_alone_is_asked(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    draw(photos, "grey")
    (photos / "red.png").rename(photos / "renamed.png")
    shutil.copy(photos / "green.png", photos / "copy.png")
    assert run(photos, server).asked == 1
    assert colour_of(server.seen[-1]) == "grey"
    assert "a red dress" in text(photos, "renamed")
    assert "on a beach" in text(photos, "copy")


def test_one_question_for_two_files_of_one_picture(photos: Path, server: VlmServer) -> None:
    shutil.copy(photos / "red.png", photos / "red2.png")
    assert run(photos, server).asked == 3
    assert text(photos, "red2") == text(photos, "red")


# ------------------------------------------------------------------------------------------------- killed, interrupted

CHILD = """
import sys
from fluxcap import cli, pipeline
pipeline._measurement = lambda: (None, ())
pipeline._tagger = lambda _folder, _project: (None, ())
sys.argv = ["fluxcap", *sys.argv[1:]]
cli.main()
"""


class Holding:
    """Answers the first few questions; later ones wait until the test lets them go."""

    def __init__(self, answered: int) -> None:
        self.left = answered
        self.lock = threading.Lock()
        self.free = threading.Event()

    def __call__(self, seen: Seen) -> str:
        with self.lock:
            self.left -= 1
            holds = self.left < 0
        if holds:
            self.free.wait(20)
        return by_colour(seen)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize("how", ["SIGKILL", "SIGINT"])
def test_a_run_that_is_ended_goes_on(tmp_path: Path, server: VlmServer, how: str) -> None:
    photos = draw(tmp_path / "photos", *(f"{colour}{n}" for colour in ANSWERS for n in (1, 2)))
    (photos / "fluxcap.toml").write_text(
        f'trigger = "ohwx"\nsubject = "woman"\n[vlm]\nurl = "{server.url}/v1"\nname = "{MODEL}"\nconcurrency = 2\n',
        encoding="utf-8",
    )
    server.rules.answer = holding = Holding(4)
    words = [sys.executable, "-c", CHILD, "caption", str(photos)]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as child:
        try:
            until(lambda: len(server.seen) == 6)
            until(lambda: stored(photos) == 4, 5)
            child.send_signal(getattr(signal, how))
            _, err = child.communicate(timeout=10)  # the server still holds two answers back
        finally:
            child.kill()
            holding.free.set()
    assert child.returncode == (-signal.SIGKILL if how == "SIGKILL" else 130)
    assert "Traceback" not in err
    if how == "SIGINT":
        assert err.splitlines()[-1] == "interrupted; the same command goes on where it stopped"
    assert len(server.seen) == 6
    server.rules.answer = by_colour
    done = pipeline.caption(photos)
    assert (done.asked, len(server.seen)) == (6, 12), "only those in flight are asked again"
    assert len(texts(photos)) == 10
    assert all(b"wearing" in caption for caption in texts(photos).values())


def stored(folder: Path) -> int:
    """So many pictures are answered in the store."""
    with Store(folder, read_only=True) as store:
        return sum(
            any(claim.source == f"vlm:{MODEL}" for claim in claims)
            for claims in store.evidence([image.id for image in store.images()]).values()
        )


def test_an_interrupt_ends_the_asking(tmp_path: Path, server: VlmServer) -> None:
    photos = draw(tmp_path, *ANSWERS)

    def stop(done: Iterator[None], total: int) -> Iterator[None]:
        assert total == 5
        for _ in range(2):
            next(done)
            yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(photos, server, {"vlm.concurrency": 1}, consulting=Consulting(progress=stop))
    assert not list(photos.glob("*.txt"))
    assert run(photos, server).asked == 3


def test_an_interrupt_leaves_no_thread_that_asks(tmp_path: Path, server: VlmServer) -> None:
    photos = draw(tmp_path, *ANSWERS)
    server.rules.latency = 0.02

    def stop(done: Iterator[None], _: int) -> Iterator[None]:
        next(done)
        yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as told:
        run(photos, server, {"vlm.concurrency": 1}, consulting=Consulting(progress=stop))
    assert told.tb is not None, "whoever keeps the error keeps its frames"
    assert not [thread for thread in threading.enumerate() if thread.name == "fluxcap-vision"]


# --------------------------------------------------------------------------------------------- what a server does wrong


def test_a_refused_picture_is_left_and_named(photos: Path, server: VlmServer, monkeypatch: Any, capsys: Any) -> None:
    server.rules.answer = saying({"green": REFUSAL})
    done = run(photos, server)
    (left,) = (issue for issue in done.issues if issue.code == "VLM001")
    assert (left.path, left.severity) == ("green.png", "warning")
    assert "green.png" in left.message
    assert "refuses" in left.message
    assert done.asked == 2
    assert "a red dress" in text(photos, "red")
    assert text(photos, "green").startswith("ohwx woman"), "it has a caption of what else is known"
    before = len(server.seen)
    code, out, _ = command(monkeypatch, capsys, *line(photos, server))
    assert (code, len(server.seen) > before) == (0, True), "it is asked again"
    assert "VLM001" in out
    server.rules.answer = by_colour
    assert run(photos, server).asked == 1
    assert "on a beach" in text(photos, "green")


def test_a_request_that_fails_leaves_its_picture_only(photos: Path) -> None:
    with VlmServer("odd", "good", answer=by_colour) as server:
        done = run(photos, server, {"vlm.concurrency": 1})
    assert [issue.path for issue in done.issues if issue.code == "VLM001"] == ["blue.png"]
    assert done.asked == 2


@pytest.mark.parametrize(
    "behaviour", ["fenced", "preamble", "thinking", "reasoning", "think_tags", "parts", "no_usage"]
)
def test_odd_answers_come_to_the_same(tmp_path: Path, behaviour: str) -> None:
    with VlmServer(behaviour, answer=by_colour) as server:
        run(draw(tmp_path, "red"), server)
    assert "a red dress" in text(tmp_path, "red")


@pytest.mark.parametrize("behaviour", ["empty", "null", "whitespace", "truncated", "refusal", "filtered", "too_large"])
def test_one_bad_answer_is_asked_again(tmp_path: Path, behaviour: str) -> None:
    with VlmServer(behaviour, "good", answer=by_colour) as server:
        done = run(draw(tmp_path, "red"), server)
        assert len(server.seen) == 2
    assert done.asked == 1
    assert "a red dress" in text(tmp_path, "red")


FATAL = [
    ("text_only", {}, NoVision, "takes no pictures"),
    ("denied", {}, Denied, "key is missing or wrong"),
    ("good", {"vlm.name": "no-such"}, UnknownModel, "no-such"),
]


@pytest.mark.parametrize(
    ("behaviour", "settings", "kind", "words"), FATAL, ids=[row[0] + row[2].__name__ for row in FATAL]
)
def test_what_ends_everything(
    photos: Path, behaviour: str, settings: dict[str, object], kind: type[FluxcapError], words: str
) -> None:
    """No caption is written, none of an earlier run is lost, and mended settings go on."""
    pipeline.caption(photos, WORDS)
    before = texts(photos)
    assert len(before) == 3
    with VlmServer(behaviour, answer=by_colour) as server:
        with pytest.raises(kind, match=words) as told:
            run(photos, server, settings)
        assert "\n" not in told.value.message + told.value.hint
        assert len(server.seen) <= 4, "it is not asked about every picture"
    assert texts(photos) == before
    with VlmServer(answer=by_colour) as server:
        assert run(photos, server).asked == 3
    assert "a red dress" in text(photos, "red")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(
    "name",
    [MODEL, None],
    ids=["named", "not named"],
)
def test_nobody_there_is_told_at_once(photos: Path, monkeypatch: Any, capsys: Any, name: str | None) -> None:
    """Patience is for a server that was there; a wrong port is told before the person has gone away."""
    words = ["caption", photos, "--trigger", "ohwx", "--vlm-url", nowhere(), *(["--vlm-name", name] if name else [])]
    import_module("openai")  # takes its time
    ended = threading.Timer(2, os.kill, (os.getpid(), signal.SIGINT))
    ended.start()
    try:
        code, _, err = command(monkeypatch, capsys, *words)
    finally:
        ended.cancel()
    assert code == 3, err
    assert str(words[5]) in err
    assert not list(photos.glob("*.txt"))


def test_nobody_there_for_long_ends_the_run(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No caption is written that a model with eyes was to have a part in: the person named one, and it was never reached."""
    monkeypatch.setattr("fluxcap.consult.How", partial(How, patience=0.05))
    with pytest.raises(Down):
        pipeline.caption(photos, {**WORDS, "vlm.url": nowhere(), "vlm.name": MODEL})
    assert not list(photos.glob("*.txt"))


def test_a_server_that_goes_away_leaves_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.consult.How", partial(How, patience=0.05))
    photos = draw(tmp_path, *ANSWERS)
    with VlmServer("good", "good", "broken", answer=by_colour) as server:
        done = run(photos, server, {"vlm.concurrency": 1})
    assert done.asked == 2
    assert [issue.path for issue in done.issues if issue.code == "VLM001"] == ["grey.png", "red.png", "white.png"]
    assert "green coat" in text(photos, "blue")
    assert len(texts(photos)) == 5
    with VlmServer(answer=by_colour) as server:
        assert run(photos, server).asked == 3
    assert "a red dress" in text(photos, "red")


def nowhere() -> str:
    """An address of this machine where nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}/v1"


@pytest.mark.parametrize(
    "behaviour", ["loading", "broken", "cut", "half", "html", "hidden_error", "queue_full", "busy"]
)
def test_a_server_that_stumbles_is_asked_again(photos: Path, behaviour: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.vlms.pool._FIRST_WAIT", 0.01)
    with VlmServer(behaviour, behaviour, "good", answer=by_colour, retry_after="0.01") as server:
        done = run(photos, server)
        assert len(server.seen) == 5
    assert done.asked == 3
    assert not [issue for issue in done.issues if issue.code == "VLM001"]
    assert "a red dress" in text(photos, "red")


def test_a_full_server_answers_everything_in_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.vlms.pool._FIRST_WAIT", 0.01)
    photos = draw(tmp_path, *(f"{colour}{n}" for colour in ANSWERS for n in range(1, 7)))
    with VlmServer(answer=by_colour, slots=2, latency=0.01, retry_after="0.01") as server:
        done = run(photos, server)
    assert done.asked == 30
    assert len(texts(photos)) == 30


def test_the_concurrency_of_the_settings_is_kept(tmp_path: Path) -> None:
    photos = draw(tmp_path, *(f"{colour}{n}" for colour in ("red", "green", "blue") for n in (1, 2, 3)))
    three, lock, now, most = threading.Barrier(3, timeout=5), threading.Lock(), [0], [0]

    def answer(seen: Seen) -> str:
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        with suppress(threading.BrokenBarrierError):
            three.wait()  # goes on once three are asked at once
        with lock:
            now[0] -= 1
        return by_colour(seen)

    with VlmServer(answer=answer) as server:
        assert run(photos, server, {"vlm.concurrency": 3}).asked == 9
    assert (most, three.broken) == ([3], False)


def test_a_forced_run_that_fails_loses_no_answer(photos: Path, server: VlmServer) -> None:
    run(photos, server)
    before = texts(photos)
    server.behaviours = ["text_only"]
    with pytest.raises(NoVision):
        run(photos, server, force=True)
    asked = len(server.seen)
    assert run(photos, server).asked == 0
    assert (texts(photos), len(server.seen)) == (before, asked)


def test_a_picture_that_goes_away_meanwhile_is_named(photos: Path, server: VlmServer) -> None:
    done = run(photos, server, consulting=Consulting(say=lambda _: (photos / "red.png").unlink(missing_ok=True)))
    assert done.asked == 2
    assert [issue.path for issue in done.issues if issue.code == "VLM001"] == ["red.png"]


def test_what_a_server_says_is_harmless(
    photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """Neither the terminal nor the report takes orders from it."""
    server.rules.answer = saying({
        "red": {"pose": "standing", "text": "<script>alert(1)</script>", "clothing": "<img src=x onerror=alert(2)> red dress"},
    })  # fmt: skip
    done = run(photos, server, {"plan.free": ["text"]})
    page = done.report.read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page
    monkeypatch.setitem(vlm_server.REFUSALS, "odd", (400, RUDE))
    server.behaviours = ["odd"]
    code, out, err = command(monkeypatch, capsys, *line(photos, server, "--force"))
    assert (code, "no " in out) == (0, True)
    assert not {"\x1b", "\x07", "\r"} & set(out + err)


RUDE = "no \x1b[31mred\x1b[0m\r\nfluxcap: fine \x07"


@pytest.mark.parametrize(
    ("behaviour", "status"), [("text_only", 500), ("denied", 401), ("odd", 400)], ids=["no eyes", "key", "picture"]
)
def test_what_a_server_says_is_one_plain_line(
    photos: Path, behaviour: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rude = f"image input is not supported {RUDE}" if behaviour == "text_only" else RUDE
    monkeypatch.setitem(vlm_server.REFUSALS, behaviour, (status, rude))
    with VlmServer(behaviour) as server:
        try:
            told = [issue.message for issue in run(photos, server).issues if issue.code == "VLM001"]
        except FluxcapError as error:
            told = [error.message, error.hint]
    assert told
    assert all(one.isprintable() for one in told)


def test_the_model_s_name_is_mended_by_the_hint(photos: Path, server: VlmServer, monkeypatch: Any, capsys: Any) -> None:
    code, _, err = command(monkeypatch, capsys, *line(photos, server, "--vlm-name", "eyes-vl"))
    assert code == 3
    assert MODEL in err.splitlines()[-1]
    assert not list(photos.glob("*.txt"))


# ------------------------------------------------------------------------------------------------------------ the key


def found_in(folder: Path, secret: str) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_the_key_is_used_and_written_nowhere(
    photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("FLUXCAP_VLM_KEY", KEY)
    server.rules.key = KEY
    record = photos / "answers.jsonl"
    code, out, err = command(monkeypatch, capsys, *line(photos, server, "--record", record))
    assert code == 0
    assert "a red dress" in text(photos, "red")
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {KEY}"}
    assert KEY not in out + err
    assert record.stat().st_size > 100
    assert found_in(photos, KEY) == []
    assert found_in(photos, "ohwx") != [], "the search finds"


def test_a_wrong_key_is_told_and_not_shown(
    photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    """The server repeats it; fluxcap does not."""
    monkeypatch.setitem(vlm_server.REFUSALS, "denied", (401, f"Incorrect API key provided: {KEY}."))
    monkeypatch.setenv("FLUXCAP_VLM_KEY", KEY)
    server.rules.key = "another"
    record = photos / "answers.jsonl"
    for words in (line(photos, server, "--record", record), line(photos, server, "--json"), line(photos, server)[:-2]):
        code, out, err = command(monkeypatch, capsys, *words)
        assert code == 3
        assert KEY not in out + err
        assert "key is missing or wrong" in err
        assert "FLUXCAP_VLM_KEY" in err.splitlines()[-1]
        assert len([said for said in err.splitlines() if said.startswith("fluxcap: ")]) == 1
    assert found_in(photos, KEY) == []
    assert not list(photos.glob("*.txt"))


def test_a_key_in_the_settings_is_refused(photos: Path, server: VlmServer) -> None:
    (photos / "fluxcap.toml").write_text(f'trigger = "ohwx"\n[vlm]\nkey = "{KEY}"\n', encoding="utf-8")
    with pytest.raises(UsageError) as told:
        run(photos, server)
    assert KEY not in str(told.value)
    for url in (f"http://me:{KEY}@127.0.0.1:1/v1", f"http://{KEY}@127.0.0.1:1", f"http://127.0.0.1:1/v1?key={KEY}"):
        (photos / "fluxcap.toml").unlink(missing_ok=True)
        with pytest.raises(UsageError) as told:
            run(photos, server, {"vlm.url": url})
        assert KEY not in str(told.value)
    assert found_in(photos, KEY) == []
    assert server.seen == []


# ---------------------------------------------------------------------------------------------------- told before sent


def test_what_is_asked_is_told_before_anything_is_sent(photos: Path, server: VlmServer) -> None:
    told: list[tuple[str, int]] = []
    run(photos, server, consulting=Consulting(say=lambda said: told.append((said, len(server.seen)))))
    assert [sent for _, sent in told] == [0, 0]
    assert told[0][0] == f"asking {MODEL} on this machine"
    assert "3 pictures" in told[1][0]


def test_another_host_is_named_before_anything_is_sent(
    photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fluxcap.vlms.opening.is_local", lambda _url: False)
    told: list[tuple[str, int]] = []
    run(photos, server, consulting=Consulting(say=lambda said: told.append((said, len(server.seen)))))
    assert told[0] == (f"asking {MODEL} at {server.url}/v1: the pictures are sent there", 0)


def test_without_a_model_nothing_is_asked_and_the_doctor_is_named(photos: Path) -> None:
    done = pipeline.caption(photos, WORDS)
    assert done.asked == 0
    assert any("fluxcap doctor" in notice for notice in done.notices)
    assert len(texts(photos)) == 3


# -------------------------------------------------------------------------------------------------- the picture as sent


def sent(folder: Path, server: VlmServer, **settings: object) -> Seen:
    assert run(folder, server, settings).asked == 1
    return server.seen[-1]


def half_and_half(width: int = 96, height: int = 48) -> Image.Image:
    """Red at the left, blue at the right."""
    picture = Image.new("RGB", (width, height), COLOURS["red"])
    picture.paste(COLOURS["blue"], (width // 2, 0, width, height))
    return picture


def near(seen: Seen, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    assert seen.image is not None
    found = seen.image.convert("RGB").getpixel(place)
    return all(abs(a - b) < 24 for a, b in zip(found, colour, strict=True))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["webp", "png", "jpg", "bmp", "tiff"])
def test_every_kind_arrives_as_jpeg(tmp_path: Path, server: VlmServer, kind: str) -> None:
    half_and_half().save(tmp_path / f"one.{kind}", **({"lossless": True} if kind == "webp" else {}))
    seen = sent(tmp_path, server)
    assert (seen.format, seen.width, seen.height) == ("JPEG", 96, 64)  # multiples of 32
    assert near(seen, (8, 8), COLOURS["red"])
    assert near(seen, (88, 8), COLOURS["blue"])


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_arrives_upright(tmp_path: Path, server: VlmServer, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    half_and_half(128, 64).save(tmp_path / "one.jpg", exif=exif, quality=95)
    with Image.open(tmp_path / "one.jpg") as stored_so:
        upright = ImageOps.exif_transpose(stored_so).convert("RGB")
    seen = sent(tmp_path, server)
    assert (seen.width, seen.height) == upright.size
    for place in ((8, 8), (seen.width - 8, seen.height - 8)):
        assert near(seen, place, upright.getpixel(place))  # type: ignore[arg-type]
    assert seen.image is not None
    assert not seen.image.getexif(), "nothing about the camera goes along"


def test_what_is_transparent_lies_on_the_background(tmp_path: Path, server: VlmServer) -> None:
    picture = Image.new("RGBA", (64, 64), (0, 0, 0, 0))
    picture.paste((220, 0, 0, 255), (0, 0, 64, 32))
    picture.save(tmp_path / "one.png")
    seen = sent(tmp_path, server)
    assert near(seen, (8, 8), COLOURS["red"])
    assert near(seen, (8, 56), (255, 255, 255))
    assert near(sent(tmp_path, server, background="#00dc00"), (8, 56), COLOURS["green"])


@pytest.mark.parametrize(("size", "side", "arrives"), [
    ((3000, 2000), 1024, (1024, 672)),
    ((2000, 3000), 1024, (672, 1024)),
    ((3000, 2000), 512, (512, 352)),
    ((3000, 2000), 1010, (992, 672)),
    ((640, 480), 1024, (640, 480)),
    ((4000, 100), 1024, (1024, 32)),
])  # fmt: skip
def test_the_long_side_is_bounded(
    tmp_path: Path, server: VlmServer, size: tuple[int, int], side: int, arrives: tuple[int, int]
) -> None:
    Image.new("RGB", size, COLOURS["red"]).save(tmp_path / "one.jpg")
    seen = sent(tmp_path, server, **{"vlm.side": side})
    assert (seen.width, seen.height) == arrives


def test_a_photograph_of_12_megapixels_is_small_on_the_way(tmp_path: Path, server: VlmServer) -> None:
    """Grain, and edges at every scale, more than photographs have."""
    random = np.random.default_rng(7)
    part = np.full((750, 1000), 128, np.float32)
    for cells, strength in ((8, 60.0), (40, 40.0), (200, 25.0), (500, 14.0)):
        small = random.normal(0, strength, (cells * 3 // 4, cells)).astype(np.float32)
        part += np.asarray(Image.fromarray(small).resize((1000, 750), Image.Resampling.BICUBIC))
    half = np.concatenate([part, part[:, ::-1]], axis=1)
    whole = np.tile(np.concatenate([half, half[::-1]]), (2, 2)).clip(20, 235).astype(np.uint8)
    grain = random.integers(0, 20, (3000, 4000, 3), np.uint8)
    Image.fromarray(whole[:, :, None] + grain).save(tmp_path / "one.jpg", quality=93)
    assert (tmp_path / "one.jpg").stat().st_size > 4_000_000
    seen = sent(tmp_path, server)
    assert (seen.width, seen.height) == (1024, 768)
    assert 50_000 < len(seen.jpeg) <= 350_000


def test_a_larger_picture_is_made_smaller_where_the_server_wants_it(tmp_path: Path, server: VlmServer) -> None:
    server.rules.pixels = 800 * 800
    Image.new("RGB", (1500, 1500), COLOURS["red"]).save(tmp_path / "one.png")
    assert sent(tmp_path, server).width <= 800
    assert "a red dress" in text(tmp_path, "one")


# ---------------------------------------------------------------------------------------------------------- try a few


def test_a_limit_tries_a_few_and_writes_nothing(
    photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    code, out, err = command(monkeypatch, capsys, *line(photos, server, "--limit", 2))
    assert (code, len(server.seen)) == (0, 2)
    assert not list(photos.glob("*.txt"))
    assert not (photos / "fluxcap.toml").exists()
    assert "green coat" in out
    assert "white shirt" in out
    assert "red.png" not in out
    assert "still to ask: 1 picture" in out
    assert "2 pictures" in err, "the cost is told before"
    done = run(photos, server)
    assert (done.asked, len(server.seen)) == (1, 3), "what was tried is not asked again"
    assert len(texts(photos)) == 3


def test_a_limit_tries_the_next_ones(photos: Path, server: VlmServer) -> None:
    first = run(photos, server, consulting=Consulting(limit=2))
    second = run(photos, server, consulting=Consulting(limit=2))
    assert [len(one.thought.pictures) for one in (first, second)] == [2, 1]
    assert len(server.seen) == 3
    assert not list(photos.glob("*.txt"))


def test_a_limit_writes_nothing_where_all_was_asked(photos: Path, server: VlmServer) -> None:
    run(photos, server, consulting=Consulting(limit=3))
    assert run(photos, server, consulting=Consulting(limit=3)).asked == 0
    assert not list(photos.glob("*.txt"))


def test_a_limit_shows_every_file_of_a_picture_tried(photos: Path, server: VlmServer) -> None:
    shutil.copy(photos / "blue.png", photos / "blue2.png")
    done = run(photos, server, consulting=Consulting(limit=1))
    assert sorted(one.image.path for one in done.thought.pictures) == ["blue.png", "blue2.png"]
    assert not list(photos.glob("*.txt"))


def test_a_limit_without_a_model_writes_nothing_either(photos: Path) -> None:
    """``--limit`` promises that nothing is written."""
    with suppress(UsageError):
        pipeline.caption(photos, WORDS, consulting=Consulting(limit=1))
    assert not list(photos.glob("*.txt"))


# --------------------------------------------------------------------------------------------------- record and replay


def test_recorded_answers_come_to_the_same_captions(
    tmp_path: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    first, other = draw(tmp_path / "first", *ANSWERS), draw(tmp_path / "other", *ANSWERS)
    record = tmp_path / "answers.jsonl"
    assert command(monkeypatch, capsys, *line(first, server, "--record", record))[0] == 0
    lines = [json.loads(one) for one in record.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 5
    assert {one["model"] for one in lines} == {MODEL}
    assert str(server.port) not in record.read_text(encoding="utf-8")
    asked = len(server.seen)
    words = ("caption", other, "--trigger", "ohwx", "--subject", "woman", "--replay", record)
    code, _, err = command(monkeypatch, capsys, *words)
    assert (code, len(server.seen)) == (0, asked), err
    assert texts(other) == texts(first)
    assert len(texts(other)) == 5
    assert traits(other, "red") == traits(first, "red")


def test_what_a_server_answered_badly_is_replayed_too(tmp_path: Path) -> None:
    """Ladder and reading are gone through again: an empty answer, then a good one."""
    record = tmp_path / "answers.jsonl"
    first, other = draw(tmp_path / "first", "red"), draw(tmp_path / "other", "red")
    with VlmServer("empty", "fenced", answer=by_colour) as server:
        run(first, server, consulting=Consulting(record=record))
    assert len(record.read_text(encoding="utf-8").splitlines()) == 2
    done = pipeline.caption(other, WORDS, consulting=Consulting(replay=record))
    assert done.asked == 1
    assert texts(other) == texts(first)


def test_a_picture_that_is_not_in_the_recording_is_named(tmp_path: Path, server: VlmServer) -> None:
    record = tmp_path / "answers.jsonl"
    run(draw(tmp_path / "first", "red"), server, consulting=Consulting(record=record))
    other = draw(tmp_path / "other", "red", "grey")
    done = pipeline.caption(other, WORDS, consulting=Consulting(replay=record))
    assert [issue.path for issue in done.issues if issue.code == "VLM001"] == ["grey.png"]
    assert "a red dress" in text(other, "red")


def test_a_recording_goes_on(photos: Path, tmp_path: Path, server: VlmServer) -> None:
    record = tmp_path / "answers.jsonl"
    run(photos, server, consulting=Consulting(limit=1, record=record))
    run(photos, server, consulting=Consulting(record=record))
    assert len(record.read_text(encoding="utf-8").splitlines()) == 3


def test_recording_what_is_known_writes_nothing(photos: Path, tmp_path: Path, server: VlmServer) -> None:
    run(photos, server)
    record = tmp_path / "answers.jsonl"
    assert run(photos, server, consulting=Consulting(record=record)).asked == 0
    gc.collect()  # a file left open is an error here
    assert not record.exists() or record.read_bytes() == b""


def test_an_empty_recording_is_told(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "answers.jsonl").write_bytes(b"")
    with pytest.raises(UsageError, match=r"answers\.jsonl"):
        pipeline.caption(photos, WORDS, consulting=Consulting(replay=tmp_path / "answers.jsonl"))


def test_a_place_that_cannot_be_recorded_to_is_told_before_anything_is_asked(
    photos: Path, tmp_path: Path, server: VlmServer, monkeypatch: Any, capsys: Any
) -> None:
    code, _, err = command(monkeypatch, capsys, *line(photos, server, "--record", tmp_path / "no" / "such" / "file"))
    assert code in (2, 3), err
    assert "such" in err
    assert server.seen == []


def test_record_and_replay_do_not_go_together(photos: Path, tmp_path: Path, monkeypatch: Any, capsys: Any) -> None:
    words = ("caption", photos, "--trigger", "ohwx", "--record", tmp_path / "a", "--replay", tmp_path / "a")
    code, _, err = command(monkeypatch, capsys, *words)
    assert (code, err.count("\n")) == (2, 2)
    code, _, err = command(monkeypatch, capsys, *words[:4], "--replay", tmp_path / "nowhere.jsonl")
    assert code == 2
    assert "nowhere.jsonl" in err
    assert not list(photos.glob("*.txt"))


# --------------------------------------------------------------------------------------------------------------- hints


def test_hints_hold_the_tagger_s_tags(photos: Path, server: VlmServer, monkeypatch: pytest.MonkeyPatch) -> None:
    seen_tags = {"red_dress": 0.9, "standing": 0.9, "nude": 0.9, "holding_cup": 0.4, "1girl": 0.95}
    fake = Fake(lambda _colour: seen_tags, version="1")
    monkeypatch.setattr("fluxcap.taggers.unavailable", lambda _named=None: "")
    monkeypatch.setattr("fluxcap.taggers.find_tagger", lambda _named=None: Path("fake"))
    monkeypatch.setattr("fluxcap.taggers.wd.WdTagger", lambda _folder, **_options: fake)
    run(photos, server)
    questions = [seen.body["messages"][-1]["content"][1]["text"] for seen in server.seen]
    assert not any("A tagger thinks" in one for one in questions), "only where it is wanted"
    assert run(photos, server, {"vlm.hints": True}).asked == 3
    questions = [seen.body["messages"][-1]["content"][1]["text"] for seen in server.seen[3:]]
    for question in questions:
        (hint,) = (part for part in question.split("\n") if part.startswith("A tagger thinks"))
        assert "red dress" in hint
        assert "standing" in hint
        assert "cup" not in hint, "a weak tag is no hint"
        assert "nude" not in hint
        assert "ohwx" not in question
    assert run(photos, server, {"vlm.hints": True}).asked == 0


# ---------------------------------------------------------------------------------------------- what is not to be said


def test_explicit_words_stay_out_unless_admitted(photos: Path, server: VlmServer) -> None:
    server.rules.answer = saying({
        "red": {"pose": "standing", "clothing": "nude", "setting": "on a beach"},
        "green": {"pose": "standing", "body": "nude", "action": "masturbation"},
    })  # fmt: skip
    run(photos, server)
    every = b" ".join(texts(photos).values()).lower()
    assert b"nude" not in every
    assert b"masturbat" not in every
    assert "on a beach" in text(photos, "red")
    assert run(photos, server, {"explicit": True}).asked == 0
    assert "nude" in text(photos, "red")


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"clothing": "topless, black panties"}, "topless"),
        ({"action": "having sex"}, "sex"),
        ({"features": "exposed breasts"}, "breasts"),
        ({"action": "sucking a penis"}, "penis"),
        ({"body": "naked athletic build"}, "naked"),
        ({"pose": "spreading her legs, showing her vulva"}, "vulva"),
    ],
    ids=str,
)
def test_explicit_phrases_stay_out_too(photos: Path, server: VlmServer, said: Mapping[str, str], word: str) -> None:
    """Models say in their own words what the tag table has under others."""
    server.rules.answer = saying({"red": {**said, "lighting": "soft light"}})
    run(photos, server, {"plan.free": ["body", "features"]})
    assert "soft light" in text(photos, "red")
    assert word not in text(photos, "red")


@pytest.mark.parametrize(
    "said",
    [
        {"age": "child", "subject": "girl", "clothing": "nude", "pose": "standing"},
        {"age": "toddler", "clothing": "naked"},
        {"age": "child", "features": "exposed breasts"},
        {"age": "10 years old", "clothing": "topless"},
        {"age": "about 12", "clothing": "nude"},
        {"age": "young girl", "action": "having sex"},
        {"age": "teenager", "clothing": "nude"},
    ],
    ids=str,
)
@pytest.mark.parametrize("explicit", [False, True], ids=["plain", "explicit"])
def test_a_sexualised_minor_refuses_the_picture(
    photos: Path, server: VlmServer, said: Mapping[str, str], explicit: bool
) -> None:
    server.rules.answer = saying({"green": said})
    done = run(photos, server, {"explicit": explicit, "plan.free": ["age", "features"]})
    assert [(one.path, one.severity) for one in done.issues if one.code == "IMG014"] == [("green.png", "error")]
    assert not (photos / "green.txt").exists()
    assert len(texts(photos)) == 2
    assert [one.path for one in pipeline.check(photos).issues if one.code == "IMG014"] == ["green.png"]


@pytest.mark.parametrize("prose", ["A nude child stands on a beach.", "A 10-year-old girl. She is topless."])
def test_a_sexualised_minor_in_prose_too(photos: Path, server: VlmServer, prose: str) -> None:
    server.rules.answer = saying({"red": "A woman stands.", "blue": "A woman sits.", "green": prose})
    done = run(photos, server, {"vlm.mode": "prose"})
    assert [one.path for one in done.issues if one.code == "IMG014"] == ["green.png"]
    assert not (photos / "green.txt").exists()


@pytest.mark.parametrize("age", ["30 years old", "young woman", "about 25", "adult", "elderly"])
def test_adults_are_not_taken_for_minors(photos: Path, server: VlmServer, age: str) -> None:
    server.rules.answer = saying({"green": {"age": age, "clothing": "topless", "pose": "sitting"}})
    done = run(photos, server)
    assert [one for one in done.issues if one.code == "IMG014"] == []
    assert "sitting" in text(photos, "green")


def test_children_in_everyday_pictures_are_captioned(photos: Path, server: VlmServer) -> None:
    server.rules.answer = saying({"green": {"age": "child", "clothing": "blue dress", "pose": "standing"}})
    done = run(photos, server)
    assert [one for one in done.issues if one.code == "IMG014"] == []
    assert "blue dress" in text(photos, "green")


ALIKE = {
    "pose": "standing",
    "clothing": "white shirt, blue jeans",
    "hair": "long brown hair",
    "setting": "in a park",
    "background": "trees",
    "lighting": "soft light",
    "holding": "red bag",
}


def test_one_answer_for_many_pictures_is_not_believed(tmp_path: Path, server: VlmServer) -> None:
    server.rules.answer = json.dumps(ALIKE)
    done = run(draw(tmp_path, *COLOURS), server)
    every = b" ".join(texts(tmp_path).values())
    assert b"white shirt" not in every
    assert b"park" not in every
    assert {issue.path for issue in done.issues if issue.code == "VLM002"} == {f"{name}.png" for name in COLOURS}
    assert done.asked == 5


def test_equal_answers_of_a_few_are_believed(photos: Path, server: VlmServer) -> None:
    server.rules.answer = json.dumps(ALIKE)
    run(photos, server)
    assert "white shirt" in text(photos, "red")


def test_what_is_refused_is_counted(photos: Path, server: VlmServer, monkeypatch: Any, capsys: Any) -> None:
    server.rules.answer = saying({
        "red": {"pose": "standing", "clothing": "红色连衣裙", "framing": "somewhere", "holding": "no bag"},
        "green": {"pose": "sitting", "view": "behind the moon", "colour_of_the_moon": "green"},
    })  # fmt: skip
    done = run(photos, server)
    assert "standing" in text(photos, "red")
    assert "bag" not in text(photos, "red")
    told = "\n".join(
        [*done.notices, *(f"{name} {figure}" for name, figure in summary(done.thought, done.issues, done.outcomes))]
    )
    assert "not believed" in told or "refused" in told, told
    code, out, _ = command(monkeypatch, capsys, *line(photos, server))
    assert code == 0
    assert "not believed" in out or "refused" in out


def test_a_cleaned_value_is_said(photos: Path, server: VlmServer) -> None:
    server.rules.answer = saying(
        {"red": {"clothing": "She appears to be wearing a red dress.", "pose": "possibly standing"}}
    )
    run(photos, server)
    assert "a red dress" in text(photos, "red")
    assert "appears" not in text(photos, "red")


def test_names_stay_out_unless_the_person_allows_them(photos: Path, server: VlmServer) -> None:
    server.rules.answer = saying({"red": {"pose": "standing", "clothing": "white shirt, Gucci belt"}})
    run(photos, server)
    assert "white shirt" in text(photos, "red")
    assert "gucci" not in text(photos, "red").lower()
    assert run(photos, server, {"vlm.names": ["Gucci"]}).asked == 0
    assert "gucci" in text(photos, "red").lower()


def test_an_unusable_file_is_not_sent(photos: Path, server: VlmServer) -> None:
    (photos / "green.png").write_bytes((photos / "green.png").read_bytes()[:60])
    done = run(photos, server)
    assert (done.asked, len(server.seen)) == (2, 2)
    assert [issue.path for issue in done.issues if issue.severity == "error"] == ["green.png"]
