"""CAP003."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find
from fluxcap.types import Issue, Severity


class RepeatedTrigger:
    """Trigger word that is said more than once.

    What it does:
        Counts the trigger word in a caption. A trigger word that is part of the class word is let be.
    Why is this bad:
        The subject is then tied to several words at once, and a prompt that says the trigger word once asks for less than
        was trained. It costs tokens, too.
    Example:
        ohwx, a photo of a woman. ohwx is wearing a red coat.
    Use instead:
        ohwx, a photo of a woman. She is wearing a red coat.
    """

    code: ClassVar[str] = "CAP003"
    name: ClassVar[str] = "repeated-trigger"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(
            image_id="1", path="1.png", trigger="ohwx", text="ohwx, a photo of a woman. She is wearing a red coat."
        ),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="ohwx holding an ohwxy."),
        CheckInput(image_id="1", path="1.png", trigger="cat", class_word="cat", text="cat, a photo of a cat."),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(
            image_id="1", path="1.png", trigger="ohwx", text="ohwx, a photo of a woman. ohwx is wearing a red coat."
        ),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue at the trigger word's second place."""
        places = find(item.text, item.trigger)
        if len(places) < 2 or find(item.class_word, item.trigger, any_case=True):
            return
        trigger = " ".join(item.trigger.split())
        instead = f'"the {item.class_word}" or a pronoun' if item.class_word else "a pronoun"
        yield issue(
            self,
            item,
            f'says the trigger word "{trigger}" {len(places)} times: keep the first one, after it say {instead}',
            span=places[1],
        )
