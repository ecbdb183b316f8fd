"""Tag lists as they lie beside pictures: every way in which people write them, and what is no tag list."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.vocabulary import looks_like_tags, meaning, parse_tags
from fluxcap.vocabulary.tags import listed, tag_table


def tags(text: str) -> str:
    return " ".join(parse_tags(text).tags)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # spelling
        ("long_hair, blue_eyes", "long_hair blue_eyes"),
        ("long hair, blue eyes", "long_hair blue_eyes"),
        ("long  hair,blue\teyes", "long_hair blue_eyes"),
        ("Long Hair, BLUE_EYES, 1Girl", "long_hair blue_eyes 1girl"),
        ("gray hair, grey hair", "grey_hair"),
        ("smile\nlong hair\r\nhat", "smile long_hair hat"),
        ("smile,,, , hat,", "smile hat"),
        ("hat, smile, hat", "hat smile"),
        ("2girls, 6+girls, 7girls", "2girls 6+girls 7girls"),
        # brackets that belong to the tag
        (r"photo_\(medium\), ribbon \(hair\)", "photo_(medium) ribbon_(hair)"),
        ("photo (medium), photo_(medium)", "photo_(medium)"),
        # weights
        ("(red dress:1.2), smile", "red_dress smile"),
        ("((smile)), [hat], {{long hair}}", "smile hat long_hair"),
        ("(smile, long hair:1.2), hat", "smile long_hair hat"),
        ("((smile, (long hair:1.3)), hat)", "smile long_hair hat"),
        (r"(photo \(medium\):0.8), (hat:.5)", "photo_(medium) hat"),
        # kaomoji
        (r":d, ;), >_<, ^_^, :3, o_o, =_=, \m/", r":d ;) >_< ^_^ :3 o_o =_= \m/"),
        (":D, XD", ":d xd"),
        ("(:d:1.2), (>_<:1.1)", ":d >_<"),
        # calls
        ("<lora:foo:0.8>, 1girl, BREAK smile", "1girl smile"),
        ("1girl BREAK smile", "1girl smile"),
        ("<lora:foo:0.8> 1girl <hypernet:bar:1>", "1girl"),
        # parted by blanks, as boorus give them
        ("1girl solo long_hair", "1girl solo long_hair"),
        ("1girl solo long_hair :d >_< photo_(medium)", "1girl solo long_hair :d >_< photo_(medium)"),
        # words for tags
        ("brown hair, fringe, jumper", "brown_hair bangs sweater"),
        ("navy blazer", "navy_blazer"),
        ("", ""),
        (" , \n", ""),
    ],
)
def test_tags(text, expected):
    found = parse_tags(text)
    assert " ".join(found.tags) == expected
    assert found.others == ()


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("ohwx, my cool thing, smile", ("ohwx", "my cool thing")),
        ("(ohwx:1.2), ((my cool thing))", ("ohwx", "my cool thing")),
        ("artist:foo, by greg", ("artist:foo", "by greg")),
        ("Ohwx, ohwx, Ohwx", ("Ohwx", "ohwx")),
    ],
)
def test_what_is_no_tag_is_kept_as_it_stands(text, others):
    assert parse_tags(text).others == others


@pytest.mark.parametrize(
    "text",
    ["masterpiece, best quality", "Masterpiece, highres, absurdres", "(masterpiece:1.3)", "score_9, score_8_up", "rating:safe"],
)  # fmt: skip
def test_words_of_quality_are_dropped(text):
    assert (parse_tags(text).tags, parse_tags(text).others) == ((), ())
    assert tags(f"{text}, smile") == "smile"


TAKEN_FOR_CALLS: set[str] = set()


def test_every_listed_tag_is_read_in_each_spelling():
    """As listed, beside another one with blanks, and with escaped brackets."""
    lost = set()
    for tag in listed():
        blanks = tag.replace("_", " ") if len(tag) > 4 else tag
        escaped = tag.replace("(", r"\(").replace(")", r"\)") if "_(" in tag else tag
        lost |= {tag for text in (tag, f"smile, {blanks}", escaped) if tag not in parse_tags(text).tags}
    assert lost == TAKEN_FOR_CALLS


@pytest.mark.parametrize(
    ("yes", "text"),
    [
        (True, "1girl, solo, smile"),
        (True, "1girl solo long_hair"),
        (True, "long hair, blue eyes, red dress, standing"),
        (True, "ohwx, long_hair, smile, hat"),
        (True, "(smile:1.2), (hat:1.1), 1girl"),
        (True, "1girl, :d, >_<"),
        (True, "1girl, smile, foo, bar, hat"),
        (True, "1girl\nsolo\nsmile"),
        # too few pieces to tell, or too few of them known
        (False, ""),
        (False, "smile"),
        (False, "1girl, smile"),
        (False, "ohwx woman"),
        (False, "1girl, foo, bar, baz"),
        (False, "masterpiece, best quality, absurdres"),
        # sentences
        (False, "A woman with long hair, smiling, in a red dress."),
        (False, "ohwx woman, a photo of a woman with long hair, standing on a beach. She is smiling"),
        (False, "a cat. a dog. a hat."),
        (False, "She is standing. She is wearing a white shirt, a black skirt, a red tie."),
        (False, "woman, 30 years old, dark brown hair, white background"),
        (False, "a photo of ohwx woman"),
        (False, "The woman, who wears a long red dress that reaches down to the floor, looks at the camera, and she smiles"),
    ],
)  # fmt: skip
def test_looks_like_tags(yes, text):
    assert looks_like_tags(text) is yes


PIECE = st.one_of(
    st.sampled_from(sorted(listed())),
    st.sampled_from(sorted(listed())).map(lambda tag: tag.replace("_", " ").title()),
    st.sampled_from(["(", "))", "[", "{smile}", "(hat:1.1)", ":", "<lora:x:1>", "BREAK", "\\(", "\\", "masterpiece", "\n"]),
    st.text(max_size=12),
)  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(PIECE, max_size=8), st.sampled_from([", ", ",", " ", "\n"]))
def test_any_text(pieces, joint):
    text = joint.join(pieces)
    found = parse_tags(text)
    looks_like_tags(text)
    for tag in found.tags:
        assert " " not in tag
        assert "," not in tag or tag in listed()
        assert tag in listed() or tag == tag.lower()
    assert len(set(found.tags)) == len(found.tags)
    assert not {"", " "} & set(found.others)
    kept = tuple(filter(None, found.tags))  # '' is a bare noun, see below
    assert parse_tags(", ".join(kept)).tags == kept or any("," in tag for tag in found.tags)


MINORS = {word for told in tag_table()["minors"].values() for word in told}
"""A tag with one of these in it ('kono_lolicon_domome') counts as the tag that the word means, too."""


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([tag for tag in sorted(listed()) if tag.replace("_", "").isalpha() and len(tag) > 3 and not MINORS & {*tag.split("_")}]), min_size=1, max_size=6, unique=True),
    st.sampled_from(["{}", "({}:1.2)", "(({}))", "[{}]", "{{{}}}", " {} "]),
)  # fmt: skip
def test_weights_change_no_tag(several, weight):
    plain = [tag.replace("_", " ") for tag in several]
    assert list(parse_tags(", ".join(weight.format(tag) for tag in plain)).tags) == several


@pytest.mark.parametrize(
    "piece",
    ["photo of a woman in a red dress", "ohwx woman with red hair", "she is wearing a hat", "a scarf", "and gloves", "smile AND hat", "without glasses"],
)  # fmt: skip
def test_a_stretch_of_a_sentence_is_no_tag(piece):
    for tag in set(parse_tags(f"1girl, {piece}, solo").tags) - {"1girl", "solo"}:
        one = meaning(tag)
        said = set(one.phrase.split()) if one else set()
        assert not said & {"a", "photo", "woman", "she", "and", "without", "AND"}


@pytest.mark.parametrize(
    "text", ["she is wearing a hat, a scarf, and gloves", "a woman with long blonde hair, standing, smiling"]
)
def test_sentences_without_a_full_stop_are_no_tags(text):
    assert not looks_like_tags(text)


def test_smiling_is_a_smile():
    assert tags("1girl, smiling, hat") == "1girl smile hat"


@pytest.mark.parametrize(("text", "expected"), [("((:3))", ":3"), ("smile (soft:1.1)", "smile")])
def test_weights_at_odd_places(text, expected):
    assert tags(text) == expected


@pytest.mark.parametrize("noun", ["eyes", "ears"])
def test_a_bare_noun_is_no_empty_tag(noun):
    assert "" not in parse_tags(f"1girl, {noun}, smile").tags
