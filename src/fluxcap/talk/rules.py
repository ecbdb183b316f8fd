"""The words of talk (``data/talk.toml``), ready for use."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

from fluxcap.talk.screen import Patterns


@dataclass(frozen=True, slots=True, kw_only=True)
class Mend:
    """What is said instead of a hedge; ``{b}`` and ``{h}`` stand for the forms of 'be' and 'have'."""

    of: re.Pattern[str]
    to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Signs that no caption has, and what is left of them (None: no mechanical mend).

    ``grave``: software obeys them. ``raw``: they count within quotes too.
    """

    of: re.Pattern[str]
    to: str | None = None
    what: str = ""
    grave: bool = False
    raw: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """When words come again too often; explained in ``data/talk.toml``, table ``loop``."""

    twice: frozenset[str]
    often: frozenset[str]
    plain: frozenset[str]
    same_words: int
    same_share: float
    same_least: int
    list_words: int
    letters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """The rules; each is explained in ``data/talk.toml``."""

    first: re.Pattern[str]
    second: re.Pattern[str]
    sees: re.Pattern[str]
    answers: re.Pattern[str]
    thinks: re.Pattern[str]
    unable: re.Pattern[str]
    refusal: Patterns
    yes: re.Pattern[str]
    leads: re.Pattern[str]
    labels: re.Pattern[str]
    weak_labels: re.Pattern[str]
    describes: re.Pattern[str]
    counts: re.Pattern[str]
    closes: Patterns
    told: Patterns
    about: re.Pattern[str]
    mild: Patterns
    cut: tuple[re.Pattern[str], ...]
    hedge_said: re.Pattern[str]
    hedge: Patterns
    hedge_mends: tuple[Mend, ...]
    denial_said: str
    denial: Patterns
    denial_cut: re.Pattern[str]
    denial_words: int
    denial_keep: re.Pattern[str]
    denial_instead: tuple[tuple[re.Pattern[str], str], ...]
    loop: Loop
    short: int
    cut_marker: re.Pattern[str]
    body: str
    lacking: frozenset[str]
    coloured: frozenset[str]
    last: frozenset[str]
    last_but: frozenset[str]
    last_stopped: frozenset[str]
    nouns_too: frozenset[str]
    whole_tags: frozenset[str]
    before: Mapping[str, frozenset[str]]
    weights: tuple[Sign, ...]
    weights_piece: re.Pattern[str]
    weights_pieces: int
    markup: tuple[Sign, ...]
    field: re.Pattern[str]
    fields: int
    keys: tuple[str, ...]
    pronoun: Mapping[str, frozenset[str]]
    houses: re.Pattern[str]
    marks: Patterns
    camera: Patterns
    camera_held: re.Pattern[str]
    camera_lying: re.Pattern[str]
    camera_taken: re.Pattern[str]
    glue: frozenset[str]
    quality: Patterns
    style: Patterns
    style_always: re.Pattern[str]
    style_medium: str
    thing_noun: re.Pattern[str]
    thing_held: re.Pattern[str]
    thing_before: re.Pattern[str]
    thing_behind: re.Pattern[str]


@lru_cache(maxsize=8)
def table(name: str) -> Mapping[str, Any]:
    """A data file of this room, as it stands."""
    return tomllib.loads(resources.files("fluxcap").joinpath("data", f"{name}.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def talk() -> Talk:
    """The rules in use."""
    data = table("talk")
    groups: Mapping[str, str] = data["groups"]

    def filled(pattern: str) -> str:
        return re.sub(r"\{([a-z]+)\}", lambda name: f"(?:{groups[name[1]]})", pattern)

    def one(pattern: str) -> re.Pattern[str]:
        return re.compile(filled(pattern), re.IGNORECASE)

    def many(patterns: Iterable[str]) -> Patterns:
        return Patterns(filled(pattern) for pattern in patterns)

    def each(patterns: Iterable[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(one(pattern) for pattern in patterns)

    def either(patterns: Iterable[str]) -> re.Pattern[str]:
        return one("|".join(f"(?:{pattern})" for pattern in patterns))

    def signs(rows: Iterable[Mapping[str, Any]]) -> tuple[Sign, ...]:
        return tuple(Sign(**{**row, "of": re.compile(row["of"], re.IGNORECASE)}) for row in rows)

    def sets(row: Mapping[str, Any]) -> dict[str, Any]:
        return {key: frozenset(value) if isinstance(value, list) else value for key, value in row.items()}

    person, refusal, preamble = data["person"], data["refusal"], data["preamble"]
    meta, hedge, denial, last = data["meta"], data["hedge"], data["denial"], data["unfinished"]
    camera, style = data["camera"], data["style"]
    return Talk(
        first=one(person["first"]),
        second=one(person["second"]),
        sees=one(person["sees"]),
        answers=one(person["answers"]),
        thinks=one(person["thinks"]),
        unable=one(refusal["unable"]),
        refusal=many(refusal["match"]),
        yes=one(
            rf"(?:{preamble['yes']})(?:,? (?:{preamble['and_so']}))*(?=\s*[!,.:;–—\n]|\s+-|\s*$)|(?:{preamble['cries']})(?=\s*!)"
        ),
        leads=either(preamble["leads"]),
        labels=one(rf"\b(?:{preamble['labels']})\b"),
        weak_labels=one(rf"(?:{preamble['weak']})"),
        describes=one(preamble["describes"]),
        counts=one(preamble["counts"]),
        closes=many(preamble["closes"]),
        told=many(meta["told"]),
        about=one(meta["about"]),
        mild=many(meta["mild"]),
        cut=each(meta["cut"]),
        hedge_said=one(rf"(?<![\w-])(?:{'|'.join(hedge['said'])})(?![\w-])"),
        hedge=many(hedge["match"]),
        hedge_mends=tuple(Mend(of=re.compile(mend["of"], re.IGNORECASE), to=mend["to"]) for mend in hedge["mend"]),
        denial_said="|".join(denial["said"]),
        denial=many([rf"(?<![\w-])(?:{'|'.join(denial['said'])})(?![\w-])", *denial["match"]]),
        denial_cut=either(denial["cut"]),
        denial_words=denial["words"],
        denial_keep=one(denial["keep"]),
        denial_instead=tuple((one(said), instead) for said, instead in denial["instead"].items()),
        loop=Loop(**sets(data["loop"])),
        short=data["short"]["words"],
        cut_marker=one(last["marker"]),
        body=last["body"],
        lacking=frozenset(last["lacking"]),
        coloured=frozenset(last["coloured"]),
        last=frozenset(last["last"]),
        last_but=frozenset(last["but"]),
        last_stopped=frozenset(last["stopped"]),
        nouns_too=frozenset(last["nouns_too"]),
        whole_tags=frozenset(last["whole_tags"]),
        before={
            "her": frozenset(last["before_her"]),
            "in": frozenset(last["before_in_on"]),
            "on": frozenset(last["before_in_on"]),
        },
        weights=signs(data["weights"]["rule"]),
        weights_piece=one(data["weights"]["whole_piece"]),
        weights_pieces=data["weights"]["pieces"],
        markup=signs(data["markup"]["rule"]),
        field=re.compile(data["markup"]["field"]),
        fields=data["markup"]["fields"],
        keys=tuple(data["markup"]["keys"]),
        pronoun={name: frozenset(said) for name, said in data["pronoun"].items()},
        houses=one(data["marks"]["houses"]),
        marks=many(data["marks"]["match"]),
        camera=many(camera["match"]),
        camera_held=one(camera["held"]),
        camera_lying=one(camera["lying"]),
        camera_taken=one(camera["taken"]),
        glue=frozenset(camera["glue"]),
        quality=many(data["quality"]["match"]),
        style=many(re.sub(r"(?<=[a-z]) (?=[a-z])", "[- ]", pattern) for pattern in style["match"]),
        style_always=one(re.sub(r"(?<=[a-z]) (?=[a-z])", "[- ]", style["always"])),
        style_medium=style["medium"],
        thing_noun=one(style["thing_noun"]),
        thing_held=one(style["thing_held"]),
        thing_before=one(style["thing_before"]),
        thing_behind=one(style["thing_behind"]),
    )
