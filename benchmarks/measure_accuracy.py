"""How right the embedded measurement is on labelled photographs.

    python benchmarks/measure_accuracy.py [PHOTOS_DIR] [--json] [--wrong] [--augment NAME]

PHOTOS_DIR holds labels.csv and files/ (default: ../shared/photos beside the repository). 'right' is lenient: the label, or the
neighbour that its notes accept (view_alt:, shot_alt:); 'strict' counts the label alone. 'spoken' is over the labelled pictures.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from fluxcap import images
from fluxcap.measure import EmbeddedMeasurement
from fluxcap.types import Claim

PHOTOS = Path(__file__).resolve().parents[1] / ".." / "shared" / "photos"
SHALLOW = frozenset(
    [
        "012",
        "014",
        "041",
        "043",
        "047",
        "048",
        "054",
        "056",
        "058",
        "060",
        "064",
        "066",
        "068",
        "069",
        "071",
        "078",
        "093",
        "094",
        "101",
        "103",
        "104",
        "109",
    ]
)
"""Numbers of the dev_ photographs whose background is out of focus, seen by looking at those in question."""
TILTED = frozenset(["037", "048", "111"])
"""Heads clearly tilted though the notes do not say so, likewise."""
ASSERTED = 0.5
"""Claims below are hints, no statements."""


@dataclass(kw_only=True)
class Score:
    labelled: int = 0
    spoken: int = 0
    right: int = 0
    strict: int = 0
    wrong: list[str] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        return self.right / self.spoken if self.spoken else float("nan")

    @property
    def speaking(self) -> float:
        return self.spoken / self.labelled if self.labelled else float("nan")


def read_labels(folder: Path) -> list[dict[str, str]]:
    with (folder / "labels.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def accepted(row: dict[str, str], kind: str) -> set[str]:
    return {row[kind], *re.findall(rf"{kind}_alt:\s*([^;]+)", row["notes"])} - {""}


def mirrored_text(text: str) -> str:
    swap = {"left": "right", "right": "left"}
    return re.sub(r"\b(left|right)\b", lambda m: swap[m.group()], text)


def _flip(rgb: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(rgb[:, ::-1])


def _half(rgb: np.ndarray) -> np.ndarray:
    return cv2.resize(rgb, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def _darker(rgb: np.ndarray) -> np.ndarray:
    return (rgb.astype(np.float32) * 0.6).astype(np.uint8)


def _turned(rgb: np.ndarray) -> np.ndarray:
    height, width = rgb.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 6.0, 1.0)
    return cv2.warpAffine(rgb, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)


def _jpeg(rgb: np.ndarray) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, 40])[1], cv2.IMREAD_COLOR)


AUGMENT = {"flip": _flip, "half": _half, "darker": _darker, "turned": _turned, "jpeg40": _jpeg}


def observe_all(folder: Path, augment: str | None = None) -> list[tuple[dict[str, str], list[Claim]]]:
    measurement = EmbeddedMeasurement()
    out = []
    for row in read_labels(folder):
        picture = images.read(folder / "files" / row["file"], name=row["file"])
        rgb = AUGMENT[augment](picture.rgb) if augment else picture.rgb
        if augment == "flip":
            row = row | {key: mirrored_text(row[key]) for key in ("view", "notes")}
        out.append((row, measurement.observe(rgb, picture.ref.width, picture.ref.height)))
    return out


def score_all(observed: list[tuple[dict[str, str], list[Claim]]]) -> tuple[dict[str, Score], int]:
    """Scores by fact, and how often left was said for right."""
    scores: dict[str, Score] = {}
    swaps = 0

    def count(fact: str, row: dict[str, str], said: str | None, good: set[str], label: str | None = None) -> None:
        score = scores.setdefault(fact, Score())
        score.labelled += 1
        if said is None:
            return
        score.spoken += 1
        score.right += said in good
        score.strict += said == (label or next(iter(good)))
        if said not in good:
            score.wrong.append(f"{row['file']}: {said} (label {' or '.join(sorted(good))})")

    for row, claims in observed:
        said = {claim.slot: claim.value for claim in claims if claim.confidence >= ASSERTED}
        if row["view"]:
            views = accepted(row, "view")
            count("view", row, said.get("view"), views, row["view"])
            for side, other in (("left", "right"), ("right", "left")):
                told = said.get("view", "")
                swaps += told.endswith(side) and any(v.endswith(other) for v in views)
        if row["shot"]:
            count("framing", row, said.get("framing"), accepted(row, "shot"), row["shot"])
        if row["eyes"] in ("open", "closed") or row["eyes"].startswith("one closed"):
            count("eyes", row, said.get("eyes"), {"one closed" if "one" in row["eyes"] else row["eyes"]})
        if row["mouth"] in ("open", "closed"):
            told = said.get("mouth")
            count("mouth, open or closed", row, None if told == "parted" else told, {row["mouth"]})
        if row["mouth"] in ("open", "closed", "parted"):
            count("mouth, all three", row, said.get("mouth"), {row["mouth"]})
        face_seen = said.get("mouth") is not None or said.get("eyes") is not None
        if row["expression"] in ("broad smile", "laughing", "neutral", "sad", "angry", "surprised", "grimace"):
            broad = "broad" if row["expression"] in ("broad smile", "laughing") else "none"
            told = "broad" if said.get("expression") == "broad smile" else "none" if face_seen else None
            count("broad smile or none", row, told, {broad})
        if row["gaze"] in ("camera", "side"):
            count("gaze, camera or side", row, said.get("gaze"), {row["gaze"]})
        if row["gaze"] in ("down", "up", "eyes closed"):
            count("gaze, silent where down, up, shut", row, said.get("gaze"), {"-"})
        alone = {"1": {"alone"}, "2": {"one other person"}}.get(
            row["people"], {"one other person", "two other people", "several other people", "a crowd"}
        )
        count("people", row, said.get("people"), alone)
        if row["bw"] in ("bw", "color"):
            told = "bw" if said.get("medium") else "color"
            count("black and white", row, told, {row["bw"]})
        tilted = bool(re.search(r"tilt", row["notes"])) or row["file"][4:7] in TILTED
        count(
            "head tilt (labelled by notes only)",
            row,
            "tilted" if "action" in said else None,
            {"tilted" if tilted else "-"},
        )
        count("blurry", row, "blurry" if said.get("defects") else None, {"blurry" if row["blur"] else "-"})
        light = said.get("lighting")
        key = (
            "high-key"
            if "high-key" in row["lighting"]
            else "low-key"
            if "low-key" in row["lighting"]
            else row["lighting"] or "-"
        )
        count(
            "lighting, keys",
            row,
            light,
            {key}
            | ({"high-key"} if "white" in row["setting"] else set())
            | ({"low-key"} if "black studio" in row["setting"] else set()),
        )
        if "clothing" in said and row["clothing"]:
            words = said["clothing"].removesuffix(" clothing").split(" and ")
            good = all(w.split()[-1] in row["clothing"].replace("gray", "grey") for w in words)
            count("clothing colour", row, said["clothing"], {said["clothing"]} if good else {row["clothing"]})
        if "background" in said:
            words = said["background"].split()[1:]
            setting = row["setting"].replace("dark", "dark black")
            good = all(w in setting or w in ("dark", "light") for w in words)
            count("plain background", row, said["background"], {said["background"]} if good else {row["setting"]})
        blurred = row["file"][4:7] in SHALLOW
        count("shallow depth of field", row, said.get("depth_of_field"), {"shallow" if blurred else "-"})
    return scores, swaps


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="list the wrong ones")
    parser.add_argument("--augment", choices=sorted(AUGMENT), help="change every picture first")
    told = parser.parse_args(arguments)
    if not (told.photos / "labels.csv").exists():
        print(f"skipped: no labelled photographs at {told.photos}", file=sys.stderr)
        return 0
    scores, swaps = score_all(observe_all(told.photos, told.augment))
    if told.json:
        table: dict[str, Any] = {fact: asdict(score) for fact, score in scores.items()}
        print(json.dumps({"facts": table, "left_right_swaps": swaps}, indent=1))
        return 0
    print(f"{'fact':36} {'right/spoken':>13} {'accuracy':>9} {'strict':>7} {'spoken/labelled':>16} {'speaking':>9}")
    for fact, score in scores.items():
        print(
            f"{fact:36} {score.right:>7}/{score.spoken:<5} {score.accuracy:>8.1%} {score.strict:>7} "
            f"{score.spoken:>9}/{score.labelled:<6} {score.speaking:>8.1%}"
        )
        if told.wrong:
            for line in score.wrong:
                print(f"    {line}")
    print(f"left said for right: {swaps}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
