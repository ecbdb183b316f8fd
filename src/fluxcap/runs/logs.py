"""The losses of a run from the trainer's own log; a file that is being written, cut off or strange gives what it can."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fluxcap.runs.events import scalars
from fluxcap.runs.types import Loss


def losses(files: Iterable[Path], kind: str, key: str) -> tuple[Loss, ...]:
    """One value a step, by step; where a step was trained twice, after a resume, the later one counts."""
    read = _READERS[kind]
    found: dict[int, Loss] = {}
    for file in files:
        with suppress(OSError, sqlite3.Error):
            for loss in read(file, key):
                if math.isfinite(loss.value) and (loss.step not in found or loss.at >= found[loss.step].at):
                    found[loss.step] = loss
    return tuple(found[step] for step in sorted(found))


def rows(file: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file; lines that are no objects are left out."""
    with suppress(OSError), file.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            with suppress(ValueError, RecursionError):
                row = json.loads(line)
                if isinstance(row, dict):
                    yield row


def _events(file: Path, key: str) -> Iterator[Loss]:
    with file.open("rb") as opened:
        yield from scalars(opened, key)


def _sqlite(file: Path, key: str) -> Iterator[Loss]:
    """Read only. Without its write-ahead log the file is at rest, and SQLite must not lay side files beside it."""
    at_rest = "" if file.with_name(file.name + "-wal").exists() else "&immutable=1"
    address = f"file:{quote(file.absolute().as_posix())}?mode=ro{at_rest}"
    with closing(sqlite3.connect(address, uri=True, timeout=1)) as database:
        query = "SELECT metrics.step, value_real, wall_time FROM metrics JOIN steps ON steps.step = metrics.step WHERE key = ?"
        for step, value, at in database.execute(query, (key,)):
            if isinstance(value, float) and isinstance(at, float):
                yield Loss(step=step, value=value, at=at)


def _jsonl(file: Path, key: str) -> Iterator[Loss]:
    for row in rows(file):
        metrics, step = row.get("metrics"), row.get("step")
        value = metrics.get(key) if isinstance(metrics, dict) else None
        if isinstance(step, int) and isinstance(value, (int, float)):
            yield Loss(step=step, value=float(value), at=_time(row.get("timestamp")))


def _time(text: object) -> float:
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


_READERS: Mapping[str, Callable[[Path, str], Iterator[Loss]]] = {"events": _events, "sqlite": _sqlite, "jsonl": _jsonl}
