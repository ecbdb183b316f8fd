"""What a text says of a trait, and where; and what it says of one trait in several places, as one value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fluxcap.english import join
from fluxcap.vocabulary.table import slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One value said in a text: characters ``start`` to ``end`` (exclusive)."""

    slot: str
    value: str
    tags: tuple[str, ...]
    start: int
    end: int


def together(mentions: Sequence[Mention]) -> list[tuple[str, tuple[str, ...]]]:
    """What a text says of one slot in several places, as one value where it belongs together, with its tags.

    'long blonde hair' and 'bangs' are one, 'standing' and 'sitting' stay two.
    """
    row = slots()[mentions[0].slot]
    if len(mentions) == 1 or not (row.many or row.id in ("hair", "background")):
        return [(one.value, one.tags) for one in mentions]
    tags = tuple(dict.fromkeys(tag for one in mentions for tag in one.tags))
    values = list(dict.fromkeys(one.value for one in mentions))
    values = [one for one in values if not any(one != other and f" {one} " in f" {other} " for other in values)]
    if row.id == "hair":
        whole = [one for one in values if one.endswith("hair")] or values[:1]
        rest = [one for one in values if one != whole[0]]
        return [(f"{whole[0]} with {join(rest)}" if rest else whole[0], tags)]
    return [(", ".join(values), tags)]
