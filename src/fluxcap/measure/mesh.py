"""The face mesh: 468 points on a found face, steadied by looking at the mirrored crop as well."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.detect import Detection
from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Points, Pyramid, Square, unit

SIZE = 192
POINTS = 468
ROOM = 1.5
"""Side of the crop per long side of the face box: what the net was trained with."""

EYE_LEFT, EYE_RIGHT = 33, 263
"""Outer eye corners; left and right as the viewer sees a face from the front."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mesh:
    """468 points, (468, 3), in pixels of the picture (z: depth in pixels, smaller is nearer); score 0 to 1: is it a face."""

    score: float
    points: Points

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right, bottom in pixels: brows' height to chin, no hair."""
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])

    @property
    def width(self) -> float:
        """Pixels."""
        left, _, right, _ = self.box
        return right - left

    @property
    def height(self) -> float:
        """Pixels."""
        _, top, _, bottom = self.box
        return bottom - top


@cache
def template() -> tuple[Points, NDArray[np.int64]]:
    """The mean face (468, 3), symmetrical, eye distance 1, and for each point the number of its mirror twin.

    Made by ``tools/make_face_template.py``.
    """
    with (resources.files("fluxcap") / "data" / "face_template.csv").open(encoding="utf-8") as lines:
        table = np.loadtxt(lines, delimiter=",", comments="#")
    return table[:, 1:4], table[:, 0].astype(np.int64)


def square_of(points: Points, left: Points, right: Points) -> Square:
    """The crop for the net: a square around ``points``, turned so that ``left`` and ``right`` (the eyes) are level."""
    dx, dy = (right - left)[:2]
    angle = float(np.degrees(np.arctan2(dy, dx)))
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    centre = (low + high) / 2
    return Square(x=float(centre[0]), y=float(centre[1]), side=float((high - low).max() * ROOM), angle=angle)


def square_of_detection(found: Detection) -> Square:
    """The same from a detector's box and eye points."""
    corners = np.array(
        [
            [found.x - found.width / 2, found.y - found.height / 2],
            [found.x + found.width / 2, found.y + found.height / 2],
        ]
    )
    return square_of(corners, found.points[0], found.points[1])


def _look(nets: Nets, pyramid: Pyramid, square: Square, *, mirrored: bool) -> tuple[float, Points]:
    crop = pyramid.crop(square, SIZE, border=cv2.BORDER_REPLICATE, mirrored=mirrored)
    raw, logit = nets.run("face_landmark", unit(crop), 0, 1)
    points = raw.reshape(POINTS, 3).astype(np.float64) / SIZE
    if mirrored:
        points = points[template()[1]]
        points[:, 0] = 1.0 - points[:, 0]
    return float(1.0 / (1.0 + np.exp(-np.clip(logit.reshape(-1)[0], -80.0, 80.0)))), square.to_picture(points)


def plain_mesh(nets: Nets, pyramid: Pyramid, square: Square) -> Mesh:
    """One look at the crop as it is."""
    score, points = _look(nets, pyramid, square, mirrored=False)
    return Mesh(score=score, points=points)


def find_mesh(nets: Nets, pyramid: Pyramid, found: Detection, *, rounds: int = 2) -> Mesh:
    """The mesh of a found face: each round looks at the crop and its mirror image and recentres the next on the mean."""
    square = square_of_detection(found)
    mesh = Mesh(score=0.0, points=np.zeros((POINTS, 3)))
    for _ in range(rounds):
        one, other = (_look(nets, pyramid, square, mirrored=mirrored) for mirrored in (False, True))
        mesh = Mesh(score=(one[0] + other[0]) / 2, points=(one[1] + other[1]) / 2)
        square = square_of(mesh.points, mesh.points[EYE_LEFT], mesh.points[EYE_RIGHT])
    return mesh
