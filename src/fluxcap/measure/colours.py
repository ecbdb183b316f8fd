"""Names for colours: of clothing on the trunk, and of a plain background. Silent where no name fits nearly all pixels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from fluxcap.measure.limits import limits
from fluxcap.measure.pixels import Floats

HUES = (
    (20.0, "red"),
    (66.0, "orange"),
    (98.0, "yellow"),
    (172.0, "green"),
    (215.0, "teal"),
    (300.0, "blue"),
    (335.0, "purple"),
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


def broad(name: str) -> str:
    """The colour's family: what two looks at the same cloth would agree on."""
    return {"dark grey": "grey", "light grey": "grey", "navy": "dark blue", "teal": "blue-green"}.get(name, name)


def _names(lab: Floats) -> list[str]:
    cells, counts = np.unique((lab // 8).astype(np.int32), axis=0, return_inverse=True)
    middle = (cells.astype(np.float64) + 0.5) * 8 - [0.0, 128.0, 128.0]
    names = [broad(name_colour(light * 100 / 255, a, b)) for light, a, b in middle]
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
        return shares[0][0]
    if len(shares) > 1 and shares[1][1] >= limit["two"] and shares[0][1] + shares[1][1] >= limit["both"]:
        pair = {shares[0][0], shares[1][0]}
        # a dark fold or a bright edge of one cloth is no second colour
        if pair in ({"black", "white"}, {"red", "white"}, {"dark blue", "white"}, {"blue", "white"}, {"red", "black"}):
            return f"{shares[0][0]} and {shares[1][0]}"
    return None


def name_background(light: float, a: float, b: float) -> str | None:
    """The name of a plain background's median colour; None where it lies between two names."""
    here = name_colour(light, a, b)
    near = {
        name_colour(light + dl, a + da, b + db)
        for dl, da, db in ((3, 0, 0), (-3, 0, 0), (0, 2, 0), (0, -2, 0), (0, 0, 2), (0, 0, -2))
    }
    return here if near == {here} else None
