"""The sha256 of a tagger's files, remembered (a model of 1.2 GB takes seconds to hash), compared with what was fetched."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from fluxcap.codec import decode_json, encode_json
from fluxcap.errors import FluxcapError
from fluxcap.taggers.known import CHECKSUMS, mend

MEMORY = ".fluxcap.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    size: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Memory:
    files: dict[str, _File] = field(default_factory=dict)
    probed: str = ""


def sha256(path: Path) -> str:
    """The sha256 of a file in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(path: Path) -> str:
    """The sha256 of a tagger's file, from memory where its size and time are as before.

    Raises ``FluxcapError`` where the file cannot be read or is not the one that was fetched.
    """
    try:
        status = path.stat()
        memory = _recall(path.parent)
        known = memory.files.get(path.name)
        if known is None or (known.size, known.mtime_ns) != (status.st_size, status.st_mtime_ns):
            known = _File(size=status.st_size, mtime_ns=status.st_mtime_ns, sha256=sha256(path))
            _keep(path.parent, replace(memory, files={**memory.files, path.name: known}))
        wanted = checksums(path.parent).get(path.name, known.sha256)
    except OSError as error:
        raise FluxcapError(f"{path} cannot be read ({error.strerror or error})", mend(path.parent)) from error
    if known.sha256 != wanted:
        raise FluxcapError(f"{path} is damaged: it is not the file that was fetched (sha256)", mend(path.parent))
    return known.sha256


def probed(folder: Path, version: str) -> bool:
    """Whether this version of the model was tried out before and its scores were scores."""
    return _recall(folder).probed == version


def keep_probed(folder: Path, version: str) -> None:
    """Remember that this version was tried out."""
    _keep(folder, replace(_recall(folder), probed=version))


def checksums(folder: Path) -> dict[str, str]:
    """File -> sha256 as fetched; empty for files that were brought by hand."""
    try:
        text = (folder / CHECKSUMS).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return {}
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {pair[1]: pair[0] for pair in pairs if len(pair) == 2}


def _places(folder: Path) -> list[Path]:
    """Where the memory of a folder may lie: beside its files, or in the user's cache where the folder is read-only."""
    import platformdirs

    key = hashlib.sha256(str(folder.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    return [folder / MEMORY, platformdirs.user_cache_path("fluxcap") / "taggers" / f"{key}.json"]


def _recall(folder: Path) -> _Memory:
    for place in _places(folder):
        with suppress(OSError, FluxcapError):  # a memory that is gone or damaged is made anew
            return decode_json(place.read_bytes(), _Memory, place.name)
    return _Memory()


def _keep(folder: Path, memory: _Memory) -> None:
    for place in _places(folder):
        part = place.with_name(f"{place.name}.{os.getpid()}.part")
        with suppress(OSError):  # nowhere to write: hashed anew next time
            place.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_text(encode_json(memory), encoding="utf-8")
                part.replace(place)
            finally:
                part.unlink(missing_ok=True)
            return
