"""The dictionary of phrases: every wording of the vocabulary, word by word, and the tag that it means."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from fluxcap.english import singular, words
from fluxcap.vocabulary.table import slots
from fluxcap.vocabulary.tags import Meaning, listed, suffixes, tag_table

NOUNS = frozenset(
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


class Token(NamedTuple):
    """One word of a text: its form in comparisons, and the characters it stands at.

    ``apart``: a comma, full stop or bracket stands before it, so that no phrase goes on over it.
    """

    word: str
    start: int
    end: int
    apart: bool = False


@dataclass(slots=True)
class Lexicon:
    """Phrases by their words: as they stand, in the singular, as a verb of somebody, and as a place without its preposition.

    ``heads`` are the nouns that take words before them, ``kinds`` the listed ones with those words; ``firsts`` are the words
    that any phrase begins with.
    """

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
    found: list[Token] = []
    for match in re.finditer(r"[^\W_]+(?:['’][^\W_]+)*", text):
        word = _unaccented(match[0].lower().replace("’", "'").removesuffix("'s"))
        gap = text[found[-1].end : match.start()] if found else ""
        found.append(Token(spelling.get(word, word), match.start(), match.end(), bool(_APART.search(gap))))
    return found


_APART = re.compile(r"[.,;:!?()\n\"“”]")


def _unaccented(word: str) -> str:
    """'café' is 'cafe'."""
    if word.isascii():
        return word
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))


def phrase_meaning(text: str) -> Meaning | None:
    """What a whole phrase means, where it is a known wording ('fringe' -> bangs); None else."""
    said = tuple(token.word for token in tokens(text))
    return look_up(said) if said else None


def look_up(key: tuple[str, ...]) -> Meaning | None:
    """What these words mean together, as they stand or in the singular."""
    known = lexicon()
    return known.exact.get(key) or known.loose.get((*(loosely(word) for word in key),))


@lru_cache(maxsize=2)
def attributes(hair: bool = False) -> frozenset[str]:
    """Words that go before any thing: colours, patterns, materials; before hair its lengths and textures too."""
    groups, kinds, shades = words()["groups"], tag_table()["kinds"], words()["shades_of"].values()
    known = (
        *(groups[name] for name in ("colour", *(("length", "curl") if hair else ()))),
        *kinds.values(),
        words()["shades"],
        *shades,
    )
    return frozenset(str(word) for group in known for word in group)


@lru_cache(maxsize=16384)
def loosely(word: str) -> str:
    """The singular of a word, where it has one that means the same ('ears', but not 'glasses')."""
    if len(word) < 3 or word in words()["nouns"]["only_plural"] or not word.isalpha():
        return word
    return singular(word)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The dictionary of the whole vocabulary; made at its first use, in less than half a second."""
    built = Lexicon()
    for known in sorted(listed().values(), key=lambda one: (one.flag != "", -len(one.also))):
        if not known.slot or known.flag == "minor" or not known.phrase:
            continue
        for wording in dict.fromkeys((*_worded(known), *known.also, *_spelled_out(known))):
            _add(built, wording, known)
    for rule in suffixes():
        for word in rule.words:
            if rule.slot in NOUNS:
                built.exact.setdefault((word,), Meaning(tag="", slot=rule.slot, facet=rule.facet))
                built.heads.setdefault((word,), word)
    for key, known in list(built.exact.items()):
        if known.slot in NOUNS and known.tag:
            built.heads.setdefault(key, known.tag)
            for cut in range(1, len(key)):
                built.kinds.setdefault(key[cut:], {}).setdefault(key[:cut], known)
    built.firsts = frozenset(loosely(key[0]) for part in (built.exact, built.verbs, built.places) for key in part)
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


def _add(built: Lexicon, wording: str, known: Meaning) -> None:
    said = _plain_words(wording)
    silent = unheard()
    key = tuple(word for place, word in enumerate(said) if not place or word not in silent)
    if not key or (len(key) == 1 < len(said) and {"left", "right"} & {*said}):
        return  # 'looking left' without its side is only 'looking'
    if known.slot == "setting" and len(key) > 1 and key[0] in words()["reading"]["at"]:
        built.places.setdefault(key[1:], known)
    built.exact.setdefault(key, known)
    built.loose.setdefault((*(loosely(word) for word in key),), known)
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
def unheard() -> frozenset[str]:
    """Words that tell nothing: articles, possessives, 'is'."""
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
