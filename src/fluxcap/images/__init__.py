"""Opening pictures safely: any file becomes an upright RGB array of bounded size, or an :class:`ImageError` of one line.

=======  ========  ==================================================
code     severity  meaning
=======  ========  ==================================================
IMG002   error     the file is empty
IMG003   error     not a picture
IMG004   error     damaged or cut off
IMG005   error     too many pixels
IMG006   error     cannot be read (gone, no permission, not a file)
IMG007   warning   several frames or pages: the first one is looked at
IMG008   error     a kind of picture that cannot be opened here
IMG009   error     two pictures would share one caption file
IMG010   note      more than 8 bits per channel, reduced
IMG011   note      transparent parts, laid on the background colour
=======  ========  ==================================================
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from PIL import ImageColor

from fluxcap.errors import ImageError
from fluxcap.images.baking import Baking, bake, plan_baking
from fluxcap.images.folder import SUFFIXES, find, natural_key, sharing_a_sidecar, sidecar_clashes
from fluxcap.images.kinds import HEAD_BYTES, kind_of
from fluxcap.images.opening import opened_file, quiet
from fluxcap.images.pixels import decode, header, resized, small_size
from fluxcap.images.told import shown, told, unreadable
from fluxcap.types import ImageRef, Issue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "SUFFIXES",
    "Baking",
    "Picture",
    "bake",
    "find",
    "identify",
    "natural_key",
    "plan_baking",
    "read",
    "sharing_a_sidecar",
    "shown",
    "shrunk",
    "sidecar_clashes",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture ready to be looked at: ``rgb`` is height x width x 3, uint8, upright, without transparency."""

    ref: ImageRef
    rgb: NDArray[np.uint8]
    issues: tuple[Issue, ...] = ()


def identify(path: Path) -> str:
    """The sha256 of the file in hex: the picture's id."""
    name = Path(path).name
    try:
        with opened_file(Path(path), name) as file:
            return _digest(file)
    except OSError as error:
        raise unreadable(name, error) from error


def read(
    path: Path,
    *,
    name: str,
    long_side: int = 1024,
    background: str = "#ffffff",
    digest: str | None = None,
    exact: bool = True,
) -> Picture:
    """Open a picture by its content, upright, in sRGB, at most ``long_side`` pixels long; never larger than it is.

    With ``exact`` off it is left less than twice as long as that, where whole steps of the decoder and of averaging
    bring it: for those who resize it themselves, and better than the quick last step here (``shrunk`` does that step).
    ``name`` is the path relative to the set's folder, for ``ref`` and for messages. ``digest`` spares hashing the file where
    its id is known. Whatever is wrong with the file becomes an :class:`ImageError`.
    """
    quiet()
    colour = ImageColor.getrgb(background)[:3]
    if long_side < 1:
        raise ValueError("long_side must be at least 1")
    try:
        with opened_file(Path(path), name) as file:
            id_ = digest or _digest(file)
            file.seek(0)
            kind = kind_of(file.read(HEAD_BYTES), name)
            file.seek(0)
            opened = header(file, kind, name)
            rgb, size, remarks = decode(opened, kind, name, long_side, colour, exact)
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on bad files
        raise told(error, name) from error
    issues = tuple(
        Issue(code=code, severity=severity, message=f"{shown(name)} {text}", image_id=id_, path=name)
        for code, severity, text in remarks
    )
    return Picture(ref=ImageRef(id=id_, path=name, width=size[0], height=size[1]), rgb=rgb, issues=issues)


def shrunk(picture: Picture, long_side: int) -> NDArray[np.uint8]:
    """The pixels of a picture that was read with ``exact`` off, at most ``long_side`` long: the last step, made up for."""
    return resized(picture.rgb, small_size(picture.ref.width, picture.ref.height, long_side))


def _digest(file: IO[bytes]) -> str:
    return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
