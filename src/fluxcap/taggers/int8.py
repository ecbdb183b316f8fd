"""A tagger's smaller, faster copy with weights of 8 bits, for CPUs, and what it costs in tags."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.errors import FluxcapError
from fluxcap.taggers.known import INT8_MODEL, MODEL
from fluxcap.taggers.session import one_line, runtime

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fluxcap.taggers.wd import WdTagger


def quantize(folder: Path) -> Path:
    """Make ``model.int8.onnx`` beside ``model.onnx``; it appears whole or not at all. Raises ``FluxcapError``."""
    runtime()
    if find_spec("onnx") is None:
        raise FluxcapError(
            "making the int8 copy needs onnx, which is not installed", 'run: pip install "fluxcap[int8]"'
        )
    from onnxruntime.quantization import QuantType, quantize_dynamic

    target = folder / INT8_MODEL
    part = folder / f".{INT8_MODEL}.{os.getpid()}.part"
    logging.disable(logging.WARNING)  # it advises steps that do nothing for these models
    try:
        quantize_dynamic(
            folder / MODEL,
            part,
            op_types_to_quantize=["MatMul", "Gemm"],
            per_channel=True,
            reduce_range=True,  # without it older CPUs overflow
            weight_type=QuantType.QInt8,
        )
        part.replace(target)
    except Exception as error:  # onnx and onnxruntime raise many kinds
        raise FluxcapError(
            f"no int8 copy of {folder / MODEL} could be made ({one_line(error)})", "use the tagger without int8"
        ) from error
    finally:
        logging.disable(logging.NOTSET)
        part.unlink(missing_ok=True)
    return target


def compare(folder: Path, rgbs: Sequence[NDArray[np.uint8]], threshold: float = 0.35) -> tuple[float, float]:
    """What int8 changes on these pictures, on the CPU: the share of tags that flip, and the largest difference of a score.

    A tag flips where one model gives it ``threshold`` or more and the other less; the share is of the tags that either
    gives so much.
    """
    import numpy as np

    from fluxcap.taggers.wd import WdTagger

    exact, small = (_scores(WdTagger(folder, provider="cpu", int8=int8), rgbs) for int8 in (False, True))
    above = (exact >= threshold, small >= threshold)
    either = int(np.count_nonzero(above[0] | above[1]))
    flips = int(np.count_nonzero(above[0] ^ above[1]))
    return flips / either if either else 0.0, float(np.abs(exact - small).max(initial=0.0))


def _scores(tagger: WdTagger, rgbs: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
    return tagger.scores([tagger.prepare(rgb) for rgb in rgbs])
