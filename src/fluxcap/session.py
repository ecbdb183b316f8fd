"""One folder at work: its settings, its store, its caption files, and the pictures found in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fluxcap.compose import Wording, styles
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.project import FILE, Known, Project, load
from fluxcap.sidecars import Captions
from fluxcap.store import Store
from fluxcap.tokens import target, targets
from fluxcap.types import ImageRef, Issue
from fluxcap.vocabulary import presets, slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A folder that is open; ``project`` is what its settings and the command line say together."""

    folder: Path
    project: Project
    store: Store
    captions: Captions

    @property
    def wording(self) -> Wording:
        """How its captions are worded; raises ``UsageError`` where no trigger word is set."""
        return wording(self.folder, self.project)


def settings(folder: Path, overrides: Mapping[str, object] | None = None) -> Project:
    """The settings of a folder of pictures; raises ``UsageError`` for one that is not there or for what does not fit."""
    try:
        there = folder.is_dir()
        what = "is a file, not a folder" if not there and folder.exists() else "is not there"
    except OSError as error:
        raise FluxcapError(f"{folder} cannot be read ({error.strerror})", "check the path and its rights") from error
    if not there:
        raise UsageError(f"{folder} {what}", "name the folder that holds the pictures")
    return load(folder, overrides, known())


def known() -> Known:
    """The names that settings may use."""
    attributes = (f"{row.id}.{one.id}" for row in slots().values() for one in row.attribute)
    return Known(presets=presets(), styles=styles(), targets=tuple(targets()), slots=(*slots(), *attributes))


def wording(folder: Path, project: Project) -> Wording:
    """How captions of these settings are worded; raises ``UsageError`` where no trigger word is set."""
    if not project.trigger:
        raise UsageError(
            "no trigger word is set",
            f'run: fluxcap caption {folder} --trigger ohwx, or add trigger = "ohwx" to {folder / FILE}',
        )
    return Wording(
        trigger=project.trigger,
        class_word=project.subject or ("style" if project.preset == "style" else ""),
        preset=project.preset,
        style=project.style or ("prose" if target(project.target).style == "sentences" else "natural"),
        phrasing=project.phrasing,
        pronouns=project.pronouns,
        tags=project.tags,
    )


@contextmanager
def opened(
    folder: Path, overrides: Mapping[str, object] | None = None, *, read_only: bool = False
) -> Iterator[Session]:
    """Open a folder of pictures, or only read what is known of it; errors as in ``settings``."""
    project = settings(folder, overrides)
    with Store(folder, read_only=read_only) as store:
        yield Session(folder=folder, project=project, store=store, captions=Captions(store, folder))


def with_words(text: str, words: Mapping[str, str]) -> str:
    """The text of a ``fluxcap.toml`` that lacks these settings, with them: in place of their example, else on top."""
    lines = text.splitlines(keepends=True)
    for key, value in reversed(list(words.items())):
        line = f"{key} = {json.dumps(value, ensure_ascii=False)}\n"  # what is printable is the same text in TOML
        places = [place for place, old in enumerate(lines) if old.startswith(f"# {key} = ")]
        top = next((place for place, old in enumerate(lines) if old.lstrip().startswith("[")), len(lines))
        if places and places[0] < top:
            lines[places[0]] = line
        else:
            lines.insert(0, line)
    return "".join(lines)


def home_of(picture: Path) -> tuple[Path, str]:
    """The set's folder of a picture, and its path in it: the nearest folder above that fluxcap has worked in."""
    picture = picture.absolute()
    try:
        there = picture.is_file()
    except OSError as error:
        raise FluxcapError(f"{picture} cannot be read ({error.strerror})", "check the path and its rights") from error
    if not there:
        raise UsageError(f"{picture} is not a file", "name a picture of the set")
    for folder in picture.parents:
        if (folder / ".fluxcap").is_dir():
            return folder, picture.relative_to(folder).as_posix()
    raise UsageError(f"fluxcap has not looked at {picture.name} yet", f"run: fluxcap caption {picture.parent}")


def find(folder: Path, project: Project) -> tuple[list[Path], list[Issue]]:
    """The usable picture files of the folder; two that share one caption file are named and left out."""
    from fluxcap import images

    issues: list[Issue] = []
    paths = images.find(folder, project.recursive, issues)
    paths = [path for path in paths if _is_text(path.relative_to(folder).as_posix(), issues)]
    names = [path.relative_to(folder) for path in paths]
    issues += images.sidecar_clashes(names)
    shared = {name for group in images.sharing_a_sidecar(names) for name in group}
    return [path for path, name in zip(paths, names, strict=True) if name not in shared], issues


def stored_images(session: Session) -> list[ImageRef]:
    """The pictures as the last look left them, without those that are gone; raises ``UsageError`` where there was none."""
    found = [image for image in session.store.images() if (session.folder / image.path).is_file()]
    if not found:
        raise UsageError(f"fluxcap has not looked at {session.folder} yet", f"run: fluxcap caption {session.folder}")
    return found


def _is_text(name: str, issues: list[Issue]) -> bool:
    """Whether a file's name is text; one that is not (raw bytes of another system's code page) is told."""
    from fluxcap.images import shown

    try:
        name.encode()
    except UnicodeEncodeError:
        message = f"{shown(name)} has a name that is not valid UTF-8; rename it"
        issues.append(Issue(code="IMG006", message=message, severity="error", path=shown(name)))
        return False
    return True
