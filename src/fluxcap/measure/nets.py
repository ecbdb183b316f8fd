"""The interpreters of the measuring models: one set per thread, opened on first use."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluxcap import models
from fluxcap.errors import FluxcapError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def missing_models() -> list[str]:
    """Names of the model files that are absent or damaged everywhere; empty when measuring can start."""
    return min((models.missing(folder, thorough=True) for folder in models.folders()), key=len)


def models_folder() -> Path:
    """The folder with all model files; a told error where there is none."""
    found = models.measure_folder()
    if found is None:
        names = ", ".join(missing_models())
        raise FluxcapError(f"model files for measuring are missing: {names}", "fluxcap models pull measure")
    return found


@contextmanager
def _first_words() -> Iterator[None]:
    """Keep one line of information, which the runtime writes to stderr once in a process, from the person.

    It has no setting for that. Only the first start is wrapped, so that the program's own words are not held back later.
    """
    with _lock:
        try:
            kept = None if _spoken else os.dup(2)
        except OSError:  # no stderr at all
            kept = None
        if kept is None:
            yield
            return
        _spoken.append(True)
        silence = os.open(os.devnull, os.O_WRONLY)
        try:
            os.dup2(silence, 2)
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            os.close(silence)


_lock = threading.Lock()
_spoken: list[bool] = []


class Nets:
    """The interpreters of one thread, opened on first use. One thread each: the pool above does the scaling."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, Any] = {}

    def run(self, name: str, image: NDArray[np.float32], *outputs: int) -> list[NDArray[np.float32]]:
        """Put ``image`` (HWC float32, the net's own size and range) through the net; the asked outputs, flat, in order."""
        import numpy as np

        if name not in self._open:
            self._open[name] = self._start(name)
        interpreter, source, sinks = self._open[name]
        interpreter.set_tensor(source, image[np.newaxis])
        interpreter.invoke()
        return [interpreter.get_tensor(sinks[index])[0] for index in outputs]

    def _start(self, name: str) -> tuple[Any, int, list[int]]:
        try:
            from ai_edge_litert.interpreter import Interpreter
        except ImportError as error:  # a platform without a wheel
            raise FluxcapError("ai-edge-litert cannot be imported", "pip install ai-edge-litert") from error
        with _first_words():
            interpreter = Interpreter(str(self._folder / f"{name}.tflite"), num_threads=1)
            interpreter.allocate_tensors()
        sinks = [detail["index"] for detail in interpreter.get_output_details()]
        return interpreter, interpreter.get_input_details()[0]["index"], sinks
