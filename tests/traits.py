"""Traits and sets made from plain values."""

from fluxcap.bind import bind, judge
from fluxcap.types import Trait
from fluxcap.vocabulary import canonical


def trait(slot, value, confidence=0.9, conflict=()):
    settled, tags = canonical(slot, value)
    return Trait(
        image_id="1", slot=slot, value=settled, tags=tags, confidence=confidence, sources=("vlm:a",), conflict=conflict
    )


def picture(**values):
    return {slot: trait(slot, value) for slot, value in values.items()}


CLOTHES = ("red dress", "jeans", "blue coat", "white shirt", "black suit")


def judged_set(pictures, preset="person", wish=None):
    sets = {f"{n}.png": one for n, one in enumerate(pictures)}
    bindings = bind(pictures, preset, wish)
    return sets, bindings, {path: judge(one, bindings) for path, one in sets.items()}


STYLED = ["long blonde hair"] * 12 + ["long blonde hair in a ponytail"] * 6 + ["blonde hair with bangs"] * 6
