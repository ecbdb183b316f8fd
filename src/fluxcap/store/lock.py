"""One fluxcap at a time in a folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import IO

from fluxcap.errors import FluxcapError


def lock_folder(folder: Path) -> IO[bytes]:
    """Hold ``.fluxcap/lock`` until the file is closed; the OS lets go of it when the process dies, however that happens.

    Creates the folder, with a ``.gitignore``. Raises ``FluxcapError`` naming the process that holds it.
    """
    path = folder / "lock"
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
        lock = path.open("a+b")
    except OSError as error:
        raise FluxcapError(
            f"{folder} cannot be written: {error.strerror or error}", "check the folder's rights"
        ) from error
    if not try_lock(lock):
        lock.seek(0)
        pid = lock.read(20).decode("ascii", "replace").strip() or "?"
        lock.close()
        raise FluxcapError(
            f"another fluxcap (process {pid}) works in {folder.parent}", "wait until it ends, or end that process"
        )
    lock.truncate(0)
    lock.write(str(os.getpid()).encode())
    lock.flush()
    return lock


if sys.platform == "win32":

    def try_lock(lock: IO[bytes]) -> bool:
        """Whether an open file is this process's alone from now on, until it is closed."""
        import msvcrt

        lock.seek(1 << 30)  # far behind the process number, which others may then read
        try:
            msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def try_lock(lock: IO[bytes]) -> bool:
        """Whether an open file is this process's alone from now on, until it is closed."""
        import errno
        import fcntl

        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            # some network drives have no locks: SQLite's own then has to do
            return error.errno not in (errno.EAGAIN, errno.EACCES)
        return True
