"""CAP033."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.around import plain
from fluxcap.checks.ordering import PLACES, Part, breaks, parts
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, mentions, quoted
from fluxcap.types import Issue, Severity
from fluxcap.vocabulary import read

_NAMES = {
    "opening": "who or what it is",
    "scene": "the scene",
    "worn": "what is worn",
    "face": "the face",
    "tail": "camera and light",
}


def _item(text: str) -> CheckInput:
    return CheckInput(image_id="1", path="1.png", text=text, class_word="woman", mentions=read(text))


_OPENING = "ohwx woman, a photo of a woman with black hair."


class OrderBroken:
    """Caption whose parts stand in another order than in the rest of the set.

    What it does:
        Compares the sentences, and tags of camera and light within them, with the order of the set: who or what it is, the
        scene, what is worn, the face, camera and light. Only a clear break counts: everything in one sentence belongs
        behind everything in a later one. Where most captions of the set keep another order for two parts, that one holds.
    Why is this bad:
        In a fixed order each part is learned at its place, and a prompt written in that order says what was trained (P8).
    Example:
        ohwx woman, a photo of a woman. front view, soft lighting. She is wearing a red coat. She is in a park.
    Use instead:
        ohwx woman, a photo of a woman. She is in a park. She is wearing a red coat. front view, soft lighting
    """

    code: ClassVar[str] = "CAP033"
    name: ClassVar[str] = "order-broken"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item(f"{_OPENING} She is in a park. She is wearing a red coat. She is smiling. front view, soft lighting"),
        _item("ohwx woman, a close-up photo of a woman smiling on a beach in a red dress. She is looking down."),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item(f"{_OPENING} front view, soft lighting. She is wearing a red coat. She is in a park."),
        _item("ohwx woman. She is wearing a red coat. A photo of a woman with black hair in a park."),
        _item("full body, soft lighting, ohwx woman, a photo of a woman with black hair. She is in a park."),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue at the first part that stands too early."""
        if plain(item.text) == plain(item.composed):
            return
        said = list(mentions(item))
        found = breaks(item.text, said, item.around)
        if not found:
            return
        early, late = found[0]
        yield issue(
            self,
            item,
            f"says {_told(early, True)} ({quoted(item.text, early.start, early.end)}) before {_told(late, False)} "
            f"({quoted(item.text, late.start, late.end)}): keep the order of the set",
            span=(early.start, early.end),
            fix=_sorted(item, parts(item.text, said)),
        )


def _told(part: Part, last: bool) -> str:
    return _NAMES[PLACES[max(part.places) if last else min(part.places)]]


def _sorted(item: CheckInput, told: list[Part]) -> str | None:
    """The sentences in their order, where each speaks of one place and can stand alone; None where it takes more than moving them."""
    pieces = [item.text[part.start : part.end].strip() for part in told]
    first, *rest = zip(pieces, told, strict=True)
    whole = all(part.places and len(part.places) == 1 and _stands_alone(piece) for piece, part in rest)
    if not whole or not first[0].endswith((".", "!")) or not _is_opening(item, first[0], first[1]):
        return None
    rest.sort(key=lambda one: max(one[1].places))
    sentences = [piece for piece, _ in rest if not _is_tags(piece)]
    tags = [piece.rstrip(".") for piece, _ in rest if _is_tags(piece)]
    if any(not piece.endswith((".", "!")) for piece in sentences):
        return None
    mended = " ".join([first[0], *sentences, *([", ".join(tags)] if tags else [])])
    return None if breaks(mended, read(mended), item.around) else mended


def _is_opening(item: CheckInput, piece: str, part: Part) -> bool:
    return 0 in part.places or (bool(item.trigger) and bool(find(piece, item.trigger)))


def _stands_alone(piece: str) -> bool:
    return (piece.endswith((".", "!")) and piece[0].isupper()) or _is_tags(piece)


def _is_tags(piece: str) -> bool:
    """Whether a part is tags, which begin small, and no sentence."""
    return piece[0].islower() or piece[0].isdigit()
