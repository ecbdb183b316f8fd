"""The picture that is sent: upright, without transparency, reduced, as JPEG, which every server reads (WebP many do not)."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from types import ModuleType

from fluxcap import images

QUALITIES = (90, 85, 80, 75)
MOST_BYTES = 350_000
STEP = 32  # pixels; some servers fail at odd sizes


def jpeg(path: Path, *, name: str, side: int, background: str = "#ffffff", digest: str | None = None) -> bytes:
    """The picture as JPEG bytes, its long side at most ``side`` pixels, both sides multiples of 32.

    The quality is 90, less only where that would be more than 350,000 bytes. Raises ``ImageError`` for a file that cannot
    be opened.
    """
    from PIL import Image

    picture = images.read(path, name=name, background=background, long_side=side, exact=False, digest=digest)
    rgb = picture.rgb
    shrink = min(1.0, side / max(rgb.shape[:2]))
    most = max(1, side // STEP)
    height, width = (STEP * min(most, max(1, round(pixels * shrink / STEP))) for pixels in rgb.shape[:2])
    if (height, width) != rgb.shape[:2]:
        # by less than two: linear is nearer to Lanczos than a box is, in a quarter of the time
        rgb = _cv2().resize(rgb, (width, height), interpolation=_cv2().INTER_LINEAR)
    image = Image.fromarray(rgb)
    for quality in QUALITIES:
        written = io.BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()


@cache
def _cv2() -> ModuleType:
    import cv2

    cv2.setNumThreads(1)  # pictures are made side by side already
    module: ModuleType = cv2
    return module
