"""diffusers' scripts: their own ``parse_args``, and their ``DreamBoothDataset`` where ``datasets`` is installed."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = (
    "torch",
    "torchvision",
    "transformers",
    "accelerate",
    "peft",
    "huggingface_hub",
    "tqdm",
    "numpy",
    "PIL",
    "safetensors",
)


def load(source: Path) -> Any:
    sys.path.insert(0, str(source / "src"))
    return SimpleNamespace(folder=source / "examples/dreambooth", scripts={})


def script(code: Any, name: str) -> Any:
    """The whole script as a module, once."""
    if name not in code.scripts:
        spec = importlib.util.spec_from_file_location(name.removesuffix(".py"), code.folder / name)
        code.scripts[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(code.scripts[name])
    return code.scripts[name]


def judge(code: Any, job: Job) -> Found:
    name, words = job.arguments()
    module = script(code, name)
    args = module.parse_args(words)
    found = Found(ran=[f"{name}: parse_args"])
    if importlib.util.find_spec("datasets") is None or importlib.util.find_spec("torch") is None:
        return found
    import torch  # noqa: F401 - the datasets below are made of it

    module.args = args  # the script's dataset looks there
    known = {
        "instance_data_root": args.instance_data_dir, "instance_prompt": args.instance_prompt, "class_prompt": args.class_prompt,
        "size": args.resolution, "repeats": args.repeats, "center_crop": args.center_crop, "args": args,
        "use_aspect_ratio_buckets": getattr(args, "use_aspect_ratio_buckets", False),
        "bucket_base_resolutions": getattr(module, "PREFERRED_KONTEXT_RESOLUTIONS", None) if "kontext" in name else None,
    }  # fmt: skip
    takes = inspect.signature(module.DreamBoothDataset.__init__).parameters
    dataset = module.DreamBoothDataset(**{key: value for key, value in known.items() if key in takes})
    names = [line["file_name"] for line in rows(job.dataset)]
    found.captions = dict(zip(names, dataset.custom_instance_prompts, strict=True))
    dataset[0]
    found.ran.append("DreamBoothDataset (pictures and captions)")
    return found


def rows(folder: Path) -> list[dict[str, str]]:
    import json

    text = (folder / "metadata.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]
