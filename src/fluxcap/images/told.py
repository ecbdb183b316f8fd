"""What is wrong with a file, as one line with a next step."""

from __future__ import annotations

import re

from PIL import Image

from fluxcap.errors import ImageError


def shown(name: str) -> str:
    """A file name fit for one line of any terminal: control signs and broken bytes are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in name)


def reason(error: Exception) -> str:
    """What an exception says, on one line."""
    return shown((error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__)


def unreadable(name: str, error: Exception) -> ImageError:
    """IMG006."""
    return ImageError(
        f"{shown(name)} cannot be read ({reason(error)})", "check that it is there and may be read", code="IMG006"
    )


def damaged(name: str, detail: str) -> ImageError:
    """IMG004."""
    return ImageError(
        f"{shown(name)} is damaged or cut off ({detail})",
        "copy or download it again, or take it out of the folder",
        code="IMG004",
    )


def too_large(name: str, detail: str) -> ImageError:
    """IMG005."""
    return ImageError(
        f"{shown(name)} is too large ({detail})",
        "save it smaller; training needs no more than about 2 megapixels",
        code="IMG005",
    )


def unsupported(name: str, what: str, hint: str = "save it as PNG or JPEG") -> ImageError:
    """IMG008."""
    return ImageError(f"{shown(name)} cannot be opened ({what})", hint, code="IMG008")


def told(error: Exception, name: str) -> ImageError:
    """Whatever a decoder raised, as one line."""
    if isinstance(error, (MemoryError, Image.DecompressionBombError)):
        return too_large(name, "more memory than there is" if isinstance(error, MemoryError) else "too many pixels")
    if isinstance(error, OSError) and error.errno is not None:
        return unreadable(name, error)
    text = reason(error)
    if isinstance(error, NotImplementedError) or re.search(r"(?i)unsupported|not supported|not available", text):
        return unsupported(name, text)
    return damaged(name, text[:120])
