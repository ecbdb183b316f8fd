"""Many tags of one trait -> one value: 'long_hair, blonde_hair, blunt_bangs' -> 'long blonde hair with blunt bangs'."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fluxcap.english import join, with_article, words
from fluxcap.vocabulary.tags import Meaning, base_of, meaning, redundant, tag_table
from fluxcap.vocabulary.values import exclusive


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A value with the tags that say it; tags that were redundant are among them."""

    value: str
    tags: tuple[str, ...]


@dataclass(slots=True)
class _Thing:
    """One garment, ornament or the like: its noun, and what is said before it."""

    whole: str
    noun: str
    facet: str
    tags: list[str]
    kinds: list[str] = field(default_factory=list)

    def phrase(self) -> str:
        if len(self.tags) == 1:
            return self.whole
        kinds = sorted(dict.fromkeys(self.kinds), key=_place_of_kind)
        colours = [kind for kind in kinds if kind in words()["groups"]["colour"]]
        first = colours[:1]
        told = [" and ".join(colours) if [kind] == first else kind for kind in kinds if kind not in colours[1:]]
        return " ".join([*told, self.noun])


def fold(slot: str, meanings: Sequence[Meaning]) -> tuple[Folded, ...]:
    """The values that the tags of one slot come to, the strongest first. ``meanings`` stand strongest first.

    Slots whose traits are made of several things give one value that lists them; in the others each tag is a value of its
    own, and tags that exclude each other are always apart, so that ``resolve`` can settle them.
    """
    gone = redundant([one.tag for one in meanings])
    said = [one for one in meanings if one.tag not in gone and one.phrase and one.flag != "quiet"]
    vague = frozenset(tag_table()["vague"])
    said = [one for one in said if one.tag not in vague] or said
    if not said:
        return ()
    if slot not in _HOW:
        return tuple(Folded(value=one.phrase, tags=(one.tag,)) for one in said)
    how, most = _HOW[slot]
    together: list[Meaning] = []
    apart: list[Meaning] = []
    mixed = any(one.tag in tag_table()["mixed_hair"] for one in said)
    for one in said:
        excused = mixed and one.facet == "color"
        rival = slot in ("hair", "pose") and not excused and any(_rivals(slot, one, other) for other in together)
        (apart if rival or (slot == "setting" and together) else together).append(one)
    together = together[:most]
    value = how(slot, together)
    more = tuple(one.tag for one in meanings if one.tag in gone)
    first = (Folded(value=value, tags=(*(one.tag for one in together), *more)),) if value else ()
    return (*first, *(Folded(value=how(slot, [one]), tags=(one.tag,)) for one in apart))


def _rivals(slot: str, one: Meaning, other: Meaning) -> bool:
    return (slot != "hair" or one.facet == other.facet) and exclusive(one.phrase, other.phrase)


def _hair(_slot: str, said: Sequence[Meaning]) -> str:
    """Length, texture and colour before the word, everything else behind it."""
    before = [one for facet in ("state", "length", "texture") for one in said if one.facet == facet]
    colours = [one.phrase.removesuffix(" hair") for one in said if one.facet == "color" and _is_of_hair(one)]
    plain = [one.phrase.removesuffix(" hair") for one in before if _is_of_hair(one)]
    told = {one.tag for one in said if _is_of_hair(one) and (one in before or one.facet == "color")}
    order = ("length", "texture", "state", "color", "bangs", "style", "detail")
    rest = [one.phrase for facet in order for one in said if one.facet == facet and one.tag not in told]
    done = [phrase for phrase in rest if any(phrase.endswith(tied) for tied in words()["reading"]["tied"])]
    base = " ".join(part for part in (*plain, " and ".join(colours), "hair") if part) if plain or colours else ""
    if base and done:
        loose = [phrase for phrase in rest if phrase not in done]
        return f"{base}{' with ' + join(loose) if loose else ''} in {join([with_article(phrase) for phrase in done])}"
    return " with ".join(part for part in (base, join(rest)) if part)


def _is_of_hair(one: Meaning) -> bool:
    """Whether the phrase is words before 'hair'; 'a buzz cut' or 'ringlets' stands for the hair itself."""
    return one.phrase.endswith(" hair") and " with " not in one.phrase


def _things(slot: str, said: Sequence[Meaning]) -> str:
    """The things of a list, those of one kind joined ('black suit', 'business suit' -> 'black business suit')."""
    things: list[_Thing] = []
    roots: dict[str, list[_Thing]] = {}
    nouns = tag_table()["general"]
    general = [one for one in said if "_" in one.tag and one.tag.split("_")[-1] in nouns.get(slot, ())]
    for one in (one for one in said if one not in general):
        noun, kinds = _parts(one)
        fitting = roots.setdefault(_root(one.tag), [])
        thing = next(
            (other for other in fitting if slot not in _SEVERAL or not (_own(kinds) and _own(other.kinds))), None
        )
        if thing is None or (slot in _SEVERAL and noun != thing.noun):
            thing = _Thing(whole=one.phrase, noun=noun, facet=one.facet, tags=[one.tag], kinds=kinds)
            fitting.append(thing)
            things.append(thing)
            continue
        more_telling = noun != thing.noun and base_of(one.tag) is not None and not kinds
        if len(noun.split()) > len(thing.noun.split()) or more_telling:
            thing.noun = noun
        thing.kinds += [kind for kind in kinds if kind not in thing.noun.split()]
        thing.tags.append(one.tag)
    for one in general:
        fitting = [thing for thing in things if thing.facet == one.facet]
        if len(fitting) == 1:
            fitting[0].kinds.append(one.tag.rpartition("_")[0].replace("_", " "))
            fitting[0].tags.append(one.tag)
        else:
            things.append(_Thing(whole=one.phrase, noun=one.phrase, facet=one.facet, tags=[one.tag]))
    ordered = sorted(things, key=lambda thing: _place_of_facet(thing.facet))
    return ", ".join(_with_sleeves(ordered) if slot == "clothing" else [thing.phrase() for thing in ordered])


_SEVERAL = frozenset({"features", "skin", "body", "jewelry", "holding", "facial_hair"})
"""Slots in which two kinds of a thing are two things ('cat ears, rabbit ears'); a collared and a dress shirt are one shirt."""


def _own(kinds: Sequence[str]) -> bool:
    """Whether a word says which thing it is ('cat' ears), not only what it looks like ('black' ears)."""
    return any(_place_of_kind(kind) == _LAST for kind in kinds)


def _with_sleeves(things: Sequence[_Thing]) -> list[str]:
    """The phrases; sleeves and details go with the one garment that can have them, and are not said where there are more."""
    worn = [thing for thing in things if thing.facet in ("full", "outer", "top")]
    parts = [thing for thing in things if thing.facet in ("sleeves", "detail")]
    if len(worn) != 1:
        return [thing.phrase() for thing in things if thing not in parts] or [thing.phrase() for thing in parts]
    owned = f"{worn[0].phrase()} with {join([thing.phrase() for thing in parts])}" if parts else worn[0].phrase()
    return [owned if thing is worn[0] else thing.phrase() for thing in things if thing not in parts]


def _root(tag: str) -> str:
    """The plainest tag that this one is a kind of."""
    seen = {tag}
    while (base := base_of(tag)) is not None and base not in seen:
        seen.add(base)
        tag = base
    return tag


def _parts(one: Meaning) -> tuple[str, list[str]]:
    """The noun of a phrase, and the words before it."""
    base = meaning(base_of(one.tag) or "")
    if base is not None and one.phrase.endswith(" " + base.phrase):
        noun, kinds = _parts(base)
        before = one.phrase.removesuffix(" " + base.phrase)
        return noun, [*_kinds(before), *kinds]
    spoken = one.phrase.split(" ")
    for start in range(1, len(spoken)):
        if all(_place_of_kind(word) < _LAST for word in spoken[:start]):
            continue
        return " ".join(spoken[start - 1 :]), spoken[: start - 1]
    return (spoken[-1], spoken[:-1]) if len(spoken) > 1 else (one.phrase, [])


def _kinds(before: str) -> list[str]:
    """'black and white' is one kind, 'long red' are two."""
    return [before] if " and " in f" {before} " else before.split(" ")


_LAST = 99


def _place_of_kind(kind: str) -> int:
    """Where an adjective stands before its noun: how worn, size, colour, pattern, material, then what is the noun's own."""
    order: Mapping[str, Sequence[str]] = tag_table()["kinds"]
    first = kind.split(" ")[0]
    for place, group in enumerate(order.values()):
        if first in group:
            return place
    return len(order) // 2 if first in words()["groups"]["colour"] else _LAST


def _place_of_facet(facet: str) -> int:
    order: Sequence[str] = tag_table()["facets"]
    return order.index(facet) if facet in order else len(order)


def _doing(_slot: str, said: Sequence[Meaning]) -> str:
    return join([one.phrase for one in said])


def _place(_slot: str, said: Sequence[Meaning]) -> str:
    """One place, the surest."""
    return said[0].phrase


def _scene(_slot: str, said: Sequence[Meaning]) -> str:
    """A plain background, what lies behind, or the things in view."""
    plain = [one.phrase for one in said if one.facet == "plain"]
    behind = [one.phrase for one in said if one.facet == "view"]
    things = [one.phrase for one in said if one.facet in ("object", "animal")]
    if plain:
        return f"{plain[0]}, with {join(things)} in view" if things else plain[0]
    return f"{', '.join([*behind, *things])} in view" if things else ", ".join(behind)


_HOW: Mapping[str, tuple[Callable[[str, Sequence[Meaning]], str], int | None]] = {
    "hair": (_hair, None),
    "setting": (_place, 1),
    "background": (_scene, None),
    "pose": (_doing, 3),
    "action": (_doing, 3),
    **dict.fromkeys(
        (
            "clothing", "headwear", "eyewear", "jewelry", "footwear", "makeup", "holding", "features", "facial_hair", "body",
            "skin",
        ),
        (_things, None),
    ),
}  # fmt: skip
"""How the tags of a slot become one value, and how many of them at most; in the other slots each is a value of its own."""
