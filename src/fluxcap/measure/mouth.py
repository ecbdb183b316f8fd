"""Mouth and smile, read off the aligned mesh, so that turning the head does not change them much."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fluxcap.measure.pixels import Points

CORNERS, INNER_CORNERS = (61, 291), (78, 308)
UPPER, LOWER = 13, 14
EYES = (33, 263)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mouth:
    """``gap``: inner lips' distance per mouth width. ``smile``, ``corners``: mouth width per eye distance plus twice the lift
    of the corners, over the middle of the lips and over the upper lip.
    """

    gap: float
    smile: float
    corners: float


def measure_mouth(aligned: Points) -> Mouth:
    """From the aligned mesh (468, 3)."""
    eyes = max(float(np.linalg.norm(aligned[EYES[0]] - aligned[EYES[1]])), 1e-6)
    width = float(np.linalg.norm(aligned[CORNERS[0]] - aligned[CORNERS[1]])) / eyes
    inner = max(float(np.linalg.norm(aligned[INNER_CORNERS[0]] - aligned[INNER_CORNERS[1]])), 1e-6)
    corner = float(aligned[list(CORNERS), 1].mean())
    upper, middle = float(aligned[UPPER, 1]), float(aligned[[UPPER, LOWER], 1].mean())
    return Mouth(
        gap=float(np.linalg.norm(aligned[UPPER] - aligned[LOWER])) / inner,
        smile=width + 2.0 * (middle - corner) / eyes,
        corners=width + 2.0 * (upper - corner) / eyes,
    )
