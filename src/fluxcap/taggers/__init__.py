"""Taggers: models that score a picture against a fixed list of tags. They know nothing of traits or captions.

``open_tagger(find_tagger("wd-vit"))`` gives a :class:`Tagger`. Importing this package loads nothing heavy.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.taggers.fake import Fake
from fluxcap.taggers.known import find_tagger, unavailable
from fluxcap.taggers.types import CHARACTER_FLOOR, GENERAL_FLOOR, Tagged, Tagger

if TYPE_CHECKING:
    from fluxcap.taggers.wd import WdTagger

__all__ = [
    "CHARACTER_FLOOR",
    "GENERAL_FLOOR",
    "Fake",
    "Tagged",
    "Tagger",
    "find_tagger",
    "open_tagger",
    "unavailable",
]


def open_tagger(folder: Path, *, provider: str = "auto", int8: bool = False, batch_size: int | None = None) -> WdTagger:
    """The tagger whose ``model.onnx`` and ``selected_tags.csv`` lie in ``folder``, checked and ready to run.

    ``provider`` is auto, cpu, cuda, directml or coreml; ``int8`` takes the smaller copy that ``quantize`` made. Raises
    ``FluxcapError`` for files that do not fit or a missing onnxruntime, ``UsageError`` for a provider that is not there.
    """
    from fluxcap.taggers.wd import WdTagger

    return WdTagger(folder, provider=provider, int8=int8, batch_size=batch_size)
