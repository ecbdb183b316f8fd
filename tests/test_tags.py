"""The list of Danbooru tags: what stands in it, what the rules make of the rest, and which tags say the same."""

from __future__ import annotations

import csv
import graphlib
import re
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest

from fluxcap.vocabulary import meaning, redundant, slots
from fluxcap.vocabulary.tags import listed, suffixes

SELECTED = Path(__file__).resolve().parents[2] / "shared" / "data" / "selected_tags.csv"

ROWS = list(
    csv.DictReader(
        resources.files("fluxcap").joinpath("data", "tags.csv").read_text(encoding="utf-8").splitlines()
    )  # as it stands, before anything is made of it
)

FACETS = {
    "medium": "kind style",
    "body": "build size part detail",
    "skin": "tone mark",
    "hair": "color length texture bangs style state detail",
    "features": "ears tail horns wings marks eyes mouth face body species other",
    "setting": "place",
    "background": "plain object animal view",
    "people": "count relation",
    "text": "kind",
    "time": "time weather season",
    "clothing": "full outer top bottom swim under legs arms neck waist sleeves detail state bare",
    "headwear": "hat hair face head",
    "makeup": "lips eyes face nails body",
}
"""Facets by slot; the other slots have none."""


def said(tag: str) -> tuple[str, str, str]:
    found = meaning(tag)
    assert found is not None, tag
    return found.slot, found.facet, found.phrase


# ------------------------------------------------------------------------------------------------- what stands in the list


def test_no_tag_stands_twice():
    assert [tag for tag, number in Counter(row["tag"] for row in ROWS).items() if number > 1] == []


def test_slots_facets_and_flags_are_known():
    for row in ROWS:
        assert row["slot"] in (*slots(), ""), row
        assert row["facet"] in FACETS.get(row["slot"], "").split() or (
            not row["facet"] and row["slot"] not in FACETS
        ), row
        assert row["flag"] in ("", "quiet", "explicit", "young", "minor"), row


def test_rules_give_known_slots_and_facets():
    for rule in suffixes():
        assert rule.slot in slots()
        facets = {rule.facet, *rule.facets.values()} - {""}
        assert facets <= set(FACETS.get(rule.slot, "").split()), rule


def test_phrases_are_words():
    for row in ROWS:
        phrase = row["phrase"]
        assert "_" not in phrase, row
        assert phrase == " ".join(phrase.split()), row
        assert not re.match(r"(an?|the)\s", phrase), row
        assert set(re.findall(r"[{}]|\{\w*\}", re.sub(r"\{(their|them|they)\}", "", phrase))) == set(), row
        assert phrase or row["flag"] or not row["slot"], row


def test_what_is_implied_is_listed_and_nothing_implies_itself():
    implied = {row["tag"]: row["implies"].split() for row in ROWS}
    assert {one for several in implied.values() for one in several} <= set(listed())
    list(graphlib.TopologicalSorter(implied).static_order())  # raises CycleError


def test_other_wordings_are_words():
    for row in ROWS:
        several = row["also"].split("|") if row["also"] else []
        assert len(set(several)) == len(several), row
        for wording in several:
            assert wording == " ".join(wording.split()), row
            assert wording, row
            assert "_" not in wording, row


def test_a_wording_has_one_owner_in_its_slot():
    owners: dict[tuple[str, str], list[str]] = {}
    for row in ROWS:
        for wording in filter(None, row["also"].lower().split("|")):
            owners.setdefault((row["slot"], wording), []).append(row["tag"])
    assert not {wording: tags for (_, wording), tags in owners.items() if len(tags) > 1}


@pytest.mark.skipif(
    not SELECTED.is_file(), reason="the taggers' own list is not there (../shared/data/selected_tags.csv)"
)
def test_every_tag_of_the_taggers_is_listed():
    with SELECTED.open(encoding="utf-8", newline="") as file:
        general = {row["name"] for row in csv.DictReader(file) if row["category"] == "0"}
    assert len(general) > 8000
    assert general - {row["tag"] for row in ROWS} == set()


# What a tag's last word says belongs to somebody's looks, so that a plan which binds hair or skin binds all of it.
# Left out are tags with a preposition: they name what lies there ('cum_on_ass', 'jacket_around_waist'), not the part.
PREPOSITION = re.compile(
    r"(?:^|_)(around|across|over|under|between|on|in|with|to|from|of|by|through|behind|at|hidden|visible)_"
)
DOING = {"action", "pose", "gaze", "expression"}  # 'brushing_hair', 'rubbing_eyes'
FAMILIES = {
    r"(.*_)?hair": "hair",
    r".*_(bangs|ponytail|braids?|twintails|ahoge|sidelocks)": "hair",
    r".*_(eyes|pupils?|eyelashes|eyebrows|sclera|irises)": "eye_color eyes features",
    r".*_(skin|skinned)": "skin body features",
    r".*_(breasts|thighs|hips|ass)": "body",
    r".*_(lips|lipstick|eyeshadow|eyeliner|mascara|makeup|nails|fingernails|toenails)": "makeup",
    r".*_(ears?|tails?|horns?|wings?|fangs|teeth|tattoos?)": "features",
    r".*_(beard|mustache|stubble|goatee|sideburns)": "facial_hair",
    r".*_(freckles|moles?|scar|tan|tanlines?)": "skin",
}
ELSEWHERE = {
    # hair, but not of the head
    **dict.fromkeys(("body_hair", "chest_hair", "sparse_chest_hair", "arm_hair", "leg_hair", "armpit_hair"), "body"),
    **dict.fromkeys(("navel_hair", "anal_hair", "pubic_stubble"), "body"),
    **dict.fromkeys(("facial_hair", "fake_facial_hair"), "facial_hair"),
    # hair that is only shaped like it
    **dict.fromkeys(("hair_ears", "hair_horns", "hair_wings", "quad_tails", "tri_tails"), "hair"),
    # worn, not grown
    **dict.fromkeys(("fake_horns", "fake_animal_ears", "hat_with_ears"), "headwear"),
    "bare_hips": "clothing",
    # what a face does for the moment
    **dict.fromkeys(("crazy_eyes", "narrowed_eyes", "raised_eyebrows", "v-shaped_eyebrows"), "expression"),
    **dict.fromkeys(("puckered_lips", "pursed_lips", "clenched_teeth"), "expression"),
    "parted_lips": "mouth",
    "upturned_eyes": "gaze",
    # how clothes hold or leave them
    **dict.fromkeys(("bursting_breasts", "framed_breasts"), "clothing"),
    "spread_ass": "pose",
    # nails and lips without paint
    **dict.fromkeys(("long_fingernails", "very_long_fingernails", "sharp_fingernails"), "body"),
    **dict.fromkeys(("long_toenails", "sharp_toenails"), "body"),
    "thick_lips": "features",
}


@pytest.mark.parametrize(("names", "family"), FAMILIES.items())
def test_a_name_of_hair_skin_or_the_like_has_a_slot_of_it(names, family):
    found = [known for tag, known in listed().items() if re.fullmatch(names, tag) and not PREPOSITION.search(tag)]
    assert len(found) > 5
    for known in found:
        if known.tag in ELSEWHERE:
            assert known.slot == ELSEWHERE[known.tag]
        elif known.tag.endswith("pubic_hair"):
            assert (known.slot, known.flag) == ("body", "explicit")
        elif re.match(r"\w+ing_", known.tag):
            assert known.slot in DOING | set(family.split()), known
        else:
            assert known.slot in family.split(), known


@pytest.mark.parametrize("tag", ELSEWHERE)
def test_exceptions_are_no_dead_letters(tag):
    assert any(re.fullmatch(names, tag) for names in FAMILIES)
    assert tag in listed()


# ----------------------------------------------------------------------------------------------------------------- meaning


@pytest.mark.parametrize(
    ("tag", "slot_id", "facet", "phrase"),
    [
        # listed
        ("long_hair", "hair", "length", "long hair"),
        ("blue_eyes", "eye_color", "", "blue"),
        ("serafuku", "clothing", "full", "sailor uniform"),
        ("red_nails", "makeup", "nails", "red nail polish"),
        ("outdoors", "setting", "place", "outdoors"),
        ("looking_at_viewer", "gaze", "", "camera"),
        ("photo_(medium)", "medium", "", "photo"),
        ("open_eyes", "eyes", "", "open"),
        # by a rule for the first words
        ("holding_spatula", "holding", "", "spatula"),
        ("eating_noodles", "action", "", "eating noodles"),
        ("sitting_on_moon", "pose", "", "sitting on moon"),
        # by a rule for the last words
        ("teal_hair", "hair", "color", "teal hair"),
        ("shoulder-length_hair", "hair", "length", "shoulder-length hair"),
        ("sparkly_hair", "hair", "detail", "sparkly hair"),
        ("lime_eyes", "eye_color", "", "lime"),
        ("teal_background", "background", "plain", "teal background"),
        ("jean_focus", "framing", "", "jean focus"),
        # as a kind of the listed tag at its end
        ("teal_cardigan", "clothing", "outer", "teal cardigan"),
        ("gray_cardigan", "clothing", "outer", "grey cardigan"),
        ("plaid_boots", "footwear", "", "plaid boots"),
        ("fluffy_dog_ears", "features", "ears", "fluffy dog ears"),
        # what stands in brackets tells homonyms apart, and is not said
        ("umbrella_(closed)", "background", "object", "umbrella"),
        ("teal_cardigan_(worn)", "clothing", "outer", "teal cardigan"),
        ("x_(object)", "background", "object", "X mark"),
    ],
)
def test_meaning(tag, slot_id, facet, phrase):
    assert said(tag) == (slot_id, facet, phrase)


@pytest.mark.parametrize(
    "tag", ["", "nonsense", "hair_qqq", "qqq_(zzz)", "(zzz)", "hair", "eyes", "ears", "holding", "_", "holding_"]
)
def test_what_means_nothing(tag):
    found = meaning(tag)
    assert found is None or tag in listed() or not found.phrase.strip(), found


def test_a_kind_of_an_explicit_thing_is_explicit():
    for tag in ("teal_pubic_hair", "torn_nipples", "large_penis_(thing)"):
        found = meaning(tag)
        assert found is not None
        assert found.flag == "explicit"


# --------------------------------------------------------------------------------------------------------------- redundant


@pytest.mark.parametrize(
    ("tags", "gone"),
    [
        ("shirt white_shirt", "shirt"),
        ("shirt white_shirt collared_shirt", "shirt"),
        ("long_hair very_long_hair", "long_hair"),
        ("smile grin", "smile"),
        ("jacket blazer black_jacket", "jacket"),
        ("school_uniform serafuku", "school_uniform"),
        ("braid twin_braids long_hair", "braid"),
        ("ribbon hair_ribbon red_ribbon", "ribbon"),
        # whole words, and the same last one
        ("bow elbow_gloves", ""),
        ("ring spring_(season)", ""),
        ("car scarf", ""),
        ("hat thatched_roof", ""),
        ("hair hair_ribbon", ""),
        ("dress dress_shoes", ""),
        # equals
        ("white_shirt collared_shirt", ""),
        ("black_hair blonde_hair", ""),
        ("shirt", ""),
        ("", ""),
    ],
)
def test_redundant(tags, gone):
    assert redundant(tags.split()) == set(gone.split())
    assert redundant(tags.split()[::-1]) == set(gone.split())


def test_implied_twice_over_is_redundant():
    chains = [
        (row["tag"], far)
        for row in ROWS
        for near in row["implies"].split()
        if near in listed()
        for far in listed()[near].implies
    ]
    assert chains
    for tag, far in chains:
        assert redundant((tag, far)) == {far}, (tag, far)


# ------------------------------------------------------------------------------------------------------------------- flags


@pytest.mark.parametrize(
    ("flag", "tags"),
    [
        ("minor", "loli shota oppai_loli onee-shota onee-loli child_on_child"),
        ("young", "child baby aged_down kindergarten_uniform"),
        (
            "explicit",
            "nipples areola_slip sex penis pussy vaginal fellatio masturbation cum nude topless completely_nude",
        ),
        ("explicit", "female_pubic_hair dildo bottomless"),
        ("", "cleavage bikini panties bra underwear lingerie swimsuit kiss large_breasts one-piece_swimsuit midriff"),
        ("", "lolita_fashion gothic_lolita school_uniform serafuku smile long_hair white_shirt beach"),
        ("quiet", "navel solo 1girl hetero"),
    ],
)
def test_flags(flag, tags):
    assert {tag: listed()[tag].flag for tag in tags.split()} == dict.fromkeys(tags.split(), flag)


def test_no_tag_of_loli_or_shota_goes_unflagged():
    """'lolita_fashion' is a way to dress."""
    named = [known for tag, known in listed().items() if {"loli", "shota"} & set(re.split("[_-]", tag))]
    assert named
    assert {known.tag: known.flag for known in named} == {known.tag: "minor" for known in named}
