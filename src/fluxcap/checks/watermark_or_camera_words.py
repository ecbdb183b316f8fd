"""CAP026."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.english import article
from fluxcap.talk import Place, cut, first_of, plain, talk, within
from fluxcap.types import Issue, Severity, Trait

_LOOKED_AT = 80
"""Characters before a camera in which somebody may hold it."""


def _item(text: str, **traits: str) -> CheckInput:
    known = {
        slot: Trait(image_id="1", slot=slot, value=value, tags=(), confidence=0.9, sources=("vision:any",))
        for slot, value in traits.items()
    }
    return CheckInput(image_id="1", path="1.png", trigger="ohwx", text=text, traits=known)


class WatermarkOrCameraWords:
    """Caption with words of watermarks, cameras or praise.

    What it does:
        Looks for watermarks, stock houses, signatures and addresses (unless the facts tell of a watermark or of text), for
        camera makes, lenses, apertures, sizes and file names, and for praise ('masterpiece', '8k', 'highly detailed').
        Framing, view, camera height, light and depth of field are no camera words; a camera that somebody holds is a thing.
    Why is this bad:
        What no picture shows is learned with the subject all the same. Words of watermarks call watermarks; praise in every
        caption is worth nothing in a prompt.
    Example:
        ohwx, a photo of a woman, 8k, masterpiece, shot on Canon EOS R5, 85mm f/1.4, shutterstock
    Use instead:
        ohwx, a photo of a woman, close-up, shallow depth of field
    """

    code: ClassVar[str] = "CAP026"
    name: ClassVar[str] = "watermark-or-camera-words"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item(
            "ohwx, close-up, from above, looking at viewer, blurry background, bokeh, low-key lighting, film grain, 1girl"
        ),
        _item("ohwx holding a vintage Leica camera, a phone in her hand, in front of a Nikon sign on a wall."[:64]),
        _item("ohwx, a photo of a woman. The image has a watermark.", defects="watermark"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx, a photo of a woman in a park, 8k, masterpiece, best quality"),
        _item("ohwx, a photo of a woman, shot on Canon EOS R5, 85mm f/1.4, ISO 100"),
        _item("ohwx, a highly detailed photo of a woman. The image has a watermark."),
        _item("ohwx in a park, shutterstock, © 2021 Jane Doe"),
        _item("ohwx in a park. Photo taken with a 50mm prime lens."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each place; the mend cuts off pieces that hold nothing else."""
        if not has_words(item):
            return
        marked = _may_be_marked(item)
        known = [(span.start, span.end) for span in item.spans or ()]
        found = [one for one in _places(judged(item), item.text, marked=marked) if not within(one, known)]
        fix = None
        if found and not known:
            fix = whole(
                _without(item, marked=marked),
                item,
                lambda text: _places(plain(text, item.trigger), text, marked=marked),
            )
        for start, end in found:
            yield issue(
                self,
                item,
                f"says {quoted(item.text, start, end)}, a word of watermarks, cameras or praise: only what is seen belongs in a caption",
                span=(start, end),
                fix=fix,
            )


def _may_be_marked(item: CheckInput) -> bool:
    """Whether the facts tell of marks or text in the picture, so that the caption may."""
    defects = item.traits.get("defects")
    return "text" in item.traits or (
        defects is not None and re.search(r"mark|logo|text|sign|stamp", defects.value) is not None
    )


@lru_cache(maxsize=1024)
def _places(text: str, raw: str, *, marked: bool) -> tuple[Place, ...]:
    rules = talk()
    found = [match.span() for match in rules.quality.finditer(text)]
    found += [match.span() for match in rules.camera.finditer(text) if not _is_held(text, *match.span())]
    if not marked:
        found += [match.span() for match in rules.marks.finditer(text)]
        found += [match.span() for match in rules.houses.finditer(raw)]
    return tuple(first_of([place for place in found if text[slice(*place)].strip()]))


def _is_held(text: str, start: int, end: int) -> bool:
    """Whether a camera is a thing in the picture: somebody holds it, or it lies there."""
    before = re.split(r"[.;,(]", text[max(0, start - _LOOKED_AT) : start])[-1]
    rules = talk()
    if rules.camera_taken.search(before):
        return False
    return bool(rules.camera_held.search(before) or rules.camera_lying.match(text, end))


def _without(item: CheckInput, *, marked: bool) -> str | None:
    """The caption without pieces between commas or full stops that hold nothing else; None where one holds more."""
    text = item.text
    places = _places(judged(item), item.text, marked=marked)
    pieces = [match.span() for match in re.finditer(r"(?:[^,;.\n]|\.(?=\S))+", judged(item))]
    for start, end in reversed(pieces):
        inside = [place for place in places if start < place[1] and place[0] < end]
        if not inside:
            continue
        left = judged(item)[start:end]
        for a, b in reversed(inside):
            left = left[: max(0, a - start)] + " " + left[max(0, b - start) :]
        if set(re.findall(r"[^\W\d_]+|·", left.lower())) <= talk().glue:
            text = cut(text, start, end, item.trigger)
        else:
            for a, b in reversed(inside):
                text = _cut_word(text, a, b)
    return text


def _cut_word(text: str, start: int, end: int) -> str:
    """Without words that only praise the noun behind them; the article before fits again."""
    if not re.match(r" (?!of\b)[a-z]", text[end:]) or not re.search(r"\b(?:an?|the|in|with) $", text[:start]):
        return text
    before, after = text[:start], text[end:].lstrip()
    if (found := re.search(r"\b(an?) $", before)) and (
        right := article(" ".join(after.split()[:3]).rstrip(".,")).strip()
    ):
        before = before[: found.start()] + right + " "
    return before + after
