"""Words of a text -> tags: the longest known phrase at each place, with the colours and kinds that stand before its noun."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from fluxcap.english import words
from fluxcap.vocabulary.lexicon import NOUNS, Token, attributes, lexicon, look_up, loosely, tokens, unheard
from fluxcap.vocabulary.tags import Meaning, base_of, listed, meaning, redundant, tag_table

_MOST_TOKENS = 8
_SKIPPED = 2  # words without a tag of their own that may stand between two that have one ('long silky blonde hair')


_SHADES = ("dark", "light", "bright", "deep", "pale")
"""Before a colour they shade it: 'dark brown hair' is brown hair."""


class Found(NamedTuple):
    """A phrase found: its slot, its tags, the characters it stands at, and facet and flag of its tag."""

    slot: str
    tags: tuple[str, ...]
    start: int
    end: int
    facet: str
    flag: str


@lru_cache(maxsize=4096)
def find(text: str) -> tuple[Found, ...]:
    """Every known phrase of a text, in its order; of two that overlap the longer is taken (a place within a doing is told too)."""
    said = tokens(text)
    found: list[Found] = []
    place = 0
    while place < len(said):
        hit, start, end = _at(said, place)
        if hit is None or (hit.slot in NOUNS and _reaches_further(said, place, end)):
            place += 1  # 'black hair' of 'black hair band'
            continue
        grown = _grown(text, said, start, end, hit, found[-1].end if found else 0)
        if grown is not None:
            found.append(grown)
            if hit.slot in _WITHIN and end - start > 2:
                found += _within(text, said[start + 1 : end], _WITHIN[hit.slot])
        place = end
    return tuple(found)


def _reaches_further(said: Sequence[Token], place: int, end: int) -> bool:
    """Whether a thing begins within these words and ends behind them."""
    for later in range(place + 1, end):
        hit, _, further = _at(said, later)
        if hit is not None and hit.slot in NOUNS and further > end:
            return True
    return False


_WITHIN = {"pose": "setting", "action": "setting", "hair": "hair"}


def _within(text: str, said: Sequence[Token], slot: str) -> list[Found]:
    """What a longer phrase tells besides: the place of 'sitting on a bench', the bun of 'hair pinned up in a bun'."""
    found: list[Found] = []
    for place in range(len(said)):
        hit, start, end = _at(said, place)
        if hit is not None and hit.slot == slot and (grown := _grown(text, said, start, end, hit, 0)) is not None:
            found.append(grown)
            break
    return found


@lru_cache(maxsize=8192)
def tags_of(slot: str, text: str) -> tuple[str, ...]:
    """The tags of what a text says of one slot; empty where no known phrase is in it."""
    return tuple(dict.fromkeys(tag for hit in find(text) if hit.slot == slot for tag in hit.tags))


def _at(said: Sequence[Token], place: int) -> tuple[Meaning | None, int, int]:
    """The longest phrase that starts here: its meaning, the token it starts at, and the token after it.

    Articles and possessives are not heard ('arms behind her back' is 'arms behind back').
    """
    known = lexicon()
    if loosely(said[place].word) not in known.firsts:
        return None, place, place
    silent = unheard()
    last = next((at for at in range(place + 1, len(said)) if said[at].apart), len(said))
    heard = [
        at for at in range(place, min(place + 2 * _MOST_TOKENS, last)) if at == place or said[at].word not in silent
    ]
    for length in range(min(_MOST_TOKENS, len(heard)), 0, -1):
        key = tuple(said[at].word for at in heard[:length])
        hit = look_up(key)
        if hit is None and (verb := known.verbs.get(key)) is not None and _somebody_before(said, place):
            hit = verb
        start = place
        if hit is None and (there := _place_at(said, place, key)) is not None:
            hit, start = there
            if _far(said, heard[length - 1] + 1):
                hit, start = replace(hit, slot="background", facet="view", phrase=" ".join(key)), place
        if hit is not None and not _is_else(said, place, hit, length, heard[length - 1] + 1):
            return hit, start, heard[length - 1] + 1
    return None, place, place


def _far(said: Sequence[Token], end: int) -> bool:
    """Whether the next words put something behind: 'mountains in the background'."""
    return bool({token.word for token in said[end : end + 4]} & {"background", "distance", "behind"})


def _place_at(said: Sequence[Token], place: int, key: tuple[str, ...]) -> tuple[Meaning, int] | None:
    """'beach' in 'on a sandy beach': a place, with the word before it that makes it one."""
    found = lexicon().places.get(key) or lexicon().places.get((*(loosely(word) for word in key),))
    if found is None:
        return None
    if _far(said, place + len(key)):
        return found, place
    opening = {token.word for token in said[:place]}
    if place <= 2 and opening <= {*unheard(), *words()["nouns"]["adjectives"], *attributes()}:
        return found, place  # 'a messy bedroom' as the whole caption, or its beginning
    for at in range(place - 1, max(place - 5, -1), -1):
        if said[at + 1].apart:
            break  # 'by the window, the countryside outside'
        if said[at].word in words()["reading"]["at"]:
            return found, at
        if said[at].word in ("of", "and", "with", "is", "are", "wearing"):
            break
    return None


def _is_else(said: Sequence[Token], place: int, hit: Meaning, length: int, end: int) -> bool:
    """Whether a phrase, mostly a single word, that could be a trait is something else here.

    'mascara running' is no pose, 'piercing eyes' are no jewelry, 'tall' of 'a tall ship' and 'leather' of 'leather sandals'
    go with the noun that follows.
    """
    lists = words()["reading"]
    if hit.slot in ("pose", "action"):
        near = place > 0 and not said[place].apart
        return near and said[place - 1].word in lists["moving"]
    if hit.slot == "lighting" and length > 1:
        return _shades_what_follows(said, end)
    if length > 1:
        return False
    after = [token.word for token in said[place + 1 : place + 5]]
    if hit.slot == "jewelry":
        return "eyes" in after[:3]
    if hit.slot == "skin" and said[place].word in lists["also_verbs"]:
        return place == 0 or said[place - 1].word not in lists["before_marks"]
    if hit.facet == "bare" and after and after[0] in lists["not_bare"]:
        return True
    if hit.slot == "body" and said[place].word in lists["sizes"]:
        before = said[place - 1].word if place else ""
        return bool(after) and before not in lists["being"] and not set(after) & {*lists["person"], *lists["being"]}
    return bool(after) and hit.slot != "hair" and said[place].word in attributes()


def _shades_what_follows(said: Sequence[Token], end: int) -> bool:
    """Whether the shade that a phrase ends in belongs to the next word: 'in dark' of 'in dark olive green'."""
    follows = end < len(said) and not said[end].apart and said[end].word not in words()["reading"]["apart"]
    return follows and said[end - 1].word in _SHADES


def _somebody_before(said: Sequence[Token], place: int) -> bool:
    """Whether 'waves' is a verb here: it is not where an article, a preposition or an adjective stands before it."""
    if place == 0:
        return True
    before = said[place - 1].word
    if before in ("she", "he", "it", "who", "and", "that", "they"):
        return True
    return before not in (*words()["reading"]["apart"], *words()["nouns"]["adjectives"]) and before not in attributes()


def _grown(text: str, said: Sequence[Token], start: int, end: int, hit: Meaning, taken: int) -> Found | None:
    """The phrase with the words before it that belong to its noun: 'long wavy' before 'blonde hair'.

    None for a bare noun that says nothing by itself ('hair'). ``taken`` is where the phrase before this one ended.
    """
    tags = [hit.tag] if hit.tag else []
    first = start
    if hit.slot in NOUNS:
        ends = _ends(tuple(token.word for token in said[start:end]))
        place, skipped = start - 1, 0
        while place >= 0 and said[place].start >= taken and skipped <= _SKIPPED:
            if re.search(r"[.;:()!?\n]", text[said[place].end : said[place + 1].start]):
                break
            comma = "," in text[said[place].end : said[place + 1].start]
            two = (said[place - 1].word, said[place].word) if place and said[place - 1].start >= taken else ()
            kind = _kind(two, ends, hit.slot) if two else None
            if kind is not None:
                place -= 1
            elif said[place].word not in _SHADES or said[place + 1].word not in words()["groups"]["colour"]:
                kind = _kind((said[place].word,), ends, hit.slot)
            if kind is not None:
                tags.insert(0, kind)
                first, skipped = place, 0
            elif said[place].word == "and" and place and _kind((said[place - 1].word,), ends, hit.slot):
                pass
            elif comma or said[place].word in words()["reading"]["apart"]:
                break
            else:
                skipped += 1
            place -= 1
    plain = redundant([tag for tag in tags if tag])
    tags = [tag for tag in dict.fromkeys(tags) if tag and tag not in plain]
    return Found(hit.slot, tuple(tags), said[first].start, said[end - 1].end, hit.facet, hit.flag) if tags else None


def _kind(before: tuple[str, ...], ends: Sequence[tuple[str, ...]], slot: str) -> str | None:
    """The tag of a thing with these words before it: a listed one ('plaid skirt'), or any colour, pattern and the like."""
    known = lexicon()
    for end in ends:
        listed_kind = known.kinds.get(end, {}).get(before)
        if listed_kind is not None and listed_kind.slot == slot:
            return listed_kind.tag
    if len(before) == 1 and before[0] in attributes(slot == "hair"):
        # the plainest noun first: 'long' of 'long blonde hair' is long hair
        heads = [head for end in reversed(ends) if (head := known.heads.get(end))]
        made = [tag for head in heads if (tag := _made(before[0], head, slot)) is not None]
        return next((tag for tag in made if tag in listed()), made[0] if made else None)
    return None


def _made(word: str, head: str, slot: str) -> str | None:
    """The tag of a thing with this attribute: one that Danbooru has, for it or for what it is a kind of; else a new one.

    'navy blazer' is a blue jacket, 'red beret' is red headwear, a 'teal poncho' stays one.
    """
    shade = _shade(word, slot)
    kinds: list[str] = [head]
    while (base := base_of(kinds[-1])) is not None and base not in kinds:
        kinds.append(base)
    for kind in (*kinds, *tag_table()["general"].get(slot, ())):
        known = listed().get(f"{shade}_{kind}")
        if known is not None and known.slot == slot:
            return known.tag
    made = meaning(f"{shade}_{head}")
    return made.tag if made is not None and made.slot == slot else None


def _shade(word: str, slot: str) -> str:
    """The colour of tags that a colour word means: 'navy' is blue, 'golden' hair blonde."""
    own: Mapping[str, str] = words()["shades_of"].get(slot, {})
    return str(own.get(word) or words()["shades"].get(word, word))


def _ends(key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The ends of the phrase that other words are known to stand before, longest first: ('hair',) of 'blonde hair'."""
    known = lexicon()
    cut = next((place for place, word in enumerate(key) if place and word in words()["reading"]["at"]), len(key))
    parts = (key, key[:cut])  # of 'scarf around the neck' the scarf
    forms = (
        form
        for part in parts
        for start in range(len(part))
        for form in (part[start:], (*(loosely(word) for word in part[start:]),))
    )
    return [form for form in dict.fromkeys(forms) if form in known.kinds or form in known.heads]
