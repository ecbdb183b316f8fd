"""CAP027."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words, judged, quoted
from fluxcap.talk import Place, first_of, sentences, talk
from fluxcap.types import Issue, Severity


def _item(text: str, preset: str = "style") -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="inkwash", class_word="", text=text, preset=preset)


class StyleWords:
    """Caption of a style's set with words for the style.

    What it does:
        With the preset ``style``, looks for words of medium, style, technique, colour grade and artists. The trigger word and
        the class word do not count, nor does a picture that is a thing in the picture ('a painting on the wall').
    Why is this bad:
        What is said is learned under its own words. With 'watercolor' in the captions the trigger word does not learn the
        watercolor, and every prompt has to ask for it again.
    Example:
        inkwash, a watercolor painting of a bridge in muted tones, loose brushwork
    Use instead:
        inkwash, a bridge over a river
    """

    code: ClassVar[str] = "CAP027"
    name: ClassVar[str] = "style-words"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item(
            "inkwash, a woman painting a fence. A painting hangs on the wall. She is holding a pencil and a sketchbook."
        ),
        _item("inkwash, a watercolor painting of a bridge", preset="person"),
        _item("inkwash, a red bridge over a river in the evening, a woman with long hair, from above"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("inkwash, a watercolor painting of a bridge"),
        _item("inkwash, a bridge in the style of Hokusai"),
        _item("inkwash, a bridge with loose brushwork, muted tones and thick outlines"),
        _item("inkwash, a bridge, impressionism, cel-shaded"),
        _item("inkwash, a photo of a bridge, film grain, teal and orange"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place."""
        if item.preset != "style" or not has_words(item):
            return
        text = judged(item)
        for start, end in find(text, item.class_word, any_case=True):
            text = text[:start] + "·" * (end - start) + text[end:]
        for start, end in _style(text):
            yield issue(
                self,
                item,
                f"says {quoted(item.text, start, end)}, which is the style itself: leave it out, so that the trigger word learns it",
                span=(start, end),
            )


@lru_cache(maxsize=1024)
def _style(text: str) -> tuple[Place, ...]:
    """The words for the style in a judged text."""
    rules = talk()
    found = [match.span() for match in (*rules.style.finditer(text), *rules.style_always.finditer(text))]
    opening = min((sentence.end for sentence in sentences(text)), default=0)
    for match in _medium().finditer(text):
        heads = match["head"] is not None
        if heads and (match.start() > opening or text.count(",", 0, match.start()) > 1):
            continue
        start, end = match.span("head" if heads else "tag")
        if not rules.thing_before.search(_clause_before(text, start)):
            found.append((start, end))
    return tuple(place for place in first_of(found) if not _is_thing(text, *place))


def _is_thing(text: str, start: int, end: int) -> bool:
    """Whether what is named is something in the picture: it hangs there, or somebody holds or makes it."""
    rules = talk()
    if rules.thing_behind.match(text[end:].lstrip()):
        return True
    said = text[start:end]
    if rules.thing_noun.search(said) is None:
        return False
    return rules.thing_held.search(_clause_before(text, start) + said) is not None


def _clause_before(text: str, place: int) -> str:
    """What stands before this place in its clause."""
    return re.split(r"[.;,]", text[:place])[-1]


@lru_cache(maxsize=1)
def _medium() -> re.Pattern[str]:
    """A medium that is what the picture is: before 'of' in the opening, or a piece between commas of its own."""
    medium = rf"(?:[\w-]+ ){{0,3}}?(?:{talk().style_medium})"
    return re.compile(
        rf"(?<![\w-])(?P<head>{medium})(?= (?:of|showing|depicting|featuring|portraying)\b)"
        rf"|(?:(?<=^)|(?<=[,.;] ))(?P<tag>{medium})(?=\s*(?:[,.;]|$))",
        re.IGNORECASE,
    )
