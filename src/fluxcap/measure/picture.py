"""What the pixels tell beside the geometry: the person's mask, colour, light, sharpness. L, a, b as OpenCV's bytes (0 to 255)."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Floats, Pixels, Pyramid, unit

MASK = 256
MAP = 128
"""Side of the square map on which colours and light are judged (the picture squeezed onto it)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tones:
    """Numbers of the whole picture and its background (``share``: part of the frame; the rest NaN when there is none)."""

    colourfulness: float
    chroma: float
    contrast: float
    mean: float
    top: float
    share: float
    background: tuple[float, float, float]
    spread_l: float
    spread_ab: float
    background_contrast: float


def person_mask(nets: Nets, pyramid: Pyramid) -> Floats:
    """How surely each spot is a person: (256, 256) float32, 0 to 1, the picture squeezed onto a square."""
    pixels, _ = pyramid.level(max(1.0, min(pyramid.width, pyramid.height) / MASK))
    small = cv2.resize(pixels, (MASK, MASK), interpolation=cv2.INTER_LINEAR)
    return nets.run("selfie_segmentation", unit(np.asarray(small, dtype=np.uint8)), 0)[0].reshape(MASK, MASK)


def small_map(pyramid: Pyramid) -> Pixels:
    """The picture squeezed onto 128 x 128."""
    pixels, _ = pyramid.level(max(1.0, min(pyramid.width, pyramid.height) / MAP))
    return np.asarray(cv2.resize(pixels, (MAP, MAP), interpolation=cv2.INTER_AREA), dtype=np.uint8)


def to_lab(rgb: Pixels) -> Floats:
    """HWC uint8 RGB to float32 L (0 to 255), a, b (around 128)."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), dtype=np.float32)


def colourfulness(rgb: Pixels) -> float:
    """Hasler and Suesstrunk 2003, of HWC uint8 RGB."""
    red, green, blue = np.moveaxis(rgb.astype(np.float32), 2, 0)
    one, other = red - green, (red + green) / 2 - blue
    return float(np.hypot(one.std(), other.std()) + 0.3 * np.hypot(one.mean(), other.mean()))


def background_of(mask: Floats) -> NDArray[np.bool_]:
    """Where surely nobody is, on the 128 map, a margin kept from the person."""
    small = cv2.resize(mask, (MAP, MAP), interpolation=cv2.INTER_AREA)
    person = cv2.dilate((small > 0.2).astype(np.uint8), np.ones((5, 5), np.uint8))
    return np.asarray(person == 0)


def tones(small: Pixels, lab: Floats, background: NDArray[np.bool_]) -> Tones:
    """Light and colour of the frame and of its background."""
    light = lab[:, :, 0]
    chroma = np.hypot(lab[:, :, 1] - 128, lab[:, :, 2] - 128)
    behind = lab[background]
    middle = np.median(behind, axis=0) if len(behind) else np.full(3, np.nan)
    apart = np.abs(behind - middle) if len(behind) else np.full((1, 3), np.nan)
    return Tones(
        colourfulness=colourfulness(small),
        chroma=float(np.percentile(chroma, 99)),
        contrast=float(light.std()),
        mean=float(light.mean()),
        top=float(np.percentile(light, 99)),
        share=float(background.mean()),
        background=(float(middle[0]), float(middle[1]), float(middle[2])),
        spread_l=float(np.percentile(apart[:, 0], 90)),
        spread_ab=float(np.percentile(apart[:, 1:].max(axis=1), 90)),
        background_contrast=float(behind[:, 0].std()) if len(behind) else float("nan"),
    )


def _gradient(grey: Floats) -> tuple[Floats, Floats]:
    return np.abs(np.diff(grey, axis=1))[:-1], np.abs(np.diff(grey, axis=0))[:, :-1]


def softness(grey: Floats) -> float:
    """Part of the gradients that outlives another blur of 1.5 px: 0.4 to 0.8 sharp, towards 1 blurred; NaN without structure."""
    before = sum(float(part.sum()) for part in _gradient(grey))
    after = sum(
        float(part.sum()) for part in _gradient(np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.5), dtype=np.float32))
    )
    return after / before if before > 0.5 * max(grey.size, 1) else float("nan")


def grey_of(rgb: Pixels) -> Floats:
    """HWC uint8 RGB to float32 grey, 0 to 255."""
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edges:
    """Strongest edges, fine against coarse: about 1 blurred, above 2 sharp. ``busy``: the background's median coarse gradient."""

    subject: float
    background: float
    busy: float


def edges(pyramid: Pyramid, mask: Floats, background: NDArray[np.bool_]) -> Edges | None:
    """Sharpness of subject and background by their strongest edges, which noise does not reach; at a long side of 512 or so."""
    pixels, _ = pyramid.level(max(pyramid.width, pyramid.height) / 512)
    grey = grey_of(pixels)
    size = (grey.shape[1], grey.shape[0])
    behind = cv2.resize(background.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST).astype(bool)
    person = cv2.resize(mask, size, interpolation=cv2.INTER_LINEAR) > 0.8
    if behind.sum() < 2000 or person.sum() < 2000:
        return None
    fine, coarse = _steepness(grey), _steepness(np.asarray(cv2.GaussianBlur(grey, (0, 0), 2.0), dtype=np.float32))

    def ratio(where: NDArray[np.bool_]) -> float:
        return float(np.percentile(fine[where], 97) / max(float(np.percentile(coarse[where], 97)), 0.1))

    return Edges(subject=ratio(person), background=ratio(behind), busy=float(np.median(coarse[behind])))


def _steepness(grey: Floats) -> Floats:
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, ksize=1)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, ksize=1)
    return np.asarray(cv2.magnitude(across, down), dtype=np.float32)


def apart(mask: Floats, known: list[tuple[float, float]]) -> float:
    """Part of the frame that the mask gives to people where no known person is (points x, y from 0 to 1): the largest such patch."""
    small = (cv2.resize(mask, (MAP, MAP), interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(small)
    taken = {int(labels[_cell(y), _cell(x)]) for x, y in known}
    if len(known) == 1 and 0 in taken and count > 1:
        taken.add(1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()))  # a hole in the mask at the face
    return max((int(stats[i, cv2.CC_STAT_AREA]) for i in range(1, count) if i not in taken), default=0) / MAP**2


def _cell(part: float) -> int:
    return min(max(int(part * MAP), 0), MAP - 1)
