"""From an opened file to upright pixels of bounded size in sRGB."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from io import BytesIO
from typing import IO, TYPE_CHECKING

import cv2
import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageCms,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from fluxcap.images.told import too_large, unsupported
from fluxcap.types import Severity

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

STRIP_PIXELS = 4_000_000
"""Large pictures are converted in strips of about so many pixels, so that only one full-size copy exists."""

Remark = tuple[str, Severity, str]


@lru_cache(maxsize=1)
def _limits() -> tuple[float, float]:
    text = resources.files("fluxcap").joinpath("data/limits.toml").read_text(encoding="utf-8")
    table = tomllib.loads(text)["images"]
    return float(table["max_megapixels_jpeg"]), float(table["max_megapixels"])


def header(file: IO[bytes], kind: str, name: str) -> ImageFile.ImageFile:
    """The opened picture, nothing decoded yet, its size within the limits."""
    try:
        opened = _OPENERS[kind](file)
    except ImportError as error:
        raise unsupported(name, f"{kind.upper()} needs pi-heif", "pip install pi-heif, or save it as JPEG") from error
    for_jpeg, limit = _limits()
    if kind == "jpeg" and not opened.info.get("progressive"):
        limit = for_jpeg
    megapixels = opened.width * opened.height / 1e6
    if megapixels > limit:
        raise too_large(name, f"{megapixels:.0f} megapixels, the limit is {limit:.0f}")
    return opened


def decode(
    image: ImageFile.ImageFile, kind: str, name: str, long_side: int, colour: tuple[int, ...], exact: bool = True
) -> tuple[NDArray[np.uint8], tuple[int, int], list[Remark]]:
    """Pixels, the upright picture's full size, and what is told about it."""
    size = image.size
    small = small_size(*size, long_side)
    if kind == "jpeg":
        image.draft(None, small)
        if image.width * image.height > _limits()[1] * 1e6:
            raise too_large(name, f"{image.width * image.height / 1e6:.0f} megapixels to decode")
    remarks = _remarks(image, kind)
    image.load()
    if kind == "tiff" and image.size != size:  # Pillow turns TIFF while loading
        size, small = image.size, small[::-1]
    turn = orientation(image)
    array, transparent = _reduced(image, small, colour, exact)
    if transparent:
        remarks.append(("IMG011", "note", f"has transparent parts; they are seen as #{bytes(colour).hex()}"))
    rgb = _to_srgb(array, image.info.get("icc_profile"), image.mode)
    rgb = np.ascontiguousarray(_TURNS[turn](rgb))
    return rgb, size if turn < 5 else size[::-1], remarks


def _remarks(image: ImageFile.ImageFile, kind: str) -> list[Remark]:
    """What is told about a picture that opens."""
    remarks: list[Remark] = []
    if kind != "jpeg" and getattr(image, "is_animated", False):
        what = "several pages" if kind == "tiff" else "several frames"
        remarks.append(
            ("IMG007", "warning", f"has {what}; only the first is looked at: save that one as a still picture")
        )
    deep = image.mode in ("I", "F") or image.mode.startswith("I;16") or any(";16" in str(t.args) for t in image.tile)
    if deep or image.info.get("bit_depth", 8) > 8:
        remarks.append(("IMG010", "note", "has more than 8 bits per channel; most trainers want 8: save it so"))
    return remarks


def orientation(image: Image.Image) -> int:
    """EXIF orientation, 1 to 8; broken metadata counts as upright. TIFF is turned by Pillow, HEIC by its decoder."""
    try:
        value = image.getexif().get(0x0112, 1)
    except Exception:  # metadata never costs a picture
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


_TURNS: dict[int, Callable[[NDArray[np.uint8]], NDArray[np.uint8]]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: a.transpose(1, 0, 2)[:, ::-1],
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: a.transpose(1, 0, 2)[::-1],
}


def _reduced(
    image: Image.Image, small: tuple[int, int], colour: tuple[int, ...], exact: bool
) -> tuple[NDArray[np.uint8], bool]:
    """Pixels of the size ``small`` (1, 3 or, for CMYK, 4 channels), and whether anything was transparent.

    Whole factors go by area, the rest (less than 2) linearly, or not at all unless ``exact``. Strips keep the extra memory small.
    """
    width, height = image.size
    factor = max(1, max(width, height) // max(small))
    rows = max(factor, STRIP_PIXELS // width // factor * factor)
    scale = _scale(image)
    strips, transparent = [], False
    for top in range(0, height, rows):
        whole = top == 0 and rows >= height
        strip = image if whole else image.crop((0, top, width, min(top + rows, height)))
        strip, alpha = _flat(_eight_bit(strip, scale), colour)
        transparent = transparent or alpha
        strips.append(np.asarray(strip.reduce(factor) if factor > 1 else strip))
    array = strips[0] if len(strips) == 1 else np.concatenate(strips)
    return resized(array, small) if exact else array, transparent


def small_size(width: int, height: int, long_side: int) -> tuple[int, int]:
    """Width and height in pixels, reduced to a long side."""
    shrink = min(1.0, long_side / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


def resized(array: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """By less than a half, linearly; ``size`` is width and height in pixels."""
    if (array.shape[1], array.shape[0]) == size:
        return array
    return np.asarray(cv2.resize(array, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _scale(image: Image.Image) -> tuple[float, float] | None:
    """Factor and offset that bring a picture of 16 or 32 bits to 0 to 255."""
    if image.mode.startswith("I;16"):
        return 255 / 65535, 0.0
    if image.mode not in ("I", "F"):
        return None
    low, high = image.getextrema()
    if not (isinstance(low, (int, float)) and isinstance(high, (int, float))):  # one band only
        raise ValueError("several bands in a picture of one")
    if not np.isfinite([low, high]).all():
        return 255.0, 0.0
    if low >= 0:
        for top in (1,) if image.mode == "F" and high <= 1 else (255, 65535):
            if high <= top:
                return 255 / top, 0.0
    span = (high - low) or 1
    return 255 / span, -low * 255 / span


def _eight_bit(strip: Image.Image, scale: tuple[float, float] | None) -> Image.Image:
    if scale is None:
        return strip
    values = np.nan_to_num(np.asarray(strip).astype(np.float32) * np.float32(scale[0]) + np.float32(scale[1]))
    return Image.fromarray(np.clip(values + 0.5, 0, 255).astype(np.uint8))


def _flat(strip: Image.Image, colour: tuple[int, ...]) -> tuple[Image.Image, bool]:
    """As L, RGB, CMYK or LAB; transparency laid on ``colour``."""
    if strip.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in strip.info:
        strip = strip.convert("RGBA")
        alpha = strip.getchannel("A")
        low = alpha.getextrema()[0]
        if low == 255:
            return strip.convert("RGB"), False
        ground = Image.new("RGB", strip.size, colour)
        ground.paste(strip, mask=alpha)
        return ground, True
    if strip.mode in ("L", "RGB", "CMYK", "LAB"):
        return strip, False
    return strip.convert("L" if strip.mode == "1" else "RGB"), False


def _to_srgb(array: NDArray[np.uint8], profile: bytes | None, mode: str) -> NDArray[np.uint8]:
    """The reduced picture in sRGB. An embedded profile that is broken, or of another kind than the pixels, is ignored."""
    kind = "L" if array.ndim == 2 else {3: "RGB", 4: "CMYK"}[array.shape[2]]
    if mode == "LAB":
        kind = "LAB"
    transform = _transform(profile, kind) if profile or kind == "LAB" else None
    if transform is None and kind == "L":
        return np.repeat(array[:, :, None], 3, axis=2)
    if transform is None and kind == "RGB":
        return array
    image = (
        Image.fromarray(array) if kind in ("L", "RGB") else Image.frombytes(kind, array.shape[1::-1], array.tobytes())
    )
    if transform is None:
        return np.asarray(image.convert("RGB"))
    return np.asarray(transform.apply(image))


def is_srgb(profile: bytes | None) -> bool:
    """Whether an RGB picture with this embedded profile is in sRGB as it is; so is one without, or with one of no use."""
    return not profile or _transform(profile, "RGB") is None


@lru_cache(maxsize=16)
def _transform(profile: bytes | None, kind: str) -> ImageCms.ImageCmsTransform | None:
    """From the embedded profile to sRGB; None where nothing is to be done or the profile is of no use."""
    try:
        if kind == "LAB":
            source = ImageCms.createProfile("LAB")
        else:
            opened = ImageCms.ImageCmsProfile(BytesIO(profile or b""))
            if "srgb" in (opened.profile.profile_description or "").lower():
                return None
            if opened.profile.xcolor_space.strip() != {"L": "GRAY"}.get(kind, kind):
                return None
            source = opened  # type: ignore[assignment]
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), kind, "RGB")
    except Exception:  # a broken profile never costs a picture
        return None


def _heif(file: IO[bytes]) -> ImageFile.ImageFile:
    from pi_heif import HeifImageFile  # decode only; loaded when a HEIC picture is met

    return HeifImageFile(file)  # type: ignore[no-any-return]


_OPENERS: dict[str, Callable[[IO[bytes]], ImageFile.ImageFile]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,  # of an MPO file this is the first picture
    "png": PngImagePlugin.PngImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "heif": _heif,
}
