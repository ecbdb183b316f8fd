"""ai-toolkit: ``get_config`` and ``get_job``, which make the real process; its dataset reads pictures and captions."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = ("torchaudio",)


def load(source: Path) -> Any:
    os.chdir(source)
    sys.path.insert(0, str(source))
    from toolkit.config import get_config
    from toolkit.config_modules import DatasetConfig, preprocess_dataset_raw_config
    from toolkit.data_loader import AiToolkitDataset
    from toolkit.job import get_job
    from toolkit.util.get_model import get_model_class

    return SimpleNamespace(
        get_config=get_config,
        get_job=get_job,
        get_model_class=get_model_class,
        dataset=AiToolkitDataset,
        options=DatasetConfig,
        split=preprocess_dataset_raw_config,
    )


def judge(code: Any, job: Job) -> Found:
    config = str(job.export / "ai-toolkit.yaml")
    process = code.get_job(config).process[0]
    model = code.get_model_class(process.model_config)
    empty = model("cpu", process.model_config, dtype="fp32")
    empty.vae = empty.unet = None  # nothing is loaded before load_model
    found = Found(
        ran=["get_config", "get_job (SDTrainer made)", "get_model_class", "AiToolkitDataset", "get_caption"],
        captions={},
    )
    if process.model_config.arch != getattr(model, "arch", process.model_config.arch):
        found.passed_over.append(f"model.arch {process.model_config.arch}: taken for another model")
    raw = code.get_config(config)["config"]["process"][0]["datasets"]
    for options in code.split(raw):
        options = {**options, "cache_latents_to_disk": False}  # that needs the model
        dataset = code.dataset(code.options(**options, trigger_word=process.trigger_word), sd=empty)
        dataset.dataset_config.caption_dropout_rate = 0.0
        for item in dataset.file_list:
            item.load_caption(dataset.caption_dict)
            found.captions[Path(item.path).name] = item.get_caption(trigger=process.trigger_word)
    return found
