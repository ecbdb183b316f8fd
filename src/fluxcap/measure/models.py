"""The model files: what they are (data/models.toml), where they lie, and one set of interpreters per thread."""

from __future__ import annotations

import hashlib
import os
import threading
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fluxcap.errors import FluxcapError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

HINT = "fluxcap models pull measure"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One model file: its name, its path in the wheel it comes from, size in bytes, sha256 in hex."""

    name: str
    path: str
    size: int
    sha256: str


@cache
def model_files() -> tuple[ModelFile, ...]:
    """The files that measuring needs, as ``data/models.toml`` lists them."""
    table = tomllib.loads((resources.files("fluxcap") / "data" / "models.toml").read_text("utf-8"))["measure"]
    return tuple(ModelFile(**entry) for entry in table["file"])


def folders() -> list[Path]:
    """Where model files are looked for, first come first served: ``$FLUXCAP_MODELS``, the package, the user's data folder."""
    import platformdirs

    told = os.environ.get("FLUXCAP_MODELS")
    with resources.as_file(resources.files("fluxcap") / "data" / "models") as packaged:
        return [
            *([Path(told)] if told else []),
            packaged,
            platformdirs.user_data_path("fluxcap") / "models" / "measure",
        ]


def _is_fit(path: Path, model: ModelFile) -> bool:
    try:
        return path.stat().st_size == model.size and hashlib.sha256(path.read_bytes()).hexdigest() == model.sha256
    except OSError:
        return False


def find_models() -> dict[str, Path]:
    """Name -> path of each model file that is there and has the listed size and sha256."""
    found: dict[str, Path] = {}
    for model in model_files():
        for folder in folders():
            if _is_fit(folder / model.name, model):
                found[model.name] = folder / model.name
                break
    return found


def missing_models() -> list[str]:
    """Names of the model files that are absent or are not the ones listed; empty when measuring can start."""
    found = find_models()
    return [model.name for model in model_files() if model.name not in found]


def require_models() -> dict[str, Path]:
    """Name -> path of all model files; a told error when one is missing."""
    found = find_models()
    missing = [model.name for model in model_files() if model.name not in found]
    if missing:
        raise FluxcapError(f"model files for measuring are missing: {', '.join(missing)}", HINT)
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

    def __init__(self, paths: dict[str, Path]) -> None:
        self._paths = paths
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
            interpreter = Interpreter(str(self._paths[f"{name}.tflite"]), num_threads=1)
            interpreter.allocate_tensors()
        sinks = [detail["index"] for detail in interpreter.get_output_details()]
        return interpreter, interpreter.get_input_details()[0]["index"], sinks
