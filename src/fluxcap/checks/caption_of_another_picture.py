"""CAP031."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.around import Around, Sibling
from fluxcap.checks.fitting import belongs_to
from fluxcap.checks.types import CheckInput, issue, sibling
from fluxcap.checks.wording import has_words
from fluxcap.types import Issue, Severity, Trait
from fluxcap.vocabulary import canonical, read

_SEEN = (
    {"setting": "on a beach", "clothing": "red bikini", "view": "back", "hair": "long blonde hair"},
    {"setting": "in a grey studio", "clothing": "black suit", "view": "front", "hair": "short black hair"},
    {"setting": "in a park", "clothing": "white t-shirt, blue jeans", "view": "front", "hair": "brown ponytail"},
)
_TEXTS = (
    "ohwx woman with long blonde hair, on a beach, in a red bikini, from behind",
    "ohwx woman with short black hair, in a grey studio, in a black suit, front view",
    "ohwx woman with a brown ponytail, in a park, in a white t-shirt and blue jeans, front view",
)


def _traits(values: dict[str, str]) -> dict[str, Trait]:
    found = {}
    for slot_id, value in values.items():
        settled, tags = canonical(slot_id, value)
        found[slot_id] = Trait(
            image_id="1", slot=slot_id, value=settled, tags=tags, confidence=0.9, sources=("vision:any",)
        )
    return found


def _set(*order: int) -> list[CheckInput]:
    """The pictures above, each with the caption of the one that is named."""
    around = Around(
        [
            Sibling(
                image_id=str(place),
                path=f"{place}.png",
                text=_TEXTS[number],
                mentions=read(_TEXTS[number]),
                composed=_TEXTS[place],
                traits=_traits(_SEEN[place]),
            )
            for place, number in enumerate(order)
        ]
    )
    return [
        CheckInput(
            image_id=one.image_id,
            path=one.path,
            trigger="ohwx",
            class_word="woman",
            text=one.text,
            mentions=one.mentions,
            traits=one.traits,
            composed=one.composed,
            around=around,
        )
        for one in around.pictures.values()
    ]


class CaptionOfAnotherPicture:
    """Caption that fits another picture of the set.

    What it does:
        Compares what the caption says with the facts of all pictures. It is told where the text is what fluxcap would write
        for another picture, or where it contradicts its own picture and agrees with another far better than chance among so
        many pictures would have it. Where that one's caption fits this picture, the two are said to be swapped.
    Why is this bad:
        Everything in it is wrong at once. Files that were renamed, sorted or copied get this way.
    Example:
        beach.txt: ohwx woman in a black suit, in a grey studio (which is studio.png)
    Use instead:
        beach.txt: ohwx woman in a red bikini, on a beach
    """

    code: ClassVar[str] = "CAP031"
    name: ClassVar[str] = "caption-of-another-picture"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        *_set(0, 1, 2),
        CheckInput(image_id="1", path="1.png", text=_TEXTS[0], mentions=read(_TEXTS[0]), traits=_traits(_SEEN[1])),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (*_set(1, 0, 2)[:2], _set(0, 0, 2)[1])

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for the caption; it names the other picture."""
        if item.around is None or not has_words(item):
            return
        other = belongs_to(sibling(item), item.around)
        if other is None:
            return
        back = belongs_to(other, item.around)
        if back is not None and back.path == item.path:
            message = f"belongs to {other.path}, whose caption belongs here: the two are swapped"
        else:
            message = f"fits {other.path} and not this picture: it seems to be that one's caption"
        yield issue(self, item, message)
