from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap import codec
from fluxcap.errors import UsageError
from fluxcap.types import Caption, Evidence, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner:
    bound: tuple[str, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    id: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer:
    trigger: str | None = None
    count: int = 0
    on: bool = False
    way: Literal["fixed", "varied"] = "fixed"
    plan: Inner = Inner()
    row: tuple[Row, ...] = ()
    maybe: Inner | None = None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("plan.buond = []", "t.toml: plan.buond is not a setting; did you mean plan.bound?"),
        ("[plan]\nbuond = []", "t.toml: plan.buond is not a setting; did you mean plan.bound?"),
        ("triger = 'x'", "t.toml: triger is not a setting; did you mean trigger?"),
        ("bound = []", "t.toml: bound is not a setting; did you mean plan.bound?"),
        ("maybe.bond = []", "t.toml: maybe.bond is not a setting; did you mean maybe.bound?"),
        ("plan.zzzz = 1", "t.toml: plan.zzzz is not a setting; known here: bound, usual"),
        ("row = [{id = 'a', wieght = 2}]", "t.toml: row[0].wieght is not a setting; did you mean row[0].weight?"),
        ("row = [{id = 'a'}, {weight = 2}]", "t.toml: row[1]: Object missing required field `id`"),
        ("count = 'x'", "t.toml: count must be a whole number, not text"),
        ("trigger = 3", "t.toml: trigger must be text in quotes, not a whole number"),
        ("on = 1", "t.toml: on must be true or false, not a whole number"),
        ("plan = 3", "t.toml: plan must be a table, not a whole number"),
        ("plan.bound = 'hair'", "t.toml: plan.bound must be a list, not text"),
        ("plan.bound = ['a', 2]", "t.toml: plan.bound[1] must be text in quotes, not a whole number"),
        ("plan.usual.hair = 3", "t.toml: plan.usual.hair must be text in quotes, not a whole number"),
        ("way = 'fxed'", 't.toml: way is "fxed", but may only be "fixed" or "varied"; did you mean "fixed"?'),
        ("a = 1\nb =", "t.toml is not valid TOML: Invalid value (at end of document); mend that line"),
        ("count = 1\ncount = 2\n", "t.toml is not valid TOML: Cannot overwrite a value (at line 2, column 10); mend that line"),
    ],
)  # fmt: skip
def test_a_misfit_is_told_in_one_line_with_its_path(text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        codec.decode_toml(text, Outer, "t.toml")
    assert str(caught.value) == said
    assert "\n" not in said


def test_what_fits_is_read() -> None:
    text = 'trigger = "zx"\nway = "varied"\n[plan]\nbound = ["hair"]\nusual = {hair = "red"}\n[[row]]\nid = "a"\nweight = 2'
    assert codec.decode_toml(text, Outer, "t.toml") == Outer(
        trigger="zx", way="varied", plan=Inner(bound=("hair",), usual={"hair": "red"}), row=(Row(id="a", weight=2.0),)
    )


@pytest.mark.parametrize("text", ["{", "[1,", '{"count": 01}', b"\xff\xfe", ""])
def test_broken_json_is_told(text: str | bytes) -> None:
    with pytest.raises(UsageError, match=r"^answer is not valid JSON"):
        codec.decode_json(text, Outer, "answer")


def test_json_of_another_shape_is_told() -> None:
    with pytest.raises(UsageError, match=r"^answer: the whole must be a table, not a list$"):
        codec.decode_json("[]", Outer, "answer")


@given(st.dictionaries(st.text(), st.text()))
def test_json_is_stable_and_comes_back(usual: dict[str, str]) -> None:
    value = Outer(plan=Inner(usual=usual), row=(Row(id="ü", weight=0.5),))
    text = codec.encode_json(value)
    backwards = Outer(plan=Inner(usual=dict(reversed(usual.items()))), row=value.row)
    assert codec.encode_json(backwards) == text
    assert codec.decode_json(text, Outer, "x") == value


def test_json_is_compact_utf8() -> None:
    assert codec.encode_json(Row(id="ü")) == '{"id":"ü","weight":1.0}'


def test_to_builtins_leaves_plain_data() -> None:
    caption = Caption(
        image_id="1", text="a b", spans=(Span(slot="hair", start=0, end=1),), tags=("x",), author="fluxcap"
    )
    plain = codec.to_builtins(caption)
    assert list(plain["spans"]) == [{"slot": "hair", "start": 0, "end": 1}]
    assert codec.from_builtins(plain, Caption, "x") == caption


def test_the_types_of_the_package_can_be_read() -> None:
    claim = Evidence(image_id="1", slot="hair", value="red", tags=("red_hair",), confidence=0.5, source="human")
    assert codec.decode_json(codec.encode_json([claim]), tuple[Evidence, ...], "x") == (claim,)
