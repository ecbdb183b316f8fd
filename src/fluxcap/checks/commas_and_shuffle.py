"""CAP028."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted
from fluxcap.talk import sentences
from fluxcap.types import Issue, Severity


def _item(text: str, *, shuffle: bool = True) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text, shuffle_caption=shuffle)


class CommasAndShuffle:
    """Sentence with commas where the trainer shuffles captions.

    What it does:
        With the setting ``shuffle_caption``, looks for commas inside sentences. Between the tags at the end they are right.
    Why is this bad:
        The trainer cuts at every comma and puts the pieces into another order each time: of a sentence, words stay without
        their noun or their verb, and the trigger word may come last.
    Example:
        ohwx, a photo of a woman. She is wearing a hat, a coat and boots. (with shuffle_caption = true)
    Use instead:
        (the same, with shuffling turned off in the trainer, or with keep_tokens set so that the sentences stay)
    """

    code: ClassVar[str] = "CAP028"
    name: ClassVar[str] = "commas-and-shuffle"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, 1girl, red dress, looking at viewer"),
        _item("ohwx woman. She is wearing a hat. looking at viewer, natural lighting"),
        _item("ohwx, a photo of a woman. She is wearing a hat, a coat and boots.", shuffle=False),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman. She is wearing a hat, a coat and boots. soft lighting, front view"),
        _item("ohwx woman. She is wearing a hat, a coat and boots."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue at the first comma."""
        if not item.shuffle_caption or not has_words(item):
            return
        text = judged(item)
        for start, end, ended in sentences(text):
            comma = text.find(",", start, end)
            if ended and comma >= 0:
                yield issue(
                    self,
                    item,
                    f"has a comma inside a sentence ({quoted(item.text, start, end)}), where the trainer shuffles the pieces: turn "
                    "shuffling off, or let keep_tokens hold the sentences",
                    span=(comma, comma + 1),
                )
                return
