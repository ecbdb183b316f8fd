"""Taggers of the WD v3 family, and any model with the same files, input and output."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fluxcap.errors import FluxcapError
from fluxcap.taggers import files
from fluxcap.taggers.known import INT8_MODEL, MODEL, TAGS
from fluxcap.taggers.labels import read_labels
from fluxcap.taggers.session import CPU_BATCH, GPU_BATCH, mismatch, one_line, open_model
from fluxcap.taggers.types import Tagged

PREPARING = 1
"""Raised whenever ``prepare`` gives other pixels."""

WHITE = 255


class WdTagger:
    """One opened tagger; see :func:`fluxcap.taggers.open_tagger`. Serves any number of threads."""

    name = "wd"

    def __init__(
        self, folder: Path, *, provider: str = "auto", int8: bool = False, batch_size: int | None = None
    ) -> None:
        self.path = folder / (INT8_MODEL if int8 else MODEL)
        if int8 and not self.path.is_file():
            raise FluxcapError(f"there is no {INT8_MODEL} in {folder}", f"run: fluxcap models quantize {folder}")
        self._labels = read_labels(folder / TAGS)
        parts = (files.digest(folder / TAGS), files.digest(self.path), str(int8), str(PREPARING))
        self.version = hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]
        self._model = open_model(self.path, provider, len(self._labels.names))
        self.provider = self._model.provider
        self.notices = self._model.notices
        self.batch_size = batch_size or (CPU_BATCH if self.provider == "CPU" else GPU_BATCH)
        if self._model.single:
            self.batch_size = 1
        self.side = self._model.side
        self.long_side = 3 * self.side // 2  # whole steps end between this and twice as much: enough for bicubic
        if not files.probed(folder, self.version):
            self._try_out()
            files.keep_probed(folder, self.version)

    def prepare(self, rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Padded with white to a square, reduced (or enlarged) bicubically: side x side x 3, BGR, float32 from 0 to 255."""
        height, width = rgb.shape[:2]
        longest = max(height, width)
        odd = ((longest - width) % 2, (longest - height) % 2) if longest != self.side else (0, 0)
        square = Image.new("RGB", (longest + odd[0], longest + odd[1]), (WHITE,) * 3)
        square.paste(Image.fromarray(rgb), ((square.width - width) // 2, (square.height - height) // 2))
        if longest != self.side:
            # half a pixel less on either side keeps the middle of a reduced picture where it was
            box = (odd[0] / 2, odd[1] / 2, longest + odd[0] / 2, longest + odd[1] / 2)
            square = square.resize((self.side, self.side), Image.Resampling.BICUBIC, box=box)
        return np.asarray(square)[:, :, ::-1].astype(np.float32, order="C")

    def tag(self, inputs: Sequence[NDArray[np.float32]]) -> list[Tagged]:
        """The tags of prepared pictures, in their order; one call of the model per ``batch_size`` of them."""
        return [self._labels.read(row) for row in self.scores(inputs)]

    def scores(self, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        """Pictures x tags: a score from 0 to 1 for each line of the list."""
        step = self.batch_size
        return np.concatenate([self._run(inputs[i : i + step]) for i in range(0, len(inputs), step)] or [self._none()])

    def _none(self) -> NDArray[np.float32]:
        return np.zeros((0, len(self._labels.names)), np.float32)

    def _run(self, inputs: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        try:
            (scores,) = self._model.session.run([self._model.output_name], {self._model.input_name: np.stack(inputs)})
        except Exception as error:  # onnxruntime raises a class of its own per kind of trouble
            if len(inputs) > 1:  # most likely out of memory: half as many from now on
                self.batch_size = min(self.batch_size, (len(inputs) + 1) // 2)
                return self.scores(inputs)
            hint = "" if self.provider == "CPU" else "run the tagger on cpu"
            raise FluxcapError(f"{self.path} fails on {self.provider}: {one_line(error)}", hint) from error
        if scores.shape != (len(inputs), len(self._labels.names)):
            raise mismatch(self.path, str(list(scores.shape)), len(self._labels.names))
        if not np.isfinite(scores).all():
            raise FluxcapError(f"{self.path} gives scores that are no numbers on {self.provider}", "run it on cpu")
        return np.asarray(scores, np.float32)

    def _try_out(self) -> None:
        """Refuse a model whose outputs are not scores, on a white picture, before any real one is read."""
        scores = self._run([np.full((self.side, self.side, 3), WHITE, np.float32)])
        low, high = float(scores.min()), float(scores.max())
        if low < 0 or high > 1:
            raise FluxcapError(
                f"{self.path} gives values from {low:.2f} to {high:.2f}; scores lie between 0 and 1",
                "use the export with the sigmoid inside (these are logits)",
            )
