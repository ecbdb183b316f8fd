"""CAP024."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words
from fluxcap.talk import talk, words
from fluxcap.types import Issue, Severity
from fluxcap.vocabulary import Mention

_OPENING = frozenset({"trigger", "subject", "medium"})
"""What says nothing of this picture in particular."""

_MEDIUM = re.compile(
    r"\b(?:an? |the )?(?:[\w-]+ ){0,2}?(?:photo|photograph|picture|image|portrait|painting|drawing|render|illustration) of(?: an?| the)?\b",
    re.IGNORECASE,
)

_SHORT_TIMES = 4
"""A caption of so many times the least words is not looked at further."""

_PARK = "ohwx woman, a photo of a woman in a park."


class TooShort:
    """Caption that says next to nothing.

    What it does:
        Counts the words beside the trigger and the class word; fewer than the limit (``data/talk.toml``, table ``short``) are
        too few, unless the caption says all that the plan has to say. A note for captions of fluxcap's own. Never for the
        preset ``likeness``, which wants no more.
    Why is this bad:
        What is seen and not said goes to the trigger word: place, clothes and light come with the subject in every prompt.
    Example:
        ohwx woman, smiling.
    Use instead:
        ohwx woman, a photo of a woman in a park. She is wearing a red coat. She is smiling. front view, natural lighting
    """

    code: ClassVar[str] = "CAP024"
    name: ClassVar[str] = "too-short"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(
            image_id="1", path="1.png", trigger="ohwx", class_word="woman", text="ohwx woman", preset="likeness"
        ),
        CheckInput(image_id="1", path="1.png", text="ohwx, a photo of a woman in a red coat on a bench in a park."),
        CheckInput(
            image_id="1",
            path="1.png",
            trigger="ohwx",
            class_word="woman",
            text=_PARK,
            to_say=frozenset({"trigger", "subject", "setting"}),
            mentions=(Mention(slot="setting", value="in a park", tags=("park",), start=31, end=40),),
        ),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", trigger="ohwx", class_word="woman", text="ohwx woman, smiling."),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", class_word="woman", text=_PARK),
        CheckInput(image_id="1", path="1.png", trigger="ohwx", class_word="woman", text=_PARK, spans=()),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue, with the number of words."""
        if item.preset == "likeness" or not has_words(item):
            return
        taken = [*find(item.text, item.trigger), *find(item.text, item.class_word, any_case=True)]
        least = talk().short
        if len(words(item.text)) < _SHORT_TIMES * least:
            taken += [match.span() for match in _MEDIUM.finditer(item.text)]
        said = [word for word in words(item.text) if not any(start <= word.start < end for start, end in taken)]
        if len(said) >= least:
            return
        told = {span.slot for span in item.spans or ()} | {mention.slot for mention in item.mentions}
        to_say = item.to_say - item.silent - _OPENING
        if to_say and to_say <= told:
            return
        count = f"{len(said)} word{'' if len(said) == 1 else 's'}" if said else "nothing"
        yield issue(
            self,
            item,
            f"says {count} beside the trigger and the class word, at least {least} are wanted: tell what is seen "
            "(pose, place, clothing, light)",
            severity="note" if item.spans is not None else None,
        )
