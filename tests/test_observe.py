"""Looking at pictures: kills and interruptions in the middle, many pictures, and the real measurement once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from fluxcap import observe, pipeline
from fluxcap.measure import missing_models
from fluxcap.store import Store
from fluxcap.types import Claim, ImageRef

SLOW_RUN = """
import sys, time
from fluxcap import cli, pipeline
from fluxcap.types import Claim

class Slow:
    name, version = "fake", "1"
    def observe(self, rgb, width, height):
        time.sleep(0.1)
        with open(log, "a") as file:
            file.write("x")
        return [Claim(slot="framing", value="close-up", confidence=0.9)]

folder, log = sys.argv[1:]
pipeline._measurement = lambda: (Slow(), ())
sys.argv[1:] = ["caption", folder, "--trigger", "ohwx", "--subject", "woman"]
cli.main()
"""


class Measured:
    name, version = "fake", "1"

    def __init__(self) -> None:
        self.asked = 0

    def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
        self.asked += 1
        return [Claim(slot="framing", value="close-up", confidence=0.9)]


@pytest.fixture
def forty(tmp_path: Path) -> Path:
    folder = tmp_path / "forty photos"
    folder.mkdir()
    for number in range(40):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def started(forty: Path, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A run that has measured a few pictures."""
    log = tmp_path / "log"
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_RUN, str(forty), str(log)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    end = time.monotonic() + 60
    while not log.exists() or log.stat().st_size < 8:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.02)
    yield process
    process.kill()
    process.communicate()


def goes_on(forty: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run looks at what is left, and every caption is whole."""
    assert not any(text.read_text(encoding="utf-8") == "" for text in forty.glob("*.txt"))
    done_before = log.stat().st_size
    fake = Measured()
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (fake, ()))
    done = pipeline.caption(forty, {"trigger": "ohwx", "subject": "woman"})
    in_flight = 3 * min(observe.MOST_WORKERS, os.cpu_count() or 1)
    assert 40 - done_before <= fake.asked <= 40 - done_before + in_flight
    assert len(done.thought.pictures) == 40
    expected = {picture.text for picture in done.thought.pictures}
    assert {text.read_text(encoding="utf-8") for text in forty.glob("*.txt")} == expected
    assert not list(forty.glob(".fluxcap-*"))


def test_a_killed_run_goes_on_where_it_stopped(
    forty: Path, started: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started.kill()
    started.communicate()
    goes_on(forty, tmp_path / "log", monkeypatch)


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_an_interrupted_run_says_so_and_goes_on_next_time(
    forty: Path, started: subprocess.Popen[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started.send_signal(signal.SIGINT)
    out, err = started.communicate(timeout=30)
    assert started.returncode == 130
    assert out == ""
    assert err.strip() == "interrupted; the same command goes on where it stopped"
    goes_on(forty, tmp_path / "log", monkeypatch)


def test_a_second_process_is_told_that_one_is_at_work(forty: Path, started: subprocess.Popen[str]) -> None:
    with pytest.raises(Exception, match="another fluxcap"):
        pipeline.caption(forty, {"trigger": "ohwx"})
    assert started.poll() is None


def test_three_thousand_known_pictures_take_seconds(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.png" for number in range(3000)]
    with Store(tmp_path) as store, store.transaction():
        for number, path in enumerate(paths):
            path.touch()
            status = path.stat()
            ref = ImageRef(id=f"{number:064x}", path=path.name, width=1, height=1)
            store.remember_file(path.name, status.st_size, status.st_mtime_ns, ref)
        texts = [(image, "ohwx woman with red hair") for image in store.images()]
        start = time.process_time()
        for _ in range(2):
            observe.read_captions(store, "sidecar:beside", texts, 0.7)
        assert observe.look(store, tmp_path, paths, None, background="#ffffff").observed == 0
        assert time.process_time() - start < 8  # with a question per text it took minutes


def test_the_same_picture_twice_is_one_picture_in_two_files(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    fake = Measured()
    with Store(tmp_path) as store:
        observe.look(store, tmp_path, [tmp_path / "a.png"], fake, background="#ffffff")
        shutil.copy(tmp_path / "a.png", tmp_path / "b.png")
        both = [tmp_path / "a.png", tmp_path / "b.png"]
        seen = observe.look(store, tmp_path, both, fake, background="#ffffff")
    assert fake.asked == 1
    assert [image.path for image in seen.images] == ["a.png", "b.png"]


def test_another_version_asks_anew_and_the_former_answers_come_back(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "a.png")
    old, new = Measured(), Measured()
    new.version = "2"
    with Store(tmp_path) as store:
        for fake in (old, new, old):
            observe.look(store, tmp_path, [tmp_path / "a.png"], fake, background="#ffffff")
    assert (old.asked, new.asked) == (1, 1)


def test_a_picture_that_vanishes_is_an_issue(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        seen = observe.look(store, tmp_path, [tmp_path / "gone.png"], Measured(), background="#ffffff")
    assert [issue.code for issue in seen.issues] == ["IMG006"]
    assert [issue.code for issue in observe.unusable(tmp_path, [tmp_path / "gone.png"])] == ["IMG006"]


@pytest.mark.skipif(bool(missing_models()), reason="needs the measuring models")
def test_the_real_measurement_captions_a_photo(tmp_path: Path) -> None:
    with resources.as_file(resources.files("fluxcap") / "data" / "demo" / "close_up.jpg") as photo:
        shutil.copy(photo, tmp_path)
    done = pipeline.caption(tmp_path, {"trigger": "ohwx", "subject": "woman"})
    assert done.observed == 1
    assert "close-up" in done.thought.pictures[0].text
    assert pipeline.caption(tmp_path).observed == 0


def test_a_source_that_trips_over_one_picture_stops_no_other(forty: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tripping(Measured):
        def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
            if rgb[0, 0, 0] == 7:
                raise ZeroDivisionError("planted")
            return super().observe(rgb, width, height)

    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (Tripping(), ()))
    done = pipeline.caption(forty, {"trigger": "ohwx", "subject": "woman"})
    assert [issue.path for issue in done.issues if issue.code == "IMG013"] == ["7.png"]
    assert len(done.thought.pictures) == 39
