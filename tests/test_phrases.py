"""Captions as people write them, and what has to be read from them.

``data/phrases.tsv`` holds the phrases that the vocabulary was made with, ``data/phrases_held_back.tsv`` those that nobody
looked at while it was made. A line is a text, a tab, and what it says: ``trait: tag tag; trait: *``; '*' stands for any tag, and
nothing after the tab for a text that says nothing. The writers of the phrases knew the list of tags, not the vocabulary.

A trait is right if it is read and one of its tags is (or a kind of it). ``pytest -s`` prints the figures.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fluxcap.vocabulary import meaning, read, slots
from fluxcap.vocabulary.tags import base_of, listed

DATA = Path(__file__).parent / "data"


FLOORS = [("phrases.tsv", 0.935, 0.91, 0.8), ("phrases_held_back.tsv", 0.95, 0.945, 0.56)]


@dataclass
class Figures:
    """Of all phrases of a table: traits, tags and traps, and how many are right; ``wrong`` tells the others."""

    traits: int = 0
    traits_right: int = 0
    tags: int = 0
    tags_right: int = 0
    traps: int = 0
    traps_right: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        pairs = (
            ("traits", self.traits_right, self.traits),
            ("tags", self.tags_right, self.tags),
            ("traps", self.traps_right, self.traps),
        )
        return ", ".join(f"{name} {right}/{of} = {100 * right / of:.1f} %" for name, right, of in pairs)


def rows(name: str) -> list[tuple[str, dict[str, list[str]]]]:
    found = []
    for line in (DATA / name).read_text(encoding="utf-8").splitlines():
        text, _, said = line.partition("\t")
        wanted: dict[str, list[str]] = {}
        for part in filter(str.strip, said.split(";")):
            slot, _, tags = part.partition(":")
            wanted.setdefault(slot.strip(), []).extend(tags.split())
        found.append((text, wanted))
    return found


def kinds(tag: str) -> set[str]:
    """The tag, what it is a kind of, and what it implies."""
    found = [tag]
    while (base := base_of(found[-1])) is not None and base not in found:
        found.append(base)
    known = meaning(tag)
    return {*found, *(known.implies if known else ())}


def measure(name: str) -> Figures:
    figures = Figures()
    for text, wanted in rows(name):
        got: dict[str, set[str]] = {}
        for mention in read(text):
            got.setdefault(mention.slot, set()).update(mention.tags)
        heard = {kind for tags in got.values() for tag in tags for kind in kinds(tag)}
        if not wanted:
            figures.traps += 1
            figures.traps_right += not got
            figures.wrong += [f"{text}: read {got}"] if got else []
        for slot, tags in wanted.items():
            named = [tag for tag in tags if tag != "*"]
            right = any(kinds(tag) & heard for tag in named) if named else slot in got
            figures.traits += 1
            figures.traits_right += right
            figures.tags += len(named)
            figures.tags_right += sum(tag in heard for tag in named)
            figures.wrong += [] if right else [f"{text}: {slot} {' '.join(tags)}, read {got}"]
    return figures


@pytest.mark.parametrize("name", ["phrases.tsv", "phrases_held_back.tsv"])
def test_the_tables_are_sound(name: str) -> None:
    table = rows(name)
    assert len({text for text, _ in table}) == len(table)
    for text, wanted in table:
        assert text == text.strip()
        assert text
        assert set(wanted) <= set(slots()), text
        assert {tag for tags in wanted.values() for tag in tags} <= {*listed(), "*"}, text


def test_no_phrase_is_in_both_tables() -> None:
    assert not {text for text, _ in rows("phrases.tsv")} & {text for text, _ in rows("phrases_held_back.tsv")}


@pytest.mark.parametrize(("name", "traits", "tags", "traps"), FLOORS)
def test_captions_are_read_as_people_mean_them(name: str, traits: float, tags: float, traps: float) -> None:
    """The floors are what was reached, less half a point: who makes the vocabulary better raises them."""
    figures = measure(name)
    print(f"\n{name}: {figures}")  # noqa: T201 -- pytest -s is how the figures are asked for
    told = "\n".join(figures.wrong)
    assert figures.traits_right >= traits * figures.traits, told
    assert figures.tags_right >= tags * figures.tags, told
    assert figures.traps_right >= traps * figures.traps, told
