"""CAP016."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.english import article
from fluxcap.talk import Place, first_of, plain, preambles, refusals, talk, within
from fluxcap.types import Issue, Severity


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Hedge:
    """Caption that leaves open what is seen.

    What it does:
        Looks for 'appears to be', 'possibly', 'might be', 'some kind of', 'suggesting', 'or' and the like.
    Why is this bad:
        A text encoder has no doubts: 'possibly a wig' is a wig, 'jeans or leggings' are both. What is guessed is wrong often
        enough to teach words their wrong meaning.
    Example:
        ohwx, a photo of a woman in what appears to be a park, possibly in autumn.
    Use instead:
        ohwx, a photo of a woman in a park in autumn.
    """

    code: ClassVar[str] = "CAP016"
    name: ClassVar[str] = "hedge"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in a park in autumn. She looks surprised."),
        _item('ohwx with a bucket that says "Trick or Treat", with a lamp on either side.'),
        _item("ohwx, red hair, looking at viewer, a door appears behind her"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in what appears to be a park."),
        _item("ohwx, a photo of a woman, possibly in autumn."),
        _item("ohwx. Her coat might be of wool, suggesting a cold day."),
        _item("ohwx wearing jeans or leggings and some kind of hat."),
        _item("ohwx. It seems that she is tired."),
        _item("ohwx with dark hair (dyed?)."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend takes all of them out where the rest stays good English."""
        if not has_words(item):
            return
        found = _hedges(judged(item))
        fix = whole(_settled(item), item, lambda text: _hedges(plain(text, item.trigger))) if found else None
        for start, end in found:
            yield issue(
                self,
                item,
                f"leaves it open ({quoted(item.text, start, end)}): say what is seen, or leave it out",
                span=(start, end),
                fix=fix,
            )


@lru_cache(maxsize=1024)
def _hedges(text: str) -> tuple[Place, ...]:
    """The hedges of a judged text."""
    quiet = (*refusals(text), *preambles(text))
    rules = talk()
    found = [match.span() for match in rules.hedge.finditer(text) if match[0].strip()]
    found += [match.span() for pattern in (rules.hedge_said, rules.thinks) for match in pattern.finditer(text)]
    return tuple(place for place in first_of(found) if not within(place, quiet))


def _settled(item: CheckInput) -> str:
    """The caption without its hedges, as far as that is a matter of words."""
    text = item.text
    for mend in talk().hedge_mends:
        for match in reversed(list(mend.of.finditer(plain(text, item.trigger)))):
            before, after = text[: match.start()], text[match.end() :]
            many = re.search(r"(?:\b(?:they|these|those)|\w[^s\W]s)\s*$", before, re.IGNORECASE) is not None
            said = mend.to.replace("{b}", "are" if many else "is").replace("{h}", "have" if many else "has")
            if said == "a ":
                said = article(" ".join(after.split()[:4]).rstrip(".,;:"))
            text = _joined(before, said, after)
    return text


def _joined(before: str, said: str, after: str) -> str:
    """The two sides with what is said between them; the article before, the blanks and the capital fit again."""
    if not said:
        before, after = before.rstrip(), after.lstrip()
        after = after if not after or after[0] in ".,;:!?)" or not before else f" {after}"
        if not before or before[-1] in ".!?":
            after = re.sub(r"^(\W*)(\w)", lambda match: match[1] + match[2].upper(), after.lstrip(" ,"))
            after = f" {after}" if before else after
        if found := re.search(r"\b(an?)$", before, re.IGNORECASE):
            right = article(" ".join(after.split()[:3]).rstrip(".,;:")).strip()
            if right and right != found[1].lower():
                before = before[: found.start()] + (right.capitalize() if found[1][0].isupper() else right)
    elif not before.strip() or before.rstrip()[-1:] in ".!?":
        said = said[:1].upper() + said[1:]
    return f"{before}{said}{after}"
