"""Pixels for the nets: a pyramid of halved copies, letterboxes and turned crops. Pictures are HWC uint8 RGB."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Square:
    """A turned square in the picture: centre and side in pixels, ``angle`` in degrees, clockwise as the viewer sees it."""

    x: float
    y: float
    side: float
    angle: float

    def to_picture(self, points: Points) -> Points:
        """Points from the square's own frame (0 to 1, y down) to pixels of the picture; a third column is scaled along."""
        sin, cos = np.sin(np.radians(self.angle)), np.cos(np.radians(self.angle))
        out = np.array(points, dtype=np.float64)
        dx, dy = (out[:, 0] - 0.5) * self.side, (out[:, 1] - 0.5) * self.side
        out[:, 0] = self.x + cos * dx - sin * dy
        out[:, 1] = self.y + sin * dx + cos * dy
        if out.shape[1] > 2:
            out[:, 2] *= self.side
        return out


class Pyramid:
    """A picture and its halved copies, made when first asked for, so that crops never alias and never cost much."""

    def __init__(self, rgb: Pixels) -> None:
        self._levels: list[Pixels] = [rgb]
        self.height, self.width = rgb.shape[:2]

    def level(self, factor: float) -> tuple[Pixels, float]:
        """The smallest copy that is still ``factor`` times smaller than the picture at most, and its exact scale."""
        index = 0
        while factor >= 2.0 and min(self._levels[index].shape[:2]) >= 2:
            index, factor = index + 1, factor / 2.0
            if index == len(self._levels):
                above = self._levels[-1]
                even = above[: above.shape[0] // 2 * 2, : above.shape[1] // 2 * 2]
                size = (even.shape[1] // 2, even.shape[0] // 2)
                self._levels.append(cv2.resize(even, size, interpolation=cv2.INTER_AREA))
        return self._levels[index], 0.5**index

    def crop(self, square: Square, size: int, *, border: int = cv2.BORDER_CONSTANT, mirrored: bool = False) -> Pixels:
        """The turned square as ``size`` x ``size`` pixels; outside the picture black, or what ``border`` says."""
        pixels, scale = self.level(square.side / size)
        sin, cos = np.sin(np.radians(square.angle)), np.cos(np.radians(square.angle))
        step = square.side * scale / size
        flip = -1.0 if mirrored else 1.0
        half = (size - 1) / 2.0
        # pixel centres: crop pixel (i, j) shows the picture's point centre + R * ((i, j) - half) * step
        forward = np.array([[cos * step * flip, -sin * step, 0.0], [sin * step * flip, cos * step, 0.0]])
        centre = np.array([square.x * scale - 0.5, square.y * scale - 0.5])
        forward[:, 2] = centre - forward[:, :2] @ np.array([half, half])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(pixels, forward, (size, size), flags=flags, borderMode=border), dtype=np.uint8)

    def letterbox(self, size: int) -> tuple[Pixels, Square]:
        """The whole picture, centred on a black ``size`` x ``size`` square, and that square in the picture's pixels."""
        side = max(self.width, self.height)
        whole = Square(x=self.width / 2, y=self.height / 2, side=float(side), angle=0.0)
        return self.crop(whole, size), whole


def unit(pixels: Pixels) -> Floats:
    """Bytes to 0..1."""
    return pixels.astype(np.float32) * np.float32(1 / 255)


def signed(pixels: Pixels) -> Floats:
    """Bytes to -1..1."""
    return pixels.astype(np.float32) * np.float32(1 / 127.5) - np.float32(1)
