"""CAP002."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, is_first
from fluxcap.types import Issue, Severity


class TriggerNotFirst:
    """Trigger word that is not the first word.

    What it does:
        Looks for words before the trigger word.
    Why is this bad:
        Trainers that shuffle or drop parts of a caption keep its beginning, and text that is too long is cut at its end. A
        word that stands at one place in all captions is learned fastest.
    Example:
        In a park, ohwx is sitting on a bench.
    Use instead:
        ohwx, sitting on a bench in a park.
    """

    code: ClassVar[str] = "CAP002"
    name: ClassVar[str] = "trigger-not-first"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="ohwx, sitting on a bench in a park."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=' "ohwx" on a bench.'),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="A woman on a bench."),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="In a park, ohwx is sitting on a bench."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="ohwxy and ohwx on a bench."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue at the trigger word's first place."""
        places = find(item.text, item.trigger)
        if places and not is_first(item.text, places[0][0]):
            trigger = " ".join(item.trigger.split())
            yield issue(
                self, item, f'says other words before the trigger word "{trigger}": start with it', span=places[0]
            )
