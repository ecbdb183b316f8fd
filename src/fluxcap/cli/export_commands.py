"""``fluxcap export`` and ``fluxcap recipe``: from captions to what a trainer reads."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from fluxcap.cli.options import FOLDER, JSON

_RECIPE = (
    click.option("--length", metavar="HOW", help="sweet-spot (2000 steps), repeats (25 a picture) or passes."),
    click.option("--passes", type=int, metavar="N", help="How often each picture is seen, for --length passes."),
    click.option("--steps", type=int, metavar="N", help="The number of steps, in place of a length."),
    click.option("--dim", type=int, metavar="N", help="The dim (rank) of the LoRA: 64, 32 or 16."),
    click.option("--target", metavar="NAME", help="The base model: flux1-dev, flux2-klein-9b ..."),
)


def recipe_options(command: Any) -> Any:
    """The options that stand for a line of the recipe."""
    for option in reversed(_RECIPE):
        command = option(command)
    return command


@click.command()
@FOLDER
@click.option("--trainer", metavar="NAME", required=True, help="ai-toolkit, kohya, onetrainer, diffusers, plain ...")
@click.option("--out", type=click.Path(path_type=Path), metavar="OUT", required=True, help="A new folder outside DIR.")
@recipe_options
@click.option("--models", metavar="FOLDER", help="The folder with the model's files, for trainers that want them.")
@click.option("--crop", metavar="W:H", help="Cut the middle of this shape out of each picture, for instance 1:1.")
@click.option("--dry-run", is_flag=True, help="Show what would be written, write nothing.")
@JSON
def export(
    folder: Path,
    trainer: str,
    out: Path,
    models: str | None,
    crop: str | None,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Export DIR for a trainer: pictures baked, captions as they stand, a complete config. Exit code 1: the check refuses."""
    from fluxcap import screen, screen_export
    from fluxcap.exporting import export as carry_out

    done = carry_out(
        folder,
        out,
        trainer=trainer,
        overrides=settings(options),
        crop=_shape(crop),
        models=models,
        dry_run=dry_run,
        progress=screen.progress("exporting pictures"),
    )
    if as_json:
        screen.json_out(screen_export.export_record(done))
    else:
        screen_export.exported(done, dry_run=dry_run)
    if done.refused:
        sys.exit(1)


@click.command()
@FOLDER
@recipe_options
@click.option("--rate", type=float, metavar="STEPS", help="Steps a second of your card, for the time.")
@JSON
def recipe(folder: Path, rate: float | None, as_json: bool, **options: Any) -> None:
    """Show how long and how strongly DIR would be trained, what that costs, and what the two ways to a length mean for it."""
    from fluxcap import screen, screen_export
    from fluxcap.errors import UsageError
    from fluxcap.exporting.advice import advice

    if rate is not None and not 0 < rate < 1000:
        raise UsageError(f"--rate {rate} is no number of steps a second", "for instance: --rate 0.5")
    told = advice(folder, settings(options), rate=rate)
    if as_json:
        screen.json_out(told)
    else:
        screen_export.advice(told)


COMMANDS = (export, recipe)


def settings(options: dict[str, Any]) -> dict[str, Any]:
    """The options as settings. A number of passes or steps on the command line means that way, whatever the file says."""
    length = options["length"] or ("passes" if options["passes"] else None)
    keys = {f"recipe.{key}": options[key] for key in ("passes", "steps", "dim")}
    return {"target": options["target"], "recipe.length": length, **keys}


def _shape(text: str | None) -> float | None:
    """'3:4' as width by height; raises ``UsageError``."""
    from fluxcap.errors import UsageError

    if text is None:
        return None
    wide, sign, high = text.partition(":")
    try:
        shape = float(wide) / float(high)
    except (ValueError, ZeroDivisionError):
        shape = 0.0
    if not sign or not 0.1 <= shape <= 10:
        raise UsageError(f"--crop {text} is no shape", "write width and height, for instance: --crop 1:1")
    return shape
