"""What a LoRA's file tells of itself, without its numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

_LARGEST = 100_000_000
"""Bytes that safetensors allows for a header."""


def metadata(path: Path) -> Mapping[str, str]:
    """The metadata in a safetensors file's header; empty where there is none or the file is not whole."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length)) if length <= _LARGEST else {}
    except (OSError, ValueError, struct.error, RecursionError):
        return {}
    found = header.get("__metadata__") if isinstance(header, dict) else None
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def told_step(path: Path, where: Mapping[str, str]) -> int | None:
    """The step that the file tells; ``where`` names the key, and the key ``inside`` of it where its value is JSON."""
    text = metadata(path).get(where.get("key", ""), "")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if "inside" in where:
        value = value.get(where["inside"]) if isinstance(value, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
