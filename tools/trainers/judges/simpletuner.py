"""SimpleTuner: ``load_config`` as it does at its start, each data backend's checks, the captions, the prompt library."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = (
    "webshart", "skrample", "torchaudio", "lycoris", "wandb", "optimi", "torchsde", "trainingsample", "boto3", "botocore",
    "sdnq", "torchao", "triton", "deepspeed", "xformers", "bitsandbytes", "colorama", "librosa", "soundfile", "torchmetrics",
    "prodigyopt", "clip_interrogator", "fastapi", "starlette", "sse_starlette", "aiohttp", "dotenv", "ftfy", "sentencepiece",
    "scipy", "peft", "datasets", "diffusers", "accelerate", "transformers", "torchvision", "pandas", "optimum", "imageio", "av",
    "py3langid", "cryptography", "pydantic_settings", "sqlalchemy", "uvicorn", "iopaint", "came_pytorch", "requests", "numba", "atomicwrites", "bs4", "soxr", "loguru", "spacy", "num2words", "hangul_romanize", "pypinyin",
)  # fmt: skip


def load(source: Path) -> Any:
    sys.path.insert(0, str(source))
    sys.argv = ["train.py"]
    from simpletuner.helpers.configuration.loader import load_config
    from simpletuner.helpers.data_backend.config import create_backend_config
    from simpletuner.helpers.data_backend.local import LocalDataBackend
    from simpletuner.helpers.prompts import PromptHandler

    return SimpleNamespace(
        load=load_config, backend=create_backend_config, local=LocalDataBackend, prompts=PromptHandler
    )


def judge(code: Any, job: Job) -> Found:
    os.chdir(job.export)
    args = code.load(exit_on_error=True)
    if args is None:
        raise ValueError("load_config gave nothing")
    found = Found(ran=["load_config", "create_backend_config and validate", "PromptHandler"], captions={})
    backends = json.loads(Path(args.data_backend_config).read_text(encoding="utf-8"))
    for row in backends:
        code.backend(row, vars(args)).validate(vars(args))
        if row["dataset_type"] != "image":
            continue
        local = code.local(accelerator=SimpleNamespace(is_main_process=True), id=row["id"])
        for file in sorted(Path(row["instance_data_dir"]).glob("*.[pj][np]g")):
            found.captions[file.name] = code.prompts.magic_prompt(
                image_path=str(file), use_captions=True, caption_strategy=row["caption_strategy"],
                prepend_instance_prompt=False, data_backend=local, disable_multiline_split=row.get("disable_multiline_split", False),
            )  # fmt: skip
    library = code.prompts.load_user_prompts(args.user_prompt_library)
    if len(library) != len(json.loads(Path(args.user_prompt_library).read_text(encoding="utf-8"))):
        found.passed_over.append("user_prompt_library: not every prompt was read")
    return found
