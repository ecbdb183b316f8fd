"""CAP021."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words, quoted, whole
from fluxcap.talk import HIDDEN, plain, talk, within
from fluxcap.talk.rules import Sign
from fluxcap.types import Issue, Severity
from fluxcap.vocabulary import slots

_STRANGE = re.compile(r"[^\w ,.;'’()!?-]|[_\n]|(?:^|\s)(?:-|\(?\d{1,2}[.)])\s|--")
"""Without one of these a caption holds no markup."""

_NESTED = 3
"""So deep markup is taken off markup."""


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text)


class Markup:
    """Caption with signs for a page or a machine.

    What it does:
        Looks for Markdown, HTML, JSON, lists, links, fields with names ('Hair: long.'), code fences, a model's thoughts and
        special tokens ('<|im_end|>'). An error where software obeys the signs; tags in Danbooru's spelling are let be.
    Why is this bad:
        The encoders read asterisks and brackets as words. A special token ends the text for some of them, and a model's
        thoughts are many words about no picture.
    Example:
        **Caption** ohwx, a photo of a woman<br>- red dress<|im_end|>
    Use instead:
        ohwx, a photo of a woman in a red dress.
    """

    code: ClassVar[str] = "CAP021"
    name: ClassVar[str] = "markup"
    severity: ClassVar[Severity] = "error"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx (seen from behind), looking_at_viewer, >_<, ^_^, <3, a 5-string bass - blue, a T-shirt"),
        _item('ohwx in front of a sign: "<exit>"; soft lighting, 1.5 metres tall'),
        CheckInput(image_id="1", path="1.png", trigger="<ohwx>", text="<ohwx>, a photo of a woman."),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("**ohwx**, a photo of a woman with *long* hair"),
        _item("# ohwx\n- red dress\n- long hair"),
        _item("<p>ohwx, a photo of a woman</p>"),
        _item("<think>She may be sad.</think>ohwx, a photo of a woman."),
        _item("ohwx, a photo of a woman.<|im_end|>"),
        _item('{"caption": "ohwx, a photo of a woman."}'),
        _item("ohwx. Hair: long and blonde. Dress: red."),
        _item("```\nohwx, a photo of a woman.\n```"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each kind of sign, at its first place; the mend takes all of them off."""
        if not has_words(item):
            return
        found = _signs(item.text, item.trigger)
        fix = whole(_without(item), item, lambda text: _signs(text, item.trigger)) if found else None
        for start, end, what, grave in found:
            yield issue(
                self,
                item,
                f"holds {what} ({quoted(item.text, start, end)}): a caption is plain text",
                severity=None if grave else "warning",
                span=(start, end),
                fix=fix,
            )


@lru_cache(maxsize=1024)
def _signs(text: str, trigger: str) -> tuple[tuple[int, int, str, bool], ...]:
    """The first place of each kind of sign."""
    if not _STRANGE.search(text):
        return ()
    found: list[tuple[int, int, str, bool]] = []
    for rule in sorted(talk().markup, key=lambda rule: not rule.grave):
        if any(what == rule.what for _, _, what, _ in found):
            continue
        for match in _places(rule, text, trigger):
            start, end = match.start() + len(match[0]) - len(match[0].lstrip()), match.end()
            if start < end and not any(a < end and start < b for a, b, _, _ in found):
                found.append((start, end, rule.what, rule.grave))
                break
    fields = list(talk().field.finditer(plain(text, trigger, signs=True)))
    if len(fields) >= talk().fields and all(what != "JSON" for _, _, what, _ in found):
        found.append((*fields[0].span(), "fields with names", False))
    elif (named := _named_field().search(text)) is not None:
        found.append((*named.span("field"), "fields with names", False))
    return tuple(sorted(found))


@lru_cache(maxsize=1)
def _named_field() -> re.Pattern[str]:
    """A trait by its name in small letters where a sentence begins: 'clothing: dark suit;'."""
    names = "|".join(sorted(slot.replace("_", " ") for slot in slots()))
    return re.compile(rf"[.;!?\n]\s*(?P<field>(?:{names}|outfit|clothes|eyes)\s?[:=](?!\d))(?=\s*\w)")


def _places(rule: Sign, text: str, trigger: str) -> Iterator[re.Match[str]]:
    """Where a kind of sign stands, but for the trigger word's own signs, and for quoted text that is only shown."""
    called = find(text, trigger)
    for match in rule.of.finditer(text if rule.raw else plain(text, signs=True)):
        if not within(match.span(), called) and (rule.raw or HIDDEN not in match[0]):
            yield match


def _without(item: CheckInput) -> str:
    """The caption as plain text; that of a JSON answer is the caption in it."""
    text = _from_json(item.text)
    for _ in range(_NESTED):
        before = text
        for rule in talk().markup:
            if rule.to is not None:
                for match in reversed(list(_places(rule, text, item.trigger))):
                    text = text[: match.start()] + match.expand(rule.to) + text[match.end() :]
        if text == before:
            break
    text = re.sub(r"[ \t]{2,}", " ", text)
    return re.sub(r"\n{2,}", "\n", re.sub(r" +([,.;:!?])(?!\w)", r"\1", text)).strip(" \n,")


def _from_json(text: str) -> str:
    """The caption in a JSON answer, where there is one; else the text."""
    inside = re.search(r"\{.*\}|\[.*\]", text, re.DOTALL)
    if inside is None:
        return text
    try:
        data = json.loads(inside[0])
    except (ValueError, RecursionError):
        return text
    if isinstance(data, dict):
        lower = {str(key).lower(): value for key, value in data.items()}
        return next((lower[key] for key in talk().keys if isinstance(lower.get(key), str)), text)
    if isinstance(data, list) and data and all(isinstance(one, str) for one in data):
        return ", ".join(data)
    return text
