"""CAP009."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words
from fluxcap.types import Issue, Severity


class LineBreakInCaption:
    """Caption of more than one line.

    What it does:
        Looks for line breaks of any kind before the last word. The one that ends the file does not count.
    Why is this bad:
        Some trainers read the first line only, some take each line for a caption of its own and draw one by lot.
    Example:
        ohwx, a photo of a woman.
        She is sitting in a park.
    Use instead:
        ohwx, a photo of a woman. She is sitting in a park.
    """

    code: ClassVar[str] = "CAP009"
    name: ClassVar[str] = "line-break-in-caption"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text="ohwx, a photo of a woman. She is sitting in a park."),
        CheckInput(image_id="1", path="1.png", text="ohwx, a photo of a woman.\n"),
        CheckInput(image_id="1", path="1.png", text="\n"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text="ohwx, a photo of a woman.\nShe is sitting in a park."),
        CheckInput(image_id="1", path="1.png", text="ohwx, a photo of a woman.\r\n\r\nShe is sitting."),
        CheckInput(image_id="1", path="1.png", text="\nohwx, a photo of a woman."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue at the first break, with the lines joined by a space."""
        lines = item.text.rstrip().splitlines(keepends=True)
        if len(lines) < 2 or not has_words(item):
            return
        start = len(lines[0].splitlines()[0])
        yield issue(
            self,
            item,
            f"has {len(lines)} lines, and some trainers read only the first: write it on one line",
            span=(start, len(lines[0])),
            fix=" ".join(part for line in lines if (part := line.strip())),
        )
