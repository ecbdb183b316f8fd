"""Which pictures a folder holds, in one order everywhere."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.errors import FluxcapError
from fluxcap.images.told import reason, shown, unreadable
from fluxcap.types import Issue

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".png", ".webp", ".avif", ".heic", ".heif", ".tif", ".tiff", ".bmp", ".gif"}
)
"""What counts as a picture in a folder. Opening goes by the content, never by the name."""


def find(folder: Path, recursive: bool, issues: list[Issue] | None = None) -> list[Path]:
    """All pictures of a folder, by suffix, in natural order (``img2`` before ``img10``), the same on every system.

    Hidden files and folders are left out. A subfolder that cannot be listed is added to ``issues``; without that list it
    is raised, as an unreadable ``folder`` always is.
    """
    root = Path(folder)
    try:
        real_root = root.resolve(strict=True)
        found = _pictures_in(root)
    except OSError as error:
        raise FluxcapError(
            f"the folder {shown(str(folder))} cannot be read ({reason(error)})", "check the path and its permissions"
        ) from error
    pictures, folders = found
    seen = {real_root}
    while recursive and folders:
        below = folders.pop()
        try:
            if below.is_symlink():
                real = below.resolve(strict=True)
                if real in seen or real.is_relative_to(real_root):
                    continue  # it is visited under its own name, or would lead in a circle
                seen.add(real)
            more, deeper = _pictures_in(below)
        except (OSError, RuntimeError) as error:
            problem = unreadable(below.relative_to(root).as_posix(), error)
            if issues is None:
                raise problem from error
            issues.append(
                Issue(
                    code=problem.code, message=str(problem), severity="error", path=below.relative_to(root).as_posix()
                )
            )
            continue
        pictures += more
        folders += deeper
    return sorted(pictures, key=lambda path: natural_key(path.relative_to(root).as_posix()))


def _pictures_in(folder: Path) -> tuple[list[Path], list[Path]]:
    """The pictures and the folders right in this folder."""
    pictures, folders = [], []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith(".") or _is_hidden(entry):
                continue
            if _is_folder(entry):
                folders.append(folder / entry.name)
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:  # noqa: PTH122 -- the name is not a path yet
                pictures.append(folder / entry.name)
    return pictures, folders


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link in a circle: named .jpg it is told when it is opened


def _is_hidden(entry: os.DirEntry[str]) -> bool:
    """Windows keeps 'hidden' as an attribute."""
    if os.name != "nt":
        return False
    attributes = getattr(entry.stat(follow_symlinks=False), "st_file_attributes", 0)
    return bool(attributes & stat.FILE_ATTRIBUTE_HIDDEN)


def natural_key(path: str) -> tuple[object, ...]:
    """Sort key of a relative path: folder by folder, numbers by value, letters without case; then the exact name."""

    def part_key(part: str) -> tuple[tuple[int, int, str], ...]:
        pieces = re.split(r"([0-9]+)", unicodedata.normalize("NFC", part).casefold())
        return tuple((0, int(p), "") if n % 2 else (1, 0, p) for n, p in enumerate(pieces) if p)

    return (tuple(part_key(part) for part in path.split("/")), path)


def sharing_a_sidecar(paths: Iterable[Path]) -> list[list[Path]]:
    """Groups of pictures that would share one caption file: ``a.jpg`` and ``a.png``, also where only case or Unicode form differ."""
    groups: dict[str, list[Path]] = {}
    for path in paths:
        key = unicodedata.normalize("NFC", path.with_suffix("").as_posix())
        groups.setdefault(unicodedata.normalize("NFC", key.casefold()), []).append(path)
    return [group for group in groups.values() if len(group) > 1]


def sidecar_clashes(paths: Iterable[Path]) -> list[Issue]:
    """One issue for each group of pictures that would share one caption file."""
    return [
        Issue(
            code="IMG009",
            severity="error",
            path=group[0].as_posix(),
            message=f"{_listed(group)} would share one caption file ({shown(group[0].stem)}.txt); "
            f"rename {shown(group[-1].name)} or take it out of the folder",
        )
        for group in sharing_a_sidecar(paths)
    ]


def _listed(paths: list[Path]) -> str:
    names = [shown(path.name) for path in paths]
    return f"{', '.join(names[:-1])} and {names[-1]}"
