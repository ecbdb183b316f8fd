"""CAP015."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.talk import HIDDEN, Place, cut, first_of, plain, preambles, refusals, sentences, talk, within, writer
from fluxcap.types import Issue, Severity, Span

_SUBJECT = re.compile(r"\b([Tt]he )(?:main |central |primary )?subject(?= (?:is|has|wears|stands|sits|looks)\b|'s\b)")


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", class_word="woman", text=text)


class TalkAboutThePicture:
    """Caption that talks about the picture, its viewer or itself, not of what is seen.

    What it does:
        Looks for 'the image shows', 'in this photo', 'we can see', 'the viewer's attention', 'the subject', 'as described'
        and the like. What the picture is ('a photo of a woman'), its framing, light and faults ('looking at viewer', 'the
        photo is grainy') and pictures that are in it ('the photo on the wall') are let be. A note where it is mild ('can be
        seen').
    Why is this bad:
        No prompt says 'the image shows'. The words cost tokens, and what all captions say about themselves is learned as if
        it were to be seen.
    Example:
        The image shows ohwx, a woman in a park. The subject is drawing the viewer's attention.
    Use instead:
        ohwx, a photo of a woman in a park.
    """

    code: ClassVar[str] = "CAP015"
    name: ClassVar[str] = "talk-about-the-picture"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item(
            "ohwx woman, a photo of a woman looking at viewer. The background is blurred. She is shown from the front."
        ),
        _item("ohwx, a photo of a woman beside the framed picture on the wall. The photo is grainy."),
        _item("ohwx facing away from the viewer, front view"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("The image shows a woman in a park."),
        _item("ohwx, in this photo we can see a woman in a park."),
        _item("ohwx in a park. The subject is smiling."),
        _item("ohwx in a park, drawing the viewer's attention to her hat."),
        _item("ohwx in a park, as described in the prompt."),
        _item("ohwx in a park. A lake can be seen behind her."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend cuts them off where the rest stays good English."""
        if not has_words(item):
            return
        defects = [(span.start, span.end) for span in item.spans or () if span.slot == "defects"]
        told, mild = _talk(judged(item))
        told = tuple(place for place in told if not _touches(place, item.spans or ()))
        fix = (
            whole(_mended(item), item, lambda text: _talk(plain(text, item.trigger))[0])
            if told and not defects
            else None
        )
        for start, end in told:
            yield issue(
                self,
                item,
                f"talks about the picture ({quoted(item.text, start, end)}): say only what is seen in it",
                span=(start, end),
                fix=fix,
            )
        for start, end in mild:
            yield issue(
                self,
                item,
                f"says {quoted(item.text, start, end)}, which tells nothing that is seen: a plainer sentence does without",
                severity="note",
                span=(start, end),
            )


@lru_cache(maxsize=1024)
def _talk(text: str) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """The places of talk in a judged text, and the mild ones."""
    rules = talk()
    quiet = (*refusals(text), *preambles(text))
    told = [_trimmed(text, match) for match in rules.told.finditer(text)]
    mild = [match.span() for match in rules.mild.finditer(text)]
    for start, end, _ in sentences(text):
        for who in (writer(text, start, end), rules.second.search(text, start, end)):
            if who is not None and not rules.thinks.search(text, start, end):
                seen = rules.sees.search(text, who.end(), end)
                told.append((who.start(), seen.end() if seen else who.end()))
    told = [place for place in first_of(told) if not within(place, quiet) and place not in mild]
    inside = [*told, *quiet]
    return tuple(told), tuple(place for place in mild if not any(a < place[1] and place[0] < b for a, b in inside))


def _trimmed(text: str, match: re.Match[str]) -> Place:
    said = match[0]
    return match.start() + len(said) - len(said.lstrip(" .,;:!?\n(")), match.start() + len(said.rstrip(" ,;:("))


def _touches(place: Place, spans: tuple[Span, ...]) -> bool:
    """Whether fluxcap said so itself: 'The image has a watermark'."""
    return any(span.slot == "defects" and span.start < place[1] and place[0] < span.end for span in spans)


def _mended(item: CheckInput) -> str:
    """The caption without what can be cut; 'the subject' is called by the class word."""
    rules = talk()
    text = item.text
    for pattern in rules.cut:
        for match in reversed(list(pattern.finditer(plain(text, item.trigger)))):
            text = cut(text, *match.span(), item.trigger)
    shown = plain(text, item.trigger)
    told, _ = _talk(shown)
    for start, end, ended in reversed(sentences(shown)):
        said = shown[start:end]
        only = HIDDEN not in said and (ended or "," not in said)
        if only and rules.about.search(said) and any(start <= place[0] < end for place in told):
            text = cut(text, start, end, item.trigger)
    if item.class_word:
        text = _SUBJECT.sub(lambda match: match[1] + item.class_word, text)
    return text
