"""Many patterns at once, quickly: one is searched only where the text has the letters that it cannot do without."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_SHORTEST = 2
"""Letters; what is shorter stands in nearly every text."""

_AROUND = re.compile(r"\(\?<?[=!]")
_TIMES = re.compile(r"\{(\d*)(?:,\d*)?\}")
_GROUP = re.compile(r"\((?:\?[a-zA-Z-]*:|(?!\?))")


class Patterns:
    """Regular expressions that are looked for together; case is not heard."""

    __slots__ = ("_patterns",)

    def __init__(self, sources: Iterable[str]) -> None:
        self._patterns = tuple((re.compile(source, re.IGNORECASE), needed(source)) for source in sources)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """The places of each pattern, pattern by pattern."""
        plain = text.casefold()
        for pattern, letters in self._patterns:
            for one in letters or ("",):
                if one in plain:
                    yield from pattern.finditer(text)
                    break

    def search(self, text: str) -> re.Match[str] | None:
        """A place of one of them."""
        return next(self.finditer(text), None)


def needed(source: str) -> frozenset[str]:
    """Pieces of text, in small letters, of which every match of a regular expression holds one; none where there are none.

    Reads the plain part of the syntax; what it does not know counts as anything, so that no match is ever missed.
    """
    try:
        found, end = _either(source, 0)
    except (IndexError, ValueError):
        return frozenset()
    return frozenset(one.casefold() for one in found) if found and end == len(source) else frozenset()


def _either(source: str, at: int) -> tuple[set[str], int]:
    """What one of the alternatives up to a closing bracket needs; nothing where one of them needs nothing."""
    all_of: list[set[str]] = []
    while True:
        found, at = _sequence(source, at)
        all_of.append(found)
        if at >= len(source) or source[at] == ")":
            return (set().union(*all_of) if all(all_of) else set()), at
        at += 1  # the bar


def _sequence(source: str, at: int) -> tuple[set[str], int]:
    """What things one after the other need: the best of them, that is the one whose shortest piece is longest."""
    best: set[str] = set()
    run = ""

    def take(pieces: set[str]) -> None:
        nonlocal best
        shortest = min(map(len, pieces), default=0)
        if shortest >= _SHORTEST and shortest > min(map(len, best), default=0):
            best = pieces

    while at < len(source) and source[at] not in "|)":
        sign, pieces, at = _atom(source, at)
        least, at = _least(source, at)
        if sign and least:
            run += sign
        if not sign or least != 1 or source[at - 1 : at] == "+":
            take({run})
            run = ""
            if pieces and least:
                take(pieces)
    take({run})
    return best, at


def _atom(source: str, at: int) -> tuple[str, set[str], int]:
    """One thing: a plain sign, or what a group needs; and where it ends."""
    sign = source[at]
    if sign == "\\":
        escaped = source[at + 1]
        if escaped in "xuUN":
            raise ValueError
        return ("" if escaped.isalnum() else escaped), set(), at + 2
    if sign == "[":
        at += 2 if source[at + 1] in "]^" else 1
        at += 1 if source[at] == "]" else 0
        while source[at] != "]":
            at += 2 if source[at] == "\\" else 1
        return "", set(), at + 1
    if sign == "(" and (around := _AROUND.match(source, at)) is not None:
        return "", set(), _either(source, around.end())[1] + 1
    if sign == "(":
        group = _GROUP.match(source, at)
        if group is None:
            raise ValueError
        found, end = _either(source, group.end())
        return "", found, end + 1
    return (sign if sign not in ".^$" else ""), set(), at + 1


def _least(source: str, at: int) -> tuple[int, int]:
    """How many times at least the thing before stands there, and where its quantifier ends."""
    if at >= len(source):
        return 1, at
    least, end = 1, at
    if source[at] in "?*":
        least, end = 0, at + 1
    elif source[at] == "+":
        end = at + 1
    elif (times := _TIMES.match(source, at)) is not None:
        least, end = int(times[1] or 0), times.end()
    if end > at and source[end : end + 1] in ("?", "+"):
        end += 1
    return least, end
