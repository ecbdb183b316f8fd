"""Nerogar/OneTrainer: one JSON file. Read at the commit in ``data/trainer_keys.toml``.

It prints what it does not understand and goes on, so ``exporters.keys`` knows its keys. Without ``__version`` its migrations
run over a config that needs none, and stop.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import json
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target

_VERSION, _CONCEPT_VERSION = 11, 2
"""Of the config and of a concept in it (TrainConfig.py, ConceptConfig.py)."""


class OneTrainer:
    """Config and captions for OneTrainer."""

    name: ClassVar[str] = "onetrainer"
    title: ClassVar[str] = "Nerogar/OneTrainer"
    home: ClassVar[str] = "the folder of OneTrainer"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture, of one line: each further line would be another caption."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """The config and the command."""
        config = f"{given.places.export}/onetrainer.json"
        return Rendered(
            files={"onetrainer.json": json(_config(given))},
            commands=(Command(argv=("python", "scripts/train.py", f"--config-path={config}")),),
            notes=(
                "base_model_name is the hub's name, or a folder with the model; ask for access on the hub's page first.",
                "OneTrainer counts epochs: the last one may go a few steps beyond the recipe.",
                "Checkpoints carry the step before the one that was asked for (249, 499 ...), samples the step itself.",
                "The default of 77 T5 tokens is raised to what the model reads, and alpha from 1 to the recipe's.",
            ),
        )


def _config(given: ExportSet) -> dict[str, Any]:
    made, places = given.recipe, given.places
    return {
        "__version": _VERSION,
        "training_method": "LORA",
        "model_type": given.mine("onetrainer")["model_type"],
        "base_model_name": given.target.hub,
        "workspace_dir": places.output,
        "cache_dir": f"{places.output}/cache",
        "output_model_destination": f"{places.output}/{given.name}.safetensors",
        "output_model_format": "DIFFUSERS_LORA",
        "output_dtype": "BFLOAT_16",
        "train_dtype": "BFLOAT_16",
        "learning_rate": made.learning_rate,
        "learning_rate_scheduler": "CONSTANT",
        "learning_rate_warmup_steps": 0,
        "batch_size": made.batch,
        "epochs": _epochs(given)[0],
        "resolution": ",".join(map(str, made.resolutions)),
        "aspect_ratio_bucketing": True,
        "latent_caching": True,
        "clear_cache_before_training": True,
        "peft_type": "LORA",
        "lora_rank": made.dim,
        "lora_alpha": float(made.alpha),
        "lora_weight_dtype": "FLOAT_32",
        "timestep_distribution": "LOGIT_NORMAL",
        "dynamic_timestep_shifting": True,
        **_model(given),
        "vae": {"__version": 0, "weight_dtype": "FLOAT_32"},
        "optimizer": {"__version": 0, "optimizer": "ADAMW_8BIT"},
        "concepts": [_concept(given)],
        "samples": [_sample(given, one.text) for one in sidecars.samples(given)],
        "sample_after": made.save_every,
        "sample_after_unit": "STEP",
        "sample_skip_first": 0,
        "sample_image_format": "PNG",
        "save_every": made.save_every,
        "save_every_unit": "STEP",
        "save_skip_first": 0,
        "save_filename_prefix": f"{given.name}-",
        "backup_after_unit": "NEVER",
        "tensorboard": True,
    }


def _epochs(given: ExportSet) -> tuple[int, str, float]:
    """Epochs, how the concept counts, and by what: pictures in each epoch where there are more of them than steps."""
    made, pictures = given.recipe, len(given.images)
    looks = made.steps * made.batch
    if pictures > looks:
        return 1, "SAMPLES", float(looks)
    return math.ceil(looks / pictures), "REPEATS", 1.0


def _model(given: ExportSet) -> dict[str, Any]:
    """The parts of the model as OneTrainer's presets have them, and how many tokens are read."""
    limits = {limit.encoder: limit.limit for limit in given.target.limits}
    if given.target.family == "flux1":
        drop = given.recipe.caption_dropout
        return {
            "transformer": {"__version": 0, "train": True, "weight_dtype": "NFLOAT_4"},
            "text_encoder": {"__version": 0, "train": False, "weight_dtype": "BFLOAT_16", "dropout_probability": drop},
            "text_encoder_2": {"__version": 0, "train": False, "weight_dtype": "NFLOAT_4", "dropout_probability": drop},
            "text_encoder_2_sequence_length": limits["t5"],
        }
    blocks = {"layer_filter": "transformer_block", "layer_filter_preset": "blocks"}
    return {
        "transformer": {"__version": 0, "train": True, "weight_dtype": "INT_W8A8"},
        "text_encoder": {"__version": 0, "train": False, "weight_dtype": "FLOAT_8"},
        "text_encoder_sequence_length": next(iter(limits.values())),
        **blocks,
        "quantization": {"__version": 0, **blocks},
    }


def _concept(given: ExportSet) -> dict[str, Any]:
    _, strategy, balancing = _epochs(given)
    return {
        "__version": _CONCEPT_VERSION,
        "name": given.name,
        "path": given.places.dataset,
        "enabled": True,
        "type": "STANDARD",
        "seed": given.recipe.seed,
        "include_subdirectories": False,
        "balancing": balancing,
        "balancing_strategy": strategy,
        "image_variations": len(given.recipe.resolutions),  # each is cached at a resolution drawn by lot
        "text_variations": 1,
        "loss_weight": 1.0,
        "image": {"__version": 0},
        "text": {"__version": 0, "prompt_source": "sample", "enable_tag_shuffling": False},
    }


def _sample(given: ExportSet, prompt: str) -> dict[str, Any]:
    how = given.target.sample
    return {
        "__version": 0,
        "enabled": True,
        "prompt": prompt,
        "width": 1024,
        "height": 1024,
        "seed": given.recipe.seed,
        "random_seed": False,
        "diffusion_steps": how.steps,
        "cfg_scale": how.guidance,  # what the model is told, and for klein the weight against no prompt
    }
