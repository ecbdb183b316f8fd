"""Coverage: what a set has, wants and has too much of, wish by wish, and what is never asked for."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.bind import Wish as Said
from fluxcap.bind import bind
from fluxcap.codec import from_builtins
from fluxcap.coverage import (
    Coverage,
    Have,
    Wishes,
    constancies,
    cover,
    not_told,
    shopping_list,
    told,
    too_many,
    unplaced,
    wishes,
)
from fluxcap.errors import UsageError
from fluxcap.types import Trait
from fluxcap.vocabulary import canonical, presets, slots

LABELS = Path(__file__).resolve().parents[2] / "shared" / "photos" / "labels.csv"
LEFT = "take 2 close-ups facing left (the nose points to the left edge of the picture)"
RIGHT = "take 2 close-ups facing right (the nose points to the right edge of the picture)"


def picture(**values: str) -> dict[str, Trait]:
    found = {}
    for slot, value in values.items():
        settled, tags = canonical(slot, value)
        found[slot] = Trait(image_id="1", slot=slot, value=settled, tags=tags, confidence=0.9, sources=("human",))
    return found


def named(pictures: Iterable[dict[str, Trait]]) -> dict[str, dict[str, Trait]]:
    return {f"{number:03}.png": one for number, one in enumerate(pictures)}


def covered(pictures: Iterable[dict[str, Trait]], preset: str = "person", said: Said | None = None) -> Coverage:
    mine = named(pictures)
    return cover(mine, preset, bind(list(mine.values()), preset, said))


def have(found: Coverage, wish: str) -> Have:
    return next(one for one in found.haves if one.id == wish)


def practice() -> list[dict[str, Trait]]:
    """25 pictures as P16 to P18 ask for them, all of them known."""
    angles = [("close-up", view) for view in ("front", "three-quarter left", "profile right") for _ in range(2)]
    angles += [("head-and-shoulders", view) for view in ("front", "profile left", "three-quarter right")]
    angles += [("waist-up", "front")] * 4 + [("knee-up", "three-quarter left")] * 4
    angles += [("full body", "front")] * 4 + [("full body", "back")] * 4
    cycles = {
        "expression": ("neutral", "broad smile", "surprised", "neutral", "sad"),
        "gaze": ("camera", "side", "camera"),
        "makeup": ("red lipstick", "bare face"),
        "clothing": ("red dress", "blue jeans", "black suit", "white coat"),
        "setting": ("in a park", "on a beach", "in a kitchen", "on a street"),
        "lighting": ("natural", "soft", "hard"),
    }
    return [
        picture(framing=framing, view=view, **{slot: values[n % len(values)] for slot, values in cycles.items()})
        for n, (framing, view) in enumerate(angles)
    ]


# what a person reads


def test_a_set_as_the_practice_asks_for_wants_nothing() -> None:
    found = covered(practice())
    assert found.pictures == found.aim == 25
    assert shopping_list(found) == []
    assert too_many(found) == []
    assert not_told(found) == []
    assert constancies(found) == []
    assert told(found)[-1] == ("Shopping list", ["nothing is missing, of what can be told"])


def test_without_the_close_ups_of_one_side_they_are_asked_for() -> None:
    left = ("three-quarter left", "profile left")
    pictures = [one for one in practice() if not (one["view"].value in left and "waist" not in one["framing"].value)]
    found = covered([one for one in pictures if one["framing"].value != "knee-up"])
    assert LEFT in shopping_list(found)
    assert RIGHT not in shopping_list(found)


def test_only_faces_from_the_front() -> None:
    found = covered([picture(framing="close-up", view="front")] * 20)
    assert shopping_list(found) == [
        LEFT,
        RIGHT,
        "take 6 waist-up pictures (down to the waist or the knees)",
        "take 6 full-body pictures (with the feet)",
    ]
    assert too_many(found) == [
        "close-ups straight on, in 20 of 20 pictures; 8 are enough: add others, or leave some out",
        "close-ups in all, in 20 of 20 pictures; 12 are enough: add others, or leave some out",
    ]
    assert constancies(found) == ["framing: close-up, in all 20 pictures", "view: front, in all 20 pictures"]


def test_what_is_missing_altogether_comes_before_what_is_missing_in_part() -> None:
    pictures = [picture(framing="close-up", view="front")] + [picture(framing="full body", view="front")] * 5
    asked = shopping_list(covered([*pictures, *[picture(framing="close-up", view="profile right")] * 2]))
    assert asked[:2] == [LEFT, "take 6 waist-up pictures (down to the waist or the knees)"]
    assert asked[2:] == ["take 1 close-up straight on", "take 1 full-body picture (with the feet)"]


def test_all_in_one_studio() -> None:
    """P18."""
    found = covered([picture(setting="in a studio")] * 12)
    places = have(found, "places")
    assert (places.have, places.want, places.missing, places.most, places.over) == (1, 4, 3, 7, 5)
    assert places.values == (("in a studio", 12),)
    assert "take pictures in 3 more places" in shopping_list(found)
    assert too_many(found) == [
        "setting: in a studio, in 12 of 12 pictures; 7 are enough: add others, or leave some out"
    ]
    assert constancies(found) == ["setting: in a studio, in all 12 pictures"]


def test_the_most_common_place_is_the_one_that_crowds() -> None:
    found = covered([picture(setting="in a park")] * 2 + [picture(setting="in a studio")] * 10)
    assert have(found, "places").over == 3
    assert too_many(found) == [
        "setting: in a studio, in 10 of 12 pictures; 7 are enough: add others, or leave some out"
    ]


def test_places_that_say_the_same_are_one() -> None:
    found = covered([picture(clothing=value) for value in ("a suit", "suit", "a business suit", "blue jeans")])
    assert have(found, "outfits").have == 2


def test_few_pictures_are_never_too_many() -> None:
    assert too_many(covered([picture(framing="close-up", view="front")] * 9)) == []


@pytest.mark.parametrize(("pictures", "want"), [(0, 2), (1, 2), (25, 2), (37, 2), (38, 3), (100, 8)])
def test_wants_grow_with_the_set(pictures: int, want: int) -> None:
    assert have(covered([picture(framing="full body", view="front")] * pictures), "close-left").want == want


def test_there_are_no_more_distances_than_the_table_lists() -> None:
    distances = next(wish for _, wish in wishes().of("style") if wish.id == "framings")
    assert distances.wanted(10_000) == len(slots()["framing"].value)


@pytest.mark.skipif(not LABELS.is_file(), reason="the labelled photographs are not there (../shared/photos)")
def test_the_labelled_photographs_are_counted_as_their_labels_say() -> None:
    with LABELS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    columns = {"view": "view", "framing": "shot", "gaze": "gaze"}
    told_by = [{slot: row[column] for slot, column in columns.items() if row[column]} for row in rows]
    found = covered(picture(**values) for values in told_by)
    near = [one for one in told_by if one["framing"] in ("close-up", "head-and-shoulders")]
    for side in ("left", "right"):
        assert have(found, f"close-{side}").have == sum(one.get("view", "").endswith(side) for one in near) > 0
    assert have(found, "close-front").have == sum(one.get("view") == "front" for one in near) > 40
    assert have(found, "half").have == sum(one["framing"] in ("waist-up", "knee-up") for one in told_by) > 20
    assert have(found, "full").have == sum(one["framing"] == "full body" for one in told_by) > 20
    assert have(found, "gaze-aside").have == sum(one.get("gaze") in ("side", "up", "down") for one in told_by) > 20


# what is not known is not asked for


def test_what_no_source_saw_cannot_be_told() -> None:
    found = covered([picture(framing="close-up", view="front", gaze="camera")] * 12)
    assert not have(found, "painted").told
    assert have(found, "painted").missing == 2
    asked = " ".join(shopping_list(found))
    assert not any(word in asked for word in ("make-up", "bare", "smile", "outfit", "place", "light"))
    told_ = not_told(found)
    assert (
        "pictures with make-up and pictures with a bare face: no source saw make-up; a vision model or your captions can tell"
        in told_
    )


def test_where_nobody_measured_that_is_the_first_thing_to_do() -> None:
    found = not_told(covered([picture(clothing="red dress")] * 12))
    (line,) = (one for one in found if "no source saw gaze" in one)
    assert line.endswith("no source saw gaze; measuring, a vision model or your captions can tell")


def test_what_few_sources_saw_cannot_be_told_either() -> None:
    known = [picture(framing="close-up", view="front", gaze="camera")]
    blind = [picture(framing="close-up", view="front")]
    found = covered(known * 6 + blind * 4)
    assert [one for one in not_told(found) if "gaze" in one] == [
        "pictures looking aside: no source saw gaze in 4 of 10 pictures; a vision model or your captions can tell"
    ]
    found = covered(known * 8 + blind * 2)
    assert "take 3 pictures looking aside (to a side, up or down)" in shopping_list(found)
    assert len(have(found, "gaze-aside").perhaps) == 2


def test_who_says_nothing_of_make_up_may_show_a_bare_face() -> None:
    """A model is not believed that there is none, so pictures without a word of make-up are no evidence of make-up."""
    made_up = [picture(makeup="red lipstick")] * 20
    assert have(covered([*made_up, picture()]), "bare").told is False
    assert "take 2 pictures with a bare face" in shopping_list(covered(made_up))


def test_a_filled_wish_is_told_however_much_is_unknown() -> None:
    found = have(covered([picture(expression="smiling")] * 3 + [picture()] * 9), "smiling")
    assert (found.have, found.missing, found.told, len(found.perhaps)) == (3, 0, True, 9)


def test_unknown_view_counts_where_the_framing_does_not_rule_it_out() -> None:
    pictures = [picture(framing="close-up"), picture(framing="full body"), picture(view="profile left"), picture()]
    found = covered(pictures)
    assert have(found, "close-left").perhaps == ("000.png", "002.png", "003.png")
    assert have(found, "close-right").perhaps == ("000.png", "003.png")
    assert unplaced(found) == ["2 pictures: framing not known", "3 pictures: view not known"]


# what counts


def test_several_people_and_defects_count() -> None:
    pictures = [picture(framing="full body", view="front", people="a crowd", defects="blurry")] * 2
    assert have(covered(pictures), "full").have == 2


def test_pictures_that_play_somebody_else_do_not_count() -> None:
    pictures = named([picture(framing="full body", view="front")] * 8)
    found = cover(pictures, "person", bind(list(pictures.values()), "person"), ["003.png", "no such.png"])
    assert found.pictures == have(found, "full").have == 7
    assert found.left_out == ("003.png",)
    assert unplaced(found) == ["003.png: not counted, since the subject seems to play somebody else"]


def test_many_that_do_not_count_are_not_all_named() -> None:
    pictures = named([picture(view="front")] * 9)
    line = unplaced(cover(pictures, "person", bind([], "person"), list(pictures)[:7]))[-1]
    assert line.startswith("000.png, 001.png, 002.png, 003.png, 004.png and 2 more: not counted")


def test_what_the_person_bound_need_not_vary() -> None:
    pictures = [picture(clothing="red dress", makeup="red lipstick")] * 12
    ids = {one.id for one in covered(pictures, said=Said(bound=frozenset({"clothing", "makeup"}))).haves}
    assert {one.id for one in covered(pictures).haves} - ids == {"outfits", "painted", "bare"}


def test_likeness_binds_all_and_still_wants_the_angles() -> None:
    assert LEFT in shopping_list(covered([picture(framing="close-up", view="front")] * 12, "likeness"))


def test_a_character_is_seen_from_behind_and_may_wear_one_costume() -> None:
    found = covered([picture(framing="full body", view="front", clothing="red armour")] * 12, "character")
    assert "take 2 pictures from behind (for the back of the costume)" in shopping_list(found)
    assert not any("outfit" in one.name or "make-up" in one.name for one in found.haves)


def test_an_object_has_no_face() -> None:
    found = covered([picture(framing="full body", view="front")] * 12, "object")
    assert "take 3 pictures turned to the left (its front points to the left edge of the picture)" in shopping_list(
        found
    )
    assert not {"gaze", "expression", "makeup"} & {slot for one in found.haves for slot in one.slots}


def test_a_style_wants_other_subjects() -> None:
    found = covered([picture(subject="cat")] * 12, "style")
    assert "take pictures of 5 more subjects" in shopping_list(found)
    assert "class word: cat, in 12 of 12 pictures; 4 are enough: add others, or leave some out" in too_many(found)


# the matrix


def test_the_matrix_has_what_there_is_and_what_is_wished_for() -> None:
    found = covered([picture(framing="close-up", view="front")] * 3 + [picture(framing="knee-up", view="front")])
    assert [row.value for row in found.matrix] == [value.id for value in slots()["framing"].value]
    assert [cell.column for cell in found.matrix[0].cells] == list(wishes().matrix.order[:5])
    cells = {(row.value, cell.column): cell for row in found.matrix for cell in row.cells}
    assert len(cells["close-up", "front"].pictures) == 3
    assert not cells["close-up", "front"].wanted
    assert cells["close-up", "profile left"].wanted
    assert cells["head-and-shoulders", "three-quarter right"].wanted
    assert cells["knee-up", "front"].wanted, "five waist-up pictures are missing"


def test_a_picture_from_behind_has_its_column() -> None:
    found = covered([picture(framing="full body", view="back")])
    assert found.matrix[0].cells[-1].column == "back"


def test_where_nothing_is_known_or_wished_there_is_no_matrix() -> None:
    assert covered([picture(framing="close-up")] * 3, "style").matrix == ()
    assert covered([picture(framing="close-up")] * 3, said=Said(bound=frozenset({"view"}))).matrix == ()


# the data


def kinds_slots() -> list[tuple[str, tuple[str, ...]]]:
    return [(kind.slot, (*kind.one_of, *kind.none_of)) for kind in wishes().kinds.values()]


def test_slots_and_values_are_those_of_the_trait_table() -> None:
    for slot_id, values in kinds_slots():
        assert values, slot_id
        assert set(values) <= {value.id for value in slots()[slot_id].value}
    for group in wishes().group:
        for wish in group.wish:
            assert set(wish.kinds) <= wishes().kinds.keys()
            assert not wish.differ or wish.differ in slots()
            assert wish.kinds or wish.differ, wish.id


def test_a_kind_names_what_it_is_or_what_it_is_not() -> None:
    assert all(bool(kind.one_of) != bool(kind.none_of) for kind in wishes().kinds.values())
    axes = (wishes().matrix.rows, wishes().matrix.columns)
    assert all(kind.one_of for kind in wishes().kinds.values() if kind.slot in axes)
    assert set(wishes().kinds) == {name for group in wishes().group for wish in group.wish for name in wish.kinds}


def test_the_columns_are_the_listed_values() -> None:
    axes = wishes().matrix
    assert sorted(axes.order) == sorted(value.id for value in slots()[axes.columns].value)


def test_ids_are_unique_and_numbers_make_sense() -> None:
    every = [wish for group in wishes().group for wish in group.wish]
    assert len({wish.id for wish in every}) == len(every)
    for wish in every:
        assert wish.want or wish.most, f"{wish.id} asks for nothing"
        assert 0 <= wish.want <= (wish.per or wishes().pictures), "else a picture more could raise the want by two"
        assert wish.most is None or 0 < wish.most < 100


@pytest.mark.parametrize("preset", presets())
def test_every_preset_has_wishes_that_a_set_of_the_aim_can_fill(preset: str) -> None:
    mine = [wish for _, wish in wishes().of(preset)]
    assert len(mine) >= 4
    for slot_id in ("framing", "view", "gaze", "expression"):
        alone = [wish for wish in mine if wish.about == (slot_id,) and not wish.differ]
        assert sum(wish.want for wish in alone) <= wishes().pictures


def test_groups_name_presets() -> None:
    assert {preset for group in wishes().group for preset in group.presets} == set(presets())


def test_an_unknown_key_is_refused_by_name() -> None:
    text = resources.files("fluxcap").joinpath("data", "coverage.toml").read_text(encoding="utf-8")
    data = tomllib.loads(text)
    data["group"][0]["wish"][0]["least"] = 3
    with pytest.raises(UsageError, match=r"group\[0\]\.wish\[0\]\.least"):
        from_builtins(data, Wishes, "coverage.toml")


# properties

VALUES: Mapping[str, list[str]] = {
    "framing": [value.id for value in slots()["framing"].value],
    "view": [value.id for value in slots()["view"].value],
    "gaze": ["camera", "side", "down"],
    "expression": ["neutral", "broad smile", "surprised", "winking"],
    "makeup": ["bare face", "red lipstick"],
    "setting": ["in a park", "on a beach", "in a studio"],
    "clothing": ["red dress", "a suit", "blue jeans"],
    "subject": ["cat", "dog"],
}
TRAITS = st.fixed_dictionaries({}, optional={slot: st.sampled_from(values) for slot, values in VALUES.items()})
SETS = st.lists(TRAITS.map(lambda values: picture(**values)), max_size=40)
PRESETS = st.sampled_from(presets())


@given(SETS, PRESETS)
def test_the_figures_agree(pictures: list[dict[str, Trait]], preset: str) -> None:
    found = covered(pictures, preset)
    for one in found.haves:
        assert 0 <= one.have <= len(pictures)
        assert one.have == len(one.values or one.pictures)
        assert one.missing == max(0, one.want - one.have)
        assert not set(one.pictures) & set(one.perhaps)
        assert bool(one.ask) == (one.told and one.missing > 0)
        assert str(one.missing) in one.ask or not one.ask
        assert 0 <= one.over <= len(one.pictures)
    both = sum("framing" in one and "view" in one for one in pictures)
    assert sum(len(cell.pictures) for row in found.matrix for cell in row.cells) == both
    assert not any(cell.wanted for row in found.matrix for cell in row.cells) or shopping_list(found)


@given(SETS, PRESETS, st.data())
def test_a_wanted_picture_more_is_never_more_missing(
    pictures: list[dict[str, Trait]], preset: str, data: st.DataObject
) -> None:
    _, wish = data.draw(st.sampled_from(list(wishes().of(preset))))
    before = have(covered(pictures, preset), wish.id)
    kinds = [wishes().kinds[name] for name in wish.kinds]
    values = {kind.slot: kind.one_of[0] if kind.one_of else "red lipstick" for kind in kinds}
    if wish.differ:
        listed = [value.id for value in slots()[wish.differ].value if slots()[wish.differ].listed]
        seen = [value for value, _ in before.values]
        values[wish.differ] = next((value for value in listed if value not in seen), "zeppelin")
        if listed and values[wish.differ] not in listed:
            return
    after = have(covered([*pictures, picture(**values)], preset), wish.id)
    assert after.have == before.have + 1
    assert after.missing <= before.missing


@given(SETS, PRESETS)
def test_the_order_of_the_pictures_does_not_matter(pictures: list[dict[str, Trait]], preset: str) -> None:
    mine = named(pictures)
    bindings = bind(pictures, preset)
    assert cover(mine, preset, bindings) == cover(dict(reversed(mine.items())), preset, bindings)


@given(SETS, PRESETS)
def test_a_picture_of_which_nothing_is_known_changes_no_count(pictures: list[dict[str, Trait]], preset: str) -> None:
    before, after = covered(pictures, preset), covered([*pictures, {}], preset)
    for one, other in zip(before.haves, after.haves, strict=True):
        assert (one.have, one.pictures, one.values) == (other.have, other.pictures, other.values)
        assert len(other.perhaps) == len(one.perhaps) + 1


@given(SETS, PRESETS, st.sets(st.integers(0, 39)))
def test_what_is_left_out_is_as_if_it_were_not_there(
    pictures: list[dict[str, Trait]], preset: str, out: set[int]
) -> None:
    mine = named(pictures)
    bindings = bind(pictures, preset)
    paths = {f"{number:03}.png" for number in out}
    found = cover(mine, preset, bindings, paths)
    assert found.haves == cover({p: t for p, t in mine.items() if p not in paths}, preset, bindings).haves
    assert set(found.left_out) == paths & mine.keys()


@given(st.lists(st.dictionaries(st.sampled_from(list(slots())), st.text(max_size=20)), max_size=12), PRESETS)
def test_strange_text_never_crashes(values: list[dict[str, str]], preset: str) -> None:
    pictures = [
        {
            slot: Trait(image_id="1", slot=slot, value=value, tags=(), confidence=0.9, sources=("vlm:a",))
            for slot, value in one.items()
        }
        for one in values
    ]
    assert told(covered(pictures, preset))
