"""Small text files: read whatever encoding they come in, written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from fluxcap.errors import FluxcapError

_TEMPORARY = ".fluxcap-*.tmp"
"""No trainer takes such a file for a caption or a picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A text file's whole text, without BOM, and a notice where it was not plain UTF-8."""

    text: str
    notice: str = ""


def read(path: Path) -> Reading | None:
    """The file's text, None where there is no file; UTF-8, UTF-16 or cp1252.

    Raises ``FluxcapError`` where it is a folder, may not be read, or is not text.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        if path.is_dir():
            raise FluxcapError(f"{path.name} is a folder, not a caption file", "move it away or rename it") from error
        raise FluxcapError(
            f"{path.name} cannot be read: {error.strerror or error}", "check the file's rights"
        ) from error
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    elif b"\0" in data:
        encodings = ["utf-16-le" if data.find(b"\0") % 2 else "utf-16-be"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            if "\0" not in text:
                plain = encoding == "utf-8-sig"
                return Reading(text=text, notice="" if plain else f"{path.name} is {encoding}, not UTF-8")
    raise FluxcapError(f"{path.name} is not a text file", "move it away, or save it as UTF-8")


def read_text(path: Path) -> str | None:
    """Like ``read``, the text alone."""
    reading = read(path)
    return reading.text if reading is not None else None


def write_atomic(path: Path, text: str) -> None:
    """Put exactly this text (UTF-8, no line end added) in place of the file, whole or not at all, also in a power cut.

    Raises ``FluxcapError`` where the disk or the rights refuse; the old file is then as it was.
    """
    data = text.encode("utf-8")
    temporary = path.with_name(_TEMPORARY.replace("*", secrets.token_hex(6)))
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, temporary)
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise FluxcapError(
            f"{path.name} cannot be written: {error.strerror or error}",
            "check the folder's rights, the free space, and that no program holds the file open",
        ) from error


def clean(folder: Path) -> None:
    """Remove the temporary files of killed runs; only the one writer of the folder may call it."""
    for leftover in folder.glob(_TEMPORARY):
        with suppress(OSError):
            leftover.unlink()


def remove(path: Path) -> None:
    """Take the file away if it is there; raises ``FluxcapError`` where the rights refuse."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise FluxcapError(
            f"{path.name} cannot be removed: {error.strerror or error}", "check the folder's rights"
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename last through a power cut, where the system knows how."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
