"""What every tagger gives, and what it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GENERAL_FLOOR = 0.2
"""General tags of a lower score are not told."""

CHARACTER_FLOOR = 0.5
"""Characters of a lower score are not told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tagged:
    """What a tagger sees in one picture: (tag as in its list, score from 0 to 1), highest score first."""

    general: tuple[tuple[str, float], ...]
    character: tuple[tuple[str, float], ...]


class Tagger(Protocol):
    """One opened tagger. It serves any number of threads; ``prepare`` is the part to run beside the model."""

    name: str
    version: str
    """Another one wherever the same picture may get other tags."""
    provider: str
    """What the model really runs on: CPU, CUDA, DirectML or CoreML."""
    batch_size: int
    """How many pictures to hand to ``tag`` at once."""
    long_side: int
    """Pixels: read pictures with ``images.read(..., long_side=tagger.long_side, exact=False)``, which is quickest and
    leaves the last step of reducing to ``prepare``; any larger picture will do."""
    notices: tuple[str, ...]
    """What the person should know about how it runs, one line each."""

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Height x width x 3, RGB, upright, any size -> the model's input for one picture."""
        ...

    def tag(self, inputs: Sequence[NDArray[np.float32]]) -> list[Tagged]:
        """The tags of prepared pictures, in their order."""
        ...
