"""Whether a word is English, as far as the data files know: the vocabulary's words, the frequent ones, those of everyday."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import lru_cache

from fluxcap.english import words as word_lists
from fluxcap.talk.rules import table
from fluxcap.vocabulary.tags import listed

_ENDINGS = (
    ("ies", "y"), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("es", ""), ("s", ""), ("ied", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("er", ""), ("er", "e"),
    ("est", ""), ("est", "e"), ("ly", ""), ("y", ""), ("y", "e"), ("ish", ""), ("less", ""), ("ful", ""), ("ness", ""), ("n't", ""),
)  # fmt: skip


@lru_cache(maxsize=1)
def lexicon() -> frozenset[str]:
    """Every English word of the data files, in small letters."""
    english = table("languages")["english"]
    found = set(f"{english['small']} {english['more']}".split())
    for tag in listed().values():
        for text in (tag.tag, tag.phrase, *tag.also):
            found.update(re.findall(r"[a-z]+", text.lower()))
    for text in (*_texts(dict(word_lists())), *_texts(table("limits").get("encoder", []))):
        found.update(re.findall(r"[a-z]+", text.lower()))
    return frozenset(word for word in found if len(word) > 1 or word in "ai")


def _texts(data: object) -> Iterator[str]:
    """All keys and texts of a data file, one by one."""
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for key, value in data.items():
            yield str(key)
            yield from _texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from _texts(value)


@lru_cache(maxsize=8192)
def is_english(word: str) -> bool:
    """Whether the word, or what is left of it without an English ending, is known; each part of a hyphenated one counts."""
    word = word.lower().removesuffix("'s").removesuffix("s'")
    if "-" in word:
        return all(len(part) == 1 or is_english(part) for part in word.split("-") if part)
    if word in lexicon() or re.fullmatch(r"\d+(?:s|st|nd|rd|th)?", word):
        return True
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            if stem + instead in lexicon():
                return True
            if not instead and len(stem) > 3 and stem[-1] == stem[-2] and stem[:-1] in lexicon():
                return True  # 'plann' of 'planned'
    return False


@lru_cache(maxsize=1)
def _sorted() -> list[str]:
    return sorted(lexicon())


@lru_cache(maxsize=1)
def _sorted_by_end() -> list[str]:
    return sorted(word[::-1] for word in lexicon())


def ends_a_word(part: str) -> bool:
    """Whether a known word ends in these letters and begins before them."""
    place = bisect_right(_sorted_by_end(), part[::-1])
    return place < len(_sorted_by_end()) and _sorted_by_end()[place].startswith(part[::-1])


def begins_a_word(part: str) -> bool:
    """Whether a known word starts with these letters and goes on."""
    place = bisect_right(_sorted(), part)
    return place < len(_sorted()) and _sorted()[place].startswith(part)
