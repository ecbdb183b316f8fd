"""The set around a caption: what the checks that compare pictures look things up in. Built once for a set, counted lazily."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from fluxcap.types import Trait
from fluxcap.vocabulary import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """One picture of the set: its caption, what fluxcap would write for it, what the caption says and what is known."""

    image_id: str
    path: str
    text: str
    composed: str = ""
    mentions: tuple[Mention, ...] = ()
    traits: Mapping[str, Trait] = field(default_factory=dict)


class Around:
    """All captions of a set. ``pictures`` go by path, in the order of the set."""

    def __init__(self, pictures: Sequence[Sibling]) -> None:
        self.pictures: Mapping[str, Sibling] = {one.path: one for one in pictures}

    @cached_property
    def by_text(self) -> Mapping[str, tuple[Sibling, ...]]:
        """The pictures by their caption, as :func:`plain` has it."""
        return _grouped((plain(one.text), one) for one in self.pictures.values())

    @cached_property
    def by_composed(self) -> Mapping[str, tuple[Sibling, ...]]:
        """The pictures by what fluxcap would write for them."""
        return _grouped((plain(one.composed), one) for one in self.pictures.values())


def plain(text: str) -> str:
    """A caption as it is compared: its words in lower case, without signs."""
    kept = "".join(sign if sign.isalnum() or sign == "'" else " " for sign in text.lower())
    return " ".join(kept.split())


def _grouped(keyed: Iterable[tuple[str, Sibling]]) -> Mapping[str, tuple[Sibling, ...]]:
    found: dict[str, list[Sibling]] = {}
    for key, one in keyed:
        if key:
            found.setdefault(key, []).append(one)
    return {key: tuple(group) for key, group in found.items()}
