"""Where the model files are looked for, and what is told when they are not there."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fluxcap import models
from fluxcap.errors import FluxcapError
from fluxcap.measure import EmbeddedMeasurement, missing_models


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    monkeypatch.delenv("FLUXCAP_MODELS", raising=False)
    monkeypatch.setattr(models, "folders", lambda: [tmp_path])
    return tmp_path


def test_table_names_seven_files_with_sums():
    files = models.model_files()
    assert len(files) == 7
    assert all(len(file.sha256) == 64 and file.size > 100_000 and file.path.endswith(file.name) for file in files)


def test_all_are_missing_from_an_empty_folder(nowhere):
    assert missing_models() == [file.name for file in models.model_files()]


def test_a_changed_file_is_unfit(nowhere):
    file = models.model_files()[0]
    (nowhere / file.name).write_bytes(bytes(file.size))
    assert file.name in missing_models()


def test_use_without_models_is_told(nowhere):
    with pytest.raises(FluxcapError, match="missing") as told:
        EmbeddedMeasurement().observe(np.zeros((8, 8, 3), np.uint8), 8, 8)
    assert "fluxcap models pull measure" in told.value.hint


def test_the_named_folder_comes_first(monkeypatch, tmp_path):
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path))
    assert models.folders()[0] == tmp_path
    assert len(models.folders()) == 3


@pytest.mark.skipif(bool(missing_models()), reason="the measuring models are not installed")
def test_models_of_a_named_folder_are_used(monkeypatch, tmp_path):
    source = models.measure_folder()
    for file in models.model_files():
        shutil.copy(source / file.name, tmp_path / file.name)
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path))
    assert models.measure_folder() == tmp_path
    assert EmbeddedMeasurement().observe(np.zeros((8, 8, 3), np.uint8), 8, 8) == []


def test_importing_the_package_loads_nothing_heavy():
    code = "import sys, fluxcap.measure; print(sorted({'numpy', 'cv2', 'ai_edge_litert', 'PIL'} & set(sys.modules)))"
    source = str(Path(models.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": source}
    )
    assert done.stdout.strip() == "[]"
