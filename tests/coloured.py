"""Pictures of one plain colour each, so that a fake source can tell by the colour what it is to see in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from PIL import Image

WORDS = {"trigger": "ohwx", "subject": "woman"}
COLOURS = {
    "red": (220, 0, 0),
    "green": (0, 220, 0),
    "blue": (0, 0, 220),
    "grey": (90, 90, 90),
    "white": (250, 250, 250),
}


def nearest(colour: Sequence[float]) -> str:
    """The name of the colour that an RGB value comes nearest to."""
    return min(COLOURS, key=lambda name: sum(abs(a - b) for a, b in zip(COLOURS[name], colour, strict=True)))


def draw(folder: Path, *names: str) -> Path:
    """A picture of each colour ('red', 'red2')."""
    folder.mkdir(exist_ok=True)
    for name in names:
        colour = name.rstrip("0123456789")
        size = 64 + int(name.removeprefix(colour) or 0)
        Image.new("RGB", (size, 64), COLOURS[colour]).save(folder / f"{name}.png")
    return folder


def text(folder: Path, name: str) -> str:
    """The caption file of a picture."""
    return (folder / f"{name}.txt").read_text(encoding="utf-8")


def without_models(monkeypatch: pytest.MonkeyPatch, nowhere: Path) -> None:
    """Nothing is measured, and no tagger of this machine is found."""
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (None, ()))
    monkeypatch.setenv("FLUXCAP_MODELS", str(nowhere))
    monkeypatch.setattr("platformdirs.user_data_path", lambda _name: nowhere)
