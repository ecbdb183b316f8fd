"""Reading answers: objects out of whatever stands around them, refusals, loops, preambles; never an exception."""

from __future__ import annotations

import json
import re
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fluxcap.codec import encode_json
from fluxcap.vlms.answers import (
    is_looping,
    is_refusal,
    parse,
    strip_preamble,
    strip_thinking,
    whole_sentences,
    words,
)

GOOD = {"hair": "long red hair", "mouth": "closed"}
PLAIN = json.dumps(GOOD)

WRAPPED = {
    "plain": PLAIN,
    "indented": json.dumps(GOOD, indent=4),
    "fence": f"```json\n{PLAIN}\n```",
    "fence without a name": f"```\n{PLAIN}\n```",
    "fence left open": f"```json\n{PLAIN}",
    "text before and after": f"Sure! Here is the JSON:\n{PLAIN}\nLet me know if you need more {{details}}.",
    "thinking": f"<think>The hair is {{red}}, so {{'hair': 'blue', 'a': 1, 'b': 2}}</think>\n{PLAIN}",
    "end of thinking only": f'It could be {{"hair": "blue", "a": "1", "b": "2"}}.\n</think>\n{PLAIN}',
    "thinking that never ends": f"<think>\n{PLAIN}",
    "a draft before": f'First: {{"hair": "blue", "mouth": "open"}}. Better: {PLAIN}',
    "a schema before": f'As you asked ({{"type": "object"}}): {PLAIN}',
    "in a list": f"[{PLAIN}]",
    "in a list, in text": f"The answer [1] is [{PLAIN}]",
    "traits": json.dumps({"traits": GOOD}),
    "Result": json.dumps({"Result": GOOD}),
    "a list in a fence": f"```\n[{json.dumps({'traits': GOOD})}]\n```",
    "as a text": json.dumps(PLAIN),
    "double braces": "{" + PLAIN + "}",
    "blanks after it": PLAIN + "\n" * 500,
    "byte order mark": "\ufeff" + PLAIN,
}


@pytest.mark.parametrize("text", WRAPPED.values(), ids=WRAPPED.keys())
def test_what_stands_around_an_object(text):
    assert parse(text) == GOOD


MENDED = [
    ("{'hair': 'long red hair', 'mouth': 'closed'}", GOOD),
    ('{"hair": "long red hair", "mouth": "closed",}', GOOD),
    ('{"hair": "long red hair", // as seen\n "mouth": "closed" /* or so */}', GOOD),
    ('{"hair": "long red hair",  # as seen\n "mouth": "closed"}', GOOD),
    ('{hair: "long red hair", mouth: "closed"}', GOOD),
    ('{"hair": "long red hair"\n "mouth": "closed"}', GOOD),
    ("{“hair”: “long red hair”, “mouth”: “closed”}", GOOD),
    ("{'clothing': 'the woman's hat', 'n': 1}", {"clothing": "the woman's hat", "n": 1}),
    ('{"text": "a "sale" sign", "n": 1}', {"text": 'a "sale" sign', "n": 1}),
    ('{"text": "two\nlines"}', {"text": "two\nlines"}),
    ('{"a": True, "b": None, "c": [1, 2,], "d": {"e": 03,},}', {"a": True, "b": None, "c": [1, 2], "d": {"e": 3}}),
    ("{'a': 'caf\\u00e9 \\ud83d\\ude00 \\'x\\' \\n'}", {"a": "café 😀 'x' \n"}),
]


@pytest.mark.parametrize(("text", "value"), MENDED)
def test_slips_are_mended(text, value):
    assert parse(text) == value
    assert parse(f"Here:\n```json\n{text}\n```") == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no object",
        "[]",
        '"text"',
        "12",
        "{",
        '[{"a": 1}, {"a": 2}]',
        'Two people: [{"a": 1}, {"a": 2}]',
        '{"a": {"b": 1}, "c": "tru',  # the part inside is not the answer
        '{"a": "left", "right", "b": {"c": 1}}',
        '{"a": 1 or 2, "b": {"c": 1}} and {',
        "<think>hm {'a': 1}",
        '{"a": "x\', "b": "y"',
    ],
)
def test_what_is_no_answer(text):
    assert parse(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "one", "b": "tw', {"a": "one"}),
        ('```json\n{"a": "one", "b": "two",\n\n\n', {"a": "one", "b": "two"}),
        ('{"a": "one", "b": {"c": 1, "d"', {"a": "one"}),
        ('{"a": 1, "n": 12', {"a": 1}),  # perhaps 120
        ('{"traits": {"a": "one"}, "b"', {"a": "one"}),
        ('{"a": "tw', None),
    ],
)
def test_a_cut_object_only_where_asked(text, value):
    assert parse(text) is None
    assert parse(text, whole=False) == value


KEYS = st.text(max_size=8).filter(lambda key: key.strip().lower() not in words()["wrappers"])
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=6)
BEFORE = st.sampled_from(["", "Sure, here is the JSON:\n", "<think>Well {now}.</think>\n", "I see [1] her:\n"])
AFTER = st.sampled_from(["", "\n\nLet me know!", "\n{end", "\n[2] is a note."])
ODD = st.text(alphabet="{}[]\"'\\:,/*# \nunTr1e<think>`a", max_size=60)


@given(OBJECTS, st.sampled_from([None, 2]), st.booleans())
@example({"a": "</think>"}, None, False)
@example({"a": "```"}, 2, True)
def test_any_object_comes_back(value, indent, ascii_only):
    assert parse(json.dumps(value, indent=indent, ensure_ascii=ascii_only)) == value


@given(
    st.dictionaries(KEYS, VALUES, min_size=2, max_size=6),
    BEFORE,
    AFTER,
    st.sampled_from(["{}", "```json\n{}\n```", "~~~\n{}\n~~~"]),
)
def test_any_object_comes_back_out_of_its_wrapping(value, before, after, fence):
    text = json.dumps(value)
    if "think>" in text:  # thinking inside an object in text cannot be told from thinking around it
        return
    assert parse(before + fence.replace("{}", text) + after) == value


@given(st.text() | ODD, st.booleans())
@example("{" * 5000, True)
@example('{"a":' * 5000, True)
@example('{"a": ' + "9" * 5000 + ",}", True)
@example('{"a": "\\ud800", "b": 1e999, "c": NaN, "d": 99999999999999999999999}', True)
@example('{"a": ' + "9" * 4000 + "}", True)
@example("{'\\u12", False)
@example("{'\\ud800\\udc0", False)
def test_nothing_raises(text, whole):
    found = parse(text, whole=whole)
    assert found is None or isinstance(found, dict)
    encode_json(found)  # it can be stored
    assert isinstance(is_refusal(text), bool)
    assert isinstance(is_looping(text), bool)
    assert len(whole_sentences(strip_preamble(text))) <= len(text)


@pytest.mark.parametrize(
    "text",
    ['["' * 50_000, '{"' * 50_000, "{'a': \"" + "\" '" * 50_000, "<think>" * 20_000, "[" * 100_000, ": " * 90_000],
)
def test_long_nonsense_is_quick(text):
    start = time.process_time()
    parse(text)
    strip_preamble(text)
    is_looping(text)
    is_refusal(text)
    assert time.process_time() - start < 4


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I cannot assist with identifying people.",
        "Sorry, I am unable to describe this image.",
        "I cannot describe people in pictures.",
        "As an AI, I don't describe such pictures.",
        "<think>Is it allowed?</think>Unfortunately, I'm not able to do so.",
        "This picture shows something that I can't assist with.",
        '{"error": "I\'m sorry, I cannot help with this."}',
        '```json\n{"refusal": "I can\'t assist with that", "traits": ""}\n```',
        "My apologies, however I must decline.",
    ],
)
def test_refusals(text):
    assert is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        PLAIN,
        "A woman who looks sorry, in a red coat.",
        "I see a woman.",
        "Sorry state of a house, with broken windows.",
        json.dumps({"text": "I can't even", "hair": "red", "mouth": "open"}),
        "A sign says: content policyholders. " + "She stands there. " * 40,
        "Unable-bodied is written on the wall.",
    ],
)
def test_what_is_no_refusal(text):
    assert not is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"hair": "red",' + "\n" * 200,
        '{"hair": "red",' + " \n\t" * 60,
        '{"hair": "red\\n\\n' + "\\n" * 200,
        "a red coat, " * 8,
        "She wears a hat. " + "The woman stands in front of the white wall and looks ahead. " * 4,
        "x" * 100,
        "before it " + "la " * 40 + "and after it",
    ],
)
def test_loops(text):
    assert is_looping(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        json.dumps({f"slot_{n}": "unknown" for n in range(25)}, indent=4),
        json.dumps({str(n): {"value": "unknown", "sure": False} for n in range(25)}, indent=8),
        "very, very, very, very, very long hair",
        "A woman stands in front of the white wall and looks ahead. " * 3,
        "---------- a line ----------",
    ],
)
def test_what_is_no_loop(text):
    assert not is_looping(text)


PROSE = [
    ("A woman in a red coat.", "A woman in a red coat."),
    ("This image shows a woman.", "This image shows a woman."),
    ("Sure, here is a caption:\nA woman.", "A woman."),
    ("Sure! Here's a detailed description of the image:\n\n**A woman.**", "**A woman.**"),
    ("Certainly. A woman.", "A woman."),
    ("Caption: A woman.", "A woman."),
    ("**Description:** A woman.", "A woman."),
    ("Based on the image, here is a prompt: a woman", "a woman"),
    ("```\nA woman.\n```", "A woman."),
    ('Here is the caption: "A woman in red."', "A woman in red."),
    ("A woman. She smiles. Let me know if you need more!", "A woman. She smiles."),
    ("A woman. I hope this helps. Feel free to ask.", "A woman."),
    ("<think>Who?</think>A woman.", "A woman."),
    ("Here is a woman: red hair, blue eyes.", "Here is a woman: red hair, blue eyes."),
    ("A sign: here is the picture", "A sign: here is the picture"),
    ("Sure-footed goats on a rock.", "Sure-footed goats on a rock."),
    ("Great Wall of China in fog.", "Great Wall of China in fog."),
    ("Sure", "Sure"),
]


@pytest.mark.parametrize(("text", "left"), PROSE)
def test_preambles(text, left):
    assert strip_preamble(text) == left
    assert strip_preamble(left) == left


def test_whole_sentences():
    assert whole_sentences('A woman. She says "no." Her ha') == 'A woman. She says "no."'
    assert whole_sentences("A woman of 1.5") == ""


def test_thinking():
    assert strip_thinking("<think>a</think>b") == "b"
    assert strip_thinking("a</think>b") == "b"
    assert strip_thinking("b<think>a") == "b"


def test_the_words():
    table = words()
    assert set(table) == {"wrappers", "refusal", "prose"}
    assert set(table["refusal"]) == {"starts", "regrets", "holds"}
    assert set(table["prose"]) == {"interjections", "openers", "nouns", "labels", "closers"}
    for row in (table["wrappers"], *table["refusal"].values(), *table["prose"].values()):
        assert row == sorted(set(row)) or len(row) == len(set(row))
        for phrase in row:
            assert re.fullmatch(r"[a-z]+(?:['\- ][a-z]+)*", phrase), phrase
