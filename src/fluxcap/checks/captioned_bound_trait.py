"""CAP004."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.cutting import without
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import mentions, quoted
from fluxcap.types import Binding, Issue, Severity
from fluxcap.vocabulary import Mention, same, slot, speaks_for

_BLONDE = ("blonde_hair", "long_hair")
_BOUND = {
    "hair": Binding(
        slot="hair", decision="bound", value="long blonde hair", tags=_BLONDE, reason="in 20 of 20 pictures", by="set"
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
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=_TEXT, mentions=_SAID, bindings=_BOUND),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place where it is said, with the caption without it where it can simply be cut."""
        for said in mentions(item):
            plan = item.bindings.get(said.slot)
            if plan is None or plan.decision != "bound":
                continue
            if said.slot in {"trigger", "subject"} | item.to_say:
                continue
            if plan.value is None or _names(said, plan.value, plan.tags):
                yield issue(
                    self,
                    item,
                    f"says {quoted(item.text, said.start, said.end)}, but {slot(said.slot).name} is bound to the trigger "
                    f"word ({plan.reason}): leave it out, or set {said.slot} free in the plan",
                    span=(said.start, said.end),
                    fix=without(item.text, said.start, said.end),
                )


def _names(said: Mention, usual: str, tags: tuple[str, ...]) -> bool:
    """Whether this is the usual value, a side of it, or either in other words."""
    return same(said.slot, said.value, said.tags, usual, tags) or speaks_for(said.slot, said.value, usual)
