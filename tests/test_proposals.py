"""The plan in plain words."""

from traits import CLOTHES, STYLED, judged_set, picture

from fluxcap.bind import Wish
from fluxcap.proposals import proposals


def row(pictures, slot, preset="person", wish=None):
    return next(one for one in proposals(*judged_set(pictures, preset, wish)) if one.slot == slot)


def test_a_reason_in_plain_words():
    found = row([picture(hair=value) for value in ["long blonde hair"] * 24 + ["red wig"]], "hair")
    assert found.reason == (
        "long in 24 of 24, blonde in 24 of 25, wig in 1 of 25: hair length and hair colour bound, hairstyle said; "
        "1 picture with red wig: said there"
    )
    assert found.deviations == {"red wig": ("24.png",)}
    assert found.usual == "long blonde hair"


def test_statistics():
    found = row([picture(clothing=CLOTHES[n % 2]) for n in range(8)] + [{}] * 2, "clothing")
    (whole,) = found.statistics
    assert (whole.known, whole.of, whole.values) == (8, 10, (("red dress", 4), ("jeans", 4)))
    assert (whole.constancy, whole.entropy) == (0.5, 1.0)
    assert found.tags == {"jeans": 4, "red_dress": 4}


def test_attributes_have_statistics_of_their_own():
    found = row([picture(hair=value) for value in STYLED], "hair")
    by = {one.attribute: one for one in found.statistics}
    assert by["color"].constancy == 1.0
    assert by["color"].entropy == 0.0
    assert (by["style"].known, by["style"].without) == (24, 12)
    assert found.parts == {"length": "bound", "color": "bound", "style": "free"}


def test_who_decided():
    pictures = [picture(makeup="red lipstick")] * 5
    assert row(pictures, "makeup").reason == "red lipstick in 5 of 5: said (the preset says so)"
    wish = Wish(bound=frozenset({"makeup=red lipstick"}))
    assert row(pictures, "makeup", wish=wish).reason == (
        "red lipstick in 5 of 5: red lipstick bound, the rest said (you decided so)"
    )


def test_what_else_could_be_decided():
    always = [picture(clothing="red bikini", features="tattoo")] * 10
    assert row(always, "clothing").suggestion.endswith("--bound clothing")
    mine = Wish(free=frozenset({"clothing"}))
    assert row(always, "clothing", wish=mine).suggestion == ""
    varied = [picture(skin=value) for value in ("pale skin", "dark skin", "tanned skin", "green skin")] * 2
    assert row(varied, "skin").suggestion.endswith("--free skin")


def test_a_proposal_changes_nothing_that_the_person_decided():
    pictures = [picture(hair="long blonde hair", clothing="red bikini")] * 10
    wish = Wish(free=frozenset({"hair"}), bound=frozenset({"clothing"}))
    sets, bindings, judged = judged_set(pictures, wish=wish)
    found = {one.slot: one for one in proposals(sets, bindings, judged)}
    assert (found["hair"].decision, found["hair"].by) == ("free", "person")
    assert (found["clothing"].decision, found["clothing"].by) == ("bound", "person")
