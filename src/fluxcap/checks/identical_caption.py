"""CAP032."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.around import Around, Sibling, plain
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, listed
from fluxcap.types import Issue, Severity

_SHOWN = 3
"""So many other pictures a message names."""


def _pair(text: str, *composed: str) -> tuple[CheckInput, ...]:
    around = Around(
        [
            Sibling(image_id=str(number), path=f"{number}.png", text=text, composed=one)
            for number, one in enumerate(composed)
        ]
    )
    return tuple(
        CheckInput(
            image_id=one.image_id,
            path=one.path,
            text=text,
            trigger="ohwx",
            class_word="woman",
            to_say=frozenset({"setting"}),
            composed=one.composed,
            around=around,
        )
        for one in around.pictures.values()
    )


_PARK, _BEACH = "ohwx woman, in a park.", "ohwx woman, on a beach."


class IdenticalCaption:
    """Caption that stands beside several pictures.

    What it does:
        Compares the captions of the set, without signs and capital letters. A warning where the pictures are known to
        differ; a note where fluxcap itself would write the same for them, since nothing that is known tells them apart. Not
        where the plan says nothing but trigger word and class word.
    Why is this bad:
        What differs between the pictures is then said in none of them, and goes to the trigger word. Mostly a file was
        copied by mistake.
    Example:
        1.txt and 2.txt: ohwx woman, in a park. (and 2.png shows her on a beach)
    Use instead:
        1.txt: ohwx woman, in a park. 2.txt: ohwx woman, on a beach.
    """

    code: ClassVar[str] = "CAP032"
    name: ClassVar[str] = "identical-caption"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", text=_PARK),
        *_pair("ohwx woman", "ohwx woman")[:1],
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (*_pair(_PARK, _PARK, _BEACH), *_pair(_PARK, _PARK, _PARK))

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue, which names others that have it."""
        if item.around is None or not has_words(item) or not item.to_say - {"trigger", "subject"}:
            return
        others = [one for one in item.around.by_text.get(plain(item.text), ()) if one.path != item.path]
        if not others:
            return
        differing = [one for one in others if plain(one.composed) != plain(item.composed)]
        names = [one.path for one in differing or others]
        shown = names if len(names) <= _SHOWN else [*names[: _SHOWN - 1], f"{len(names) - _SHOWN + 1} more"]
        told = f"is also the caption of {listed(shown)}"
        if differing:
            yield issue(self, item, f"{told}, and the pictures differ: say what each of them shows")
        else:
            message = f"{told}, and nothing that is known tells the pictures apart: drop one, or say what differs"
            yield issue(self, item, message, severity="note")
