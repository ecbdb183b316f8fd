"""huggingface/diffusers, the FLUX scripts of ``examples/dreambooth``. Read at the commit in ``data/trainer_keys.toml``.

They read pictures with one ``metadata.jsonl``; a text file beside them would make ``datasets`` load texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import number
from fluxcap.exporters.imagefolder import metadata
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target


class Diffusers:
    """Dataset and command for the scripts of diffusers."""

    name: ClassVar[str] = "diffusers"
    title: ClassVar[str] = "diffusers' FLUX scripts"
    home: ClassVar[str] = "examples/dreambooth of diffusers"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """One file for all pictures."""
        return metadata(images)

    def render(self, given: ExportSet) -> Rendered:
        """The command and all sample prompts; the script itself asks for the first only."""
        mine: Mapping[str, Any] = given.mine(self.name)
        buckets = mine["script"] != "train_dreambooth_lora_flux.py"
        shapes = ("--use_aspect_ratio_buckets",) if buckets else ("--center_crop",)
        argv = (
            "accelerate",
            "launch",
            "--mixed_precision=bf16",
            mine["script"],
            *_options(given),
            *shapes,
            *(("--text_encoder_out_layers", *map(str, mine["layers"])) if "layers" in mine else ()),
            *((f"--caption_dropout={number(given.recipe.caption_dropout)}",) if "klein" in mine["script"] else ()),
        )
        told = [
            f"The script trains one resolution ({max(given.recipe.resolutions)}); the recipe's others are not used.",
            "It samples one prompt, into TensorBoard; sample_prompts.txt holds the others, for ComfyUI.",
            "The model comes from the hub: ask for access on its page and log in, or name a folder that holds it.",
        ]
        if not buckets:
            told.append(
                "It cuts the middle square out of each picture: leave out what would be cut wrongly, or export with --crop 1:1 "
                "and look at the pictures."
            )
        return Rendered(
            files={"sample_prompts.txt": "".join(f"{one.text}\n" for one in sidecars.samples(given))},
            commands=(Command(argv=argv),),
            notes=tuple(told),
        )


def _options(given: ExportSet) -> tuple[str, ...]:
    made, places = given.recipe, given.places
    epoch = max(1, len(given.images) // made.batch)
    return (
        f"--pretrained_model_name_or_path={given.target.hub}",
        f"--dataset_name={places.dataset}",
        "--image_column=image",
        "--caption_column=text",
        f"--instance_prompt={given.trigger} {given.class_word}".rstrip(),  # asked for, and not used beside captions
        f"--output_dir={places.output}",
        f"--resolution={max(made.resolutions)}",
        f"--max_sequence_length={max(limit.limit for limit in given.target.limits)}",
        f"--rank={made.dim}",  # default 4
        f"--lora_alpha={made.alpha}",  # default 4
        f"--learning_rate={number(made.learning_rate)}",
        "--lr_scheduler=constant",
        "--lr_warmup_steps=0",  # default 500
        "--guidance_scale=1",  # default 3.5
        f"--train_batch_size={made.batch}",
        "--gradient_accumulation_steps=1",
        "--gradient_checkpointing",
        "--use_8bit_adam",
        "--cache_latents",
        "--mixed_precision=bf16",
        f"--max_train_steps={made.steps}",
        f"--checkpointing_steps={made.save_every}",
        f"--validation_prompt={sidecars.samples(given)[0].text}",
        "--num_validation_images=1",
        f"--validation_epochs={max(1, round(made.save_every / epoch))}",
        f"--seed={made.seed}",
        "--report_to=tensorboard",
    )
