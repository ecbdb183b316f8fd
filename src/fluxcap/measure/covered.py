"""Whether something lies over the mouth or the eyes: the mesh draws lips on a mask and lids on sunglasses all the same."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from fluxcap.measure.picture import to_lab
from fluxcap.measure.pixels import Points, Pyramid, Square

_CROP = 96  # pixels
_BLUR = 5  # pixels of the crop: one mesh point stands for its surroundings
_CHEEKS = (50, 280, 205, 425)
_UNDER_EYES = (230, 450)
_LIPS = (0, 17)
_ROUND_LIPS = (164, 200, 57, 287)


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """``lips``: how much redder the lips are than the skin around them (Lab a; NaN in a picture without colour).

    ``under_eyes``: lightness under the eyes as part of the cheeks'; sunglasses darken it.
    """

    lips: float
    under_eyes: float


def measure_covered(pyramid: Pyramid, points: Points) -> Covered:
    """Read the colours at some points of the mesh, (468, 2 or more) in pixels of the picture."""
    low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
    x, y = (low + high) / 2
    square = Square(x=float(x), y=float(y), side=float((high - low).max() * 1.1), angle=0.0)
    lab = cv2.blur(to_lab(pyramid.crop(square, _CROP, border=cv2.BORDER_REPLICATE)), (_BLUR, _BLUR))
    places = ((points[:, :2] - [x, y]) / square.side + 0.5) * _CROP
    columns, rows = np.clip(places, 0, _CROP - 1).astype(int).T

    def at(ids: tuple[int, ...]) -> tuple[float, float]:
        here = lab[rows[list(ids)], columns[list(ids)]].mean(axis=0)
        return float(here[0]), float(here[1])

    coloured = float(np.abs(lab[..., 1:] - 128).mean()) > 2.0
    return Covered(
        lips=at(_LIPS)[1] - at(_ROUND_LIPS)[1] if coloured else float("nan"),
        under_eyes=at(_UNDER_EYES)[0] / max(at(_CHEEKS)[0], 1.0),
    )
