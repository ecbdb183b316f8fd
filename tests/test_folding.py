"""Many tags of one trait become one value: rows of tags with what they come to, and what holds of any tags."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.vocabulary import Folded, canonical, clashes, fold, meaning, redundant
from fluxcap.vocabulary.tags import Meaning, listed


def folded(slot_id: str, tags: str) -> tuple[Folded, ...]:
    """The tags, strongest first, as values."""
    return fold(slot_id, [known(tag, slot_id) for tag in tags.split()])


def known(tag: str, slot_id: str) -> Meaning:
    found = meaning(tag)
    assert found is not None, tag
    assert found.slot == slot_id, tag
    return found


def values(slot_id: str, tags: str) -> list[str]:
    return [one.value for one in folded(slot_id, tags)]


ROWS = [
    ("hair", "long_hair blonde_hair blunt_bangs", "long blonde hair with blunt bangs"),
    ("hair", "blunt_bangs blonde_hair long_hair", "long blonde hair with blunt bangs"),
    ("hair", "wavy_hair long_hair red_hair", "long wavy red hair"),
    ("hair", "very_long_hair long_hair", "very long hair"),
    ("hair", "twin_braids braid long_hair", "long hair in twin braids"),
    ("hair", "black_hair buzz_cut", "black hair with buzz cut"),
    ("hair", "bald", "bald head"),
    ("hair", "ponytail", "ponytail"),
    ("clothing", "black_suit business_suit", "black business suit"),
    ("clothing", "t-shirt white_shirt", "white t-shirt"),
    ("clothing", "white_shirt t-shirt shirt", "white t-shirt"),
    ("clothing", "black_suit business_suit white_shirt collared_shirt red_necktie", "black business suit, white collared shirt, red tie"),
    ("clothing", "pleated_skirt black_skirt skirt", "black pleated skirt"),
    ("clothing", "open_jacket black_jacket jacket leather_jacket", "open black leather jacket"),
    ("clothing", "blazer jacket black_jacket", "black blazer"),
    ("clothing", "black_skirt white_shirt", "white shirt, black skirt"),
    ("clothing", "long_sleeves sweater", "sweater with long sleeves"),
    ("clothing", "red_dress frills long_sleeves", "red dress with long sleeves and frills"),
    ("clothing", "long_sleeves jacket shirt", "jacket, shirt"),
    ("clothing", "long_sleeves", "long sleeves"),
    ("footwear", "sneakers white_footwear", "white sneakers"),
    ("footwear", "white_footwear sneakers", "white sneakers"),
    ("footwear", "white_footwear", "white footwear"),
    ("headwear", "red_headwear beret", "red beret"),
    ("headwear", "hair_ribbon hairclip", "hair ribbon, hairclip"),
    ("eyewear", "glasses black-framed_eyewear", "black-framed glasses"),
    ("jewelry", "jewelry earrings necklace", "earrings, necklace"),
    ("features", "cat_tail cat_ears animal_ears", "cat ears, cat tail"),
    ("pose", "sitting crossed_legs", "sitting and crossing {their} legs"),
    ("pose", "standing crossed_arms hand_on_own_hip", "standing, crossing {their} arms and resting a hand on {their} hip"),
    ("action", "eating holding_hands", "eating and holding hands"),
    ("setting", "outdoors beach", "on a beach"),
    ("setting", "outdoors", "outdoors"),
    ("setting", "indoors on_bed", "on a bed"),
    ("background", "white_background simple_background", "white background"),
    ("background", "white_background cat apple", "white background, with cat and apple in view"),
    ("background", "mountain cat", "mountains, cat in view"),
    ("background", "cat", "cat in view"),
    ("background", "mountain", "mountains"),
]  # fmt: skip


@pytest.mark.parametrize(("slot_id", "tags", "value"), ROWS)
def test_one_value(slot_id, tags, value):
    assert values(slot_id, tags) == [value]


@pytest.mark.parametrize(
    ("slot_id", "tags", "several"),
    [
        ("hair", "long_hair short_hair blonde_hair", ["long blonde hair", "short hair"]),
        ("hair", "blonde_hair black_hair", ["blonde hair", "black hair"]),
        ("hair", "straight_hair curly_hair", ["straight hair", "curly hair"]),
        ("pose", "standing sitting arms_up", ["standing and raising {their} arms", "sitting"]),
        ("mouth", "open_mouth closed_mouth", ["open", "closed"]),
        ("expression", "smile blush", ["smiling", "blushing"]),
        ("eye_color", "blue_eyes red_eyes", ["blue", "red"]),
        ("gaze", "looking_up looking_at_viewer", ["up", "camera"]),
    ],
)
def test_what_cannot_both_be_true_stays_apart_strongest_first(slot_id, tags, several):
    assert values(slot_id, tags) == several


def test_hair_of_several_colours_is_one():
    """Said to be of several colours, they do not exclude each other; at the front, since the surest comes first."""
    (value,) = values("hair", "multicolored_hair blonde_hair black_hair")
    assert {"multicolored", "blonde", "black"} <= set(value.split())


def test_a_value_holds_its_tags_and_those_it_makes_redundant():
    (one,) = folded("clothing", "white_shirt t-shirt shirt")
    assert set(one.tags) == {"white_shirt", "t-shirt", "shirt"}
    first, second = folded("hair", "long_hair short_hair blonde_hair")
    assert (first.tags, second.tags) == (("long_hair", "blonde_hair"), ("short_hair",))


def test_nothing_comes_to_nothing():
    assert folded("hair", "") == ()


# ------------------------------------------------------------------------------------------------------------- of any tags

SAID = {
    slot_id: sorted(tag for tag, one in listed().items() if one.slot == slot_id and one.phrase and one.flag == "")
    for slot_id in ("hair", "clothing", "headwear", "footwear", "jewelry", "features", "makeup", "pose", "setting", "background", "expression")
}  # fmt: skip
SOME = st.sampled_from(sorted(SAID)).flatmap(
    lambda slot_id: st.tuples(
        st.just(slot_id), st.lists(st.sampled_from(SAID[slot_id]), min_size=1, max_size=4, unique=True)
    )
)
LITTLE = {"and", "with", "in", "view", "hair"}


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[\w'-]+", text)) - LITTLE


@settings(max_examples=400, deadline=None, derandomize=True)
@given(SOME)
def test_any_tags(given_tags):
    slot_id, tags = given_tags
    found = folded(slot_id, " ".join(tags))
    assert found
    for one in found:
        assert "_" not in one.value
        assert one.value == " ".join(one.value.split())
        assert set(one.tags) <= set(tags)
        settled, _ = canonical(slot_id, one.value)
        assert canonical(slot_id, settled)[0] == settled
    every = [tag for one in found for tag in one.tags]
    assert len(every) == len(set(every)), "one tag speaks for one value"


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(SAID["hair"]), min_size=1, max_size=5, unique=True))
def test_no_thing_of_hair_is_lost(tags):
    found = values("hair", " ".join(tags))
    left = [known(tag, "hair") for tag in tags if tag not in redundant(tags)]
    for one in left:
        assert words_of(one.phrase) <= words_of(" ".join(found)), (one.phrase, found)


APART = ["coat", "scarf", "black_skirt", "white_shirt", "brown_gloves", "red_necktie", "striped_thighhighs", "belt"]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.permutations(APART), st.integers(2, len(APART)))
def test_the_order_of_garments_loses_none(tags, most):
    (value,) = values("clothing", " ".join(tags[:most]))
    assert sorted(value.split(", ")) == sorted(known(tag, "clothing").phrase for tag in tags[:most])


OTHERWISE = re.compile(
    r"vertical-striped_.*|diagonal-striped_.*|very_long_sleeves|very_dark_skin|puffy_(long|short)_sleeves|short_over_long_sleeves"
    r"|impossible_(dress|clothes)|hair_(between|over|on)_.*|enpera|ringlets|short_hair_with_long_locks"
    r"|heart_o-ring|oversized_breast_cup|paw_print_pattern|rice_hat|triangular_headpiece"
)
"""Single tags that do not come to their phrase (see the end of this file); a few rather well."""


@pytest.mark.parametrize("slot_id", SAID)
def test_one_tag_is_its_phrase(slot_id):
    found = {tag: [value.removesuffix(" in view") for value in values(slot_id, tag)] for tag in SAID[slot_id]}
    wrong = {tag: value for tag, value in found.items() if value != [known(tag, slot_id).phrase]}
    assert {tag: value for tag, value in wrong.items() if not OTHERWISE.fullmatch(tag)} == {}


def test_rivals_are_told_to_be_such():
    """What is kept apart is what resolve finds to be a conflict."""
    for tags in ("long_hair short_hair", "blonde_hair black_hair"):
        one, other = (canonical("hair", value) for value in values("hair", tags))
        assert clashes("hair", *one, *other)


def test_a_detail_of_the_body_stands_beside_the_build():
    assert values("body", "large_breasts pregnant") == ["pregnant belly, large breasts"]


@pytest.mark.parametrize(
    ("slot_id", "tags", "both"),
    [
        ("features", "cat_ears rabbit_ears", "cat ears, rabbit ears"),
        ("skin", "scar_on_arm scar_on_stomach", "scar on the arm, scar on the stomach"),
    ],
)
def test_two_things_of_one_kind_are_two(slot_id, tags, both):
    assert values(slot_id, tags) == [both]


@pytest.mark.parametrize(
    ("slot_id", "tags", "value"),
    [
        ("headwear", "hair_ribbon black_headwear", "black hat, hair ribbon"),
        ("eyewear", "glasses eyewear_on_headwear", "glasses resting on the hat"),
        ("holding", "holding_sword holding_footwear", "sword, shoes"),
    ],
)
def test_a_general_noun_stands_for_what_it_can_mean(slot_id, tags, value):
    assert values(slot_id, tags) == [value]


def test_a_simple_background_is_no_better_than_a_white_one():
    assert values("background", "simple_background white_background") == ["white background"]


@pytest.mark.parametrize("tags", ["black_hair blonde_hair two-tone_hair", "two-tone_hair long_hair short_hair"])
def test_hair_of_several_colours_in_any_order(tags):
    assert len(values("hair", tags)) == (1 if "blonde" in tags else 2)


def test_two_colours_of_one_garment():
    assert values("clothing", "black_dress white_dress") == ["black and white dress"]


def test_holding_says_nothing_beside_what_is_held():
    assert values("holding", "holding holding_sword") == ["sword"]


@pytest.mark.parametrize(
    ("slot_id", "tags", "gone"),
    [("setting", "beach park", "park"), ("pose", "standing crossed_arms head_tilt v", "v")],
)
def test_what_is_not_said_is_no_tag_of_the_value(slot_id, tags, gone):
    assert gone not in folded(slot_id, tags)[0].tags


@pytest.mark.parametrize(
    ("slot_id", "tag", "value"),
    [
        ("clothing", "very_long_sleeves", "very long sleeves"),
        ("clothing", "vertical-striped_shirt", "vertically striped shirt"),
        ("skin", "very_dark_skin", "very dark skin"),
        ("hair", "ringlets", "ringlets"),
        ("hair", "hair_over_breasts", "hair over the breasts"),
        ("hair", "short_hair_with_long_locks", "short hair with long sidelocks"),
    ],
)
def test_a_phrase_stays_whole(slot_id, tag, value):
    assert values(slot_id, tag) == [value]
