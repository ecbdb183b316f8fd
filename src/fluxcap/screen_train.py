"""What the command line prints of trainings: a panel that lives where there is a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fluxcap import screen
from fluxcap.images import shown

if TYPE_CHECKING:
    from fluxcap.runs import Progress
    from fluxcap.training import Begun, Ending, Seen

_LINE_EVERY = 30.0
"""Seconds between two lines where nobody watches live."""

_LONGEST = 300
"""Signs of a trainer's own words that are told."""

_STAGE = 100
"""... of what it does beside training."""

_NEWEST = 4
"""Samples that the panel names."""


def refused(begun: Begun, *, as_json: bool) -> None:
    """Why the check refuses the set."""
    from fluxcap import screen_export

    if as_json:
        screen.json_out(screen_export.export_record(begun.exported))
    else:
        screen_export.exported(begun.exported, dry_run=False)


def begun(place: Path, started: Begun, *, quiet: bool, detached: bool) -> None:
    """What was started, on standard error where the result is JSON."""
    job = started.job
    assert job is not None
    warnings = [one for one in started.exported.issues if one.severity != "note"]
    lines = [
        f"{shown(place.name)}: training with {job.title}, {job.steps} steps",
        f"  console   {shown(job.log)}",
        f"  output    {shown(job.run)}",
        *([f"  warnings of the check: {len(warnings)}; fluxcap check tells them"] if warnings else []),
        *(f"  {line}" for line in started.notices),
    ]
    if detached:
        lines.append(f"look on with: fluxcap train DIR --attach --out {shown(str(place))}")
    for line in lines:
        click.echo(line, err=quiet)


def show(place: Path, looks: Iterator[Seen], *, own: bool, quiet: bool) -> None:
    """Show each look until the training ends; progress goes to standard error."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal and not quiet:
        _live(console, place, looks, own)
    else:
        _lines(looks, quiet)


def ended(end: Ending) -> None:
    """How it ended, and where checkpoints and samples lie."""
    how = {"done": "trained", "stopped": "stopped", "failed": "failed", "lost": "ended, and nobody saw how"}
    at = f" at step {end.progress.step}" if end.progress else ""
    click.echo(f"{how.get(end.status, end.status)}{at}")
    for one in end.run.checkpoints:
        step = "step ?" if one.step is None else f"step {one.step}"
        known = {"log": " (the last step that the run tells)", "nothing": ""}.get(one.told_by, "")
        samples = end.run.samples_of(one)
        told = f", {len(samples)} samples" if samples else ""
        click.echo(f"  {step:<10} {_inside(end.run.folder, one.path)}{' (final)' if one.final else ''}{known}{told}")
    if not end.run.checkpoints:
        click.echo("  no checkpoint was saved")
    folders = sorted({one.path.parent for one in end.run.samples})
    for place in folders[:_NEWEST]:
        click.echo(f"  samples    {shown(str(place))}")
    click.echo(f"  console    {shown(str(end.log))}")


def why(end: Ending) -> str:
    """Why it failed, in one line."""
    if end.status == "lost":
        return f"the training ended without a word{': ' + end.reason if end.reason else ''}; go on with --resume"
    last = f"exit code {end.exit_code}" + (f": {end.words[:_LONGEST]}" if end.words else "")
    return f"the trainer failed: {shown(end.reason or last)}"


def record(end: Ending | None) -> dict[str, Any]:
    """A training as plain data."""
    if end is None:
        return {"status": "lost"}
    return {
        "status": end.status,
        "exit_code": end.exit_code,
        "reason": end.reason,
        "hint": end.hint,
        "last_lines": list(end.last) if end.status in ("failed", "lost") else [],
        "log": end.log.as_posix(),
        "trainer": end.run.trainer,
        "run": end.run.folder.as_posix(),
        "progress": _progress_record(end.progress),
        "checkpoints": [
            {
                "step": one.step,
                "path": one.path.as_posix(),
                "final": one.final,
                "told_by": one.told_by,
                "samples": [sample.path.as_posix() for sample in end.run.samples_of(one)],
            }
            for one in end.run.checkpoints
        ],
        "samples": [
            {"step": one.step, "prompt": one.prompt, "label": one.label, "path": one.path.as_posix()}
            for one in end.run.samples
        ],
    }


def duration(seconds: float) -> str:
    """'2 h 05 min', '7 min', '40 s'."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min"


def line(seen: Seen) -> str:
    """One look in one line."""
    made = seen.progress
    stage = shown(seen.stage)[:_STAGE]
    if made is None:
        return stage or seen.status
    parts = [f"step {made.step}" + (f" of {made.steps}" if made.steps else "")]
    if made.loss is not None:
        parts.append(f"loss {made.loss:.4f}")
    if made.rate:
        parts.append(f"{made.rate:.2f} steps/s" if made.rate >= 1 else f"{1 / made.rate:.1f} s/step")
    if made.left is not None and seen.status == "running":
        parts.append(f"{duration(made.left)} left")
    if stage and seen.status in ("running", "stopping"):
        parts.append(stage)
    return ", ".join(parts)


def _lines(looks: Iterator[Seen], quiet: bool) -> None:
    last, told = "", 0.0
    for seen in looks:
        for one in seen.checkpoints:
            click.echo(
                f"saved {'the final LoRA' if one.final else f'step {one.step}'}: {shown(f'{one.path.parent.name}/{one.path.name}')}",
                err=quiet,
            )
        if seen.samples:
            click.echo(f"samples of step {seen.samples[-1].step}: {len(seen.samples)}", err=quiet)
        now = line(seen)
        over = seen.status not in ("starting", "running", "stopping")
        if over and seen.progress is None:
            return  # why is told after this
        if now != last and (over or time.monotonic() - told >= _LINE_EVERY):
            click.echo(now, err=quiet)
            last, told = now, time.monotonic()


def _live(console: Any, place: Path, looks: Iterator[Seen], own: bool) -> None:
    from rich.live import Live

    samples: list[str] = []
    saved = ""
    with Live(console=console, refresh_per_second=4, transient=True) as live:
        for seen in looks:
            samples = [*samples, *(_inside(place, one.path) for one in seen.samples)][-_NEWEST:]
            saved = f"{seen.checkpoints[-1].path.name}" if seen.checkpoints else saved
            live.update(_panel(place, seen, samples, saved, own))


def _panel(place: Path, seen: Seen, samples: list[str], saved: str, own: bool) -> Any:
    from rich.panel import Panel
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    made = seen.progress
    rows: list[Any] = [Text(line(seen))]
    if made is not None and made.steps:
        rows.insert(0, ProgressBar(total=made.steps, completed=min(made.step, made.steps)))
    if saved:
        rows.append(Text(f"saved   {shown(saved)}"))
    rows += [Text(f"sample  {path}", overflow="fold") for path in samples]
    table = Table.grid()  # a bar alone ends no line
    for row in rows:
        table.add_row(row)
    foot = "Ctrl-C stops it; closing the terminal does not" if own else "Ctrl-C leaves it running"
    return Panel(table, title=Text(f"{shown(place.name)}: {seen.status}"), subtitle=Text(foot), title_align="left")


def _inside(folder: Path, path: Path) -> str:
    try:
        return shown(path.relative_to(folder).as_posix())
    except ValueError:
        return shown(str(path))


def _progress_record(made: Progress | None) -> dict[str, Any] | None:
    if made is None:
        return None
    return {"step": made.step, "steps": made.steps, "loss": made.loss, "rate": made.rate, "left": made.left}
