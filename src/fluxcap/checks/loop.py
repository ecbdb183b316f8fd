"""CAP018."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.talk import cut, plain, repeats
from fluxcap.types import Issue, Severity


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Loop:
    """Caption that says the same again.

    What it does:
        Looks for words, phrases and pieces of a list that come twice in a row or again, for sentences that say what one
        before them said, and for lists that go on with one word. The limits are in ``data/talk.toml``, table ``loop``.
    Why is this bad:
        What is said twice weighs more than the rest, and a caption of a model that went round in circles leaves out what it
        had not come to.
    Example:
        ohwx, a photo of a woman in a red dress, in a red dress. She is smiling. She is smiling.
    Use instead:
        ohwx, a photo of a woman in a red dress. She is smiling.
    """

    code: ClassVar[str] = "CAP018"
    name: ClassVar[str] = "loop"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in black and black. She is with a dog, with a cat. She is wearing a hat."),
        _item("ohwx. Her mouth is open. Her eyes are open. She is standing side by side with her sister."),
        _item("ohwx, 1girl, white shirt, white skirt, white socks, looking at viewer"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of the the woman."),
        _item("ohwx, a photo of a woman in a red dress, in a red dress."),
        _item("ohwx. She is smiling. Her eyes are open. She is smiling."),
        _item("ohwx. She stands on a wide beach with a dog. She is standing on the wide beach with her dog."),
        _item("ohwx, soft lighting, front view, soft lighting"),
        _item("ohwx in front of trees and trees and trees and trees."),
        _item("ohwx with long hairhairhairhair."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each repeat; the mend leaves the first of each, where nothing is lost by that."""
        if not has_words(item):
            return
        found = repeats(judged(item))
        text = item.text
        for one in reversed(found):
            text = cut(text, one.start, one.end, item.trigger)
        sure = all(one.exact for one in found)
        for one in found:
            yield issue(
                self,
                item,
                f"says again what it said before ({quoted(item.text, one.start, one.end)}): say it once",
                span=(one.start, one.end),
                fix=whole(text, item, lambda text: repeats(plain(text, item.trigger))) if sure else None,
            )
