"""A small set of our own with captions that hold what is hard to hand over, and its export by fluxcap itself."""

from __future__ import annotations

import colorsys
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw

from fluxcap import exporting, pipeline
from fluxcap.exporting import Exported

TRIGGER, CLASS_WORD = "ohwx", "woman"

CAPTIONS = (
    "ohwx woman, a photo of a happy woman with long blonde hair. She is standing in front of a circus. front view, natural lighting",
    'ohwx woman, a photo of a woman. A sign reads "100 % off". She is wearing a black suit, a white shirt and a hat.',
    "ohwx woman, a photo of a woman. She's laughing; it is 5 o'clock (or 6) & she looks at [the] sign #1. close-up",
    "ohwx woman, a photo of a woman in a café. The cup says {a|b} and C:\\temp. upper body, from side, soft lighting",
)
"""Quotes, percent and ampersand, brackets, a wildcard's braces, a backslash, an accent: all must come through."""

SIZES = ((320, 320), (320, 448), (448, 320), (320, 384))


def make_set(folder: Path) -> Path:
    """Pictures of coloured shapes with those captions, and the settings."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (caption, size) in enumerate(zip(CAPTIONS, SIZES, strict=True)):
        red, green, blue = (round(255 * part) for part in colorsys.hsv_to_rgb(number / len(CAPTIONS), 0.6, 0.9))
        picture = Image.new("RGB", size, (red, green, blue))
        ImageDraw.Draw(picture).ellipse((60, 40, size[0] - 60, size[1] - 20), fill=(blue, red, green))
        picture.save(folder / f"picture {number}, seen.png")
        (folder / f"picture {number}, seen.txt").write_text(caption, encoding="utf-8")
    (folder / "fluxcap.toml").write_text(f'trigger = "{TRIGGER}"\nsubject = "{CLASS_WORD}"\n', encoding="utf-8")
    pipeline.caption(folder)  # keeps captions that are there
    return folder


def export_set(
    folder: Path, out: Path, trainer: str, target: str, recipe: Mapping[str, object] | None = None, models: str = ""
) -> Exported:
    """``fluxcap export``; stops where fluxcap itself refuses."""
    settings = {f"recipe.{key}": value for key, value in (recipe or {}).items()}
    done = exporting.export(
        folder, out, trainer=trainer, overrides={"target": target, **settings}, models=models or None
    )
    if done.refused or done.given is None or done.rendered is None:
        raise SystemExit(f"fluxcap refuses the export for {trainer}: {'; '.join(one.message for one in done.issues)}")
    return done
