"""CAP008."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words
from fluxcap.types import Issue, Severity


class EmptyCaption:
    """Caption without a word.

    What it does:
        Looks for a letter or a digit, or the trigger word.
    Why is this bad:
        Some trainers stop at an empty caption, others train the picture without any word: it then changes what the base
        model draws when nothing is asked for, and the trigger word learns nothing.
    Example:
        (an empty file)
    Use instead:
        ohwx, a photo of a woman.
    """

    code: ClassVar[str] = "CAP008"
    name: ClassVar[str] = "empty-caption"
    severity: ClassVar[Severity] = "error"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text="ohwx"),
        CheckInput(image_id="1", path="1.png", trigger="<*>", text="<*>"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=""),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=" \n\ufeff"),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=", ."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue; none of the others has anything to say then."""
        if not has_words(item):
            yield issue(self, item, "has no words: write the caption, or delete the file and let fluxcap compose it")
