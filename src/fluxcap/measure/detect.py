"""Finding faces and the body: anchors of the two single-shot detectors, decoding, non-maximum suppression.

The nets' layouts (strides, inputs, keypoints) are described in their public model cards and graph files; this is our own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Points, Pyramid, Square, signed

Layout = tuple[tuple[int, int], ...]

FULL_RANGE: Layout = ((48, 1),)
"""Cells per side and anchors per cell: 192 px, stride 4."""
SHORT_RANGE: Layout = ((16, 2), (8, 6))
"""128 px, strides 8 and 16."""
BODY: Layout = ((28, 2), (14, 2), (7, 6))
"""224 px, strides 8, 16 and 32."""

OVERLAP = 0.3
"""Boxes that share more than this (intersection over union) are one face."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """One found face or body, in pixels of the picture. ``points`` are the detector's keypoints, (n, 2).

    Face: the eye at the image's left, the other eye, nose tip, mouth, ear at the left, other ear (for a face seen from the front).
    Body: middle of the hips, end of the circle around the body, middle of the shoulders, end of the circle around the upper body.
    """

    score: float
    x: float
    y: float
    width: float
    height: float
    points: Points


@cache
def anchors(layout: Layout) -> NDArray[np.float32]:
    """Anchor centres (n, 2), 0 to 1, row by row: ``count`` anchors in the middle of each cell of a ``cells`` x ``cells`` grid."""
    parts = []
    for cells, count in layout:
        middle = (np.arange(cells, dtype=np.float32) + np.float32(0.5)) / np.float32(cells)
        grid = np.stack([np.tile(middle, cells), np.repeat(middle, cells)], axis=1)
        parts.append(np.repeat(grid, count, axis=0))
    return np.concatenate(parts)


def decode(
    raw: NDArray[np.float32], logits: NDArray[np.float32], layout: Layout, size: int, least: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Raw net output -> (scores, rows); a row is x, y, width, height of the box (centre first) and the keypoints, all 0 to 1."""
    scores = 1.0 / (1.0 + np.exp(-np.clip(logits.reshape(-1).astype(np.float64), -80.0, 80.0)))
    keep = scores >= least
    rows = raw.reshape(len(scores), -1)[keep].astype(np.float64) / size
    middle = anchors(layout)[keep]
    rows[:, 0:2] += middle
    for column in range(4, rows.shape[1], 2):
        rows[:, column : column + 2] += middle
    return scores[keep], rows


def overlap(one: NDArray[np.float64], many: NDArray[np.float64]) -> NDArray[np.float64]:
    """Intersection over union of one box (centre x, centre y, width, height) with many."""
    low = np.maximum(one[:2] - one[2:4] / 2, many[:, :2] - many[:, 2:4] / 2)
    high = np.minimum(one[:2] + one[2:4] / 2, many[:, :2] + many[:, 2:4] / 2)
    shared = np.prod(np.clip(high - low, 0.0, None), axis=1)
    union = one[2] * one[3] + many[:, 2] * many[:, 3] - shared
    return np.asarray(shared / np.maximum(union, 1e-12))


def suppress(
    scores: NDArray[np.float64], rows: NDArray[np.float64], limit: float = OVERLAP
) -> list[tuple[float, NDArray[np.float64]]]:
    """Best box first; the boxes that overlap it are blended into it, weighted by score (steadier than the best one alone)."""
    order = np.argsort(-scores, kind="stable")
    scores, rows = scores[order], rows[order]
    out = []
    while len(scores):
        same = overlap(rows[0], rows) > limit
        same[0] = True
        weights = scores[same] / scores[same].sum()
        out.append((float(scores[0]), weights @ rows[same]))
        scores, rows = scores[~same], rows[~same]
    return out


def _to_picture(score: float, row: NDArray[np.float64], square: Square) -> Detection:
    points = square.to_picture(row[4:].reshape(-1, 2))
    x, y = square.to_picture(row[None, 0:2])[0]
    return Detection(
        score=score,
        x=float(x),
        y=float(y),
        width=float(row[2] * square.side),
        height=float(row[3] * square.side),
        points=points,
    )


def find_faces(
    nets: Nets, pyramid: Pyramid, square: Square | None = None, *, short: bool = False, least: float = 0.5
) -> list[Detection]:
    """Faces in the picture, or in one square of it, best first. ``short``: the net for faces that fill much of the frame."""
    square = square or Square(
        x=pyramid.width / 2, y=pyramid.height / 2, side=float(max(pyramid.width, pyramid.height)), angle=0.0
    )
    if short:
        name, size, layout = "face_detection_short_range", 128, SHORT_RANGE
    else:
        name, size, layout = "face_detection_full_range_sparse", 192, FULL_RANGE
    raw, logits = nets.run(name, signed(pyramid.crop(square, size)), 0, 1)
    return [_to_picture(score, row, square) for score, row in suppress(*decode(raw, logits, layout, size, least))]


def find_body(nets: Nets, pyramid: Pyramid, least: float = 0.5) -> Detection | None:
    """The most certain body in the picture."""
    pixels, square = pyramid.letterbox(224)
    raw, logits = nets.run("pose_detection", signed(pixels), 0, 1)
    found = suppress(*decode(raw, logits, BODY, 224, least))
    return _to_picture(*found[0], square) if found else None
