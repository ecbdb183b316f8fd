"""OneTrainer: ``TrainConfig.from_dict``, which never refuses; what a round trip loses or changes was passed over."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = ("torch", "diffusers", "transformers", "accelerate", "mgds", "PIL", "numpy", "huggingface_hub", "safetensors", "tqdm", "tensorboard")


def load(source: Path) -> Any:
    sys.path.insert(0, str(source))
    from modules.util.config.TrainConfig import TrainConfig

    return SimpleNamespace(TrainConfig=TrainConfig)


def judge(code: Any, job: Job) -> Found:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config-path")  # as in modules/util/args/TrainArgs.py
    path = parser.parse_args(job.arguments()[1]).config_path
    given = json.loads(Path(path).read_text(encoding="utf-8"))
    config = code.TrainConfig.default_values().from_dict(given)
    found = Found(ran=["TrainConfig.from_dict and to_dict"])
    found.passed_over = list(lost(given, config.to_dict()))
    if config.output_model_destination != given["output_model_destination"]:
        found.passed_over.append("output_model_destination")
    return found


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
            yield from lost(value, back[place] if isinstance(back, list) and place < len(back) else None, f"{path}{place}.")
    elif given != back:
        yield f"{path.rstrip('.')}: {given!r} became {back!r}"
