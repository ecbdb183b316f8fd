"""tdrussell/diffusion-pipe: two TOML files. Read at the commit in ``data/trainer_keys.toml``.

It ignores unknown keys, stops at ``alpha`` (it is always the rank) and at more than three resolutions, and makes no samples.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import toml
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target

_TRAIN_NOTES = {
    "epochs": "more than the steps need; max_steps ends the training",
    "uncond_fraction": "so often a picture is trained without its caption",
    "save_every_n_steps": "every one is kept",
    "adapter.rank": "alpha is always the same here",
}
_DATASET_NOTES = {
    "resolutions": "each picture at all of these; not more than three",
    "directory.0.path": "a new folder for new captions, so that no old cache is ever met",
}


class DiffusionPipe:
    """Configs and captions for diffusion-pipe."""

    name: ClassVar[str] = "diffusion-pipe"
    title: ClassVar[str] = "tdrussell/diffusion-pipe"
    home: ClassVar[str] = "the folder of diffusion-pipe"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture, and nothing else: an unknown file would be taken for a picture."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """The configs and the command."""
        config = f"{given.places.export}/train.toml"
        env = {"NCCL_P2P_DISABLE": "1", "NCCL_IB_DISABLE": "1"}
        notes = [
            "diffusion-pipe makes no samples: sample_prompts.txt holds what to ask for in ComfyUI.",
            "It runs on Linux, or on Windows in WSL.",
        ]
        if given.recipe.alpha != given.recipe.dim:
            notes.append(f"Alpha is {given.recipe.dim} here, as the dim, not {given.recipe.alpha}: it knows no other.")
        return Rendered(
            files={
                "train.toml": toml(_train(given), _TRAIN_NOTES, "diffusion-pipe, written by fluxcap"),
                "dataset.toml": toml(_dataset(given), _DATASET_NOTES, "diffusion-pipe, written by fluxcap"),
                "sample_prompts.txt": "".join(f"{one.text}\n" for one in sidecars.samples(given)),
            },
            commands=(
                Command(argv=("deepspeed", "--num_gpus=1", "train.py", "--deepspeed", "--config", config), env=env),
            ),
            placeholders=(given.places.models,),
            notes=tuple(notes),
        )


def _train(given: ExportSet) -> dict[str, Any]:
    made = given.recipe
    epoch = len(given.images) * len(made.resolutions[:3]) * sidecars.repeats(given)
    return {
        "output_dir": given.places.output,
        "dataset": f"{given.places.export}/dataset.toml",
        "epochs": math.ceil(made.steps / epoch) + 1,
        "max_steps": made.steps,
        "micro_batch_size_per_gpu": made.batch,
        "pipeline_stages": 1,
        "gradient_accumulation_steps": 1,
        "gradient_clipping": 1.0,
        "warmup_steps": 0,
        "lr_scheduler": "constant",
        "eval_before_first_step": False,
        "save_every_n_steps": made.save_every,
        "activation_checkpointing": True,
        "save_dtype": "bfloat16",
        "caching_batch_size": 1,
        "steps_per_print": 1,
        "uncond_fraction": made.caption_dropout,
        "model": _model(given),
        "adapter": {"type": "lora", "rank": made.dim, "dtype": "bfloat16"},
        "optimizer": {
            "type": "adamw_optimi",
            "lr": made.learning_rate,
            "betas": [0.9, 0.99],
            "weight_decay": 0.01,
            "eps": 0.00000001,
        },
    }


def _model(given: ExportSet) -> dict[str, Any]:
    kind = given.mine("diffusion-pipe")["type"]
    if kind == "flux":
        return {
            "type": kind,
            "diffusers_path": f"{given.places.models}/{given.target.hub.rpartition('/')[2]}",
            "dtype": "bfloat16",
            "transformer_dtype": "float8",
            "flux_shift": True,
        }
    return {
        "type": kind,
        "diffusion_model": sidecars.model_file(given, "transformer"),
        "vae": sidecars.model_file(given, "vae"),
        "dtype": "bfloat16",
        "diffusion_model_dtype": "float8",
        "timestep_sample_method": "logit_normal",
        "shift": 3,
        "text_encoders": [{"path": sidecars.model_file(given, "text"), "type": kind}],
    }


def _dataset(given: ExportSet) -> dict[str, Any]:
    return {
        "resolutions": list(given.recipe.resolutions[:3]),
        "enable_ar_bucket": True,
        "min_ar": 0.5,
        "max_ar": 2.0,
        "num_ar_buckets": 7,
        "frame_buckets": [1],
        "directory": [{"path": given.places.dataset, "num_repeats": sidecars.repeats(given)}],
    }
