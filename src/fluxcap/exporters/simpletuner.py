"""bghira/SimpleTuner: two JSON files and a library of prompts. Read at the commit in ``data/trainer_keys.toml``.

``config.json`` is strict; of the data backends unknown keys are accepted, so ``exporters.keys`` knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import json
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target


class SimpleTuner:
    """Configs and captions for SimpleTuner."""

    name: ClassVar[str] = "simpletuner"
    title: ClassVar[str] = "bghira/SimpleTuner"
    home: ClassVar[str] = "this folder"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture, of one line: each further line would be another caption."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """The configs and the command; SimpleTuner looks for ``config/`` where it is started."""
        library = {one.name: one.text for one in sidecars.samples(given)}
        return Rendered(
            files={
                "config/config.json": json(_config(given)),
                "config/multidatabackend.json": json(_backends(given)),
                "config/user_prompt_library.json": json(library),
            },
            commands=(Command(argv=("simpletuner", "train"), folder=given.places.export),),
            notes=(
                "pretrained_model_name_or_path is the hub's name, or a folder with the model; ask for access on its page.",
                "The defaults of 5 checkpoints, a caption dropout of 0.1, the model flavour and the warm-up are overridden.",
                "training_metrics.jsonl and validation_media.jsonl in the run's folder tell loss and samples step by step.",
            ),
        )


def _config(given: ExportSet) -> dict[str, Any]:
    made, places, how = given.recipe, given.places, given.target.sample
    mine = given.mine("simpletuner")
    flux1 = {"flux_lora_target": "all"} if mine["family"] == "flux" else {}
    return {
        "model_type": "lora",
        "model_family": mine["family"],
        "model_flavour": mine["flavour"],
        "pretrained_model_name_or_path": given.target.hub,
        "lora_type": "standard",
        "lora_rank": made.dim,
        "lora_alpha": made.alpha,
        **flux1,
        "base_model_precision": "int8-quanto",
        "optimizer": "adamw_bf16",
        "learning_rate": made.learning_rate,
        "lr_scheduler": "constant",
        "lr_warmup_steps": 0,
        "train_batch_size": made.batch,
        "gradient_checkpointing": True,
        "mixed_precision": "bf16",
        "max_train_steps": made.steps,
        "num_train_epochs": 0,
        "checkpoint_step_interval": made.save_every,
        "checkpoints_total_limit": max(1000, len(made.checkpoints)),
        "caption_dropout_probability": made.caption_dropout,
        "validation_step_interval": made.save_every,
        "validation_prompt": sidecars.samples(given)[0].text,
        "user_prompt_library": f"{places.export}/config/user_prompt_library.json",
        "validation_prompt_library": False,
        "validation_resolution": "1024x1024",
        "validation_seed": made.seed,
        "validation_guidance": how.guidance,
        "validation_num_inference_steps": how.steps,
        "validation_disable_unconditional": True,
        "data_backend_config": f"{places.export}/config/multidatabackend.json",
        "disable_bucket_pruning": True,
        "output_dir": places.output,
        "report_to": "simpletuner",
        "tracker_project_name": "fluxcap",
        "tracker_run_name": given.name,
        "push_to_hub": False,
        "seed": made.seed,
    }


def _backends(given: ExportSet) -> list[dict[str, Any]]:
    family, run = given.mine("simpletuner")["family"], given.places.output
    pictures: list[dict[str, Any]] = [
        {
            "id": f"{given.name}-{side}",
            "type": "local",
            "dataset_type": "image",
            "instance_data_dir": given.places.dataset,
            "crop": False,
            "resolution": side,
            "resolution_type": "pixel_area",
            "minimum_image_size": 256,
            "metadata_backend": "discovery",
            "caption_strategy": "textfile",
            "disable_multiline_split": True,
            "cache_dir_vae": f"{run}/cache/vae/{family}/{given.name}-{side}",
            "repeats": sidecars.repeats(given) - 1,  # SimpleTuner counts the further passes
        }
        for side in given.recipe.resolutions
    ]
    texts = {
        "id": "text-embeds",
        "type": "local",
        "dataset_type": "text_embeds",
        "default": True,
        "cache_dir": f"{run}/cache/text/{family}",
    }
    return [*pictures, texts]
