"""The labelled photographs as a set of one subject: a planted identity beside the varying labels, and sources that err.

The photographs show many different persons. ``one_subject`` gives them what one subject would have in every picture: hair,
eye colour, age, skin, build and a scar (person), a costume and face paint besides (character), or one medium (style). A trait is
planted only where the label tells that its place is to be seen: no hair on a cropped head, no eye colour on closed eyes. In a few
pictures, taken by their place in the list, the trait is another one: a wig, contact lenses, a day without face paint, a day in the
label's own clothes, a photo among paintings. All else stays as the label has it. The words of the identity were chosen so that
no label uses them: a leak can be seen by a plain search for a word.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labelled import Labelled

from fluxcap.vocabulary import canonical, same

Kind = Literal["person", "character", "style", "labels"]
"""Which identity is planted; ``labels``: none."""

Pool = Mapping[str, tuple[str, ...]]
"""Slot id -> the values that a source which errs may say instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """One trait of the subject: its slot, its usual value, and the label without which it is not to be seen ('': always).

    In every ``every``-th picture it is ``else_`` instead; 'label' there is the label's own value.
    """

    slot: str
    value: str
    shown_by: str = ""
    every: int = 0
    else_: str = ""


_PERSON = (
    Planted(slot="age", value="mid-forties"),
    Planted(slot="body", value="slender build", shown_by="clothing"),
    Planted(slot="skin", value="freckled skin", shown_by="makeup"),
    Planted(slot="hair", value="long auburn hair", shown_by="hair", every=23, else_="short pink hair"),
    Planted(slot="features", value="scar on the chin", shown_by="mouth"),
    Planted(slot="eye_color", value="hazel", shown_by="eyes", every=31, else_="blue"),
)
_COSTUME = (
    Planted(
        slot="clothing", value="crimson frock coat, pinstriped breeches", shown_by="clothing", every=19, else_="label"
    ),
    Planted(slot="headwear", value="feathered tricorne", shown_by="hair"),
    Planted(slot="footwear", value="buckled riding boots", shown_by="footwear"),
    Planted(
        slot="makeup", value="white face paint with black diamonds", shown_by="makeup", every=17, else_="bare face"
    ),
)
_PAINTED = (Planted(slot="medium", value="painting", every=23, else_="photo"),)
PLANTED: Mapping[Kind, tuple[Planted, ...]] = {
    "person": _PERSON,
    "character": (*_PERSON, *_COSTUME),
    "style": _PAINTED,
    "labels": (),
}
_NOT_THEIRS: Mapping[Kind, frozenset[str]] = {"character": frozenset({"facial_hair"})}
"""Labels of the many persons that the one subject has not."""

MISTAKES: Pool = {
    "age": ("mid-twenties", "early thirties", "elderly", "teenage"),
    "body": ("muscular build", "curvy figure", "stocky build"),
    "skin": ("pale skin", "dark skin", "tanned skin"),
    "features": ("tattoo on the left arm", "dragon tattoo", "pointed ears"),
    "eye_color": ("blue", "green", "brown", "grey"),
    "headwear": ("straw hat", "black beanie", "white headband"),
}
"""What a source that errs may say of traits of which the labels have no values, or only one."""


def one_subject(labels: Sequence[Labelled], kind: Kind) -> list[Labelled]:
    """The photographs with one identity; ``labels`` leaves them as they are."""
    gone = _NOT_THEIRS.get(kind, frozenset())
    planted = PLANTED[kind]
    return [
        replace(
            picture,
            values={
                **{slot: value for slot, value in picture.values.items() if slot not in gone},
                **{
                    one.slot: _planted(one, place, picture)
                    for one in planted
                    if not one.shown_by or _is_shown(one, picture)
                },
            },
        )
        for place, picture in enumerate(labels, start=1)
    ]


def _is_shown(one: Planted, picture: Labelled) -> bool:
    label = picture.values.get(one.shown_by)
    return label is not None and not (one.slot == "eye_color" and label == "closed")


def _planted(one: Planted, place: int, picture: Labelled) -> str:
    if not one.every or place % one.every:
        return one.value
    return picture.values[one.slot] if one.else_ == "label" else one.else_


def pool(*sets: Sequence[Labelled]) -> Pool:
    """All values of these sets by slot, and the mistakes above, each value once."""
    found: dict[str, dict[str, None]] = {slot: dict.fromkeys(values) for slot, values in MISTAKES.items()}
    for picture in (one for each in sets for one in each):
        for slot, value in picture.values.items():
            found.setdefault(slot, {})[value] = None
    return {slot: tuple(values) for slot, values in found.items()}


def corrupted(pictures: Sequence[Labelled], share: float, values: Pool, rng: random.Random) -> list[Labelled]:
    """The pictures as a source sees them that errs in ``share`` of the values, drawn at random.

    A value gives way to another of the same slot that does not say the same, in words or in tags ('brown' for 'hazel' eyes would). What no
    other value is known of stays (the class word).
    """
    places = [
        (place, slot)
        for place, picture in enumerate(pictures)
        for slot, value in picture.values.items()
        if _others(slot, value, values)
    ]
    wrong = dict.fromkeys(sorted(rng.sample(places, round(share * len(places)))))
    changed: list[dict[str, str]] = [dict(picture.values) for picture in pictures]
    for place, slot in wrong:
        changed[place][slot] = rng.choice(_others(slot, pictures[place].values[slot], values))
    return [replace(picture, values=seen) for picture, seen in zip(pictures, changed, strict=True)]


def _others(slot: str, value: str, values: Pool) -> list[str]:
    mine, tags = canonical(slot, value)
    others = [(other, *canonical(slot, other)) for other in values.get(slot, ())]
    return [
        other
        for other, its, its_tags in others
        if not same(slot, its, its_tags, mine, tags) and not set(its_tags) <= set(tags)
    ]
