"""The checks of a caption's wording, beyond the examples that they carry themselves: what alarms, what does not, and the mends."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.check import check_caption, checks
from fluxcap.checks import CheckInput
from fluxcap.compose import Wording, compose, styles
from fluxcap.types import Issue, Trait
from fluxcap.vocabulary import read, slots

WORDING = [check.code for check in checks() if "CAP012" <= check.code <= "CAP028"]


def caption(text: str, **more: object) -> CheckInput:
    fields = {"text": text, "trigger": "ohwx", "class_word": "woman", "preset": "person", **more}
    return CheckInput(image_id="1", path="1.png", **fields)  # type: ignore[arg-type]


def found(text: str, name: str, **more: object) -> list[Issue]:
    return check_caption(caption(text, **more), [name])


def trait(slot: str, value: str) -> Trait:
    return Trait(image_id="1", slot=slot, value=value, tags=(), confidence=0.9, sources=("human",))


# ---- good captions --------------------------------------------------------------------------------------------------

GOOD = """
ohwx woman, a close-up portrait of a woman with freckles and windswept auburn hair, her chin resting on her hand. She wears a chunky cream jumper. Soft window light falls from the left, and the background is a blurred bookshelf.
ohwx woman sits cross-legged on a rug, reading a paperback. A tabby cat sleeps beside her, its tail curled around its paws. She is wearing round glasses, a grey hoodie and black leggings. Warm lamplight, eye level.
A photo of ohwx woman at a flea market. A man in a flat cap stands next to her, his hands in his pockets. She looks down at a price tag. Overcast light, waist-up shot from the side.
ohwx woman holds a hand-painted sign that reads "No more plastic!" at a street march. Dozens of people are behind her, most of them out of focus. She is shouting, her eyebrows drawn together. Overcast daylight.
ohwx woman, a photo of a woman at the Plaza de España in Seville. She twirls in a red flamenco dress with white polka dots, a fan in one hand. Her shadow stretches across the tiles.
ohwx woman, an outdoor photo in winter: she wears a mustard beanie, a thick tartan scarf and a long camel coat. Snowflakes cling to her eyelashes. She laughs with her eyes shut. Pine trees in the distance, shallow depth of field.
ohwx woman with a camera around her neck, sitting on a rock above a valley. She is pointing at something in the distance. Her Nikon hangs on a braided strap. Wind tugs at her anorak.
ohwx woman stands in front of a painting of a stormy sea in a museum gallery, her back to the camera. She wears a long coat and holds a folded map.
ohwx, 1girl, solo, looking_at_viewer, long_hair, blue_eyes, open_mouth, :d, >_<, red_dress, simple_background, from_side, cowboy_shot
ohwx woman, black T-shirt, blue jeans, sitting on a skateboard, concrete wall, graffiti, afternoon sun, looking up, from above
ohwx woman is hugging her son, who buries his face in her coat. They stand on a railway platform; their suitcases are beside them. Grey morning light.
ohwx woman crosses a zebra crossing, phone pressed to her ear, coffee in hand. Her coat flaps open: a grey houndstooth lining. A taxi waits at the light. 8 a.m., low winter sun.
ohwx woman, shown from the knees up in an open doorway. Her gaze is directed to the left. She is dressed in short sleeves; an F1 race car is parked behind her. It is a full-body shot.
ohwx woman wears goggles for safety. The shop assistant is holding a tray next to her. Light is filtered through leaves. She wades in crystal-clear water.
ohwx woman poses for a passport picture: front view, neutral expression, lips closed, plain white backdrop. The image is slightly grainy.
"""


@pytest.mark.parametrize("text", GOOD.strip().splitlines())
def test_good_captions_pass(text):
    assert [issue for issue in check_caption(caption(text), WORDING) if issue.severity != "note"] == []


FACTS = {
    "medium": "photo", "mood": "calm", "age": "mid-twenties", "subject": "woman", "hair": "long dark hair, tied back",
    "pose": "standing with crossed arms", "holding": "camera", "setting": "in a park", "background": "brick wall",
    "people": "several other people", "text": '"No parking"', "time": "night", "clothing": "black dress, denim jacket",
    "headwear": "straw hat", "eyewear": "sunglasses", "jewelry": "hoop earrings", "footwear": "red boots", "makeup": "bare face",
    "expression": "surprised", "mouth": "parted", "eyes": "one closed", "gaze": "camera", "framing": "full body", "view": "back",
    "camera_height": "from below", "lighting": "low-key", "depth_of_field": "shallow", "defects": "watermark",
}  # fmt: skip


@pytest.mark.parametrize("style", styles())
@pytest.mark.parametrize("tags", ["tail", "all", "none"])
@pytest.mark.parametrize("class_word", ["woman", "man", "person", ""])
def test_what_fluxcap_composes_passes(style, tags, class_word):
    facts = {slot: FACTS[slot] for slot in slots() if slot in FACTS} | {"subject": class_word or "scene"}
    wording = Wording(trigger="ohwx", class_word=class_word, style=style, tags=tags)
    composed = compose(facts, wording, "1", dict.fromkeys(facts, ()))
    traits = {slot: trait(slot, value) for slot, value in facts.items()}
    item = caption(composed.text, class_word=class_word, spans=composed.spans, traits=traits)
    assert check_caption(item, WORDING) == []


@settings(deadline=None, max_examples=150)
@given(
    st.lists(
        st.sampled_from(
            [
                *GOOD.split(),
                "no",
                "possibly",
                "**",
                "<b>",
                "I'm",
                "sorry,",
                "the image",
                "8k",
                "his",
                "::2",
                "ohw",
                "é",
                "Ã©",
            ]
        ),
        max_size=25,
    ),
    st.data(),
)
def test_mends_mend_and_issues_have_their_place(parts, data):
    item = caption(" ".join(parts), preset=data.draw(st.sampled_from(["person", "style", "object", "likeness"])))
    for check in checks():
        for issue in check.check(item):
            assert issue.message.isprintable()
            assert issue.span is None or 0 <= issue.span[0] < issue.span[1] <= len(item.text)
            if issue.fix is not None and issue.code in WORDING:
                assert [
                    one.severity for one in check.check(replace(item, text=issue.fix)) if one.severity != "note"
                ] == []


# ---- trigger --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("oh wx woman, smiling", "ohwx"), ("o h w x woman, smiling", "ohwx"), ("oh-wx woman, smiling", "ohwx"), ("o.h.w.x. woman, smiling", "ohwx"),
        ("oh\u200bwx woman, smiling", "ohwx"), ("oh</w>wx</w> woman, smiling", "ohwx"), ("(oh)wx woman, smiling", "ohwx"), ("ohvvx woman, smiling", "ohwx"),
        ("OhWx woman, smiling", "ohwx"), ("0hwx woman, smiling", "ohwx"), ("\u043ehwx woman, smiling", "ohwx"), ("ohwxx woman, smiling", "ohwx"),
        ("ohw woman, smiling", "ohwx"), ("howx woman, smiling", "ohwx"), ("zorblaks woman, smiling", "zorblax"),
        ("zor blax person woman, smiling", "zorblax person"), ("zorblax persn woman, smiling", "zorblax person"),
    ],
)  # fmt: skip
def test_a_trigger_with_a_fault_is_put_right(text, trigger):
    (issue,) = found(text, "misspelt-trigger", trigger=trigger)
    assert issue.severity == "error"
    assert issue.fix == f"{trigger} woman, smiling"
    assert found(text, "missing-trigger", trigger=trigger) == []


@pytest.mark.parametrize(
    ("text", "trigger"),
    [
        ("And a woman with Anna", "ann"), ("skis and asks", "sks"), ("A woman on a street", "ona"), ("sun sets over a hill", "sunset"),
        ("A photo of a woman", "ohwx"), ("the lens of a camera", "lena"), ("a marker and a mark", "marc"), ("it is by a", "isby"),
    ],
)  # fmt: skip
def test_english_words_near_a_trigger_are_let_be(text, trigger):
    assert found(text, "misspelt-trigger", trigger=trigger) == []
    assert len(found(text, "missing-trigger", trigger=trigger)) == 1


def test_a_second_trigger_with_a_fault_is_found_beside_the_right_one():
    (issue,) = found("ohwx woman, a photo. oh-wx is smiling.", "misspelt-trigger")
    assert issue.fix == "ohwx woman, a photo. ohwx is smiling."
    assert found("ohwx woman with an ohwxy cup.", "misspelt-trigger") == []


def test_a_trigger_grown_together_with_the_class_word():
    (issue,) = found("ohwxwoman, smiling", "misspelt-trigger")
    assert issue.fix == "ohwx woman, smiling"


# ---- talk -----------------------------------------------------------------------------------------------------------


def test_a_refusal_is_one_fault_and_not_four():
    text = "ohwx woman, a photo of a woman in a park in a red coat. I'm sorry, I can't tell who might be in this image."
    assert [issue.code for issue in check_caption(caption(text), WORDING)] == ["CAP013"]
    (issue,) = found(text, "refusal")
    assert issue.fix == "ohwx woman, a photo of a woman in a park in a red coat."


def test_a_refusal_alone_has_no_mend():
    (issue,) = found("I'm unable to help with that.", "refusal")
    assert (issue.fix, issue.severity) == (None, "error")


@pytest.mark.parametrize(
    "text",
    [
        "Describing faces goes against what I am permitted to do.", "Request denied.", "The model was not able to produce a caption.",
        "[Response blocked for safety reasons]", "This picture cannot be processed.", "There is no image attached.", "API error 500",
        "As an AI, I don't describe people.", "Let us keep things respectful; I won't go on.", "null",
    ],
)  # fmt: skip
def test_refusals_in_many_words(text):
    assert found(text, "refusal")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("refusal", "ohwx woman in a park. Any specifics must be withheld."),
        ("preamble", "Second try, shorter: ohwx woman, smiling."),
        ("preamble", "Reply => ohwx woman, smiling."),
        ("preamble", "Right then, so, ohwx woman, smiling."),
        ("preamble", "ohwx woman, smiling, soft lighting [total length 31]"),
        ("talk-about-the-picture", "ohwx woman. <add pose here> She is smiling."),
        ("talk-about-the-picture", "ohwx woman. FIXME check her coat. She is smiling."),
        ("talk-about-the-picture", "ohwx woman. The column 'light' is still blank."),
        ("talk-about-the-picture", "ohwx woman. Coat as in the preceding record."),
        ("hedge", "ohwx woman in a coat, velvet by most accounts."),
        ("hedge", "ohwx woman in a coat that one would call purple, unless it is the lamp."),
        ("negation", "ohwx woman in a coat, minus shoes."),
        ("negation", "ohwx woman. She has ditched jewellery."),
        ("negation", "ohwx woman, looking aside, doesn't meet our eyes"),
        ("truncated", "ohwx woman, a photo of a woman. She is wearing a long (continued)"),
        ("truncated", "ohwx woman, a photo of a woman. She is wearing a thick. Her face is bare."),
        ("truncated", "ohwx woman. She is wearing a grey cardig. Her face is bare."),
        ("truncated", "ohwx woman. She is on a narrow lane She has a hat on. Her face is bare."),
        ("truncated", "ohwx woman, with her mouth is open, in a park."),
        ("markup", "ohwx woman. She is in a park. 3) She is smiling."),
        ("markup", "ohwx woman. She is in a park. expression: calm; She stands."),
        ("markup", "ohwx woman. She is in a park. |coat|red| She stands."),
        ("markup", "\\fbox{ohwx woman in a park.}"),
        ("markup", "ohwx woman in a $red$ coat."),
        ("prompt-weights", "ohwx woman in a red coat (strength 0.8)."),
        ("prompt-weights", "ohwx woman in a (woollen) coat."),
        ("prompt-weights", 'ohwx woman with a "fringe"^1.4.'),
    ],
)
def test_unusual_wordings_are_found(name, text):
    assert found(text, name)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("preamble", "Outdoors in winter: ohwx woman in a camel coat."),
        ("preamble", "Beside a wall, ohwx woman is smiling."),
        ("negation", "ohwx woman skipping rope in a park, her bag left outside the gate."),
        ("truncated", "ohwx woman. She is on a terrace. The walls are painted in a dark blue. A woman is behind her."),
        ("truncated", "ohwx woman in a cove. Her dress is a pale green. She is in a park with her sister."),
        ("markup", "ohwx woman with a sign that says $5, beside a stall: apples and pears."),
        ("prompt-weights", "ohwx woman (seen from behind) in a coat."),
    ],
)
def test_what_only_looks_like_it_is_let_be(name, text):
    assert not found(text, name)


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("Sure! Here's a caption: ohwx woman, smiling.", "ohwx woman, smiling."),
        ("ohwx woman, caption: a woman smiling.", "ohwx woman, a woman smiling."),
        ("ohwx woman, smiling. Let me know if you want more detail!", "ohwx woman, smiling."),
        ("Caption\nohwx woman, smiling.", "ohwx woman, smiling."),
        ("ohwx woman, smiling. Note: brand names were left out.", "ohwx woman, smiling."),
    ],
)
def test_preambles_are_cut_off(text, mended):
    issues = found(text, "preamble")
    assert issues
    assert {issue.fix for issue in issues} == {mended}


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("ohwx woman. The image shows a woman in a park.", "ohwx woman. A woman in a park."),
        ("ohwx woman, in this photo, a woman is smiling.", "ohwx woman, a woman is smiling."),
        ("ohwx woman. The subject is smiling.", "ohwx woman. The woman is smiling."),
        ("ohwx woman. She is smiling. This caption has 20 words.", "ohwx woman. She is smiling."),
        ("ohwx woman. The photographer has caught her smiling.", None),
        ("ohwx woman. Our gaze is led to her hat.", None),
    ],
)
def test_talk_about_the_picture(text, mended):
    issues = found(text, "talk-about-the-picture")
    assert issues
    assert {issue.fix for issue in issues} == {mended}


@pytest.mark.parametrize(
    "text",
    [
        "ohwx facing the viewer's left, away from the viewer", "ohwx. The photo on the wall shows a dog.", "ohwx posing for the photo",
        "ohwx in a photo booth, a picture frame behind her", "ohwx. The image is blurry.", "ohwx. The shot shows her from behind.",
        "ohwx. The background is blurred. The scene is lit by candles.",
    ],
)  # fmt: skip
def test_pictures_in_the_picture_and_their_quality_are_no_talk(text):
    assert found(text, "talk-about-the-picture") == []


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("ohwx is wearing what appears to be a coat.", "ohwx is wearing a coat."),
        ("ohwx. Her lips seem to be parted.", "ohwx. Her lips are parted."),
        ("ohwx with a possibly old hat.", "ohwx with an old hat."),
        ("ohwx. The trousers might be grey.", "ohwx. The trousers are grey."),
        ("ohwx holding some kind of umbrella.", "ohwx holding an umbrella."),
        ("ohwx in a park, suggesting a walk.", "ohwx in a park."),
        ("ohwx in jeans or leggings.", None),
        ("ohwx. I think she is tired.", None),
    ],
)
def test_hedges_are_settled_where_grammar_allows(text, mended):
    issues = found(text, "hedge")
    assert issues
    assert {issue.fix for issue in issues} == {mended}


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("ohwx in a park, no glasses, soft light", "ohwx in a park, soft light"),
        ("ohwx in shoes with no laces.", "ohwx in shoes."),
        ("ohwx. She is not smiling. It is night.", "ohwx. It is night."),
        ("ohwx. A wall, devoid of pictures, is behind her.", "ohwx. A wall is behind her."),
        ("ohwx. She wears no hat, only a scarf.", None),
        ("ohwx. She is wearing a blue sweater rather than a jacket.", None),
    ],
)
def test_denials_are_cut_off_where_grammar_allows(text, mended):
    issues = found(text, "negation")
    assert issues
    assert {issue.fix for issue in issues} == {mended}


def test_a_denial_is_answered_with_positive_words():
    (issue,) = found("ohwx without makeup", "negation")
    assert issue.message.endswith('say it positively ("a bare face"), or leave it out')


# ---- form -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "ohwx, a photo. She is standing in front of a", "ohwx, a photo. Her eyes", "ohwx, a photo. Sh", "ohwx, looking at viewer, head and",
        "ohwx, a photo. Her eyes are open. looking at viewer, three-quarter view fa", "ohwx, a photo. She is wearing a. Her eyes are open.",
        "ohwx, a photo. She is smiling with Her eyes are open.", "ohwx woman, lurred wall behind her, a dog.", "ohwx (from behind, a photo",
    ],
)  # fmt: skip
def test_truncated(text):
    assert found(text, "truncated")


@pytest.mark.parametrize(
    "text",
    [
        "ohwx, sleeves rolled up, sunglasses on", "ohwx. Soft lighting, front view", "ohwx, a dog behind her", "ohwx, :(, >:(, :)",
        "ohwx, a warm and cosy mood, side view", 'ohwx in a jersey with "10" on it', "ohwx, from above, soft lighting,",
    ],
)  # fmt: skip
def test_not_truncated(text):
    assert found(text, "truncated") == []


def test_a_caption_in_json_is_taken_out():
    answer = json.dumps({"caption": "ohwx woman, smiling.", "tags": ["smile"]})
    for text in (answer, f"```json\n{answer}\n```"):
        fixes = {issue.fix for issue in found(text, "markup")}
        assert fixes == {"ohwx woman, smiling."}


def test_only_signs_that_software_obeys_refuse():
    assert {issue.severity for issue in found("**ohwx** woman", "markup")} == {"warning"}
    for text in ("ohwx woman<|im_end|>", "<think>hm</think>ohwx woman", "ohwx woman</s>", "[INST] ohwx woman"):
        (issue,) = found(text, "markup")
        assert (issue.severity, issue.fix) == ("error", "ohwx woman")


def test_a_choice_has_no_mend():
    (issue,) = found("ohwx in a {park|garden}", "prompt-weights")
    assert issue.fix is None


# ---- length, pronouns, marks ----------------------------------------------------------------------------------------


def test_short_captions():
    short = "ohwx woman, a photo of a woman with red hair."
    (issue,) = found(short, "too-short")
    assert issue.message.startswith("says 3 words beside the trigger and the class word, at least 8 are wanted")
    assert found(short, "too-short", preset="likeness") == []
    known = {"to_say": frozenset({"trigger", "subject", "medium", "hair"}), "mentions": read(short)}
    assert found(short, "too-short", **known) == [], "all is said that the plan says"
    known["to_say"] |= {"setting"}
    assert [issue.severity for issue in found(short, "too-short", **known)] == ["warning"]
    assert [issue.severity for issue in found(short, "too-short", spans=(), **known)] == ["note"]


@pytest.mark.parametrize(
    ("text", "mended"),
    [
        ("ohwx. He's smiling, and his eyes are open.", "ohwx. She's smiling, and her eyes are open."),
        ("ohwx. They are smiling. A wall is behind them.", "ohwx. She is smiling. A wall is behind her."),
        (
            "ohwx. It looks surprised. One of its eyes is closed.",
            "ohwx. She looks surprised. One of her eyes is closed.",
        ),
        ("ohwx. They wear boots and carry a bag.", "ohwx. She wears boots and carry a bag."),
    ],
)
def test_pronouns_and_their_verbs(text, mended):
    assert {issue.fix for issue in found(text, "wrong-pronoun")} == {mended}


@pytest.mark.parametrize(
    "text",
    [
        "ohwx woman and a boy; he holds her hand.", "ohwx in boots with their laces undone.", "ohwx. It is raining.", "ohwx and a dog, its tail up.",
        "ohwx with three friends. They are laughing.", "ohwx wearing sunglasses. They are black.", "ohwx. Her face is bare, its expression calm.",
    ],
)  # fmt: skip
def test_pronouns_of_others(text):
    assert found(text, "wrong-pronoun") == []


def test_the_persons_choice_counts():
    text = "ohwx. They are smiling. Her eyes are open."
    assert [issue.message.split(",")[0] for issue in found(text, "wrong-pronoun")] == ['says "They"']
    assert [issue.message.split(",")[0] for issue in found(text, "wrong-pronoun", pronouns="they/them")] == [
        'says "Her"'
    ]
    assert found("ohwx. He stands by her.", "wrong-pronoun", preset="style") == []


def test_marks_that_the_facts_tell_of():
    text = "ohwx in a park. A watermark is in the corner."
    assert found(text, "watermark-or-camera-words")
    for told in (trait("defects", "watermark"), trait("text", '"ABC"')):
        assert found(text, "watermark-or-camera-words", traits={told.slot: told}) == []
    praised = found("ohwx in a park, 8k", "watermark-or-camera-words", traits={"text": trait("text", "x")})
    assert [issue.fix for issue in praised] == ["ohwx in a park"]


@pytest.mark.parametrize(
    "text",
    ["ohwx holding a Leica", "ohwx. Her Canon lies on the table.", "ohwx looking into the lens", "ohwx, bokeh, flash"],
)
def test_cameras_that_are_things(text):
    assert found(text, "watermark-or-camera-words") == []


def test_style_words_are_only_a_styles_business():
    text = "ohwx, a bridge, watercolor wash, muted tones"
    assert found(text, "style-words") == []
    assert len(found(text, "style-words", preset="style", class_word="")) == 2
    assert found(text, "style-words", preset="style", class_word="bridge, watercolor wash, muted tones") == []


def test_commas_matter_only_where_the_trainer_shuffles():
    text = "ohwx, a photo of a woman. soft light, front view"
    (issue,) = found(text, "commas-and-shuffle", shuffle_caption=True)
    assert issue.span == (4, 5)
    assert found(text, "commas-and-shuffle") == []


@pytest.mark.parametrize(
    "mess",
    [
        "he ",
        "they are in a park. ",
        "possibly ",
        "(",
        '{"a":"b"} ',
        "no hat, ",
        "8k, ",
        "ohw x ",
        "Ã©",
        "the image shows ",
    ],
)
def test_a_mess_takes_no_time(mess):
    started = time.process_time()
    check_caption(caption(mess * (6000 // len(mess)), preset="style"), WORDING)
    assert time.process_time() - started < 5
