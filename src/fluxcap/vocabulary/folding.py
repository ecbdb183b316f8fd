"""Many tags of one trait -> one value: 'long_hair, blonde_hair, blunt_bangs' -> 'long blonde hair with blunt bangs'."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fluxcap.english import join, words
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

    noun: str
    facet: str
    tags: list[str]
    kinds: list[str] = field(default_factory=list)

    def phrase(self) -> str:
        return " ".join([*sorted(dict.fromkeys(self.kinds), key=_place_of_kind), self.noun])


def fold(slot: str, meanings: Sequence[Meaning]) -> tuple[Folded, ...]:
    """The values that the tags of one slot come to, the strongest first. ``meanings`` stand strongest first.

    Slots whose traits are made of several things give one value that lists them; in the others each tag is a value of its
    own, and tags that exclude each other are always apart, so that ``resolve`` can settle them.
    """
    quiet = redundant([one.tag for one in meanings])
    said = [one for one in meanings if one.tag not in quiet and one.phrase]
    vague = frozenset(tag_table()["vague"])
    said = [one for one in said if one.tag not in vague] or said
    if not said:
        return ()
    how = _HOW.get(slot)
    if how is None:
        return tuple(Folded(value=one.phrase, tags=(one.tag,)) for one in said)
    together: list[Meaning] = []
    apart: list[Meaning] = []
    for one in said:
        rival = slot in ("hair", "pose") and any(_rivals(slot, one, other) for other in together)
        (apart if rival and not _mixed(together) else together).append(one)
    more = tuple(one.tag for one in meanings if one.tag in quiet)
    value = how(together)
    first = (Folded(value=value, tags=(*(one.tag for one in together), *more)),) if value else ()
    return (*first, *(Folded(value=how([one]), tags=(one.tag,)) for one in apart if how([one])))


def _rivals(slot: str, one: Meaning, other: Meaning) -> bool:
    return (slot != "hair" or one.facet == other.facet) and exclusive(one.phrase, other.phrase)


def _mixed(said: Sequence[Meaning]) -> bool:
    """Whether the hair is said to have several colours."""
    return any(one.tag in tag_table()["mixed_hair"] for one in said)


def _hair(said: Sequence[Meaning]) -> str:
    by_facet: dict[str, list[str]] = {}
    for one in said:
        by_facet.setdefault(one.facet, []).append(one.phrase)
    before = [
        _without(phrase, "hair") for facet in ("state", "length", "texture") for phrase in by_facet.get(facet, ())
    ]
    colours = [_without(phrase, "hair") for phrase in by_facet.get("color", ())]
    plain = [word for word in before if not word.endswith(_NOT_BEFORE)]
    behind = [word for word in before if word.endswith(_NOT_BEFORE)]
    more = [phrase for facet in ("bangs", "style", "detail") for phrase in by_facet.get(facet, ())]
    base = " ".join([*plain, " and ".join(colours), "hair"]) if plain or colours else ""
    rest = join([*behind, *more])
    return " with ".join(part for part in (" ".join(base.split()), rest) if part)


_NOT_BEFORE = ("head", "cut", "bald", "style")
"""What stands for the hair itself ('a buzz cut') does not go before the word."""


def _without(phrase: str, noun: str) -> str:
    return phrase.removesuffix(f" {noun}")


def _things(said: Sequence[Meaning]) -> str:
    """The things of a list, those of one kind joined ('black suit', 'business suit' -> 'black business suit')."""
    things: dict[str, _Thing] = {}
    general = [one for one in said if one.tag.split("_")[-1] in tag_table()["general"] and "_" in one.tag]
    said = [one for one in said if one not in general]
    for one in said:
        root = _root(one.tag)
        noun, kinds = _parts(one)
        thing = things.get(root)
        if thing is None:
            things[root] = _Thing(noun=noun, facet=one.facet, tags=[one.tag], kinds=kinds)
            continue
        if len(noun.split()) > len(thing.noun.split()) or (
            noun != thing.noun and base_of(one.tag) is not None and not kinds
        ):
            thing.noun, noun = noun, thing.noun
        thing.kinds += [kind for kind in kinds if kind not in thing.noun.split()]
        thing.tags.append(one.tag)
    for one in general:
        last = one.tag.split("_")[-1]
        if len(things) == 1:
            next(iter(things.values())).kinds.append(one.tag.removesuffix(f"_{last}").replace("_", " "))
        else:
            things[one.tag] = _Thing(noun=one.phrase, facet=one.facet, tags=[one.tag])
    ordered = sorted(things.values(), key=lambda thing: _place_of_facet(thing.facet))
    return ", ".join(_with_sleeves(ordered))


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


def _doing(said: Sequence[Meaning]) -> str:
    return join([one.phrase for one in said[:3]])


def _place(said: Sequence[Meaning]) -> str:
    """One place, the surest."""
    return said[0].phrase


def _scene(said: Sequence[Meaning]) -> str:
    """A plain background, what lies behind, or the things in view."""
    plain = [one.phrase for one in said if one.facet == "plain"]
    behind = [one.phrase for one in said if one.facet == "view"]
    things = [one.phrase for one in said if one.facet in ("object", "animal")]
    if plain:
        return f"{plain[0]}, with {join(things)} in view" if things else plain[0]
    return f"{', '.join([*behind, *things])} in view" if things else ", ".join(behind)


_HOW = {
    "hair": _hair,
    "setting": _place,
    "background": _scene,
    "pose": _doing,
    "action": _doing,
    **dict.fromkeys(
        (
            "clothing",
            "headwear",
            "eyewear",
            "jewelry",
            "footwear",
            "makeup",
            "holding",
            "features",
            "facial_hair",
            "body",
            "skin",
        ),
        _things,
    ),
}
