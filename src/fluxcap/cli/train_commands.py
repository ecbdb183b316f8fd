"""``fluxcap train``: an export, the trainer's own command, and a look at what it does."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from fluxcap.cli.export_commands import recipe_options, settings
from fluxcap.cli.options import FOLDER


@click.command()
@FOLDER
@click.argument("extra", nargs=-1, type=click.UNPROCESSED, metavar="[-- WORDS]")
@click.option("--trainer", metavar="NAME", help="ai-toolkit, kohya, onetrainer, simpletuner, diffusers ...")
@click.option(
    "--trainer-path", type=click.Path(path_type=Path), metavar="P", help="The trainer's folder, where its commands run."
)
@click.option(
    "--python", type=click.Path(path_type=Path), metavar="PATH", help="Its Python, or the folder of its environment."
)
@click.option("--out", type=click.Path(path_type=Path), metavar="OUT", help="The export's folder; else DIR-NAME.")
@click.option("--models", metavar="FOLDER", help="The folder with the model's files, for trainers that want them.")
@recipe_options
@click.option("--resume", is_flag=True, help="Go on with the run in OUT from what it saved last.")
@click.option("--detach", is_flag=True, help="Start, and return at once.")
@click.option("--attach", is_flag=True, help="Show the training that runs in OUT; Ctrl-C stops the showing only.")
@click.option("--stop", is_flag=True, help="Stop the training that runs in OUT, cleanly; twice: at once.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print machine-readable JSON: at the end, or with --detach at once."
)
def train(
    folder: Path,
    extra: tuple[str, ...],
    trainer: str | None,
    trainer_path: Path | None,
    python: Path | None,
    out: Path | None,
    models: str | None,
    resume: bool,
    detach: bool,
    attach: bool,
    stop: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Export DIR, train it with a trainer that is installed here, and show how it goes. Words after -- go to the trainer.

    The training runs on when the terminal is closed; Ctrl-C stops it cleanly. Exit code 1: the check refuses.
    """
    from fluxcap import screen, screen_train, training
    from fluxcap.errors import UsageError

    if sum((detach, attach, stop)) > 1:
        raise UsageError("--detach, --attach and --stop are three things", "name one")
    if not trainer and not (out and (attach or stop)):
        raise UsageError("no trainer is named", "for instance: --trainer ai-toolkit --trainer-path ~/ai-toolkit")
    place = (out or training.default_out(folder, trainer or "")).absolute()
    if stop:
        return _stop(place, as_json)
    if not attach:
        if not trainer_path or not trainer:
            raise UsageError("the trainer's folder is not named", f"name it: --trainer-path FOLDER-OF-{trainer}")
        if extra and not extra[0].startswith("-"):
            raise UsageError(f"'{extra[0]}' is one word too many", "words for the trainer come after --")
        begun = training.begin(
            folder,
            place,
            trainer=trainer,
            home=trainer_path,
            python=python,
            overrides=settings(options),
            models=models,
            extra=extra,
            resume=resume,
            progress=screen.progress("exporting pictures"),
        )
        if begun.job is None:
            screen_train.refused(begun, as_json=as_json)
            sys.exit(1)
        screen_train.begun(place, begun, quiet=as_json, detached=detach)
        if detach:
            return screen.json_out(screen_train.record(training.ending(place))) if as_json else None
    return _look_on(place, own=not attach, as_json=as_json)


COMMANDS = (train,)


def _stop(place: Path, as_json: bool) -> None:
    from fluxcap import screen, training
    from fluxcap.errors import FluxcapError
    from fluxcap.training.job import asked_to_stop

    hurry = asked_to_stop(place) is not None
    if not training.stop(place, "now" if hurry else "gently"):
        raise FluxcapError(f"no training runs in {place}", "name its folder: --out OUT")
    if as_json:
        return screen.json_out({"out": place.as_posix(), "asked": "now" if hurry else "gently"})
    click.echo("it ends now" if hurry else "asked it to end; it may save first. The same command again ends it at once")
    return None


def _look_on(place: Path, *, own: bool, as_json: bool) -> None:
    """Show a training to its end. Ctrl-C stops it where it was started here, once cleanly, twice at once."""
    from fluxcap import screen, screen_train, training
    from fluxcap.errors import FluxcapError

    presses, eye = 0, training.Watch(place)
    while True:
        try:
            screen_train.show(place, eye.looks(), own=own, quiet=as_json)
            break
        except KeyboardInterrupt:
            if not own:
                click.echo("\nthe training goes on; --attach shows it again, --stop ends it", err=True)
                return
            presses += 1
            training.stop(place, "gently" if presses == 1 else "now")
            click.echo("\nstopping; the trainer may save first. Ctrl-C again ends it at once", err=True)
    end = training.ending(place)
    if end is None:
        raise FluxcapError(
            f"no training ever ran in {place}", "start one with --trainer-path, or name its folder: --out"
        )
    if as_json:
        screen.json_out(screen_train.record(end))
    else:
        screen_train.ended(end)
    if end.status == "stopped":
        sys.exit(130)
    if end.status != "done":
        raise FluxcapError(screen_train.why(end), end.hint or f"the whole console lies in {end.log}")
