"""Captions for FLUX LoRA training: which traits of a picture to say, which to leave to the trigger word.

The names in ``__all__`` are the public interface. They are loaded on first use, so that ``import fluxcap`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_WHERE: dict[str, str] = {}
"""Public name -> the module that has it."""

__all__ = ["__version__"]


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first asked for (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_WHERE[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What ``dir(fluxcap)`` shows: the public names too, loaded or not."""
    return sorted({*globals(), *_WHERE})
