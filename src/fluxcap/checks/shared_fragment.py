"""CAP034."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.around import Around, Sibling
from fluxcap.checks.fragments import longest, shared
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import quoted
from fluxcap.types import Issue, Severity


def _set(*texts: str) -> CheckInput:
    around = Around([Sibling(image_id=str(n), path=f"{n}.png", text=text) for n, text in enumerate(texts)])
    return CheckInput(image_id="0", path="0.png", trigger="ohwx", class_word="woman", text=texts[0], around=around)


_PLACES = ("in a park", "on a beach", "at a desk", "by a window", "under a tree")
_BOILERPLATE = "Highly detailed, professional photography."


class SharedFragment:
    """Caption with words that stand in nearly all captions of the set.

    What it does:
        Looks for the longest run of words (three or more) that at least 80 % of the captions share, and at least four. Words
        of the template do not count: trigger word, class word, grammar, and what fluxcap's own captions of this set share.
    Why is this bad:
        What is in every caption cannot be told from the trigger word: the LoRA learns the look under both, and the trigger
        word alone gives less of it. A set whose captions all repeated the person's looks gave a stranger without them.
    Example:
        ohwx woman, in a park. Highly detailed, professional photography. (and so on in every caption)
    Use instead:
        ohwx woman, in a park.
    """

    code: ClassVar[str] = "CAP034"
    name: ClassVar[str] = "shared-fragment"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _set(*(f"ohwx woman, a photo of a woman {place}." for place in _PLACES)),
        _set(*(f"ohwx woman {place}. {_BOILERPLATE}" for place in _PLACES[:3])),
        CheckInput(image_id="0", path="0.png", text=f"ohwx woman. {_BOILERPLATE}"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _set(*(f"ohwx woman {place}. {_BOILERPLATE}" for place in _PLACES)),
        _set(*(f"ohwx woman, with a gentle elfin look, {place}." for place in _PLACES)),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue at the longest such run."""
        if item.around is None:
            return
        found = longest(item.text, shared(item.around, f"{item.trigger} {item.class_word}"))
        if found is None:
            return
        start, end, number = found
        yield issue(
            self,
            item,
            f"says {quoted(item.text, start, end)} as {number} of the {len(item.around.pictures)} captions do: leave it out, "
            "since what all captions say cannot be told from the trigger word",
            span=(start, end),
            fix=_without(item.text, start, end),
        )


def _without(text: str, start: int, end: int) -> str | None:
    """The text without a whole sentence, or without whole pieces between commas; None where it is neither."""
    before, after = text[:start].rstrip(), text[end:].lstrip()
    if not before or before[-1] not in ".!?;," or (after and after[0] not in ".!?;,"):
        return None
    if before[-1] == ",":
        return before[:-1] + after
    return f"{before} {after[1:].lstrip()}".rstrip()
