"""CAP001."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.misspelt_trigger import misspelt
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words
from fluxcap.types import Issue, Severity


class MissingTrigger:
    """Caption without the trigger word.

    What it does:
        Looks for the trigger word as a whole word, written exactly as in the settings. Where it is there with a fault,
        ``misspelt-trigger`` tells.
    Why is this bad:
        What is not said is learned under the words that are said. Without the trigger word the subject goes into 'woman',
        and the trigger word learns nothing from this picture.
    Example:
        A photo of a woman in a park.
    Use instead:
        ohwx, a photo of a woman in a park.
    """

    code: ClassVar[str] = "CAP001"
    name: ClassVar[str] = "missing-trigger"
    severity: ClassVar[Severity] = "error"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="ohwx, a photo of a woman in a park."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx person", text="A photo of ohwx  person, smiling."),
        CheckInput(image_id="1", path="1.png", trigger="", text="A photo of a woman."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="Ohwx, a photo of a woman."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=" "),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="A photo of a woman in a park."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="zwk, a photo of a woman."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx person", text="ohwx, a photo of a person."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue, with the caption after a mend."""
        trigger = " ".join(item.trigger.split())
        if (
            not trigger
            or not has_words(item)
            or find(item.text, trigger)
            or misspelt(item.text, trigger, item.class_word)
        ):
            return
        yield issue(
            self,
            item,
            f'does not say the trigger word "{trigger}": put it at the start',
            fix=f"{trigger}, {item.text.lstrip()}",
        )
