"""The SQLite file itself: opening it, its schema, its transactions, and what it says when it fails."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from fluxcap.errors import FluxcapError
from fluxcap.store.lock import lock_folder

FOLDER = ".fluxcap"
FILE = "fluxcap.db"
_APPLICATION_ID = 0x666C7563  # "fluc"
_MOVE_AWAY = "move that file away and run again: no caption text is lost, the pictures are only looked at anew"

MIGRATIONS: tuple[str, ...] = (
    """
    CREATE TABLE image (key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, width INTEGER NOT NULL, height INTEGER NOT NULL);

    CREATE TABLE file (path TEXT PRIMARY KEY, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
        image INTEGER NOT NULL REFERENCES image) WITHOUT ROWID;
    CREATE INDEX file_image ON file (image);

    CREATE TABLE observation (key INTEGER PRIMARY KEY, image INTEGER NOT NULL REFERENCES image, source TEXT NOT NULL,
        about TEXT NOT NULL, version TEXT NOT NULL, inputs_hash TEXT NOT NULL, created_at TEXT NOT NULL,
        counts INTEGER NOT NULL);
    CREATE INDEX observation_asked ON observation (source, version, inputs_hash, image);
    CREATE UNIQUE INDEX observation_counts ON observation (image, source, about) WHERE counts;

    CREATE TABLE evidence (observation INTEGER NOT NULL REFERENCES observation, place INTEGER NOT NULL, slot TEXT NOT NULL,
        value TEXT NOT NULL, tags TEXT NOT NULL, confidence REAL NOT NULL, PRIMARY KEY (observation, place)) WITHOUT ROWID;

    CREATE TABLE run (id INTEGER PRIMARY KEY AUTOINCREMENT, command TEXT NOT NULL, undoes INTEGER REFERENCES run,
        started_at TEXT NOT NULL, finished_at TEXT);

    CREATE TABLE change (id INTEGER PRIMARY KEY, run INTEGER REFERENCES run, path TEXT NOT NULL, image_id TEXT,
        before TEXT, before_author TEXT, after TEXT, author TEXT NOT NULL, at TEXT NOT NULL, written INTEGER NOT NULL);
    CREATE INDEX change_path ON change (path, id);
    CREATE INDEX change_image ON change (image_id, id) WHERE image_id IS NOT NULL;
    CREATE INDEX change_run ON change (run, id);

    CREATE TABLE met (path TEXT PRIMARY KEY) WITHOUT ROWID
    """,
)
"""Numbered from 1; one that was released never changes. ``about`` is the slot a person decided, else empty; ``met`` are the
text files whose stock was taken once."""


class Database:
    """The connection; ``Store`` says how it is used."""

    def __init__(self, folder: Path, *, read_only: bool = False) -> None:
        self.path = folder / FOLDER / FILE
        self.read_only = read_only
        self._depth = 0
        self._lock: IO[bytes] | None = None
        self._in_memory = read_only and not self.path.exists()
        if self._in_memory:
            self._db = sqlite3.connect(":memory:", isolation_level=None)
        else:
            if not read_only:
                self._lock = lock_folder(self.path.parent)
            try:
                self._db = sqlite3.connect(self.path, isolation_level=None, timeout=10.0)
            except sqlite3.Error as error:
                self._unlock()
                _tell(error, self.path)
                raise
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database and let go of the lock; a second time does nothing."""
        self._db.close()
        self._unlock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; inside another one it joins it."""
        if self._depth == 0:
            self._run("BEGIN" if self.read_only else "BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
        except BaseException:
            self._depth -= 1
            if self._depth == 0 and self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise
        self._depth -= 1
        if self._depth == 0:
            self._run("COMMIT")

    def _prepare(self) -> None:
        """Settings of the connection, and the schema brought up to date in one transaction."""
        self._run("PRAGMA busy_timeout = 10000")
        self._run("PRAGMA foreign_keys = ON")
        foreign = self._pragma("application_id") != _APPLICATION_ID and self._rows(
            "SELECT 1 FROM sqlite_master LIMIT 1"
        )
        if foreign:
            raise FluxcapError(f"{self.path} was not made by fluxcap", _MOVE_AWAY)
        version = self._pragma("user_version")
        if version > len(MIGRATIONS):
            raise FluxcapError(f"{self.path} was written by a newer fluxcap", "update fluxcap, or " + _MOVE_AWAY)
        if not self.read_only:
            self._run("PRAGMA journal_mode = WAL")
            self._run("PRAGMA synchronous = FULL")
        elif version < len(MIGRATIONS) and not self._in_memory:
            raise FluxcapError(
                f"{self.path} was written by an older fluxcap", "run fluxcap once to bring it up to date"
            )
        if version < len(MIGRATIONS):
            with self.transaction():
                for number, migration in enumerate(MIGRATIONS[version:], start=version + 1):
                    for statement in migration.split(";"):
                        self._run(statement)
                    self._run(f"PRAGMA user_version = {number}")
                self._run(f"PRAGMA application_id = {_APPLICATION_ID}")
        if self.read_only:
            self._run("PRAGMA query_only = ON")

    def _pragma(self, name: str) -> int:
        return int(self._rows(f"PRAGMA {name}")[0][0])

    def _run(self, sql: str, *values: object) -> sqlite3.Cursor:
        try:
            return self._db.execute(sql, values)
        except sqlite3.DatabaseError as error:
            _tell(error, self.path)
            raise

    def _rows(self, sql: str, *values: object) -> list[Any]:
        try:
            return self._db.execute(sql, values).fetchall()
        except sqlite3.DatabaseError as error:
            _tell(error, self.path)
            raise

    def _unlock(self) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def now() -> str:
    """The time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _tell(error: sqlite3.Error, path: Path) -> None:
    """Raise what the person can mend as ``FluxcapError``; the rest is a mistake in this program, and the caller's to raise."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
        raise FluxcapError(f"{path} is damaged or not a database", _MOVE_AWAY) from error
    if isinstance(error, sqlite3.OperationalError) and code != sqlite3.SQLITE_ERROR:
        hint = "check the disk's free space and the file's rights"
        raise FluxcapError(f"{path} cannot be used: {error}", hint) from error
