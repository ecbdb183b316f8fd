"""The promised rates on labelled photographs, and that a mirrored photograph gets mirrored claims."""

import importlib.util
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from fluxcap.measure import EmbeddedMeasurement, missing_models

ROOT = Path(__file__).resolve().parents[1]
PHOTOS = ROOT / ".." / "shared" / "photos"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(missing_models()), reason="the measuring models are not installed"),
    pytest.mark.skipif(
        not (PHOTOS / "labels.csv").exists(), reason="the labelled photographs are not there (../shared/photos)"
    ),
]

RATES = {
    # fact: (least accuracy, least part of the labelled that is spoken of)
    "view": (0.95, 0.90),
    "framing": (0.90, 0.90),
    "eyes": (0.98, 0.80),
    "mouth, open or closed": (0.94, 0.70),
    "broad smile or none": (0.90, 0.80),
    "gaze, camera or side": (0.85, 0.70),
    "people": (0.97, 0.80),
    "black and white": (0.99, 1.0),
    "lighting, keys": (0.85, 0.0),
    "plain background": (0.85, 0.0),
    "clothing colour": (0.80, 0.0),
    "shallow depth of field": (0.85, 0.0),
}


@pytest.fixture(scope="module")
def accuracy():
    spec = importlib.util.spec_from_file_location("measure_accuracy", ROOT / "benchmarks" / "measure_accuracy.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules[spec.name] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def observed(accuracy):
    return accuracy.observe_all(PHOTOS)


@pytest.mark.parametrize("fact", RATES)
def test_rate(accuracy, observed, fact):
    score = accuracy.score_all(observed)[0][fact]
    least, speaking = RATES[fact]
    assert score.accuracy >= least, score.wrong
    assert score.speaking >= speaking


def test_left_is_never_right(accuracy, observed):
    assert accuracy.score_all(observed)[1] == 0


def test_black_and_white_is_found(observed):
    for row, claims in observed:
        assert any(claim.slot == "medium" for claim in claims) is (row["bw"] == "bw"), row["file"]


def test_mirrored_photographs_get_mirrored_claims(accuracy, observed):
    """Near a limit one side may keep silent; that both speak and differ is rare, and never about left and right."""
    both: Counter[str] = Counter()
    differ: Counter[str] = Counter()
    for (row, straight), (_, mirrored) in zip(observed, accuracy.observe_all(PHOTOS, "flip"), strict=True):
        one = {claim.slot: accuracy.mirrored_text(claim.value) for claim in straight if claim.confidence >= 0.5}
        other = {claim.slot: claim.value for claim in mirrored if claim.confidence >= 0.5}
        for slot in one.keys() & other.keys():
            both[slot] += 1
            differ[slot] += one[slot] != other[slot]
        if one.get("view", "").split()[-1:] == ["left"]:
            assert not other.get("view", "").endswith("right"), row["file"]
        if one.get("view", "").split()[-1:] == ["right"]:
            assert not other.get("view", "").endswith("left"), row["file"]
    assert sum(differ.values()) <= 0.01 * sum(both.values()), differ


@pytest.mark.parametrize("change", ["half", "jpeg40", "turned"])
def test_changed_photographs_keep_the_rates(accuracy, change):
    scores, swaps = accuracy.score_all(accuracy.observe_all(PHOTOS, change))
    assert swaps == 0
    for fact in ("view", "framing", "eyes", "mouth, open or closed", "broad smile or none", "gaze, camera or side"):
        assert scores[fact].accuracy >= RATES[fact][0] - 0.02, (fact, scores[fact].wrong)


def test_side_by_side_photographs_are_two_people(accuracy):
    """Two portraits beside each other: never 'alone'."""
    import cv2

    from fluxcap import images

    measurement = EmbeddedMeasurement()
    names = [row["file"] for row in accuracy.read_labels(PHOTOS) if row["shot"] == "head-and-shoulders"][:24]

    def people(pair: tuple[str, str]) -> str | None:
        parts = []
        for name in pair:
            rgb = images.read(PHOTOS / "files" / name, name=name, long_side=640).rgb
            parts.append(cv2.resize(rgb, (round(rgb.shape[1] * 500 / rgb.shape[0]), 500), interpolation=cv2.INTER_AREA))
        both = np.hstack(parts)
        return {claim.slot: claim.value for claim in measurement.observe(both, both.shape[1], both.shape[0])}.get(
            "people"
        )

    with ThreadPoolExecutor(2) as pool:
        told = Counter(pool.map(people, zip(names[::2], names[1::2], strict=True)))
    assert set(told) <= {"one other person", None}
    assert told["one other person"] >= 6
