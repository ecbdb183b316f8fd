"""A LoRA's file: whether ComfyUI's loader will know its keys. Where none fits, ComfyUI makes a picture all the same, without it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluxcap.comfyui.tables import Loader, Target, tables, target
from fluxcap.errors import FluxcapError

_MOST_HEADER = 100_000_000  # bytes; the safetensors library's own limit
Shapes = Mapping[str, tuple[int, ...]]
"""Key -> shape, of the tensors of a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How many of a LoRA's keys the target's loader knows. ``encoder`` are those of text encoders, which the graph does not load.

    ``width`` is that of the model it was trained for, where the file tells, and it is another one than the target's.
    """

    keys: int
    known: int
    encoder: int = 0
    width: int | None = None

    @property
    def useless(self) -> bool:
        """Whether the LoRA changes nothing, or cannot be put on this model."""
        return not self.known or self.width is not None

    def told(self, name: str, target_id: str) -> str:
        """What there is to say of it, '' where all is well."""
        if self.width is not None:
            wants = target(target_id).width
            return f"{name} is for another model: its layers are {self.width} wide, those of {target_id} {wants}"
        if not self.known:
            of = "are of text encoders" if self.encoder == self.keys else f"belongs to {target_id}"
            said = (
                f"all its {self.keys} keys {of}" if self.encoder == self.keys else f"none of its {self.keys} keys {of}"
            )
            return f"{name} would change nothing: {said}"
        other = self.keys - self.known - self.encoder
        if other:
            return f"{other} of {self.keys} keys of {name} do not belong to {target_id}"
        return (
            f"{self.encoder} of {self.keys} keys of {name} are of text encoders and are not loaded"
            if self.encoder
            else ""
        )


def header(path: Path) -> tuple[Shapes, Mapping[str, str]]:
    """The keys with their shapes and the metadata of a safetensors file, without its tensors.

    Raises ``FluxcapError`` for what is no such file.
    """
    hint = "bring the file again, it may be half downloaded"
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _MOST_HEADER:
                raise FluxcapError(f"{path.name} is no safetensors file", hint)
            text = file.read(length)
            if len(text) < length:
                raise FluxcapError(f"{path.name} is no safetensors file", hint)
            data = json.loads(text)
    except OSError as error:
        raise FluxcapError(f"{path.name} cannot be read: {error.strerror or error}", "check its rights") from error
    except (ValueError, RecursionError) as error:
        raise FluxcapError(f"{path.name} is no safetensors file", hint) from error
    if not isinstance(data, dict):
        raise FluxcapError(f"{path.name} is no safetensors file", hint)
    told = data.pop("__metadata__", None)
    shapes = {
        key: tuple(one for one in entry.get("shape", ()) if isinstance(one, int))
        for key, entry in data.items()
        if isinstance(entry, dict) and isinstance(entry.get("shape", []), list)
    }
    return shapes, {str(k): str(v) for k, v in told.items()} if isinstance(told, dict) else {}


def fit(shapes: Shapes, target_id: str) -> Fit:
    """How a LoRA fits the target, by its keys and by the width of its layers."""
    aim, table = target(target_id), tables().lora
    encoder = sum(key.startswith(table.encoders) for key in shapes)
    known = sum(_is_known(key, aim, table) for key in shapes)
    width = next((w for key, shape in shapes.items() if (w := _width(key, shape, table))), None)
    return Fit(
        keys=len(shapes), known=known, encoder=encoder, width=width if aim.width and width != aim.width else None
    )


def other_model(metadata: Mapping[str, str], target_id: str) -> str:
    """The base model that the metadata name, where it is another family than the target's; '' where they do not tell."""
    said = " ".join(metadata.get(key, "") for key in ("modelspec.architecture", "ss_base_model_version")).lower()
    family = re.search(r"flux[-_. ]?(\d)", f"{said} ".replace("flux1", "flux-1"))
    wanted = target_id[4:5]
    if not said.strip():
        return ""
    if "flux" in said:
        return said.strip() if family and family[1] != wanted else ""
    return said.strip()


def _is_known(key: str, aim: Target, table: Loader) -> bool:
    for one in table.prefixes:
        if not key.startswith(one.prefix):
            continue
        rest = key[len(one.prefix) :]
        names: Sequence[str] = table.own if one.names == "own" else table.diffusers
        for name in names:
            if not rest.startswith((name + one.joined, name + ".")):
                continue
            number = re.match(r"(\d+)[._]", rest[len(name) + 1 :])
            return number is None or _is_there(name, int(number[1]), aim)
    return False


def _is_there(name: str, number: int, aim: Target) -> bool:
    """Whether the model has a block of that number."""
    if not any(aim.blocks) or "block" not in name:
        return True
    return number < aim.blocks["single" in name]


def _width(key: str, shape: Sequence[int], table: Loader) -> int | None:
    if len(shape) != 2 or not key.endswith(table.down):
        return None
    module = key.removesuffix(next(end for end in table.down if key.endswith(end))).rstrip("._")
    return shape[1] if module.endswith(table.width_of) else None
