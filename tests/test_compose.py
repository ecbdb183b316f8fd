"""Traits -> captions."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.compose import Wording, compose, styles
from fluxcap.errors import UsageError
from fluxcap.vocabulary import is_silent, slot, slots

P11 = {
    "medium": "photo",
    "mood": "happy",
    "age": "mid-twenties",
    "subject": "woman",
    "hair": "long blonde hair with bangs",
    "pose": "standing",
    "setting": "in front of a circus",
    "clothing": "black business suit with white collar shirt underneath",
    "expression": "smiling",
    "mouth": "open",
    "eyes": "open",
    "eye_color": "blue",
    "view": "front",
    "lighting": "natural",
}
REST = (
    "She is standing in front of a circus. She is wearing a black business suit with white collar shirt underneath. "
    "She is smiling with her mouth open. Her blue eyes are open."
)
OPEN_VALUES = {
    "mood": ["happy", "pensive", "calm"],
    "age": ["mid-twenties", "18", "elderly", "about 30", "25-30", "teenager"],
    "body": ["slim", "muscular build", "broad shoulders"],
    "skin": ["pale", "freckles", "dark skin"],
    "hair": ["long blonde hair with bangs", "short", "bald", "brown, tied back", "ponytail", "short, curly red hair"],
    "facial_hair": ["full beard", "clean-shaven", "stubble"],
    "features": ["pointed ears, horns", "tattoo on the left arm"],
    "pose": ["standing", "arms crossed", "in a yoga pose", "handstand"],
    "action": ["running", "looking at a phone", "chess"],
    "holding": ["a guitar", "glass of wine and a book"],
    "setting": ["in a park", "beach", "outdoors", "party", "kitchen", "white wall"],
    "background": ["palm trees", "blurred", "plain white background", "a river and tall buildings"],
    "people": ["two men", "with a dog", "a man"],
    "text": ["OPEN", '"OPEN"', 'a sign saying "OPEN"'],
    "time": ["night", "golden hour", "a rainy afternoon", "winter", "sunny", "in the rain", "at lunch"],
    "clothing": [
        "a black and white dress",
        "topless",
        "shirtless, blue jeans",
        "bare shoulders",
        "cream blouse, jeans",
    ],
    "headwear": ["straw hat", "crown and a veil"],
    "eyewear": ["round glasses"],
    "jewelry": ["hoop earrings", "a thin necklace, rings"],
    "footwear": ["barefoot", "white sandals"],
    "makeup": ["red lipstick", "makeup", "smoky eyes, red lips"],
    "expression": ["thoughtful", "smirk", "pouting"],
    "eye_color": ["blue", "green eyes"],
    "lighting": ["studio lighting", "warm sunlight", "dramatic"],
    "defects": ["red eyes"],
    "medium": ["oil painting"],
    "subject": ["twins", "man", "castle", "18-year-old woman"],
}
ANY = {
    slot_id: st.sampled_from([*(value.id for value in row.value), *OPEN_VALUES.get(slot_id, ())])
    for slot_id, row in slots().items()
    if slot_id != "trigger"
}
PICTURES = st.fixed_dictionaries({}, optional=ANY)
WORDINGS = st.builds(
    Wording,
    trigger=st.sampled_from(["ohwx", "Tr1gger", "ohwx woman"]),
    class_word=st.sampled_from(["woman", "", "man", "twins", "mug"]),
    preset=st.sampled_from(["person", "object", "style", "character"]),
    style=st.sampled_from(styles()),
    phrasing=st.sampled_from(["fixed", "varied"]),
)


def said(style="natural", class_word="woman", preset="person", pronouns=None, **values):
    return compose(
        values, Wording(trigger="ohwx", class_word=class_word, preset=preset, style=style, pronouns=pronouns)
    ).text


def test_p11_to_the_letter():
    caption = compose(P11, Wording(trigger="trigger word", class_word="woman", style="classic"))
    assert caption.text == (
        "trigger word, A photo of, a happy, mid-twenties woman, with long blonde hair with bangs. She is standing in front "
        "of a circus. She is wearing a black business suit with white collar shirt underneath. Her mouth is open and "
        "smiling. Her blue eyes are open. front view, natural lighting"
    )
    assert caption.tags == ("front view", "natural lighting")
    assert caption.author == "fluxcap"


def test_p11_in_natural():
    assert said(**P11) == (
        "ohwx woman, a photo of a happy woman in her mid-twenties with long blonde hair with bangs. "
        f"{REST} front view, natural lighting"
    )


def test_p11_in_prose():
    caption = compose(P11, Wording(trigger="ohwx", class_word="woman", style="prose"))
    assert caption.text == (
        "ohwx woman, a photo of a happy woman in her mid-twenties with long blonde hair with bangs. "
        f"{REST} She is shown from the front. The lighting is natural."
    )
    assert caption.tags == ()


@pytest.mark.parametrize(
    ("medium", "opening"),
    [
        ("photo", "ohwx, A photo of, a woman."),
        ("render", "ohwx, A render of, a woman."),
        ("painting", "ohwx, A painting of, a woman."),
        ("drawing", "ohwx, A drawing of, a woman."),
        ("CGI", "ohwx, A CGI image of, a woman."),
        ("anime", "ohwx, An anime illustration of, a woman."),
        ("oil painting", "ohwx, An oil painting of, a woman."),
    ],
)
def test_the_medium_is_swapped(medium, opening):
    assert said("classic", medium=medium) == opening


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({}, "ohwx woman"),
        ({"mood": "happy"}, "ohwx woman, a happy woman."),
        ({"age": "18"}, "ohwx woman, an 18-year-old woman."),
        ({"age": "a teenager"}, "ohwx woman, a teenage woman."),
        ({"age": "25-30"}, "ohwx woman, a woman between 25 and 30 years old."),
        ({"hair": "long"}, "ohwx woman, a woman with long hair."),
        ({"hair": "bald", "facial_hair": "clean-shaven"}, "ohwx woman, a clean-shaven woman with a bald head."),
        ({"hair": "brown, tied in a ponytail"}, "ohwx woman, a woman with brown hair tied in a ponytail."),
        ({"hair": "long brown hair, tied back"}, "ohwx woman, a woman with long brown hair, tied back."),
        ({"hair": "black pixie with bangs"}, "ohwx woman, a woman with a black pixie with bangs."),
        ({"clothing": "topless", "footwear": "barefoot"}, "ohwx woman. She is topless, with bare feet."),
        ({"clothing": "shirtless, blue jeans"}, "ohwx woman. She is shirtless and wearing blue jeans."),
        ({"clothing": "bare shoulders"}, "ohwx woman. She has bare shoulders."),
        (
            {"clothing": "a black and white dress", "jewelry": "pearl earrings and a thin necklace"},
            "ohwx woman. She is wearing a black and white dress, pearl earrings and a thin necklace.",
        ),
        ({"setting": "beach"}, "ohwx woman. She is on a beach."),
        ({"setting": "white wall"}, "ohwx woman. She is in front of a white wall."),
        ({"setting": "outdoors"}, "ohwx woman. She is outdoors."),
        ({"holding": "glass of wine"}, "ohwx woman. She is holding a glass of wine."),
        ({"pose": "stand"}, "ohwx woman. She is standing."),
        ({"setting": "New York"}, "ohwx woman. She is in New York."),
        ({"clothing": "wearing a red dress"}, "ohwx woman. She is wearing a red dress."),
        ({"pose": "arms crossed"}, "ohwx woman. She is posing with her arms crossed."),
        ({"background": "palm trees"}, "ohwx woman. Palm trees are behind her."),
        ({"background": "blurred background"}, "ohwx woman. The background is blurred."),
        ({"people": "2"}, "ohwx woman. She is with one other person."),
        ({"people": "alone"}, "ohwx woman"),
        ({"text": 'a sign saying "OPEN"'}, 'ohwx woman. The text "OPEN" is visible.'),
        ({"time": "a rainy afternoon"}, "ohwx woman. It is a rainy afternoon."),
        ({"time": "winter"}, "ohwx woman. It is wintertime."),
        ({"makeup": "bare face"}, "ohwx woman. Her face is bare."),
        ({"makeup": "smoky eyes, red lips"}, "ohwx woman. She is made up with smoky eyes and red lips."),
        ({"eyes": "one closed", "eye_color": "green"}, "ohwx woman. One of her green eyes is closed."),
        ({"eye_color": "blue"}, "ohwx woman. Her eyes are blue."),
        ({"expression": "thoughtful", "mouth": "closed"}, "ohwx woman. She looks thoughtful with her mouth closed."),
        ({"view": "back", "medium": "photo"}, "ohwx woman, a photo of a woman. from behind"),
        ({"view": "front"}, "ohwx woman. front view"),
        ({"mood": " "}, "ohwx woman"),
    ],
)
def test_natural(values, text):
    assert said(**values) == text


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"camera_height": "from above"}, "ohwx woman. She is shown from above."),
        ({"framing": "close-up"}, "ohwx woman. She is shown in a close-up."),
        (
            {"framing": "close-up", "view": "profile left", "camera_height": "from below"},
            "ohwx woman. She is shown in a close-up in profile facing left, from below.",
        ),
        ({"gaze": "camera"}, "ohwx woman. She is looking at the camera."),
        ({"lighting": "warm sunlight"}, "ohwx woman. The scene has warm sunlight."),
        (
            {"depth_of_field": "shallow", "defects": "noise"},
            "ohwx woman. The depth of field is shallow. The image is grainy.",
        ),
    ],
)
def test_prose(values, text):
    assert said("prose", **values) == text


@pytest.mark.parametrize("style", styles())
def test_subjects_that_are_no_person(style):
    text = said(style, "mug", "object", medium="photo", setting="on a wooden table")
    assert text.endswith("a mug. It is on a wooden table.")
    text = said(style, "twins", medium="photo", pose="sitting", expression="smiling", eyes="open")
    assert "of twins." in text.replace("of, ", "of ")
    assert text.endswith("They are sitting. They are smiling. Their eyes are open.")


def test_pronouns():
    assert "She is running" in said(action="running")
    assert "He is running" in said(class_word="man", action="running")
    assert "They are running" in said(class_word="person", action="running")
    assert "It is running" in said(class_word="dog", preset="object", action="running")
    assert "They are running" in said(pronouns="they/them", action="running")
    assert said(pronouns="he/him", pose="arms crossed").endswith("He is posing with his arms crossed.")
    assert "He is running" in said(subject="man", action="running")


def test_nobody_named():
    assert said(class_word="", mood="happy", hair="long") == "ohwx, a happy person with long hair."
    assert said(class_word="", medium="photo") == "ohwx, a photo."
    assert said(class_word="") == "ohwx"
    assert said("classic", "", setting="in a park") == "ohwx. They are in a park."
    text = said(class_word="", preset="style", medium="painting", setting="a harbor", mood="calm")
    assert text == "ohwx, a painting of a calm scene. It is in a harbor."


def test_class_word_is_not_said_twice_after_a_trigger_that_ends_with_it():
    text = compose({"medium": "photo"}, Wording(trigger="ohwx woman", class_word="woman")).text
    assert text == "ohwx woman, a photo of a woman."
    assert compose({}, Wording(trigger="Woman", class_word="woman")).text == "Woman"


def test_a_bare_caption_has_no_full_stop():
    assert said() == "ohwx woman"
    assert said("classic") == "ohwx, woman"
    assert said("classic", pose="standing") == "ohwx, woman. She is standing."


def test_unknown_style_and_slot():
    with pytest.raises(UsageError, match="haiku is not a style"):
        compose({}, Wording(trigger="ohwx", style="haiku"))
    with pytest.raises(UsageError, match="shoes is not a trait"):
        compose({"shoes": "red"}, Wording(trigger="ohwx"))


def test_varied_phrasing():
    wording = Wording(trigger="ohwx", class_word="woman", phrasing="varied")
    texts = {compose(P11, wording, f"{number}").text for number in range(40)}
    assert len(texts) > 3
    assert compose(P11, wording, "7") == compose(P11, wording, "7")
    orders = {tuple(span.slot for span in compose(P11, wording, f"{number}").spans) for number in range(40)}
    assert len(orders) == 1


def order(caption):
    return [span.slot for span in caption.spans]


def test_the_order_is_the_tables():
    """Exceptions that the templates make: the class word right after the trigger word; age after the noun in natural and
    prose; what is bare after what is worn; eye colour before eyes; classic's mouth before the expression."""
    values = P11 | {"features": "horns", "body": "slim build", "skin": "pale", "action": "reading", "people": "two men"}
    values |= {"gaze": "camera", "framing": "close-up", "headwear": "hat", "time": "night", "makeup": "red lipstick"}
    table = list(slots())
    for style in styles():
        found = order(compose(values, Wording(trigger="ohwx", class_word="woman", style=style)))
        assert found[0] == "trigger"
        body = [s for s in found if s not in ("trigger", "subject", "age", "eye_color")]
        if style == "classic":
            assert body.index("mouth") + 1 == body.index("expression")
            body.remove("mouth")
        assert body == sorted(body, key=table.index)
        assert found.index("eye_color") + 1 == found.index("eyes")
        assert found.count("subject") == (1 if style == "classic" else 2)


def check_text(caption, values, wording):
    text = caption.text
    assert text.startswith(wording.trigger)
    assert [span.slot for span in caption.spans].count("trigger") == 1
    assert "  " not in text
    assert text == text.strip()
    for wrong in (" ,", " .", "..", ",,", ",.", "{", "}", " a a ", " an a ", "None"):
        assert wrong not in text, wrong
    body = text.removesuffix(", ".join(caption.tags)) if caption.tags else text
    for sentence in re.split(r"(?<=\.) ", body)[1:]:
        assert not sentence or sentence[0].isupper(), sentence
    end = 0
    for span in caption.spans:
        assert end <= span.start < span.end <= len(text)
        words = text[span.start : span.end]
        assert words == words.strip(" ,.")
        end = span.end
    told = {span.slot for span in caption.spans} - {"trigger", "subject"}
    wanted = {s for s, value in values.items() if not is_silent(s, value)} - {"subject"}
    assert told == wanted


@settings(max_examples=300, deadline=None, derandomize=True)
@given(values=PICTURES, wording=WORDINGS, image_id=st.sampled_from(["1", "2", "3"]))
def test_any_picture(values, wording, image_id):
    """Spans, spaces, stops and capitals are right; what is given is said, and nothing else; same input, same text."""
    caption = compose(values, wording, image_id)
    check_text(caption, values, wording)
    assert compose(dict(reversed(values.items())), wording, image_id) == caption


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=PICTURES, style=st.sampled_from(styles()))
def test_any_pictures_order(values, style):
    """The order of what is said is the same for all pictures of a set (P8)."""
    values = {"subject": "woman"} | values
    wording = Wording(trigger="ohwx", class_word="woman", style=style)
    places = {"opening": 0, "scene": 1, "worn": 2, "face": 3, "tail": 4}
    found = [places[slot(one).place] for one in order(compose(values, wording))]
    assert found == sorted(found)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(values=PICTURES)
def test_tags_are_the_tail(values):
    caption = compose(values, Wording(trigger="ohwx", class_word="woman"))
    assert caption.text.endswith(", ".join(caption.tags))
    assert not compose(values, Wording(trigger="ohwx", class_word="woman", style="prose")).tags


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    values=st.fixed_dictionaries({}, optional={s: st.text(max_size=12) for s in slots() if s != "trigger"}),
    style=st.sampled_from(styles()),
)
def test_any_words_at_all(values, style):
    """Whatever a model or a person wrote: no error, and the spans are in order."""
    caption = compose(values, Wording(trigger="ohwx", class_word="woman", style=style))
    assert caption.text.startswith("ohwx")
    end = 0
    for span in caption.spans:
        assert end <= span.start <= span.end <= len(caption.text)
        end = span.end


def test_the_class_word_of_a_style_is_not_what_the_picture_shows():
    text = said(class_word="style", preset="style", clothing="black coat", expression="broad smile")
    assert text == "ohwx style, a person. They are wearing a black coat. They are smiling broadly."
    text = said(class_word="style", preset="style", subject="woman", expression="broad smile")
    assert text == "ohwx style, a woman. She is smiling broadly."
