"""ImageFolder of the ``datasets`` library: pictures and one ``metadata.jsonl``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fluxcap.exporters.formats import json_lines
from fluxcap.exporters.types import ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target


def metadata(images: tuple[ExportImage, ...]) -> Mapping[str, str]:
    """``metadata.jsonl`` and no text files: with those in the folder ``datasets`` would load texts in place of pictures."""
    return {"metadata.jsonl": json_lines([{"file_name": image.file, "text": image.caption} for image in images])}


class ImageFolder:
    """A folder for ``datasets.load_dataset``: columns ``image`` and ``text``."""

    name: ClassVar[str] = "imagefolder"
    title: ClassVar[str] = "ImageFolder (datasets)"
    home: ClassVar[str] = ""
    neutral: ClassVar[bool] = True
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """One file for all pictures."""
        return metadata(images)

    def render(self, given: ExportSet) -> Rendered:
        """Only the prompts and how to load it."""
        return Rendered(
            files={"sample_prompts.txt": "".join(f"{one.text}\n" for one in given.samples)},
            notes=(f'To load it: datasets.load_dataset("imagefolder", data_dir="{given.places.dataset}")',),
        )
