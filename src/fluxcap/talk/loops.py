"""What a text says again: words, phrases, pieces of a list and sentences that come twice, and lists that go on and on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from fluxcap.english import words as word_lists
from fluxcap.talk.rules import table, talk
from fluxcap.talk.text import Sentence, Word, sentences, words

_LINKS = ("and", "or")
"""May stand between a phrase and the same again; a word alone may be linked to itself ('black and black')."""

_LONGEST = 30
"""Words of a phrase that comes again."""

_READ_AT_MOST = 4000
"""Characters; a text that is longer is looked at so far."""


class Repeat(NamedTuple):
    """What comes again: its place, the place of what it repeats, and whether cutting it leaves all said."""

    start: int
    end: int
    first: int
    exact: bool


def repeats(text: str) -> tuple[Repeat, ...]:
    """The repeats of a text in its order, each the later one of its pair; 'black and black' is none."""
    text = text[:_READ_AT_MOST]
    said = words(text)
    found = [*_letters(text), *_in_a_row(text, said), *_again(text, said), *_lists(text)]
    kept: list[Repeat] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def runs(said: Sequence[str]) -> Iterator[tuple[int, int, int]]:
    """Where words come again in a row: the place, the number of words, and how many times; the shortest phrase first."""
    following: dict[str, int] = {}
    nexts = [0] * len(said)
    for place in reversed(range(len(said))):
        nexts[place] = following.get(said[place], len(said))
        following[said[place]] = place
    place = 0
    while place < len(said):
        again = nexts[place]
        while again - place <= _LONGEST and again < len(said):
            size, times = again - place, 1
            while said[place + times * size : place + (times + 1) * size] == said[place:again]:
                times += 1
            if times > 1:
                yield place, size, times
                place += times * size - 1
                break
            again = nexts[again]
        place += 1


def _letters(text: str) -> Iterator[Repeat]:
    """'aaaaaaa', and 'redredredred' within one word."""
    least = talk().loop.letters
    for match in re.finditer(
        rf"([^\W\d_])\1{{{least - 1},}}|([^\W\d_]{{2,12}}?)\2{{2,}}|([^\w\s.·-])\3{{{least - 1},}}", text, re.IGNORECASE
    ):
        yield Repeat(match.start(), match.end(), match.start(), exact=False)


def _in_a_row(text: str, said: Sequence[Word]) -> Iterator[Repeat]:
    """A word, a phrase or a sentence and directly after it the same again: 'the the', 'a red dress and a red dress'."""
    texts = [word.text for word in said]
    for place, size, times in runs(texts):
        phrase = said[place : place + size]
        named = size > 1 and times == 2 and all(text[word.start].isupper() for word in phrase)
        if (size > 1 and not named) or times > 2 or (size == 1 and _is_slip(text, said[place], said[place + 1])):
            yield Repeat(said[place + size].start, said[place + times * size - 1].end, said[place].start, exact=True)
    for place, word in enumerate(texts):
        if word in _LINKS:
            for size in range(2, 1 + min(_LONGEST, place, len(said) - place - 1)):
                if texts[place - size : place] == texts[place + 1 : place + 1 + size]:
                    yield Repeat(said[place].start, said[place + size].end, said[place - size].start, exact=True)


def _is_slip(text: str, one: Word, other: Word) -> bool:
    """Whether a word stands twice by mistake; 'bye bye', '3 3' and 'New York New York' may be meant so."""
    if one.text in talk().loop.twice or one.text.isdigit() or text[one.end : other.start].strip():
        return False
    return not (text[one.start].isupper() and text[other.start].isupper() and one.start)


def _again(text: str, said: Sequence[Word]) -> Iterator[Repeat]:
    """Sentences that say the same as one before, and long stretches that come again anywhere."""
    loop = talk().loop
    whole = sentences(text)
    meanings = [_meaning(text, sentence) for sentence in whole]
    for n, meaning in enumerate(meanings):
        for earlier in range(n):
            if _alike(meaning, meanings[earlier]):
                yield Repeat(
                    whole[n].start,
                    whole[n].end,
                    whole[earlier].start,
                    exact=frozenset(meaning) <= frozenset(meanings[earlier]),
                )
                break
    for sentence in whole:
        if sentence.ended:
            yield from _thrice(text, sentence)
    tail = _tail(text)
    seen: dict[tuple[object, ...], int] = {}
    place = 0
    while place + loop.same_words <= len(said):
        stretch = tuple(word.text for word in said[place : place + loop.same_words])
        first = seen.setdefault((said[place].start >= tail, *stretch), place)
        if first + loop.same_words <= place and _says_enough(stretch):
            end = place + loop.same_words
            while end < len(said) and said[end].text == said[first + end - place].text and first + end - place < place:
                end += 1
            yield Repeat(said[place].start, said[end - 1].end, said[first].start, exact=False)
            place = end
            continue
        place += 1


def _thrice(text: str, sentence: Sentence) -> Iterator[Repeat]:
    """The third place of a thing within one sentence; what describes (colours, sizes, stuffs) may come often."""
    places: dict[str, list[Word]] = {}
    for word in words(text[sentence.start : sentence.end]):
        if _means(word.text) and word.text not in _describing():
            places.setdefault(word.text, []).append(word)
    for said in places.values():
        if len(said) > 2:
            start = sentence.start + said[2].start
            yield Repeat(start, start + len(said[2].text), sentence.start + said[0].start, exact=False)


@lru_cache(maxsize=1)
def _describing() -> frozenset[str]:
    groups = word_lists()["groups"]
    return frozenset({*talk().loop.often, *word_lists()["nouns"]["adjectives"], *groups["colour"], *groups["length"]})


def _says_enough(stretch: Sequence[str]) -> bool:
    return len({word for word in stretch if _means(word)}) >= 3


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two sentences have nearly all words with a meaning in common."""
    loop = talk().loop
    here, there = frozenset(one), frozenset(other)
    if not here or not there:
        return False
    if here == there:
        return len(here) > 1 or len(one) == len(other) == 1
    common = len(here & there)
    return min(len(here), len(there)) >= loop.same_least and common >= loop.same_share * len(here | there)


@lru_cache(maxsize=1024)
def _meaning(text: str, sentence: Sentence) -> tuple[str, ...]:
    """The words of a sentence that mean something, each in one form."""
    return tuple(_stem(word.text) for word in words(text[sentence.start : sentence.end]) if _means(word.text))


def _stem(word: str) -> str:
    return re.sub(r"(?:ing|ed|es|s)$", "", word) if len(word) > 4 else word


@lru_cache(maxsize=8192)
def _means(word: str) -> bool:
    return word not in _small() and word not in talk().loop.plain


@lru_cache(maxsize=1)
def _small() -> frozenset[str]:
    return frozenset(table("languages")["english"]["small"].split())


def _tail(text: str) -> int:
    """Where the tags after the sentences begin; they may say in tags what the sentences say."""
    whole = sentences(text)
    if len(whole) > 1 and not whole[-1].ended and whole[-2].ended:
        return whole[-1].start
    return 0


def _lists(text: str) -> Iterator[Repeat]:
    """Pieces between commas that came before, lists whose pieces all end in one word, and 'tree and tree and tree'."""
    loop = talk().loop
    pieces = [
        (match.start(), match.end(), match[0].lower().strip())
        for match in re.finditer(r"[^,;.!?\n]+", text)
        if match[0].strip()
    ]
    tail = _tail(text)
    seen: dict[tuple[bool, str], int] = {}
    run = 0
    for n, (start, end, piece) in enumerate(pieces):
        piece = re.sub(r"^(?:and|or|with|in|a|an|the) ", "", piece)
        gap = len(text[start:end]) - len(text[start:end].lstrip())
        key = (start >= tail, piece)
        if key in seen and (" " in piece or n > 3) and _says_something(piece):
            yield Repeat(start + gap, end, seen[key], exact=True)
        seen.setdefault(key, start + gap)
        last = piece.split(" ")[-1]
        same = n > 0 and text[pieces[n - 1][1] : start].strip() == "," and pieces[n - 1][2].split(" ")[-1] == last
        run = run + 1 if same and _means(last) else 0
        if run == loop.list_words - 1:
            yield Repeat(start + gap, end, pieces[n - run][0], exact=False)
    for match in re.finditer(r"\b([\w-]+(?: [\w-]+)?)(?:,? and \1\b){2,}", text, re.IGNORECASE):
        yield Repeat(match.start(), match.end(), match.start(), exact=False)


def _says_something(piece: str) -> bool:
    return any(_means(word.text) for word in words(piece))
