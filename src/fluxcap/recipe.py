"""How long and how strongly to train: from the number of pictures, the preset and the settings to a recipe. Pure.

The numbers, and where each comes from, are in ``data/recipes.toml``. P21 and P22 are two ways to a number of steps that
contradict each other for most sets; both are worked out, and the person chooses.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from fluxcap.errors import UsageError
from fluxcap.project import RecipeSettings
from fluxcap.types import Recipe

BYTES = 2
"""Of one number of a LoRA as all trainers here are told to save it (bf16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What one way to a number of steps means for a set: from ``low`` to ``high`` steps, and passes over each picture."""

    name: str
    low: int
    high: int
    passes: tuple[float, float]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """A size of LoRA that the field uses: dim and alpha, what speaks for it, and who uses it."""

    dim: int
    alpha: int
    about: str
    source: str


@lru_cache(maxsize=1)
def table() -> Mapping[str, Any]:
    """``data/recipes.toml``."""
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "recipes.toml").read_text(encoding="utf-8"))


def recipe(images: int, preset: str, chosen: RecipeSettings | None = None) -> Recipe:
    """The recipe for a set of so many pictures; ``chosen`` beats the data, ``steps`` beats every length.

    Raises ``UsageError`` for a set without a picture.
    """
    if images < 1:
        raise UsageError("there are no pictures to train on", "take some into the folder, then: fluxcap caption DIR")
    chosen = chosen or RecipeSettings()
    data = table()
    usual = data["presets"][preset]
    length = "steps" if chosen.steps else chosen.length or ("passes" if chosen.passes else usual["length"])
    passes = chosen.passes or usual["passes"]
    batch = int(data["batch"]["value"])
    steps = {
        "steps": chosen.steps or 0,
        "sweet-spot": data["lengths"]["sweet-spot"]["steps"],
        "repeats": math.ceil(images * data["lengths"]["repeats"]["passes"] / batch),
        "passes": math.ceil(images * passes / batch),
    }[length]
    dim = chosen.dim or int(next(iter(data["dims"])))
    save_every = chosen.save_every or data["save"]["every"]
    known = data["dims"].get(str(dim))
    return Recipe(
        images=images,
        length=length,
        steps=steps,
        dim=dim,
        alpha=chosen.alpha or (known["alpha"] if known else dim),
        learning_rate=chosen.learning_rate or data["learning_rate"]["value"],
        batch=batch,
        resolutions=tuple(sorted(set(chosen.resolutions or data["resolutions"]["value"]))),
        save_every=save_every,
        save_first=min(data["save"]["first"], steps),
        seed=data["seed"]["value"] if chosen.seed is None else chosen.seed,
        caption_dropout=data["caption_dropout"]["value"],
    )


def ways(images: int) -> tuple[Way, ...]:
    """What P21 (repeats) and P22 (sweet spot) each mean for a set of so many pictures."""
    lengths = table()["lengths"]
    repeats, spot = lengths["repeats"], lengths["sweet-spot"]
    return (
        Way(
            name="repeats",
            low=repeats["low"] * images,
            high=repeats["high"] * images,
            passes=(float(repeats["low"]), float(repeats["high"])),
            source=repeats["source"],
        ),
        Way(
            name="sweet-spot",
            low=spot["low"],
            high=spot["high"],
            passes=(spot["low"] / images, spot["high"] / images),
            source=spot["source"],
        ),
    )


def disagreement(images: int) -> str:
    """Whether P21 and P22 agree for a set of so many pictures, in words; at 25 they do not."""
    repeats, spot = ways(images)
    if repeats.low <= spot.high and spot.low <= repeats.high:
        return f"For {images} pictures both ways meet."
    times = spot.low / repeats.high if spot.low > repeats.high else repeats.low / spot.high
    longer = "sweet-spot" if spot.low > repeats.high else "repeats"
    return (
        f"The two contradict each other for {images} pictures: {longer} trains {times:.1f} times as long at least. "
        "Checkpoints are kept all the way, so a longer run leaves the choice for afterwards."
    )


def outside(images: int) -> str:
    """A line for a set whose size the sweet spot was not found with; empty for one of that size."""
    low, high = table()["lengths"]["sweet-spot"]["images"]
    if low <= images <= high:
        return ""
    return (
        f"the sweet spot was found with {low} to {high} pictures, here are {images}: "
        '--length passes (or length = "passes" in [recipe]) goes by their number'
    )


def sizes() -> tuple[Size, ...]:
    """The sizes of LoRA that the field uses, the practice's first."""
    return tuple(Size(dim=int(dim), **row) for dim, row in table()["dims"].items())


def lora_bytes(dim: int, params_per_dim: int) -> int:
    """About the bytes of one checkpoint; 0 where the model's size is not known."""
    return dim * params_per_dim * BYTES


def as_trainers_count(made: Recipe) -> Mapping[str, str]:
    """What the recipe's length is called by those who count in repeats or epochs."""
    copies = len(made.resolutions)
    epoch = made.images * copies
    each = (
        f"an epoch is {epoch} steps ({made.images} pictures x {copies} resolutions), so {made.steps / epoch:.1f} epochs"
    )
    once = f"an epoch is {made.images} steps, so {math.ceil(made.steps / made.images)} epochs"
    return {
        "ai-toolkit": f"{made.steps} steps",
        "kohya, musubi, simpletuner, diffusion-pipe": each,
        "onetrainer": f"{once} (each picture at one resolution, by lot)",
        "diffusers": f"{once} (one resolution)",
    }
