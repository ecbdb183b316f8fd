"""The picture that is sent: upright, without transparency, reduced, as JPEG, which every server reads (WebP many do not)."""

from __future__ import annotations

import io
from pathlib import Path

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
    image = Image.fromarray(picture.rgb)
    shrink = min(1.0, side / max(image.size))
    size = tuple(max(STEP, round(pixels * shrink / STEP) * STEP) for pixels in image.size)
    if size != image.size:
        image = image.resize((size[0], size[1]), Image.Resampling.BOX if shrink < 1 else Image.Resampling.BICUBIC)
    for quality in QUALITIES:
        written = io.BytesIO()
        image.save(written, "JPEG", quality=quality)
        if written.tell() <= MOST_BYTES:
            break
    return written.getvalue()
