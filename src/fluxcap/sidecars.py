"""Caption files (``picture.txt`` beside the picture): whose text it is, writing it safely, taking it back.

What a person wrote is never overwritten. Every text is in the store before its file is touched, so a kill between the two
leaves the old text in place, known as such.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from fluxcap.errors import FluxcapError
from fluxcap.store import Change, Store
from fluxcap.textfiles import clean, read, read_text, remove, write_atomic
from fluxcap.types import Author, ImageRef

Status = Literal["absent", "ours", "ours-pending", "person", "elsewhere", "unreadable"]
"""Whose text a caption file holds. ``ours-pending``: ours, and the newer one did not get written (a killed run)."""

Outcome = Literal["written", "unchanged", "kept"]
"""What became of a text that fluxcap wanted to write; ``kept``: somebody else's text stands there."""

_AUTHOR: dict[Status, Author] = {
    "ours": "fluxcap",
    "ours-pending": "fluxcap",
    "person": "person",
    "elsewhere": "elsewhere",
}
_BATCH = 500

__all__ = [
    "Captions",
    "Outcome",
    "Status",
    "Stock",
    "Undone",
    "read_text",
    "same_text",
    "sidecar",
    "sidecar_path",
    "status",
    "write_atomic",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """What stands in a caption file now. ``path`` is the file's, relative to the folder; ``notice`` is a line to tell."""

    path: str
    status: Status
    text: str | None
    notice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Undone:
    """What an undo did: files with their former text again, files taken away, files left alone as somebody changed them."""

    run_id: int
    command: str
    restored: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[str, ...]


def sidecar(picture: Path) -> Path:
    """The caption file of a picture: ``a.jpg`` -> ``a.txt``."""
    return picture.with_suffix(".txt")


def same_text(one: str | None, other: str | None) -> bool:
    """Whether two texts are the same to a trainer: white space at the end and the kind of line break do not count."""
    if one is None or other is None:
        return one is other
    return one.replace("\r\n", "\n").rstrip() == other.replace("\r\n", "\n").rstrip()


def status(disk_text: str | None, last_change: Change | None, seen_before: bool) -> Status:
    """Whose text this is. Pure: from the text on the disk, the file's last recorded change, and whether its stock was taken
    before.

    An empty file in which there never was a text counts as absent. When in doubt it is a person's.
    """
    if disk_text is None:
        return "absent"
    if last_change is None:
        if not disk_text.strip():
            return "absent"
        return "person" if seen_before else "elsewhere"
    if same_text(disk_text, last_change.after):
        return _status_of(last_change.author)
    if not last_change.written and same_text(disk_text, last_change.before):
        if last_change.before_author is None:
            return "absent"
        return "ours-pending" if last_change.before_author == "fluxcap" else last_change.before_author
    return "person"


class Captions:
    """The caption files of one folder, and ``fluxcap.toml``, with their history in the store."""

    def __init__(self, store: Store, folder: Path) -> None:
        self.store = store
        self.folder = folder

    def take_stock(self, images: Iterable[ImageRef]) -> dict[str, Stock]:
        """What stands beside each picture, by the picture's path.

        Texts of others that were not known yet become versions of their own; temporary files of killed runs go.
        """
        images = list(images)
        if not self.store.read_only:
            for folder in {(self.folder / image.path).parent for image in images} | {self.folder}:
                clean(folder)
        with self.store.transaction():
            return {image.path: self._look(sidecar_path(image), image.id) for image in images}

    def write(self, run_id: int, image: ImageRef, text: str, *, rewrite: bool = False) -> Outcome:
        """Write one caption; see ``write_all``."""
        return self.write_all(run_id, [(image, text)], rewrite=[image.path] if rewrite else ())[image.path]

    def write_all(
        self, run_id: int, texts: Iterable[tuple[ImageRef, str]], *, rewrite: Collection[str] = ()
    ) -> dict[str, Outcome]:
        """Write captions, each beside its picture, and say what became of each, by the picture's path.

        A person's text is kept, one from elsewhere too unless ``rewrite`` names its picture; a file that holds its text already is not touched.
        Raises ``FluxcapError`` where a file cannot be written (those before it are), or two pictures share one.
        """
        wanted = list(texts)
        owners: dict[str, str] = {}
        for image, _ in wanted:
            other = owners.setdefault(sidecar_path(image), image.path)
            if other != image.path:
                raise FluxcapError(f"{other} and {image.path} share one caption file", "rename one of the pictures")
        outcomes: dict[str, Outcome] = {}
        for start in range(0, len(wanted), _BATCH):
            planned: list[tuple[str, int, str | None]] = []
            with self.store.transaction():
                for image, text in wanted[start : start + _BATCH]:
                    path = sidecar_path(image)
                    stock = self._look(path, image.id)
                    outcomes[image.path] = _outcome(stock, text, image.path in rewrite)
                    if outcomes[image.path] == "written":
                        number = self.store.change(
                            run_id, path, image.id, stock.text, text, "fluxcap", before_author=_AUTHOR.get(stock.status)
                        )
                        planned.append((path, number, text))
            self._carry_out(planned)
        return outcomes

    def mend(self, run_id: int, mended: Iterable[tuple[ImageRef, str, str]]) -> dict[str, Outcome]:
        """Put mended texts (picture, before, after) in place of what they were made from, and say what became of each.

        Whoever wrote a text stays its author: a person's caption is theirs after it too. A file that holds another text than
        ``before`` by now is kept as it is.
        """
        outcomes: dict[str, Outcome] = {}
        planned: list[tuple[str, int, str | None]] = []
        with self.store.transaction():
            for image, before, after in mended:
                path = sidecar_path(image)
                stock = self._look(path, image.id)
                author = _AUTHOR.get(stock.status)
                same = author is not None and same_text(stock.text, before)
                outcomes[image.path] = "kept" if not same else "unchanged" if same_text(before, after) else "written"
                if author is not None and outcomes[image.path] == "written":
                    number = self.store.change(run_id, path, image.id, stock.text, after, author, before_author=author)
                    planned.append((path, number, after))
        self._carry_out(planned)
        return outcomes

    def write_settings(self, run_id: int, path: str, text: str) -> Outcome:
        """Write a file that the person lets fluxcap change by a command (``fluxcap.toml``); recorded, undoable."""
        before = read_text(self.folder / path)
        if before == text:
            return "unchanged"
        author: Author | None = "person" if before is not None else None
        number = self.store.change(run_id, path, None, before, text, "fluxcap", before_author=author)
        self._carry_out([(path, number, text)])
        return "written"

    def release(self, run_id: int, image: ImageRef) -> bool:
        """Let fluxcap overwrite what somebody else wrote here, from the next run on; True where there was such a text."""
        path = sidecar_path(image)
        with self.store.transaction():
            stock = self._look(path, image.id)
            if stock.status not in ("person", "elsewhere"):
                return False
            author = _AUTHOR[stock.status]
            self.store.change(
                run_id, path, image.id, stock.text, stock.text, "fluxcap", before_author=author, written=True
            )
        return True

    def undo(self, run_id: int | None = None) -> Undone | None:
        """Take back a run as a whole, the last one unless named; None where there is none left to take back.

        Each file whose text is still the run's gets its former text, or goes where there was none. A file that somebody
        changed since stays, and is named. Undoing is a run of its own; undoing again goes further back.
        """
        self._settle()
        run = self.store.last_to_undo(run_id)
        if run is None:
            return None
        undoing = self.store.begin_run(f"undo {run.command}", undoes=run.id)
        restored: list[str] = []
        removed: list[str] = []
        kept: list[str] = []
        planned: list[tuple[str, int, str | None]] = []
        with self.store.transaction():
            for path, changes in self._places(_by_path(self.store.changes(run.id))):
                first, last = changes[0], changes[-1]
                stock = self._look(path, last.image_id)
                author, former = _AUTHOR.get(stock.status, "fluxcap"), first.before_author or "fluxcap"
                if same_text(stock.text, last.after) and author == last.author:
                    done = stock.text == first.before
                    number = self.store.change(
                        undoing, path, last.image_id, stock.text, first.before, former,
                        before_author=last.author, written=done,
                    )  # fmt: skip
                    (removed if first.before is None else restored).append(path)
                    if not done:
                        planned.append((path, number, first.before))
                elif not same_text(stock.text, first.before) or author != former:
                    kept.append(path)
        self._carry_out(planned)
        self.store.finish_run(undoing)
        return Undone(
            run_id=run.id, command=run.command, restored=tuple(restored), removed=tuple(removed), kept=tuple(kept)
        )

    def _look(self, path: str, image_id: str | None) -> Stock:
        """What stands in one file; a text of somebody else that is new becomes a version."""
        try:
            reading = read(self.folder / path)
        except FluxcapError as error:
            return Stock(path=path, status="unreadable", text=None, notice=str(error))
        text = reading.text if reading is not None else None
        last = self._last_change(path, image_id, text)
        found = status(text, last, self.store.met(path))
        if not self.store.read_only:
            self.store.meet(path)
            if last is not None and same_text(text, last.after):
                if not last.written:
                    self.store.confirm([last.id])
            elif found in ("person", "elsewhere") and (
                last is None or last.written or not same_text(text, last.before)
            ):
                before, author = _standing(last)
                self.store.change(
                    None, path, image_id, before, text, _AUTHOR[found], before_author=author, written=True
                )
        return Stock(path=path, status=found, text=text, notice=reading.notice if reading is not None else "")

    def _carry_out(self, planned: list[tuple[str, int, str | None]]) -> None:
        """Bring recorded changes to the disk (None: take the file away), and confirm those that got there."""
        done: list[int] = []
        try:
            for path, number, text in planned:
                target = self.folder / path
                if text is not None:
                    write_atomic(target, text)
                else:
                    remove(target)
                done.append(number)
        finally:
            self.store.confirm(done)

    def _settle(self) -> None:
        """Confirm what a killed run wrote and could not confirm any more."""
        done = [it.id for it in self.store.unwritten() if self._holds(it.path, it.after)]
        if done:
            self.store.confirm(done)

    def _last_change(self, path: str, image_id: str | None, text: str | None) -> Change | None:
        """The file's last change; where its text is none of it, the picture's: pictures are renamed with their captions."""
        last = self.store.last_change(path)
        if image_id is not None and (last is None or not same_text(text, last.after)):
            other = self.store.last_change_of(image_id)
            if last is None or (other is not None and same_text(text, other.after)):
                return other
        return last

    def _places(self, groups: list[list[Change]]) -> list[tuple[str, list[Change]]]:
        """Where the files of a run are now: at their path, or beside their renamed picture if the text is there."""
        here = {changes[-1].path for changes in groups if self._holds(changes[-1].path, changes[-1].after)}
        places: list[tuple[str, list[Change]]] = []
        for changes in groups:
            last = changes[-1]
            path = last.path
            if path not in here and last.image_id is not None and last.after is not None:
                beside = (sidecar_path(image) for image in self.store.files_of(last.image_id))
                path = next((it for it in beside if it not in here and self._holds(it, last.after)), path)
                here.add(path)
            places.append((path, changes))
        return places

    def _holds(self, path: str, text: str | None) -> bool:
        try:
            return same_text(read_text(self.folder / path), text)
        except FluxcapError:
            return False


def sidecar_path(image: ImageRef) -> str:
    """The caption file of a picture of the set, relative to the folder, with '/'."""
    return PurePosixPath(image.path).with_suffix(".txt").as_posix()


def _status_of(author: Author) -> Status:
    return "ours" if author == "fluxcap" else author


def _outcome(stock: Stock, text: str, rewrite: bool) -> Outcome:
    if stock.status in ("person", "unreadable") or (stock.status == "elsewhere" and not rewrite):
        return "kept"
    return "unchanged" if same_text(stock.text, text) and stock.status != "elsewhere" else "written"


def _standing(last: Change | None) -> tuple[str | None, Author | None]:
    """The text, and its author, that stood in a file before somebody changed it."""
    if last is None:
        return None, None
    if last.written:
        return last.after, last.author if last.after is not None else None
    return last.before, last.before_author


def _by_path(changes: Iterable[Change]) -> list[list[Change]]:
    """The changes that reached the disk, file by file."""
    groups: dict[str, list[Change]] = {}
    for change in changes:
        if change.written:
            groups.setdefault(change.path, []).append(change)
    return list(groups.values())
