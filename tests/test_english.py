"""Articles, plurals, lists and pronouns."""

import pytest

from fluxcap.english import indefinite, is_mass, is_plural, items, join, noun_phrase, pronouns, strip_article


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("18-year-old woman", "an 18-year-old woman"),
        ("8-bit sweater", "an 8-bit sweater"),
        ("11-inch doll", "an 11-inch doll"),
        ("20-year-old man", "a 20-year-old man"),
        ("jeans", "jeans"),
        ("sunglasses", "sunglasses"),
        ("round glasses", "round glasses"),
        ("dress", "a dress"),
        ("updo", "an updo"),
        ("hour", "an hour"),
        ("umbrella", "an umbrella"),
        ("uniform", "a uniform"),
        ("unicorn", "a unicorn"),
        ("European dress", "a European dress"),
        ("one-piece swimsuit", "a one-piece swimsuit"),
        ("honest look", "an honest look"),
        ("x-ray", "an x-ray"),
        ("FBI jacket", "an FBI jacket"),
        ("NASA shirt", "a NASA shirt"),
        ("L-shaped sofa", "an L-shaped sofa"),
        ("US flag", "a US flag"),
        ("long blonde hair", "long blonde hair"),
        ("long blonde hair with bangs", "long blonde hair with bangs"),
        ("short, curly hair", "short, curly hair"),
        ("salt and pepper hair", "salt and pepper hair"),
        ("long hair, tied back in a bun", "long hair, tied back in a bun"),
        ("red lipstick", "red lipstick"),
        ("red lipstick and black eyeliner", "red lipstick and black eyeliner"),
        ("glasses of wine", "glasses of wine"),
        ("glass of wine", "a glass of wine"),
        ("cup of coffee", "a cup of coffee"),
        ("paper bag", "a paper bag"),
        ("lace", "lace"),
        ("black lace dress", "a black lace dress"),
        ("black and white dress", "a black and white dress"),
        ("a black and white dress", "a black and white dress"),
        ("black, white and red dress", "a black, white and red dress"),
        ("red and white striped shirt and blue jeans", "a red and white striped shirt and blue jeans"),
        (
            "cream blouse, beige trousers and white sandals",
            "a cream blouse, beige trousers and white sandals",
        ),
        (
            "black business suit with white collar shirt underneath",
            "a black business suit with white collar shirt underneath",
        ),
        ("black leather jacket over a white shirt", "a black leather jacket over a white shirt"),
        ("dress with a bow and long sleeves", "a dress with a bow and long sleeves"),
        ("shirt, tie", "a shirt and a tie"),
        ("navy suit, white shirt, and red tie", "a navy suit, a white shirt and a red tie"),
        ("glasses and a hat", "glasses and a hat"),
        ("pair of jeans", "a pair of jeans"),
        ("her hand", "her hand"),
        ("the sea", "the sea"),
        ("two men", "two men"),
        ("men", "men"),
        ("some jewelry", "jewelry"),
        ("bangs", "bangs"),
        ("hat with white feathers", "a hat with white feathers"),
        ("bouquet of flowers", "a bouquet of flowers"),
        ("tall buildings and a river", "tall buildings and a river"),
        ("stainless steel mug", "a stainless steel mug"),
        ("bus", "a bus"),
        ("harness", "a harness"),
        ("high heels", "high heels"),
        ("black bra and panties", "a black bra and panties"),
        ("full beard", "a full beard"),
        ("stubble", "stubble"),
    ],
)
def test_noun_phrases(value, said):
    assert noun_phrase(strip_article(value)) == said


@pytest.mark.parametrize(
    "value", ["jeans", "two dogs", "twins", "people", "blue jeans with a hole", "antlers", "several cats"]
)
def test_plural(value):
    assert is_plural(value)


@pytest.mark.parametrize(
    "value", ["dress", "circus", "glass of wine", "hair", "woman", "actress", "suit with buttons", "bus"]
)
def test_singular(value):
    assert not is_plural(value)


@pytest.mark.parametrize(
    ("value", "mass"), [("blonde hair", True), ("fur coat", False), ("hair clip", False), ("face paint", True)]
)
def test_mass(value, mass):
    assert is_mass(value) is mass


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("", []),
        ("dress", ["dress"]),
        ("hat, scarf; and gloves", ["hat", "scarf", "gloves"]),
        ("hat, a dress with buttons and a belt", ["hat", "a dress with buttons and a belt"]),
        ("long, wavy brown hair", ["long, wavy brown hair"]),
        (" , dress ,", ["dress"]),
        ("black and gold", ["black and gold"]),
    ],
)
def test_items(value, parts):
    assert items(value) == parts


@pytest.mark.parametrize(
    ("parts", "said"), [([], ""), (["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_join(parts, said):
    assert join(parts) == said


@pytest.mark.parametrize(
    ("value", "bare"),
    [("a dress", "dress"), ("An hour", "hour"), ("some milk", "milk"), ("a", "a"), ("anchor", "anchor")],
)
def test_strip_article(value, bare):
    assert strip_article(value) == bare


def test_indefinite():
    assert indefinite("81-year-old man") == "an"
    assert indefinite("happy, mid-twenties woman") == "a"


@pytest.mark.parametrize(
    ("word", "preset", "they", "are"),
    [
        ("woman", "person", "she", "is"),
        ("young woman", "person", "she", "is"),
        ("Woman", "style", "she", "is"),
        ("actress", "person", "she", "is"),
        ("man", "person", "he", "is"),
        ("knight", "character", "he", "is"),
        ("twins", "person", "they", "are"),
        ("twins", "object", "they", "are"),
        ("cats", "object", "they", "are"),
        ("mug", "object", "it", "is"),
        ("dog", "object", "it", "is"),
        ("castle", "style", "it", "is"),
        ("character", "character", "they", "are"),
        ("person", "person", "they", "are"),
        ("", "person", "they", "are"),
        ("", "object", "it", "is"),
    ],
)
def test_pronouns(word, preset, they, are):
    forms = pronouns(word, preset)
    assert (forms["they"], forms["are"]) == (they, are)


@pytest.mark.parametrize("chosen", ["he/him", "they/them", "it/its", "she/her"])
def test_chosen_pronouns_win(chosen):
    assert pronouns("woman", "person", chosen)["they"] == chosen.split("/")[0]
