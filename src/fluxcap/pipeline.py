"""The main job from top to bottom; the only module that knows all stages."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap import observe, registry
from fluxcap import session as sessions
from fluxcap.check import mend
from fluxcap.consult import Consulting, consult, only
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.project import FILE, Project, change_plan_text, load, new_text
from fluxcap.session import Session, opened
from fluxcap.sidecars import Stock, read_text, same_text, sidecar_path
from fluxcap.textfiles import write_atomic
from fluxcap.think import Thought, think
from fluxcap.types import ImageRef, Issue
from fluxcap.vocabulary import looks_like_tags, parse_tags

if TYPE_CHECKING:
    from fluxcap.taggers import Tagger

REPORT = Path(".fluxcap") / "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a run did. ``outcomes`` go by the picture's path: written, unchanged or kept. ``notices`` are told to the person."""

    thought: Thought
    outcomes: Mapping[str, str]
    issues: tuple[Issue, ...]
    observed: int
    report: Path
    tagged: int = 0
    asked: int = 0
    notices: tuple[str, ...] = ()


def caption(
    folder: Path,
    overrides: Mapping[str, object] | None = None,
    *,
    rewrite: bool = False,
    force: bool = False,
    dry_run: bool = False,
    from_tags: bool = False,
    consulting: Consulting | None = None,
    progress: observe.Progress = lambda done, _: iter(done),
) -> Result:
    """Photos in, checked captions out: observe, resolve, bind, compose, write, check, report.

    Captions that a person wrote are kept, those found at the first run too unless ``rewrite``; ``force`` asks the sources
    anew; ``dry_run`` writes no caption. ``from_tags`` takes tag lists beside the pictures as evidence and writes sentences in
    their place. ``consulting`` is what is said of the vision model's turn; with a limit nothing is written, and only the
    pictures tried are shown. Raises ``FluxcapError`` for what the person can mend.
    """
    project = sessions.settings(folder, overrides)
    sessions.wording(folder, project)
    paths, issues = sessions.find(folder, project)
    if not paths and not issues:
        raise UsageError(f"there are no pictures in {folder}", "--recursive looks into its sub-folders too")
    with opened(folder, overrides) as session:
        from fluxcap.page import keep_thumbnail

        measurement, notices = _measurement()
        tagger, more = _tagger(folder, session.project)
        notices += more
        seen = observe.look(
            session.store,
            folder,
            paths,
            measurement,
            background=session.project.background,
            tagger=tagger,
            again=force,
            opened=partial(keep_thumbnail, folder),
            progress=progress,
        )
        session.store.forget_missing([image.path for image in seen.images])
        consulted = consult(session, seen.images, consulting or Consulting(), again=force)
        seen = replace(seen, images=tuple(only(consulted, seen.images)))
        notices += consulted.notices
        dry_run = dry_run or consulted.tried is not None
        stocks = session.captions.take_stock(seen.images)
        lists, told = _tag_lists(stocks) if from_tags else (frozenset(), [])
        issues += [*told, *_read_captions(session, seen.images, stocks, lists)]
        anew = frozenset(stocks) if rewrite else lists
        thought = think(session, seen.images, stocks, rewrite=anew)
        outcomes: Mapping[str, str] = {}
        if not dry_run:
            run = session.store.begin_run("caption")
            _keep_settings(session, run)
            outcomes = _write(session, run, thought, rewrite=anew)
            session.store.finish_run(run)
        found = (*issues, *seen.issues, *consulted.issues, *_notices_of(stocks), *thought.all_issues())
        return Result(
            thought=thought,
            outcomes=outcomes,
            issues=found,
            observed=seen.observed,
            tagged=seen.tagged,
            asked=consulted.asked,
            report=_write_report(session, thought, found, outcomes),
            notices=(*notices, *_only_now(folder, project)) if not dry_run else notices,
        )


def plan(
    folder: Path,
    *,
    bound: Sequence[str] = (),
    free: Sequence[str] = (),
    auto: Sequence[str] = (),
    usual: Mapping[str, str | None] | None = None,
    dry_run: bool = False,
) -> Result:
    """The plan of a set; a change of it is written to ``fluxcap.toml`` and recomposes all captions, asking no source."""
    changes = bool(bound or free or auto or usual)
    sessions.settings(folder)
    if changes:
        text = change_plan_text(
            read_text(folder / FILE) or "", sessions.known().slots, bound=bound, free=free, auto=auto, usual=usual
        )
    with opened(folder, read_only=True) as before:
        images = sessions.stored_images(before)
    overrides = {"plan.bound": bound or None, "plan.free": free or None, "plan.auto": auto or None}
    if usual:
        overrides["plan.usual"] = {**load(folder).plan.usual, **{slot: value for slot, value in usual.items() if value}}  # type: ignore[assignment]
    with opened(folder, overrides if changes else None, read_only=dry_run or not changes) as session:
        stocks = session.captions.take_stock(images)
        thought = think(session, images, stocks)
        outcomes: Mapping[str, str] = {}
        if changes and not dry_run:
            run = session.store.begin_run("plan")
            session.captions.write_settings(run, FILE, text)
            outcomes = _write(session, run, thought)
            session.store.finish_run(run)
        found = tuple(thought.all_issues())
        report = _write_report(session, thought, found, outcomes) if changes and not dry_run else folder / REPORT
        return Result(thought=thought, outcomes=outcomes, issues=found, observed=0, report=report)


def check(folder: Path, overrides: Mapping[str, object] | None = None) -> Result:
    """Check the captions as they stand in the folder against facts and plan, asking no source and writing nothing."""
    with opened(folder, overrides, read_only=True) as session:
        known = {image.path: image for image in sessions.stored_images(session)}
        deep = session.project.recursive or any("/" in path for path in known)  # as the last run looked
        paths, issues = sessions.find(folder, replace(session.project, recursive=deep))
        names = [path.relative_to(folder).as_posix() for path in paths]
        images = [known[name] for name in names if name in known]
        new = observe.unusable(folder, [path for path, name in zip(paths, names, strict=True) if name not in known])
        told = {issue.path for issue in new}
        new += [
            Issue(
                code="IMG012",
                message=f"{name} was not looked at yet; run: fluxcap caption {folder}",
                severity="warning",
                path=name,
            )
            for name in names
            if name not in known and name not in told
        ]
        stocks = session.captions.take_stock(images)
        missing = [
            Issue(
                code="CAP008",
                message=f"{sidecar_path(image)} is missing; run: fluxcap caption {folder}",
                severity="error",
                image_id=image.id,
                path=image.path,
            )
            for image in images
            if stocks[image.path].status == "absent"
        ]
        thought = think(session, images, stocks, as_it_stands=True)
        missing = [issue for issue in missing if issue.path not in thought.refused]
        found = (*issues, *new, *missing, *_stale(folder, thought), *_notices_of(stocks), *thought.all_issues())
        return Result(thought=thought, outcomes={}, issues=found, observed=0, report=folder / REPORT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What a caption would become by its mechanical mends; ``path`` is the picture's."""

    path: str
    before: str
    after: str


def mends(result: Result) -> tuple[Mend, ...]:
    """The mechanical mends of the captions that somebody else wrote; fluxcap's own are composed anew instead."""
    found = (
        Mend(path=one.image.path, before=one.text, after=mend(one.checked))
        for one in result.thought.pictures
        if one.kept and any(issue.fix is not None for issue in one.issues)
    )
    return tuple(one for one in found if one.after != one.before)


def fix(folder: Path, mended: Sequence[Mend]) -> Mapping[str, str]:
    """Write these mends as one run, which ``undo`` takes back; each caption keeps its author. What became of it, by path.

    A caption that is not any more what its mend was made from is kept.
    """
    with opened(folder) as session:
        images = {image.path: image for image in sessions.stored_images(session)}
        run = session.store.begin_run("check --fix")
        told = [(images[one.path], one.before, one.after) for one in mended if one.path in images]
        outcomes = session.captions.mend(run, told)
        session.store.finish_run(run)
        return outcomes


def _measurement() -> tuple[observe.Measurement | None, tuple[str, ...]]:
    from fluxcap.measure import missing_models

    if missing_models():
        return None, (
            "the measuring models are not here, so nothing is measured; to bring them: fluxcap models pull measure",
        )
    measurement: Callable[[], observe.Measurement] = registry.load("measurement", "embedded")
    return measurement(), ()


def _tagger(folder: Path, project: Project) -> tuple[Tagger | None, tuple[str, ...]]:
    """The tagger of the settings, opened and checked; where none is here, how to bring one."""
    from fluxcap.taggers import find_tagger, unavailable

    chosen = project.tagger
    if chosen.model == "none":
        return None, ()
    if chosen.model in registry.names("tagger") and chosen.model != "wd":  # another package's
        plugged: Tagger = registry.load("tagger", chosen.model)()
        return plugged, (f"tagger {plugged.name} runs on {plugged.provider}", *plugged.notices)
    beside = folder / chosen.model if chosen.model else None
    named = str(beside) if beside is not None and beside.is_dir() else chosen.model
    missing = unavailable(named)
    if missing and named:
        raise FluxcapError(f"the tagger {named} cannot be used: {missing}", 'or let tagger.model be "none"')
    found = None if missing else find_tagger(named)
    if found is None:
        return None, (f"no tags were looked at: {missing}",)
    tagger: Tagger = registry.load("tagger", "wd")(found, provider=chosen.provider, int8=chosen.int8)
    return tagger, (f"tagger {found.name} runs on {tagger.provider}", *tagger.notices)


def _tag_lists(stocks: Mapping[str, Stock]) -> tuple[frozenset[str], list[Issue]]:
    """The pictures whose caption file holds tags, by path; a file that does not is told and left as it is."""
    found = {
        path: stock for path, stock in stocks.items() if stock.status == "elsewhere" and (stock.text or "").strip()
    }
    lists = frozenset(path for path, stock in found.items() if parse_tags(stock.text or "").tags)
    sentences = [path for path in found if path not in lists or not looks_like_tags(found[path].text or "")]
    told = [
        Issue(
            code="CAP010",
            message=f"the caption of {path} is no list of tags; it stays as it is",
            severity="note",
            path=path,
        )
        for path in sentences
    ]
    return lists - frozenset(sentences), told


def _keep_settings(session: Session, run: int) -> None:
    """Later commands need the words of the captions: a ``fluxcap.toml`` is written, or completed with trigger and class word."""
    text = read_text(session.folder / FILE)
    if text is None:
        session.captions.write_settings(run, FILE, new_text(session.project))
        return
    kept = load(session.folder)
    missing = {
        key: value
        for key in ("trigger", "subject")
        if (value := getattr(session.project, key)) and getattr(kept, key) is None
    }
    if missing:
        session.captions.write_settings(run, FILE, sessions.with_words(text, missing))


def _read_captions(
    session: Session, images: Sequence[ImageRef], stocks: Mapping[str, Stock], lists: Collection[str] = ()
) -> list[Issue]:
    """Captions of others, beside the pictures and in the folder of ``captions``, become evidence."""
    beside = [(i, stocks[i.path].text or "") for i in images if stocks[i.path].status in ("person", "elsewhere")]
    tags = [(image, text) for image, text in beside if image.path in lists]
    observe.read_captions(session.store, "sidecar:beside", tags, 0.7, as_tags=True)
    sentences = [(image, text) for image, text in beside if image.path not in lists]
    observe.read_captions(session.store, "sidecar:beside", sentences, 0.7)
    if not session.project.captions:
        return []
    other = session.folder / session.project.captions
    if not other.is_dir():
        raise UsageError(f"{other} is not a folder", "captions names a folder with one text file per picture")
    issues: list[Issue] = []
    texts: list[tuple[ImageRef, str]] = []
    for image in images:
        try:
            text = read_text(other / sidecar_path(image))
        except FluxcapError as error:
            issues.append(Issue(code="CAP010", message=str(error), severity="warning", path=image.path))
        else:
            texts += [(image, text)] if text else []
    if images and not texts:
        message = f"no text in {other} has the name of a picture here, so nothing was read from it"
        issues.append(Issue(code="CAP010", message=message, severity="warning"))
    observe.read_captions(session.store, "sidecar:captions", texts, 0.7)
    return issues


def _write(session: Session, run: int, thought: Thought, *, rewrite: Collection[str] = ()) -> Mapping[str, str]:
    texts = [(picture.image, picture.caption.text) for picture in thought.pictures]
    return session.captions.write_all(run, texts, rewrite=rewrite)


def _write_report(session: Session, thought: Thought, issues: Sequence[Issue], outcomes: Mapping[str, str]) -> Path:
    from fluxcap.page import report_of
    from fluxcap.report import render

    path = session.folder / REPORT
    write_atomic(path, render(report_of(session.folder, thought, issues, outcomes)))
    return path


def _stale(folder: Path, thought: Thought) -> list[Issue]:
    """Captions that fluxcap wrote with other settings, or before it knew what it knows now."""
    old = [one.image.path for one in thought.pictures if not one.kept and not same_text(one.text, one.caption.text)]
    if not old:
        return []
    message = f"{len(old)} captions are not what the settings give now ({old[0]} is one); run: fluxcap caption {folder}"
    return [Issue(code="CAP011", message=message, severity="warning")]


def _only_now(folder: Path, project: Project) -> tuple[str, ...]:
    """Told where this run's settings are not those that other commands will find in the file."""
    if not (folder / FILE).exists():
        return ()
    kept = load(folder)
    other = [
        field.name
        for field in fields(Project)
        if field.name != "plan" and getattr(kept, field.name) != getattr(project, field.name)
    ]
    if not other:
        return ()
    return (f"in this run only: {', '.join(other)}; to keep it for plan and check, write it into {folder / FILE}",)


def _notices_of(stocks: Mapping[str, Stock]) -> list[Issue]:
    return [
        Issue(
            code="CAP010", message=stock.notice, severity="error" if stock.status == "unreadable" else "note", path=path
        )
        for path, stock in stocks.items()
        if stock.notice
    ]
