"""CAP029."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.counting import MANY, counted, totals
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import quoted
from fluxcap.types import Issue, Severity, Trait
from fluxcap.vocabulary import trusted


def _people(value: str, confidence: float = 0.9) -> dict[str, Trait]:
    trait = Trait(
        image_id="1", slot="people", value=value, tags=(), confidence=confidence, sources=("measure:embedded",)
    )
    return {"people": trait}


_TWO = "ohwx woman, a photo of two women in a park."


class WrongPeopleCount:
    """Caption that speaks of more or fewer people than there are.

    What it does:
        Counts the people that the caption names ('two women', 'with a friend', 'a crowd', 'alone') and compares them with
        what is known of the picture. Likenesses ('a poster of a man') do not count, and a caption that names nobody else
        contradicts nothing. Facts of less than 0.6 confidence are not asked.
    Why is this bad:
        'Two women' over one teaches that the trigger word comes in pairs: prompts then give doubles.
    Example:
        ohwx woman, a photo of two women in a park. (and she is alone)
    Use instead:
        ohwx woman, a photo of a woman in a park.
    """

    code: ClassVar[str] = "CAP029"
    name: ClassVar[str] = "wrong-people-count"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text=_TWO, class_word="woman"),
        CheckInput(image_id="1", path="1.png", text=_TWO, class_word="woman", traits=_people("one other person")),
        CheckInput(image_id="1", path="1.png", text=_TWO, class_word="woman", traits=_people("alone", 0.5)),
        CheckInput(image_id="1", path="1.png", text=_TWO, class_word="couple", traits=_people("alone")),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx woman, a photo of a woman in a men's shirt, beside a poster of two men.",
            class_word="woman",
            traits=_people("alone"),
        ),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text=_TWO, class_word="woman", traits=_people("alone")),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx woman, a photo of a woman. A man is standing behind her.",
            class_word="woman",
            traits=_people("alone"),
        ),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx woman, alone on a street.",
            class_word="woman",
            traits=_people("several other people"),
        ),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place."""
        fact = item.traits.get("people")
        known = totals(fact.value) if fact is not None and trusted(fact) else None
        if fact is None or known is None:
            return
        for said in counted(item.text, item.class_word):
            if not said.fits(known):
                much = f"at least {said.least}" if said.most == MANY else str(said.least)
                others = (
                    "the subject is alone" if fact.value == "alone" else f"there is {fact.value} besides the subject"
                )
                yield issue(
                    self,
                    item,
                    f"says {quoted(item.text, said.start, said.end)}, so {much} in all, but {others}: "
                    "correct the caption, or the fact if the caption is right",
                    span=(said.start, said.end),
                )
