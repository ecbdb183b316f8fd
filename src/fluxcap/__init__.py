"""Captions for FLUX LoRA training: which traits of a picture to say, which to leave to the trigger word.

The names in ``__all__`` are the public interface. They are loaded on first use, so that ``import fluxcap`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fluxcap.actions import compose as compose_caption
    from fluxcap.actions import coverage as coverage_of
    from fluxcap.actions import demo, dump, explain, history, init, queue, release, undo
    from fluxcap.errors import FluxcapError
    from fluxcap.exporting import export as export_folder
    from fluxcap.exporting.advice import advice
    from fluxcap.pipeline import caption, plan
    from fluxcap.pipeline import check as check_folder

__version__ = "0.1.0"

__all__ = [
    "FluxcapError",
    "__version__",
    "advice",
    "caption",
    "check_folder",
    "compose_caption",
    "coverage_of",
    "demo",
    "dump",
    "explain",
    "export_folder",
    "history",
    "init",
    "plan",
    "queue",
    "release",
    "undo",
]

_WHERE = {
    "FluxcapError": "fluxcap.errors:FluxcapError",
    "advice": "fluxcap.exporting.advice:advice",
    "caption": "fluxcap.pipeline:caption",
    "check_folder": "fluxcap.pipeline:check",  # fluxcap.check and fluxcap.compose are the stages' modules
    "compose_caption": "fluxcap.actions:compose",
    "coverage_of": "fluxcap.actions:coverage",
    "demo": "fluxcap.actions:demo",
    "dump": "fluxcap.actions:dump",
    "explain": "fluxcap.actions:explain",
    "export_folder": "fluxcap.exporting:export",
    "history": "fluxcap.actions:history",
    "init": "fluxcap.actions:init",
    "plan": "fluxcap.pipeline:plan",
    "queue": "fluxcap.actions:queue",
    "release": "fluxcap.actions:release",
    "undo": "fluxcap.actions:undo",
}
"""Public name -> ``module:object``."""


def __getattr__(name: str) -> Any:
    """Loads a public name when it is first asked for (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, _, attribute = _WHERE[name].partition(":")
    value = getattr(import_module(module), attribute)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """What ``dir(fluxcap)`` shows: the public names too, loaded or not."""
    return sorted({*globals(), *_WHERE})
