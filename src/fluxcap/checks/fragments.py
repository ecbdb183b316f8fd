"""Words that most captions of a set share, and that fluxcap would not write there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
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


class Shared(NamedTuple):
    """Fragments with the number of captions that have each, and the words that are nobody's: grammar and template."""

    runs: Mapping[_Run, int]
    known: frozenset[str]


def sentences(text: str) -> list[list[Word]]:
    """The words of a text in lower case, sentence by sentence."""
    found: list[list[Word]] = [[]]
    for match in re.finditer(r"[^\W_]+(?:['’-][^\W_]+)*|[.!?;\n](?=\s|$)", text):
        if match[0][0].isalnum():
            found[-1].append(Word(match[0].lower(), *match.span()))
        elif found[-1]:
            found.append([])
    return found


@lru_cache(maxsize=4)
def shared(around: Around, named: str) -> Shared:
    """The fragments of a sentence that so many captions share, each with the number of captions.

    ``named`` are trigger word and class word. Words that fluxcap's own captions of the set share are its template's.
    """
    limit = tables().fragment
    texts = [[_words(said) for said in sentences(picture.text)] for picture in around.pictures.values()]
    least = max(limit.captions, limit.share * len(texts))
    known = _template(around, least) | frozenset(limit.grammar) | frozenset(_every(named))
    known |= frozenset(word for forms in words()["forms"].values() for word in forms.values())
    return Shared({run: number for run, number in _frequent(texts, least).items() if _is_own(run, known)}, known)


def longest(text: str, found: Shared) -> tuple[int, int, int] | None:
    """The longest of these fragments in a text, the first of equal ones: its characters, and the number of captions.

    Pieces at its ends, up to a comma, that are nobody's words are no part of it.
    """
    best: tuple[Sequence[Word], int] | None = None
    most = max(map(len, found.runs), default=0)
    for said in sentences(text):
        plain = _words(said)
        for start in range(len(said)):
            for size in range(min(most, len(said) - start), len(best[0]) if best else 0, -1):
                number = found.runs.get(plain[start : start + size])
                if number is not None:
                    best = (said[start : start + size], number)
                    break
    if best is None:
        return None
    pieces = _pieces(text, best[0])
    while not {one.word for one in pieces[0]} - found.known:
        pieces = pieces[1:]
    while not {one.word for one in pieces[-1]} - found.known:
        pieces = pieces[:-1]
    return pieces[0][0].start, pieces[-1][-1].end, best[1]


def _pieces(text: str, said: Sequence[Word]) -> list[list[Word]]:
    """Words parted where a comma stands between them."""
    found: list[list[Word]] = [[said[0]]]
    for before, after in pairwise(said):
        if re.search(r"[,:]", text[before.end : after.start]):
            found.append([])
        found[-1].append(after)
    return found


def _words(said: Sequence[Word]) -> _Run:
    return tuple(one.word for one in said)


def _every(text: str) -> Iterator[str]:
    return (one.word for said in sentences(text) for one in said)


def _template(around: Around, least: float) -> frozenset[str]:
    """The words that so many captions would have if fluxcap wrote them."""
    counts = Counter(word for one in around.pictures.values() for word in {*_every(one.composed)})
    return frozenset(word for word, number in counts.items() if number >= least)


def _is_own(run: _Run, known: frozenset[str]) -> bool:
    limit = tables().fragment
    return len(run) >= limit.words and len(set(run) - known) >= limit.own_words


def _frequent(texts: Sequence[Sequence[_Run]], least: float) -> dict[_Run, int]:
    """Every run of words that so many texts hold, the longer ones grown from the shorter."""
    found: dict[_Run, int] = {}
    single = Counter(word for text in texts for word in {word for said in text for word in said})
    kept: set[_Run] = {(word,) for word, number in single.items() if number >= least}
    length = 1
    while kept:
        length += 1
        counts = Counter(run for text in texts for run in {run for said in text for run in _runs(said, length, kept)})
        kept = {run for run, number in counts.items() if number >= least}
        found |= {run: counts[run] for run in kept}
    return found


def _runs(said: _Run, length: int, kept: set[_Run]) -> Iterator[_Run]:
    for start in range(len(said) - length + 1):
        run = said[start : start + length]
        if run[1:] in kept and run[:-1] in kept:
            yield run
