"""WebDataset shards: tar files with pictures and their texts, for large sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fluxcap.exporters.formats import json
from fluxcap.exporters.types import ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target


class WebDataset:
    """For each picture its file, the caption (``txt``), and both prompts with the size (``json``)."""

    name: ClassVar[str] = "webdataset"
    title: ClassVar[str] = "WebDataset shards"
    home: ClassVar[str] = ""
    neutral: ClassVar[bool] = True
    images: ClassVar[Images] = "shards"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """Two texts for each picture."""
        captions = {f"{image.stem}.txt": image.caption for image in images}
        return captions | {
            f"{image.stem}.json": json(
                {
                    "caption": image.caption,
                    "clip": image.clip,
                    "t5": image.t5,
                    "width": image.width,
                    "height": image.height,
                }
            )
            for image in images
        }

    def render(self, given: ExportSet) -> Rendered:
        """Only the prompts and how to load it."""
        return Rendered(
            files={"sample_prompts.txt": "".join(f"{one.text}\n" for one in given.samples)},
            notes=(
                'To load it: webdataset.WebDataset(sorted(glob("*.tar")), shardshuffle=False) in the dataset\'s folder; keys '
                "jpg or png, txt, json.",
            ),
        )
