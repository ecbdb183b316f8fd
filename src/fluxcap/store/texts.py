"""The runs, and every version of every text file that fluxcap writes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from fluxcap.store.database import Database, now
from fluxcap.types import Author


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One command that was run; ``undoes`` is the run it took back, ``finished_at`` is None after a crash."""

    id: int
    command: str
    undoes: int | None
    started_at: str
    finished_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of one text file; a text of None means no file. ``author`` wrote ``after``, ``before_author`` ``before``.

    It is recorded before the file is touched: ``written`` says that the file was seen to hold ``after``. ``run_id`` is None
    where somebody else made the change and fluxcap noticed.
    """

    id: int
    run_id: int | None
    path: str
    image_id: str | None
    before: str | None
    before_author: Author | None
    after: str | None
    author: Author
    at: str
    written: bool


class Texts(Database):
    """Who wrote what into which text file, and when."""

    def begin_run(self, command: str, *, undoes: int | None = None) -> int:
        """Open a run and return its number; ``undoes`` names the run that it takes back."""
        sql = "INSERT INTO run (command, undoes, started_at) VALUES (?, ?, ?)"
        return int(self._run(sql, command, undoes, now()).lastrowid or 0)

    def finish_run(self, run_id: int) -> None:
        """The run came to its end."""
        self._run("UPDATE run SET finished_at = ? WHERE id = ?", now(), run_id)

    def runs(self) -> list[Run]:
        """All runs, newest first."""
        rows = self._rows("SELECT id, command, undoes, started_at, finished_at FROM run ORDER BY id DESC")
        return [Run(id=row[0], command=row[1], undoes=row[2], started_at=row[3], finished_at=row[4]) for row in rows]

    def last_to_undo(self, run_id: int | None = None) -> Run | None:
        """The newest run that changed a text and was not wholly taken back, or ``run_id`` if it is such a run.

        Undoing is not undone.
        """
        rows = self._rows(
            "SELECT max(id) FROM run WHERE undoes IS NULL AND (?1 IS NULL OR id = ?1)"
            " AND EXISTS (SELECT 1 FROM change WHERE run = run.id AND written)"
            " AND id NOT IN (SELECT undoes FROM run WHERE undoes IS NOT NULL AND finished_at IS NOT NULL)",
            run_id,
        )
        return next((run for run in self.runs() if run.id == rows[0][0]), None)

    def change(
        self,
        run_id: int | None,
        path: str,
        image_id: str | None,
        before: str | None,
        after: str | None,
        author: Author,
        *,
        before_author: Author | None = None,
        written: bool = False,
    ) -> int:
        """Record a change of a text file before it is made, and return its number for ``confirm``."""
        sql = (
            "INSERT INTO change (run, path, image_id, before, before_author, after, author, at, written)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        )
        row = self._run(sql, run_id, path, image_id, before, before_author, after, author, now(), written)
        return int(row.lastrowid or 0)

    def confirm(self, change_ids: Iterable[int]) -> None:
        """These changes are on the disk."""
        with self.transaction():
            for change_id in change_ids:
                self._run("UPDATE change SET written = 1 WHERE id = ?", change_id)

    def changes(self, run_id: int) -> list[Change]:
        """What a run changed, in its order; also what it meant to change and did not (``written`` is False)."""
        return self._changes("run = ? ORDER BY id", run_id)

    def last_change(self, path: str) -> Change | None:
        """The newest change of this file."""
        return next(iter(self._changes("path = ? ORDER BY id DESC LIMIT 1", path)), None)

    def last_change_of(self, image_id: str) -> Change | None:
        """The newest change of this picture's file, under whatever name."""
        return next(iter(self._changes("image_id = ? ORDER BY id DESC LIMIT 1", image_id)), None)

    def history(self, path: str, image_id: str | None = None) -> list[Change]:
        """All changes of this file, and of this picture under other names, newest first."""
        return self._changes("path = ? OR image_id = ? ORDER BY id DESC", path, image_id)

    def unwritten(self) -> list[Change]:
        """The newest change of each file where it was not seen on the disk: its run was killed, or could not write."""
        return self._changes("NOT written AND id IN (SELECT max(id) FROM change GROUP BY path) ORDER BY id")

    def met(self, path: str) -> bool:
        """Whether this text file's stock was taken before, be it there or not."""
        return bool(self._rows("SELECT 1 FROM met WHERE path = ?", path))

    def meet(self, path: str) -> None:
        """This text file's stock is taken."""
        self._run("INSERT OR IGNORE INTO met VALUES (?)", path)

    def _changes(self, where: str, *values: object) -> list[Change]:
        rows = self._rows(
            "SELECT id, run, path, image_id, before, before_author, after, author, at, written FROM change WHERE "
            + where,
            *values,
        )
        names = ("id", "run_id", "path", "image_id", "before", "before_author", "after", "author", "at")
        return [Change(**dict(zip(names, row, strict=False)), written=bool(row[-1])) for row in rows]
