"""Captions against facts and against each other: what speaks against what, people, sides, order, siblings, mends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.bind import bind
from fluxcap.check import check_caption, mend
from fluxcap.checks import Around, CheckInput, Sibling, sibling
from fluxcap.checks.around import plain
from fluxcap.checks.counting import counted, totals
from fluxcap.checks.cutting import without
from fluxcap.checks.fragments import sentences, shared
from fluxcap.checks.tables import tables
from fluxcap.checks.turning import turned
from fluxcap.types import Binding, Issue, Trait
from fluxcap.vocabulary import Mention, canonical, read, slots, speaks_against, speaks_for
from fluxcap.vocabulary.senses import _table, classes, dimensions

TEXT = st.text(max_size=80)


def trait(slot: str, value: str, confidence: float = 0.9) -> Trait:
    settled, tags = canonical(slot, value)
    return Trait(image_id="1", slot=slot, value=settled, tags=tags, confidence=confidence, sources=("vision:any",))


def facts(**values: str) -> dict[str, Trait]:
    return {slot: trait(slot, value) for slot, value in values.items()}


def said(slot: str, value: str) -> Mention:
    settled, tags = canonical(slot, value)
    return Mention(slot=slot, value=settled, tags=tags, start=0, end=1)


def item(text: str, path: str = "1.png", **more: object) -> CheckInput:
    return CheckInput(
        image_id=path,
        path=path,
        text=text,
        trigger="ohwx",
        class_word="woman",
        mentions=read(text),
        **more,  # type: ignore[arg-type]
    )


def codes(checked: CheckInput) -> list[str]:
    return [issue.code for issue in check_caption(checked) if issue.severity != "note"]


def found(checked: CheckInput, name: str) -> list[Issue]:
    return check_caption(checked, [name])


# ---- what speaks against what ---------------------------------------------------------------------------------------

AGAINST = [
    ("clothing", "black leather jacket", {"clothing": "white tank top"}),
    ("clothing", "a red dress", {"clothing": "cream blouse, beige trousers"}),
    ("clothing", "denim shorts", {"clothing": "white tank top, light jeans"}),
    ("clothing", "cream blouse and black trousers", {"clothing": "cream blouse, beige trousers"}),
    ("clothing", "black jacket over a red shirt", {"clothing": "black jacket, white shirt"}),
    ("clothing", "striped shirt", {"clothing": "plaid shirt"}),
    ("clothing", "denim jacket", {"clothing": "leather jacket"}),
    ("clothing", "bikini", {"clothing": "dark suit"}),
    ("makeup", "red lipstick", {"makeup": "bare face"}),
    ("makeup", "bare face", {"makeup": "makeup"}),
    ("headwear", "straw hat", {"headwear": "cap"}),
    ("footwear", "black boots", {"footwear": "white sneakers"}),
    ("jewelry", "silver earrings", {"jewelry": "gold hoop earrings"}),
    ("eyewear", "sunglasses", {"eyewear": "glasses"}),
    ("holding", "an umbrella", {"holding": "phone"}),
    ("setting", "on a beach", {"setting": "in a grey studio"}),
    ("setting", "in a red studio", {"setting": "in a grey studio"}),
    ("setting", "in a park", {"background": "plain white backdrop", "setting": "in a studio"}),
    ("background", "mountains in the distance", {"setting": "in a grey studio"}),
    ("background", "purple wall", {"background": "yellow wall"}),
    ("expression", "laughing", {"expression": "neutral"}),
    ("expression", "sad", {"expression": "broad smile"}),
    ("lighting", "harsh light", {"lighting": "soft"}),
    ("lighting", "neon light", {"lighting": "natural"}),
    ("time", "night", {"lighting": "natural"}),
    ("medium", "oil painting", {"medium": "photo"}),
    ("hair", "short blonde hair", {"hair": "long blonde hair"}),
    ("hair", "blonde hair", {"hair": "dark hair"}),
    ("hair", "ponytail", {"hair": "brown bun"}),
    ("eye_color", "green", {"eye_color": "brown"}),
    ("age", "sixties", {"age": "mid-twenties"}),
    ("pose", "sitting", {"action": "jumping"}),
    ("gaze", "afar", {"gaze": "camera"}),
    ("view", "back", {"view": "front"}),
    ("framing", "close-up", {"framing": "full body"}),
]
BESIDE = [
    ("clothing", "black jacket", {"clothing": "dark suit"}),
    ("clothing", "white shirt", {"clothing": "dark suit"}),
    ("clothing", "jeans", {"clothing": "white t-shirt"}),
    ("clothing", "a belt", {"clothing": "white t-shirt, jeans"}),
    ("clothing", "ivory blouse", {"clothing": "white blouse, jeans"}),
    ("clothing", "heather-grey jumper", {"clothing": "grey sweater"}),
    ("clothing", "red rugby shirt", {"clothing": "red rugby kit"}),
    ("jewelry", "a necklace", {"jewelry": "gold earrings"}),
    ("eyewear", "glasses", {"clothing": "white t-shirt"}),
    ("footwear", "white shoes", {"footwear": "white sneakers"}),
    ("makeup", "red lipstick", {"makeup": "makeup"}),
    ("setting", "in a street cafe", {"setting": "on a street"}),
    ("setting", "in a park", {"background": "green bokeh"}),
    ("background", "mountains in the distance", {"setting": "on a road"}),
    ("background", "grey wall", {"setting": "in a grey studio"}),
    ("background", "light grey backdrop", {"setting": "in a white studio"}),
    ("expression", "slight smile", {"expression": "neutral"}),
    ("expression", "pensive", {"expression": "neutral"}),
    ("lighting", "soft natural light", {"lighting": "natural"}),
    ("hair", "brown hair", {"hair": "long dark hair"}),
    ("hair", "short hair", {"hair": "blonde bob"}),
    ("hair", "light brown hair", {"hair": "dark blonde hair"}),
    ("age", "late twenties", {"age": "early thirties"}),
    ("age", "young", {"age": "mid-twenties"}),
    ("view", "three-quarter left", {"view": "front"}),
    ("mouth", "parted", {"mouth": "open"}),
]


@pytest.mark.parametrize(("slot", "value", "known"), AGAINST)
def test_what_speaks_against_a_fact(slot: str, value: str, known: Mapping[str, str]) -> None:
    fact = speaks_against(said(slot, value), facts(**known))
    assert fact is not None
    assert fact.slot in known


@pytest.mark.parametrize(("slot", "value", "known"), BESIDE)
def test_what_may_be_true_beside_it(slot: str, value: str, known: Mapping[str, str]) -> None:
    assert speaks_against(said(slot, value), facts(**known)) is None


@pytest.mark.parametrize(("slot", "value", "known"), AGAINST)
def test_a_weak_fact_is_not_asked(slot: str, value: str, known: Mapping[str, str]) -> None:
    weak = {name: trait(name, value, 0.59) for name, value in known.items()}
    assert speaks_against(said(slot, value), weak) is None


def test_a_list_that_may_be_incomplete_says_nothing_of_what_it_does_not_name() -> None:
    jacket = said("clothing", "black leather jacket")
    assert speaks_against(jacket, {"clothing": trait("clothing", "white tank top", 0.65)}) is None
    assert speaks_against(said("clothing", "black tank top"), {"clothing": trait("clothing", "white tank top", 0.65)})


@settings(deadline=None)
@given(st.sampled_from([row for row in slots() if row != "trigger"]), TEXT, TEXT)
def test_no_value_breaks_it_and_none_speaks_against_itself(slot: str, value: str, other: str) -> None:
    fact = trait(slot, other)
    speaks_against(said(slot, value), {slot: fact})
    assert speaks_against(said(slot, other), {slot: fact}) is None
    speaks_for(slot, value, other)


@pytest.mark.parametrize(
    ("slot", "value"), sorted({(slot, value) for slot, _, known in AGAINST for slot, value in known.items()})
)
def test_no_fact_speaks_against_itself(slot: str, value: str) -> None:
    assert speaks_against(said(slot, value), facts(**{slot: value})) is None


def test_the_table_is_sound() -> None:
    table = _table()
    names = [row.name for row in (*table.dimension, *table.thing)]
    assert len(set(names)) == len(names)
    for row in (*table.dimension, *table.thing):
        assert set(row.slots) <= set(slots()), row.name
        assert set(row.apart) <= set(row.slots), row.name
        assert all(said.split() for said in row.words.values()), row.name
    kinds = {kind for said in table.garments.words.values() for kind in said.split()}
    assert {kind for members in table.garments.region.values() for kind in members} <= kinds


def test_ages_are_of_their_decade_and_near_the_next() -> None:
    (age,) = dimensions("age")
    assert classes(age, "25-year-old") == {"20"}
    assert classes(age, "29") == {"20", "20-30"}
    assert classes(age, "31") & classes(age, "29") == {"20-30"}
    assert not classes(age, "25") & classes(age, "35")


# ---- bound traits in other words ------------------------------------------------------------------------------------

IDENTITY = {"hair": "long blonde hair", "eye_color": "blue", "age": "mid-twenties", "skin": "fair skin with freckles"}
LEAKS = {
    "hair": [
        "a golden-haired woman", "flaxen tresses", "a blonde", "her fair locks", "honey-coloured curls", "hair the colour of straw",
        "a mane of wheat-blonde hair", "her hair falls to her waist",
    ],
    "eye_color": ["sapphire eyes", "her azure gaze", "a blue-eyed woman", "her eyes, the shade of the sea", "eyes as blue as ice"],
    "age": ["in her twenties", "a twenty-something woman", "a young lady", "a 24-year-old", "aged 26", "mid-20s"],
    "skin": ["freckled cheeks", "a porcelain complexion", "fair-skinned", "freckles across her nose", "milky-white shoulders"],
}  # fmt: skip


def bound(slot: str) -> dict[str, Binding]:
    value, tags = canonical(slot, IDENTITY[slot])
    return {slot: Binding(slot=slot, decision="bound", value=value, tags=tags, reason="in all pictures", by="set")}


@pytest.mark.parametrize(("slot", "words"), [(slot, words) for slot, rows in LEAKS.items() for words in rows])
def test_a_bound_trait_is_found_in_other_words(slot: str, words: str) -> None:
    text = f"ohwx woman, a photo of a woman, {words}."
    assert "CAP004" in codes(item(text, bindings=bound(slot), traits=facts(**{slot: IDENTITY[slot]})))


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        ("hair", "her hair moves in the wind"),
        ("hair", "a golden dress"),
        ("hair", "a red hair ribbon"),
        ("eye_color", "smoky eyes"),
        ("eye_color", "under a blue sky"),
        ("age", "an old car behind her"),
        ("skin", "a fair in the background"),
    ],
)
def test_what_is_no_leak(slot: str, words: str) -> None:
    text = f"ohwx woman, a photo of a woman, {words}."
    assert "CAP004" not in codes(item(text, bindings=bound(slot), traits=facts(**{slot: IDENTITY[slot]})))


def test_another_value_than_the_bound_one_is_a_contradiction() -> None:
    text = "ohwx woman, a photo of a woman with short black hair."
    told = codes(item(text, bindings=bound("hair"), traits=facts(hair=IDENTITY["hair"])))
    assert "CAP006" in told
    assert "CAP004" not in told


@pytest.mark.parametrize(
    ("text", "phrase", "left"),
    [
        ("ohwx, a woman with long blonde hair in a park.", "long blonde hair", "ohwx, a woman in a park."),
        ("ohwx, a woman with long blonde hair and glasses.", "long blonde hair", "ohwx, a woman with glasses."),
        ("ohwx, a woman with a hat and long blonde hair.", "long blonde hair", "ohwx, a woman with a hat."),
        ("ohwx, a woman with a blonde bob, standing.", "blonde bob", "ohwx, a woman, standing."),
        ("ohwx. She has long blonde hair. She sits.", "long blonde hair", "ohwx. She sits."),
        ("ohwx, 1girl, long blonde hair, smile", "long blonde hair", "ohwx, 1girl, smile"),
        ("ohwx, an elderly woman", "elderly", "ohwx, a woman"),
        ("ohwx, a golden-haired actress in a park", "golden", "ohwx, an actress in a park"),
        ("ohwx with long blonde hair, blue eyes and a hat", "long blonde hair", None),
        ("ohwx, the wind plays with her fair mane as she runs", "fair mane", None),
        ("ohwx with long blonde hair and is smiling", "long blonde hair", None),
        ("ohwx, her blue eyes are open.", "blue", None),
    ],
)
def test_a_phrase_is_cut_only_where_the_sentence_stays_right(text: str, phrase: str, left: str | None) -> None:
    start = text.index(phrase)
    assert without(text, start, start + len(phrase)) == left


# ---- people ---------------------------------------------------------------------------------------------------------


def test_every_number_of_people_is_known() -> None:
    assert set(tables().people.total) == {value.id for value in slots()["people"].value}
    assert all(totals(value.id) for value in slots()["people"].value)


OTHERS = [
    "a photo of two women", "with a friend beside her", "A man stands behind her.", "She is in a crowd.", "a group of four",
    "hugging another woman", "She holds a baby.", "with her sister", "surrounded by onlookers", "A man's hand holds hers.",
    "2girls, smile", "1girl, 1boy", "The two of them laugh.", "with just one colleague", "Somebody stands behind her.",
    "flanked by a pair of other models", "a waiter at the table behind her", "her husband asleep in the next seat",
]  # fmt: skip
NOBODY = [
    "a young woman in a red dress. The woman smiles.", "a poster of a man on the wall", "She wears a man's shirt.",
    "a men's jacket", "dressed as a boy", "a couple of books", 'a shirt that says "two men and a dog"', "a baby blue dress",
    "her hair in a man bun", "an official photo", "a cartoon couple on her shirt", "a photo of a nurse", "1girl, solo",
    "a family-owned cafe", "boyfriend jeans",
]  # fmt: skip


@pytest.mark.parametrize("text", OTHERS)
def test_others_are_counted(text: str) -> None:
    assert [one for one in counted(f"ohwx woman, {text}", "woman") if one.least > 1]
    assert "CAP029" in codes(item(f"ohwx woman, {text}", traits=facts(people="alone")))


@pytest.mark.parametrize("text", NOBODY)
def test_nobody_else_is_seen(text: str) -> None:
    assert not [one for one in counted(f"ohwx woman, {text}", "woman") if one.least > 1]


@pytest.mark.parametrize(
    ("text", "known", "wrong"),
    [
        ("with a friend", "one other person", False),
        ("with two friends", "one other person", True),
        ("with two friends", "several other people", False),
        ("with just one colleague", "several other people", True),
        ("all by herself", "one other person", True),
        ("in a crowd", "one other person", True),
        ("with several people", "a crowd", False),
    ],
)
def test_how_many_there_are(text: str, known: str, wrong: bool) -> None:
    checked = item(f"ohwx woman, {text}", traits=facts(people=known))
    assert ("CAP029" in codes(checked)) == wrong


def test_a_class_word_of_several_people_is_not_counted() -> None:
    assert list(counted("ohwx twins, two women", "twins")) == []
    assert list(counted("ohwx couple, two women", "couple")) == []


# ---- left and right -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "from side facing right", "her face turned to the right", "in profile facing right", "right profile", "right-facing",
        "turned slightly to the right", "her body angled toward the viewer's right", "three-quarter view from the right",
        "facing rightward", "a three-quarter turn to the right", "her chin points right",
    ],
)  # fmt: skip
def test_the_side_is_read_and_exchanged(text: str) -> None:
    assert [one.side for one in turned(text)] == ["right"]
    (issue,) = found(item(f"ohwx woman, {text}.", traits=facts(view="three-quarter left")), "swapped-sides")
    assert issue.fix == f"ohwx woman, {text}.".replace("right", "left")
    assert found(item(f"ohwx woman, {text}.", traits=facts(view="profile right")), "swapped-sides") == []


@pytest.mark.parametrize(
    "text",
    [
        "a cup in her right hand", "looking to the right", "her eyes turned to the right", "turned to her right", "right behind her",
        "standing to the right of a car", "lit from the right side", "She left the room.", "hair over her right eye",
        "the window on the right",
    ],
)  # fmt: skip
def test_what_is_not_about_the_face(text: str) -> None:
    assert list(turned(text)) == []


def test_both_sides_are_mended_at_once_and_capitals_stay() -> None:
    checked = item("ohwx woman. Right profile, facing RIGHT.", traits=facts(view="profile left"))
    first, second = found(checked, "swapped-sides")
    assert first.fix == second.fix == "ohwx woman. Left profile, facing LEFT."
    assert "CAP006" not in codes(checked)


# ---- siblings -------------------------------------------------------------------------------------------------------

SEEN = [
    {"setting": "on a beach", "clothing": "red bikini", "view": "back", "hair": "long blonde hair"},
    {"setting": "in a grey studio", "clothing": "black suit", "view": "front", "hair": "short black hair"},
    {"setting": "in a park", "clothing": "white t-shirt, blue jeans", "view": "front", "hair": "brown ponytail"},
    {"setting": "in a kitchen", "clothing": "green dress", "view": "profile left", "hair": "long red hair"},
]


def told(values: Mapping[str, str], before: str = "a photo of a woman") -> str:
    return (
        f"ohwx woman, {before} with {values['hair']}, {values['setting']}, in a {values['clothing']}, "
        f"{'from behind' if values['view'] == 'back' else 'front view' if values['view'] == 'front' else 'left profile'}"
    )


def gathered(texts: Sequence[str], seen: Sequence[Mapping[str, str]], composed: Sequence[str] = ()) -> list[CheckInput]:
    """Pictures with these captions and facts, as one set."""
    known = [facts(**values) for values in seen]
    bindings = bind(known, "person")
    items = [
        item(
            text,
            f"{number}.png",
            traits=known[number],
            bindings=bindings,
            to_say=frozenset(known[number]),
            composed=composed[number] if composed else told(seen[number]),
        )
        for number, text in enumerate(texts)
    ]
    around = Around([sibling(one) for one in items])
    return [replace(one, around=around) for one in items]


def test_swapped_captions_name_each_other() -> None:
    texts = [told(values, "this is a picture of her") for values in SEEN]
    assert not any(found(one, "caption-of-another-picture") for one in gathered(texts, SEEN))
    texts[0], texts[1] = texts[1], texts[0]
    first, second, *rest = gathered(texts, SEEN)
    (one,), (other,) = (found(checked, "caption-of-another-picture") for checked in (first, second))
    assert one.message == "belongs to 1.png, whose caption belongs here: the two are swapped"
    assert other.message == "belongs to 0.png, whose caption belongs here: the two are swapped"
    assert not any(found(checked, "caption-of-another-picture") for checked in rest)


def test_a_copied_caption_names_its_picture() -> None:
    texts = [told(SEEN[0]), told(SEEN[0]), told(SEEN[2]), told(SEEN[3])]
    (issue,) = found(gathered(texts, SEEN)[1], "caption-of-another-picture")
    assert issue.message.startswith("fits 0.png and not this picture")
    assert found(gathered(texts, SEEN)[0], "caption-of-another-picture") == []


def test_one_wrong_word_does_not_make_it_another_pictures() -> None:
    texts = [told({**values, "hair": "long green hair"}) for values in SEEN]
    assert not any(found(one, "caption-of-another-picture") for one in gathered(texts, SEEN))


def test_pictures_that_look_the_same_may_share_a_caption() -> None:
    same = [SEEN[0], SEEN[0], SEEN[1], SEEN[2]]
    texts = [told(values) for values in same]
    first = gathered(texts, same)[0]
    assert found(first, "caption-of-another-picture") == []
    (issue,) = found(first, "identical-caption")
    assert issue.severity == "note"
    assert "nothing that is known tells the pictures apart" in issue.message


def test_identical_captions_of_pictures_that_differ() -> None:
    texts = [told(SEEN[0]), told(SEEN[0]).upper().replace(",", " ,"), told(SEEN[2]), told(SEEN[3])]
    (issue,) = found(gathered(texts, SEEN)[1], "identical-caption")
    assert issue.severity == "warning"
    assert issue.message.startswith("is also the caption of 0.png")
    assert found(gathered(texts, SEEN)[2], "identical-caption") == []


def test_a_plan_that_says_nothing_makes_identical_captions() -> None:
    checked = [replace(one, to_say=frozenset({"trigger"})) for one in gathered(["ohwx woman"] * 4, SEEN)]
    assert not any(found(one, "identical-caption") for one in checked)


@given(TEXT)
def test_plain_texts_are_compared_without_signs(text: str) -> None:
    assert plain(text) == plain(f" {text.lower()} .")
    assert plain(plain(text)) == plain(text)


# ---- what all captions share ----------------------------------------------------------------------------------------


def shared_in(texts: Sequence[str], composed: Sequence[str] = ()) -> list[list[Issue]]:
    around = Around(
        [
            Sibling(image_id=str(n), path=f"{n}.png", text=text, composed=composed[n] if composed else "")
            for n, text in enumerate(texts)
        ]
    )
    return [found(replace(item(text), around=around), "shared-fragment") for text in texts]


PLACES = ["in a park", "on a beach", "at a desk", "by a window", "under a tree"]


@pytest.mark.parametrize(
    ("having", "of", "told"), [(4, 4, True), (3, 3, False), (4, 5, True), (3, 4, False), (8, 10, True), (7, 10, False)]
)
def test_a_fragment_counts_from_four_captions_and_80_percent(having: int, of: int, told: bool) -> None:
    more = " Highly detailed, professional photography."
    texts = [f"ohwx woman {PLACES[n % 5]}.{more if n < having else ''}" for n in range(of)]
    issues = shared_in(texts)
    assert [bool(one) for one in issues] == [told and n < having for n in range(of)]
    for one in issues[: having if told else 0]:
        assert one[0].fix is not None
        assert one[0].span is not None
        assert "professional" not in one[0].fix
    if told:
        assert f"as {having} of the {of} captions do" in issues[0][0].message


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("ohwx woman {0}. Quiet golden charm fills it. She sits.", "ohwx woman {0}. She sits."),
        ("ohwx woman, quiet golden charm, {0}.", "ohwx woman, {0}."),
        ("ohwx woman {0}, quiet golden charm", "ohwx woman {0}"),
        ("ohwx woman with quiet golden charm {0}.", None),
    ],
)
def test_a_fragment_is_cut_as_a_sentence_or_between_commas(text: str, fixed: str | None) -> None:
    issues = shared_in([text.format(place) for place in PLACES])
    for place, (issue,) in zip(PLACES, issues, strict=True):
        assert issue.fix == (fixed.format(place) if fixed else None)


def test_what_fluxcap_would_say_in_all_captions_is_its_template() -> None:
    texts = [f"ohwx woman {place}, in a narrow velvet gown." for place in PLACES]
    assert all(shared_in(texts))
    assert not any(shared_in(texts, composed=[f"{text} She wears it." for text in texts]))


@given(
    st.lists(st.lists(st.sampled_from(["a", "red", "old", "cat", "sat", ". "]), max_size=12), min_size=4, max_size=6)
)
def test_shared_fragments_are_in_that_many_captions(rows: list[list[str]]) -> None:
    texts = [" ".join(row) for row in rows]
    around = Around([Sibling(image_id=str(n), path=str(n), text=text) for n, text in enumerate(texts)])
    for run, number in shared(around, "").runs.items():
        holding = 0
        for text in texts:
            said = [tuple(word.word for word in sentence) for sentence in sentences(text)]
            holding += any(one[at : at + len(run)] == run for one in said for at in range(len(one)))
        assert holding == number
        assert number >= 0.8 * len(texts)


# ---- order ----------------------------------------------------------------------------------------------------------

PARTS = {
    "opening": "ohwx woman, a photo of a woman with black hair.",
    "scene": "She is in a park.",
    "worn": "She is wearing a red coat.",
    "face": "She is smiling with her mouth closed.",
    "tail": "front view, soft lighting",
}


def in_order(*names: str) -> str:
    return " ".join(
        PARTS[name] if PARTS[name].endswith(".") or name == names[-1] else f"{PARTS[name]}." for name in names
    )


@given(st.permutations(list(PARTS)[1:]))
def test_sentences_out_of_their_order_are_found_and_sorted(names: list[str]) -> None:
    issues = found(item(in_order("opening", *names)), "order-broken")
    assert bool(issues) == (names != list(PARTS)[1:])
    for issue in issues:
        assert issue.fix == in_order(*PARTS)


@pytest.mark.parametrize(
    "text",
    [
        "soft lighting, full body, ohwx woman, a photo of a woman with black hair. She is in a park.",
        "ohwx woman, front view, soft lighting, a photo of a woman with black hair in a park.",
        "ohwx woman. She is wearing a red coat. She has long black hair. She is in a park.",
    ],
)
def test_tags_and_hair_at_the_wrong_place(text: str) -> None:
    assert found(item(text), "order-broken")


@pytest.mark.parametrize(
    "text",
    [
        "ohwx woman, a close-up photo of a smiling woman in a red coat, in a park.",
        "ohwx woman in a park, wearing a red coat and smiling, looking at the camera. The light is soft.",
        "Looking down, ohwx woman is in a park. She wears a red coat.",
        "ohwx woman",
        "",
    ],
)
def test_free_prose_is_let_be(text: str) -> None:
    assert found(item(text), "order-broken") == []


def test_a_set_may_have_an_order_of_its_own() -> None:
    usual = in_order("opening", "worn", "scene", "tail")
    other = in_order("opening", "tail", "scene")
    for texts, broken in (([usual] * 5, False), ([usual] * 3, True), ([usual] * 5 + [other], False)):
        checked = gathered(texts, [SEEN[n % 4] for n in range(len(texts))], ["x"] * len(texts))
        assert bool(found(checked[0], "order-broken")) == broken
    assert found(checked[-1], "order-broken")


# ---- mending --------------------------------------------------------------------------------------------------------


def test_mends_are_applied_one_after_the_other() -> None:
    checked = item(
        "A photo of a woman with long blonde hair.\nShe is facing right in the park.",
        traits=facts(view="profile left"),
        bindings=bound("hair"),
    )
    assert mend(checked) == "ohwx, A photo of a woman. She is facing left in the park."
    assert mend(replace(checked, text=mend(checked), mentions=read(mend(checked)))) == mend(checked)


def test_what_needs_no_mend_stays_to_the_letter() -> None:
    for text in ("ohwx woman in a park.\n", "", "  \n", "ohwx"):
        assert mend(item(text)) == text


@settings(deadline=None)
@given(TEXT)
def test_no_text_breaks_a_mend(text: str) -> None:
    checked = item(
        text, traits=facts(view="profile left", people="alone", hair="long blonde hair"), bindings=bound("hair")
    )
    once = mend(checked)
    assert mend(replace(checked, text=once, mentions=read(once))) == once
    assert bool(once.strip()) or not text.strip()


@settings(deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=6))
def test_no_set_breaks_a_check(texts: list[str]) -> None:
    for checked in gathered(texts, [SEEN[n % 4] for n in range(len(texts))]):
        for issue in check_caption(checked):
            assert issue.message.isprintable()
            assert issue.span is None or 0 <= issue.span[0] < issue.span[1] <= len(checked.text)
