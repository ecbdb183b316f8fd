"""Bringing a known tagger to this machine from the hub: the right files or none, each whole or not at all."""

from __future__ import annotations

import hashlib
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.taggers.files import checksums, sha256
from fluxcap.taggers.known import CHECKSUMS, INT8_MODEL, MODEL, TAGS, Known, folders, is_here, known

FILES = (TAGS, MODEL)
"""The small one first: a wrong repository is found out soon."""

ANSWER_SECONDS = 10.0
"""Until the hub must have answered the first question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the hub says of a file: its size in bytes, the state of the repository, and its checksum.

    ``etag`` is the sha256 of a large file, the git id (sha1) of a small one.
    """

    size: int | None
    commit: str
    etag: str


def pull(name: str, target: Path | None = None) -> list[Path]:
    """Fetch a known tagger into ``target`` (or the first of :func:`folders`) and give its files.

    What is there and right is not fetched again. Raises ``UsageError`` for another name, ``FluxcapError`` where the files
    cannot be had, are not the ones that the hub tells of, or cannot be written. Progress goes to standard error.
    """
    row = known().get(name)
    if row is None:
        raise UsageError(f"there is no tagger named {name!r}", f"known: {', '.join(known())}")
    folder = target or folders(name)[0]
    paths = [folder / file for file in FILES]
    try:
        if not _right(folder):
            _fetch(row, folder)
    except OSError as error:
        raise FluxcapError(
            f"{error.filename or folder} cannot be written ({error.strerror or error})",
            "make room there, or set FLUXCAP_MODELS to a folder on another disk",
        ) from error
    return paths


def by_hand(row: Known) -> str:
    """How to bring the files without the hub's client."""
    return (
        f"by hand: download {MODEL} and {TAGS} from https://huggingface.co/{row.repo} into a folder,"
        " then name it: --tagger FOLDER"
    )


def _right(folder: Path) -> bool:
    """The files are there and are the ones that were fetched."""
    wanted = checksums(folder)
    return is_here(folder) and all(wanted.get(file) == sha256(folder / file) for file in FILES)


def _fetch(row: Known, folder: Path) -> None:
    """Fetch into a folder beside, compare, then put in place."""
    told = {file: _ask(row, file) for file in FILES}
    beside = folder.with_name(f".{folder.name}.part")
    beside.mkdir(parents=True, exist_ok=True)
    try:
        lines = []
        for file, about in told.items():
            path = _download(row, file, about, beside)
            digest = _compared(row, path, about)
            lines.append(f"{digest}  {file}\n")
        (beside / CHECKSUMS).write_text("".join(lines), encoding="utf-8", newline="\n")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / INT8_MODEL).unlink(missing_ok=True)  # a copy of another model
        (folder / CHECKSUMS).unlink(missing_ok=True)  # while files are exchanged, the old ones are not right
        for file in (*FILES, CHECKSUMS):
            (beside / file).replace(folder / file)
    finally:
        if not any(beside.rglob("*.incomplete")):  # left by versions of the library that can go on with them
            shutil.rmtree(beside, ignore_errors=True)


def _ask(row: Known, file: str) -> _Told:
    """What the hub says of the file. The first question goes without the library's retries, which take 20 s offline."""
    try:
        import huggingface_hub

        said = huggingface_hub.get_hf_file_metadata(
            huggingface_hub.hf_hub_url(row.repo, file), token=False, timeout=ANSWER_SECONDS
        )
    except Exception as error:  # the library and what it is built on raise many kinds
        raise _unreachable(row, file, error) from error
    if not said.commit_hash or not re.fullmatch(r"[0-9a-f]{64}|[0-9a-f]{40}", said.etag or ""):
        raise FluxcapError(f"what answers for the hub tells no checksum of {file} of {row.repo}", by_hand(row))
    return _Told(size=said.size, commit=said.commit_hash, etag=said.etag or "")


def _download(row: Known, file: str, about: _Told, folder: Path) -> Path:
    """The file in ``folder``; a broken connection is taken up again where it broke."""
    try:
        import huggingface_hub

        return Path(
            huggingface_hub.hf_hub_download(
                row.repo, file, revision=about.commit, local_dir=folder, token=False, etag_timeout=ANSWER_SECONDS
            )
        )
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
            raise  # the disk's trouble, not the network's
        raise _unreachable(row, file, error) from error


def _compared(row: Known, path: Path, about: _Told) -> str:
    """The sha256 of a file that came; raises ``FluxcapError`` where it is not the one that the hub told of."""
    digest = sha256(path)
    size = path.stat().st_size
    if len(about.etag) == 64:
        right = digest == about.etag
    else:
        blob = hashlib.sha1(b"blob %d\0" % size + path.read_bytes(), usedforsecurity=False)
        right = blob.hexdigest() == about.etag
    pinned = row.tags_sha256 if path.name == TAGS else ""
    if right and about.size in (None, size) and pinned in ("", digest):
        return digest
    raise FluxcapError(
        f"{path.name} of {row.repo} came damaged (size or checksum); nothing of it is kept",
        f"run the same command again; if that does not help, {by_hand(row)}",
    )


def _unreachable(row: Known, file: str, error: Exception) -> FluxcapError:
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return FluxcapError(f"{file} of {row.repo} cannot be fetched ({reason})", by_hand(row))
