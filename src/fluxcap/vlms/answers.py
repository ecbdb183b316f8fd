"""Reading what a model wrote: the JSON object in it, refusals, loops, and what stands around prose."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Any

from fluxcap.vlms.mending import Broken, CutOff, read_value

MOST = 50_000
"""Characters of an answer that are looked at."""

_THINKING = re.compile(r"<(?:think|thinking|thought|reasoning)>.*?</(?:think|thinking|thought|reasoning)>", re.S | re.I)
_THOUGHT = re.compile(r"\A.*</(?:think|thinking|thought|reasoning)>", re.S | re.I)
_STILL_THINKING = re.compile(r"<(?:think|thinking|thought|reasoning)>(.*)\Z", re.S | re.I)
_FENCE = re.compile(r"\A\s*(```|~~~)[\w-]*[ \t]*\n(.*?)\n?[ \t]*\1\s*\Z", re.S)
_BLANK = re.compile(r"(?:\s|\\[nt]){100}")
_LOOP, _SHINGLE, _TIMES = 80, 20, 4
_LONGEST = 2000
"""Characters of a stretch that is looked for."""

_TRIES = 60
"""Brackets at which an object is looked for."""

_SHORT = 500
"""Characters: in a text up to here a word of refusal anywhere makes it one."""


@cache
def words() -> dict[str, Any]:
    """The table of ``data/answers.toml``."""
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "answers.toml").read_text(encoding="utf-8"))


def parse(text: str, *, whole: bool = True) -> dict[str, object] | None:
    """The JSON object in an answer; None where there is none, or where several stand in a list.

    Thinking, fences and text around it are left out, slips of the pen (single quotes, commas too many, comments) are mended
    where they can mean only one thing, ``{"traits": {...}}`` and ``[{...}]`` are unwrapped. Of several objects the one with the
    most keys counts, of equal ones the last. An object that breaks off is none, but with ``whole=False`` gives its whole members.
    """
    text = text[:MOST]
    try:
        value, end = read_value(text, 0)
        if not text[end:].strip():  # nothing around it: what looks like thinking or a fence stands in a value
            return parse(value, whole=whole) if isinstance(value, str) and "{" in value else _unwrapped(value)
    except (Broken, CutOff):
        pass
    text = strip_thinking(text)
    best: dict[str, object] | None = None
    place = 0
    for _ in range(_TRIES):
        if (place := _next(text, place)) < 0:
            break
        try:
            value, end = read_value(text, place)
        except CutOff as cut:
            if text[place] == "[":
                place += 1
                continue
            part = _unwrapped(cut.members) if not whole and cut.members else None
            return part if best is None else best
        except Broken:
            place = _after(text, place)
            continue
        place = end
        if isinstance(value, list) and sum(isinstance(one, dict) for one in value) > 1:
            return None
        found = _unwrapped(value)
        if found is not None and (best is None or len(found) >= len(best)):
            best = found
    return best


def _next(text: str, place: int) -> int:
    places = [found for found in (text.find("{", place), text.find("[", place)) if found >= 0]
    return min(places, default=-1)


def _after(text: str, place: int) -> int:
    """Where to look on after what cannot be read: behind the whole of a broken object (its parts are no answer)."""
    if text[place] != "{" or not re.match(r"\{\s*[\"'“]", text[place : place + 200]):
        return place + 1
    depth = 0
    for sign in re.finditer(r"[{}]", text[place:]):
        depth += 1 if sign[0] == "{" else -1
        if not depth:
            return place + sign.end()
    return len(text)


def _unwrapped(value: object) -> dict[str, object] | None:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, dict):
        return None
    if len(value) == 1:
        ((key, inner),) = value.items()
        if isinstance(inner, dict) and inner and key.strip().lower() in words()["wrappers"]:
            value = inner
    return {storable(str(key)): _storable(one) for key, one in value.items()}


def storable(text: str) -> str:
    """The text, with half characters (a model cut one in two) as question marks: files and databases take no others."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(str(key)): _storable(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_storable(one) for one in value]
    return str(value) if isinstance(value, int) and value.bit_length() > 63 else value


def strip_thinking(text: str) -> str:
    """The text without what the model thought aloud; where it never ended thinking, only an object in it is left."""
    if "</" in text:
        text = _THOUGHT.sub("", _THINKING.sub("", text))
    open_end = _STILL_THINKING.search(text)
    if open_end is None:
        return text
    thought = open_end[1].strip()
    before = text[: open_end.start()]
    return thought if not before.strip() and thought.startswith(("{", "```")) else before


def is_refusal(text: str) -> bool:
    """Whether the model says that it will not answer, in prose or in the only value of an object."""
    value = parse(text) if "{" in text else None
    if value is not None:
        said = [one for one in value.values() if isinstance(one, str) and one.strip()]
        return len(value) <= 2 and any(_declines(one) for one in said)
    return _declines(strip_thinking(text))


def _declines(text: str) -> bool:
    plain = " ".join(text[:2000].replace("’", "'").lower().split())
    rest, table = plain, words()["refusal"]
    while (shorter := _without_first(rest, table["regrets"])) != rest:
        rest = shorter
    if _begins(rest, table["starts"]):
        return True
    return len(plain) <= _SHORT and re.search(_any(table["holds"]), plain) is not None


def is_looping(text: str) -> bool:
    """Whether a stretch of the text stands there four times or more in a row (80 characters at least), or blanks without end."""
    text = text[:MOST]
    if _BLANK.search(text):
        return True
    seen: dict[str, int] = {}
    for place in range(len(text) - _SHINGLE + 1):
        shingle = text[place : place + _SHINGLE]
        before = seen.get(shingle)
        seen[shingle] = place
        if before is None:
            continue
        period = place - before
        need = max((_TIMES - 1) * period, _LOOP - period)
        if (
            period <= _LONGEST
            and len(text) - place >= need
            and text[before : before + need] == text[place : place + need]
        ):
            return True
    return False


def strip_preamble(text: str) -> str:
    """Prose without thinking, fences, quotes around the whole, "Sure, here is a caption:" and "Let me know if ..."."""
    text = strip_thinking(text[:MOST]).strip()
    table = words()["prose"]
    before = None
    while before != text:
        before = text
        fence = _FENCE.match(text)
        text = fence[2].strip() if fence else text
        text = _label_off(text, table)
        if _begins(text.lower(), table["interjections"]):
            text = _without_first(text, table["interjections"])
        if len(text) > 1 and text[0] + text[-1] in ('""', "“”", "''") and text[0] not in text[1:-1]:
            text = text[1:-1].strip()
    sentences = re.split(r"(?<=[.!?])\s+", text)
    while len(sentences) > 1 and _begins(sentences[-1].lower().replace("’", "'"), table["closers"]):
        sentences.pop()
        text = text[: text.rfind(sentences[-1]) + len(sentences[-1])].strip()
    return text


def whole_sentences(text: str) -> str:
    """Prose that was cut off, up to the end of its last whole sentence; empty where not one is whole."""
    ends = list(re.finditer(r"[.!?][\"'”’)]*(?=\s|\Z)", text))
    return text[: ends[-1].end()] if ends else ""


def _label_off(text: str, table: dict[str, list[str]]) -> str:
    """Without a first clause that ends with a colon and only tells that a description follows."""
    head, colon, rest = text.partition(":")
    if not colon or not rest.strip() or len(head) > 160 or "\n" in head.strip():
        return text
    plain = " ".join(re.sub(r"[*_#>`]", " ", head).lower().replace("’", "'").split())
    while (shorter := _without_first(plain, table["interjections"])) != plain:
        plain = shorter
    tells = _begins(plain, table["openers"]) and re.search(_any(table["nouns"]), plain)
    return re.sub(r"\A[*_]+(?=\s)", "", rest).strip() if tells or plain in table["labels"] else text


def _any(phrases: list[str]) -> str:
    return rf"(?<!\w)(?:{'|'.join(re.escape(phrase) for phrase in sorted(phrases, key=len, reverse=True))})(?!\w)"


def _begins(text: str, phrases: list[str]) -> bool:
    return re.match(_any(phrases), text) is not None


def _without_first(text: str, phrases: list[str]) -> str:
    """Without one of the phrases at the beginning, where a comma, stop or exclamation follows it (or a blank, after "but")."""
    found = re.match(_any(phrases) + r"(?:\s*[,.!:;–—-]+(?:\s+|\Z)|\s+(?=(?:i|but|here)\b))", text, re.I)
    return text[found.end() :] if found else text
