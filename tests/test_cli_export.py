"""``fluxcap export`` and ``fluxcap recipe`` as a person uses them, and the commands of their pages."""

from __future__ import annotations

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from PIL import Image
from running import Run, measured

from fluxcap import registry

DOCS = Path(__file__).resolve().parents[1] / "docs"


@pytest.fixture
def fluxcap(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    measured(monkeypatch)
    return Run(monkeypatch, capsys)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fluxcap: Run) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    assert fluxcap("caption", "photos", "--trigger", "ohwx", "--subject", "woman").code == 0
    return folder


@pytest.mark.parametrize("trainer", registry.BUILT_IN["exporter"])
def test_an_export_tells_the_command_that_trains(fluxcap: Run, photos: Path, tmp_path: Path, trainer: str) -> None:
    target = "flux2-klein-9b" if trainer == "musubi" else "flux1-dev"
    said = fluxcap("export", "photos", "--trainer", trainer, "--out", "out", "--target", target)
    assert said.code == 0, said
    assert "4 pictures, 2000 steps" in said.out
    readme = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    neutral = registry.load("exporter", trainer).neutral
    assert ("to train, in" in said.out) is not neutral
    if not neutral:
        command = said.out.rstrip().splitlines()[-1]
        assert shlex.split(command)
        assert command in readme


def test_models_are_written_into_the_config(fluxcap: Run, photos: Path, tmp_path: Path) -> None:
    said = fluxcap("export", "photos", "--trainer", "kohya", "--out", "out")
    assert "replace /path/to/models" in said.out
    (tmp_path / "models").mkdir()
    said = fluxcap("export", "photos", "--trainer", "kohya", "--out", "out", "--models", "models")
    assert "/path/to/models" not in said.out
    assert f"{(tmp_path / 'models').as_posix()}/flux1-dev.safetensors" in said.out


def test_a_refused_set_ends_with_1_and_says_why(fluxcap: Run, photos: Path) -> None:
    (photos / "0.txt").write_text("a photo of a woman.", encoding="utf-8")
    said = fluxcap("export", "photos", "--trainer", "plain", "--out", "out")
    assert said.code == 1
    assert "0.png" in said.out
    assert "nothing was exported" in said.out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--trainer", "kohia", "--out", "out"], "known: ai-toolkit"),
        (["--trainer", "kohya", "--out", "photos/out"], "name a folder outside"),
        (["--trainer", "kohya", "--out", "out", "--target", "flux2-dev"], "trainers that do"),
        (["--trainer", "kohya", "--out", "out", "--crop", "wide"], "for instance: --crop 1:1"),
        (["--trainer", "kohya", "--out", "out", "--length", "long"], "sweet-spot"),
        (["--trainer", "kohya", "--out", "out", "--dim", "0"], "write a number"),
        (["--trainer", "kohya"], "--out"),
    ],
)
def test_usage_errors_end_with_2_and_a_hint(fluxcap: Run, photos: Path, words: list[str], told: str) -> None:
    said = fluxcap("export", "photos", *words)
    assert said.code == 2
    assert told in said.err


def test_json(fluxcap: Run, photos: Path) -> None:
    record = json.loads(fluxcap("export", "photos", "--trainer", "ai-toolkit", "--out", "out", "--json").out)
    assert record["refused"] is False
    assert record["recipe"]["steps"] == 2000
    assert record["commands"][0]["argv"][:2] == ["python", "run.py"]
    told = json.loads(fluxcap("recipe", "photos", "--json", "--rate", "2").out)
    assert told["seconds"] == 1000
    assert told["checkpoints"][0] == 500


def test_a_dry_run_writes_nothing(fluxcap: Run, photos: Path, tmp_path: Path) -> None:
    said = fluxcap("export", "photos", "--trainer", "kohya", "--out", "out", "--dry-run")
    assert said.code == 0
    assert "would write 4 pictures" in said.out
    assert not (tmp_path / "out").exists()


def test_the_recipe_tells_both_ways_and_that_they_contradict_each_other(fluxcap: Run, photos: Path) -> None:
    said = fluxcap("recipe", "photos", "--rate", "0.5")
    assert said.code == 0
    for told in (
        "P21",
        "P22",
        "contradict",
        "1 h 07 min",
        "687 MB each",
        "dim 16",
        "ohwx woman, a photo",
        "500 passes",
    ):
        assert told in said.out, told
    assert "100 (repeats)" in fluxcap("recipe", "photos", "--length", "repeats").out
    assert "80 (passes)" in fluxcap("recipe", "photos", "--passes", "20").out
    assert fluxcap("recipe", "photos", "--rate", "0").code == 2


@pytest.mark.parametrize("page", ["export.md", "recipe.md"])
def test_the_commands_of_the_page_run(fluxcap: Run, photos: Path, page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    lines = [
        line
        for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    assert lines
    for line in lines:
        said = fluxcap(*shlex.split(line)[1:])
        assert said.code == 0, said


def test_another_package_may_bring_its_own_trainer(
    fluxcap: Run, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib.metadata import EntryPoint, EntryPoints

    from fluxcap.exporters.plain import Plain

    class Mine(Plain):
        name = "mine"

    monkeypatch.setitem(sys.modules, "my_package", type(sys)("my_package"))
    sys.modules["my_package"].Mine = Mine  # type: ignore[attr-defined]
    point = EntryPoint(name="mine", value="my_package:Mine", group="fluxcap.exporter")
    monkeypatch.setattr(registry, "entry_points", lambda group: EntryPoints([point]).select(group=group))
    registry._plugins.cache_clear()
    try:
        assert fluxcap("export", "photos", "--trainer", "mine", "--out", "out").code == 0
    finally:
        registry._plugins.cache_clear()
    assert (tmp_path / "out" / "manifest.json").is_file()
