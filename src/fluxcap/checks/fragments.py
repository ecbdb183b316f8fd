"""Words that most captions of a set share, and that fluxcap would not write there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from fluxcap.checks.around import Around
from fluxcap.checks.tables import tables
from fluxcap.english import words

_Run = tuple[str, ...]


class Word(NamedTuple):
    """A word as it is compared, and the characters it stands at."""

    word: str
    start: int
    end: int


def spoken(text: str) -> list[Word]:
    """The words of a text, in lower case."""
    return [Word(found[0].lower(), *found.span()) for found in re.finditer(r"[^\W_]+(?:['’-][^\W_]+)*", text)]


@lru_cache(maxsize=4)
def shared(around: Around, named: str) -> dict[_Run, int]:
    """The fragments that so many captions share, each with the number of captions; none that is part of another.

    ``named`` are trigger word and class word. Words that fluxcap's own captions of the set share are its template's.
    """
    limit = tables().fragment
    texts = [[one.word for one in spoken(picture.text)] for picture in around.pictures.values()]
    least = max(limit.captions, limit.share * len(texts))
    known = _template(around, least) | frozenset(limit.grammar) | frozenset(one.word for one in spoken(named))
    known |= frozenset(word for forms in words()["forms"].values() for word in forms.values())
    frequent = _frequent(texts, least)
    long = {run: number for run, number in frequent.items() if _is_own(run, known)}
    return {run: number for run, number in long.items() if not any(_holds(other, run) for other in long)}


def place(text: str, run: _Run) -> tuple[int, int] | None:
    """Where a fragment stands in a text."""
    said = spoken(text)
    for start in range(len(said) - len(run) + 1):
        if tuple(one.word for one in said[start : start + len(run)]) == run:
            return said[start].start, said[start + len(run) - 1].end
    return None


def _template(around: Around, least: float) -> frozenset[str]:
    """The words that so many captions would have if fluxcap wrote them."""
    counts = Counter(word for one in around.pictures.values() for word in {said.word for said in spoken(one.composed)})
    return frozenset(word for word, number in counts.items() if number >= least)


def _is_own(run: _Run, known: frozenset[str]) -> bool:
    limit = tables().fragment
    return len(run) >= limit.words and len(set(run) - known) >= limit.own_words


def _frequent(texts: Sequence[Sequence[str]], least: float) -> dict[_Run, int]:
    """Every run of words that so many texts hold, the longer ones grown from the shorter."""
    found: dict[_Run, int] = {}
    kept: set[_Run] = {
        (word,) for word, number in Counter(w for text in texts for w in set(text)).items() if number >= least
    }
    length = 1
    while kept:
        length += 1
        counts = Counter(run for text in texts for run in set(_runs(text, length, kept)))
        kept = {run for run, number in counts.items() if number >= least}
        found |= {run: counts[run] for run in kept}
    return found


def _runs(text: Sequence[str], length: int, kept: set[_Run]) -> Iterable[_Run]:
    for start in range(len(text) - length + 1):
        run = tuple(text[start : start + length])
        if run[1:] in kept and run[:-1] in kept:
            yield run


def _holds(longer: _Run, run: _Run) -> bool:
    size = len(run)
    return len(longer) > size and any(longer[at : at + size] == run for at in range(len(longer) - size + 1))
