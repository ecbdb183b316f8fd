"""Opening a picture's file, before anything is known of it."""

from __future__ import annotations

import os
import stat
import warnings
from pathlib import Path
from typing import IO

from fluxcap.errors import ImageError
from fluxcap.images.told import shown, unreadable


def opened_file(path: Path, name: str) -> IO[bytes]:
    """The file, opened, a regular one and not empty."""
    try:
        is_file = stat.S_ISREG(path.stat().st_mode)  # asked first: opening a pipe would wait for ever
        file = path.open("rb") if is_file else None
    except (OSError, ValueError) as error:
        raise unreadable(name, error) from error
    if file is None:
        raise ImageError(f"{shown(name)} is not a file", "take it out of the folder", code="IMG006")
    if not os.fstat(file.fileno()).st_size:
        file.close()
        raise ImageError(f"{shown(name)} is empty (0 bytes)", "copy or download it again, or delete it", code="IMG002")
    return file


def quiet() -> None:
    """Keep Pillow's warnings about odd metadata from the person; ``warnings.catch_warnings`` is not thread-safe."""
    if not any(f[0] == "ignore" and getattr(f[3], "pattern", None) == _PILLOW for f in warnings.filters):
        warnings.filterwarnings("ignore", module=_PILLOW)


_PILLOW = r"PIL\."
