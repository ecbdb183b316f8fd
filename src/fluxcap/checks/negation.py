"""CAP017."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.talk import HIDDEN, Place, cut, first_of, plain, preambles, refusals, sentences, talk, within, words
from fluxcap.types import Issue, Severity

_SHOWN_AFTER = 40
"""Characters behind the denial in which the denied thing is looked for."""


_ASIDE = re.compile(r",( (?:is|are|has|have|stands|hangs|lies|fills)\b)")
"""What is left of two commas around an aside."""


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Negation:
    """Caption that says what is not there.

    What it does:
        Looks for 'no', 'not', 'without', 'lacks', 'nobody', 'free of', 'isn't' and the like. Legible text in quotes and names
        ('Dr. No', 'No. 5') are let be.
    Why is this bad:
        FLUX has no ear for denials: 'no glasses' is read as glasses, and ties the word to faces that have none.
    Example:
        ohwx, a photo of a woman without makeup. She is not smiling.
    Use instead:
        ohwx, a photo of a woman. Her face is bare. She has a neutral expression.
    """

    code: ClassVar[str] = "CAP017"
    name: ClassVar[str] = "negation"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item(
            "ohwx, a photo of a woman. Her face is bare. She is wearing a sleeveless dress with an unbuttoned collar."
        ),
        _item('ohwx in front of a sign that reads "No parking", with a bottle of No. 5, a knot in her scarf.'),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman without makeup."),
        _item("ohwx, a photo of a woman in a park, no glasses, soft lighting"),
        _item("ohwx, a photo of a woman. She isn't smiling. She is in a park."),
        _item("ohwx in a room devoid of furniture."),
        _item("ohwx. Nobody else is there."),
        _item("ohwx with a makeup-free face."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend leaves out what is denied where it is a clause or a sentence of its own."""
        if not has_words(item):
            return
        text = judged(item)
        found = denials(text)
        fix = whole(_affirmed(item), item, lambda text: denials(plain(text, item.trigger))) if found else None
        for start, end in found:
            yield issue(
                self,
                item,
                f"says what is not there ({quoted(item.text, start, min(len(text), _clause_end(text, end)))}): {_advice(text, end)}",
                span=(start, end),
                fix=fix,
            )


@lru_cache(maxsize=1024)
def denials(text: str) -> tuple[Place, ...]:
    """The denials of a judged text."""
    quiet = (*refusals(text), *preambles(text))
    found = [match.span() for match in talk().denial.finditer(text)]
    return tuple(place for place in first_of(found) if not within(place, quiet))


def _clause_end(text: str, place: int) -> int:
    """The end of the clause that is denied, as far as it is looked at."""
    for at in range(place, min(len(text), place + _SHOWN_AFTER)):
        if text[at] in ",.;\n":
            return at
    return min(len(text), place + _SHOWN_AFTER)


def _advice(text: str, end: int) -> str:
    denied = text[end : _clause_end(text, end)]
    for said, instead in talk().denial_instead:
        if said.search(denied):
            return f'say it positively ("{instead}"), or leave it out'
    return "say what is there instead, or leave it out"


def _affirmed(item: CheckInput) -> str:
    """The caption without denied clauses; a short sentence that only denies goes whole, but not the one with the trigger."""
    rules = talk()
    text = item.text
    for match in reversed(list(rules.denial_cut.finditer(plain(text, item.trigger)))):
        text = _ASIDE.sub(r"\1", cut(text, *match.span(), item.trigger))
    shown = plain(text, item.trigger)
    left = denials(shown)
    for start, end, ended in reversed(sentences(shown)):
        said = shown[start:end]
        only = HIDDEN not in said and len(words(said)) <= rules.denial_words and not rules.denial_keep.search(said)
        if ended and only and any(start <= place[0] < end for place in left):
            text = cut(text, start, end, item.trigger)
    return text
