"""What a run will take: tokens of a picture by the model's own rule, and the sums for all pictures. No prices."""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

_HAIR = 1e-9
"""What is taken off before rounding up, so that 3.0000000001 tiles are three."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Models whose pictures cost alike: patterns of their names, the rule with its numbers, and where that is written."""

    name: str
    models: tuple[str, ...]
    rule: str
    numbers: Mapping[str, float]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a run takes. Tokens are sums over all pictures; ``picture`` is one picture's share, None where unknown.

    ``tokens_in`` leaves the pictures out where their share is unknown. ``seconds`` is None where no rate is measured.
    """

    pictures: int
    picture: int | None
    tokens_in: int
    tokens_out: int
    seconds: float | None

    def __str__(self) -> str:
        if not self.pictures:
            return "no pictures, no tokens"
        each = f"about {_amount(self.tokens_in / self.pictures)} tokens each"
        if self.picture is None:
            each += " besides the picture itself (this model's rule is not known)"
        else:
            each += f" ({self.picture:,} of them the picture)"
        least = "at least " if self.picture is None else ""
        words = f"{self.pictures:,} picture{'s' if self.pictures > 1 else ''}, {each}: "
        words += f"{least}{_amount(self.tokens_in)} in, {_amount(self.tokens_out)} out"
        if self.seconds:
            words += f"; about {_duration(self.seconds)} at {_figure(self.pictures / self.seconds)}/s"
        return words


def estimate(
    pictures: int,
    tokens_per_question: int,
    image_tokens: int | None,
    answer_tokens: int,
    seconds_per_picture: float | None,
    slots: int,
) -> Cost:
    """The cost of ``pictures``. ``tokens_per_question`` are those of the words, without the picture.

    ``seconds_per_picture`` is how long one answer takes while all ``slots`` are at work.
    """
    seconds = None
    if seconds_per_picture is not None and pictures:
        seconds = max(pictures / max(slots, 1), 1.0) * seconds_per_picture
    return Cost(
        pictures=pictures,
        picture=image_tokens,
        tokens_in=pictures * (tokens_per_question + (image_tokens or 0)),
        tokens_out=pictures * answer_tokens,
        seconds=seconds,
    )


def image_tokens(model: str, width: int, height: int) -> int | None:
    """Tokens of one picture of that size (px, as it is sent) for a model of that name; None where no rule is known."""
    if width < 1 or height < 1:
        raise ValueError(f"a picture of {width} x {height} px")
    found = family(model)
    return RULES[found.rule](width, height, **found.numbers) if found is not None else None


def family(model: str) -> Family | None:
    """The family of ``vlms.toml`` that a model belongs to by its name."""
    name = plain(model)
    return next((one for one in families() if any(re.search(pattern, name) for pattern in one.models)), None)


@cache
def families() -> tuple[Family, ...]:
    """The families of ``vlms.toml``, in order."""
    text = resources.files("fluxcap").joinpath("data", "vlms.toml").read_text(encoding="utf-8")
    return tuple(Family(**{**row, "models": tuple(row["models"])}) for row in tomllib.loads(text)["family"])


def plain(model: str) -> str:
    """A model's name as the patterns of ``vlms.toml`` read it: 'Qwen/Qwen2.5-VL_7B' is 'qwen-qwen2.5-vl-7b'."""
    return re.sub(r"[^a-z0-9.]+", "-", model.lower()).strip("-")


def _fixed(width: float, height: float, *, tokens: float) -> int:
    return int(tokens)


def _grid(width: float, height: float, *, px: float, least: float, most: float) -> int:
    """Sides rounded to whole cells; the picture is scaled where it has too few or too many of them."""
    columns, rows = max(round(width / px), 1), max(round(height / px), 1)
    cells = width * height / px**2
    if columns * rows > most:
        scale = math.sqrt(cells / most)
        columns, rows = (max(math.floor(side / scale / px + _HAIR), 1) for side in (width, height))
    elif columns * rows < least:
        scale = math.sqrt(least / cells)
        columns, rows = (_up(side * scale / px) for side in (width, height))
    return columns * rows


def _rows(width: float, height: float, *, px: float, side: float) -> int:
    """A token per cell and one to end each row."""
    scale = max(width / side, height / side, 1)
    columns, rows = (_up(max(math.floor(length / scale + _HAIR), 1) / px) for length in (width, height))
    return rows * (columns + 1)


def _tiles(width: float, height: float, *, base: float, each: float) -> int:
    """Into a square of 2048, then the short side to 768, then tiles of 512 (never scaled up)."""
    scale = min(2048 / max(width, height), 1)
    scale *= min(768 / (min(width, height) * scale), 1)
    return int(base + each * _up(width * scale / 512) * _up(height * scale / 512))


def _patches(width: float, height: float, *, px: float, most: float, times: float) -> int:
    """Patches, scaled down to ``most`` of them at whole patches along one side; each counts ``times``."""
    if _up(width / px) * _up(height / px) > most:
        scale = math.sqrt(px**2 * most / (width * height))
        across, down = width * scale / px, height * scale / px
        scale *= min(max(math.floor(across), 1) / across, max(math.floor(down), 1) / down)
        width, height = width * scale, height * scale
    return round(min(_up(width / px) * _up(height / px), most) * times)


def _area(width: float, height: float, *, per: float, side: float) -> int:
    scale = min(side / max(width, height), 1)
    return round(width * height * scale**2 / per)


def _nearest(width: float, height: float, *, tile: float, most: float, tokens: float) -> int:
    """The grid of tiles nearest in shape, the larger of equals where the picture fills half of it; and a thumbnail."""
    shapes = [(n, m) for n in range(1, int(most) + 1) for m in range(1, int(most) + 1) if n * m <= most]
    best, off = 1, math.inf
    for columns, rows in sorted(shapes, key=lambda shape: shape[0] * shape[1]):
        now = abs(width / height - columns / rows)
        if now < off or (now == off and width * height > 0.5 * tile**2 * columns * rows):
            best, off = columns * rows, now
    return int(tokens) * (best + 1 if best > 1 else 1)


def _slices(width: float, height: float, *, side: float, most: float, tokens: float) -> int:
    """About as many slices as squares of ``side`` fit, in the grid nearest in shape; and the whole picture."""
    about = min(_up(width * height / side**2), int(most))
    if about <= 1:
        return int(tokens)
    counts = [count for count in (about - 1, about, about + 1) if 1 < count <= most]
    grids = [(columns, count // columns) for count in counts for columns in range(1, count + 1) if count % columns == 0]
    columns, rows = min(grids, key=lambda grid: abs(math.log(width / height) - math.log(grid[0] / grid[1])))
    return int(tokens) * (columns * rows + 1)


def _canvas(width: float, height: float, *, tile: float, most: float, tokens: float) -> int:
    """The canvas of tiles that scales the picture up the least, or else down the least; the smallest of equals."""
    shapes = [(n, m) for n in range(1, int(most) + 1) for m in range(1, int(most) + 1) if n * m <= most]
    scales = {shape: min(shape[0] * tile / width, shape[1] * tile / height) for shape in shapes}
    larger = [scale for scale in scales.values() if scale >= 1]
    chosen = min(larger) if larger else max(scales.values())
    return int(tokens) * min(n * m for (n, m), scale in scales.items() if scale == chosen)


RULES: Mapping[str, Callable[..., int]] = {
    "fixed": _fixed,
    "grid": _grid,
    "rows": _rows,
    "tiles": _tiles,
    "patches": _patches,
    "area": _area,
    "nearest": _nearest,
    "slices": _slices,
    "canvas": _canvas,
}
"""Rules by their name in ``vlms.toml``: width and height in px, and the family's numbers, to tokens."""


def _up(value: float) -> int:
    return max(math.ceil(value - _HAIR), 1)


def _amount(tokens: float) -> str:
    if tokens < 995:
        return f"{tokens:.0f}"
    if tokens < 9950:
        return f"{tokens / 1e3:.1f} k"
    if tokens < 49_500:
        return f"{tokens / 1e3:.0f} k"
    return f"{tokens / 1e6:.2f} million" if tokens < 9.95e6 else f"{tokens / 1e6:,.0f} million"


def _duration(seconds: float) -> str:
    if seconds < 90:
        count, unit = max(round(seconds), 1), "second"
    elif seconds < 90 * 60:
        count, unit = round(seconds / 60), "minute"
    elif seconds < 36 * 3600:
        return f"{seconds / 3600:.1f} hours"
    else:
        return f"{seconds / 86_400:.1f} days"
    return f"{count} {unit}{'s' if count > 1 else ''}"


def _figure(rate: float) -> str:
    return f"{rate:.0f}" if rate >= 10 else f"{rate:.2g}"
