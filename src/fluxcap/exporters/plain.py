"""Pictures with a text file beside each: for any trainer that fluxcap does not know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.formats import json
from fluxcap.exporters.types import ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target


class Plain:
    """Pictures, captions, the recipe and the sample prompts, in no trainer's format."""

    name: ClassVar[str] = "plain"
    title: ClassVar[str] = "pictures and text files"
    home: ClassVar[str] = ""
    neutral: ClassVar[bool] = True
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """The recipe as JSON, the prompts as text, and both prompts of each picture for tools that take two."""
        made = given.recipe
        recipe = {
            "steps": made.steps,
            "passes_per_image": round(made.passes, 2),
            "dim": made.dim,
            "alpha": made.alpha,
            "learning_rate": made.learning_rate,
            "batch": made.batch,
            "resolutions": list(made.resolutions),
            "checkpoints": list(made.checkpoints),
            "seed": made.seed,
            "trigger": given.trigger,
            "class_word": given.class_word,
            "target": given.target.id,
        }
        return Rendered(
            files={
                "recipe.json": json(recipe),
                "sample_prompts.txt": "".join(f"{one.text}\n" for one in given.samples),
                "two_prompts.json": json({image.file: {"clip": image.clip, "t5": image.t5} for image in given.images}),
            },
            notes=(
                "two_prompts.json holds for each picture the tags for CLIP and the sentences for T5. No trainer takes two "
                "texts; ComfyUI's CLIPTextEncodeFlux does, when you prompt the LoRA.",
            ),
        )
