"""A folder of photographs with planted defects: each file is read, or refused for the reason it was planted with."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from fluxcap import images
from fluxcap.errors import ImageError

SHARED = Path(__file__).resolve().parents[2] / "shared"
MAKE, PHOTOS = SHARED / "planted" / "make.py", SHARED / "photos" / "files"
REFUSED = {"truncated": {"IMG004"}, "nonimage": {"IMG003"}, "zerobyte": {"IMG002"}}
ISSUES = {"animated": ["IMG007"], "png16": ["IMG010"], "rgba_png": ["IMG011"]}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (MAKE.is_file() and PHOTOS.is_dir()), reason="no shared/planted and shared/photos beside the repository"
    ),
]


@pytest.fixture(scope="module")
def planted(tmp_path_factory) -> Path:
    """About 560 files; the photographs are enlarged, since the defects are cut from crops of at least 512 pixels."""
    source, out = tmp_path_factory.mktemp("source") / "one", tmp_path_factory.mktemp("planted")
    source.mkdir()
    for number, path in enumerate(sorted(PHOTOS.iterdir())[::6]):
        with Image.open(path) as photo:
            large = photo.convert("RGB").resize((2400, 1800))
        large.save(source / f"{number}.jpg", quality=85)
        if number == 0:
            large.save(source / "phone.jpg", "MPO", save_all=True, append_images=[large.resize((400, 300))])
    command = [sys.executable, str(MAKE), str(source.parent), str(out), "--nofilter", "--n", "560"]
    subprocess.run(command, check=True, capture_output=True)
    return out


def test_each_file_is_read_or_refused_for_its_reason(planted) -> None:
    with (planted / "truth.csv").open(encoding="utf-8", newline="") as file:
        truth = {row["file"]: row for row in csv.DictReader(file)}
    paths = images.find(planted / "images", recursive=False)
    assert sorted(path.name for path in paths) == sorted(truth)
    wrong = []
    for path in paths:
        row = truth[path.name]
        kind, size = row["kind"], (int(row["width"]), int(row["height"]))
        if row["params"].startswith("orientation ") and int(row["params"][-1]) >= 5:
            size = size[::-1]
        try:
            picture = images.read(path, name=path.name)
        except ImageError as error:
            if error.code not in REFUSED.get(kind, set()):
                wrong.append((kind, str(error)))
            continue
        codes = [issue.code for issue in picture.issues]
        if kind in REFUSED or codes != ISSUES.get(kind, []) or picture.ref.id != row["sha256"]:
            wrong.append((kind, path.name, codes))
        if (picture.ref.width, picture.ref.height) != size or max(picture.rgb.shape) != min(1024, max(size)):
            wrong.append((kind, path.name, picture.rgb.shape, size))
    assert wrong == []
    assert images.sidecar_clashes(paths) == []
