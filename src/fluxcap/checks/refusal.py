"""CAP013."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.talk import cut, plain, refusals, talk, words
from fluxcap.types import Issue, Severity


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Refusal:
    """Caption in which a model refuses, or a failure is reported.

    What it does:
        Looks for sentences of somebody who writes and cannot, will not or must not, for talk of policies and guidelines, and
        for messages of failure.
    Why is this bad:
        The picture is trained under an excuse: its words are tied to what is seen, and what is seen has no name.
    Example:
        ohwx, I'm sorry, but I can't help with identifying people in images.
    Use instead:
        ohwx, a photo of a woman in a red coat.
    """

    code: ClassVar[str] = "CAP013"
    name: ClassVar[str] = "refusal"
    severity: ClassVar[Severity] = "error"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman who is touching her toes at a help desk."),
        _item('ohwx, her T-shirt says "Sorry, I can\'t".'),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("I'm sorry, but I can't help with that."),
        _item("ohwx, describing this person would violate our content policy."),
        _item("Error: the request timed out."),
        _item("ohwx, a photo of a woman in a red coat on a bench. I am unable to identify the person. soft lighting"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each sentence; where enough else is said, the mend leaves them out."""
        if not has_words(item):
            return
        found = refusals(judged(item))
        text = item.text
        for start, end in reversed(found):
            text = cut(text, start, end, item.trigger)
        enough = len(words(plain(text, item.trigger))) >= talk().short
        for start, end in found:
            yield issue(
                self,
                item,
                f"refuses, or reports a failure ({quoted(item.text, start, end)}): write the caption, or delete the file and "
                "let fluxcap compose it",
                span=(start, end),
                fix=whole(text, item, lambda text: refusals(plain(text, item.trigger))) if enough else None,
            )
