"""ostris/ai-toolkit: one YAML file. Read at the commit in ``data/trainer_keys.toml``.

It accepts misspelt keys without a word (``kwargs.get`` everywhere), so ``exporters.keys`` knows them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import yaml
from fluxcap.exporters.texts import tight_commas
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target

_HEAD = """\
ai-toolkit, written by fluxcap. Start it in ai-toolkit's folder:
  python run.py {config}
The model comes from the hub: ask for access on its page and log in, or name a folder that holds it."""

_NOTES = {
    "config.name": "the folder and the files of the LoRA",
    "config.process.0.training_folder": "what is trained is written here",
    "config.process.0.trigger_word": "only for [trigger] in captions; here it stands in every caption already",
    "config.process.0.network.linear": "dim and alpha",
    "config.process.0.save.max_step_saves_to_keep": "all are kept; the default of 5 deletes the older ones",
    "config.process.0.datasets.0.folder_path": "a new folder for new captions, so that no old cache is ever met",
    "config.process.0.datasets.0.caption_dropout_rate": "so often a picture is trained without its caption",
    "config.process.0.datasets.0.shuffle_tokens": "sentences must not be shuffled at their commas",
    "config.process.0.datasets.0.resolution": "each picture at all of these, in buckets of its own shape",
    "config.process.0.train.skip_first_sample": "the samples of step 0 show what the base model does",
    "config.process.0.logging.use_ui_logger": "loss_log.db; without it no loss is kept",
    "config.process.0.model.name_or_path": "the hub's name, or a folder with the model",
    "config.process.0.sample.walk_seed": "the same seed every time, so that checkpoints can be compared",
}


class AiToolkit:
    """Config and captions for ai-toolkit."""

    name: ClassVar[str] = "ai-toolkit"
    title: ClassVar[str] = "ostris/ai-toolkit"
    home: ClassVar[str] = "the folder of ai-toolkit"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture, without a line end, which ai-toolkit would keep.

        For FLUX.2 no blank follows a comma: ai-toolkit puts one there, and two blanks are other tokens to its encoder.
        """
        texts = sidecars.captions(images)
        return texts if target.family == "flux1" else {path: tight_commas(text) for path, text in texts.items()}

    def render(self, given: ExportSet) -> Rendered:
        """The config and the command."""
        config = f"{given.places.export}/ai-toolkit.yaml"
        document = {
            "job": "extension",
            "config": {"name": given.name, "process": [_process(given)]},
            "meta": {"name": "[name]", "version": "1.0"},
        }
        notes = dict(_NOTES)
        told: tuple[str, ...] = ()
        if given.target.family != "flux1":
            told = (
                "The captions have no blank after commas: ai-toolkit puts one there, so that the encoder reads them as you "
                "approved them. Take them for ai-toolkit only.",
            )
        told += _spoilt_commas(given)
        if not given.mine(self.name).get("sampling", True):
            del notes["config.process.0.train.skip_first_sample"], notes["config.process.0.sample.walk_seed"]
            told += (f"ai-toolkit makes no samples of {given.target.name} without control pictures, so none are made.",)
        return Rendered(
            files={"ai-toolkit.yaml": yaml(document, notes, _HEAD.format(config=config))},
            commands=(Command(argv=("python", "run.py", config)),),
            notes=told,
        )


def _spoilt_commas(given: ExportSet) -> tuple[str, ...]:
    """Told where a comma has no blank after it ('1,000'): ai-toolkit puts one there, whatever stands in the file."""
    spoilt = [
        image.file for image in given.images if ", ".join(tight_commas(image.caption).split(",")) != image.caption
    ]
    if not spoilt:
        return ()
    return (
        f"{len(spoilt)} captions have a comma without a blank after it, as in 1,000 ({spoilt[0]} is one); ai-toolkit "
        "trains them with one: write 1000.",
    )


def _process(given: ExportSet) -> dict[str, Any]:
    made, mine = given.recipe, given.mine("ai-toolkit")
    process: dict[str, Any] = {
        "type": "sd_trainer",
        "training_folder": given.places.output,
        "device": "cuda:0",
        "training_seed": made.seed,
        "trigger_word": given.trigger,
        "network": {"type": "lora", "linear": made.dim, "linear_alpha": made.alpha},
        "save": {
            "dtype": "bf16",
            "save_every": made.save_every,
            "max_step_saves_to_keep": max(1000, len(made.checkpoints)),
            "push_to_hub": False,
        },
        "datasets": [
            {
                "folder_path": given.places.dataset,
                "caption_ext": "txt",
                "caption_dropout_rate": made.caption_dropout,
                "shuffle_tokens": False,
                "cache_latents_to_disk": True,
                "resolution": list(made.resolutions),
            }
        ],
        "train": _train(given),
        "logging": {"log_every": 1, "use_ui_logger": True},
        "model": _model(given),
    }
    if mine.get("sampling", True):
        process["sample"] = _sample(given)
    return process


def _train(given: ExportSet) -> dict[str, Any]:
    made, mine = given.recipe, given.mine("ai-toolkit")
    train: dict[str, Any] = {
        "batch_size": made.batch,
        "steps": made.steps,
        "gradient_accumulation": 1,
        "train_unet": True,
        "train_text_encoder": False,
        "gradient_checkpointing": True,
        "noise_scheduler": "flowmatch",
        "timestep_type": mine["timestep_type"],
        "optimizer": "adamw8bit",
        "lr": made.learning_rate,
        "dtype": "bf16",
        "ema_config": {"use_ema": True, "ema_decay": 0.99},
    }
    return train | ({"skip_first_sample": False} if mine.get("sampling", True) else {"disable_sampling": True})


def _model(given: ExportSet) -> dict[str, Any]:
    mine = given.mine("ai-toolkit")
    model: dict[str, Any] = {"name_or_path": given.target.hub, "arch": mine["arch"], "quantize": True}
    if "assistant_lora_path" in mine:
        model["assistant_lora_path"] = mine["assistant_lora_path"]
    if given.target.family == "flux2":  # as ai-toolkit's page sets it
        model |= {
            "quantize_te": True,
            "qtype": "qfloat8",
            "low_vram": True,
            "model_kwargs": {"match_target_res": False},
        }
    return model


def _sample(given: ExportSet) -> dict[str, Any]:
    how = given.target.sample
    return {
        "sampler": "flowmatch",
        "sample_every": given.recipe.save_every,
        "width": 1024,
        "height": 1024,
        "seed": given.recipe.seed,
        "walk_seed": False,
        "guidance_scale": how.guidance,
        "sample_steps": how.steps,
        "neg": "",
        "prompts": [one.text for one in sidecars.samples(given)],
    }
