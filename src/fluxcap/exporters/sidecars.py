"""What the trainers share that read a text file beside each picture."""

from __future__ import annotations

from collections.abc import Mapping

from fluxcap.exporters.texts import prompt_for_trainer
from fluxcap.exporters.types import ExportImage, ExportSet
from fluxcap.types import SamplePrompt


def captions(images: tuple[ExportImage, ...]) -> Mapping[str, str]:
    """``stem.txt`` for each picture: the caption and nothing after it, as some trainers keep a line end."""
    return {f"{image.stem}.txt": image.caption for image in images}


def samples(given: ExportSet) -> tuple[SamplePrompt, ...]:
    """The sample prompts without what trainers take for their own signs."""
    return tuple(
        SamplePrompt(name=one.name, text=prompt_for_trainer(one.text), about=one.about) for one in given.samples
    )


def model_file(given: ExportSet, part: str, files: Mapping[str, str] | None = None) -> str:
    """The path of one of the model's single files: transformer, vae, clip, t5 or text."""
    return f"{given.places.models}/{(files or given.target.files)[part]}"


def line_prompts(given: ExportSet) -> str:
    """Sample prompts as sd-scripts and musubi-tuner read them: one a line, then size, seed, steps and guidance.

    The seed is the same at every checkpoint, so that they can be compared.
    """
    how, side = given.target.sample, 1024
    options = f"--w {side} --h {side} --d {given.recipe.seed} --s {how.steps} --l {how.cfg} --g {how.guidance}"
    lines = ["# one prompt a line: width, height, seed, steps, weight against no prompt (cfg), guidance"]
    lines += [f"{one.text} {options}" for one in samples(given)]
    return "\n".join(lines) + "\n"


def repeats(given: ExportSet) -> int:
    """How often a dataset repeats its pictures, so that an epoch of a small set is not over in a few steps."""
    return max(1, given.recipe.save_every // (len(given.images) * len(given.recipe.resolutions)))
