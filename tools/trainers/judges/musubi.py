"""musubi-tuner: the parsers of the three commands, the datasets of each, the sample prompts."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from judges import Found, Job

STAND_INS = ("av", "easydict", "ftfy")


def load(source: Path) -> Any:
    sys.path.insert(0, str(source / "src"))
    from musubi_tuner import (
        cache_latents,
        cache_text_encoder_outputs,
        flux_2_cache_text_encoder_outputs,
        flux_2_train_network,
    )
    from musubi_tuner.dataset import config_utils
    from musubi_tuner.flux_2 import flux2_utils

    return SimpleNamespace(
        config=config_utils, utils=flux2_utils, latents=cache_latents, texts=cache_text_encoder_outputs,
        flux_texts=flux_2_cache_text_encoder_outputs, train=flux_2_train_network,
    )  # fmt: skip


def latents_parser(code: Any) -> argparse.ArgumentParser:
    parser = code.latents.setup_parser_common()
    code.utils.add_model_version_args(parser)
    return parser


def judge(code: Any, job: Job) -> Found:
    parsers = {
        "flux_2_cache_latents": latents_parser(code),
        "flux_2_cache_text_encoder_outputs": code.flux_texts.flux_2_setup_parser(code.texts.setup_parser_common()),
        "flux_2_train_network": code.train.flux2_setup_parser(code.train.setup_parser_common()),
    }
    found = Found(
        ran=["the parsers of all three commands", "ConfigSanitizer", "datasets with buckets", "load_prompts"],
        captions={},
    )
    for script, parser in parsers.items():
        args = parser.parse_args(job.arguments(script)[1])
        version = code.utils.FLUX2_MODEL_INFO[args.model_version]
        made = code.config.BlueprintGenerator(code.config.ConfigSanitizer())
        blueprint = made.generate(
            code.config.load_user_config(args.dataset_config), args, architecture=version.architecture
        )
        group = code.config.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    for dataset in group.datasets:
        for _, batch in dataset.retrieve_latent_cache_batches(1):
            for item in batch:
                found.captions[Path(item.item_key).name] = item.caption
    for prompt in code.train.load_prompts(args.sample_prompts):
        if not {"prompt", "width", "height", "seed", "sample_steps", "guidance_scale"} <= set(prompt):
            found.passed_over.append(f"of a sample prompt only {sorted(prompt)} were understood")
    return found
