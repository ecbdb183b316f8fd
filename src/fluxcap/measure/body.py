"""The body: 33 points of the pose net, with how sure it is to see each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.detect import Detection
from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Points, Pyramid, Square, unit

SIZE = 256
ROOM = 1.25
"""Side of the crop per diameter of the circle around the body: what the net was trained with."""

NOSE, EARS = 0, (7, 8)
SHOULDERS, HIPS, KNEES, ANKLES = (11, 12), (23, 24), (25, 26), (27, 28)
"""The subject's left first, then the right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """33 points (33, 3) in pixels of the picture (z: depth in pixels, smaller is nearer), ``seen`` 0 to 1 each."""

    score: float
    points: Points
    seen: NDArray[np.float64]

    def middle(self, pair: tuple[int, int]) -> Points:
        """The point between two points."""
        return np.asarray((self.points[pair[0]] + self.points[pair[1]]) / 2)

    def sure(self, pair: tuple[int, int]) -> float:
        """How surely at least one of a pair is seen."""
        return float(self.seen[list(pair)].max())

    @property
    def turn(self) -> float:
        """Degrees the head is turned by the nose seen from the ears: > 0 to the picture's right, beyond 90 away from the viewer.

        Only the sign and 'clearly beyond 90' can be trusted (correlation with the mesh 0.8, slope 0.4).
        """
        ahead = self.points[NOSE] - self.middle(EARS)
        return float(np.degrees(np.arctan2(ahead[0], -ahead[2])))

    @property
    def shoulder_side(self) -> float:
        """The subject's left shoulder minus the right one, in shoulder-to-hip lengths: > 0 seen from the front, < 0 from behind."""
        across = self.points[SHOULDERS[0]] - self.points[SHOULDERS[1]]
        trunk = self.middle(HIPS) - self.middle(SHOULDERS)
        down = trunk[:2] / max(float(np.linalg.norm(trunk[:2])), 1e-6)
        # across the trunk as it lies in the picture, so that leaning and lying bodies count too
        return float(across[0] * down[1] - across[1] * down[0]) / max(float(np.linalg.norm(trunk)), 1e-6)


def square_of_detection(found: Detection) -> Square:
    """The crop for the net: around the hips, turned so that the line from hips to the end of the body's circle points up."""
    hips, end = found.points[0], found.points[1]
    dx, dy = end - hips
    angle = float(np.degrees(np.arctan2(dy, dx))) + 90.0
    return Square(x=float(hips[0]), y=float(hips[1]), side=max(2.0 * float(np.hypot(dx, dy)) * ROOM, 1.0), angle=angle)


def look(nets: Nets, pyramid: Pyramid, found: Detection) -> Body:
    """The 33 points of a found body."""
    square = square_of_detection(found)
    raw, score = nets.run("pose_landmark_full", unit(pyramid.crop(square, SIZE)), 0, 1)
    table = raw.reshape(-1, 5)[:33].astype(np.float64)
    seen = 1.0 / (1.0 + np.exp(-np.clip(table[:, 3], -80.0, 80.0)))
    return Body(score=float(score.reshape(-1)[0]), points=square.to_picture(table[:, :3] / SIZE), seen=seen)
