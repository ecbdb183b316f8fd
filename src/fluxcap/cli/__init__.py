"""The command line: parse, call one stage, print. Bodies import what they need, so that ``--help`` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import click

from fluxcap import __version__
from fluxcap.cli import comfyui_commands, export_commands, models_group, train_commands
from fluxcap.cli.options import FOLDER, JSON, PICTURE, settings


@click.group(
    commands=(*export_commands.COMMANDS, *train_commands.COMMANDS, *comfyui_commands.COMMANDS),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="fluxcap")
def cli() -> None:
    """What exactly to caption for a FLUX LoRA: photos in, checked captions out."""


@cli.command()
@FOLDER
@settings
def init(folder: Path, **options: Any) -> None:
    """Write a commented fluxcap.toml into DIR."""
    from fluxcap.actions import init as begin

    click.echo(f"wrote {begin(folder, _from_here(folder, options))}")


@cli.command()
@FOLDER
@settings
@click.option("--rewrite", is_flag=True, help="Compose captions found at the first run anew; undo brings them back.")
@click.option("--from-tags", is_flag=True, help="Take tag lists beside the pictures as evidence; write sentences.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Try N pictures with the model, write nothing.")
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE", help="Keep the vision model's raw answers.")
@click.option("--replay", type=click.Path(path_type=Path), metavar="FILE", help="Take kept answers, ask no model.")
@click.option("--force", is_flag=True, help="Ask all sources again. What a person wrote is kept all the same.")
@click.option("--dry-run", is_flag=True, help="Show the captions, write none.")
@JSON
def caption(
    folder: Path,
    rewrite: bool,
    from_tags: bool,
    limit: int | None,
    record: Path | None,
    replay: Path | None,
    force: bool,
    dry_run: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Caption the pictures in DIR: one text file beside each picture."""
    from fluxcap import pipeline, screen
    from fluxcap.consult import Consulting

    options = _from_here(folder, options)
    asking = screen.progress("asking the vision model")
    consulting = Consulting(limit=limit, record=record, replay=replay, progress=asking, say=screen.tell)
    result = pipeline.caption(
        folder,
        options,
        rewrite=rewrite,
        force=force,
        dry_run=dry_run,
        from_tags=from_tags,
        consulting=consulting,
        progress=screen.progress("looking at pictures"),
    )
    if as_json:
        return screen.json_out(screen.result_record(result))
    if dry_run or limit:
        screen.captions(result)
    screen.result(result)
    if force and any(picture.author == "person" for picture in result.thought.pictures):
        screen.say("Captions that a person wrote were kept; to let one go: fluxcap release PICTURE")
    return None


@cli.command()
@FOLDER
@click.option("--bound", multiple=True, metavar="TRAIT", help="Leave this trait to the trigger word.")
@click.option("--free", multiple=True, metavar="TRAIT", help="Say this trait in the captions.")
@click.option("--auto", multiple=True, metavar="TRAIT", help="Let the set decide this trait.")
@click.option("--usual", multiple=True, metavar="TRAIT=VALUE", help="The usual value of a bound trait.")
@click.option("--dry-run", is_flag=True, help="Show what would change, change nothing.")
@JSON
def plan(
    folder: Path,
    bound: tuple[str, ...],
    free: tuple[str, ...],
    auto: tuple[str, ...],
    usual: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
) -> None:
    """Show the plan of DIR: what is bound, what is free, and why. Changes recompose all captions at once."""
    from fluxcap import pipeline, screen

    wished = dict(screen.pair(text) for text in usual)
    result = pipeline.plan(folder, bound=bound, free=free, auto=auto, usual=wished, dry_run=dry_run)
    if as_json:
        return screen.json_out(screen.plan_record(result))
    screen.plan(result)
    if bound or free or auto or usual:
        if dry_run:
            screen.changes(folder, result)
        else:
            screen.result(result)
    return None


@cli.command()
@FOLDER
@click.option(
    "--fix", is_flag=True, help="Show mechanical mends as a diff, write them after a yes; undo takes them back."
)
@click.option("--yes", is_flag=True, help="With --fix: write without asking.")
@JSON
def check(folder: Path, fix: bool, yes: bool, as_json: bool) -> None:
    """Check the captions in DIR as they stand. Exit code 1: something refuses training."""
    from fluxcap import pipeline, screen
    from fluxcap.check import refuses

    result = pipeline.check(folder)
    mends = pipeline.mends(result) if fix else ()
    outcomes: dict[str, str] = {}
    if (yes and mends) if as_json else (fix and screen.confirm_mends(mends, yes)):
        outcomes = dict(pipeline.fix(folder, mends))
        result = pipeline.check(folder)
    if as_json:
        screen.json_out(screen.result_record(result) | ({"mends": mends, "mended": outcomes} if fix else {}))
    else:
        if outcomes:
            screen.mended(outcomes)
        screen.issues(result.issues)
    if refuses(result.issues):
        sys.exit(1)


@cli.command()
@FOLDER
@JSON
def coverage(folder: Path, as_json: bool) -> None:
    """Show which angles, framings, expressions, lights, places and clothes DIR has, and what to take yet."""
    from fluxcap import actions, screen

    found = actions.coverage(folder)
    if as_json:
        screen.json_out(actions.coverage_record(found))
    else:
        screen.coverage(found)


@cli.command()
@FOLDER
@click.option("--most", type=click.IntRange(min=1), default=20, metavar="N", help="Show N captions (20).")
@JSON
def queue(folder: Path, most: int, as_json: bool) -> None:
    """List the captions of DIR that should be read first, worst first, with the reasons."""
    from fluxcap import actions, screen

    reviews = actions.queue(folder)
    if as_json:
        screen.json_out(reviews)
    else:
        screen.queue(reviews, most)


@cli.command()
@PICTURE
@JSON
def explain(picture: Path, as_json: bool) -> None:
    """Tell for each trait of PICTURE its value, who says so, the decision, and why."""
    from fluxcap import actions, screen

    thought, bindings = actions.explain(picture)
    if as_json:
        screen.json_out(actions.record(thought, bindings))
    else:
        screen.explain(thought, bindings)


@cli.command()
@FOLDER
def dump(folder: Path) -> None:
    """Print one JSON line per picture: caption and traits with their sources."""
    from fluxcap import actions, screen

    for record in actions.dump(folder):
        screen.json_out(record)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE.json")
@click.option("--style", default="natural", metavar="NAME", help="natural, classic or prose.")
@click.option(
    "--phrasing",
    default="fixed",
    type=click.Choice(["fixed", "varied"]),
    help="Equal wordings: the first, or taking turns.",
)
@JSON
def compose(file: Path, style: str, phrasing: Literal["fixed", "varied"], as_json: bool) -> None:
    """Compose one caption from {"trigger": ..., "traits": {trait: value}, "bound": [...]} in FILE.json ('-': standard input)."""
    from fluxcap import actions, screen

    composed = actions.compose_file(file, style=style, phrasing=phrasing)
    if as_json:
        screen.json_out(composed)
    else:
        click.echo(composed.text)


@cli.command()
@PICTURE
@JSON
def history(picture: Path, as_json: bool) -> None:
    """Show every version of PICTURE's caption, newest first."""
    from fluxcap import actions, screen

    versions = actions.history(picture)
    if as_json:
        screen.json_out(versions)
    else:
        screen.history(versions)


@cli.command()
@FOLDER
@JSON
def undo(folder: Path, as_json: bool) -> None:
    """Take back the last run in DIR as a whole."""
    from fluxcap import actions, screen

    undone = actions.undo(folder)
    if as_json:
        screen.json_out(undone)
    else:
        screen.undone(undone)


@cli.command()
@PICTURE
def release(picture: Path) -> None:
    """Let fluxcap write PICTURE's caption again, although a person wrote it."""
    from fluxcap import actions

    if actions.release(picture):
        click.echo(f"the next run may write the caption of {picture.name} anew; this text stays in its history")
    else:
        click.echo(f"fluxcap may write the caption of {picture.name} already")


@cli.command()
@JSON
def doctor(as_json: bool) -> None:
    """Find vision models' servers on this machine, test whether they see, and say what is missing."""
    from fluxcap import screen
    from fluxcap.doctor import doctor as examine

    health = examine(say=screen.tell)
    if as_json:
        screen.json_out(health)
    else:
        screen.health(health)


cli.add_command(models_group.models)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="[DIR]", default=Path("fluxcap-demo"))
def demo(folder: Path) -> None:
    """Copy the demo pictures into DIR (./fluxcap-demo) and caption them."""
    from fluxcap import actions, screen

    result = actions.demo(folder, progress=screen.progress("looking at pictures"))
    screen.captions(result)
    screen.result(result)


def _from_here(folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """The options with paths as ``fluxcap.toml`` has them, from DIR; on the command line they start where the person is."""
    import os

    tagger = options.pop("tagger_model", None)
    if tagger and os.path.isdir(tagger):  # noqa: PTH112 -- any text may come
        tagger = Path(tagger).resolve().as_posix()
    vlm = {f"vlm.{key}": options.pop(f"vlm_{key}", None) for key in ("url", "name")}
    options = {**options, "tagger.model": tagger, **vlm}
    named = options.get("captions")
    if not named or not os.path.isdir(named) or (folder / named).is_dir():  # noqa: PTH112 -- any text may come
        return options
    return {**options, "captions": Path(os.path.relpath(named, folder)).as_posix()}


def main() -> None:
    """The entry point: every error is one line and a hint; exit codes as in the docs."""
    output = sys.stdout
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    try:
        cli.main(prog_name="fluxcap", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted; the same command goes on where it stopped", err=True)
        sys.exit(130)
    except SystemExit:
        if (
            sys.stdout is not output
        ):  # click put a silent one in its place: nobody reads on (| head), which is no refusal
            sys.exit(0)
        raise
    except Exception as error:
        sys.exit(_tell(error))


def _tell(error: Exception) -> int:
    import errno
    import os
    import tempfile
    import traceback

    from fluxcap.errors import FluxcapError

    if isinstance(error, FluxcapError):
        click.echo(f"fluxcap: {error.message}", err=True)
        if error.hint:
            click.echo(f"hint: {error.hint}", err=True)
        return error.exit_code
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE):
        click.echo(f"fluxcap: {error.filename or 'the output'}: {error.strerror}", err=True)
        click.echo("hint: check the disk and its free space, then run the same command again", err=True)
        return 3
    if os.environ.get("FLUXCAP_DEBUG"):
        traceback.print_exc()
        return 4
    with tempfile.NamedTemporaryFile(
        "w", suffix=".txt", prefix="fluxcap-error-", delete=False, encoding="utf-8"
    ) as file:
        traceback.print_exc(file=file)
    click.echo(f"fluxcap: a bug: {type(error).__name__}: {error}; the traceback lies in {file.name}", err=True)
    return 4
