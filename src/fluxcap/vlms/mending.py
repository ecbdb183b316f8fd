"""A reader of JSON as models write it: what can mean only one thing is mended, the rest is broken."""

from __future__ import annotations

import json
import re

DEPTH = 40
"""Objects and lists within each other that are followed."""

_BLANK = re.compile(r"(?:[\s\u200b\ufeff]+|//[^\n]*|#[^\n]*|/\*.*?\*/)*", re.S)
_LITERAL = re.compile(r"(true|false|null|none|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?=[\s,}\]/#]|\Z)", re.I)
_NAME = re.compile(r"[A-Za-z_][\w-]*")
_CLOSING = {'"': '"', "'": "'", "“": "”"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_NAMED = {"true": True, "false": False, "null": None, "none": None}
_DECODER = json.JSONDecoder(strict=False)


class Broken(ValueError):
    """This is no JSON, and what was meant is not certain."""


class CutOff(Exception):
    """The text ends before the value does; ``members`` are those of the outermost object that are whole."""

    def __init__(self, members: dict[str, object] | None = None) -> None:
        super().__init__("cut off")
        self.members = members


def read_value(text: str, place: int) -> tuple[object, int]:
    """The value that begins there (blanks before it are allowed) and the place after it.

    Raises ``Broken`` or ``CutOff``.
    """
    place = _skip(text, place)
    try:
        return _DECODER.raw_decode(text, place)
    except (ValueError, RecursionError):
        return _value(text, place, 0)


def _skip(text: str, place: int) -> int:
    found = _BLANK.match(text, place)
    place = found.end() if found else place
    if place >= len(text):
        raise CutOff
    return place


def _value(text: str, place: int, depth: int) -> tuple[object, int]:
    if depth > DEPTH:
        raise Broken
    sign = text[place]
    if sign == "{":
        return _object(text, place + 1, depth)
    if sign == "[":
        return _list(text, place + 1, depth)
    if sign in _CLOSING:
        return _string(text, place)
    found = _LITERAL.match(text, place)
    if found is None:
        raise Broken
    if found.end() == len(text):
        raise CutOff
    word = found[1].lower()
    if word in _NAMED:
        return _NAMED[word], found.end()
    try:
        return json.loads(re.sub(r"^(-?)0+(?=\d)", r"\1", word)), found.end()
    except ValueError as error:  # more digits than Python reads
        raise Broken from error


def _object(text: str, place: int, depth: int) -> tuple[dict[str, object], int]:
    members: dict[str, object] = {}
    try:
        while True:
            place = _skip(text, place)
            if text[place] == "}":
                return members, place + 1
            key, place = _key(text, place)
            place = _skip(text, place)
            if text[place] != ":":
                raise Broken
            value, place = _value(text, _skip(text, place + 1), depth + 1)
            after = _skip(text, place)
            members[key] = value
            place = _separator(text, after, place, "}")
    except CutOff as cut:
        cut.members = members  # the outermost object is the last to put its own here
        raise


def _list(text: str, place: int, depth: int) -> tuple[list[object], int]:
    values: list[object] = []
    while True:
        place = _skip(text, place)
        if text[place] == "]":
            return values, place + 1
        value, place = _value(text, place, depth + 1)
        values.append(value)
        place = _separator(text, _skip(text, place), place, "]")


def _separator(text: str, place: int, end: int, closing: str) -> int:
    """The place after a comma; a comma forgotten at the end of a line is one."""
    if text[place] == ",":
        return place + 1
    if text[place] == closing or (text[place] in _CLOSING and "\n" in text[end:place]):
        return place
    raise Broken


def _key(text: str, place: int) -> tuple[str, int]:
    if text[place] in _CLOSING:
        return _string(text, place)
    found = _NAME.match(text, place)
    if found is None:
        raise Broken
    return found[0], found.end()


def _string(text: str, place: int) -> tuple[str, int]:
    """A text in quotes; a quote inside it that does not end it (no comma, colon or bracket follows) belongs to it."""
    closing = _CLOSING[text[place]]
    signs: list[str] = []
    place += 1
    while place < len(text):
        sign = text[place]
        if sign == "\\" and place + 1 < len(text):
            sign, place = _escape(text, place + 1)
            signs.append(sign)
            continue
        if sign == closing and _ends(text, place + 1):
            return "".join(signs), place + 1
        signs.append(sign)
        place += 1
    raise CutOff


def _ends(text: str, place: int) -> bool:
    """Whether a quote before this place ends its text."""
    rest = re.compile(r"[ \t\r]*(\n|\Z|[,:}\]]|//|/\*)").match(text, place)
    return rest is not None


def _escape(text: str, place: int) -> tuple[str, int]:
    code = text[place + 1 : place + 5]
    if text[place] == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", code):
        try:
            pair = re.match(r"u[dD][89abAB]..\\u[dD][c-fC-F]..", text[place : place + 11])
            whole = text[place : place + (11 if pair else 5)]
            return str(json.loads(f'"\\{whole}"')), place + len(whole)
        except ValueError:
            return "�", place + 5
    return _ESCAPES.get(text[place], text[place]), place + 1
