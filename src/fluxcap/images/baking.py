"""Pictures as every trainer reads them: upright, sRGB, without transparency, as JPEG or PNG.

A file that is so already keeps its bytes: nothing is better than the original. The others become PNG where they were stored
without loss, else JPEG of the highest useful quality; the same file always gives the same bytes.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO

from PIL import Image, ImageFile

from fluxcap.errors import ImageError
from fluxcap.images.kinds import HEAD_BYTES, kind_of
from fluxcap.images.opening import opened_file, quiet
from fluxcap.images.pixels import header, is_srgb, orientation
from fluxcap.images.told import told

QUALITY = 97
"""Of JPEG, with full colour resolution: no difference is seen, and a third of a PNG's size."""

_LOSSY = ("jpeg", "heif", "avif")


@dataclass(frozen=True, slots=True, kw_only=True)
class Baking:
    """What becomes of a picture: its suffix, size in pixels after turning and cropping, and whether its bytes are kept."""

    suffix: str
    width: int
    height: int
    kept: bool


def plan_baking(path: Path, *, name: str, crop: float | None = None) -> Baking:
    """Look at the beginning of a file and say what will become of it; ``crop`` is width by height.

    Raises :class:`ImageError` for a file that is no picture.
    """
    quiet()
    try:
        with opened_file(path, name) as file:
            kind, image = _header(file, name)
            width, height = image.size
            turn = orientation(image)
            if turn >= 5:
                width, height = height, width
            box = _box(width, height, crop)
            kept = box is None and kind in ("jpeg", "png") and turn == 1 and _plain(image, kind)
            lossless = kind not in _LOSSY and not (kind == "webp" and _is_lossy_webp(file))
    except ImageError:
        raise
    except Exception as error:  # Pillow's decoders raise nearly anything on bad files
        raise told(error, name) from error
    if box:
        width, height = box[2] - box[0], box[3] - box[1]
    suffix = ".png" if (kind == "png" if kept else lossless) else ".jpg"
    return Baking(suffix=suffix, width=width, height=height, kept=kept)


def bake(
    path: Path, baking: Baking, *, name: str, background: str = "#ffffff", crop: float | None = None
) -> tuple[bytes, str]:
    """The picture's bytes as they go into an export, and the sha256 of the file it comes from (hex).

    Raises :class:`ImageError` for a file that is damaged or that is another one than when it was planned.
    """
    from fluxcap.images import read  # which knows this module

    with opened_file(path, name) as file:
        data = file.read()
    digest = hashlib.sha256(data).hexdigest()
    if baking.kept:
        _whole(data, name)
        return data, digest
    picture = read(path, name=name, long_side=1_000_000, background=background, digest=digest)
    image = Image.fromarray(picture.rgb)
    box = _box(*image.size, crop)
    image = image.crop(box) if box else image
    if image.size != (baking.width, baking.height):
        raise ImageError(f"{name} changed while it was exported", "run the export again", code="IMG006")
    buffer = BytesIO()
    if baking.suffix == ".png":
        image.save(buffer, "PNG", compress_level=4)
    else:
        image.save(buffer, "JPEG", quality=QUALITY, subsampling=0)
    return buffer.getvalue(), digest


def _header(file: IO[bytes], name: str) -> tuple[str, ImageFile.ImageFile]:
    kind = kind_of(file.read(HEAD_BYTES), name)
    file.seek(0)
    return kind, header(file, kind, name)


def _plain(image: ImageFile.ImageFile, kind: str) -> bool:
    """Whether every trainer sees the same in this file: RGB of 8 bits, one frame, no transparency, sRGB."""
    if image.mode != "RGB" or "transparency" in image.info or getattr(image, "is_animated", False):
        return False
    if kind == "png" and any(";16" in str(tile.args) for tile in image.tile):
        return False
    return is_srgb(image.info.get("icc_profile"))


def _whole(data: bytes, name: str) -> None:
    """Raise for a file that breaks off: a trainer would stop at it."""
    quiet()
    try:
        with Image.open(BytesIO(data)) as image:
            image.load()
    except Exception as error:
        raise told(error, name) from error


def _is_lossy_webp(file: IO[bytes]) -> bool:
    file.seek(0)
    return b"VP8 " in file.read(HEAD_BYTES)


def _box(width: int, height: int, crop: float | None) -> tuple[int, int, int, int] | None:
    """The middle of a picture with this shape (width by height); None where nothing is cut off."""
    if crop is None:
        return None
    wide, high = min(width, round(height * crop)), min(height, round(width / crop))
    wide, high = max(1, wide), max(1, high)
    if (wide, high) == (width, height):
        return None
    left, top = (width - wide) // 2, (height - high) // 2
    return left, top, left + wide, top + high
