"""Evidence -> traits: what the sources agree on, or a conflict."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.resolve import resolve, thinking
from fluxcap.types import Evidence
from fluxcap.vocabulary import canonical, slots


def claim(slot, value, confidence=0.6, source="vlm:fake"):
    settled, tags = canonical(slot, value)
    return Evidence(image_id="1", slot=slot, value=settled, tags=tags, confidence=confidence, source=source)


def test_nothing():
    assert resolve([]) == {}


def test_human_beats_all():
    trait = resolve(
        [
            claim("view", "front", 0.99, "measure:head"),
            claim("view", "front", 0.99, "tagger:wd14"),
            claim("view", "back", 0.9, "human"),
        ]
    )["view"]
    assert trait.value == "back"
    assert trait.sources == ("human",)
    assert trait.conflict == ()


@pytest.mark.parametrize("slot", [row.id for row in slots().values() if row.geometry])
def test_geometry_beats_models(slot):
    first, second, *_ = (value.id for value in slots()[slot].value)
    models = [claim(slot, second, 0.95, "vlm:a"), claim(slot, second, 0.95, "tagger:b")]
    trait = resolve([*models, claim(slot, first, 0.6, "measure:head")])[slot]
    assert trait.value == first
    assert trait.conflict == (f"{second} (tagger:b, vlm:a)",)
    unsure = resolve([*models, claim(slot, first, 0.3, "measure:head")])[slot]
    assert unsure.value == second


def test_a_measurement_of_colour_is_one_source_among_others():
    trait = resolve([claim("hair", "black", 0.6, "measure:colours"), claim("hair", "long blonde hair", 0.8)])["hair"]
    assert trait.value == "long blonde hair"
    assert trait.conflict == ("black (measure:colours)",)


def test_two_weak_that_agree_beat_one():
    trait = resolve(
        [
            claim("hair", "long blonde hair", 0.5, "vlm:a"),
            claim("hair", "blonde hair", 0.5, "tagger:b"),
            claim("hair", "short black hair", 0.7, "sidecar:txt"),
        ]
    )["hair"]
    assert trait.value == "long blonde hair"
    assert trait.confidence == 0.75
    assert set(trait.sources) == {"vlm:a", "tagger:b"}
    assert trait.conflict == ("short black hair (sidecar:txt)",)


def test_one_source_counts_once():
    assert resolve([claim("mood", "happy", 0.3), claim("mood", "happy", 0.4)]) == {}
    trait = resolve([claim("mood", "happy", 0.5), claim("mood", "happy", 0.6)])["mood"]
    assert trait.confidence == 0.6


def test_two_doubts_together_are_belief():
    assert resolve([claim("mood", "happy", 0.4)]) == {}
    assert resolve([claim("mood", "happy", 0.4), claim("mood", "happy", 0.4, "tagger:b")])["mood"].confidence == 0.64


def test_below_the_limit_nothing_is_known():
    limit = thinking().assert_from
    assert "mood" not in resolve([claim("mood", "happy", limit - 0.01)])
    assert "mood" in resolve([claim("mood", "happy", limit)])


def test_weak_objections_are_no_conflict():
    trait = resolve([claim("mood", "happy", 0.9), claim("mood", "sad", 0.3, "tagger:b")])["mood"]
    assert trait.conflict == ()


def test_conflicts_strongest_first():
    trait = resolve(
        [
            claim("mood", "happy", 0.9, "a:1"),
            claim("mood", "sad", 0.6, "b:2"),
            claim("mood", "angry", 0.7, "c:3"),
        ]
    )["mood"]
    assert trait.conflict == ("angry (c:3)", "sad (b:2)")


def test_several_garments_are_no_conflict():
    trait = resolve([claim("clothing", "red dress", 0.9, "a:1"), claim("clothing", "white scarf", 0.8, "b:2")])[
        "clothing"
    ]
    assert trait.conflict == ()


def test_an_unsettled_confidence_is_bounded():
    assert resolve([claim("mood", "happy", 1.7)])["mood"].confidence == 1.0
    assert resolve([claim("mood", "happy", -1)]) == {}


def test_traits_stand_in_caption_order():
    found = resolve([claim(slot, "x", 0.9) for slot in reversed(list(slots()))])
    assert list(found) == list(slots())


VALUES = ["front", "back", "long blonde hair", "blonde hair", "short black hair", "red dress", "dress", "smiling"]
CLAIMS = st.lists(
    st.builds(
        claim,
        slot=st.sampled_from(["view", "hair", "clothing", "expression"]),
        value=st.sampled_from(VALUES),
        confidence=st.sampled_from([0.2, 0.5, 0.6, 0.6, 0.9]),
        source=st.sampled_from(["human", "measure:head", "vlm:a", "tagger:b", "sidecar:txt"]),
    ),
    max_size=9,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(claims=CLAIMS, data=st.data())
def test_the_order_of_evidence_never_matters(claims, data):
    assert resolve(claims) == resolve(data.draw(st.permutations(claims)))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(claims=CLAIMS)
def test_a_trait_is_something_that_a_source_said(claims):
    for slot, trait in resolve(claims).items():
        own = {c.value for c in claims if c.slot == slot}
        assert trait.value in own or (slots()[slot].many and set(trait.value.split(", ")) <= own)
        assert set(trait.sources) <= {c.source for c in claims if c.slot == slot}
        assert thinking().assert_from <= trait.confidence <= 1


@pytest.mark.parametrize("nothing", ["none", "Nothing", "no glasses", "n/a", "unknown", " "])
def test_nothing_is_a_persons_word(nothing):
    """A model is not asked to name what is not there; a person takes a trait away."""
    seen = claim("eyewear", "glasses", 0.9)
    said = Evidence(image_id="1", slot="eyewear", value=nothing, tags=(), confidence=1.0, source="vlm:b")
    assert resolve([seen, said])["eyewear"].value == "glasses"
    assert resolve([said]) == {}
    person = Evidence(image_id="1", slot="eyewear", value=nothing, tags=(), confidence=1.0, source="human")
    assert resolve([seen, person]) == {}
