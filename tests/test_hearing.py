"""What is believed of a vision model's answer: rule by rule, per trait; nothing that it says breaks the hearing."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fluxcap.hearing import Heard, Refused, hear, hear_prose, one_answer_for_many
from fluxcap.thinking import thinking
from fluxcap.vocabulary import canonical, is_nothing, slots
from fluxcap.vocabulary.tags import listed


def heard(slot: str, value: object, **more: object) -> Heard:
    return hear({slot: value}, image_id="id", source="vlm:m", **more)


def values(found: Heard) -> dict[str, str]:
    assert all(one.image_id == "id" and one.source == "vlm:m" for one in found.evidence)
    return {one.slot: one.value for one in found.evidence}


def reasons(found: Heard) -> list[str]:
    return [one.reason for one in found.refused]


# --------------------------------------------------------------------------------------------------------- believed


@pytest.mark.parametrize(
    ("slot", "said", "value"),
    [
        ("hair", "long wavy red hair", "long wavy red hair"),
        ("hair", "Long wavy red hair.", "long wavy red hair"),
        ("clothing", "a denim jacket, white T-shirt", "denim jacket, white T-shirt"),
        ("clothing", ["white shirt", "none", "red tie"], "white shirt, red tie"),
        ("mouth", "Closed", "closed"),
        ("mouth", "slightly open", "parted"),
        ("mouth", "slightly parted", "parted"),
        ("framing", "medium shot", "waist-up"),
        ("gaze", "looking directly at the camera", "camera"),
        ("gaze", "away", "side"),
        ("camera_height", "eye-level", "eye level"),
        ("view", "Three-quarter left view", "three-quarter left"),
        ("people", 2, "one other person"),
        ("people", 2.0, "one other person"),
        ("people", "no one else", "alone"),
        ("people", "Nobody", "alone"),
        ("camera_height", "slightly below eye level", "from below"),
        ("mouth", "slight smile, closed", "closed"),
        ("subject", "The woman", "woman"),
        ("pose", "facing away from the viewer", "facing away from the viewer"),
        ("action", "looking inside", "looking inside"),
        ("people", "six or more people", "six or more people"),
        ("text", "'Lakers' on the shirt", '"Lakers" on the shirt'),
        ("subject", "a woman in a red dress", "woman"),
        ("text", "NIKE café 東京 or bust", "NIKE café 東京 or bust"),
        ("age", "in her twenties", "in her twenties"),
    ],
)
def test_plain_values(slot, said, value):
    found = heard(slot, said)
    assert values(found) == {slot: value}
    assert not found.refused
    assert not found.cleaned


def test_tags_come_along():
    (claim,) = heard("clothing", "red dress").evidence
    assert claim.tags == ("red_dress",)


@pytest.mark.parametrize("key", ["facial_hair", "Facial hair", "facial-hair", " FACIAL HAIR "])
def test_keys_in_any_spelling(key):
    assert values(heard(key, "stubble")) == {"facial_hair": "stubble"}


def test_a_trait_counts_once_and_its_own_key_first():
    found = hear({"Hair": "short hair", "hair": "long hair"}, image_id="id", source="vlm:m")
    assert values(found) == {"hair": "long hair"}
    assert values(heard("make-up", "red lipstick")) == {"makeup": "red lipstick"}


def test_the_vocabularys_own_words_are_believed():
    """What people's tags are called is nothing that a model may not say; denials, games and the like are few."""
    phrases = [(one.slot, one.phrase) for one in listed().values() if one.slot in slots() and one.phrase]
    phrases = [(slot, phrase) for slot, phrase in phrases if slots()[slot].question][::10]
    refused = [one for slot, phrase in phrases for one in heard(slot, phrase).refused]
    assert len(phrases) > 500
    assert len(refused) < 0.03 * len(phrases), refused


# --------------------------------------------------------------------------------------------------------- unsaid


@pytest.mark.parametrize(
    "said",
    [
        "unknown", "Unknown.", "none", "N/A", "n/a", "", "  ", None, "null", "-", "not visible", "Not clearly visible",
        "unclear", "cannot be determined", "feet are not visible", "None visible", "nothing", [], ["unknown"], "...",
    ],
)  # fmt: skip
@pytest.mark.parametrize("slot", ["footwear", "mouth"])
def test_nothing_said_is_not_counted(slot, said):
    assert heard(slot, said) == Heard(evidence=(), refused=())


@pytest.mark.parametrize("said", ["no legible text", "There is no visible text", "none", "illegible", "unknown"])
def test_no_text(said):
    assert heard("text", said) == Heard(evidence=(), refused=())


def test_nobody():
    assert heard("people", 0) == Heard(evidence=(), refused=())


# --------------------------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("slot", "said", "reason"),
    [
        ("colour_of_socks", "red", "unknown key"),
        ("trigger", "ohwx", "unknown key"),
        ("people", True, "no text"),
        ("people", 1.5, "no text"),
        ("people", -1, "no text"),
        ("people", float("nan"), "no text"),
        ("people", float("inf"), "no text"),
        ("age", 25, "no text"),
        ("hair", {"colour": "red"}, "no text"),
        ("hair", ["red", 3], "no text"),
        ("mouth", "smiling broadly", "not a value"),
        ("mouth", "closed, open", "not a value"),
        ("gaze", "looking at something", "not a value"),
        ("view", "three-quarter view", "not a value"),
        ("view", "facing left", "not a value"),
        ("eyewear", "no glasses", "denied"),
        ("makeup", "without make-up", "denied"),
        ("expression", "she is not smiling", "denied"),
        ("expression", "isn't smiling", "denied"),
        ("pose", "standing in a, she is not sitting", "denied"),
        ("headwear", "no hat, scarf or glasses", "denied"),
        ("jewelry", "a gold ring or bracelet", "hedged"),
        ("hair", "blonde?", "hedged"),
        ("hair", "possibly", "hedged"),
        ("holding", "what appears to be a", "hedged"),
        ("clothing", "Levi's jeans", "name"),
        ("clothing", "a T-shirt with a Chicago Bulls logo", "name"),
        ("clothing", "a nike hoodie", "name"),
        ("clothing", "Emma Watson costume", "name"),
        ("holding", "an Apple laptop", "name"),
        ("hair", "长发", "other language"),
        ("hair", "длинные волосы", "other language"),
        ("hair", "cabello largo y negro", "other language"),
        ("clothing", "eine Frau mit schwarzem Kleid", "other language"),
        ("hair", "long long long long", "loop"),
        ("clothing", "white shirt, blue jeans, " * 4, "loop"),
        ("text", "ha " * 50, "loop"),
        ("pose", "aaaaaaaaaaaaaaaa", "loop"),
        ("pose", " ".join(f"word{n}" for n in range(41)), "too long"),
        ("pose", "supercalifragilistic" + " expialidocious".join("abcdefghijklmnopq"), "too long"),
        ("skin", "I'm sorry, I can't help with that", "declined"),
        ("pose", "As an AI language model I see a pose", "declined"),
        ("background", "a wall, as the prompt asks", "about the picture"),
        ("makeup", "yes", "says nothing"),
        ("hair", "hair", "says nothing"),
        ("clothing", "string", "says nothing"),
    ],
)
def test_refused(slot, said, reason):
    found = heard(slot, said)
    assert values(found) == {}
    assert reasons(found) == [reason]
    assert found.refused[0].slot == slot
    assert 0 < len(found.refused[0].value) <= 120
    assert "\n" not in found.refused[0].value


def test_one_trait_does_not_spoil_the_others():
    found = hear(
        {"hair": "long hair", "mouth": "sideways", "pose": "standing", "eyewear": "no glasses", "x": 1},
        image_id="id",
        source="vlm:m",
    )
    assert values(found) == {"hair": "long hair", "pose": "standing"}
    assert sorted(reasons(found)) == ["denied", "not a value", "unknown key"]


def test_evidence_stands_in_caption_order():
    found = hear({"mouth": "open", "pose": "standing", "hair": "long hair"}, image_id="id", source="vlm:m")
    assert [one.slot for one in found.evidence] == ["hair", "pose", "mouth"]


# --------------------------------------------------------------------------------------------------------- cleaned


@pytest.mark.parametrize(
    ("slot", "said", "value"),
    [
        ("clothing", "possibly a denim jacket", "denim jacket"),
        ("clothing", "what looks like a denim jacket", "denim jacket"),
        ("clothing", "appears to be wearing a red dress", "red dress"),
        ("clothing", "a shirt that appears to be white, blue jeans", "shirt, blue jeans"),
        ("clothing", "a white, likely cotton shirt", "white, cotton shirt"),
        ("hair", "black hair, possibly dyed", "black hair"),
        ("hair", "brown, maybe auburn", "brown"),
        ("hair", "brown (not clearly visible)", "brown"),
        ("setting", "in what seems to be a park", "in a park"),
        ("time", "during the day, likely afternoon", "during the day"),
        ("medium", "This appears to be a photo", "photo"),
        ("medium", "This is a photograph of a woman", "photo"),
        ("medium", "The image is a painting", "painting"),
        ("age", "approximately 30 years old", "30 years old"),
        ("mood", "The image shows a calm mood", "calm mood"),
        ("pose", "in this photo, she is standing", "standing"),
        ("pose", "Sure! The subject is sitting", "sitting"),
        ("lighting", "The lighting is soft", "soft"),
        ("background", "we can see a brick wall", "brick wall"),
        ("hair", "**long red hair**", "long red hair"),
        ("hair", "`hair`: long red hair", "long red hair"),
        ("hair", '{"hair": "long red hair"}', "long red hair"),
        ("hair", "- long red hair<|im_end|>", "long red hair"),
        ("hair", "long red hair 😀", "long red hair"),
        ("hair", "long\u200b red\x00 hair\ud800", "long red hair"),
        ("hair", "long\n red\u00a0\u00a0hair", "long red hair"),
    ],
)
def test_cleaned(slot, said, value):
    found = heard(slot, said)
    assert values(found) == {slot: value}
    assert found.cleaned == (slot,)
    assert not found.refused


@pytest.mark.parametrize(
    ("slot", "said", "value", "piece", "reason"),
    [
        ("hair", "short hair, no bangs", "short hair", "no bangs", "denied"),
        ("hair", "short hair, no bangs, braids", "short hair", "no bangs, braids", "denied"),
        ("background", "a park with no people", "park", "no people", "denied"),
        ("expression", "neutral, she is not smiling", "neutral", "not smiling", "denied"),
        ("expression", "neutral but not sad", "neutral", "not sad", "denied"),
        ("clothing", "white Nike sneakers, blue jeans", "blue jeans", "white Nike sneakers", "name"),
        ("clothing", "red dress, jeans or leggings", "red dress", "jeans or leggings", "hedged"),
    ],
)
def test_a_piece_is_refused_and_the_rest_believed(slot, said, value, piece, reason):
    found = heard(slot, said)
    assert values(found) == {slot: value}
    assert found.refused == (Refused(slot=slot, value=piece, reason=reason),)
    assert found.cleaned == (slot,)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("Long Black Dress", "long black dress"),
        ("LONG BLACK DRESS", "long black dress"),
        ("Red Hawaiian Shirt, Blue Jeans", "red Hawaiian shirt, blue jeans"),
        ("a Japanese kimono", "Japanese kimono"),
        ("V-neck top; leather boots", "V-neck top, leather boots"),
        ("A red dress. Black boots.", "red dress, black boots"),
    ],
)
def test_capitals(said, value):
    found = heard("clothing", said)
    assert values(found) == {"clothing": value}
    assert not found.refused


def test_a_place_keeps_its_name():
    assert values(heard("setting", "In front of the Golden Gate Bridge")) == {
        "setting": "in front of the Golden Gate Bridge"
    }


@pytest.mark.parametrize(
    ("said", "allowed", "value"),
    [
        ("a nike hoodie", ["Nike"], "nike hoodie"),
        ("white Nike sneakers", ["Nike"], "white Nike sneakers"),
        ("an Emma Watson T-shirt", ["Emma Watson"], "Emma Watson T-shirt"),
        ("a Zorblax T-shirt", ["zorblax", ""], "Zorblax T-shirt"),
    ],
)
def test_names_that_the_person_allows(said, allowed, value):
    assert reasons(heard("clothing", said)) == ["name"]
    assert values(heard("clothing", said, allowed_names=allowed)) == {"clothing": value}


# --------------------------------------------------------------------------------------------------------- confidence


def test_weak_traits_are_never_said_on_this_word_alone():
    weak = [heard("view", "front"), heard("camera_height", "from above"), heard("holding", "a cup in the left hand")]
    for found in weak:
        assert found.evidence[0].confidence < thinking().assert_from
    assert heard("holding", "a bright cup").evidence[0].confidence >= thinking().assert_from
    assert heard("text", "Turn left").evidence[0].confidence == 0.6


@pytest.mark.parametrize(
    ("slot", "said", "confidence"),
    [("hair", "long hair", 0.7), ("age", "elderly", 0.5), ("mood", "calm", 0.5), ("people", "a crowd", 0.6),
     ("eye_color", "blue", 0.6), ("view", "back", 0.4)],
)  # fmt: skip
def test_confidence(slot, said, confidence):
    assert heard(slot, said).evidence[0].confidence == confidence


# --------------------------------------------------------------------------------------------------------- anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
WORDS = st.lists(
    st.sampled_from(
        [
            "a",
            "an",
            "the",
            "no",
            "not",
            "without",
            "possibly",
            "appears",
            "to",
            "be,",
            "hair",
            "dress",
            "red",
            "Nike",
            "Emma",
            "left",
            "looking",
            ";",
            ".",
            "(",
            ")",
            "[",
            "]",
            '"',
            "'",
            "or",
            "and",
            "closed",
            "camera",
            "she",
            "is",
            "in",
            "this",
            "photo",
            "the",
            "image",
            "shows",
            "unknown",
            "none",
            "2",
            "**",
            "?",
            "!",
            "…",
            "长",
            "�",
            "\x00",
            "\n",
            "some",
        ]
    ),
    max_size=14,
).map(" ".join)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*slots(), "Hair", "x", ""]), WORDS | JSON, max_size=6))
@example({"hair": "a a an some hair.."})
@example({"text": "a a a OPEN"})
@example({"hair": "(" * 3000})
def test_any_answer_is_heard(answer):
    found = hear(answer, image_id="id", source="vlm:m")
    for claim in found.evidence:
        assert claim.slot in slots()
        assert claim.value.strip()
        assert not is_nothing(claim.value)
        assert canonical(claim.slot, claim.value)[0] == claim.value
        assert 0 < claim.confidence < 1
        claim.value.encode()
        row = slots()[claim.slot]
        assert not row.listed or claim.value in [value.id for value in row.value]
    for one in found.refused:
        one.value.encode()
        one.slot.encode()
    assert hear(answer, image_id="id", source="vlm:m") == found


@settings(max_examples=100, deadline=None)
@given(WORDS | st.text(max_size=200))
def test_any_prose_is_heard(text):
    for claim in hear_prose(text, image_id="id", source="vlm:m").evidence:
        assert claim.value.strip()
        assert claim.slot in slots()


@pytest.mark.parametrize("mess", ["(", "[", " ", "a ", "no ", "possibly ", "is ", "seems like ", "a, ", ". ", "{", "'"])
def test_a_mess_of_any_length_takes_no_time(mess):
    started = time.process_time()
    hear({"hair": mess * 100_000, "text": mess * 100_000}, image_id="id", source="vlm:m")
    hear_prose(mess * 100_000, image_id="id", source="vlm:m")
    assert time.process_time() - started < 3


# --------------------------------------------------------------------------------------------------------- prose


def prose(text: str, **more: object) -> Heard:
    return hear_prose(text, image_id="id", source="vlm:m", **more)


def test_prose_is_read():
    found = prose(
        "Here is a caption: This image shows a photograph of a young woman with long blonde hair, wearing a red dress and "
        "black boots. She is standing in a park, looking at the camera. The lighting is warm and soft."
    )
    said = values(found)
    assert said["medium"] == "photo"
    assert said["hair"] == "long blonde hair"
    assert said["pose"] == "standing"
    assert said["setting"] == "in a park"
    assert said["gaze"] == "camera"
    assert "red dress" in said["clothing"]
    assert "lighting" in said
    assert not found.refused
    assert "subject" not in said


def test_sentences_are_dropped_one_by_one():
    found = prose(
        "A woman with long hair. She appears to be wearing a red hat. Possibly she holds a cup. She is sitting, suggesting "
        "a pause. Elle porte une robe et des bottes dans le parc. I'm sorry, I can't identify her. She is standing.\n"
        "Red cap red cap red cap red cap. She wears no glasses."
    )
    assert values(found) == {"hair": "long hair", "pose": "standing"}
    assert reasons(found) == ["hedged", "hedged", "hedged", "other language", "declined", "loop"]
    assert {one.slot for one in found.refused} == {""}


def test_a_sentence_again_and_again_is_read_once():
    assert prose("She has long hair. " * 30) == prose("She has long hair.")
    assert [one.value for one in prose("She is standing. Now she is standing.").evidence] == ["standing"]


def test_a_long_sentence_is_no_loop():
    text = "A woman with long hair, wearing a red dress, " + " ".join(f"w{n}" for n in range(80)) + "."
    assert values(prose(text))["hair"] == "long hair"


def test_a_sentence_without_end_is_not_read():
    found = prose("She has long hair. A woman " + " ".join(f"w{n}" for n in range(600)) + " with a red hat.")
    assert (values(found), reasons(found)) == ({"hair": "long hair"}, ["too long"])


def test_names_in_prose():
    text = "A woman with long hair, wearing a red Nike hoodie."
    assert (values(prose(text)), reasons(prose(text))) == ({"hair": "long hair"}, ["name"])
    assert "Nike" in values(prose(text, allowed_names=["Nike"]))["clothing"]


# --------------------------------------------------------------------------------------------------------- one for many

OPEN = ("hair", "pose", "action", "setting", "clothing", "background")


def answer(name: str, **more: str) -> dict[str, str]:
    return {slot: f"{name} {slot}" for slot in OPEN} | more


def many(same: int, others: int, shape=answer) -> dict[str, dict[str, str]]:
    return {f"same{n}": shape("one") for n in range(same)} | {f"other{n}": shape(f"no {n}") for n in range(others)}


@pytest.mark.parametrize(
    ("same", "others", "caught"),
    [
        (4, 0, True),
        (4, 96, True),
        (3, 0, False),
        (3, 7, True),
        (2, 8, False),
        (3, 6, False),
        (3, 20, False),
        (1, 9, False),
    ],
)
def test_one_answer_for_many(same, others, caught):
    found = one_answer_for_many(many(same, others))
    assert found == (frozenset(f"same{n}" for n in range(same)) if caught else frozenset())


def test_little_said_is_no_answer_for_many():
    def short(name: str) -> dict[str, str]:
        return answer(name) | {"hair": "unknown"}

    assert one_answer_for_many(many(10, 0, short)) == frozenset()
    assert one_answer_for_many({str(n): {} for n in range(10)}) == frozenset()


def test_what_differs_in_spelling_or_in_listed_values_is_the_same_answer():
    answers = many(4, 0)
    answers["same0"] |= {"hair": " One  HAIR.", "mouth": "open", "eyewear": "unknown"}
    assert len(one_answer_for_many(answers)) == 4
    answers["same0"] |= {"eyewear": "glasses"}
    assert one_answer_for_many(answers) == frozenset()
