"""CAP014."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words, judged, quoted, whole
from fluxcap.talk import cut, plain, preambles
from fluxcap.types import Issue, Severity


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Preamble:
    """Caption that talks to somebody before or after it tells what is seen.

    What it does:
        Looks for answers ('Sure!'), leads ('Here is a caption:'), labels ('Caption:'), leave-taking ('Let me know if ...')
        and for anything else that is said to a reader.
    Why is this bad:
        Words that are in many captions and in no picture are learned as a part of the subject, and the tokens are lost.
    Example:
        Sure! Here is a caption for the image: ohwx, a photo of a woman in a park. Let me know if you need more detail.
    Use instead:
        ohwx, a photo of a woman in a park.
    """

    code: ClassVar[str] = "CAP014"
    name: ClassVar[str] = "preamble"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in a park. She is waving."),
        _item('ohwx in front of a sign that reads "Sure! Let me know".'),
        _item("ohwx on a bench under a clock at 10:30."),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("Sure! Here is a caption for the image: ohwx, a photo of a woman in a park."),
        _item("Caption: ohwx, a photo of a woman in a park."),
        _item('Certainly, here you go: "ohwx, a photo of a woman in a park on a sunny day, with trees and a bench."'),
        _item("ohwx, a photo of a woman in a park. Let me know if you need more detail."),
        _item("ohwx, a photo of a woman in a park. I kept it short."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend cuts all of them off."""
        if not has_words(item):
            return
        found = preambles(judged(item))
        text = item.text
        for start, end in reversed(found):
            text = cut(text, start, end, item.trigger)
        called = any(start <= place[0] < end for start, end in found for place in find(item.text, item.trigger))
        fix = None if called else whole(_unquoted(text), item, lambda text: preambles(plain(text, item.trigger)))
        for start, end in found:
            yield issue(
                self,
                item,
                f"talks to the reader ({quoted(item.text, start, end)}): leave it out, only what is seen belongs in a caption",
                span=(start, end),
                fix=fix,
            )


def _unquoted(text: str) -> str:
    """What was quoted behind a lead, without its quotes."""
    inside = text.strip()
    if len(inside) > 2 and inside[0] + inside[-1] in ('""', "“”", "''") and inside[0] not in inside[1:-1]:
        return inside[1:-1].strip()
    return text
