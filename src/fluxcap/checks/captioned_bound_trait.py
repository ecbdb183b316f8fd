"""CAP004."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.cutting import without
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import mentions, quoted
from fluxcap.types import Binding, Issue, Part, Severity, Trait
from fluxcap.vocabulary import Mention, pieces, same, slot, speaks_for, value_of

_BLONDE = ("blonde_hair", "long_hair")
_BOUND = {
    "hair": Binding(
        slot="hair", decision="bound", value="long blonde hair", tags=_BLONDE, reason="in 20 of 20 pictures", by="set"
    )
}
_COLOUR = {
    "hair": Binding(
        slot="hair",
        decision="free",
        value="blonde hair",
        tags=("blonde_hair",),
        reason="the same nearly everywhere: blonde in 20 of 20; it varies: ponytail in 5 of 20",
        by="set",
        parts=(
            Part(
                attribute="color",
                decision="bound",
                value="blonde hair",
                tags=("blonde_hair",),
                reason="blonde in 20 of 20",
                by="set",
            ),
        ),
    )
}
_TEXT = "ohwx, a photo of a woman with blonde hair."
_SAID = (Mention(slot="hair", value="blonde hair", tags=("blonde_hair",), start=29, end=41),)


class CaptionedBoundTrait:
    """Caption that names what belongs to the subject.

    What it does:
        Looks for the usual value of every trait that the plan binds to the trigger word (any value, where none is usual),
        for a side of it ('golden' of 'long blonde hair') and for either in other words ('flaxen tresses', 'a blonde'). A
        trait that is different in this picture (the wig) is to be said, and so is let be; another value that the picture
        does not show is ``contradicted-fact``'s. The trigger word and the class word do not count.
    Why is this bad:
        What is said is learned under its own words. With 'blonde hair' in the captions the trigger word does not learn the
        hair, and every prompt has to ask for it again.
    Example:
        ohwx, a photo of a woman with long blonde hair, sitting in a park.
    Use instead:
        ohwx, a photo of a woman, sitting in a park.
    """

    code: ClassVar[str] = "CAP004"
    name: ClassVar[str] = "captioned-bound-trait"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="ohwx, a photo of a woman.", bindings=_BOUND),
        CheckInput(image_id="1", path="1.png", text=_TEXT, mentions=_SAID),
        CheckInput(image_id="1", path="1.png", text=_TEXT, mentions=_SAID, bindings=_BOUND, to_say=frozenset({"hair"})),
        CheckInput(
            image_id="1", path="1.png", text=_TEXT, mentions=_SAID, bindings=_BOUND, class_word="woman with blonde hair"
        ),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx, a photo of a woman with black hair.",
            mentions=(Mention(slot="hair", value="black hair", tags=("black_hair",), start=29, end=39),),
            bindings=_BOUND,
        ),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx, a photo of a woman with hair in a ponytail.",
            mentions=(Mention(slot="hair", value="hair in a ponytail", tags=("ponytail",), start=30, end=48),),
            bindings=_COLOUR,
            to_say=frozenset({"hair"}),
        ),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=_TEXT, mentions=_SAID, bindings=_BOUND),
        CheckInput(
            image_id="1", path="1.png", text=_TEXT, mentions=_SAID, bindings=_COLOUR, to_say=frozenset({"hair"})
        ),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place where it is said, with the caption without it where it can simply be cut."""
        for said in mentions(item):
            plan = item.bindings.get(said.slot)
            if plan is None or said.slot in {"trigger", "subject"}:
                continue
            reason = _leaks(said, plan, item)
            if reason is not None:
                yield issue(
                    self,
                    item,
                    f"says {quoted(item.text, said.start, said.end)}, but {reason}: leave it out, "
                    f"or set {said.slot} free in the plan",
                    span=(said.start, said.end),
                    fix=without(item.text, said.start, said.end),
                )


def _leaks(said: Mention, plan: Binding, item: CheckInput) -> str | None:
    """Why what is said here should be left to the trigger word; None where it may be said."""
    name = slot(said.slot).name
    fact = item.traits.get(said.slot)
    if not (fact is not None and _differs(fact, plan)):
        for part in plan.parts:
            if part.decision == "bound" and part.value and _tells(said, part):
                named = next((one.name for one in slot(said.slot).attribute if one.id == part.attribute), part.value)
                return f"{named} is bound to the trigger word ({part.reason})"
    if plan.decision != "bound" or said.slot in item.to_say:
        return None
    if plan.value is None or _names(said.slot, said.value, said.tags, plan.value, plan.tags):
        return f"{name} is bound to the trigger word ({plan.reason})"
    return None


def _tells(said: Mention, part: Part) -> bool:
    """Whether a mention names the usual value of a part that is decided by itself."""
    for piece in pieces(said.slot, said.value):
        if part.attribute and piece.attribute != part.attribute:
            continue
        value, tags = value_of(said.slot, [piece])
        if value and part.value and _names(said.slot, value, tags, part.value, part.tags):
            return True
    return False


def _differs(fact: Trait, plan: Binding) -> bool:
    """Whether the picture departs from what is usual, so that the trait is to be described (the wig)."""
    told = pieces(fact.slot, fact.value)
    for part in plan.parts:
        mine, tags = value_of(fact.slot, [piece for piece in told if piece.attribute == part.attribute])
        if part.attribute and part.value and mine and not same(fact.slot, mine, tags, part.value, part.tags):
            return True
    return False


def _names(slot_id: str, value: str, tags: tuple[str, ...], usual: str, usual_tags: tuple[str, ...]) -> bool:
    """Whether this is the usual value, a side of it, or either in other words."""
    return same(slot_id, value, tags, usual, usual_tags) or speaks_for(slot_id, value, usual)
