"""CAP030."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.turning import turned
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import quoted
from fluxcap.types import Issue, Severity, Trait
from fluxcap.vocabulary import trusted

_OTHER = {"left": "right", "right": "left"}


def _view(value: str, confidence: float = 0.9) -> dict[str, Trait]:
    trait = Trait(image_id="1", slot="view", value=value, tags=(), confidence=confidence, sources=("measure:embedded",))
    return {"view": trait}


_LEFT = "ohwx woman, a photo of a woman, three-quarter view facing left"


class SwappedSides:
    """Caption that turns the subject to the other side.

    What it does:
        Reads which way the caption says that the subject faces, left or right as the viewer sees it, and compares it with
        the known view. 'To her left', what she looks at, and hands and arms are let be.
    Why is this bad:
        Vision models mix left and right up. If half of the captions do, the LoRA learns that the words mean nothing, and
        no prompt turns the head any more.
    Example:
        ohwx, a photo of a woman, facing left (and she faces right)
    Use instead:
        ohwx, a photo of a woman, facing right
    """

    code: ClassVar[str] = "CAP030"
    name: ClassVar[str] = "swapped-sides"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text=_LEFT),
        CheckInput(image_id="1", path="1.png", text=_LEFT, traits=_view("profile left")),
        CheckInput(image_id="1", path="1.png", text=_LEFT, traits=_view("front")),
        CheckInput(image_id="1", path="1.png", text=_LEFT, traits=_view("three-quarter right", 0.4)),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx woman, a cup in her right hand, looking to the right, her eyes turned right",
            traits=_view("profile left"),
        ),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text=_LEFT, traits=_view("three-quarter right")),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx woman, her face turned to the right.",
            traits=_view("three-quarter left"),
        ),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; its fix exchanges the sides at all of them."""
        fact = item.traits.get("view")
        if fact is None or not trusted(fact):
            return
        side = next((side for side in _OTHER if side in fact.value.split()), "")
        wrong = [said for said in turned(item.text) if side and said.side != side]
        mended = item.text
        for said in reversed(wrong):
            start, end = said.word
            mended = mended[:start] + _like(mended[start:end], side) + mended[end:]
        for said in wrong:
            yield issue(
                self,
                item,
                f"says {quoted(item.text, said.start, said.end)}, but the picture shows {fact.value} (left and right as "
                "the viewer sees them): exchange the sides, or correct the fact",
                span=(said.start, said.end),
                fix=mended,
            )


def _like(word: str, other: str) -> str:
    return other.upper() if word.isupper() else other.capitalize() if word[0].isupper() else other
