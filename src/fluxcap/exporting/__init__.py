"""From a checked set to a folder that a trainer reads: captions as they stand, pictures baked, configs rendered.

Exporters (``fluxcap.exporters``) render texts; everything that touches the disk is here. The dataset's folder has a hash of
its content in its name, so that a changed caption never meets what a trainer encoded of the old one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from fluxcap import pipeline, registry
from fluxcap import session as sessions
from fluxcap.check import refuses
from fluxcap.errors import UsageError
from fluxcap.exporters import Exporter, ExportImage, ExportSet, Places, Rendered, file_name, one_line, scripts
from fluxcap.exporters.readme import readme
from fluxcap.exporting.findings import caption_issues
from fluxcap.exporting.folder import Manifest, opened, refuse_foreign, whole
from fluxcap.exporting.naming import safe_stems
from fluxcap.exporting.pictures import Source, dataset_hash, look, write_pictures
from fluxcap.observe import Progress
from fluxcap.project import Project
from fluxcap.recipe import recipe
from fluxcap.samples import sample_prompts
from fluxcap.think import Thought
from fluxcap.tokens import Target, target, targets
from fluxcap.types import Issue, SamplePrompt

__all__ = ["MODELS", "RUN", "Exported", "Manifest", "export", "served", "whole"]

MODELS = "/path/to/models"
"""Stands where the person named no folder with the model's files."""

RUN = "run"
"""The trainer's folder in an export."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What an export did, or would do. ``outcomes`` goes by the file's path in ``out``; empty where ``refused`` or tried only.

    ``issues`` are those of the check and of the export; ``manifest`` is None where nothing was written.
    """

    out: Path
    trainer: str
    given: ExportSet | None
    rendered: Rendered | None
    issues: tuple[Issue, ...]
    refused: bool
    outcomes: Mapping[str, str] = field(default_factory=dict)
    manifest: Manifest | None = None
    notices: tuple[str, ...] = ()


def export(
    folder: Path,
    out: Path,
    *,
    trainer: str,
    overrides: Mapping[str, object] | None = None,
    crop: float | None = None,
    models: str | None = None,
    dry_run: bool = False,
    progress: Progress = lambda done, _: iter(done),
) -> Exported:
    """Export a set for a trainer into ``out``, a new folder or one that an export made; what is good there stays.

    Nothing is written where the check refuses the set (``refused``), nor with ``dry_run``. ``crop`` is the shape that
    pictures are cut to, width by height; ``models`` the folder with the model's files. Raises ``UsageError`` for an unknown
    trainer, a target that it does not serve, and a folder that holds something else.
    """
    exporter: Exporter = registry.load("exporter", trainer)()
    project = sessions.settings(folder, overrides)
    aim = served(project.target, exporter)
    out = out.absolute()
    _refuse_place(folder, out)
    refuse_foreign(out)
    checked = pipeline.check(folder, overrides)
    thought = checked.thought
    issues = [*checked.issues, *caption_issues(thought, project.trigger or "", aim)]
    sources: list[Source] = []
    if not refuses(issues):
        sources, found = look(folder, thought, safe_stems([one.image.path for one in thought.pictures]), crop, progress)
        issues += found
    if refuses(issues) or not sources:
        return Exported(out=out, trainer=trainer, given=None, rendered=None, issues=tuple(issues), refused=True)
    images, sources = _images(thought, sources)
    texts = exporter.texts(images, aim)
    dataset = f"dataset-{dataset_hash(sources, texts, exporter.images, crop, project.background)}"
    given = ExportSet(
        name=file_name(project.trigger or folder.name),
        trigger=one_line(project.trigger or ""),
        class_word=project.subject or "",
        images=images,
        recipe=recipe(len(images), project.preset, project.recipe),
        target=aim,
        samples=_samples(folder, project, thought),
        places=_places(out, dataset, models),
    )
    rendered = exporter.render(given)
    renamed = {source.file: source.path for source in sources if Path(source.path).name != source.file}
    files = {
        **rendered.files,
        **scripts(rendered.commands, exporter.home),
        "README.md": readme(exporter, given, rendered, renamed),
    }
    done = Exported(out=out, trainer=trainer, given=given, rendered=rendered, issues=tuple(issues), refused=False)
    if dry_run:
        return done
    outcomes: dict[str, str] = {}
    with opened(out) as place:
        place.make_folder(dataset)
        outcomes |= write_pictures(
            place, folder, dataset, sources, texts, exporter.images, crop, project.background, progress
        )
        outcomes |= {path: place.put_text(path, text) for path, text in files.items()}
        manifest = Manifest(
            trainer=trainer,
            target=aim.id,
            dataset=dataset,
            files={path: place.entries[path] for path in sorted(outcomes)},
            pictures={source.file: source.path for source in sources},
        )
        place.finish(manifest)
    return replace(done, outcomes=outcomes, manifest=manifest, notices=tuple(_notices(out, dataset, outcomes, sources)))


def served(target_id: str, exporter: Exporter) -> Target:
    """The target, where the trainer serves it; ``UsageError`` names the trainers that do."""
    aim = target(target_id)
    if exporter.neutral or exporter.name in aim.trainers:
        return aim
    neutral = [name for name in registry.names("exporter") if registry.load("exporter", name).neutral]
    if not aim.trainers:
        told = f"no trainer serves {aim.name} yet; for its captions alone: --trainer {' or '.join(neutral)}"
    else:
        told = f"trainers that do: {', '.join(aim.trainers)}; or one of these targets: " + ", ".join(
            one.id for one in targets().values() if exporter.name in one.trainers
        )
    raise UsageError(f"{exporter.name} does not train {aim.name}", told)


def _refuse_place(folder: Path, out: Path) -> None:
    home = folder.absolute().resolve()
    if out.resolve() == home or home in out.resolve().parents:
        raise UsageError(
            f"{out} lies in the folder of pictures",
            "name a folder outside of it, so that its copies are not taken for pictures",
        )
    if "${" in str(out):
        raise UsageError(f"{out} holds '${{', which ai-toolkit expands", "name another folder")


def _images(thought: Thought, sources: Sequence[Source]) -> tuple[tuple[ExportImage, ...], list[Source]]:
    """The pictures in the order of their stems, whatever the order they were found in."""
    said = {one.image.path: one for one in thought.pictures}
    ordered = sorted(sources, key=lambda source: source.stem)
    images = tuple(
        ExportImage(
            stem=source.stem,
            file=source.file,
            caption=one_line(said[source.path].text),
            clip=one_line(said[source.path].caption.clip),
            t5=one_line(said[source.path].caption.t5),
            width=source.baking.width,
            height=source.baking.height,
        )
        for source in ordered
    )
    return images, ordered


def _samples(folder: Path, project: Project, thought: Thought) -> tuple[SamplePrompt, ...]:
    traits = [one.traits for one in thought.pictures]
    return sample_prompts(traits, thought.bindings, sessions.wording(folder, project))


def _places(out: Path, dataset: str, models: str | None) -> Places:
    at = out.as_posix()
    named = Path(models).expanduser().absolute().as_posix() if models else MODELS
    return Places(export=at, dataset=f"{at}/{dataset}", output=f"{at}/{RUN}", models=named)


def _notices(out: Path, dataset: str, outcomes: Mapping[str, str], sources: Sequence[Source]) -> Iterator[str]:
    kept = sum(source.baking.kept for source in sources)
    yield (
        f"{kept} of {len(sources)} pictures keep their very bytes; the others were made upright, sRGB, without transparency, "
        "or cropped"
        if kept < len(sources)
        else f"all {kept} pictures keep their very bytes"
    )
    for path, outcome in outcomes.items():
        if outcome == "kept":
            new = Path(path)
            told = (
                f"; the new one is {new.stem}.new{new.suffix}" if (out / f"{new.stem}.new{new.suffix}").exists() else ""
            )
            yield f"{path} was changed by hand and stays{told}"
    older = sorted(entry.name for entry in out.glob("dataset-*") if entry.is_dir() and entry.name != dataset)
    if older:
        yield f"older pictures and captions: {', '.join(older)}; delete them when no training uses them"
