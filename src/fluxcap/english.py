"""Articles, plurals, lists and pronouns: the ``inflect`` library and the word lists of ``data/words.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inflect import engine as Engine


@lru_cache(maxsize=1)
def words() -> Mapping[str, Any]:
    """The word lists, as they stand in ``data/words.toml``."""
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "words.toml").read_text(encoding="utf-8"))


def with_article(phrase: str) -> str:
    """The noun phrase with 'a' or 'an' where English wants one: 'a suit', 'an hour', 'jeans', 'blonde hair', 'the sea'."""
    return article(phrase) + phrase


@lru_cache(maxsize=4096)
def article(phrase: str) -> str:
    """'a ', 'an ' or nothing, by the head noun of ``phrase``."""
    first = phrase.split(" ", 1)[0].lower()
    if not phrase or first in words()["nouns"]["determiners"] or first.rstrip("%").isdigit():
        return ""
    if is_mass(phrase) or is_plural(phrase):
        return ""
    return indefinite(phrase) + " "


@lru_cache(maxsize=4096)
def indefinite(phrase: str) -> str:
    """'a' or 'an' by the sound of the first word; numbers are read aloud ('an 18-year-old')."""
    spoken = re.sub(r"^\d+", lambda found: str(_engine().number_to_words(found[0])), phrase)
    return str(_engine().a(spoken)).split(" ", 1)[0]


@lru_cache(maxsize=4096)
def is_plural(phrase: str) -> bool:
    """Whether the head noun is plural ('blue jeans with holes'), or the phrase names several things."""
    nouns = words()["nouns"]
    first = phrase.split(" ", 1)[0].lower()
    if first in ("two", "three", "four", "five", "six", "several", "many", "both", "few", "multiple", "various"):
        return True
    noun = head(phrase).lower().split("-")[-1]
    if noun in nouns["plural"]:
        return True
    if not noun.isascii() or not noun.isalpha() or noun in nouns["singular"] or noun in nouns["mass"]:
        return False
    return bool(_engine().singular_noun(noun))


@lru_cache(maxsize=16384)
def singular(word: str) -> str:
    """The word in the singular; as it is where it is singular already."""
    if not word.endswith("s") and word not in words()["nouns"]["plural"]:
        return word
    if word in words()["nouns"]["singular"]:
        return word
    return str(_engine().singular_noun(word) or word)


@lru_cache(maxsize=1024)
def plural(noun: str, number: int) -> str:
    """The noun as it stands after a number: 'close-up', 'close-ups', 'kinds of light'."""
    return str(_engine().plural_noun(noun, number))


def is_mass(phrase: str) -> bool:
    """Whether the head is a noun without article ('lipstick', 'long blonde hair')."""
    said = core(phrase).lower()
    return any(said == noun or said.endswith(" " + noun) for noun in words()["nouns"]["mass"])


def head(phrase: str) -> str:
    """The head noun: the last word before the first preposition ('suit' of 'black suit with white shirt')."""
    noun = core(phrase)
    return noun.split(" ")[-1] if noun else ""


def core(phrase: str) -> str:
    """The phrase up to its first preposition: 'hair clip' of 'hair clip in her hair'."""
    stop = set(words()["nouns"]["prepositions"]) - {"and"}
    taken: list[str] = []
    for word in phrase.replace(",", " ,").split():
        if word == "," and taken and _wants_more(taken[-1]):
            continue
        if taken and (word.lower() in stop or word == ","):
            break
        taken.append(word)
    return " ".join(taken)


def items(value: str) -> list[str]:
    """The things in a list: 'cream blouse, beige trousers and white sandals' -> three; 'a black and white dress' -> one."""
    parts: list[str] = []
    glue = ""
    for place, piece in enumerate(re.split(r"(\s*[,;]\s*(?:and\s+)?|\s+and\s+)", value.strip(" ,;"))):
        if place % 2:
            glue = " and " if piece.strip() == "and" else ", and " if "and" in piece else ", "
        elif piece and parts and (_wants_more(parts[-1]) or _goes_on(piece, parts[-1], glue)):
            parts[-1] += glue + piece
        elif piece:
            parts.append(piece)
    return parts


def _wants_more(part: str) -> bool:
    """Whether the part cannot stand alone: 'a black' of 'a black and white dress', 'short' of 'short, curly hair'."""
    table = words()
    last = part.lower().split(" ")[-1]
    return last in table["nouns"]["adjectives"] or any(
        last in table["groups"][name] for name in ("colour", "length", "curl")
    )


def _goes_on(piece: str, before: str, glue: str) -> bool:
    """Whether the piece belongs to the thing before it: 'hair, tied back', 'a dress with a bow and long sleeves'."""
    if piece.lower().split(" ")[0] in words()["nouns"]["prepositions"]:
        return True
    return glue == " and " and " with " in f" {before} "


def noun_phrase(value: str) -> str:
    """The things in ``value`` with their articles, as an English list."""
    return join([with_article(item) for item in items(value)])


def join(parts: Sequence[str]) -> str:
    """'x', 'x and y', 'x, y and z'."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def spoken(value: str) -> str:
    """A value as it is shown to a person: '{their} arms crossed' -> 'their arms crossed'."""
    return re.sub(r"\{(they|them|their)\}", r"\1", value)


def strip_article(value: str) -> str:
    """The value without leading 'a', 'an' or 'some'."""
    return re.sub(r"^(?:an?|some)\s+(?=\S)", "", value, flags=re.IGNORECASE)


def pronouns(class_word: str, preset: str, chosen: str | None = None) -> Mapping[str, str]:
    """The pronoun and verb forms for the subject: the person's choice ('she/her'), the class word's, or the preset's."""
    table = words()
    forms: Mapping[str, Mapping[str, str]] = table["forms"]
    if chosen:
        return forms[chosen.split("/", 1)[0]]
    word = head(class_word).lower()
    for pronoun in ("she", "he", "they"):
        if word in table["pronouns"][pronoun]:
            return forms[pronoun]
    if word and is_plural(class_word):
        return forms["they"]
    return forms[table["pronouns"]["other"].get(preset, "they")]


@lru_cache(maxsize=1)
def _engine() -> Engine:
    import typeguard

    # inflect asks typeguard to instrument each of its functions at import, which costs a second of CPU
    guard: Any = typeguard
    instrument, guard.typechecked = guard.typechecked, lambda target: target
    try:
        import inflect
    finally:
        guard.typechecked = instrument
    return inflect.engine()
