"""Words of a text -> tags: the longest known phrase at each place, with the colours and kinds that stand before its noun."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from fluxcap.english import singular, words
from fluxcap.vocabulary.table import slots
from fluxcap.vocabulary.tags import Meaning, base_of, listed, meaning, redundant, suffixes, tag_table

_NOUNS = frozenset(
    {
        "hair",
        "facial_hair",
        "features",
        "body",
        "skin",
        "clothing",
        "headwear",
        "eyewear",
        "jewelry",
        "footwear",
        "makeup",
    }
    | {"eye_color", "background", "holding"}
)
"""Slots whose phrases are noun phrases, so that further words before the noun belong to them."""

_MOST_TOKENS = 8
_SKIPPED = 2  # words without a tag of their own that may stand between two that have one ('long silky blonde hair')


_SHADES = ("dark", "light", "bright", "deep", "pale")
"""Before a colour they shade it: 'dark brown hair' is brown hair."""


class Token(NamedTuple):
    """One word of a text: its form in comparisons, and the characters it stands at."""

    word: str
    start: int
    end: int


class Found(NamedTuple):
    """A phrase found: its slot, its tags, the characters it stands at, and facet and flag of its tag."""

    slot: str
    tags: tuple[str, ...]
    start: int
    end: int
    facet: str
    flag: str


@dataclass(slots=True)
class _Lexicon:
    exact: dict[tuple[str, ...], Meaning] = field(default_factory=dict)
    loose: dict[tuple[str, ...], Meaning] = field(default_factory=dict)
    verbs: dict[tuple[str, ...], Meaning] = field(default_factory=dict)
    kinds: dict[tuple[str, ...], dict[tuple[str, ...], Meaning]] = field(default_factory=dict)
    heads: dict[tuple[str, ...], str] = field(default_factory=dict)
    places: dict[tuple[str, ...], Meaning] = field(default_factory=dict)
    firsts: frozenset[str] = frozenset()


def tokens(text: str) -> list[Token]:
    """The words of a text in one spelling, lower case; hyphens and underscores part words."""
    spelling: Mapping[str, str] = words()["spelling"]
    found = []
    for match in re.finditer(r"[^\W_]+(?:['’][^\W_]+)*", text):
        word = _unaccented(match[0].lower().replace("’", "'").removesuffix("'s"))
        found.append(Token(spelling.get(word, word), match.start(), match.end()))
    return found


def _unaccented(word: str) -> str:
    """'café' is 'cafe'."""
    if word.isascii():
        return word
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))


@lru_cache(maxsize=4096)
def find(text: str) -> tuple[Found, ...]:
    """Every known phrase of a text, in its order; of two that overlap the longer is taken (a place within a doing is told too)."""
    said = tokens(text)
    found: list[Found] = []
    place = 0
    while place < len(said):
        hit, start, end = _at(said, place)
        if hit is None or (hit.slot in _NOUNS and _reaches_further(said, place, end)):
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
        if hit is not None and hit.slot in _NOUNS and further > end:
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


def phrase_meaning(text: str) -> Meaning | None:
    """What a whole phrase means, where it is a known wording ('fringe' -> bangs); None else."""
    said = tuple(token.word for token in tokens(text))
    return _look_up(said) if said else None


def _at(said: Sequence[Token], place: int) -> tuple[Meaning | None, int, int]:
    """The longest phrase that starts here: its meaning, the token it starts at, and the token after it.

    Articles and possessives are not heard ('arms behind her back' is 'arms behind back').
    """
    lexicon = _lexicon()
    if _loosely(said[place].word) not in lexicon.firsts:
        return None, place, place
    unheard = _unheard()
    heard = [
        at
        for at in range(place, min(place + 2 * _MOST_TOKENS, len(said)))
        if at == place or said[at].word not in unheard
    ]
    for length in range(min(_MOST_TOKENS, len(heard)), 0, -1):
        key = tuple(said[at].word for at in heard[:length])
        hit = _look_up(key)
        if hit is None and (verb := lexicon.verbs.get(key)) is not None and _somebody_before(said, place):
            hit = verb
        start = place
        if hit is None and (there := _place_at(said, place, key)) is not None:
            hit, start = there
        if hit is not None and not _is_else(said, place, hit, length):
            return hit, start, heard[length - 1] + 1
    return None, place, place


def _place_at(said: Sequence[Token], place: int, key: tuple[str, ...]) -> tuple[Meaning, int] | None:
    """'beach' in 'on a sandy beach': a place, with the word before it that makes it one."""
    found = _lexicon().places.get(key) or _lexicon().places.get((*(_loosely(word) for word in key),))
    if found is None:
        return None
    opening = {token.word for token in said[:place]}
    if place <= 2 and opening <= {*_unheard(), *words()["nouns"]["adjectives"], *_attributes()}:
        return found, place  # 'a messy bedroom' as the whole caption, or its beginning
    for at in range(place - 1, max(place - 5, -1), -1):
        if said[at].word in words()["reading"]["at"]:
            return found, at
        if said[at].word in ("of", "and", "with", "is", "are", "wearing"):
            break
    return None


def _look_up(key: tuple[str, ...]) -> Meaning | None:
    lexicon = _lexicon()
    return lexicon.exact.get(key) or lexicon.loose.get((*(_loosely(word) for word in key),))


def _is_else(said: Sequence[Token], place: int, hit: Meaning, length: int) -> bool:
    """Whether a phrase, mostly a single word, that could be a trait is something else here.

    'mascara running' is no pose, 'piercing eyes' are no jewelry, 'tall' of 'a tall ship' and 'leather' of 'leather sandals'
    go with the noun that follows.
    """
    lists = words()["reading"]
    if hit.slot in ("pose", "action"):
        near = place > 0 and said[place].start - said[place - 1].end == 1
        return near and said[place - 1].word in lists["moving"]
    if length > 1:
        return False
    after = [token.word for token in said[place + 1 : place + 5]]
    if hit.slot == "jewelry":
        return "eyes" in after[:3]
    if hit.slot == "body" and said[place].word in lists["sizes"]:
        before = said[place - 1].word if place else ""
        return bool(after) and before not in lists["being"] and not set(after) & {*lists["person"], *lists["being"]}
    return bool(after) and hit.slot != "hair" and said[place].word in _attributes()


def _somebody_before(said: Sequence[Token], place: int) -> bool:
    """Whether 'waves' is a verb here: it is not where an article, a preposition or an adjective stands before it."""
    if place == 0:
        return True
    before = said[place - 1].word
    if before in ("she", "he", "it", "who", "and", "that", "they"):
        return True
    return before not in (*words()["reading"]["apart"], *words()["nouns"]["adjectives"]) and before not in _attributes()


def _grown(text: str, said: Sequence[Token], start: int, end: int, hit: Meaning, taken: int) -> Found | None:
    """The phrase with the words before it that belong to its noun: 'long wavy' before 'blonde hair'.

    None for a bare noun that says nothing by itself ('hair'). ``taken`` is where the phrase before this one ended.
    """
    tags = [hit.tag] if hit.tag else []
    first = start
    if hit.slot in _NOUNS:
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
    lexicon = _lexicon()
    for end in ends:
        listed_kind = lexicon.kinds.get(end, {}).get(before)
        if listed_kind is not None and listed_kind.slot == slot:
            return listed_kind.tag
    if len(before) == 1 and before[0] in _attributes(slot == "hair"):
        # the plainest noun first: 'long' of 'long blonde hair' is long hair
        heads = [head for end in reversed(ends) if (head := lexicon.heads.get(end))]
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


@lru_cache(maxsize=2)
def _attributes(hair: bool = False) -> frozenset[str]:
    """Words that go before any thing: colours, patterns, materials; before hair its lengths and textures too."""
    groups, kinds, shades = words()["groups"], tag_table()["kinds"], words()["shades_of"].values()
    known = (
        *(groups[name] for name in ("colour", *(("length", "curl") if hair else ()))),
        *kinds.values(),
        words()["shades"],
        *shades,
    )
    return frozenset(str(word) for group in known for word in group)


def _ends(key: tuple[str, ...]) -> list[tuple[str, ...]]:
    """The ends of the phrase that other words are known to stand before, longest first: ('hair',) of 'blonde hair'."""
    lexicon = _lexicon()
    cut = next((place for place, word in enumerate(key) if place and word in words()["reading"]["at"]), len(key))
    parts = (key, key[:cut])  # of 'scarf around the neck' the scarf
    forms = (
        form
        for part in parts
        for start in range(len(part))
        for form in (part[start:], (*(_loosely(word) for word in part[start:]),))
    )
    return [form for form in dict.fromkeys(forms) if form in lexicon.kinds or form in lexicon.heads]


@lru_cache(maxsize=16384)
def _loosely(word: str) -> str:
    """The singular of a word, where it has one that means the same ('ears', but not 'glasses')."""
    if len(word) < 3 or word in words()["nouns"]["only_plural"] or not word.isalpha():
        return word
    return singular(word)


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    built = _Lexicon()
    for known in sorted(listed().values(), key=lambda one: (one.flag != "", -len(one.also))):
        if not known.slot or known.flag == "minor" or not known.phrase:
            continue
        for wording in dict.fromkeys((*_worded(known), *known.also, *_spelled_out(known))):
            _add(built, wording, known)
    for rule in suffixes():
        for word in rule.words:
            if rule.slot in _NOUNS:
                built.exact.setdefault((word,), Meaning(tag="", slot=rule.slot, facet=rule.facet))
                built.heads.setdefault((word,), word)
    for key, known in list(built.exact.items()):
        if known.slot in _NOUNS and known.tag:
            built.heads.setdefault(key, known.tag)
            for cut in range(1, len(key)):
                built.kinds.setdefault(key[cut:], {}).setdefault(key[:cut], known)
    built.firsts = frozenset(_loosely(key[0]) for part in (built.exact, built.verbs, built.places) for key in part)
    return built


def _worded(known: Meaning) -> tuple[str, ...]:
    """The phrase as a text would have it: values such as 'blue' (eyes) or 'front' (view) say nothing by themselves."""
    form: str | None = tag_table()["worded"].get(known.slot)
    if known.slot == "holding" and not known.tag.startswith("holding"):
        form = None
    if form is not None:
        return (form.format(known.phrase),) if form else ()
    return () if known.phrase in {value.id for value in slots()[known.slot].value} else (known.phrase,)


def _spelled_out(known: Meaning) -> tuple[str, ...]:
    """The tag itself is a wording too ('sitting_on_bed'), but for what its letters do not say ('1girl', ':d')."""
    said = re.sub(r"_\(.*\)$", "", known.tag).replace("_", " ")
    if known.slot in ("pose", "action") and said.split(" ")[0] in (*words()["reading"]["at"], "covering"):
        return ()  # 'over_shoulder' is about a weapon: letters alone would find it in any shoulder
    return (said,) if re.fullmatch(r"[a-z][a-z' -]{2,}", said) and " " in said else ()


def _add(built: _Lexicon, wording: str, known: Meaning) -> None:
    said = _plain_words(wording)
    unheard = _unheard()
    key = tuple(word for place, word in enumerate(said) if not place or word not in unheard)
    if not key:
        return
    if known.slot == "setting" and len(key) > 1 and key[0] in words()["reading"]["at"]:
        built.places.setdefault(key[1:], known)
    built.exact.setdefault(key, known)
    built.loose.setdefault((*(_loosely(word) for word in key),), known)
    if known.slot in ("pose", "action", "expression", "gaze", "holding") and key[0].endswith("ing"):
        for form in set(_third_person(key[0])) - {"reads", "waves", "signs"}:  # nouns, or what a sign does
            built.verbs.setdefault((form, *key[1:]), known)


def _plain_words(wording: str) -> tuple[str, ...]:
    """As ``tokens``, for wordings of the vocabulary, most of which are plain words."""
    plain = wording.replace("{", "").replace("}", "").lower()
    if not plain.isascii() or "'" in plain:
        return tuple(token.word for token in tokens(plain))
    spelling = words()["spelling"]
    return tuple(spelling.get(word, word) for word in _PARTS.findall(plain))


_PARTS = re.compile(r"[a-z0-9]+")


@lru_cache(maxsize=1)
def _unheard() -> frozenset[str]:
    return frozenset(words()["reading"]["unheard"])


def _third_person(word: str) -> Sequence[str]:
    """'sitting' -> 'sits' (and forms that no word has, which do no harm)."""
    stem = word.removesuffix("ing")
    forms = [stem + "s", stem + "es"]
    if len(stem) > 2 and stem[-1] == stem[-2]:
        forms.append(stem[:-1] + "s")
    if stem.endswith("y"):
        forms.append(stem[:-1] + "ies")
    return {"ly": ["lies"], "ty": ["ties"]}.get(stem, forms)
