"""kohya-ss/musubi-tuner, FLUX.2: a dataset TOML, a file of prompts and three commands. Read at the commit in ``data/trainer_keys.toml``.

It encodes pictures and captions first, into a folder of its own for each resolution, and trains on that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import number, toml
from fluxcap.exporters.sd_scripts import LAUNCH
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target

_CODE = "src/musubi_tuner"

_NOTES = {
    "general.caption_extension": "the caption lies beside each picture",
    "general.enable_bucket": "without it every picture is cropped to one square",
    "datasets.0.resolution": "the block is repeated: all resolutions are trained together",
    "datasets.0.cache_directory": "one for each block, and in a new folder for new captions",
}


class Musubi:
    """Dataset, prompts and commands for musubi-tuner."""

    name: ClassVar[str] = "musubi"
    title: ClassVar[str] = "kohya-ss/musubi-tuner"
    home: ClassVar[str] = "the folder of musubi-tuner"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """Encode the pictures, encode the captions, train."""
        mine: Mapping[str, Any] = given.mine(self.name)
        model = {part: sidecars.model_file(given, part, mine["files"]) for part in ("transformer", "text", "vae")}
        version, dataset = f"--model_version={mine['version']}", f"--dataset_config={given.places.export}/dataset.toml"
        latents = ("python", f"{_CODE}/flux_2_cache_latents.py", dataset, f"--vae={model['vae']}", version)
        texts = (
            "python",
            f"{_CODE}/flux_2_cache_text_encoder_outputs.py",
            dataset,
            f"--text_encoder={model['text']}",
            "--batch_size=1",
            version,
        )
        train = (
            *LAUNCH,
            f"{_CODE}/flux_2_train_network.py",
            version,
            f"--dit={model['transformer']}",
            f"--vae={model['vae']}",
            f"--text_encoder={model['text']}",
            dataset,
            *_options(given),
        )
        return Rendered(
            files={"dataset.toml": _dataset(given), "sample_prompts.txt": sidecars.line_prompts(given)},
            commands=tuple(Command(argv=argv) for argv in (latents, texts, train)),
            placeholders=(given.places.models,),
            notes=(
                "The three commands belong together: pictures and captions are encoded first.",
                "The text encoder is its first file; the others lie beside it. Train on the undistilled klein base.",
            ),
        )


def _options(given: ExportSet) -> tuple[str, ...]:
    made, places = given.recipe, given.places
    return (
        "--sdpa",
        "--mixed_precision=bf16",
        "--fp8_base",
        "--fp8_scaled",
        "--timestep_sampling=flux2_shift",
        "--weighting_scheme=none",
        "--optimizer_type=adamw8bit",
        f"--learning_rate={number(made.learning_rate)}",
        "--lr_scheduler=constant",
        "--gradient_checkpointing",
        "--max_data_loader_n_workers=1",
        "--persistent_data_loader_workers",
        "--network_module=networks.lora_flux_2",
        f"--network_dim={made.dim}",
        f"--network_alpha={made.alpha}",  # default 1
        f"--max_train_steps={made.steps}",
        f"--save_every_n_steps={made.save_every}",
        f"--sample_every_n_steps={made.save_every}",
        "--sample_at_first",
        f"--sample_prompts={places.export}/sample_prompts.txt",
        f"--seed={made.seed}",
        f"--output_dir={places.output}",
        f"--output_name={given.name}",
        f"--logging_dir={places.output}/logs",
        "--log_with=tensorboard",
    )


def _dataset(given: ExportSet) -> str:
    made = given.recipe
    general = {
        "caption_extension": ".txt",
        "batch_size": made.batch,
        "enable_bucket": True,
        "bucket_no_upscale": False,
    }
    blocks = [
        {
            "resolution": [side, side],
            "image_directory": given.places.dataset,
            "cache_directory": f"{given.places.dataset}/cache-{side}",
            "num_repeats": sidecars.repeats(given),
        }
        for side in made.resolutions
    ]
    return toml({"general": general, "datasets": blocks}, _NOTES, "musubi-tuner, written by fluxcap")
