"""Arguments and options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

FOLDER = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
PICTURE = click.argument("picture", type=click.Path(path_type=Path), metavar="PICTURE")
JSON = click.option("--json", "as_json", is_flag=True, help="Print machine-readable JSON.")

_SETTINGS = (
    click.option("--trigger", metavar="WORD", help="The trigger word, for instance ohwx."),
    click.option("--subject", metavar="WORD", help="The class word: woman, man, dog, mug ..."),
    click.option("--preset", metavar="KIND", help="person, character, object, style, likeness or everything."),
    click.option("--medium", metavar="WORD", help="What the pictures are where no source knows better (photo)."),
    click.option("--style", metavar="NAME", help="natural, classic or prose."),
    click.option("--phrasing", metavar="HOW", help="fixed, or varied: equal wordings take turns."),
    click.option("--pronouns", metavar="WORDS", help="she/her, he/him, they/them or it/its."),
    click.option("--target", metavar="NAME", help="The base model, for its limits: flux1-dev, flux1-schnell ..."),
    click.option("--tags", metavar="WHICH", help="Tags after the sentences: tail (camera and light), all, or none."),
    click.option("--explicit", is_flag=True, default=None, help="Let explicit tags into the captions."),
    click.option("--tagger", "tagger_model", metavar="NAME", help="A tagger that is here, a folder with one, or none."),
    click.option(
        "--vlm-url", "vlm_url", metavar="URL", help="A vision model's server; auto: one on this machine; local."
    ),
    click.option("--vlm-name", "vlm_name", metavar="NAME", help="The vision model there."),
    click.option("--recursive", is_flag=True, default=None, help="Look into sub-folders too."),
    click.option("--captions", metavar="FOLDER", help="A folder with other captions, read as evidence."),
)


def settings(command: Any) -> Any:
    """The options that stand for a line of ``fluxcap.toml``."""
    for option in reversed(_SETTINGS):
        command = option(command)
    return command
