"""The benchmark of planted defects on a part of the set: what is this branch's to find is found, and good captions are let be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PHOTOS = BENCHMARKS.parent.parent / "shared" / "photos"
FACTS = (
    "bound_leak", "contradiction", "people_count", "left_right", "other_picture", "identical", "order", "fragment", "unsaid",
    "missing_trigger", "trigger_not_first", "repeated_trigger", "empty", "line_break", "too_long",
)  # fmt: skip
"""The kinds that facts, plan and the set tell of, or the trigger word."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (PHOTOS / "labels.csv").is_file(), reason="no shared/photos/labels.csv beside the repository"
    ),
]


@pytest.fixture(scope="module")
def figures() -> dict:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        import bad_captions
        import defects

        items = bad_captions.from_labels(PHOTOS)
        plants = [one for one in defects.plant(items, seed=7, each=6) if one.kind in FACTS]
        told = bad_captions.report(
            [bad_captions.examine(items, one) for one in plants], bad_captions.alarms(items), True
        )
        for name in ("bad_captions", "defects", "labelled"):
            sys.modules.pop(name, None)
        return told


def test_planted_defects_are_found(figures: dict) -> None:
    assert set(figures["kinds"]) == set(FACTS)
    for kind, row in figures["kinds"].items():
        assert row["planted"] >= 6
        assert row["found"] >= 0.8 * row["planted"], (kind, figures["missed"])
    assert figures["found"] >= 0.95 * figures["planted"], figures["missed"]


def test_good_captions_are_let_be(figures: dict) -> None:
    assert figures["good"] == 200
    assert figures["alarmed"] <= 2, figures["cried"]
