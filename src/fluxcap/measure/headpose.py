"""Which way a head points: the rotation that carries the mean face onto the mesh (Kabsch), and its angles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.pixels import Points


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadPose:
    """Angles in degrees, as the viewer sees the head.

    ``yaw``: > 0 the face points to the right of the picture. ``pitch``: > 0 it points down. ``roll``: > 0 the head's top
    leans to the right. ``aligned``: the mesh turned back and scaled to the mean face (468, 3).
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    """Pixels per eye distance of the mean face, foreshortening undone: the size of the head."""
    aligned: Points


def fit(template: Points, points: Points) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Scale, rotation and shift with the least squared error: points = scale * rotation @ template + shift (Umeyama 1991)."""
    centre, target = template.mean(axis=0), points.mean(axis=0)
    one, other = template - centre, points - target
    left, strength, right = np.linalg.svd(other.T @ one / len(one))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(left) * np.linalg.det(right)) or 1.0])
    rotation = (left * sign) @ right
    scale = float((strength * sign).sum() / max(float((one**2).sum() / len(one)), 1e-12))
    return scale, rotation, target - scale * rotation @ centre


def angles(rotation: NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a rotation = roll(z) @ yaw(y) @ pitch(x), in picture axes (x right, y down, z away)."""
    # roll @ yaw @ pitch: the third row is (sin yaw, cos yaw sin pitch, cos yaw cos pitch), the first column's head is free of pitch
    yaw = np.degrees(np.arctan2(rotation[2, 0], np.hypot(rotation[2, 1], rotation[2, 2])))
    pitch = np.degrees(np.arctan2(rotation[2, 1], rotation[2, 2]))
    roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
    return float(yaw), float(pitch), float(roll)


def head_pose(template: Points, points: Points) -> HeadPose:
    """Angles and aligned mesh of a face's 468 points."""
    scale, rotation, shift = fit(template, points)
    yaw, pitch, roll = angles(rotation)
    aligned = (points - shift) @ rotation / max(scale, 1e-9)
    return HeadPose(yaw=yaw, pitch=pitch, roll=roll, scale=scale, aligned=aligned)
