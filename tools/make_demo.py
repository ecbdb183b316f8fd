"""Make the demo pictures in src/fluxcap/data/demo out of astronaut.png, which the package scikit-image carries.

pip download scikit-image --no-deps --dest FOLDER
python tools/make_demo.py FOLDER/scikit_image-*.whl
"""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

from PIL import Image, ImageOps

SOURCE = "skimage/data/astronaut.png"
TARGET = Path(__file__).resolve().parents[1] / "src" / "fluxcap" / "data" / "demo"
SIDE = 512
MOST_BYTES = 60_000
PICTURES = {  # name -> (left, upper, right, lower) in astronaut.png, mirrored or not
    "waist_up.jpg": ((0, 0, 512, 512), False),
    "head_and_shoulders.jpg": ((60, 0, 380, 320), False),
    "close_up.jpg": ((145, 10, 310, 205), False),
    "mirrored.jpg": ((30, 0, 440, 410), True),
}


def main() -> None:
    """Cut, mirror, scale, write."""
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        whole = Image.open(io.BytesIO(wheel.read(SOURCE))).convert("RGB")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, (box, is_mirrored) in PICTURES.items():
        cut = whole.crop(box)
        cut = cut.resize((SIDE, round(SIDE * cut.height / cut.width)), Image.Resampling.LANCZOS)
        path = TARGET / name
        (ImageOps.mirror(cut) if is_mirrored else cut).save(path, quality=85, optimize=True)
        if path.stat().st_size > MOST_BYTES:
            sys.exit(f"{name} is larger than {MOST_BYTES} bytes")


if __name__ == "__main__":
    main()
