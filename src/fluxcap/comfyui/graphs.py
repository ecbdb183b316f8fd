"""A picture to be made -> the graph that ComfyUI is sent (API format). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from fluxcap.comfyui.tables import Placed, Target, Value, tables, target
from fluxcap.comfyui.wording import escape
from fluxcap.errors import UsageError

Api = dict[str, dict[str, Any]]
"""Node id -> class and inputs, as POST /prompt takes it."""

MOST_SEED = 2**64 - 1
_FILES = ("unet", "clip", "t5", "vae")


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What one types: a text for each encoder. ``name`` is short, for file names; models with one encoder read ``t5``."""

    clip: str
    t5: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture to be made. ``files`` goes by role (unet, clip, t5, vae); what is not named is the target's usual one.

    ``lora`` is the file's name as ComfyUI lists it, '' for none; ``guidance``, ``steps``, ``sampler`` and ``scheduler`` None: the target's.
    Width and height are in pixels.
    """

    target: str
    prompt: Prompt
    seed: int = 42
    lora: str = ""
    strength: float = 1.0
    width: int = 1024
    height: int = 1024
    steps: int | None = None
    guidance: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)


def api(picture: Picture, prefix: str = "fluxcap/picture") -> Api:
    """The graph with every hole filled; ``prefix`` names the file on the server, may hold one folder.

    Raises ``UsageError`` for an unknown target, and for numbers that ComfyUI refuses or rounds silently.
    """
    aim = target(picture.target)
    _refuse(picture)
    settings = _settings(picture, aim, prefix)
    found: Api = {}
    for name, node in placed(picture).items():
        inputs = {key: _filled(value, settings, bool(picture.lora)) for key, value in node.inputs.items()}
        found[name] = {"class_type": node.name, "inputs": inputs, "_meta": {"title": _title(name)}}
    return found


def placed(picture: Picture) -> Mapping[str, Placed]:
    """The nodes of the picture's graph; the LoRA's only where there is one."""
    nodes = tables().graph[target(picture.target).graph].nodes
    return {name: node for name, node in nodes.items() if name != "lora" or picture.lora}


def files_of(picture: Picture) -> Mapping[str, str]:
    """Role -> file name, as the graph will have it."""
    aim = target(picture.target)
    usual: Mapping[str, Sequence[str]] = {role: getattr(aim, role) for role in _FILES}
    return {role: picture.files.get(role) or names[0] for role, names in usual.items() if names}


def with_files(picture: Picture, files: Mapping[str, str]) -> Picture:
    """The picture made with these files."""
    return replace(picture, files={**picture.files, **files})


def _settings(picture: Picture, aim: Target, prefix: str) -> Mapping[str, Value]:
    return {
        **files_of(picture),
        "lora": picture.lora,
        "strength": picture.strength,
        "clip_text": escape(picture.prompt.clip),
        "t5_text": escape(picture.prompt.t5),
        "seed": picture.seed,
        "width": picture.width,
        "height": picture.height,
        "steps": picture.steps or aim.steps,
        "guidance": aim.guidance if picture.guidance is None else picture.guidance,
        "sampler": picture.sampler or aim.sampler,
        "scheduler": picture.scheduler or aim.scheduler,
        "prefix": prefix,
    }


def _filled(value: Value, settings: Mapping[str, Value], with_lora: bool) -> Value | list[str | int]:
    if not isinstance(value, str):
        return value
    if value == "@model":
        return ["lora" if with_lora else "unet", 0]
    if value.startswith("@"):
        return [value[1:], 0]
    return settings[value[1:-1]] if value.startswith("{") else value


def _refuse(picture: Picture) -> None:
    for side in (picture.width, picture.height):
        if not 64 <= side <= 16384 or side % 16:
            raise UsageError(f"{side} is no width or height for FLUX", "write a multiple of 16 from 64 on, like 1024")
    if not 0 <= picture.seed <= MOST_SEED:
        raise UsageError(f"{picture.seed} is not a seed", f"write a whole number from 0 to {MOST_SEED}")
    if picture.steps is not None and not 1 <= picture.steps <= 4096:
        raise UsageError(f"{picture.steps} is no number of steps", "write a number from 1 to 4096, like 40")
    if not -100 <= picture.strength <= 100:
        raise UsageError(f"{picture.strength} is no strength of a LoRA", "write a number like 1.0")
    if picture.guidance is not None and not 0 <= picture.guidance <= 100:
        raise UsageError(f"{picture.guidance} is no guidance", "write a number from 0 to 100, like 3.5")


def _title(name: str) -> str:
    return f"fluxcap {name}"
