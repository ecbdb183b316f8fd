"""CAP006."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import listed, mentions, quoted
from fluxcap.types import Issue, Severity, Trait
from fluxcap.vocabulary import Mention, clashes, slot

CONFIDENT = 0.6
"""A fact known with less confidence contradicts nobody."""


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
        Compares what the caption says with the facts that are known well enough. Only certain contradictions count, not
        a neighbouring value or another wording.
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
            fact = item.traits.get(said.slot)
            if fact is None or fact.confidence < CONFIDENT:
                continue
            if clashes(said.slot, said.value, said.tags, fact.value, fact.tags):
                yield issue(
                    self,
                    item,
                    f"says {quoted(item.text, said.start, said.end)}, but {_source(fact)} {fact.value} "
                    f"({slot(said.slot).name}): correct the caption, or the fact if the caption is right",
                    span=(said.start, said.end),
                )


def _source(fact: Trait) -> str:
    if any(source.partition(":")[0] == "human" for source in fact.sources):
        return "a person said"
    return f"{listed(list(fact.sources))} saw" if fact.sources else "the picture shows"
