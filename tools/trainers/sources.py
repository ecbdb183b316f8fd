"""Checkouts of trainers: which trainer a folder holds, and at which commit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

LANDMARKS = {
    "ai-toolkit": ("toolkit/config_modules.py", "jobs/BaseJob.py"),
    "kohya": ("flux_train_network.py", "library/config_util.py"),
    "musubi": ("src/musubi_tuner/flux_2_train_network.py",),
    "onetrainer": ("modules/util/config/TrainConfig.py",),
    "simpletuner": ("simpletuner/helpers/data_backend",),
    "diffusion-pipe": ("train.py", "utils/dataset.py", "models/flux.py"),
    "diffusers": ("examples/dreambooth/train_dreambooth_lora_flux.py", "src/diffusers"),
    "fluxgym": ("app.py", "models.yaml"),
}
"""fluxcap's name of a trainer -> files that only its checkout has."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A checkout; ``commit`` is '' where it does not tell."""

    trainer: str
    folder: Path
    commit: str


def find(folders: Iterable[Path]) -> dict[str, Source]:
    """The trainers whose checkouts these folders are or hold, in the order of ``LANDMARKS``; the first of two counts."""
    found: dict[str, Source] = {}
    for folder in (one.resolve() for one in folders):
        for place in (folder, *sorted(path for path in folder.iterdir() if path.is_dir())):
            trainer = recognised(place)
            if trainer and trainer not in found:
                found[trainer] = Source(trainer=trainer, folder=place, commit=commit(place))
    return {name: found[name] for name in LANDMARKS if name in found}


def recognised(folder: Path) -> str:
    """The trainer whose checkout this is; '' where it is none."""
    return next((name for name, marks in LANDMARKS.items() if all((folder / mark).exists() for mark in marks)), "")


def commit(folder: Path) -> str:
    """The commit of a checkout, or what the file COMMIT in a bare copy says."""
    if (folder / "COMMIT").is_file():
        return (folder / "COMMIT").read_text(encoding="utf-8").strip()
    if not (folder / ".git").exists():
        return ""
    done = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def python_of(source: Source, given: Sequence[str] = ()) -> Path:
    """The trainer's own Python: the one given ('ai-toolkit=/venv/bin/python'), else that of venv/ in its checkout, else this one."""
    named = {name: path for name, _, path in (word.partition("=") for word in given)}
    if source.trainer in named:
        return Path(named[source.trainer]).absolute()
    inside = ("bin/python", "Scripts/python.exe")
    places = [source.folder / venv / path for venv in ("venv", ".venv") for path in inside]
    return next((path for path in places if path.exists()), Path(sys.executable))
