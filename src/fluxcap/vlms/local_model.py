"""Opening a vision language model in this process: from where, on what it runs, in which number format.

Only weights in safetensors are read (pickled ones can run code), and no code that comes with a model is run.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.vlms.types import Denied, NoVision, UnknownModel

GET_LOCAL = 'pip install "fluxcap[local]"'
NEEDED = ("torch", "transformers")
DEVICES = ("auto", "cuda", "mps", "cpu")
DTYPES = ("auto", "bfloat16", "float16", "float32")
BATCHES = {"cuda": 16, "mps": 4, "cpu": 4}
"""Pictures answered at once, by kind of device; even a CPU answers four in less than half of their single times."""

FILES = ("*.json", "*.jinja", "*.txt", "*.model", "*.safetensors")
"""What is fetched of a model: no code, no pickled weights."""

USE_SAFE = "use a model whose weights are .safetensors files"
USE_VISION = "use a vision model, such as Qwen/Qwen3-VL-4B-Instruct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A model that can answer. ``device`` and ``dtype`` are torch's names; ``notices`` are for the person."""

    model: Any
    processor: Any
    device: str
    card: str
    dtype: str
    batch: int
    notices: tuple[str, ...]


def open_model(name: str, *, device: str = "auto", dtype: str = "auto", batch: int | None = None) -> Opened:
    """The model in the folder ``name``, or of that name on the Hugging Face hub.

    Raises ``UsageError`` for a device or format that is not there, ``UnknownModel`` where there is no such model,
    ``NoVision`` for a model that takes no pictures, ``FluxcapError`` for one that does not load.
    """
    for package in NEEDED:
        if find_spec(package) is None:
            raise FluxcapError(f"a vision model in this process needs {package}, which is not installed", GET_LOCAL)
    if batch is not None and batch < 1:
        raise UsageError(f"a batch of {batch} pictures answers nothing", "use 1 or more")
    runs_on, notices = _device(device)
    numbers = _dtype(dtype, runs_on)
    folder = _folder(name)
    with _quiet():
        processor = _processor(name, folder)
        model = _model(name, folder, runs_on, numbers)
    return Opened(
        model=model,
        processor=processor,
        device=runs_on,
        card=_card(runs_on),
        dtype=numbers,
        batch=batch or BATCHES[runs_on.partition(":")[0]],
        notices=notices,
    )


def one_line(error: BaseException) -> str:
    """What an exception says, on one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """No bars and no warnings of transformers while it loads."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()


def _device(wanted: str) -> tuple[str, tuple[str, ...]]:
    """What the model runs on, and what the person should know about that."""
    import torch

    here = [*(["cuda"] if torch.cuda.is_available() else []), *(["mps"] if torch.backends.mps.is_available() else [])]
    here.append("cpu")
    kind, _, number = wanted.lower().partition(":")
    if kind not in DEVICES or (number and not (kind == "cuda" and number.isdigit())):
        raise UsageError(f"the device {wanted!r} is not known", f"known: {', '.join(DEVICES)}, cuda:1")
    if kind == "auto":
        if here[0] == "cpu" and shutil.which("nvidia-smi"):
            why = (
                "the vision model runs on the CPU although there is an NVIDIA card: torch was built without CUDA"
                if torch.version.cuda is None
                else "the vision model runs on the CPU although there is an NVIDIA card: torch cannot use its driver"
            )
            return "cpu", (f"{why}; install torch for CUDA, as the site of PyTorch tells",)
        return here[0], ()
    if kind not in here or (number and int(number) >= torch.cuda.device_count()):
        raise UsageError(f"torch cannot run on {wanted!r} here", f"it can on: auto, {', '.join(here)}")
    return wanted.lower(), ()


def _dtype(wanted: str, device: str) -> str:
    import torch

    if wanted not in DTYPES:
        raise UsageError(f"the number format {wanted!r} is not known", f"known: {', '.join(DTYPES)}")
    if wanted != "auto":
        return wanted
    if device.startswith("cuda"):
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float16"
    return "float16" if device == "mps" else "float32"


def _card(device: str) -> str:
    import torch

    return str(torch.cuda.get_device_name(device)) if device.startswith("cuda") else ""


def _folder(name: str) -> Path:
    """The folder of the model, fetched from the hub where it is not on this machine, and looked at before it is loaded."""
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if folder.is_absolute() or name.startswith(("./", "../")) or "\\" in name:
            raise UnknownModel(f"there is no folder {name}", "name the folder of a model, or its name on the hub")
        folder = _fetched(name)
    # transformers tells little of what is wrong with a folder
    if not (folder / "config.json").is_file():
        raise UnknownModel(f"{name} has no config.json, so it is no model", "name the folder that has config.json")
    if not any(folder.glob("*.safetensors")):
        raise FluxcapError(f"{name} has no weights as .safetensors, the one format that cannot run code", USE_SAFE)
    return folder


def _fetched(name: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError

    try:
        return Path(snapshot_download(name, allow_patterns=list(FILES)))
    except GatedRepoError as error:
        raise Denied(f"the hub wants its terms accepted for {name}", "accept them there, then set HF_TOKEN") from error
    except Exception as error:  # the hub's many kinds, and the network's
        raise UnknownModel(
            f"{name} is neither a folder here nor to be had from the hub ({one_line(error)})", "check the name"
        ) from error


def _processor(name: str, folder: Path) -> Any:
    from transformers import AutoProcessor

    try:
        processor = AutoProcessor.from_pretrained(str(folder), trust_remote_code=False)
    except Exception as error:  # transformers raises what it happens to raise
        raise _trouble(name, error) from error
    if getattr(processor, "image_processor", None) is None:
        raise NoVision(f"{name} takes no pictures", USE_VISION)
    tokenizer = processor.tokenizer
    tokenizer.padding_side = "left"  # the answers have to start in the same column
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return processor


def _model(name: str, folder: Path, device: str, dtype: str) -> Any:
    import torch
    from transformers import AutoModelForImageTextToText

    options: dict[str, Any] = {"trust_remote_code": False, "use_safetensors": True, "dtype": getattr(torch, dtype)}
    if device != "cpu":
        options["device_map"] = {"": device}  # straight to the card, not by way of this machine's memory
    try:
        model = AutoModelForImageTextToText.from_pretrained(str(folder), **options)
    except Exception as error:  # transformers raises what it happens to raise
        raise _trouble(name, error) from error
    return model.eval()


def _trouble(name: str, error: Exception) -> FluxcapError:
    """What transformers says about a model that does not load, as one line with a next step."""
    said = one_line(error)
    lower = str(error).lower()
    if "torchvision" in lower:
        return FluxcapError(f"{name} does not load ({said})", "install the torchvision that belongs to your torch")
    if isinstance(error, ImportError):
        return FluxcapError(f"{name} does not load ({said})", GET_LOCAL)
    if is_memory(error):
        return FluxcapError(f"{name} does not fit into the memory", "use a smaller model, or dtype bfloat16")
    if "trust_remote_code" in lower or "contains custom code" in lower:
        return FluxcapError(f"{name} needs code of its own, which fluxcap does not run", "use a model of transformers")
    if "does not recognize this architecture" in lower:
        return FluxcapError(f"{name} is of a kind that this transformers does not know", "pip install -U transformers")
    if "unrecognized configuration class" in lower:
        return NoVision(f"{name} is not a model that reads pictures and writes text", USE_VISION)
    return FluxcapError(f"{name} does not load ({said})", "download it again, or use another model")


def is_memory(error: BaseException) -> bool:
    """Whether the memory of the device, or of this machine, was too small."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # the latter is torch's
        return True
    return isinstance(error, RuntimeError) and ("out of memory" in str(error) or "not enough memory" in str(error))
