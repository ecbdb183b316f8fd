"""A value cut into what is decided by itself, and put together again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.vocabulary import canonical, pieces, same, slots, value_of

HAIR = [
    ("long blonde hair with bangs", {"length": "long", "color": "blonde", "style": "bangs"}),
    ("dark, tied back", {"color": "dark", "style": "tied back"}),
    ("blonde bob", {"color": "blonde", "style": "bob"}),
    ("short, curly hair", {"length": "short", "texture": "curly"}),
    ("long brown hair with blonde highlights", {"length": "long", "color": "brown, blonde highlights"}),
    ("honey-blonde hair in a loose braid", {"color": "honey-blonde", "style": "a loose braid"}),
    ("strawberry blonde wavy hair", {"color": "strawberry blonde", "texture": "wavy"}),
    ("black and white hair", {"color": "black and white"}),
    ("a long red wig", {"length": "long", "color": "red", "style": "wig"}),
    ("dark brown buzz cut", {"color": "dark brown", "style": "buzz cut"}),
    ("salt and pepper hair", {"color": "salt and pepper"}),
    ("bald", {"length": "bald"}),
    ("brunette", {"color": "brunette"}),
    ("hair", {}),
]


@pytest.mark.parametrize(("value", "told"), HAIR)
def test_hair(value: str, told: dict[str, str]) -> None:
    found: dict[str, list[str]] = {}
    for piece in pieces("hair", value):
        found.setdefault(piece.attribute, []).append(piece.text)
    assert {name: ", ".join(texts) for name, texts in found.items()} == told


@pytest.mark.parametrize(
    ("value", "rest"),
    [
        ("long blonde hair with bangs and highlights", "long hair with bangs"),
        ("blonde bob", "bob"),
        ("blonde hair, tied back", "hair, tied back"),
        ("wavy blonde hair in a low ponytail", "wavy hair in a low ponytail"),
        ("blonde hair", ""),
    ],
)
def test_without_the_colour(value: str, rest: str) -> None:
    assert value_of("hair", [one for one in pieces("hair", value) if one.attribute != "color"])[0] == rest


def test_things() -> None:
    assert [one.text for one in pieces("clothing", "red dress, black and white scarf and boots")] == [
        "red dress",
        "black and white scarf",
        "boots",
    ]
    assert [one.attribute for one in pieces("features", "cat ears, mole under eye")] == ["shape", "marks"]
    assert [one.text for one in pieces("setting", "in a park, at night")] == ["in a park, at night"]


PHRASES = [value for value, _ in HAIR if value != "hair"]


@given(st.sampled_from(PHRASES))
def test_all_pieces_make_the_value_again(value: str) -> None:
    whole, tags = value_of("hair", pieces("hair", value))
    assert same("hair", whole, tags, *canonical("hair", value))


@given(st.sampled_from(list(slots())), st.text(max_size=40))
def test_no_text_breaks_it(slot: str, value: str) -> None:
    cut = pieces(slot, value)
    value_of(slot, cut)
    value_of(slot, cut[:1])
