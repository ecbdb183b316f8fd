"""CAP007."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import quoted
from fluxcap.tokens import Count
from fluxcap.types import Issue, Severity

_SHOWN = 4
"""Words of the lost text that a message shows."""


def _item(encoder: str, tokens: int, limit: int, severity: Severity, *, exact: bool = True) -> CheckInput:
    count = Count(
        encoder=encoder,
        name=encoder.upper(),
        tokens=tokens,
        limit=limit,
        exact=exact,
        truncated_at=19 if tokens > limit else None,
        severity=severity,
    )
    return CheckInput(image_id="1", path="1.png", text="ohwx, a photo of a woman in a park.", counts=(count,))


class TooManyTokens:
    """Caption that is longer than a text encoder reads.

    What it does:
        Compares the caption's tokens with the limit of each text encoder of the target. An error where the end of the
        text is lost; a warning where that is only an estimate (≈); a note for CLIP, of which FLUX.1 takes one summary of
        the whole text while T5 reads the rest.
    Why is this bad:
        What is cut off is not said: it goes to the trigger word.
    Example:
        A caption with 600 T5 tokens, where 512 are read.
    Use instead:
        One that says the same in fewer words, without the background's details.
    """

    code: ClassVar[str] = "CAP007"
    name: ClassVar[str] = "too-many-tokens"
    severity: ClassVar[Severity] = "error"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("clip", 77, 77, "note"),
        _item("t5", 512, 512, "error"),
        CheckInput(image_id="1", path="1.png", text="ohwx"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("clip", 78, 77, "note"),
        _item("t5", 513, 512, "error"),
        _item("t5", 600, 512, "error", exact=False),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each encoder, at the text that it loses."""
        for count in item.counts:
            if count.tokens > count.limit:
                start = _word_start(item.text, count.truncated_at)
                yield issue(
                    self,
                    item,
                    _message(item.text, start, count),
                    severity="warning" if count.severity == "error" and not count.exact else count.severity,
                    span=None if start is None else (start, len(item.text)),
                )


def _message(text: str, start: int | None, count: Count) -> str:
    about = "" if count.exact else "≈ "
    over = count.tokens - count.limit
    size = f"has {about}{count.tokens} {count.name} tokens, {about}{over} more than the {count.limit} that are read"
    lost = "" if start is None else f"; lost from {_beginning(text, start)} on"
    if count.severity == "note":
        clip = ", FLUX.1 takes only a summary of the text from CLIP" if count.encoder == "clip" else ""
        return f"{size}{lost}: may stay so{clip}"
    return f"{size}{lost}: say it in fewer words"


def _word_start(text: str, at: int | None) -> int | None:
    """The start of the word at this place: a token may begin inside a word."""
    if at is None or not 0 <= at < len(text):
        return None
    head = re.search(r"[\w'-]*\Z", text[:at]) if re.match(r"[\w'-]", text[at]) else None
    return head.start() if head else at


def _beginning(text: str, start: int) -> str:
    words = re.match(rf"\s*(?:\S+\s*){{1,{_SHOWN}}}", text[start:])
    return quoted(text, start, start + (words.end() if words else 0))
