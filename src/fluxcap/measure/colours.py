"""Names for colours: of clothing on the trunk, and of a plain background. Silent where no name fits nearly all pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.limits import limits
from fluxcap.measure.pixels import Floats

HUES = (
    (45.0, "red"),
    (80.0, "orange"),
    (112.0, "yellow"),
    (172.0, "green"),
    (220.0, "teal"),
    (312.0, "blue"),
    (345.0, "purple"),
    (360.0, "red"),
)
"""Upper ends of the hue angle in Lab, degrees."""


def name_colour(light: float, a: float, b: float) -> str:
    """A basic colour's name of one Lab colour (L 0 to 100, a and b around 0)."""
    chroma = float(np.hypot(a, b))
    hue = float(np.degrees(np.arctan2(b, a))) % 360.0
    if light < 16 and chroma < 14:
        return "black"
    if chroma < 9:
        return (
            "black"
            if light < 22
            else "dark grey"
            if light < 42
            else "grey"
            if light < 72
            else "light grey"
            if light < 88
            else "white"
        )
    if light > 92 and chroma < 12:
        return "white"
    name = next(name for end, name in HUES if hue <= end)
    if name in ("red", "orange", "yellow") and 25 <= hue <= 110 and chroma < 38:
        if light > 70:
            return "beige"
        if light < 50:
            return "brown"
    if name in ("red", "purple") and light > 62:
        return "pink"
    if name == "orange" and light < 42:
        return "brown"
    if name == "blue" and light < 26:
        return "navy"
    return name


CLOTH = frozenset({"black", "white", "red", "orange", "yellow", "green", "blue", "purple", "pink"})
"""Colours that are said of clothing; grey, beige and brown depend too much on the light, or are skin and hair."""
PAIRS = (
    frozenset({"black", "white"}),
    frozenset({"red", "white"}),
    frozenset({"blue", "white"}),
    frozenset({"red", "black"}),
)
"""Two colours that are two: a dark fold or a bright edge of one cloth is no second colour."""


def name_cloth(light: float, a: float, b: float) -> str:
    """A colour's name where clothing may be said to have it, else a word that is never said. Stricter than :func:`name_colour`."""
    chroma = float(np.hypot(a, b))
    if light < 24:
        return "black" if chroma < 6 and b > -4 else "dark"
    if chroma < 8:
        return "white" if light > 80 else "grey"
    name = name_colour(light, a, b)
    return name if chroma > 20 and name in CLOTH else "other"


def _names(lab: Floats) -> list[str]:
    # cells of 8 x 8 x 8, one of them centred on grey
    cells, counts = np.unique(((lab - [0, 4, 4]) // 8).astype(np.int32), axis=0, return_inverse=True)
    middle = cells.astype(np.float64) * 8 + [4.0, -120.0, -120.0]
    names = [name_cloth(light * 100 / 255, a, b) for light, a, b in middle]
    return [names[index] for index in counts.reshape(-1)]


def name_clothing(lab: Floats, cloth: NDArray[np.bool_], skin: tuple[float, float, float]) -> str | None:
    """The one or two colours that nearly all of the cloth has, or None. ``skin``: the face's own Lab colour, left out."""
    limit = limits("clothing")
    pixels = lab[cloth]
    far = np.sqrt(((pixels[:, 1:] - skin[1:]) ** 2).sum(axis=1) + ((pixels[:, 0] - skin[0]) / 2) ** 2)
    pixels = pixels[far > limit["skin"]]
    if len(pixels) < limit["least_pixels"] or len(pixels) < 0.5 * cloth.sum():
        return None
    names, counts = np.unique(_names(pixels), return_counts=True)
    order = np.argsort(-counts)
    shares = [(str(names[i]), float(counts[i]) / len(pixels)) for i in order]
    if shares[0][1] >= limit["one"]:
        return shares[0][0] if shares[0][0] in CLOTH else None
    if len(shares) > 1 and shares[1][1] >= limit["two"] and shares[0][1] + shares[1][1] >= limit["both"]:
        pair = frozenset({shares[0][0], shares[1][0]})
        if pair in PAIRS:
            return f"{shares[0][0]} and {shares[1][0]}"
    return None


GREYS = ((0, 9, "black"), (15, 36, "dark grey"), (42, 68, "grey"), (74, 88, "light grey"), (95.5, 101, "white"))
"""Ranges of L (0 to 100) with a gap between each two, in which no name is safe."""


def name_background(light: float, a: float, b: float) -> str | None:
    """The name of a plain background's median colour; None where it lies between two names."""
    chroma = float(np.hypot(a, b))
    if chroma < 6:
        return next((name for low, high, name in GREYS if low <= light < high), None)
    if chroma < 14:
        return None
    here = name_colour(light, a, b)
    steps = ((4, 0, 0), (-4, 0, 0), (0, 3, 0), (0, -3, 0), (0, 0, 3), (0, 0, -3))
    return here if all(name_colour(light + dl, a + da, b + db) == here for dl, da, db in steps) else None
