"""Opening a model in onnxruntime: on what it runs, and whether its input and output are a tagger's."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.taggers.known import GET_RUNTIME, RUNTIME, mend

PROVIDERS = {
    "CUDA": "CUDAExecutionProvider",
    "DirectML": "DmlExecutionProvider",
    "CoreML": "CoreMLExecutionProvider",
    "CPU": "CPUExecutionProvider",
}
"""Name -> onnxruntime's, in the order in which ``auto`` takes them."""

GPU_BATCH = 16
CPU_BATCH = 1
"""On a CPU a batch is slower per picture than one at a time, and takes more memory."""

QUIET = 3
"""onnxruntime's log level: errors only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model that runs. ``side`` is its input's, in pixels; ``single`` where it takes one picture at a time only."""

    session: Any
    provider: str
    notices: tuple[str, ...]
    input_name: str
    output_name: str
    side: int
    single: bool


def runtime() -> Any:
    """The onnxruntime package; raises ``FluxcapError`` where it is missing or does not load."""
    if find_spec(RUNTIME) is None:
        raise FluxcapError("tagging needs onnxruntime, which is not installed", f"run: {GET_RUNTIME}")
    try:
        import onnxruntime
    except Exception as error:  # a build for another machine fails in its own ways
        raise FluxcapError(f"onnxruntime does not load ({one_line(error)})", f"run: {GET_RUNTIME}") from error
    return onnxruntime


def open_model(path: Path, provider: str, tags: int) -> Opened:
    """The model in ``path``, which has to give ``tags`` scores per picture, on ``provider`` (a name or auto).

    Raises ``FluxcapError`` for a model that does not fit, ``UsageError`` for a provider that is not there.
    """
    package = runtime()
    wanted = _wanted(provider, package.get_available_providers())
    session, trouble = _session(package, path, wanted)
    runs_on = _name_of(session.get_providers())
    notices = []
    if runs_on != wanted:
        why = trouble or "its libraries are missing or of another version"
        notices.append(f"the tagger was asked for {wanted}, runs on {runs_on}: {why}")
    elif wanted == "CPU" and provider.lower() == "auto" and shutil.which("nvidia-smi"):
        notices.append(
            "the tagger runs on CPU although there is an NVIDIA card: pip uninstall onnxruntime,"
            ' then pip install "fluxcap[tagger-cuda]"'
        )
    name, side, single = _input(path, session.get_inputs())
    return Opened(
        session=session,
        provider=runs_on,
        notices=tuple(notices),
        input_name=name,
        output_name=_output(path, session.get_outputs(), tags),
        side=side,
        single=single,
    )


def _wanted(provider: str, available: list[str]) -> str:
    here = [name for name, long in PROVIDERS.items() if long in available]
    if provider.lower() == "auto":
        return here[0] if here else "CPU"
    for name in here:
        if name.lower() == provider.lower():
            return name
    raise UsageError(f"onnxruntime cannot run on {provider!r} here", f"it can on: auto, {', '.join(here).lower()}")


def _session(package: Any, path: Path, wanted: str) -> tuple[Any, str]:
    """The session, and why it does not run where it was to, if onnxruntime says so."""
    trouble = ""
    for provider in dict.fromkeys((wanted, "CPU")):
        options = package.SessionOptions()
        options.log_severity_level = QUIET
        options.intra_op_num_threads = cores()
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # saves CPU time, costs no wall time
        if provider == "DirectML":
            options.enable_mem_pattern = False  # DirectML demands it
        package.set_default_logger_severity(
            QUIET + 1
        )  # a GPU library that is missing becomes one notice, not ten lines
        try:
            longs = list(dict.fromkeys((PROVIDERS[provider], PROVIDERS["CPU"])))
            # no fall-back of onnxruntime's own, which prints to standard output
            return package.InferenceSession(str(path), options, providers=longs, enable_fallback=0), trouble
        except Exception as error:  # onnxruntime raises a class of its own per kind of trouble
            trouble = one_line(error)
        finally:
            package.set_default_logger_severity(QUIET)
    raise FluxcapError(f"{path} is not a model that onnxruntime can run ({trouble})", mend(path.parent))


def _name_of(longs: list[str]) -> str:
    return next((name for name, long in PROVIDERS.items() if longs and long == longs[0]), "CPU")


def _input(path: Path, inputs: list[Any]) -> tuple[str, int, bool]:
    """Name, side in pixels, and whether it takes only one picture at a time."""
    found = ", ".join(f"{one.type} {list(one.shape)}" for one in inputs)
    if len(inputs) == 1 and inputs[0].type == "tensor(float)" and len(inputs[0].shape) == 4:
        batch, height, width, channels = inputs[0].shape
        square = isinstance(height, int) and height == width and height > 0
        if square and channels == 3 and (batch == 1 or not isinstance(batch, int)):
            return inputs[0].name, height, batch == 1
    raise FluxcapError(
        f"{path} takes {found}; a tagger's input is tensor(float) [N, side, side, 3], N free or 1, the side a number",
        "use a model of the WD v3 family",
    )


def _output(path: Path, outputs: list[Any], tags: int) -> str:
    """The output with a score for each tag. A width that the model does not state is compared when it is tried out."""
    widths = [one.shape[-1] if len(one.shape) == 2 else None for one in outputs]
    for one, width in zip(outputs, widths, strict=True):
        if width == tags or (len(outputs) == 1 and len(one.shape) == 2 and not isinstance(width, int)):
            return str(one.name)
    raise mismatch(path, ", ".join(str(list(one.shape)) for one in outputs), tags)


def mismatch(path: Path, found: str, tags: int) -> FluxcapError:
    """Model and list of tags do not belong together."""
    return FluxcapError(f"{path} gives {found} scores, but its list names {tags} tags", mend(path.parent))


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_line(error: Exception) -> str:
    """What an exception says, on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
