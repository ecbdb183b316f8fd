"""What the command line prints of exports and recipes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from fluxcap import screen
from fluxcap.exporters import shell
from fluxcap.exporters.formats import number

if TYPE_CHECKING:
    from fluxcap.exporting import Exported
    from fluxcap.exporting.advice import Advice

_GB = 1e9


def exported(done: Exported, *, dry_run: bool) -> None:
    """What was written, what is to be replaced, and the command that trains."""
    if done.issues:
        screen.issues(done.issues, most=12)
    if done.refused or done.given is None or done.rendered is None:
        click.echo("nothing was exported; mend what is told as an error, then export again")
        return
    if dry_run:
        files = sorted(done.rendered.files)
        click.echo(
            f"would write {len(done.given.images)} pictures with captions and {', '.join([*files, 'README.md'])}"
        )
    else:
        counts = Counter(done.outcomes.values())
        told = ", ".join(
            f"{counts[kind]} {kind}" for kind in ("written", "unchanged", "linked", "kept") if counts[kind]
        )
        click.echo(f"{done.out}: {told}")
    made = done.given.recipe
    click.echo(
        f"{len(done.given.images)} pictures, {made.steps} steps ({made.passes:.0f} passes), dim {made.dim}, "
        f"learning rate {number(made.learning_rate)}, for {done.given.target.name}"
    )
    for line in (*done.notices, *done.rendered.notes):
        click.echo(line)
    for placeholder in done.rendered.placeholders:
        click.echo(f"replace {placeholder}: the folder with the model's files, or export again with --models FOLDER")
    commands = [shell(command) for command in done.rendered.commands]
    if commands:
        home = _exporter_home(done.trainer)
        click.echo(f"\nto train, in {home}:\n\n" + "\n".join(commands))


def export_record(done: Exported) -> dict[str, object]:
    """An export as plain data."""
    given, rendered = done.given, done.rendered
    return {
        "out": done.out.as_posix(),
        "trainer": done.trainer,
        "refused": done.refused,
        "issues": list(done.issues),
        "target": given.target.id if given else None,
        "dataset": given.places.dataset if given else None,
        "images": len(given.images) if given else 0,
        "recipe": given.recipe if given else None,
        "samples": list(given.samples) if given else [],
        "files": sorted(rendered.files) if rendered else [],
        "commands": [{"argv": list(one.argv), "env": dict(one.env)} for one in rendered.commands] if rendered else [],
        "placeholders": list(rendered.placeholders) if rendered else [],
        "outcomes": dict(Counter(done.outcomes.values())),
        "notices": [*done.notices, *(rendered.notes if rendered else ())],
    }


def advice(told: Advice) -> None:
    """The recipe, what it costs, the two ways, the sizes and the sample prompts."""
    made = told.recipe
    click.echo(f"{made.images} pictures, {told.target}")
    click.echo(f"  steps           {made.steps} ({made.length}): {told.passes:.1f} passes over each picture")
    click.echo(
        f"  learning rate   {number(made.learning_rate)}, dim {made.dim}, alpha {made.alpha}, batch {made.batch}"
    )
    click.echo(f"  resolutions     {', '.join(map(str, made.resolutions))} together, seed {made.seed}")
    steps = ", ".join(map(str, told.checkpoints[:12])) + (" ..." if len(told.checkpoints) > 12 else "")
    click.echo(f"  checkpoints     {len(told.checkpoints)}: {steps}")
    if told.checkpoint_bytes:
        all_of_them = told.checkpoint_bytes * len(told.checkpoints)
        click.echo(
            f"  disk            about {told.checkpoint_bytes / 1e6:.0f} MB each, {all_of_them / _GB:.1f} GB together"
        )
    if told.seconds is not None:
        hours, minutes = divmod(round(told.seconds / 60), 60)
        click.echo(f"  time            {hours} h {minutes:02} min, without the samples")
    else:
        click.echo("  time            tell your card's steps a second: --rate 0.5")
    for trainer, count in told.counted.items():
        click.echo(f"  {trainer}: {count}")
    click.echo("\nTwo ways to a length:")
    for way in told.ways:
        low, high = way.passes
        click.echo(f"  {way.name:<12}{way.low} to {way.high} steps, {low:.0f} to {high:.0f} passes ({way.source})")
    click.echo(f"  {told.disagreement}")
    click.echo("\nSizes:")
    for size in told.sizes:
        click.echo(f"  dim {size.dim}, alpha {size.alpha}: {size.about} ({size.source})")
    click.echo("\nSample prompts:")
    for sample in told.samples:
        click.echo(f"  {sample.name}: {sample.text}")
    for notice in told.notices:
        click.echo(notice)


def _exporter_home(name: str) -> str:
    from fluxcap import registry

    return str(registry.load("exporter", name).home)
