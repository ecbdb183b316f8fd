"""What the captions say and leave out, on the labels of real photographs as perfect observations; and that the judge of it sees faults."""

import random
import sys
from pathlib import Path

import pytest

from fluxcap.tokens import Where
from fluxcap.vocabulary import canonical, same

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "benchmarks"))  # pytest's importlib mode does not

import what_to_caption  # noqa: E402
from caption_figures import figures, targets  # noqa: E402
from caption_judge import fragments, gold_plan, judge  # noqa: E402
from caption_scenarios import CLEAN, SCENARIOS, SETS, THREE  # noqa: E402
from labelled import PHOTOS, Labelled, labelled  # noqa: E402
from one_subject import PLANTED, corrupted, one_subject, pool  # noqa: E402

with_photos = pytest.mark.skipif(
    not (PHOTOS / "labels.csv").is_file(), reason="the labelled photographs are not there (../shared/photos)"
)

GOLD = {
    "medium": "photo",
    "age": "mid-forties",
    "subject": "woman",
    "hair": "long auburn hair",
    "setting": "in a grey studio",
    "clothing": "black t-shirt, jeans",
    "expression": "slight smile",
    "mouth": "closed",
    "eyes": "open",
    "eye_color": "hazel",
    "view": "front",
    "lighting": "dim indoor",
}
WIG = {**GOLD, "hair": "short pink hair"}
PLAN = gold_plan([*[GOLD] * 9, WIG], "person", {})
GOOD = (
    "ohwx woman, a photo of a woman. She is in a grey studio. She is wearing a black t-shirt and jeans. She is smiling slightly with her "
    "mouth closed. Her eyes are open. front view, dim indoor lighting"
)


def judged(text, gold=GOLD, **more):
    return judge(text, gold, PLAN, trigger="ohwx", **more)


@pytest.fixture(scope="module")
def labels():
    return labelled()


@with_photos
@pytest.mark.parametrize("chosen", SETS, ids=lambda one: one.name)
def test_with_perfect_observations(labels, chosen):
    """No bound trait is said, every free one is, nothing is false, and the order is the trait table's."""
    rows = list(what_to_caption.run_set(labels, chosen, [CLEAN], seed=1, rounds=1))
    found = [figures(row, Where(fetch=False)) for row in rows]
    missed = [told for told, reached in targets(found).items() if not reached]
    assert not missed, "\n".join(what_to_caption.wrong(rows))
    ours, everything, _tags = found
    assert ours["captions"] == len(labels)
    assert ours["free_judged_by"].get("span", 0) == 0
    if chosen.kind != "labels":
        assert ours["deviations"] >= 5
        assert everything["leak"] > 0.9, "the judge sees no leak where everything is said"


@with_photos
def test_one_source_of_three_that_errs(labels):
    for chosen in SETS[:3]:
        rows = what_to_caption.run_set(labels, chosen, [THREE], seed=1, rounds=1)
        missed = [
            told for told, reached in targets(figures(row, Where(fetch=False)) for row in rows).items() if not reached
        ]
        assert not missed


@with_photos
def test_what_passes_is_seen(labels):
    """A single source in error passes its errors on; the judge sees nearly all of them in the text."""
    (row,) = what_to_caption.run_set(labels, SETS[0], SCENARIOS[1:2], seed=1, rounds=1)
    found = figures(row, Where(fetch=False))
    assert found["slips"] > 100
    assert found["slips_seen"] >= 0.99 * found["slips"]


@with_photos
@pytest.mark.parametrize("kind", ["person", "character", "style"])
def test_one_subject(labels, kind):
    """What is planted is usual, the rest of the labels stays; words that tell of it stand in no other value."""
    pictures = one_subject(labels, kind)
    for one in PLANTED[kind]:
        values = [picture.values[one.slot] for picture in pictures if one.slot in picture.values]
        assert len(values) > 15
        assert values.count(one.value) >= 0.9 * len(values)
        assert not one.every or values.count(one.value) < len(values)
    planted = {one.slot for one in PLANTED[kind]} | {"facial_hair"}
    for before, after in zip(labels, pictures, strict=True):
        assert {slot: value for slot, value in before.values.items() if slot not in planted} == {
            slot: value for slot, value in after.values.items() if slot not in planted
        }
    plan = gold_plan([picture.values for picture in pictures], kind, pool(pictures, labels))
    assert all(plan.telling[one.slot] for one in PLANTED[kind])


def test_corrupted():
    pictures = [
        Labelled(name=f"{n}", values={"subject": "woman", "view": "front", "hair": "red hair"}) for n in range(50)
    ]
    values = {
        "subject": ("woman",),
        "view": ("front", "back"),
        "hair": ("red hair", "short black hair", "long red hair"),
    }
    wrong = corrupted(pictures, 0.1, values, random.Random(1))
    assert (
        wrong
        == corrupted(pictures, 0.1, values, random.Random(1))
        != corrupted(pictures, 0.1, values, random.Random(2))
    )
    changed = [
        (slot, value, before.values[slot])
        for before, after in zip(pictures, wrong, strict=True)
        for slot, value in after.values.items()
        if value != before.values[slot]
    ]
    assert len(changed) == 10, "10 % of the 100 values that another is known of"
    assert {slot for slot, _, _ in changed} <= {"view", "hair"}
    assert not any(same(slot, *canonical(slot, value), *canonical(slot, true)) for slot, value, true in changed)


def test_the_gold_plan():
    assert PLAN.bound == {
        "age": "mid-forties",
        "body": None,
        "skin": None,
        "hair": "long auburn hair",
        "features": None,
        "eye_color": "hazel",
    }
    assert PLAN.telling["hair"] == {"long", "auburn"}
    assert PLAN.deviates("hair", "short pink hair")
    assert not PLAN.deviates("hair", "long auburn hair")
    assert "hair" in gold_plan([GOLD, WIG], "person", {}).free, "too few pictures to bind it"


def test_a_good_caption():
    found = judged(GOOD)
    assert not found.leaks
    assert set(found.free.values()) == {"words"}
    assert set(found.free) == GOLD.keys() - {"subject", "age", "hair", "eye_color"}
    assert {one.verdict for one in found.statements} == {"right"}
    assert (found.tau, found.first, found.once, found.talk) == (1.0, True, True, [])
    assert judged(GOOD.replace("a woman.", "a woman with short pink hair."), WIG).deviations == {"hair": "words"}
    assert judged(GOOD, WIG).deviations == {"hair": "not"}


@pytest.mark.parametrize(
    ("old", "new", "slots"),
    [
        ("a woman.", "a woman with long auburn hair.", "hair"),
        ("a woman.", "an auburn woman.", "hair"),
        ("a woman.", "a woman with red hair.", "hair"),
        ("Her eyes", "Her hazel eyes", "eye_color"),
        ("Her eyes", "In her mid-forties. Her eyes", "age"),
    ],
)
def test_a_leak_is_seen(old, new, slots):
    assert set(judged(GOOD.replace(old, new)).leaks) == set(slots.split())


@pytest.mark.parametrize(
    ("old", "new", "slot", "said_besides"),
    [
        ("closed", "open", "mouth", False),
        ("eyes are open", "eyes are closed", "eyes", False),
        ("front view", "from behind", "view", False),
        ("front view", "three-quarter view facing left", "view", False),
        ("smiling slightly", "laughing", "expression", False),
        ("black t-shirt", "green coat", "clothing", False),
        ("grey studio", "park", "setting", False),
        ("a photo", "a painting", "medium", False),
        ("Her eyes", "Her blue eyes", "eye_color", True),
        ("a woman.", "a woman with short blonde hair.", "hair", True),
    ],
)
def test_a_contradiction_is_seen(old, new, slot, said_besides):
    found = judged(GOOD.replace(old, new))
    assert {one.slot for one in found.statements if one.contradicts} == {slot}
    assert (found.free.get(slot, "words") == "words") is said_besides


def test_what_reading_misses_the_words_show():
    wrong = {"lighting": ["neon glare"]}
    text = GOOD.replace("dim indoor lighting", "neon glare")
    assert [one.said for one in judged(text, wrong=wrong).statements if one.contradicts] == ["neon glare"]


@pytest.mark.parametrize(
    ("gone", "slot"),
    [
        ("She is in a grey studio. ", "setting"),
        (" and jeans", "clothing"),
        (" with her mouth closed", "mouth"),
        ("Her eyes are open. ", "eyes"),
        ("front view, ", "view"),
        ("a photo of ", "medium"),
        (", dim indoor lighting", "lighting"),
    ],
)
def test_what_is_not_said_is_seen(gone, slot):
    free = judged(GOOD.replace(gone, "")).free
    assert free[slot] in ("not", "reading"), "a part of the value may be read"
    assert [one for one, how in free.items() if how != "words"] == [slot]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("woman ohwx, front view", (False, True, [])),
        ("ohwx, ohwx, front view", (True, False, [])),
        ("ohwx woman without a hat", (True, True, ["negation"])),
        ("ohwx, she seems to smile", (True, True, ["hedge"])),
        ("ohwx. The image shows a woman", (True, True, ["preamble"])),
        ("ohwxy", (False, False, [])),
        ("", (False, False, [])),
    ],
)
def test_form(text, form):
    found = judged(text)
    assert (found.first, found.once, found.talk) == form


def test_order():
    turned = "ohwx woman. front view, dim indoor lighting. Her eyes are open. She is in a grey studio."
    assert judged(turned).tau == pytest.approx(-2 / 3)
    assert judged("ohwx").tau is None
    assert judged("ohwx. Her hazel eyes are open. front view").tau == 1


def test_common_fragments():
    texts = [
        f"ohwx woman, a photo of a woman with long auburn hair. She is in {place}."
        for place in ("Rome", "Bern", "Oslo", "Wien")
    ]
    assert fragments(texts, "ohwx", ["woman", "photo"]) == {"long auburn hair": 1.0}
    assert not fragments(texts[:3], "ohwx", ["woman", "photo"]), "three captions have nothing in common yet"


def test_without_photographs(tmp_path, capsys):
    assert what_to_caption.main([str(tmp_path)]) == 0
    assert "skipped: no labelled photographs" in capsys.readouterr().err
