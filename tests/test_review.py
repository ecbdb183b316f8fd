"""The order in which captions are to be read, and the reasons for it."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from traits import CLOTHES, picture, thought, trait

from fluxcap.review import Review, queue, weights
from fluxcap.types import Issue

PLAIN = [picture(hair="long blonde hair", clothing=CLOTHES[n % 5], setting="in a park") for n in range(20)]


def issue(code: str, severity: str) -> Issue:
    return Issue(code=code, message="something is wrong", severity=severity)  # type: ignore[arg-type]


def kinds(review: Review) -> list[str]:
    return [reason.kind for reason in review.reasons]


def test_a_plain_set_gives_no_reasons_and_keeps_its_order() -> None:
    reviews = queue(thought(PLAIN))
    assert [one.path for one in reviews] == [f"{n}.png" for n in range(20)]
    assert not [one for one in reviews if one.reasons]


def test_worst_first() -> None:
    issues = {3: [issue("CAP005", "note")], 7: [issue("CAP001", "error")], 12: [issue("CAP006", "warning")]}
    reviews = queue(thought(PLAIN, issues=issues))
    assert [one.path for one in reviews[:3]] == ["7.png", "12.png", "3.png"]
    assert reviews[0].reasons[0].text == "CAP001 something is wrong"


def test_sources_that_contradict_each_other() -> None:
    odd = {**PLAIN[0], "clothing": trait("clothing", "red dress", 0.8, ("blue coat (tagger:wd)",))}
    (first, *_) = queue(thought([*PLAIN, odd]))
    assert first.path == "20.png"
    assert first.reasons[0].text == "clothing: red dress, but blue coat (tagger:wd)"
    unsaid = {**PLAIN[0], "hair": trait("hair", "long blonde hair", 0.8, ("short black hair (tagger:wd)",))}
    assert 0 < queue(thought([*PLAIN, unsaid]))[0].weight < first.weight


def test_weak_evidence_of_what_is_said() -> None:
    (first, *_) = queue(thought([*PLAIN, {**PLAIN[0], "clothing": trait("clothing", "red dress", 0.52)}]))
    assert first.path == "20.png"
    assert first.reasons[0].text == "clothing: red dress, only 52% sure"


def test_a_deviation_is_told_once() -> None:
    wig = {**PLAIN[0], **picture(hair="short red hair")}
    (first, *_) = queue(thought([*PLAIN, wig], issues={20: [issue("SET001", "note")]}))
    assert (first.path, kinds(first)) == ("20.png", ["deviation"])


def test_unlike_its_siblings() -> None:
    texts = ["seven words are in this very caption"] * 21
    texts[4] = "short"
    odd = {**PLAIN[0], **picture(setting="on a beach")}
    unknown = {slot: one for slot, one in PLAIN[0].items() if slot != "clothing"}
    reviews = {one.path: one for one in queue(thought([*PLAIN, odd, unknown], texts))}
    assert reviews["4.png"].reasons[0].text == "1 words, much shorter than the others (about 7)"
    assert reviews["20.png"].reasons[0].text == "setting: on a beach, unlike nearly all others"
    assert reviews["21.png"].reasons[-1].text == "nothing is known of clothing, which nearly all others tell"


def test_more_of_the_same_counts_less() -> None:
    (first, *_) = queue(thought(PLAIN, issues={0: [issue("CAP006", "warning")] * 3}))
    assert first.weight == pytest.approx(weights().warning * (1 + 1 / 2 + 1 / 3), abs=0.01)


PLACES = st.lists(st.integers(0, 19), max_size=8)


@given(PLACES, PLACES)
def test_an_error_stands_before_whatever_has_none(errors: Sequence[int], notes: Sequence[int]) -> None:
    issues: dict[int, list[Issue]] = {}
    for place in notes:
        issues.setdefault(place, []).append(issue("CAP005", "note"))
    for place in errors:
        issues.setdefault(place, []).append(issue("CAP001", "error"))
    first = queue(thought(PLAIN, issues=issues))[: len(set(errors))]
    assert {one.path for one in first} == {f"{n}.png" for n in errors}
