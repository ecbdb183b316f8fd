"""The room of talk: texts as their wording is judged, repeats, languages, broken signs, and the data behind them."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.talk import (
    cut,
    folded,
    foreign,
    garbled,
    is_english,
    language_name,
    led,
    plain,
    preambles,
    refusals,
    repeats,
    runs,
    sentences,
    talk,
    ungarbled,
    words,
    writer,
)
from fluxcap.talk.known import begins_a_word, ends_a_word
from fluxcap.talk.rules import table
from fluxcap.talk.screen import Patterns, needed

PIECES = """
ohwx|a|the|woman|She|is|not|possibly|I'm|sorry|,|.|:|?|!|(|)|[|]|{|}|"|'|“|”|*|_|#|`|<b>|</b>|<|>|\\u00e9|é|Ã©|\ufffd|\u200b|東京|der|und|la|casa|mit|8k
f/1.8|--ar|3:2|::2|the image shows|\n|\x00|·|…|1.|2.|- |{"a": "b"}|in the style of|no|he|their|they are|shot on|masterpiece
"""
MIXED = st.lists(
    st.sampled_from([one for line in PIECES.strip("\n").split("\n") for one in line.split("|")]), max_size=24
).map(" ".join)


# ---- the data -------------------------------------------------------------------------------------------------------


def test_the_words_of_talk_are_read_whole():
    """Every table and key of the file is known to the loader, and every pattern compiles."""
    data = table("talk")
    assert set(data) == {
        "version", "groups", "person", "refusal", "preamble", "meta", "hedge", "denial", "loop", "short", "unfinished", "weights",
        "markup", "pronoun", "marks", "camera", "quality", "style",
    }  # fmt: skip
    rules = talk()
    assert all(isinstance(pattern, str) for pattern in data["groups"].values())
    used = set(re.findall(r"\{([a-z]+)\}", str({key: value for key, value in data.items() if key != "groups"})))
    assert set(data["groups"]) <= used, "a group that nobody uses"
    assert rules.short > 0
    assert 0 < rules.loop.same_share < 1
    for sign in (*rules.weights, *rules.markup):
        assert not sign.of.search("")
    assert all(sign.what for sign in rules.markup)


def test_languages_have_names_and_words_of_their_own():
    data = table("languages")
    small = set(data["english"]["small"].split())
    assert set(data["other"]) <= set(data["names"])
    for language, said in data["other"].items():
        listed = said.split()
        assert len(listed) == len(set(listed)), language
        assert not small & set(listed), language
        assert len(listed) > 30, language


def test_look_alikes_are_single_letters_of_other_alphabets():
    seen = ""
    for letter, signs in table("garbled")["alike"].items():
        assert len(letter) == 1
        assert letter.isascii()
        assert not any(sign.isascii() or sign in seen for sign in signs)
        seen += signs


# ---- screens --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "pieces"),
    [
        (r"\b(?:canon|nikon)\b", {"canon", "nikon"}),
        (r"(?:foo)?bar+z", {"bar"}),
        (r"\bwater-?marks?\b|\bfoo", {"water", "foo"}),
        (r"a|bcd", set()),
        (r"(?<!x)abc(?=d)", {"abc"}),
        (r"[\]a]bc", {"bc"}),
        (r"\d{2,3}mm", {"mm"}),
        (r"(?s)ab", set()),
        (r"\x41bc", set()),
        (r"f(?:ab|cd)+x", {"ab", "cd"}),
        (r"(?P<n>ab)", set()),
    ],
)
def test_what_a_pattern_needs(source, pieces):
    assert needed(source) == pieces


@settings(deadline=None, max_examples=200)
@given(MIXED)
def test_a_screen_misses_nothing(text):
    """What is found with the screen is what the patterns find without it."""
    rules = talk()
    for patterns in (rules.refusal, rules.told, rules.hedge, rules.denial, rules.quality, rules.camera, rules.closes):
        screened = {match.span() for match in patterns.finditer(text)}
        assert screened == {match.span() for pattern, _ in patterns._patterns for match in pattern.finditer(text)}


def test_patterns_search():
    patterns = Patterns([r"\bred\b", r"\bblue\b"])
    found = patterns.search("a Blue hat")
    assert found is not None
    assert found[0] == "Blue"
    assert patterns.search("reddish") is None


# ---- text -----------------------------------------------------------------------------------------------------------


@given(MIXED, st.sampled_from(["", "ohwx", "the", "ohwx woman", "<b>"]))
def test_a_judged_text_is_as_long(text, trigger):
    assert len(plain(text, trigger)) == len(text)
    assert len(plain(text, trigger, signs=True)) == len(text)


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ('a sign that reads "No parking"', "No parking"),
        ("a shirt that says I LOVE NY, jeans", "I LOVE NY"),
        ("a card reading Happy Birthday on a table", "Happy Birthday"),
        ("a mug labelled 'not mine'", "not mine"),
        ("a «non» on the wall", "non"),
    ],
)
def test_legible_text_is_hidden(text, hidden):
    shown = plain(text)
    start = text.index(hidden)
    assert not re.search(r"\w", shown[start : start + len(hidden)])
    assert shown[:start].split() == text[:start].split()


def test_a_caption_in_quotes_is_no_legible_text():
    text = '"ohwx, a photo of a woman in a red coat, she is not smiling at the camera at all"'
    assert "not smiling" in plain(text)
    assert "reading a book" in plain("a woman reading a book")


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("She sits. He stands", ["She sits.", "He stands"]),
        ("at St. Mark's, Dr. No and J. Doe. Night!", ["at St. Mark's, Dr. No and J. Doe.", "Night!"]),
        ("wearing a. She smiles", ["wearing a.", "She smiles"]),
        ("f/1.8 and 3.5 m\nNext line", ["f/1.8 and 3.5 m", "Next line"]),
        ('He says "Go." Then left', ['He says "Go."', "Then left"]),
    ],
)
def test_sentences(text, parts):
    assert [text[one.start : one.end] for one in sentences(text)] == parts


@pytest.mark.parametrize(
    ("text", "gone", "left"),
    [
        ("ohwx, Sure! a photo", "Sure! ", "ohwx, a photo"),
        ("Caption: ohwx, a photo", "Caption: ", "ohwx, a photo"),
        ("A hat, no gloves, a coat.", ", no gloves", "A hat, a coat."),
        ("One. Two. Three.", " Two.", "One. Three."),
        ("In this photo, she sits.", "In this photo, ", "She sits."),
        ("a hat, 8k", ", 8k", "a hat"),
    ],
)
def test_cut(text, gone, left):
    start = text.index(gone)
    assert cut(text, start, start + len(gone), "ohwx") == left


# ---- repeats --------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abc"), max_size=12))
def test_runs_are_runs(said):
    for place, size, times in runs(said):
        assert times > 1
        assert said[place : place + size * times] == said[place : place + size] * times


@pytest.mark.parametrize(
    "text",
    [
        "black and black", "side by side", "had had a look"[:7], "New York New York", "bye bye", "a red hat, a red coat and red boots",
        "Her eyes are open. Her mouth is open. Her face is bare.", "She wears a hat. She wears boots.", "3 3",
        "ohwx in a red coat and a straw hat. She is smiling. red coat, straw hat, smiling",
    ],
)  # fmt: skip
def test_no_repeats(text):
    assert repeats(text) == ()


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("the the woman", ["the"]),
        ("a red coat and a red coat", ["and a red coat"]),
        ("hat, hat, hat", ["hat, hat"]),
        ("She smiles. Night. She smiles.", ["She smiles."]),
        ("front view, soft light, front view", ["front view"]),
        ("hairhairhair", ["hairhairhair"]),
        ("A vest over a shirt, a vest and a shirt and a vest hang there.", ["vest"]),
    ],
)
def test_repeats(text, again):
    assert [text[one.start : one.end] for one in repeats(text)] == again


# ---- languages ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Eine Frau steht im Park.", "German"),
        ("rote Haare mit Brille", "German"),
        ("Elle porte une robe noire.", "French"),
        ("una mujer con gafas", "Spanish"),
        ("Uma mulher com cabelo longo", "Portuguese"),
        ("donna con capelli lunghi", "Italian"),
        ("Ze staat in een studio.", "Dutch"),
        ("Kobieta stoi na ulicy.", "Polish"),
        ("kadın siyah bir elbise giyiyor", "Turkish"),
        ("wanita itu berdiri di studio", "Indonesian"),
        ("Hon står i en vit studio.", "Swedish"),
        ("Hän seisoo studiossa.", "Finnish"),
        ("Stojí v bílém studiu.", "Czech"),
        ("Egy nő áll a fal előtt.", "Hungarian"),
        ("Она стоит в студии.", "Cyrillic"),
        ("彼女はスタジオにいます", "Chinese or Japanese"),
        ("Naine seisab valges stuudios.", "not English"),
    ],
)
def test_other_languages(text, language):
    found = foreign(f"A photo of a woman. {text}")
    assert found
    assert language_name(found[0].language) == language
    assert text.startswith(f"A photo of a woman. {text}"[found[0].start :][:4])


@pytest.mark.parametrize(
    "text",
    [
        "on the Place de la Concorde in Paris", "Rio de Janeiro, Los Angeles and Las Vegas", "a pain au chocolat in a café",
        "a saree with a zari border", "an haute couture gown en vogue", "the letter π on a board", "naïve façade of the Hôtel de Ville",
        "she is en pointe in a pas de deux", "a sombrero, a poncho and huaraches", "a dirndl at the Oktoberfest",
    ],
)  # fmt: skip
def test_names_and_words_taken_in_are_english(text):
    assert foreign(plain(text)) == ()


def test_known_words():
    for word in ("woman", "women's", "standing", "blurrier", "T-shirt", "cobblestones", "planned", "1990s"):
        assert is_english(word), word
    for word in ("ohwx", "zorblax", "mujer", "stan"):
        assert not is_english(word), word
    assert begins_a_word("ligh")
    assert ends_a_word("lurred")
    assert not begins_a_word("zq")


# ---- broken signs ---------------------------------------------------------------------------------------------------


@given(st.text(st.sampled_from("aé’“—…ü ñßçø€™"), max_size=20))
def test_utf_8_read_as_windows_1252_is_read_again(text):
    broken = text.encode("utf-8").decode("cp1252", errors="ignore")
    whole = broken.encode("cp1252", errors="ignore").decode("utf-8", errors="ignore") == text
    if whole and broken != text and not garbled(text):
        assert garbled(broken)
        assert ungarbled(broken) == text


@pytest.mark.parametrize(
    ("text", "was"),
    [
        ("cafÃƒÂ©", "café"), ("She‚Äôs", "She’s"), ("вЂ™s", "’s"), ("open鈥攕he", "open—she"), ("bob.Â She", "bob. She"),
        ("It&#39;s &amp;amp; more", "It's & more"), ("caf\\u00e9", "café"), ("caf%C3%A9", "café"), ("a=20b", "a b"), ("end_x000D_", "end"),
        ("wo\u200bman\ufeff", "woman"), ("w\u043eman", "woman"), ("ｗｏｍａｎ", "woman"), ("woman`s", "woman's"), ("a\\\"b\\\"", 'a"b"'),
    ],
)  # fmt: skip
def test_what_was_broken(text, was):
    assert garbled(text)
    assert ungarbled(text) == was
    assert garbled(was) == ()


@pytest.mark.parametrize(
    "text",
    ["a café in São Paulo", "SÃO PAULO", "ÂNGELA", "black & white", "100% wool", "👩\u200d🦰 hair", "fate_(series)", "5'10\" tall", "İstanbul, Łódź"],
)  # fmt: skip
def test_what_is_whole(text):
    assert garbled(text) == ()
    assert ungarbled(text) == text


def test_one_spelling():
    assert folded("ÓHWX") == folded("\u043ehw\u0445") == folded("o-h w.x") == "ohwx"


# ---- talk to somebody -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Sure! Here is the caption: a woman", "a woman"),
        ("Caption: a woman", "a woman"),
        ("Photo 3: a woman", "a woman"),
        ("Description - a woman", "a woman"),
        ("Alright, I'll describe it: a woman", "a woman"),
        ("a portrait in winter: a woman", "a portrait in winter: a woman"),
        ("lovely, calm, a woman", "lovely, calm, a woman"),
    ],
)
def test_what_leads_to_a_caption(text, rest):
    assert text[led(text) :].strip() == rest


def test_who_writes():
    assert writer("I see a woman")
    assert writer("My take on it")
    for text in ("King George I stands", "the US flag", "a World War I tank", "an I-beam", "My Little Pony"):
        assert writer(text) is None, text


def test_refusals_within_tags_leave_the_tags():
    text = plain("ohwx, a photo. front view, sorry I am not able to say more")
    (place,) = refusals(text)
    assert text[slice(*place)].strip() == "sorry I am not able to say more"
    assert preambles(text) == ()


# ---- any text -------------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=300)
@given(MIXED | st.text(max_size=80))
def test_no_text_breaks_the_room(text):
    shown = plain(text)
    for places in (refusals(shown), preambles(shown)):
        assert all(0 <= start < end <= len(text) for start, end in places)
    assert all(0 <= one.start < one.end <= len(text) for one in (*repeats(shown), *foreign(shown), *garbled(text)))
    assert all(text[word.start : word.end] for word in words(text))
    assert isinstance(ungarbled(text), str)


@pytest.mark.parametrize(
    "mess",
    [
        "(",
        "[",
        "a ",
        "the image ",
        "I ",
        "& ",
        "\\u",
        "Ã",
        "x1 ",
        '"',
        "der und ",
        "- ",
        "*",
        ". ",
        "<",
        "{",
        "no ",
        "東",
    ],
)
def test_a_mess_of_any_length_takes_no_time(mess):
    text = mess * 2000
    started = time.process_time()
    shown = plain(text)
    refusals(shown), preambles(shown), repeats(shown), foreign(shown), garbled(text), ungarbled(text)
    assert time.process_time() - started < 3
