"""One value as a model gave it -> the value that may be believed: what is cleaned off, and what has it refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Literal

from fluxcap.hearing.rules import rules
from fluxcap.talk import foreign, is_foreign, led, refuses, runs, talk, words
from fluxcap.vocabulary import Slot, is_nothing, normal

Reason = Literal[
    "unknown key",
    "no text",
    "too long",
    "loop",
    "declined",
    "other language",
    "about the picture",
    "hedged",
    "denied",
    "name",
    "not a value",
    "says nothing",
    "one answer for many",
]
"""Why something was not believed."""

READ_AT_MOST = 2000  # characters; what is longer is no value, and reading it would take its time

_THINGS = ("holding", "features", "background")
_SIGNS = str.maketrans({"’": "'", "‘": "'", "‐": "-", "‑": "-", "–": "-", "—": ", ", "…": ".", "“": '"', "”": '"'})
_MARKS = re.compile(r"<\|[^|<>]*\|>|</?\w+[^<>]*>|```\w*|\*\*|__|`|\\+[nrt]|\\+\"|[{}\[\]]|^[\s>*#•-]+|^\d+[.)]\s+")
_EDGES = " \t.,;:|*_~\\/+=#-"


class Refusal(Exception):
    """The value, or a piece of it, is not believed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


@dataclass(slots=True)
class Mended:
    """What is left of a value ('' where it says nothing), and the pieces that were refused."""

    text: str = ""
    refused: list[tuple[str, Reason]] = field(default_factory=list)


def tidy(text: str, row: Slot | None = None) -> str:
    """The text in one line, without markup, signs that cannot be shown, and the key before its value."""
    plain = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    if row is not None and row.id == "text":
        plain = " ".join(unicodedata.normalize("NFC", plain).split())
        return re.sub(r"(?<!\w)'([^'\"]+)'(?!\w)", r'"\1"', plain)
    plain = unicodedata.normalize("NFKC", plain).translate(_SIGNS)
    plain = "".join(c for c in plain if unicodedata.category(c) not in ("So", "Sk"))
    plain = " ".join(_MARKS.sub(" ", " ".join(plain.split())).split())
    if row is not None:
        key = "|".join(re.escape(name) for name in (row.id, row.id.replace("_", " "), row.name))
        plain = re.sub(rf"^\W*(?:{key})\W*?:", "", plain, flags=re.IGNORECASE)
    plain = re.sub(r" ?\(([^()]*)\)", r", \1", plain).replace("(", " ").replace(")", " ")
    plain = " ".join(plain.split())
    if plain[:1] in "\"'" and plain[-1:] == plain[:1]:
        plain = plain[1:-1]
    return plain.strip(_EDGES)


def mend(row: Slot, text: str, allowed: Collection[str]) -> Mended:
    """What of a tidied value may be believed. Raises ``Refusal`` where nothing of it may, though it says something."""
    refuse_runs(text)
    if row.id == "text":  # what is written in a picture may be in any language, and name anybody
        return Mended(text="" if rules().no_text.fullmatch(text) or rules().untold.fullmatch(text) else text)
    if refuses(text):
        raise Refusal("declined")
    refuse_foreign(text)
    done = Mended(text=without_meta(text))
    if talk().told.search(done.text):
        raise Refusal("about the picture")
    if row.id == "age":
        done.text = rules().about.sub("", done.text)
    clauses = [clause for clause in re.split(r"\s*[,;]\s*", done.text) if clause]
    if any(rules().untold.fullmatch(clause) for clause in clauses):
        done.text = ", ".join(clause for clause in clauses if not rules().untold.fullmatch(clause))
    if says_nothing(done.text):
        return Mended()
    _cut_hedges(row, done)
    _cut_denials(row, done)
    _cut_pieces(row, done, allowed)
    done.text = lowered(done.text, allowed)
    if normal(done.text) in rules().empty or normal(done.text) in (normal(row.name), row.id):
        raise Refusal("says nothing")
    return done


def says_nothing(text: str) -> bool:
    """Whether the value only says that there is nothing, or that it cannot be told; 'no glasses' is a denial."""
    return not re.search(r"\w", text) or (is_nothing(text) and not normal(text).startswith("no "))


def refuse_runs(text: str) -> None:
    """Raise for a loop (a word or a stretch again and again) and for what is too long to be a trait's value."""
    said = re.findall(r"[\w'-]+", text[:READ_AT_MOST].lower())
    if any(times >= rules().repeats for _, _, times in runs(said)):
        raise Refusal("loop")
    if re.search(r"([^\W\d])\1{7}", text[:READ_AT_MOST]):
        raise Refusal("loop")
    if len(text) > rules().most_characters or len(text.split()) > rules().most_words:
        raise Refusal("too long")


def refuse_foreign(text: str) -> None:
    """Raise for words of other languages, and for letters that are not Latin."""
    if foreign(text) or all(is_foreign(word.text) for word in words(text)):
        raise Refusal("other language")


def without_meta(text: str, *, prose: bool = False) -> str:
    """The text without talk about the picture ('the image shows'); a single value also without 'she is', 'her hair is'."""
    text = text[led(text) :] or text
    for pattern in (*rules().meta, *(() if prose else rules().subject)):
        text = " ".join(pattern.sub(" ", text).split()).strip(_EDGES)
    return text


def names_in(text: str, allowed: Collection[str]) -> bool:
    """Whether a name of a person or brand stands in the text: a listed one, or a capitalised word that is no known word."""
    for name in sorted(allowed, key=len, reverse=True):
        if name.strip():
            text = re.sub(rf"(?<!\w){re.escape(name.strip())}(?:'s)?(?!\w)", "x", text, flags=re.IGNORECASE)
    if rules().names.search(text):
        return True
    for found in re.finditer(r"[^\W\d_][\w'-]*", text):
        if re.search(r"(?:^|[.!?:]\s*)[\W\d]*$", text[: found.start()]):
            continue  # how a sentence starts says nothing
        for part in found[0].removesuffix("'s").split("-"):
            plain = part.lower()
            known = plain in rules().proper or plain in rules().common
            if part[:1].isupper() and len(part) > 1 and (not known or plain in rules().brands):
                return True
    return False


def lowered(text: str, allowed: Collection[str]) -> str:
    """'Long Black Dress' -> 'long black dress': capitals that only start a value, or are a title's; proper words keep theirs."""
    spared = {word.lower() for name in allowed for word in name.split()} | rules().proper
    said = [word for word in re.findall(r"[^\W\d_][\w'-]*", text) if len(word) > 3]
    title = len(said) > 1 and all(word[0].isupper() for word in said)

    shouted = text.isupper() and " " in text

    def one(found: re.Match[str]) -> str:
        word = found[0]
        if (
            re.match(r"[A-Z]-", word)
            or word.lower().removesuffix("'s") in spared
            or (word.isupper() and not shouted and len(word) < 5)
        ):
            return word
        starts = re.search(r"(?:^|[.;]\s+)$", text[: found.start()])
        return word.lower() if title or starts or word.isupper() else word

    return re.sub(r"\s*;\s*|\.\s+", ", ", re.sub(r"[^\W\d_][\w'-]*", one, text))


def _cut_hedges(row: Slot, done: Mended) -> None:
    """'possibly a denim jacket' is a denim jacket; 'black hair, possibly dyed' is black hair.

    What follows a hedge goes where the words before it stand alone, else only the hedge goes.
    """
    if done.text.endswith("?"):
        raise Refusal("hedged")
    if not rules().hedges.search(done.text):
        return
    while hedge := rules().hedges.search(done.text):
        before = _stem(done.text[: hedge.start()])
        after = done.text[hedge.end() :].lstrip(" ,:")
        if before and _stands(row, before):
            end = re.search(r"[,;.]|$", after)
            assert end is not None
            done.text = before + after[end.start() :]
        else:
            done.text = f"{done.text[: hedge.start()]}{after}"
        done.text = " ".join(done.text.split()).strip(_EDGES)
    if not re.search(r"\w", done.text) or not _stands(row, done.text, alone=True):
        raise Refusal("hedged")


def _cut_denials(row: Slot, done: Mended) -> None:
    """'short hair, no bangs' is short hair; what comes after a denial may be denied too, up to the sentence's end."""
    while denial := rules().denied.search(done.text):
        before = _stem(done.text[: denial.start()])
        end = re.search(r"[;.]|\bbut\b|$", done.text[denial.end() :])
        assert end is not None
        after = done.text[denial.end() + end.end() :].strip(_EDGES)
        if before and not _stands(row, before):  # 'neutral, she is not smiling'
            before = _stem(before.rpartition(",")[0])
            if not before or not _stands(row, before):
                raise Refusal("denied")
        left = "; ".join(filter(None, (before, after)))
        if not left:
            raise Refusal("denied")
        done.refused.append((done.text[denial.start() : denial.end() + end.start()].strip(), "denied"))
        done.text = left


def _cut_pieces(row: Slot, done: Mended, allowed: Collection[str]) -> None:
    """Names and choices ('jeans or leggings') have their piece of a list refused, or the whole of what is no list."""
    pieces = re.split(r"\s*[,;]\s*", done.text) if row.many else [done.text]
    kept: list[str] = []
    reason: Reason | None = None
    for place, piece in enumerate(pieces):
        why: Reason | None = None
        if re.search(r"\bor\b(?! more\b)", piece, re.IGNORECASE):
            why = "hedged"
        elif names_in(f"x {piece}" if place else piece, allowed):
            why = "name"
        if why is None:
            kept.append(piece)
        else:
            reason = reason or why
            done.refused.append((piece, why))
    if reason is not None and not kept:
        done.refused.clear()
        raise Refusal(reason)
    if reason is not None:
        done.text = ", ".join(kept)


def _stem(text: str) -> str:
    """What stands before a cut, without the words that led to it ('black hair and', 'a park with')."""
    return rules().trailing.sub("", text).strip(_EDGES)


def _stands(row: Slot, text: str, *, alone: bool = False) -> bool:
    """Whether the words can be a value by themselves: 'denim jacket', not 'standing near', nor 'white' of a garment."""
    last = re.findall(r"[\w'-]+", text.lower())[-1:]
    if not last or last[0] in rules().open:
        return False
    return alone or not ((row.place == "worn" or row.id in _THINGS) and last[0] in rules().describing)
