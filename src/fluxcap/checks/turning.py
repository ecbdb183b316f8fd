"""Where a caption says which way the subject faces, left or right as the viewer sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from fluxcap.checks.tables import tables


class Turned(NamedTuple):
    """``side`` is left or right; ``start`` to ``end`` is the whole statement, ``word`` the place of the side's word."""

    side: str
    start: int
    end: int
    word: tuple[int, int]


def turned(text: str) -> Iterator[Turned]:
    """The statements in the order of the text, each once. What is said of the eyes, the hands or 'her left' is none."""
    found: dict[tuple[int, int], Turned] = {}
    for pattern in _patterns():
        for match in pattern.finditer(text):
            word = match.span("side")
            clause = re.split(r"[,.;:!?]", text[: match.start()])[-1].split()[-3:]
            about = {one.lower() for one in (*clause, *match[0].split()[:1])}
            if word not in found and not about & _gaze():
                found[word] = Turned(match["side"].lower(), *match.span(), word)
    yield from (found[word] for word in sorted(found))


@lru_cache(maxsize=1)
def _gaze() -> frozenset[str]:
    return frozenset(tables().sides.gaze)


@lru_cache(maxsize=1)
def _patterns() -> tuple[re.Pattern[str], ...]:
    table = tables().sides
    return tuple(
        re.compile(
            row.replace("{toward}", table.toward).replace("{hand}", table.hand).replace(" ", r"\s+"), re.IGNORECASE
        )
        for row in table.patterns
    )
