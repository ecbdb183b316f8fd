"""OneTrainer: ``TrainConfig.from_dict``, which never refuses; what a round trip loses or changes was passed over."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = (
    "torch",
    "diffusers",
    "transformers",
    "accelerate",
    "mgds",
    "PIL",
    "numpy",
    "huggingface_hub",
    "safetensors",
    "tqdm",
    "tensorboard",
)


def load(source: Path) -> Any:
    sys.path.insert(0, str(source))
    reads = all(importlib.util.find_spec(name) for name in ("mgds", "torch"))
    from modules.util import path_util
    from modules.util.args.TrainArgs import TrainArgs
    from modules.util.config.TrainConfig import TrainConfig

    if reads:
        from mgds.pipelineModules.LoadMultipleTexts import LoadMultipleTexts as texts
    else:
        texts = None
    return SimpleNamespace(
        args=TrainArgs, config=TrainConfig, texts=texts, suffixes=path_util.supported_image_extensions
    )


def judge(code: Any, job: Job) -> Found:
    sys.argv = ["train.py", *job.arguments()[1]]
    path = code.args.parse_args().config_path
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    config = code.config.default_values().from_dict(given)
    found = Found(ran=["TrainArgs.parse_args", "TrainConfig.from_dict and to_dict"])
    found.passed_over = list(lost(given, config.to_dict()))
    if code.texts is not None:
        found.captions = dict(captions(code, Path(config.concepts[0].path)))
        found.ran.append("mgds' LoadMultipleTexts (captions)")
    return found


def captions(code: Any, folder: Path) -> Iterator[tuple[str, str]]:
    """By file, as its data loader reads them; several in one file would be alternatives."""

    class Texts(code.texts):
        def _get_previous_item(self, variation: int, name: str, index: int) -> str:
            return str(folder / index)

    reader = Texts(path_in_name="path", texts_out_name="texts")
    for file in sorted(folder.iterdir()):
        if file.suffix.lower() in code.suffixes():
            yield file.name, "\n".join(reader.get_item(0, file.with_suffix(".txt").name)["texts"])


def lost(given: Any, back: Any, path: str = "") -> Iterator[str]:
    """What of a config is not there, or another, after a round trip."""
    if isinstance(given, dict):
        for key, value in given.items():
            if not isinstance(back, dict) or key not in back:
                yield f"{path}{key} is gone"
            else:
                yield from lost(value, back[key], f"{path}{key}.")
    elif isinstance(given, list):
        for place, value in enumerate(given):
            yield from lost(
                value, back[place] if isinstance(back, list) and place < len(back) else None, f"{path}{place}."
            )
    elif given != back:
        yield f"{path.rstrip('.')}: {given!r} became {back!r}"
