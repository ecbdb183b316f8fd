"""Lids and irises: how far each eye is open, and where it looks, from a crop around each eye."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fluxcap.measure.mesh import Mesh
from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Points, Pyramid, Square, unit

SIZE = 64
ROOM = 2.3
"""Side of the crop per distance of the eye's corners: what the net was trained with."""
CORNERS = ((33, 133), (263, 362))
"""Mesh points of each eye's outer and inner corner; left of the picture first (face from the front)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eye:
    """One eye. ``opening``: lid gap per eye width. ``offset``: iris from the middle of the corners, per eye width, > 0 to the picture's right."""

    opening: float
    offset: float
    width: float
    """Pixels between the corners, as they lie in the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Eyes:
    """Both eyes, left and right as the viewer sees them."""

    left: Eye
    right: Eye


def _look(nets: Nets, pyramid: Pyramid, square: Square, *, mirrored: bool) -> tuple[Points, Points]:
    crop = pyramid.crop(square, SIZE, border=cv2.BORDER_REPLICATE, mirrored=mirrored)
    contour, iris = nets.run("iris_landmark", unit(crop), 0, 1)
    return contour.reshape(-1, 3).astype(np.float64) / SIZE, iris.reshape(-1, 3).astype(np.float64) / SIZE


def measure_eye(contour: Points, iris: Points, width: float) -> Eye:
    """Ratios of one eye from its 71 contour and 5 iris points; points 0 to 8 run along the lower lid, 9 to 15 along the upper."""
    outer, inner = contour[0, :2], contour[8, :2]
    across = inner - outer
    span = max(float(np.linalg.norm(across)), 1e-6)
    gaps = [float(np.linalg.norm(contour[low, :2] - contour[high, :2])) for low, high in ((3, 11), (4, 12), (5, 13))]
    offset = float((iris[0, :2] - (outer + inner) / 2) @ across) / span**2
    return Eye(opening=float(np.mean(gaps)) / span, offset=offset, width=width)


def find_eyes(nets: Nets, pyramid: Pyramid, mesh: Mesh) -> Eyes:
    """Both eyes of a face. The net knows one eye; the other goes through it mirrored."""
    found = []
    left, right = mesh.points[33, :2], mesh.points[263, :2]
    angle = float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))
    for side, (outer, inner) in enumerate(CORNERS):
        one, other = mesh.points[outer, :2], mesh.points[inner, :2]
        width = float(np.linalg.norm(one - other))
        middle = (one + other) / 2
        square = Square(x=float(middle[0]), y=float(middle[1]), side=max(width * ROOM, 1.0), angle=angle)
        eye = measure_eye(*_look(nets, pyramid, square, mirrored=side == 1), width)
        found.append(Eye(opening=eye.opening, offset=-eye.offset if side else eye.offset, width=eye.width))
    return Eyes(left=found[0], right=found[1])
