"""Small sets for the exporters' tests, and where their golden files lie.

After a change that is meant, the golden files are made anew with ``FLUXCAP_RENEW_GOLDEN=1 pytest tests/test_exporters.py``;
read the difference before you commit it.
"""

from __future__ import annotations

import os
from pathlib import Path

from fluxcap import registry, tokens
from fluxcap.exporters import Exporter, ExportImage, ExportSet, Places, Rendered, scripts
from fluxcap.exporters.readme import readme
from fluxcap.project import RecipeSettings
from fluxcap.recipe import recipe
from fluxcap.types import SamplePrompt

GOLDEN = Path(__file__).parent / "data" / "exports"
RENEW = bool(os.environ.get("FLUXCAP_RENEW_GOLDEN"))

CAPTIONS = (
    "ohwx woman, a photo of a happy woman with long blonde hair. She is standing in front of a circus. front view, natural lighting",
    'ohwx woman, a photo of a woman. A sign reads "100 % off". She is wearing a black suit, a white shirt and a hat.',
    "ohwx woman, a photo of a woman. She is laughing. close-up",
)
SAMPLES = (
    SamplePrompt(name="plain", text="ohwx woman, a photo of a woman.", about="nothing but the subject"),
    SamplePrompt(
        name="clothing", text="ohwx woman, a photo of a woman. She is wearing a red raincoat.", about="clothing"
    ),
    SamplePrompt(name="without-trigger", text="A photo of a woman.", about="without the trigger word"),
)


def exporter(name: str) -> Exporter:
    made: Exporter = registry.load("exporter", name)()
    return made


def a_set(
    target: str = "flux1-dev",
    *,
    captions: tuple[str, ...] = CAPTIONS,
    samples: tuple[SamplePrompt, ...] = SAMPLES,
    preset: str = "person",
    settings: RecipeSettings | None = None,
    export: str = "/data/exports/ohwx",
    models: str = "/path/to/models",
    trigger: str = "ohwx",
    images: int | None = None,
) -> ExportSet:
    """A set as the rim makes it, of as many pictures as captions."""
    pictures = tuple(
        ExportImage(
            stem=f"picture-{number:02}",
            file=f"picture-{number:02}.{'png' if number else 'jpg'}",
            caption=text,
            clip=f"ohwx woman, tag {number}",
            t5=text.partition(". ")[0] + ".",
            width=1024,
            height=1280,
        )
        for number, text in enumerate(captions)
    )
    return ExportSet(
        name="ohwx",
        trigger=trigger,
        class_word="woman",
        images=pictures,
        recipe=recipe(images or len(pictures), preset, settings),
        target=tokens.target(target),
        samples=samples,
        places=Places(export=export, dataset=f"{export}/dataset-0123456789ab", output=f"{export}/run", models=models),
    )


def served() -> list[tuple[str, str]]:
    """Every trainer with every target that it serves."""
    return [
        (name, target.id)
        for name in registry.BUILT_IN["exporter"]
        for target in tokens.targets().values()
        if exporter(name).neutral or name in target.trainers
    ]


def all_files(name: str, given: ExportSet) -> tuple[dict[str, str], Rendered]:
    """Every text of an export but the manifest, by its path in the export's folder."""
    made = exporter(name)
    rendered = made.render(given)
    texts = {f"dataset-0123456789ab/{path}": text for path, text in made.texts(given.images, given.target).items()}
    top = {**rendered.files, **scripts(rendered.commands, made.home), "README.md": readme(made, given, rendered, {})}
    return {**top, **texts}, rendered
