"""The benchmark of planted defects, with fewer of them: they are found, and good captions are let be."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
PHOTOS = BENCHMARKS.parent.parent / "shared" / "photos"
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
        plants = defects.plant(items, seed=7, each=4)
        told = bad_captions.report(
            [bad_captions.examine(items, one) for one in plants], bad_captions.alarms(items), True
        )
        codes = set(bad_captions.CODES)
        for name in ("bad_captions", "defects", "labelled"):
            sys.modules.pop(name, None)
        return {**told, "every": codes}


def test_planted_defects_are_found(figures: dict) -> None:
    assert set(figures["kinds"]) == figures["every"]
    for kind, row in figures["kinds"].items():
        assert row["planted"] >= 4
        assert row["found"] >= 0.5 * row["planted"], (kind, figures["missed"])
    assert figures["found"] >= 0.95 * figures["planted"], figures["missed"]


def test_good_captions_are_let_be(figures: dict) -> None:
    assert figures["good"] == 200
    assert figures["alarmed"] <= 2, figures["cried"]
