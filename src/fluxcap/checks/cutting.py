"""A caption without one of its phrases, where what is left is still good English."""

from __future__ import annotations

import re

from fluxcap.english import indefinite, words

_OWNED = re.compile(r"(?:\b(?:an?|the|her|his|their|its)\s+)?$", re.IGNORECASE)
_SENTENCE = re.compile(
    r"(?:^|(?<=[.!?])\s+)(?:(?:she|he|they|it)\s+(?:has|have)|(?:her|his|their|its)\s+\w+\s+(?:is|are))\s+$",
    re.IGNORECASE,
)
_ENDS = re.compile(r"\s*(?:[.;!?]|$)")
_GOES_ON = re.compile(
    r",?\s+(?:in|on|at|by|near|under|who|is|\w+ing|dressed|seated|against|behind|beside)\b", re.IGNORECASE
)
_COMPOUND = re.compile(r"-(?:haired|eyed|skinned|faced|cheeked)\b")


def without(text: str, start: int, end: int) -> str | None:
    """The text without the phrase at these characters; None where cutting it would leave a wrong sentence.

    It is cut as a sentence of its own ('She has long blonde hair.'), a piece between commas, the whole or one of two things
    after 'with', or an adjective before the person ('a blonde woman').
    """
    longer = _COMPOUND.match(text, end)
    end = longer.end() if longer else end
    owner = _OWNED.search(text[:start])
    before, after = text[: owner.start() if owner else start], text[end:]
    for cut in (_sentence, _piece, _after_with, _last_of_two):
        left = cut(before, after)
        if left is not None:
            return left
    return _adjective(text[:start], after)


def _sentence(before: str, after: str) -> str | None:
    found = _SENTENCE.search(before)
    if found is None or not before[: found.start()].strip() or not re.match(r"\s*[.!?]", after):
        return None
    return (before[: found.start()] + re.sub(r"^\s*[.!?]", "", after)).rstrip()


def _piece(before: str, after: str) -> str | None:
    if not before.rstrip().endswith(",") or not re.match(r"\s*(?:[,.;]|$)", after):
        return None
    return before.rstrip()[:-1] + after.lstrip()


def _after_with(before: str, after: str) -> str | None:
    found = re.search(r"\s+with\s+$", before, re.IGNORECASE)
    if found is None:
        return None
    if _ENDS.match(after) or _GOES_ON.match(after):
        return before[: found.start()] + after
    second = re.match(r"\s+and\s+(?=(\w+))", after)
    if second is None or second[1].lower() in _verbs() or second[1].endswith("ing"):
        return None
    return before + after[second.end() :]


def _last_of_two(before: str, after: str) -> str | None:
    found = re.search(r"\bwith\s[^.,;]*?(\s+and\s+)$", before, re.IGNORECASE)
    if found is None or not (_ENDS.match(after) or _GOES_ON.match(after)):
        return None
    return before[: found.start(1)] + after


def _adjective(before: str, after: str) -> str | None:
    person = "|".join(words()["reading"]["person"])
    article = re.search(r"\b(an?|the)\s+$", before, re.IGNORECASE)
    if article is None or not re.match(rf"\s+(?:{person})\b", after):
        return None
    rest = after.lstrip()
    said = article[1] if article[1].lower() == "the" else indefinite(rest.split()[0])
    return f"{before[: article.start()]}{said.capitalize() if article[1][0].isupper() else said} {rest}"


def _verbs() -> frozenset[str]:
    return frozenset({*words()["reading"]["apart"]} - {"a", "an", "the", "her", "his", "their"})
