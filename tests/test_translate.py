"""Tags of one picture become evidence: what is asserted, what is only heard, what is never said, and what forbids a picture."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.resolve import resolve
from fluxcap.thinking import thinking
from fluxcap.translate import TAGS, Reading, not_to_be_used, packed, translate, unpacked
from fluxcap.types import Evidence
from fluxcap.vocabulary import meaning, slots
from fluxcap.vocabulary.tags import listed

PHOTO = Reading(photograph=True)
DRAWN = Reading(photograph=False)


def given_tags(scores: Mapping[str, float] | str, source: str = "tagger:wd", score: float = 0.9) -> Evidence:
    """Tags with their scores, or several of one score."""
    pairs = scores.items() if isinstance(scores, Mapping) else [(tag, score) for tag in scores.split()]
    return Evidence(image_id="id", slot=TAGS, value=packed(pairs), tags=(), confidence=1.0, source=source)


def claims(
    scores: Mapping[str, float] | str, reading: Reading = DRAWN, source: str = "tagger:wd"
) -> dict[tuple[str, str], float]:
    """Slot and value -> confidence."""
    found = translate(given_tags(scores, source), reading)
    assert all(one.image_id == "id" and one.source == source for one in found)
    return {(one.slot, one.value): one.confidence for one in found}


def known(scores: Mapping[str, float] | str, reading: Reading = DRAWN, source: str = "tagger:wd") -> dict[str, str]:
    """What is believed of these tags alone."""
    return {s: trait.value for s, trait in resolve(translate(given_tags(scores, source), reading)).items()}


# ------------------------------------------------------------------------------------------------------- asserted or heard


@pytest.mark.parametrize(
    ("score", "asserted", "heard"),
    [(0.99, True, False), (0.5, True, False), (0.49, False, True), (0.35, False, True), (0.34, False, False)],
)
def test_the_score_decides(score, asserted, heard):
    found = claims({"red_dress": score})
    assert bool(found) == (asserted or heard)
    assert all((confidence >= thinking().assert_from) == asserted for confidence in found.values())
    assert known({"red_dress": score}) == ({"clothing": "red dress"} if asserted else {})


def test_what_is_heard_counts_with_a_second_source():
    tagger = translate(given_tags({"blue_eyes": 0.99}), PHOTO)
    assert resolve(tagger) == {}
    other = translate(given_tags({"blue_eyes": 0.45}, "tagger:other"), PHOTO)
    trait = resolve([*tagger, *other])["eye_color"]
    assert (trait.value, set(trait.sources)) == ("blue", {"tagger:wd", "tagger:other"})


@pytest.mark.parametrize("least", [0.2, 0.4, 0.45])
def test_from_where_a_tag_is_heard_is_a_setting(least):
    reading = Reading(photograph=False, heard_from=least)
    assert claims({"smile": least}, reading) == {("expression", "smiling"): least}
    assert claims({"smile": least - 0.01}, reading) == {}


PHOTO_ROWS = [
    # coarse: believed on a tag alone
    ("shirt", "clothing", "shirt"),
    ("standing", "pose", "standing"),
    ("holding_cup", "holding", "cup"),
    ("beach", "setting", "on a beach"),
    ("hat", "headwear", "hat"),
    ("glasses", "eyewear", "glasses"),
    ("open_mouth", "mouth", "open"),
    ("closed_eyes", "eyes", "closed"),
    ("looking_at_viewer", "gaze", "camera"),
    ("upper_body", "framing", "waist-up"),
    ("from_behind", "view", "back"),
    # garments without their colour
    ("blue_shirt", "clothing", "shirt"),
    ("black_thighhighs", "clothing", "thigh-high stockings"),
    # fine: only heard
    *((tag, "", "") for tag in ("blue_eyes", "long_hair", "dark_skin", "muscular", "smile", "sunlight", "freckles")),
    *((tag, "", "") for tag in ("red_lips", "earrings", "beard", "cat_ears", "simple_background")),
    *((tag, "", "") for tag in ("frills", "long_sleeves", "open_clothes")),  # fine sides of coarse traits
]


@pytest.mark.parametrize(("tag", "slot_id", "value"), PHOTO_ROWS)
def test_of_a_photograph_only_coarse_things_are_believed(tag, slot_id, value):
    assert known({tag: 0.99}, PHOTO) == ({slot_id: value} if slot_id else {})
    assert claims({tag: 0.99}, PHOTO), "heard all the same"


@pytest.mark.parametrize("tag", [row[0] for row in PHOTO_ROWS])
def test_of_a_drawing_every_tag_is_believed(tag):
    one = meaning(tag)
    assert one is not None
    assert one.slot in known({tag: 0.99})


def test_a_fine_thing_on_a_photograph_is_weak_however_strong_the_tag():
    assert claims({"blue_eyes": 0.99}, PHOTO) == {("eye_color", "blue"): thinking().heard_at_most}


def test_the_colour_of_a_garment_is_said_of_a_drawing():
    assert known("blue_shirt", DRAWN) == {"clothing": "blue shirt"}


def test_a_list_that_a_person_kept_is_believed_on_photographs():
    tags = {"blue_eyes": 0.7, "long_hair": 0.7, "red_dress": 0.7, "smile": 0.7}
    assert known(tags, PHOTO, "sidecar:beside") == {
        "hair": "long hair",
        "clothing": "red dress",
        "expression": "smiling",
        "eyes": "open",
        "eye_color": "blue",
    }


def test_tags_of_one_trait_are_one_claim_with_their_mean():
    found = claims({"long_hair": 0.9, "blonde_hair": 0.7, "bangs": 0.3})
    assert found == {("hair", "long blonde hair"): 0.8}


def test_unknown_tags_say_nothing():
    assert claims("zzz_qqq virtual_youtuber translated", DRAWN) == {}


# -------------------------------------------------------------------------------------------------------- what is not said


@pytest.mark.parametrize("source", ["tagger:wd", "sidecar:beside"])
@pytest.mark.parametrize("photograph", [True, False])
def test_explicit_tags_stay_out_unless_admitted(source, photograph):
    tags = "nude nipples sex red_dress"
    without = claims(tags, Reading(photograph=photograph), source)
    assert {slot_id for slot_id, _ in without} == {"clothing"}
    assert not [value for _, value in without if "nude" in value]
    admitted = " ".join(value for _, value in claims(tags, Reading(photograph=photograph, explicit=True), source))
    assert "nude" in admitted
    assert "nipples" in admitted


NEVER = sorted(tag for tag, one in listed().items() if one.flag in ("minor", "young"))


@pytest.mark.parametrize("source", ["tagger:wd", "sidecar:beside"])
def test_what_is_said_of_minors_is_never_said(source):
    for tag in NEVER:
        assert claims({tag: 0.99}, Reading(photograph=False, explicit=True, class_word=False), source) == {}, tag


def test_quiet_tags_are_not_said():
    assert claims("navel hetero 1girl", DRAWN) == {}


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        ({"loli": 0.5}, "loli"),
        ({"shota": 0.9, "smile": 0.99}, "shota"),
        ({"loli": 0.9, "shota": 0.8}, "loli, shota"),
        ({"child": 0.9, "nipples": 0.5}, "child, nipples"),
        ({"aged_down": 0.9, "sex": 0.9}, "aged_down, sex"),
        # not
        ({"loli": 0.49}, None),
        ({"child": 0.99, "swimsuit": 0.9, "navel": 0.9}, None),
        ({"child": 0.9, "nipples": 0.49}, None),
        ({"child": 0.49, "nipples": 0.9}, None),
        ({"nipples": 0.99, "sex": 0.99}, None),
        ({"lolita_fashion": 0.99, "petite": 0.9, "school_uniform": 0.9}, None),
        ({}, None),
    ],
)
def test_not_to_be_used(tags, why):
    assert not_to_be_used([given_tags(tags)]) == why
    assert not_to_be_used([given_tags(tags, "sidecar:beside")]) == why


@pytest.mark.parametrize("tag", [tag for tag in NEVER if listed()[tag].flag == "minor"])
def test_every_such_tag_forbids_the_picture(tag):
    assert not_to_be_used([given_tags({tag: 0.9})]) == tag


def test_only_tags_forbid_a_picture():
    word = Evidence(image_id="id", slot="names", value="0.900 loli", tags=(), confidence=1.0, source="tagger:wd")
    assert not_to_be_used([word]) is None
    assert not_to_be_used([word, given_tags("smile"), given_tags("loli")]) == "loli"


# ------------------------------------------------------------------------------------------------------------------ people


@pytest.mark.parametrize(
    ("tags", "people"),
    [
        ("1girl solo", "alone"),
        ("1girl", None),
        ("1girl 1boy", "one other person"),
        ("2girls", "one other person"),
        ("2girls 1boy", "two other people"),
        ("2girls 2boys", "three other people"),
        ("6+girls", "several other people"),
        ("3boys multiple_boys", "two other people"),
        ("solo", "alone"),
        ("smile", None),
    ],
)
@pytest.mark.parametrize("reading", [PHOTO, DRAWN], ids=["photo", "drawn"])
def test_people(tags, people, reading):
    assert known(tags, reading).get("people") == people


@pytest.mark.parametrize(
    ("tags", "photograph", "class_word", "subject"),
    [
        ("1girl solo", True, False, "woman"),
        ("1girl solo", False, False, "girl"),
        ("1boy", True, False, "man"),
        ("1boy", False, False, "boy"),
        ("1other", True, False, "person"),
        ("1other", False, False, "character"),
        ("1girl solo", True, True, None),
        ("1girl solo", False, True, None),
        ("1girl 1boy", True, False, None),
        ("2girls", True, False, None),
        ("solo", True, False, None),
    ],
)
def test_the_class_word_comes_from_the_count_where_none_is_set(tags, photograph, class_word, subject):
    assert known(tags, Reading(photograph=photograph, class_word=class_word)).get("subject") == subject


# ------------------------------------------------------------------------------------------- several tags about one thing


@pytest.mark.parametrize(
    ("tags", "eyes"),
    [
        ({"blue_eyes": 0.9}, "open"),
        ({"blue_eyes": 0.9, "closed_eyes": 0.6}, "closed"),
        ({"blue_eyes": 0.9, "one_eye_closed": 0.6}, "one closed"),
        ({"closed_eyes": 0.9}, "closed"),
        ({"blue_eyes": 0.4}, None),
        ({"long_hair": 0.9}, None),
    ],
)
def test_eyes_whose_colour_is_seen_are_open(tags, eyes):
    assert known(tags).get("eyes") == eyes


def test_a_colour_that_is_only_heard_opens_no_eyes():
    assert "eyes" not in known({"blue_eyes": 0.99}, PHOTO)


@pytest.mark.parametrize(
    ("tags", "headwear", "clothing"),
    [
        ("red_ribbon hair_ribbon", "red hair ribbon", None),
        ("red_bow hair_bow", "red hair bow", None),
        ("red_flower hair_flower", "red hair flower", None),
        ("red_ribbon blue_ribbon hair_ribbon", "hair ribbon", "ribbon"),  # which one is in the hair is not plain
        ("red_ribbon", None, "red ribbon"),
        ("hair_ribbon", "hair ribbon", None),
    ],
)
def test_the_colour_and_the_place_of_an_ornament_are_one_thing(tags, headwear, clothing):
    found = known(tags)
    assert found.get("headwear") == headwear
    assert (clothing is None) == ("clothing" not in found)
    assert found.get("clothing", "").endswith(clothing or "")


def test_tags_that_contradict_are_two_claims_and_resolve_settles_them():
    tags = {"open_mouth": 0.9, "closed_mouth": 0.6}
    assert claims(tags, PHOTO) == {("mouth", "open"): 0.9, ("mouth", "closed"): 0.6}
    trait = resolve(translate(given_tags(tags), PHOTO))["mouth"]
    assert trait.value == "open"
    assert trait.conflict == ("closed (tagger:wd)",)


def test_the_values_are_settled_and_know_their_tags():
    (found,) = (one for one in translate(given_tags("cowboy_shot"), DRAWN))
    assert (found.slot, found.value, found.tags) == ("framing", "knee-up", ("cowboy_shot",))


# --------------------------------------------------------------------------------------------------------- of any tags

TAG = st.one_of(st.sampled_from(sorted(listed())), st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
SCORED = st.lists(
    st.tuples(TAG, st.integers(0, 1000).map(lambda n: n / 1000)), max_size=12, unique_by=lambda one: one[0]
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(SCORED)
def test_what_is_packed_is_unpacked(scored):
    assert unpacked(packed(scored)) == scored


@settings(max_examples=200, deadline=None, derandomize=True)
@given(SCORED, st.booleans(), st.booleans(), st.booleans())
def test_any_tags(scored, photograph, explicit, class_word):
    reading = Reading(photograph=photograph, explicit=explicit, class_word=class_word)
    for source in ("tagger:wd", "sidecar:beside"):
        found = translate(given_tags(dict(scored), source), reading)
        for one in found:
            assert one.slot in slots()
            assert one.value
            assert "_" not in one.value or "_" in "".join(tag for tag, _ in scored if tag not in listed())
            assert 0 <= one.confidence <= 1
        flags = {tag: known_tag.flag for one in found for tag in one.tags if (known_tag := meaning(tag)) is not None}
        silent = {"minor", "young", *(() if explicit else ("explicit",))}
        assert not silent & set(flags.values()), flags
    not_to_be_used([given_tags(dict(scored))])


@pytest.mark.parametrize("tags", ["white_footwear sneakers", "black_headwear beret", "black_headwear", "red_bag"])
def test_no_colour_is_believed_of_a_photograph(tags):
    said = set(" ".join(known(tags, PHOTO).values()).split())
    assert not said & {"white", "black", "red"}


def test_a_plain_ribbon_beside_its_colour_and_place_is_no_second_ribbon():
    assert known("ribbon red_ribbon hair_ribbon") == {"headwear": "red hair ribbon"}


@pytest.mark.parametrize("tags", ["2girls 1boy", "6+girls"])
def test_the_tags_of_people_are_those_that_were_given(tags):
    (found,) = (one for one in translate(given_tags(tags), DRAWN) if one.slot == "people")
    assert set(tags.split()) <= set(found.tags)


def test_two_people_have_no_class_word():
    tags = {"2girls": 0.9, "1girl": 0.4, "solo": 0.36}
    assert known(tags, Reading(class_word=False)) == {"people": "one other person"}


def test_no_tag_speaks_twice():
    (found,) = translate(given_tags("black_dress dress"), PHOTO)
    assert found.tags == ("dress",)
