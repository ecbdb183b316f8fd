"""What the command line prints: results to standard output, progress to standard error."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fluxcap.english import spoken
from fluxcap.errors import UsageError
from fluxcap.translate import NAMES, TAGS, unpacked
from fluxcap.types import Binding, Issue

if TYPE_CHECKING:
    from fluxcap.coverage import Cell, Coverage
    from fluxcap.doctor import Health
    from fluxcap.pipeline import Mend, Result
    from fluxcap.proposals import Proposal
    from fluxcap.review import Review
    from fluxcap.sidecars import Undone
    from fluxcap.store import Change
    from fluxcap.think import PictureThought

_SHOWN_ISSUES = 40
LISTS = {TAGS: "tags", NAMES: "recognised, and never said,"}
_COLOURS = {"error": "red", "warning": "yellow", "note": "blue"}


def say(text: str) -> None:
    """One line for the person."""
    click.echo(text)


def tell(text: str) -> None:
    """One line for the person beside the results, on standard error."""
    click.echo(text, err=True)


def json_out(value: object) -> None:
    """One line of JSON."""
    from fluxcap.codec import encode_json, to_builtins

    click.echo(encode_json(to_builtins(value)))


def pair(text: str) -> tuple[str, str]:
    """'hair=long blonde hair' as slot and value; raises ``UsageError``."""
    slot_id, sign, value = text.partition("=")
    if not sign or not value.strip():
        raise UsageError(f"--usual {text} is not TRAIT=VALUE", "for instance: --usual 'hair=long blonde hair'")
    return slot_id.strip(), value.strip()


def progress(title: str) -> Any:
    """A progress bar with rate and time left, on standard error; silent where nobody watches."""

    def shown(done: Iterable[None], total: int) -> Iterator[None]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        if not total or not console.is_terminal:
            yield from done
            return
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console) as bar:
            task = bar.add_task(title, total=total, rate="")
            for one in done:
                speed = bar.tasks[0].finished_speed or bar.tasks[0].speed
                bar.update(task, advance=1, rate=f"{speed:.1f}/s" if speed else "")
                yield one

    return shown


def result(done: Result) -> None:
    """The table of a run, its worst issues, and where the report lies."""
    from fluxcap.page import summary

    _rows(summary(done.thought, done.issues, done.outcomes))
    issues(done.issues, most=12)
    for notice in done.notices:
        click.echo(notice)
    click.echo(f"report: {_shown(done.report)}")


def issues(found: Sequence[Issue], most: int = _SHOWN_ISSUES) -> None:
    """Issues by kind, then one line each, worst first."""
    from fluxcap.check import SEVERITY_ORDER

    if not found:
        click.echo("no issues")
        return
    kinds = Counter((issue.code, issue.severity) for issue in found)
    click.echo("issues: " + ", ".join(f"{code} {number}×" for (code, _), number in sorted(kinds.items())))
    worst = sorted(found, key=lambda issue: (SEVERITY_ORDER[issue.severity], issue.path or ""))
    for issue in worst[:most]:
        name = _shown(issue.path or "")
        where = f"{name}: " if name and not issue.message.startswith(name) else ""
        click.echo(
            f"  {click.style(issue.severity, fg=_COLOURS[issue.severity])} {issue.code} {where}{_shown(issue.message)}"
        )
    if len(worst) > most:
        click.echo(f"  and {len(worst) - most} more: fluxcap check DIR --json, or the report")


def captions(done: Result) -> None:
    """Each picture with its caption."""
    for picture in done.thought.pictures:
        click.echo(f"{click.style(_shown(picture.image.path), bold=True)}\n  {picture.text}")
    click.echo()


def changes(folder: Path, done: Result) -> None:
    """What captions would become, word by word."""
    from fluxcap.sidecars import read_text, sidecar_path

    changed = 0
    for picture in done.thought.pictures:
        path = sidecar_path(picture.image)
        before = read_text(folder / path) or ""
        if before.strip() != picture.text.strip():
            changed += 1
            click.echo(
                f"{click.style(_shown(path), bold=True)}\n  {difference(_line(before.strip()), _line(picture.text.strip()))}"
            )
    click.echo(f"{changed} of {len(done.thought.pictures)} captions would change")


def difference(before: str, after: str) -> str:
    """The text after, with what went in [-...-] and what came in {+...+}, in red and green where colours are shown."""
    import difflib
    import re

    old, new = (re.findall(r"\S+\s*", text) for text in (before, after))
    pieces: list[str] = []
    for kind, start, stop, begin, end in difflib.SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        gone, came = "".join(old[start:stop]), "".join(new[begin:end])
        if kind == "equal":
            pieces.append(came)
            continue
        if gone:
            pieces.append(click.style(f"[-{gone.rstrip()}-]", fg="red") + " ")
        if came:
            pieces.append(click.style(f"{{+{came.rstrip()}+}}", fg="green") + " ")
    return "".join(pieces).rstrip()


def _line(text: str) -> str:
    """A text on one line, with its line breaks and other signs that a terminal would obey shown as such."""
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text)


def confirm_mends(mended: Sequence[Mend], yes: bool) -> bool:
    """Show mends word by word, and whether they are to be written: ``yes``, or the person says so; nobody there says no."""
    from pathlib import PurePosixPath

    for one in mended:
        name = _shown(PurePosixPath(one.path).with_suffix(".txt").as_posix())
        click.echo(
            f"{click.style(name, bold=True)}\n  {difference(_line(one.before.strip()), _line(one.after.strip()))}"
        )
    if not mended:
        click.echo("there is nothing that can be mended without a person")
        return False
    if yes:
        return True
    if not sys.stdin.isatty():
        click.echo(f"{len(mended)} captions can be mended; nothing was written: --yes writes without asking")
        return False
    return click.confirm(f"write {len(mended)} mended captions?")


def mended(outcomes: Mapping[str, str]) -> None:
    """What became of mends."""
    written = sum(outcome == "written" for outcome in outcomes.values())
    click.echo(f"{written} captions mended; to take it back: fluxcap undo DIR")
    for path, outcome in outcomes.items():
        if outcome == "kept":
            click.echo(f"  kept {_shown(path)}: it was changed meanwhile")


def plan(done: Result) -> None:
    """The plan as a table, then what else could be decided."""
    rows = done.thought.proposals()
    _table(
        ("trait", "plan", "usual", "by", "why"),
        [(one.slot, _planned(one), spoken(one.usual or ""), one.by, one.reason) for one in rows if one.statistics],
    )
    unseen = [f"{one.slot} ({one.decision})" for one in rows if not one.statistics]
    if unseen:
        click.echo(f"nobody saw: {', '.join(unseen)}\n")
    for one in rows:
        if one.suggestion:
            click.echo(f"{one.slot}: {one.suggestion}")


def _planned(one: Proposal) -> str:
    other = [name for name, decision in one.parts.items() if decision != one.decision]
    return (
        f"{one.decision}, {', '.join(other)} {'bound' if one.decision == 'free' else 'free'}" if other else one.decision
    )


def coverage(found: Coverage) -> None:
    """The matrix, the wishes, and what follows from them."""
    from fluxcap.coverage import size, told

    click.echo(f"{size(found)}, preset {found.preset}\n")
    if any(cell.pictures or cell.wanted for row in found.matrix for cell in row.cells):
        columns = (cell.column.replace(" ", "\n").replace("-", "-\n") for cell in found.matrix[0].cells)
        _table(("", *columns), [(row.value, *map(_cell, row.cells)) for row in found.matrix])
        click.echo("+ : more are wanted there\n")
    rows = [
        (
            one.name,
            str(one.have),
            str(one.want or ""),
            str(one.missing or "") if one.told else "not told",
            str(one.over or ""),
            str(len(one.perhaps) or ""),
        )
        for one in found.haves
    ]
    if rows:
        _table(("wish", "have", "want", "missing", "over-full", "not known"), rows)
    for heading, lines in told(found):
        if lines:
            click.echo(click.style(heading, bold=True))
            for line in lines:
                click.echo(f"  {_shown(line)}")


def queue(reviews: Sequence[Review], most: int) -> None:
    """The captions to read first, each with its reasons."""
    first = [one for one in reviews if one.reasons][:most]
    for place, one in enumerate(first, 1):
        click.echo(f"{place:>3}  {click.style(_shown(one.path), bold=True)}\n     {_shown(one.text.strip())}")
        for reason in one.reasons:
            click.echo(f"     - {_shown(reason.text)}")
    rest = sum(1 for one in reviews if one.reasons) - len(first)
    none = sum(1 for one in reviews if not one.reasons)
    more = f"{rest} more have reasons (--most {len(first) + rest}); " if rest else ""
    click.echo(f"{more}{none} of {len(reviews)} captions have no reason to be read before others")


def _cell(cell: Cell) -> str:
    return f"{len(cell.pictures) or ''}{'+' if cell.wanted else ''}" or "·"


def explain(thought: PictureThought, bindings: Mapping[str, Binding]) -> None:
    """Caption, traits with sources and decisions, and issues of one picture."""
    click.echo(thought.text + "\n")
    rows, unseen = [], []
    for slot_id, verdict in thought.verdicts.items():
        trait = thought.traits.get(slot_id)
        if slot_id == "trigger":
            continue
        if not any(claim.slot == slot_id for claim in thought.evidence):
            unseen.append(f"{slot_id} ({bindings[slot_id].decision})")
            continue
        heard = [f"{e.source} {e.confidence:.0%}: {spoken(e.value)}" for e in thought.evidence if e.slot == slot_id]
        against = f" (but: {', '.join(trait.conflict)})" if trait and trait.conflict else ""
        sources = "; ".join(heard) + against
        rows.append((slot_id, spoken(trait.value) if trait else "", sources, verdict.outcome, verdict.reason))
    _table(("trait", "value", "sources", "decision", "why"), rows)
    for claim in thought.evidence:
        if claim.slot in LISTS and claim.value:
            scored = claim.source.startswith("tagger")
            told = ", ".join(f"{tag} {score:.2f}" if scored else tag for tag, score in unpacked(claim.value))
            click.echo(f"{LISTS[claim.slot]} of {claim.source}: {told}\n")
    if unseen:
        click.echo(f"no source saw, so nothing is said of: {', '.join(unseen)}\n")
    if thought.issues:
        issues(thought.issues)


def health(found: Health) -> None:
    """What is here to look with, what is not, and the lines for ``fluxcap.toml``."""
    for server in found.servers:
        click.echo(_shown(server))
    told = {True: "sees", False: "does not see", None: "not tried, or no answer"}
    for sight in found.models:
        click.echo(f"  {_shown(sight.model)}: {told[sight.sees]}")
    for line in found.missing:
        click.echo(line)
    if found.config:
        click.echo(f"\nfor fluxcap.toml:\n\n{found.config}")


def history(versions: Sequence[Change]) -> None:
    """The versions of one caption, newest first."""
    if not versions:
        click.echo("there is no version of this caption yet")
    for version in versions:
        click.echo(
            f"{version.at}  {version.author}\n  {version.after if version.after is not None else '(no caption)'}"
        )


def undone(done: Undone | None) -> None:
    """What an undo did."""
    if done is None:
        click.echo("there is nothing left to take back")
        return
    click.echo(f"took back: {done.command} ({len(done.restored)} texts restored, {len(done.removed)} files removed)")
    for path in done.kept:
        click.echo(f"  kept {_shown(path)}: a person changed it since")


def result_record(done: Result) -> dict[str, object]:
    """A run as plain data."""
    return {
        "images": len(done.thought.pictures),
        "observed": done.observed,
        "tagged": done.tagged,
        "asked": done.asked,
        "not_believed": dict(done.thought.unheard),
        "written": sum(outcome == "written" for outcome in done.outcomes.values()),
        "kept": sum(picture.kept for picture in done.thought.pictures),
        "captions": {picture.image.path: picture.text for picture in done.thought.pictures},
        "issues": list(done.issues),
        "notices": list(done.notices),
        "report": _shown(done.report),
    }


def plan_record(done: Result) -> dict[str, object]:
    """The plan as plain data."""
    thought = done.thought
    return {
        "bindings": list(thought.bindings.values()),
        "proposals": thought.proposals(),
        "issues": list(done.issues),
        "captions": {picture.image.path: picture.text for picture in thought.pictures},
    }


def _shown(name: str | Path) -> str:
    """A name fit for one line of any terminal."""
    from fluxcap.images import shown

    return shown(str(name))


def _rows(rows: Sequence[tuple[str, str]]) -> None:
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:<{width}}  {value:>6}")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*head, box=box.SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    console.print(table)
