"""Traits and sets made from plain values."""

from collections.abc import Mapping, Sequence

from fluxcap.bind import bind, judge
from fluxcap.checks import CheckInput
from fluxcap.coverage import cover
from fluxcap.think import PictureThought, Thought
from fluxcap.types import Caption, ImageRef, Issue, Trait
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


def thought(pictures, texts: Sequence[str] = (), issues: Mapping[int, Sequence[Issue]] | None = None) -> Thought:
    """A set as it is thought of, with these caption texts ('a caption' where none is given) and issues by place."""
    _, bindings, judged = judged_set(pictures)
    made = []
    for n, (path, verdicts) in enumerate(judged.items()):
        text = texts[n] if n < len(texts) else "a caption of ten words or so, like all others"
        made.append(
            PictureThought(
                image=ImageRef(id=f"{n:064x}", path=path, width=1, height=1),
                evidence=(),
                traits=pictures[n],
                verdicts=verdicts,
                caption=Caption(image_id=f"{n:064x}", text=text, spans=(), tags=(), author="fluxcap"),
                text=text,
                kept=False,
                author="fluxcap",
                counts=(),
                issues=tuple((issues or {}).get(n, ())),
                checked=CheckInput(image_id=f"{n:064x}", path=path, text=text),
            )
        )
    sets = {one.image.path: one.traits for one in made}
    return Thought(pictures=tuple(made), bindings=bindings, issues=(), coverage=cover(sets, "person", bindings))
