"""kohya-ss/sd-scripts, FLUX.1: a dataset TOML, a file of prompts and a command. Read at the commit in ``data/trainer_keys.toml``.

Options go on the command line, which refuses misspelt ones; a ``--config_file`` is merged unchecked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import number, toml
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target

_NOTES = {
    "general.caption_extension": "the default is .caption, which finds nothing here",
    "general.shuffle_caption": "sentences must not be shuffled at their commas",
    "datasets.0.resolution": "the block is repeated: all resolutions are trained together",
    "datasets.0.enable_bucket": "without it every picture is cropped to one square",
    "datasets.0.bucket_reso_steps": "FLUX needs a multiple of 64",
    "datasets.0.subsets.0.image_dir": "a new folder for new captions, so that no old cache is ever met",
}

PRIVACY = (
    "sd-scripts writes the captions, cut at their commas, into the LoRA file (ss_tag_frequency). If nobody else shall read "
    "them, add --no_metadata to the command; the number of steps is then not in the file either."
)


class SdScripts:
    """Dataset, prompts and command for sd-scripts."""

    name: ClassVar[str] = "kohya"
    title: ClassVar[str] = "kohya-ss/sd-scripts"
    home: ClassVar[str] = "the folder of sd-scripts"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture, of one line: sd-scripts reads the first only."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """The three files and the command."""
        model = {part: sidecars.model_file(given, part) for part in ("transformer", "clip", "t5", "vae")}
        argv = (
            *LAUNCH,
            "flux_train_network.py",
            f"--pretrained_model_name_or_path={model['transformer']}",
            f"--clip_l={model['clip']}",
            f"--t5xxl={model['t5']}",
            f"--ae={model['vae']}",
            *options(given),
        )
        return Rendered(
            files={"dataset.toml": dataset_toml(given), "sample_prompts.txt": sidecars.line_prompts(given)},
            commands=(Command(argv=argv),),
            placeholders=(given.places.models,),
            notes=(PRIVACY,),
        )


LAUNCH = ("accelerate", "launch", "--num_cpu_threads_per_process=1", "--mixed_precision=bf16")


def options(given: ExportSet) -> Sequence[str]:
    """The options after the model's files; what sd-scripts gets wrong by default is set."""
    made, places = given.recipe, given.places
    t5 = next(limit.limit for limit in given.target.limits if limit.encoder == "t5")
    return (
        f"--dataset_config={places.export}/dataset.toml",
        f"--output_dir={places.output}",
        f"--output_name={given.name}",
        "--save_model_as=safetensors",
        "--save_precision=bf16",
        "--network_module=networks.lora_flux",
        "--network_train_unet_only",
        f"--network_dim={made.dim}",
        f"--network_alpha={made.alpha}",  # default 1
        f"--learning_rate={number(made.learning_rate)}",
        "--optimizer_type=AdamW8bit",
        "--lr_scheduler=constant",
        "--sdpa",
        f"--max_train_steps={made.steps}",
        f"--save_every_n_steps={made.save_every}",
        f"--sample_every_n_steps={made.save_every}",
        "--sample_at_first",
        f"--sample_prompts={places.export}/sample_prompts.txt",
        "--mixed_precision=bf16",
        "--gradient_checkpointing",
        f"--guidance_scale={given.mine('kohya').get('guidance', 1.0)}",  # default 3.5
        "--timestep_sampling=flux_shift",  # default sigma
        "--model_prediction_type=raw",  # default sigma_scaled
        "--fp8_base",
        "--cache_text_encoder_outputs",  # in memory: a file on the disk would outlive its caption
        "--cache_latents_to_disk",
        f"--t5xxl_max_token_length={t5}",
        f"--seed={made.seed}",
        f"--logging_dir={places.output}/logs",
        "--log_with=tensorboard",
        "--max_data_loader_n_workers=1",
        "--persistent_data_loader_workers",
    )


def dataset_toml(given: ExportSet) -> str:
    """The dataset: one block for each resolution, on the same folder."""
    made = given.recipe
    blocks: list[dict[str, Any]] = [
        {
            "resolution": side,
            "batch_size": made.batch,
            "enable_bucket": True,
            "min_bucket_reso": max(256, side // 2 // 64 * 64),
            "max_bucket_reso": side * 2,
            "bucket_reso_steps": 64,
            "subsets": [{"image_dir": given.places.dataset, "num_repeats": sidecars.repeats(given)}],
        }
        for side in made.resolutions
    ]
    general = {"caption_extension": ".txt", "shuffle_caption": False}
    return toml({"general": general, "datasets": blocks}, _NOTES, "sd-scripts, written by fluxcap")
