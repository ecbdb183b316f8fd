"""How traits spread over a set, and values that come only together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.bind import bind, judge
from fluxcap.findings import set_issues
from fluxcap.spread import spread, together
from fluxcap.types import Trait
from fluxcap.vocabulary import canonical

HAT, COAT, BEACH, STREET = "straw hat", "blue coat", "on a beach", "in the street"


def picture(**values: str) -> dict[str, Trait]:
    found = {}
    for slot, value in values.items():
        settled, tags = canonical(slot, value)
        found[slot] = Trait(image_id="1", slot=slot, value=settled, tags=tags, confidence=0.9, sources=("vlm:a",))
    return found


def found(pictures: list[dict[str, Trait]], *slots: str) -> list[tuple[int, frozenset[str]]]:
    spreads = [one for slot in slots if (one := spread(slot, pictures)) is not None]
    return [(one.count, frozenset(value.value for value in one.values)) for one in together(spreads)]


def test_nobody_knows_it() -> None:
    assert spread("hair", [{}, picture(pose="sitting")]) is None


def test_values_that_say_the_same_count_together() -> None:
    seen = spread(
        "clothing", [picture(clothing="a suit"), {}, picture(clothing="blue jeans"), picture(clothing="suit")]
    )
    assert seen is not None
    assert [(value.count, value.pictures) for value in seen.values] == [(2, {0, 3}), (1, {2})]
    assert (seen.known, seen.usual.count, seen.share) == (3, 2, pytest.approx(2 / 3))
    assert seen.pictures == {0, 2, 3}


def test_the_hat_that_is_only_on_the_beach() -> None:
    pictures = [picture(headwear=HAT, setting=BEACH)] * 5 + [picture(headwear="red cap", setting=STREET)] * 3
    (told,) = found(pictures, "headwear", "setting")
    assert told == (5, {HAT, BEACH})


def test_one_hat_in_the_street_tells_them_apart() -> None:
    pictures = [picture(headwear=HAT, setting=BEACH)] * 5 + [picture(headwear=HAT, setting=STREET)] * 3
    assert found(pictures, "headwear", "setting") == []


def test_one_exception_in_many_is_not_enough() -> None:
    pictures = [picture(headwear=HAT, setting=BEACH)] * 18 + [picture(headwear=HAT, setting=STREET)] * 2
    pictures += [picture(headwear="red cap", setting=STREET)] * 10
    assert found(pictures, "headwear", "setting")[0] == (18, {HAT, BEACH})


@pytest.mark.parametrize(("number", "told"), [(3, False), (4, True)])
def test_few_pictures_may_be_chance(number: int, told: bool) -> None:
    pictures = [picture(headwear=HAT, setting=BEACH)] * number + [picture(headwear="red cap", setting=STREET)] * 3
    assert bool(found(pictures, "headwear", "setting")) is told


def test_what_is_everywhere_is_constant_not_together() -> None:
    pictures = [picture(headwear=HAT, setting=BEACH)] * 10
    assert found(pictures, "headwear", "setting") == []


def test_who_does_not_know_a_trait_says_nothing_of_it() -> None:
    pictures = [picture(headwear=HAT, setting=BEACH)] * 5 + [picture(headwear=HAT)] * 5
    pictures += [picture(headwear="red cap", setting=STREET)] * 3
    assert found(pictures, "headwear", "setting") == [(5, {HAT, BEACH})]


def test_three_that_come_together_are_one_group() -> None:
    pictures = [picture(headwear=HAT, setting=BEACH, clothing="white dress")] * 4
    pictures += [picture(headwear="red cap", setting=STREET, clothing=COAT)] * 3
    assert found(pictures, "headwear", "setting", "clothing") == [(4, {HAT, BEACH, "white dress"})]


def test_the_set_is_told() -> None:
    pictures = {f"{n}.png": picture(headwear=HAT, setting=BEACH) for n in range(5)}
    pictures |= {f"{n}.png": picture(headwear="red cap", setting=STREET) for n in range(5, 8)}
    bindings = bind(list(pictures.values()), "person")
    judged = {path: judge(traits, bindings) for path, traits in pictures.items()}
    (issue,) = (one for one in set_issues(pictures, bindings, judged) if one.code == "SET005")
    assert issue.message.startswith(f"always together, in 5 pictures: {BEACH} (setting) and {HAT} (headwear)")


CHOICE = st.sampled_from(["", HAT, "red cap", COAT])
SETS = st.lists(st.tuples(CHOICE, st.sampled_from(["", BEACH, STREET])), max_size=30)


@given(SETS)
def test_every_picture_that_knows_a_trait_has_one_value(chosen: list[tuple[str, str]]) -> None:
    pictures = [picture(**({"headwear": hat} if hat else {})) for hat, _ in chosen]
    seen = spread("headwear", pictures)
    knowing = [place for place, (hat, _) in enumerate(chosen) if hat]
    assert sorted(place for value in seen.values for place in value.pictures) == knowing if seen else not knowing


@given(SETS)
def test_the_measure_is_symmetric_and_true(chosen: list[tuple[str, str]]) -> None:
    pictures = [
        picture(**{slot: value for slot, value in (("headwear", hat), ("setting", place)) if value})
        for hat, place in chosen
    ]
    told = found(pictures, "headwear", "setting")
    assert set(told) == set(found(pictures, "setting", "headwear"))
    for count, values in told:
        both = [one for one in chosen if set(one) == values]
        assert count == len(both) >= 4
        either = [hat in values or place in values for hat, place in chosen if hat and place]
        assert count >= 0.9 * sum(either)
