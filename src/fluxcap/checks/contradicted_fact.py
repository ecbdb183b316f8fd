"""CAP006."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import listed, mentions, quoted
from fluxcap.english import spoken
from fluxcap.types import Issue, Severity, Trait
from fluxcap.vocabulary import Mention, slot, speaks_against


def _front(confidence: float) -> dict[str, Trait]:
    trait = Trait(
        image_id="1",
        slot="view",
        value="front",
        tags=("straight-on",),
        confidence=confidence,
        sources=("measure:embedded",),
    )
    return {"view": trait}


_BEHIND = "ohwx, a photo of a woman. from behind"
_BACK = (Mention(slot="view", value="back", tags=("from_behind",), start=26, end=37),)


class ContradictedFact:
    """Caption that says what the picture does not show.

    What it does:
        Compares what the caption says with the facts that are known well enough (0.6 confidence). Only certain
        contradictions count, not a neighbouring value or another wording: another listed value, words of one dimension
        that cannot mean the same (``data/against.toml``: colours, lengths, places, expressions ...), a garment that has no
        place among those known. How many people there are and left and right are checks of their own.
    Why is this bad:
        A wrong caption teaches the wrong meaning of its words: 'from behind' over faces makes 'from behind' show faces.
    Example:
        ohwx, a photo of a woman. from behind (and the picture shows her face)
    Use instead:
        ohwx, a photo of a woman. front view
    """

    code: ClassVar[str] = "CAP006"
    name: ClassVar[str] = "contradicted-fact"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text=_BEHIND, mentions=_BACK),
        CheckInput(image_id="1", path="1.png", text=_BEHIND, mentions=_BACK, traits=_front(0.5)),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx, front view",
            mentions=(Mention(slot="view", value="front", tags=("straight-on",), start=6, end=16),),
            traits=_front(0.9),
        ),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text=_BEHIND, mentions=_BACK, traits=_front(0.9)),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place."""
        for said in mentions(item):
            if said.slot == "people":
                continue
            fact = speaks_against(said, item.traits)
            if fact is None or (said.slot == "view" and _is_the_other_side(said, fact)):
                continue
            yield issue(
                self,
                item,
                f"says {quoted(item.text, said.start, said.end)}, but {_source(fact)} {spoken(fact.value)} "
                f"({slot(fact.slot).name}): correct the caption, or the fact if the caption is right",
                span=(said.start, said.end),
            )


def _is_the_other_side(said: Mention, fact: Trait) -> bool:
    """Whether only left and right are exchanged, which ``swapped-sides`` tells."""
    one, other = said.value.split()[-1], fact.value.split()[-1]
    return {one, other} == {"left", "right"}


def _source(fact: Trait) -> str:
    if any(source.partition(":")[0] == "human" for source in fact.sources):
        return "a person said"
    return f"{listed(list(fact.sources))} saw" if fact.sources else "the picture shows"
