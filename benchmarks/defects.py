"""Defects planted in good captions, one at a time, at places and in wordings drawn by a seed."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import islice

from bad_captions import CLASS_WORD, IDENTITY, TRIGGER, Plant

from fluxcap.checks import CheckInput

EACH = 20
"""Plants of a kind."""
_SHARED = 12
"""Captions of a set that share a fragment."""

WORDINGS: Mapping[str, Sequence[str]] = {
    "refusal": (
        "I'm sorry, but I can't help with describing this image.",
        "I cannot identify people in pictures.",
        "As an AI language model, I am unable to describe real individuals.",
        "Sorry, I can't assist with that request.",
        "I must decline to describe this person.",
        "This content violates the usage policy, so no caption can be given.",
    ),
    "preamble": (
        "Sure! Here is a caption for your picture:",
        "Here's a detailed description of the image:",
        "Certainly, I can describe this photo.",
        "Caption:",
        "Of course! Below is the caption you asked for.",
        "Absolutely, here you go:",
    ),
    "meta": (
        "The image shows a scene with a woman.",
        "In this photograph we can see a woman.",
        "The overall composition of the picture draws the viewer's attention.",
        "This caption describes what is visible.",
        "The photo captures the essence of the moment.",
        "The viewer is invited to imagine her story.",
    ),
    "hedge": (
        "She appears to be waiting for somebody.",
        "It is possibly late in the day.",
        "She might be a dancer.",
        "This seems to be a rehearsal.",
        "Perhaps she is on her way home.",
        "It could be that the place is a museum.",
    ),
    "negation": (
        "She is not wearing a hat.",
        "There is no text in the picture.",
        "She has no glasses on.",
        "The room is without any furniture.",
        "She isn't smiling.",
        "No jewelry is visible.",
    ),
    "markup": (
        "**a woman**",
        "<b>portrait</b>",
        "\n# Caption\n",
        '{"caption": "a woman"}',
        "<think>what is this</think>",
        "<|im_end|>",
        "- a woman\n- a wall",
        "[INST] describe [/INST]",
        "```",
    ),
    "weights": (
        "(soft lighting:1.3)",
        "((beautiful))",
        "[blurry]",
        "<lora:portrait:0.8>",
        "BREAK",
        "--ar 3:2",
        "(best quality:1.2)",
        "{{smile}}",
        "--v 6",
    ),
    "other_language": (
        "Sie trägt ein Kleid und schaut aus dem Fenster.",
        "Elle se tient devant un mur blanc.",
        "La mujer está sentada en una silla cerca de la ventana.",
        "La donna guarda verso la finestra con le mani in tasca.",
        "Ela está de pé na rua com uma bolsa na mão.",
        "Kobieta stoi przy oknie i patrzy na ulicę.",
        "彼女は窓のそばに立っています。",
        "Она стоит у окна.",
        "Een vrouw staat naast een tafel met bloemen.",
    ),
    "watermark_camera": (
        "Shot on a Canon EOS R5 with an 85mm lens at f/1.8.",
        "There is a watermark in the corner.",
        "ISO 400, 1/200 s, f/2.8",
        "masterpiece, best quality, 8k uhd",
        "trending on artstation",
        "A stock site's logo is across the picture.",
        "The photographer's signature stands at the bottom.",
        "Nikon D850, 50mm",
    ),
    "style_words": (
        "in the style of an impressionist painting",
        "with a watercolor wash",
        "with visible brushwork",
        "in a teal and orange color grade",
        "cel-shaded",
        "with heavy film grain",
        "in pastel tones",
        "painted in thick oil strokes",
    ),
    "pronoun": ("he", "they", "it"),
    "bound_leak:hair": (
        "a golden-haired {}",
        "a blonde {}",
        "a {} with flaxen tresses",
        "a {} with long fair hair",
        "a {} whose honey-blonde locks fall down her back",
        "a {} with sun-bleached hair",
        "a {} with a mane of wheat-coloured curls",
        "a {} with hair the color of straw",
    ),
    "bound_leak:eye_color": (
        "a {} with sapphire eyes",
        "a blue-eyed {}",
        "a {} with an azure gaze",
        "a {} whose eyes are a bright blue",
        "a {} with eyes as blue as the sea",
        "a {} with ice-blue eyes",
    ),
    "bound_leak:age": (
        "a young {}",
        "a twenty-something {}",
        "a {} in her twenties",
        "a 25-year-old {}",
        "a youthful {}",
        "a {} aged 26",
    ),
    "bound_leak:skin": (
        "a freckled {}",
        "a {} with freckled cheeks",
        "a fair-skinned {}",
        "a {} with a porcelain complexion",
        "a {} with freckles across her nose",
        "a {} with pale, freckled skin",
    ),
    "people_count": (
        "Another woman is beside her.",
        "A man stands behind her.",
        "She is with a group of friends.",
        "Two other people are in the background.",
        "Her sister is next to her.",
        "A crowd is around her.",
        "She holds a baby in her arms.",
        "Three men look on.",
        "Her husband sits beside her.",
        "Several onlookers gather around.",
    ),
    "fragment": (
        "Highly detailed, professional photography.",
        "A captivating blend of elegance and quiet strength.",
        "The scene exudes timeless charm.",
    ),
    "contradiction:clothing": (
        "a neon green raincoat",
        "a crimson ball gown",
        "a leopard-print swimsuit",
        "a purple kimono",
    ),
    "contradiction:expression": ("She is crying.", "She looks furious.", "Her face shows terror."),
    "contradiction:setting": (
        "in a snowy forest",
        "on a tropical beach",
        "in a kitchen",
        "at the bottom of a swimming pool",
    ),
    "contradiction:makeup": ("Her face is bare.", "She wears heavy make-up with red lipstick."),
}
_OPPOSITE: Mapping[str, str] = {
    "mouth closed": "mouth wide open",
    "mouth open": "lips pressed together, mouth closed",
    "eyes are open": "eyes are shut",
    "eyes are closed": "eyes are wide open",
    "looking at viewer": "looking down",
    "looking at the camera": "looking at the floor",
    "looking to the side": "looking straight into the lens",
    "full body": "close-up",
    "full-body shot": "close-up",
    "head and shoulders": "full body shot",
    "head-and-shoulders shot": "full-length shot",
    "front view": "from behind",
    "from the front": "from behind",
    "a photo of": "an oil painting of",
    "smiling broadly": "weeping",
    "laughing": "scowling",
    "a neutral expression": "a big grin",
    "soft lighting": "harsh sunlight",
    "natural lighting": "neon lighting",
}
"""Words of a composed caption -> what contradicts them."""
_WIDE = ("in a room", "outdoors", "at home")
"""Places so wide that another one may lie in them."""
_MISSPELT = ("ohxw", "ohwxx", "ohw", "Ohwx", "owhx", "0hwx", "ohwxs", "onwx")
_SHATTERED = ("oh wx", "o h w x", "oh-wx", "ohw x", "o.h.w.x", "oh_wx")
_MOJIBAKE: Sequence[Callable[[str], str]] = (
    lambda text: text.replace("e", "\ufffd", 3),
    lambda text: f"{text} It\u00e2\u20ac\u2122s warm.",
    lambda text: text.replace("wearing", "wearing &quot;&amp;", 1) + " &#39;",
    lambda text: text.replace("her ", "her \\u00e9t\\u00e9 ", 1) + " \\u2019",
    lambda text: f"{text} caf\u00c3\u00a9",
)
_HE: Mapping[str, str] = {"She": "He", "she": "he", "Her": "His", "her": "his"}
_THEY: Mapping[str, str] = {"She is": "They are", "She has": "They have", "Her": "Their", "her": "their"}
_IT: Mapping[str, str] = {"She": "It", "she": "it", "Her": "Its", "her": "its"}

Maker = Callable[[random.Random, CheckInput, int], str | None]
"""A spoilt caption, or None where this one cannot be spoilt so; the number counts the plants of the kind."""


def plant(items: Sequence[CheckInput], seed: int, each: int = EACH) -> list[Plant]:
    """All kinds of defects, ``each`` of a kind, in pictures of the set drawn by the seed."""
    found: list[Plant] = []
    for kind, make in MAKERS.items():
        chance = random.Random(f"{seed} {kind}")
        places = chance.sample(range(len(items)), len(items))
        made = (
            Plant(kind=kind.partition(":")[0], base=place, caption=text, bound=_bound(kind))
            for number, place in enumerate(places)
            if (text := make(chance, items[place], number)) is not None and text != items[place].text
        )
        found += list(islice(made, each if ":" not in kind else -(-each // _PARTS[kind.partition(":")[0]])))
    return found + _of_two(items, seed, each)


def _bound(kind: str) -> str:
    name, _, slot = kind.partition(":")
    return slot if name == "bound_leak" else ""


def _sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.])\s+", text)


def _put(kind: str) -> Maker:
    """A sentence of the kind, as one more sentence at any place behind the first."""

    def make(chance: random.Random, item: CheckInput, number: int) -> str | None:
        said = WORDINGS[kind][number % len(WORDINGS[kind])]
        parts = _sentences(item.text)
        at = chance.randint(1, len(parts))
        before = " ".join(parts[:at])
        return " ".join([before if before.endswith(".") else f"{before}.", said, *parts[at:]])

    return make


def _more_people(chance: random.Random, item: CheckInput, number: int) -> str | None:
    people = item.traits.get("people")
    return _put("people_count")(chance, item, number) if people is not None and people.value == "alone" else None


def _preamble(chance: random.Random, item: CheckInput, number: int) -> str:
    return f"{WORDINGS['preamble'][number % len(WORDINGS['preamble'])]} {item.text}"


def _style(chance: random.Random, item: CheckInput, number: int) -> str:
    said = WORDINGS["style_words"][number % len(WORDINGS["style_words"])]
    parts = _sentences(item.text)
    at = chance.randrange(len(parts))
    parts[at] = f"{parts[at].rstrip('.')}, {said}{'.' if parts[at].endswith('.') else ''}"
    return " ".join(parts)


def _in_words(kind: str) -> Maker:
    """A bound trait in the words for the person ('a photo of a woman' -> 'a photo of a blonde woman')."""

    def make(chance: random.Random, item: CheckInput, number: int) -> str | None:
        said = WORDINGS[kind][number % len(WORDINGS[kind])].format(CLASS_WORD)
        return item.text.replace(f"of a {CLASS_WORD}", f"of {said}", 1) if f"of a {CLASS_WORD}" in item.text else None

    return make


def _opposite(chance: random.Random, item: CheckInput, number: int) -> str | None:
    said = [old for old in _OPPOSITE if old in item.text]
    if not said:
        return None
    old = chance.choice(said)
    return item.text.replace(old, _OPPOSITE[old], 1)


def _other_value(slot: str) -> Maker:
    """Another value in place of what the caption says of this slot."""

    def make(chance: random.Random, item: CheckInput, number: int) -> str | None:
        said = [one for one in item.mentions if one.slot == slot]
        if not said or slot not in item.traits or item.traits[slot].value in _WIDE:
            return None
        first, last = min(one.start for one in said), max(one.end for one in said)
        options = WORDINGS[f"contradiction:{slot}"]
        if slot == "expression":  # as a sentence of its own
            parts = _sentences(item.text)
            at = next((place for place, part in enumerate(parts) if item.text[first:last] in part), 0)
            if not at:
                return None
            return " ".join([*parts[:at], options[number % len(options)], *parts[at + 1 :]])
        return None if last - first > 90 else item.text[:first] + options[number % len(options)] + item.text[last:]

    return make


def _makeup(chance: random.Random, item: CheckInput, number: int) -> str | None:
    bare, made = WORDINGS["contradiction:makeup"]
    if bare in item.text:
        return item.text.replace(bare, made)
    return item.text.replace("She is wearing makeup.", bare) if "She is wearing makeup." in item.text else None


def _sides(chance: random.Random, item: CheckInput, number: int) -> str | None:
    if not re.search(r"\bfacing (?:left|right)\b", item.text):
        return None
    return re.sub(
        r"\bfacing (left|right)\b", lambda found: f"facing {'right' if found[1] == 'left' else 'left'}", item.text
    )


def _order(chance: random.Random, item: CheckInput, number: int) -> str | None:
    first, *rest = _sentences(item.text)
    if len(rest) < 3:
        return None
    if number % 3 == 0:
        return " ".join([first, *rest[::-1]])
    if number % 3 == 1:
        return " ".join([rest[-1] if rest[-1].endswith(".") else f"{rest[-1]}.", first, *rest[:-1]])
    worn = next((place for place, part in enumerate(rest) if "wearing" in part), 0)
    return " ".join([first, *rest[worn:-1], *rest[:worn], rest[-1]]) if worn else None


def _loop(chance: random.Random, item: CheckInput, number: int) -> str:
    parts = _sentences(item.text)
    at = chance.randrange(1, len(parts)) if len(parts) > 1 else 0
    if number % 3 == 0:
        return " ".join([*parts[: at + 1], *[parts[at]] * 3, *parts[at + 1 :]])
    word = parts[at].split()[-1].strip(".")
    if number % 3 == 1:
        return " ".join([*parts[:at], f"{parts[at].rstrip('.')} {' '.join([word] * 6)}.", *parts[at + 1 :]])
    return f"{item.text} {', '.join([word] * 8)}"


def _truncated(chance: random.Random, item: CheckInput, number: int) -> str | None:
    words = item.text.split()
    if len(words) < 16:
        return None
    cut = " ".join(words[: chance.randint(10, len(words) - 4)]).rstrip(".,")
    return f"{cut} {('and', 'with a', 'in the', 'wearing', 'of')[number % 5]}" if number % 2 else cut[:-2]


def _pronoun(chance: random.Random, item: CheckInput, number: int) -> str | None:
    other = (_HE, _THEY, _IT)[number % 3]
    text = item.text
    for old, new in other.items():
        text = re.sub(rf"\b{old}\b", new, text, count=1 + number % 2 * 9)
    return text if text != item.text else None


def _short(chance: random.Random, item: CheckInput, number: int) -> str:
    return (f"{TRIGGER} {CLASS_WORD}", f"{TRIGGER} {CLASS_WORD}.", f"{TRIGGER}, photo", TRIGGER)[number % 4]


def _unsaid(chance: random.Random, item: CheckInput, number: int) -> str | None:
    first, *rest = _sentences(item.text)
    at = next((place for place, part in enumerate(rest) if "wearing" in part), None)
    return None if at is None else " ".join([first, *rest[:at], *rest[at + 1 :]])


def _long(chance: random.Random, item: CheckInput, number: int) -> str:
    more = (
        "A thin line of light runs along shelf number {0}, where {0} jars of different sizes stand beside a folded "
        "cloth and a small brass lamp."
    )
    return f"{item.text} {' '.join(more.format(one) for one in range(1, 40))}"


MAKERS: Mapping[str, Maker] = {
    **{kind: _put(kind) for kind in ("refusal", "meta", "hedge", "negation", "markup", "weights", "other_language")},
    "watermark_camera": _put("watermark_camera"),
    "people_count": _more_people,
    **{f"bound_leak:{slot}": _in_words(f"bound_leak:{slot}") for slot in IDENTITY},
    **{f"contradiction:{slot}": _other_value(slot) for slot in ("clothing", "expression", "setting")},
    "contradiction:makeup": _makeup,
    "contradiction:words": _opposite,
    "preamble": _preamble,
    "style_words": _style,
    "left_right": _sides,
    "order": _order,
    "loop": _loop,
    "truncated": _truncated,
    "mojibake": lambda chance, item, number: _MOJIBAKE[number % len(_MOJIBAKE)](item.text),
    "too_short": _short,
    "trigger_misspelt": lambda chance, item, number: item.text.replace(TRIGGER, _MISSPELT[number % len(_MISSPELT)], 1),
    "trigger_shattered": lambda chance, item, number: item.text.replace(
        TRIGGER, _SHATTERED[number % len(_SHATTERED)], 1
    ),
    "pronoun": _pronoun,
    "shuffle_commas": lambda chance, item, number: item.text.replace("She is", "She, at ease, is", 1),
    "missing_trigger": lambda chance, item, number: item.text.replace(f"{TRIGGER} {CLASS_WORD}, a", "A", 1),
    "trigger_not_first": lambda chance, item, number: f"In this set, {item.text}",
    "repeated_trigger": lambda chance, item, number: (
        item.text.replace("She is", f"{TRIGGER} is", 1) if "She is" in item.text else None
    ),
    "empty": lambda chance, item, number: ("", "  ", "\n", "...", ",")[number % 5],
    "line_break": lambda chance, item, number: item.text.replace(". ", ".\n", 1) if ". " in item.text else None,
    "unsaid": _unsaid,
    "too_long": _long,
}
"""Kind -> who plants it; the kinds of two pictures and more are planted by ``_of_two``."""
_PARTS = Counter(kind.partition(":")[0] for kind in MAKERS if ":" in kind)


def _of_two(items: Sequence[CheckInput], seed: int, each: int) -> list[Plant]:
    """Captions of other pictures (copied, swapped), captions that stand beside several, and what all captions share."""
    chance = random.Random(seed)
    found: list[Plant] = []
    for number in range(each):
        place, other = chance.sample(range(len(items)), 2)
        if len({*items[place].text.split()} ^ {*items[other].text.split()}) < 12:
            other = next(
                at for at in range(len(items)) if len({*items[place].text.split()} ^ {*items[at].text.split()}) > 12
            )
        swapped = {other: items[place].text} if number % 2 else {}
        found.append(Plant(kind="other_picture", base=place, caption=items[other].text, others=swapped))
        found.append(Plant(kind="identical", base=other, caption=items[place].text))
    for said in WORDINGS["fragment"]:
        places = chance.sample(range(len(items)), _SHARED)
        texts = {at: _put_fragment(items[at].text, said, chance) for at in places}
        chosen = places[: -(-each // len(WORDINGS["fragment"]))]
        found += [Plant(kind="fragment", base=at, caption=texts[at], others=texts) for at in chosen]
    return found


def _put_fragment(text: str, said: str, chance: random.Random) -> str:
    parts = _sentences(text)
    at = chance.randint(1, len(parts))
    before = " ".join(parts[:at])
    return " ".join([before if before.endswith(".") else f"{before}.", said, *parts[at:]])
