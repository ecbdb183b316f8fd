"""Names that no trainer, shell or system stumbles over. Pure."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath

_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")
"""A dot ends the name of a sample in WebDataset, a comma or a blank splits lists and commands elsewhere."""

_RESERVED = re.compile(r"(?i)con|prn|aux|nul|com\d|lpt\d")
_SUFFIXES_WITH_A_MEANING = ("-masklabel", "-condlabel")
"""OneTrainer takes such files for masks and conditions of others, not for pictures."""


def safe_stems(paths: Sequence[str]) -> Mapping[str, str]:
    """A stem for each picture by its path in the set: its own where that is safe and alone, else one made from it.

    What is made goes by the path alone: it stays the same when other pictures come or go, unless they clash with it.
    """
    own = {path: PurePosixPath(path).stem for path in paths}
    often = Counter(stem.casefold() for stem in own.values())
    return {
        path: stem if is_safe(stem) and often[stem.casefold()] == 1 and not _is_made(stem) else _made(path)
        for path, stem in own.items()
    }


def is_safe(stem: str) -> bool:
    """Whether a file may keep this name in an export."""
    return (
        _SAFE.fullmatch(stem) is not None
        and not _RESERVED.fullmatch(stem)
        and not stem.casefold().endswith(_SUFFIXES_WITH_A_MEANING)
    )


def _made(path: str) -> str:
    """'Fotos/Zoë, am See.jpg' -> 'Zoe-am-See-x1f2e3d4c5b'."""
    normal = unicodedata.normalize("NFC", path)
    plain = unicodedata.normalize("NFKD", PurePosixPath(path).stem).encode("ascii", "ignore").decode()
    words = re.sub(r"[^A-Za-z0-9_]+", "-", plain).strip("-_")[:40]
    return f"{words or 'picture'}-x{hashlib.sha256(normal.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"


def _is_made(stem: str) -> bool:
    """Whether a name looks like one that is made here: it is made anew then, so that the two never clash."""
    return re.search(r"-x[0-9a-f]{10}$", stem) is not None
