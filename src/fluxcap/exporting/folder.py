"""The folder of an export: what lies in it, what of it is still good, and whether it is whole.

``manifest.json`` is written last and lists every file with its hash. While an export is under way its journal lies in the
folder, one line for each finished file: such a folder is not whole, and the next export goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from fluxcap.codec import decode_json, from_builtins, to_builtins
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.store.lock import try_lock
from fluxcap.textfiles import clean, write_atomic

MANIFEST = "manifest.json"
JOURNAL = ".fluxcap-export.jsonl"
_MADE_BY = "fluxcap"
_TEMPORARY = ".fluxcap-{}.tmp"

Outcome = Literal["written", "unchanged", "linked", "kept"]
"""What became of a file. ``linked``: taken from an older dataset's folder; ``kept``: a person changed it, the new one is beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file of an export. ``source`` says what a picture was made from and how; empty for texts."""

    sha256: str
    bytes: int
    source: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an export holds. ``dataset`` is the folder with the pictures, ``pictures`` goes from file to the set's own name.

    ``files`` goes by the path in the export's folder; a file that a person changed since is listed as it was written.
    """

    trainer: str
    target: str
    dataset: str
    files: Mapping[str, Entry]
    pictures: Mapping[str, str] = field(default_factory=dict)
    made_by: str = _MADE_BY
    format: int = 1


def whole(out: Path) -> Manifest | None:
    """The manifest of a whole export; None where there is none, where one is under way or was interrupted, or files are gone."""
    if (out / JOURNAL).exists():
        return None
    manifest = _manifest(out)
    if manifest is None:
        return None
    for path, entry in manifest.files.items():
        try:
            size = (out / path).stat().st_size
        except OSError:
            return None
        if size != entry.bytes and path.startswith(f"{manifest.dataset}/"):
            return None
    return manifest


class Writer:
    """A file being written, with the hash and size of what went in."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append."""
        self._file.write(data)
        self.digest.update(data)
        self.size += len(data)


class Folder:
    """An export's folder at work; make one with :func:`opened`."""

    def __init__(self, out: Path, before: Manifest | None, journal: IO[bytes], known: Mapping[str, Entry]) -> None:
        self.out = out
        self.before = before
        self.entries: dict[str, Entry] = {}
        self._journal = journal
        self._known = dict(known)
        self._by_source = {entry.source: path for path, entry in known.items() if entry.source}

    def put(self, path: str, source: str, make: Callable[[Writer], None]) -> tuple[Outcome, Entry]:
        """A file whose content follows from ``source``: left, taken from an older folder, or made. May run in a thread."""
        there = self._good(path, source)
        if there is not None:
            return "unchanged", there
        older = self._by_source.get(source)
        entry = self._good(older, source) if older else None
        target = self.out / path
        if older and entry is not None and _link(self.out / older, target):
            return "linked", entry
        return "written", _write(target, make, source)

    def make_folder(self, path: str) -> None:
        """A folder in the export, cleared of the temporary files of killed runs."""
        (self.out / path).mkdir(exist_ok=True)
        clean(self.out / path)

    def note(self, path: str, entry: Entry) -> None:
        """Remember a finished file, on the disk too; from one thread only."""
        self.entries[path] = entry
        line = {"path": path, **to_builtins(entry)}
        self._journal.write(json.dumps(line).encode() + b"\n")
        self._journal.flush()

    def put_caption(self, path: str, text: str) -> Outcome:
        """A text of the dataset. Raises ``FluxcapError`` where somebody changed it there: the set's own text counts."""
        data = text.encode()
        target = self.out / path
        entry = _entry(data)
        with suppress(OSError):
            if target.read_bytes() == data:
                self.note(path, entry)
                return "unchanged"
        if target.exists() and path in self._known:
            raise FluxcapError(
                f"{target} was changed in the export",
                "change the caption beside the picture in the set, and delete this file",
            )
        _write(target, lambda writer: writer.write(data))
        self.note(path, entry)
        return "written"

    def put_text(self, path: str, text: str) -> Outcome:
        """A config or another text at the top. One that a person changed stays; a new version of it is put beside it."""
        data, target = text.encode(), self.out / path
        target.parent.mkdir(exist_ok=True)
        before = self.before.files.get(path) if self.before else None
        there = _digest_of(target)
        entry = _entry(data)
        outcome: Outcome = "written"
        if there == entry.sha256:
            outcome = "unchanged"
        elif there is not None and before is not None and there != before.sha256:
            outcome = "kept"
            if before.sha256 != entry.sha256:
                write_atomic(target.with_name(f"{target.stem}.new{target.suffix}"), text)
        else:
            write_atomic(target, text)
        self.note(path, entry)
        return outcome

    def finish(self, manifest: Manifest) -> None:
        """Remove what is no longer part of the export and was not changed since, then say that it is whole."""
        for path, entry in (self.before.files if self.before else {}).items():
            pictures = self.before is not None and path.startswith(f"{self.before.dataset}/")
            if not pictures and path not in manifest.files and _digest_of(self.out / path) == entry.sha256:
                (self.out / path).unlink(missing_ok=True)
                with suppress(OSError):
                    (self.out / path).parent.rmdir()  # only an empty one goes
        if hasattr(os, "sync"):
            os.sync()  # every file is on the disk before the manifest says so
        text = json.dumps(to_builtins(manifest), ensure_ascii=False, indent=1) + "\n"
        if _digest_of(self.out / MANIFEST) != hashlib.sha256(text.encode()).hexdigest():
            write_atomic(self.out / MANIFEST, text)
        self._journal.close()  # an open file cannot be removed on Windows
        (self.out / JOURNAL).unlink(missing_ok=True)

    def _good(self, path: str, source: str) -> Entry | None:
        entry = self._known.get(path)
        if entry is None or entry.source != source or _digest_of(self.out / path) != entry.sha256:
            return None
        return entry


@contextmanager
def opened(out: Path) -> Iterator[Folder]:
    """Open an export's folder for writing, fresh or one of fluxcap's own.

    Raises ``UsageError`` for a folder that holds something else, ``FluxcapError`` where the disk or the rights refuse.
    """
    before = refuse_foreign(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        known = {**(before.files if before else {}), **_journalled(out)}
        journal = (out / JOURNAL).open("ab")
        try:
            if not try_lock(journal):
                raise FluxcapError(f"another fluxcap exports into {out}", "wait until it ends, or end that process")
            clean(out)
            journal.write(b"\n")  # a former run may have been killed in the middle of a line
            yield Folder(out, before, journal, known)
        finally:
            journal.close()
    except OSError as error:
        raise FluxcapError(
            f"{out} cannot be written: {error.strerror or error}",
            "check the rights and the free space, then export again",
        ) from error


def refuse_foreign(out: Path) -> Manifest | None:
    """The folder's manifest, None where the folder is new, empty or half made; raises ``UsageError`` for one not made here."""
    try:
        if not out.exists():
            return None
        if not out.is_dir():
            raise UsageError(f"{out} is a file", "name a folder")
        names = {entry.name for entry in os.scandir(out)}
    except OSError as error:
        raise FluxcapError(
            f"{out} cannot be read: {error.strerror or error}", "check the path and its rights"
        ) from error
    before = _manifest(out)
    if names and before is None and JOURNAL not in names:
        raise UsageError(f"{out} is not empty, and fluxcap did not make it", "name a new folder")
    return before


def _manifest(out: Path) -> Manifest | None:
    try:
        manifest = decode_json((out / MANIFEST).read_bytes(), Manifest, MANIFEST)
    except (OSError, UsageError):
        return None
    safe = all(not path.startswith("/") and ".." not in path.split("/") for path in manifest.files)
    return manifest if manifest.made_by == _MADE_BY and safe else None


def _journalled(out: Path) -> dict[str, Entry]:
    """The files that a former run finished; the last line may be cut off."""
    found: dict[str, Entry] = {}
    with suppress(OSError):
        for line in (out / JOURNAL).read_text(encoding="utf-8", errors="replace").splitlines():
            with suppress(ValueError, UsageError, KeyError, AttributeError):
                row = json.loads(line)
                path = row.pop("path")
                found[path] = from_builtins(row, Entry, JOURNAL)
    return found


def _entry(data: bytes, source: str = "") -> Entry:
    return Entry(sha256=hashlib.sha256(data).hexdigest(), bytes=len(data), source=source)


def _digest_of(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None


def _write(target: Path, make: Callable[[Writer], None], source: str = "") -> Entry:
    """Whole or not at all; that it lasts through a power cut is seen to once, before the manifest."""
    temporary = target.with_name(_TEMPORARY.format(secrets.token_hex(6)))
    try:
        with temporary.open("xb") as file:
            writer = Writer(file)
            make(writer)
        temporary.replace(target)
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
    return Entry(sha256=writer.digest.hexdigest(), bytes=writer.size, source=source)


def _link(older: Path, target: Path) -> bool:
    """The same file under another name, without a copy; False where the file system has no such thing."""
    try:
        target.unlink(missing_ok=True)
        os.link(older, target)
    except OSError:
        return False
    return True
