"""A tagger without a model, for tests and dry runs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from fluxcap.taggers.types import CHARACTER_FLOOR, GENERAL_FLOOR, Tagged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Scores = Mapping[str, float]
Colour = tuple[float, float, float]


class Fake:
    """Gives each picture the tags that were told: by its mean colour (R, G, B from 0 to 255), or in the order of the calls.

    ``answers`` is a function from the mean colour to tags with scores, or a row of such tags, which begins anew at its end.
    """

    name = "fake"
    provider = "CPU"
    long_side = 64
    notices: tuple[str, ...] = ()

    def __init__(
        self,
        answers: Callable[[Colour], Scores] | Sequence[Scores],
        *,
        characters: frozenset[str] = frozenset(),
        batch_size: int = 1,
        version: str = "",
    ) -> None:
        self._answers = answers
        self._characters = characters
        self._calls = 0
        self.batch_size = batch_size
        self.version = version or hashlib.sha256(repr(answers).encode()).hexdigest()[:12]

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The mean colour, as a picture of one pixel in the models' order (BGR)."""
        import numpy as np

        return np.asarray(rgb.reshape(-1, 3).mean(axis=0)[::-1].reshape(1, 1, 3), np.float32)

    def tag(self, inputs: Sequence[NDArray[np.float32]]) -> list[Tagged]:
        """The told tags with their scores, in order and above the floors as from a model."""
        return [self._one(prepared) for prepared in inputs]

    def _one(self, prepared: NDArray[np.float32]) -> Tagged:
        if callable(self._answers):
            blue, green, red = (float(value) for value in prepared.reshape(3))
            scores = self._answers((red, green, blue))
        else:
            scores = self._answers[self._calls % len(self._answers)]
            self._calls += 1
        ranked = sorted(scores.items(), key=lambda pair: -pair[1])
        return Tagged(
            general=tuple(p for p in ranked if p[0] not in self._characters and p[1] >= GENERAL_FLOOR),
            character=tuple(p for p in ranked if p[0] in self._characters and p[1] >= CHARACTER_FLOOR),
        )
