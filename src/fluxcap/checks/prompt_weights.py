"""CAP022."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, quoted, whole
from fluxcap.talk import Place, cut, first_of, plain, talk
from fluxcap.types import Issue, Severity

_STRANGE = re.compile(r"[()\[\]{}<>:|^\\_+=]|--|[—–]|\b(?:BREAK|AND)\b|\b(?i:seed|cfg|clip skip)\b")
"""Without one of these a caption holds no sign of a prompt language."""


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class PromptWeights:
    """Caption with signs of a prompt language.

    What it does:
        Looks for weights ('(red dress:1.3)', '((smile))', '[hat]'), LoRA calls, 'BREAK', options ('--ar 3:2'), choices
        ('{a|b}') and generation settings. Ordinary brackets '(seen from behind)' are let be.
    Why is this bad:
        Programs that make pictures take these signs out before a text encoder sees them; trainers do not. The encoders read
        colons, digits and brackets as words.
    Example:
        ohwx, (red dress:1.3), ((smile)), <lora:detail:0.8> --ar 3:2
    Use instead:
        ohwx, red dress, smile
    """

    code: ClassVar[str] = "CAP022"
    name: ClassVar[str] = "prompt-weights"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman (seen from behind), at 10:30, fate_(series), :), a ratio of 3:2"),
        _item("ohwx, a well-known singer -- in a park, waving and smiling"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, (red dress:1.3), smile"),
        _item("ohwx, ((smile)), [hat], {coat}"),
        _item("ohwx, a photo of a woman <lora:detail:0.8>"),
        _item("ohwx, a photo of a woman BREAK in a park --ar 3:2 --v 6"),
        _item("ohwx in a {park|garden}"),
        _item("ohwx, red dress::2 smile++"),
        _item("[trigger], a photo of a woman in a park"),
        _item("ohwx, (red dress), long hair, smile, park, (standing)"),
        _item("ohwx, a photo of a woman. Steps: 20, Sampler: Euler a, CFG scale: 7"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend leaves the plain words."""
        if not has_words(item):
            return
        found = _weights(plain(item.text, item.trigger, signs=True))
        fix = (
            whole(_without(item), item, lambda text: _weights(plain(text, item.trigger, signs=True))) if found else None
        )
        for start, end in found:
            yield issue(
                self,
                item,
                f"holds a sign of a prompt language ({quoted(item.text, start, end)}): trainers read it as text",
                span=(start, end),
                fix=fix,
            )


@lru_cache(maxsize=1024)
def _weights(text: str) -> tuple[Place, ...]:
    if not _STRANGE.search(text):
        return ()
    found = [match.span() for rule in talk().weights for match in rule.of.finditer(text)]
    if text.count(",") >= talk().weights_pieces:
        found += [match.span() for match in talk().weights_piece.finditer(text)]
    return tuple(first_of(found))


def _without(item: CheckInput) -> str | None:
    """The caption without these signs; a choice is the person's."""
    text = item.text
    if any(rule.to is None and rule.of.search(plain(text, item.trigger, signs=True)) for rule in talk().weights):
        return None
    for _ in range(3):
        for rule in talk().weights:
            for match in reversed(list(rule.of.finditer(plain(text, item.trigger, signs=True)))):
                if rule.to == "":
                    text = cut(text, *match.span(), item.trigger)
                elif rule.to is not None:
                    said = rule.to.replace("{t}", item.trigger)
                    said = text[slice(*match.span(1))] if said == r"\1" else said
                    text = text[: match.start()] + said + text[match.end() :]
    if item.text.count(",") >= talk().weights_pieces:
        text = talk().weights_piece.sub(r" \1", text)
    return re.sub(r"(?:\s*,){2,}", ",", re.sub(r" {2,}", " ", text)).strip(" ,")
