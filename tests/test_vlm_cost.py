"""Tokens of pictures against sums done by hand from the sources named in vlms.toml, and what a run takes in words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.vlms.cost import RULES, estimate, families, family, image_tokens, plain


@pytest.mark.parametrize(
    ("model", "width", "height", "tokens"),
    [
        # 32 px: 32 x 32; 683 / 32 = 21.3 -> 21
        ("Qwen/Qwen3-VL-8B-Instruct", 1024, 1024, 1024),
        ("qwen3-vl:8b", 1024, 683, 32 * 21),
        ("qwen3-vl:8b", 64, 64, 64),  # too small: scaled to 256 x 256
        ("Qwen3.5-9B", 1024, 1024, 1024),
        # 28 px: 36.6 -> 37, 24.4 -> 24
        ("qwen2.5vl:7b", 1024, 683, 37 * 24),
        ("Qwen2-VL-7B-Instruct", 1024, 1024, 37 * 37),
        # 20000 x 1000: 714 x 36 cells are too many; scale 1/1.2472: 572.7 x 28.6
        ("Qwen2-VL-7B-Instruct", 20000, 1000, 572 * 28),
        ("gemma3:12b", 1024, 683, 256),
        ("google/gemma-4-12b-it", 1024, 683, 280),
        ("llama-joycaption-beta-one-hf-llava", 1024, 683, 729),
        ("llava-1.5-7b-hf", 1024, 1024, 576),
        ("llava:7b", 1024, 1024, 5 * 576),
        # nearest in shape: 3 x 3 (fills more than half), 3 x 2 (1.5 for 1.499), 1 x 1; a thumbnail beside
        ("OpenGVLab/InternVL3-8B", 1024, 1024, 10 * 256),
        ("OpenGVLab/InternVL3_5-8B", 1024, 683, 7 * 256),
        ("OpenGVLab/InternVL3-8B", 300, 300, 256),
        # 1024^2 / 448^2 = 5.2 -> 5, 6 or 7: 2 x 3; 3.5 -> 3, 4 or 5: 2 x 2
        ("openbmb/MiniCPM-V-2_6", 1024, 1024, 7 * 64),
        ("minicpm-v:8b", 1024, 683, 5 * 64),
        ("minicpm-v:8b", 400, 400, 64),
        # Mistral's own example of a square: 64 rows of 64 and an end each; 4032 x 3024 is sent as 1024 x 768
        ("mistralai/Pixtral-12B-2409", 1024, 1024, 64 * 65),
        ("pixtral-12b", 4032, 3024, 48 * 65),
        ("mistral-small3.2:24b", 1024, 683, 25 * 38),
        ("llama3.2-vision:11b", 1024, 1024, 4 * 1601),
        ("llama3.2-vision:11b", 1120, 500, 2 * 1601),
        ("llama3.2-vision:11b", 500, 500, 1601),
        # the examples of OpenAI's page
        ("gpt-4o", 1024, 1024, 765),
        ("openai/gpt-4o-2024-11-20", 2048, 4096, 1105),
        ("gpt-4o-mini", 1024, 1024, 2833 + 4 * 5667),
        ("gpt-5", 1024, 1024, 70 + 4 * 140),
        ("gpt-4.1-mini", 1024, 1024, 1659),  # 1024 x 1.62
        ("gpt-4.1-mini", 1800, 2400, 2352),  # 1452 x 1.62
        ("gpt-5-nano", 1024, 1024, 2519),  # 1024 x 2.46
        # the example of Anthropic's page: 1092 x 1092 is about 1590
        ("claude-sonnet-4-5", 1092, 1092, 1590),
        ("claude-sonnet-4-5", 3136, 1568, 1639),  # as 1568 x 784
        ("gemini-3-flash", 1024, 683, 1120),
    ],
)
def test_tokens_of_a_picture(model: str, width: int, height: int, tokens: int) -> None:
    assert image_tokens(model, width, height) == tokens


@pytest.mark.parametrize("model", ["", "my-model", "gpt-5.9", "llava-onevision-7b", "llama3.1:8b", "qwen3:8b"])
def test_no_rule_is_no_number(model: str) -> None:
    assert image_tokens(model, 1024, 1024) is None


def test_a_picture_without_size() -> None:
    with pytest.raises(ValueError, match="0 x 5"):
        image_tokens("gemma3", 0, 5)


@pytest.mark.parametrize("row", families(), ids=lambda row: row.name)
def test_families_of_the_file(row) -> None:
    assert row.rule in RULES
    assert row.source
    assert all(re.compile(pattern).pattern == pattern.lower() for pattern in row.models)
    assert RULES[row.rule](1024, 768, **row.numbers) > 0


@given(
    st.sampled_from(families()),
    st.integers(min_value=1, max_value=20_000),
    st.integers(min_value=1, max_value=20_000),
)
def test_every_size_has_a_bounded_cost(row, width: int, height: int) -> None:
    assert 0 <= RULES[row.rule](width, height, **row.numbers) <= 70_000


def test_names_are_folded() -> None:
    assert plain("Qwen/Qwen2.5-VL_7B:Q4 K_M") == "qwen-qwen2.5-vl-7b-q4-k-m"
    assert family("QWEN3VL-8B-Instruct-Q8_0.gguf") is family("qwen/qwen3-vl-8b")


def test_cost_in_words() -> None:
    assert str(estimate(312, 720, 380, 290, 1 / 0.43, 1)) == (
        "312 pictures, about 1.1 k tokens each (380 of them the picture): 0.34 million in, 0.09 million out; "
        "about 12 minutes at 0.43/s"
    )


def test_cost_of_an_unknown_model_is_a_lower_bound() -> None:
    cost = estimate(312, 720, None, 290, None, 4)
    assert cost.tokens_in == 312 * 720
    assert str(cost) == (
        "312 pictures, about 720 tokens each besides the picture itself (this model's rule is not known): "
        "at least 0.22 million in, 0.09 million out"
    )


@pytest.mark.parametrize(
    ("pictures", "each", "slots", "seconds"),
    [(100, 2.0, 1, 200.0), (100, 2.0, 4, 50.0), (1, 2.0, 4, 2.0), (0, 2.0, 4, None), (5, None, 4, None)],
)
def test_slots_share_the_time(pictures: int, each: float | None, slots: int, seconds: float | None) -> None:
    assert estimate(pictures, 700, 300, 200, each, slots).seconds == seconds


@pytest.mark.parametrize(
    ("pictures", "each", "said"),
    [
        (
            1,
            1.0,
            "1 picture, about 1.0 k tokens each (300 of them the picture): 1.0 k in, 200 out; about 1 second at 1/s",
        ),
        (20, 3.0, "20 k in, 4.0 k out; about 60 seconds at 0.33/s"),
        (1000, 0.05, "1.00 million in, 0.20 million out; about 50 seconds at 20/s"),
        (5000, 8.0, "; about 11.1 hours at 0.12/s"),
        (50_000, 8.0, "50 million in, 10 million out; about 4.6 days at 0.12/s"),
    ],
)
def test_figures_fit_their_size(pictures: int, each: float, said: str) -> None:
    assert str(estimate(pictures, 700, 300, 200, each, 1)).endswith(said)


def test_nothing_to_do() -> None:
    assert str(estimate(0, 700, 300, 200, 1.0, 1)) == "no pictures, no tokens"
