"""cocktailpeanut/fluxgym: the dataset and the command that its page would make, with our recipe in it.

fluxgym wraps sd-scripts. What its page makes has one square bucket, alpha 1 and encoded captions on the disk; this has not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from fluxcap.exporters import sidecars
from fluxcap.exporters.sd_scripts import LAUNCH, PRIVACY, dataset_toml, options
from fluxcap.exporters.types import Command, ExportImage, ExportSet, Images, Rendered
from fluxcap.tokens import Target

_MOST = 150
"""Pictures that its page takes."""


class Fluxgym:
    """Dataset, prompts and command for the sd-scripts inside of fluxgym."""

    name: ClassVar[str] = "fluxgym"
    title: ClassVar[str] = "cocktailpeanut/fluxgym"
    home: ClassVar[str] = "the folder of fluxgym"
    neutral: ClassVar[bool] = False
    images: ClassVar[Images] = "files"

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """A text file for each picture, of one line: fluxgym reads the first only."""
        return sidecars.captions(images)

    def render(self, given: ExportSet) -> Rendered:
        """The files and the command, with the models where fluxgym keeps them."""
        made, mine = given.recipe, given.mine(self.name)
        argv = (
            *LAUNCH,
            "sd-scripts/flux_train_network.py",
            f"--pretrained_model_name_or_path={mine['file']}",
            "--clip_l=models/clip/clip_l.safetensors",
            "--t5xxl=models/clip/t5xxl_fp16.safetensors",
            "--ae=models/vae/ae.sft",
            *options(given),
        )
        page = (
            f"On its page: drop the pictures and texts of the dataset folder (at most {_MOST}), base model "
            f"{mine['base_model']}, resolution {max(made.resolutions)}, trigger word {given.trigger}; under Advanced set "
            f"--network_dim {made.dim}, --network_alpha {made.alpha}, --enable_bucket and the learning rate. Delete what an "
            "earlier run left in its datasets folder: it does not look at changed captions again."
        )
        return Rendered(
            files={"dataset.toml": dataset_toml(given), "sample_prompts.txt": sidecars.line_prompts(given)},
            commands=(Command(argv=argv),),
            notes=("The command does what the page's Start button does, with this recipe.", page, PRIVACY),
        )
