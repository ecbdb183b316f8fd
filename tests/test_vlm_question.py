"""What a vision model is asked: every wanted trait in words and in the schema, in a settled order, from a file that fits."""

from __future__ import annotations

import json
from importlib import resources

import pytest

from fluxcap.errors import UsageError
from fluxcap.vlms.question import LONGEST, MOST_HINTS, UNKNOWN, asked, prompt_version, questions
from fluxcap.vocabulary import slots

OWN = resources.files("fluxcap").joinpath("data", "prompts.toml").read_text(encoding="utf-8")
ASKED = [row for row in slots().values() if row.question]


def lines(question):
    """Key -> its line in the question."""
    return {
        line[2:].split(":")[0]: line
        for line in question.text.splitlines()
        if line.startswith("- ") and line[2:].split(":")[0] in slots()
    }


def test_each_trait_is_asked_in_words():
    question = questions()
    said = lines(question)
    assert set(said) == {row.id for row in ASKED}
    assert "trigger" not in said
    for row in ASKED:
        assert row.question in said[row.id]
        for value in row.value:
            assert f'"{value.id}"' in said[row.id]
        assert (f'"{UNKNOWN}"' in said[row.id]) == row.listed
    tail = question.text.splitlines()[-1]
    assert tail.endswith(", ".join(said)), "the tail names all keys"


def test_the_schema_is_flat_and_closed():
    schema = questions().schema
    assert set(schema) == {"type", "properties", "required", "additionalProperties"}
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert schema["required"] == list(schema["properties"]) == [row.id for row in asked()]
    for slot_id, form in schema["properties"].items():
        row = slots()[slot_id]
        if row.listed:
            assert form == {"type": "string", "enum": [*(value.id for value in row.value), UNKNOWN]}
        else:
            assert form == {"type": "string", "maxLength": LONGEST}
    assert json.loads(json.dumps(schema)) == schema


def test_order_is_the_captions_and_weak_traits_come_last():
    ids = [row.id for row in asked()]
    last = [row.id for row in ASKED if row.ask_last]
    assert last == ["view", "camera_height"]
    assert ids[-2:] == last
    assert ids[:-2] == [row.id for row in ASKED if not row.ask_last]
    assert list(lines(questions())) == ids


def test_only_what_is_wanted_is_asked_in_any_order():
    question = questions(["camera_height", "hair", "trigger", "clothing"])
    assert list(question.schema["properties"]) == ["hair", "clothing", "camera_height"] == list(lines(question))
    assert question == questions(["clothing", "camera_height", "hair", "hair"])
    assert "makeup" not in question.text


@pytest.mark.parametrize("wanted", [[], ["trigger"]])
def test_nothing_to_ask(wanted):
    with pytest.raises(UsageError, match="no trait is left"):
        questions(wanted)


def test_an_unknown_trait():
    with pytest.raises(UsageError, match="colour_of_socks is not a trait"):
        questions(["colour_of_socks"])


def test_what_is_not_to_be_done_is_said():
    text = questions().text
    for told in ("Never say what is absent", '"unknown"', "as the viewer sees", "appears to be", "JSON"):
        assert told in text
    assert not set("{}") & set(text), "a place was not filled"


def test_hints_are_tags_as_words_each_once():
    question = questions(hints=["red_dress", "smile", "red dress", " ", "_", "a\nb"])
    assert "sees: red dress, smile, a b." in question.text
    assert "tagger" not in questions().text
    assert "sees: red dress." in questions(kind="prose", hints=["red_dress"]).text
    many = questions(hints=[f"tag{n}" for n in range(500)]).text
    assert f"tag{MOST_HINTS - 1}." in many
    assert f"tag{MOST_HINTS}" not in many


def test_prose_has_no_schema():
    question = questions(kind="prose")
    assert question.schema is None
    assert "JSON" not in question.text + question.system
    assert "tagger" not in question.text
    assert "{" not in question.text


def test_tokens():
    assert (questions().max_tokens, questions(kind="prose").max_tokens) == (700, 400)
    assert questions(max_tokens=1500).max_tokens == 1500 == questions(kind="prose", max_tokens=1500).max_tokens


def test_the_same_always():
    assert questions(hints=["a"]) == questions(hints=["a"])
    assert list(questions().schema["properties"]) == list(questions().schema["properties"])


# ------------------------------------------------------------------------------------------------- a person's own prompts


@pytest.fixture
def own(tmp_path):
    def write(text):
        path = tmp_path / "mine.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def test_own_prompts_are_used(own):
    path = own(OWN.replace("Never say what is absent", "Nunca {x}"))
    assert "Nunca {x}" in questions(prompts=path).text
    assert questions(prompts=own(OWN)) == questions()


def test_the_version_tells_the_file(own):
    assert prompt_version() == prompt_version(own(OWN)) == prompt_version(own(OWN.replace("\n", "\r\n")))
    assert prompt_version(own(OWN + "# another remark\n")) != prompt_version()
    assert prompt_version().startswith("1-")
    assert len(prompt_version()) == 10
    assert prompt_version(own(OWN.replace("version = 1", "version = 7"))).startswith("7-")


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("version", "version is missing"),
        ("lead", "traits.lead is missing"),
        ("tail", "traits.tail is missing"),
        ("rules", "traits.rules is missing"),
        ("text", "prose.text is missing"),
        ("[prose]", "prose is missing"),
    ],
)
def test_a_missing_part_is_told_by_name(own, part, told):
    cut = OWN.split(f"\n{part}")[0] if part == "[prose]" else OWN.replace(f"\n{part} =", f"\n# {part} =", 1)
    if part == "lead":
        cut = OWN.replace(OWN[OWN.index("lead =") : OWN.index("line =")], "")
    if part == "rules":
        cut = OWN.replace(OWN[OWN.index("rules =") : OWN.index("\nhints =")], "")
    with pytest.raises(UsageError, match=told):
        questions(prompts=own(cut))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (OWN.replace("{keys}", ""), "traits.tail has no place for {keys}"),
        (OWN.replace("- {key}:", "-"), "traits.line has no place for {key}"),
        (OWN.replace("version = 1", 'version = "1"'), "version must be a whole number"),
        (OWN.replace("version = 1", "version = "), "not valid TOML"),
        (OWN.replace("\nlead =", "\nled = 1\nlead ="), "led is not a setting"),
        (OWN.replace("[prose]", "[other]"), "prose is missing"),
        ("traits = 3\nversion = 1\nprose = 4", "traits"),
        (b"version = 1 # \xff", "is not UTF-8"),
    ],
)
def test_what_does_not_fit_is_told_in_one_line(own, text, told):
    with pytest.raises(UsageError) as caught:
        questions(prompts=own(text))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match=r"none\.toml cannot be read"):
        prompt_version(tmp_path / "none.toml")
