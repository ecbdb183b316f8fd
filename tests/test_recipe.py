"""Recipes and sample prompts: the numbers, where they come from, and what P21 and P22 mean for a set."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap import recipe as recipes
from fluxcap import tokens
from fluxcap.compose import Wording, styles
from fluxcap.errors import UsageError
from fluxcap.project import RecipeSettings, load
from fluxcap.recipe import disagreement, lora_bytes, outside, recipe, sizes, ways
from fluxcap.samples import sample_prompts
from fluxcap.types import Binding, Trait
from fluxcap.vocabulary import presets, slots

WORDING = Wording(trigger="ohwx", class_word="woman")


def trait(slot: str, value: str) -> Trait:
    return Trait(image_id="1", slot=slot, value=value, tags=(), confidence=0.9, sources=("human:x",))


def a_set(*pictures: Mapping[str, str]) -> list[dict[str, Trait]]:
    return [{slot: trait(slot, value) for slot, value in one.items()} for one in pictures]


def plan(**decisions: Any) -> dict[str, Binding]:
    return {
        slot: Binding(slot=slot, decision=decision, value=None, tags=(), reason="", by="set")
        for slot, decision in decisions.items()
    }


# ---- the recipe


def test_the_practice_s_numbers_are_the_default() -> None:
    made = recipe(25, "person")
    assert (made.learning_rate, made.dim, made.alpha) == (0.0001, 64, 64)  # P20
    assert (made.length, made.steps, made.passes) == ("sweet-spot", 2000, 80)  # P22
    assert made.resolutions == (512, 768, 1024)
    assert made.checkpoints == (500, 750, 1000, 1250, 1500, 1750, 2000)
    assert made.seed == 42


@pytest.mark.parametrize("preset", presets())
def test_every_preset_has_a_recipe(preset: str) -> None:
    assert recipe(30, preset).steps >= 500


def test_a_style_goes_by_passes() -> None:
    made = recipe(100, "style")
    assert (made.length, made.steps) == ("passes", 2500)


def test_repeats_are_25_for_each_picture() -> None:
    assert recipe(25, "person", RecipeSettings(length="repeats")).steps == 625


def test_steps_beat_a_length_and_passes_choose_one() -> None:
    assert recipe(25, "person", RecipeSettings(length="repeats", steps=1234)).steps == 1234
    assert recipe(25, "person", RecipeSettings(passes=100)).steps == 2500


def test_alpha_goes_with_dim() -> None:
    assert recipe(25, "person", RecipeSettings(dim=16)).alpha == 16
    assert recipe(25, "person", RecipeSettings(dim=48)).alpha == 48
    assert recipe(25, "person", RecipeSettings(dim=32, alpha=1)).alpha == 1


def test_p21_and_p22_contradict_each_other_at_25_pictures() -> None:
    repeats, spot = ways(25)
    assert (repeats.low, repeats.high) == (500, 625)
    assert (spot.low, spot.high) == (1750, 2000)
    assert spot.passes == (70, 80)
    assert "contradict" in disagreement(25)
    assert "contradict" in disagreement(100_000)
    assert "meet" in disagreement(80)
    assert not outside(27)
    assert "25 to 30" in outside(8)


def test_a_set_without_pictures_has_no_recipe() -> None:
    with pytest.raises(UsageError):
        recipe(0, "person")


@given(st.integers(1, 100_000), st.sampled_from(presets()), st.sampled_from([None, "sweet-spot", "repeats", "passes"]))
def test_every_recipe_can_be_trained(images: int, preset: str, length: Any) -> None:
    made = recipe(images, preset, RecipeSettings(length=length))
    assert made.steps >= 1
    assert made.checkpoints[-1] == made.steps
    assert list(made.checkpoints) == sorted(set(made.checkpoints))
    disagreement(images)


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        if any(isinstance(one, (int, float)) for one in value.values()):
            yield path, value
        for key, one in value.items():
            yield from numbers(one, f"{path}.{key}")


def test_every_number_names_its_source() -> None:
    for path, table in numbers(dict(recipes.table())):
        if not path.startswith((".samples", ".presets", ".save")):
            assert table.get("source"), path
    assert recipes.table()["save"]["source"]
    assert [size.dim for size in sizes()] == [64, 32, 16]
    assert all(size.about and size.source for size in sizes())


def test_a_lora_s_size_is_that_of_real_files() -> None:
    """ai-toolkit's files of dim 16 for FLUX.1 have 172 MB."""
    assert lora_bytes(16, tokens.target("flux1-dev").params_per_dim) == pytest.approx(171_969_408, rel=0.01)


@pytest.mark.parametrize(
    "line",
    ["dim = 0", "learning_rate = 1.0", "resolutions = [500]", "resolutions = []", "resolutions = [512, 640, 768, 1024]", "length = 'long'", "steps = -1"],
)  # fmt: skip
def test_settings_that_cannot_be_trained_are_refused(tmp_path: Any, line: str) -> None:
    (tmp_path / "fluxcap.toml").write_text(f"[recipe]\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match="recipe"):
        load(tmp_path)


def test_settings_are_read(tmp_path: Any) -> None:
    (tmp_path / "fluxcap.toml").write_text("[recipe]\ndim = 16\nresolutions = [1024]\n", encoding="utf-8")
    chosen = load(tmp_path, {"recipe.steps": 700}).recipe
    assert recipe(25, "person", chosen).resolutions == (1024,)
    assert (chosen.dim, chosen.steps) == (16, 700)


# ---- sample prompts


SHOWN = a_set(
    {"medium": "photo", "clothing": "a red raincoat", "hair": "long blonde hair", "setting": "in a park"},
    {"medium": "photo", "clothing": "a green knitted sweater", "hair": "long blonde hair", "setting": "on a beach"},
)
FREE = plan(medium="free", clothing="free", hair="bound", setting="free", eyewear="free")


def asked(**options: Any) -> dict[str, str]:
    chosen = {"traits": SHOWN, "bindings": FREE, "wording": WORDING} | options
    return {one.name: one.text for one in sample_prompts(**chosen)}


def test_the_samples_ask_for_what_the_set_does_not_show() -> None:
    prompts = asked()
    assert prompts["plain"] == "ohwx woman, a photo of a woman."
    assert prompts["clothing"] == "ohwx woman, a photo of a woman. She is wearing a black tuxedo."
    assert "library" in prompts["setting"]
    assert "painting" in prompts["medium"]
    assert "full body" in prompts["far"]
    assert "from side" in prompts["side"]
    assert prompts["without-trigger"] == "A photo of a woman."


def test_only_free_traits_that_the_set_knows_are_swapped() -> None:
    assert "hair" not in asked()
    assert "eyewear" not in asked()


def test_where_all_is_shown_the_rarest_is_asked_for() -> None:
    values = recipes.table()["samples"]["swaps"]["clothing"]
    shown = a_set(*({"clothing": value} for value in (*values, *values[:2], *values[3:])))
    assert values[2].removeprefix("a ") in asked(traits=shown)["clothing"]


def test_the_order_of_pictures_does_not_change_the_samples() -> None:
    many = a_set(*({"medium": "photo" if n % 2 else "drawing", "clothing": f"a {n} coat"} for n in range(10)))
    first = asked(traits=many)
    for _ in range(5):
        random.shuffle(many)
        assert asked(traits=many) == first


@pytest.mark.parametrize("preset", presets())
@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize("class_word", ["woman", "dog", "teapot", ""])
def test_every_kind_of_set_has_samples(preset: str, style: str, class_word: str) -> None:
    every = plan(**dict.fromkeys(slots(), "free"))
    shown = a_set(
        {"medium": "photo", "clothing": "a coat", "hair": "red hair", "setting": "in a park", "subject": "woman"}
    )
    wording = Wording(trigger="ohwx", class_word=class_word, preset=preset, style=style)
    prompts = sample_prompts(shown, every, wording)
    assert len({one.name for one in prompts}) == len(prompts)
    assert all(one.text for one in prompts)
    assert all(one.text.startswith("ohwx") for one in prompts[:-1])
    assert "ohwx" not in prompts[-1].text


def test_an_empty_plan_still_has_samples() -> None:
    prompts = sample_prompts([{}], {}, WORDING)
    assert [one.name for one in prompts] == ["plain", "far", "side", "without-trigger"]
    assert all(one.text for one in prompts)
