"""In which language a text is written, stretch by stretch: other alphabets, and the small words of other languages."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from fluxcap.talk.known import is_english
from fluxcap.talk.rules import table
from fluxcap.talk.text import HIDDEN, Word, sentences, words

_SHORTENED = re.compile(r"(?:[ldcsnjmt]|qu|un|dell|all|nell|sull|dall|quell|jusqu|lorsqu)'(?=[^\W\d_]{2})")


_APART = str.maketrans({"ß": "ss", "ł": "l", "ı": "i"})
"""Letters whose sign is no accent."""


class Stretch(NamedTuple):
    """Words in another language; ``language`` is its code, an alphabet's name, or '' where it has no list."""

    start: int
    end: int
    language: str


@dataclass(frozen=True, slots=True)
class _Lists:
    stretch: int
    dense: int
    gap: int
    unknown: int
    english: frozenset[str]
    shared: frozenset[str]
    languages: Mapping[str, frozenset[str]]
    particles: frozenset[str]
    taken: re.Pattern[str]


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    data = table("languages")
    of: dict[str, set[str]] = {}
    for language, said in data["other"].items():
        for word in said.split():
            of.setdefault(word, set()).add(language)
            if not is_english(_bare(word)):
                of.setdefault(_bare(word), set()).add(language)
    shared = frozenset(data["english"]["shared"].split())
    taken = sorted(data["taken"]["phrases"], key=len, reverse=True)
    return _Lists(
        **data["limits"],
        english=frozenset(data["english"]["small"].split()) - shared,
        shared=shared,
        languages={word: frozenset(known) for word, known in of.items()},
        particles=frozenset(data["taken"]["particles"]),
        taken=re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, taken))})(?!\w)", re.IGNORECASE),
    )


def foreign(text: str) -> tuple[Stretch, ...]:
    """The stretches of a text that are not English, in its order. Names of places and words that English has taken in are."""
    said = words(text)
    languages = list(_languages(text, said))
    found = [*_other_alphabets(text), *_known(said, languages), *_unknown(text, said, languages)]
    kept: list[Stretch] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def is_foreign(word: str) -> bool:
    """Whether a single word is one of another language and no English one."""
    return word in _lists().languages and not is_english(word)


def language_name(language: str) -> str:
    """What a language is called: 'German', 'Cyrillic'; 'not English' where it has no list."""
    names: Mapping[str, str] = table("languages")["names"]
    return names.get(language) or language.capitalize() or "not English"


def _other_alphabets(text: str) -> Iterator[Stretch]:
    """Runs of words in letters that are not Latin; one letter alone ('the letter π') is a sign."""
    if text.replace(HIDDEN, "").isascii():
        return
    run: list[re.Match[str]] = []
    for match in [*re.finditer(r"[^\W\d_]+", text), None]:
        strange = match is not None and not any(_is_latin(sign) for sign in match[0])
        if (
            match is not None
            and strange
            and (not run or not re.search(r"[A-Za-z0-9]", text[run[-1].end() : match.start()]))
        ):
            run.append(match)
            continue
        letters = "".join(one[0] for one in run)
        if len(letters) > 1 or (letters and _alphabet(letters) in ("CJK", "HIRAGANA", "KATAKANA", "HANGUL")):
            yield Stretch(run[0].start(), run[-1].end(), _alphabet(letters))
        run = [match] if match is not None and strange else []


@lru_cache(maxsize=4096)
def _is_latin(sign: str) -> bool:
    return sign.isascii() or unicodedata.name(sign, "LATIN").startswith(("LATIN", "MICRO", "FEM", "MASC", "MODIFIER"))


def _alphabet(letters: str) -> str:
    return unicodedata.name(letters[0], "").split(" ")[0].split("-")[0]


def _known(said: Sequence[Word], known: Sequence[frozenset[str]]) -> Iterator[Stretch]:
    """Stretches in which one language's words stand close together."""
    lists = _lists()
    hits: dict[str, list[int]] = {}
    for place, languages in enumerate(known):
        for language in languages:
            hits.setdefault(language, []).append(place)
    for language, places in hits.items():
        for chain in _chains(said, places, lists):
            distinct = {said[place].text for place in chain}
            length = chain[-1] - chain[0] + 1
            enough = len(distinct) >= lists.dense and 2 * len(chain) >= length
            if len(distinct) >= lists.stretch or (
                enough and any(word not in lists.particles and len(word) > 3 for word in distinct)
            ):
                yield Stretch(said[chain[0]].start, said[chain[-1]].end, language)


def _languages(text: str, said: Sequence[Word]) -> Iterator[frozenset[str]]:
    """For each word, the languages that it may belong to; parts of names belong to none."""
    lists = _lists()
    taken = [match.span() for match in lists.taken.finditer(text)]
    begins = {sentence.start for sentence in sentences(text)}
    shouted = text.isupper()
    capital = [text[word.start].isupper() and not shouted for word in said]
    for place, word in enumerate(said):
        known = lists.languages.get(word.text, frozenset())
        if short := _SHORTENED.match(word.text):
            known |= {"fr", "it"} if not is_english(word.text[short.end() :]) else frozenset()
        first = word.start in begins or place == 0
        if known and capital[place] and not first:
            known &= {"de"}  # the only one that writes its nouns so
        if known and any(start <= word.start < end for start, end in taken):
            known = frozenset()
        if word.text in lists.particles and _in_a_name(place, capital, lists.particles, said):
            known = frozenset()
        yield known


def _in_a_name(place: int, capital: Sequence[bool], particles: frozenset[str], said: Sequence[Word]) -> bool:
    """'de' and 'la' of 'Place de la Concorde', 'Las' of 'Las Vegas': particles up to a capital, with one before them."""
    after, before = place + 1, place - 1
    while after < len(said) and not capital[after] and said[after].text in particles:
        after += 1
    while before >= 0 and not capital[before] and said[before].text in particles:
        before -= 1
    if after >= len(said) or not capital[after]:
        return False
    return capital[place] or (before >= 0 and capital[before])


def _chains(said: Sequence[Word], places: Sequence[int], lists: _Lists) -> Iterator[list[int]]:
    """Hits with no English small word between them and not too many others."""
    chain = [places[0]]
    for place in places[1:]:
        between = [said[n].text for n in range(chain[-1] + 1, place)]
        if sum(word not in lists.shared for word in between) <= lists.gap and not any(
            word in lists.english for word in between
        ):
            chain.append(place)
            continue
        yield chain
        chain = [place]
    yield chain


def _unknown(text: str, said: Sequence[Word], known: Sequence[frozenset[str]]) -> Iterator[Stretch]:
    """Words in a row that are not English: many of them, or a few of which one is known in another language or has accents."""
    lists = _lists()
    begins = {sentence.start for sentence in sentences(text)}
    taken = [match.span() for match in lists.taken.finditer(text)]
    run: list[int] = []
    for place in range(len(said) + 1):
        if place < len(said):
            word = said[place]
            small = word.start in begins or text[word.start].islower() or bool(known[place])
            follows = bool(run) and (bool(known[run[-1]]) or text[said[run[-1]].start].islower())
            strange = known[place] or (
                (small or follows) and word.text.replace("-", "").isalpha() and not is_english(_bare(word.text))
            )
            joined = not run or not re.search(r"[^\s,]", text[said[run[-1]].end : word.start])
            if strange and joined and not any(start <= word.start < end for start, end in taken):
                run.append(place)
                continue
        whole = bool(run) and said[run[0]].start in begins and (place == len(said) or said[place].start in begins)
        if run and (
            (whole and len(run) >= lists.stretch) or _is_foreign([said[n] for n in run], [known[n] for n in run], lists)
        ):
            named = [language for n in run for language in known[n]]
            yield Stretch(
                said[run[0]].start, said[run[-1]].end, max(sorted(set(named)), key=named.count) if named else ""
            )
        run = [place] if place < len(said) and known[place] else []


def _is_foreign(run: Sequence[Word], known: Sequence[frozenset[str]], lists: _Lists) -> bool:
    distinct = {word.text for word in run}
    if len(distinct) < lists.dense:
        return False
    hits = sum(bool(languages) for languages in known)
    accents = sum(not word.text.isascii() for word in run)
    if len(distinct) >= lists.stretch and accents >= lists.dense:
        return True
    if len(distinct) >= lists.stretch and hits:
        return hits > 1 or any(
            word.text not in lists.particles for word, languages in zip(run, known, strict=True) if languages
        )
    if len(run) == hits + 1 > 1 and all(_is_telling(word, lists) for word in run):
        return True
    if hits + accents > 1 and any(word.text not in lists.particles and len(word.text) > 3 for word in run):
        return len(frozenset.intersection(*known)) > 0 or accents == len(run)
    return len(distinct) >= lists.unknown


def _is_telling(word: Word, lists: _Lists) -> bool:
    """Whether a word of another language, or an unknown one, tells more than a name or a particle would."""
    return len(word.text) > 2 and word.text not in lists.particles


def _bare(word: str) -> str:
    """The word without its accents, as people type it who lack the keys."""
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFD", word.translate(_APART))
    return "".join(sign for sign in plain if not unicodedata.combining(sign))
