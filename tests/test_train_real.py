"""diffusers' own script, started by fluxcap on a tiny random FLUX on the processor: stopped, taken up again, read.

FLUXCAP_TRAINERS names a folder with a checkout of diffusers; FLUXCAP_TRAINERS_PYTHON a Python with torch, transformers,
accelerate, peft, datasets, torchvision and tensorboard, else that of a venv beside the checkout. Takes some minutes.
"""

from __future__ import annotations

import math
import os
import subprocess
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fluxcap import pipeline, training
from fluxcap.errors import UsageError
from fluxcap.training.environment import find_python
from fluxcap.types import Claim

SCRIPTS = Path(os.environ.get("FLUXCAP_TRAINERS", "nowhere")).absolute() / "diffusers" / "examples" / "dreambooth"
NAMED = os.environ.get("FLUXCAP_TRAINERS_PYTHON")
STEPS, EVERY = 400, 50

# bitsandbytes needs a graphics card: AdamW in its place. All else is what people run.
STAND_IN = """
import torch
class optim:
    AdamW8bit = torch.optim.AdamW
class nn:
    class Linear8bitLt(torch.nn.Module): ...
"""


def trainers_python() -> Path:
    try:
        return find_python(SCRIPTS, Path(NAMED) if NAMED else None)
    except UsageError as error:
        pytest.skip(f"no Python for diffusers: {error}")


@pytest.mark.slow
@pytest.mark.skipif(not SCRIPTS.is_dir(), reason="FLUXCAP_TRAINERS names no folder with a checkout of diffusers")
def test_diffusers_is_started_shown_stopped_and_taken_up_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = trainers_python()
    subprocess.run(
        [python, Path(__file__).with_name("tiny_flux.py"), tmp_path / "tiny"], check=True, capture_output=True
    )
    (tmp_path / "stand-ins").mkdir()
    (tmp_path / "stand-ins" / "bitsandbytes.py").write_text(STAND_IN, encoding="utf-8")
    code = os.pathsep.join([str(tmp_path / "stand-ins"), str(SCRIPTS.parents[1] / "src")])
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([code, os.environ.get("PYTHONPATH", "")]))
    begun = begin(photos(tmp_path, monkeypatch), tmp_path, python)
    out = tmp_path / "out"

    # until the first checkpoint, then as by Ctrl-C
    asked, looks = False, []
    for look in training.Watch(out).looks(every=0.2):
        looks.append(look)
        if not asked and any(one.step == EVERY for one in look.checkpoints):
            asked = training.stop(out)
    end = training.ending(out)
    assert end is not None
    assert end.status == "stopped", end.log.read_text(encoding="utf-8")[-3000:]
    assert "KeyboardInterrupt" in end.log.read_text(encoding="utf-8")
    assert [one.step for one in end.run.checkpoints][:1] == [EVERY]
    assert any(look.progress and look.progress.steps == STEPS and look.progress.rate for look in looks)
    stopped = end.progress
    assert stopped is not None
    assert EVERY <= stopped.step < STEPS

    time.sleep(1)  # the next log has a name of its own by the second
    begun = begin(tmp_path / "photos", tmp_path, python, resume=True)
    assert begun.job is not None
    last = list(training.Watch(out).looks(every=0.2))[-1]
    end = training.ending(out)
    assert end is not None
    assert end.status == "done", end.log.read_text(encoding="utf-8")[-3000:]
    assert last.progress is not None
    assert last.progress.step >= STEPS
    assert f"Resuming from checkpoint checkpoint-{stopped.step // EVERY * EVERY}" in end.log.read_text(encoding="utf-8")
    *saved, final = end.run.checkpoints
    assert [(one.step, one.final) for one in saved] == [(step, False) for step in range(EVERY, STEPS + 1, EVERY)]
    over = final.step
    assert over is not None
    assert STEPS <= over <= STEPS + 2  # taken up again, the script trains a step in each epoch that is left at its end
    assert final.final
    assert [one.step for one in end.run.losses] == list(range(1, over + 1))
    assert all(math.isfinite(one.value) and one.value > 0 for one in end.run.losses)


def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    class Measured:
        name, version = "fake", "1"

        def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
            return [Claim(slot="framing", value="close-up", confidence=0.9)]

    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (Measured(), ()))
    folder = tmp_path / "photos"
    folder.mkdir()
    random = np.random.default_rng(0)
    for number in range(30):
        Image.fromarray(random.integers(0, 255, (64, 64, 3), np.uint8)).save(folder / f"{number}.png")
    pipeline.caption(folder, {"trigger": "ohwx", "subject": "woman"})
    return folder


def begin(folder: Path, tmp_path: Path, python: Path, *, resume: bool = False) -> training.Begun:
    begun = training.begin(
        folder,
        tmp_path / "out",
        trainer="diffusers",
        home=SCRIPTS,
        python=python,
        resume=resume,
        extra=(
            f"--pretrained_model_name_or_path={tmp_path / 'tiny'}",
            "--mixed_precision=no",
            "--resolution=64",
            "--max_sequence_length=64",
            f"--max_train_steps={STEPS}",
            f"--checkpointing_steps={EVERY}",
        ),
    )
    assert begun.job is not None, begun.exported.issues
    return begun
