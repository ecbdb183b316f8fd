"""Judges a caption by its text, against what is true of the picture (gold) and what the set should say (the gold plan).

The judge does not ask the composer what it wrote. It looks for words of its own (``WORDED``, the values' own words) and reads the
text with ``fluxcap.vocabulary.read``; the composer's spans are its last resort, and how often it needed them is told.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import combinations
from typing import Literal

from fluxcap.thinking import thinking
from fluxcap.types import Span
from fluxcap.vocabulary import Mention, canonical, is_silent, near, normal, read, same, slots

Gold = Mapping[str, str]
"""Slot id -> what is true of a picture."""

How = Literal["words", "reading", "span", "not"]
"""How it was found that the text says a value: by its words, by reading the text, only by the composer's span; or not at all."""

Places = Mapping[str, Sequence[tuple[int, int]]]
"""Slot id -> the stretches of text in which its true value was found by its words."""

UNPLANNED = frozenset({"trigger", "subject"})
"""Trigger and class word stand in every caption; they are no traits to be bound or said."""

_THEIR = r"(?:their|her|his|its)(?= (?:\w+ )?eyes {})"
"""'Their blue eyes are open' says the eyes from 'their' on, and the colour within."""
WORDED: Mapping[str, Mapping[str, str]] = {
    "medium": {
        "photo": r"(?<!black and white )photo(?:graph)?\b",
        "black and white photo": r"black[ -]and[ -]white photo|monochrome",
        "CGI": r"CGI|3d\b",
        "painting": r"painting",
    },
    "people": {
        "one other person": r"one other person|2people",
        "two other people": r"two other people|3people",
        "several other people": r"several other people|multiple people",
        "a crowd": r"crowd",
    },
    "makeup": {"bare face": r"face is bare|bare face", "makeup": r"(?<!without )makeup"},
    "expression": {
        "neutral": r"neutral expression|expression is neutral|expressionless",
        "slight smile": r"smiling slightly|slight smile|light smile",
        "smiling": r"smiling(?! slightly| broadly)",
        "broad smile": r"smiling broadly|broad smile|grin\b|grinning",
        "laughing": r"laughing",
        "surprised": r"surprised",
        "sad": r"sad\b",
        "angry": r"angry",
        "grimace": r"grimac",
    },
    "mouth": {
        "closed": r"mouth (?:is )?closed|closed mouth",
        "parted": r"lips (?:are )?parted|parted lips",
        "open": r"mouth (?:is )?open|open mouth",
    },
    "eyes": {
        "open": _THEIR.format("are open") + r"|eyes (?:are )?open|open eyes",
        "closed": _THEIR.format("are closed") + r"|eyes (?:are )?closed|closed eyes",
        "one closed": r"one of " + _THEIR.format("is closed") + r"|one eye (?:is )?closed",
    },
    "gaze": {
        "camera": r"looking (?:at|into) (?:the )?(?:viewer|camera)",
        "side": r"looking to the side|looking away",
        "up": r"looking up",
        "down": r"looking down",
    },
    "framing": {
        "close-up": r"close-up",
        "head-and-shoulders": r"head[ -]and[ -]shoulders|portrait",
        "waist-up": r"waist-up|upper body",
        "knee-up": r"knee-up|cowboy shot",
        "full body": r"full[ -]body",
    },
    "view": {
        "front": r"front view|from the front|straight-on",
        "three-quarter left": r"three-quarter view,? facing left",
        "three-quarter right": r"three-quarter view,? facing right",
        "profile left": r"(?:from side|profile),? (?:profile, )?facing left",
        "profile right": r"(?:from side|profile),? (?:profile, )?facing right",
        "back": r"from behind|back view",
    },
    "lighting": {
        "natural": r"natural light",
        "soft": r"soft light",
        "hard": r"hard light",
        "low-key": r"low[- ]key",
        "high-key": r"high[- ]key",
        "backlight": r"backlight|backlit",
    },
}
"""Accepted wordings of listed values whose own words alone would not tell (the eyes are open, or the mouth?). Written for this judge."""
_SAID: Mapping[str, str] = {
    "lighting": r"{}(?: light(?:ing)?\b)?",
    "hair": r"{}(?: hair\b)?",
    "eye_color": r"{} eyes\b|eyes are {}\b",
}
"""How the values of a slot are said where their own words are not enough: 'dim indoor' as 'dim indoor lighting', 'blue' as 'blue eyes'."""
_GLUE = frozenset(
    re.findall(
        r"\w+",
        "a an the of in on at to with and or by from for is are has have they their them she her he his him it its there",
    )
)
_TALK: Mapping[str, str] = {
    "negation": r"\bno\b|\bnot\b|\bnone\b|\bnever\b|\bwithout\b|\blacks?\b|\babsent\b|n't\b",
    "hedge": r"\b(?:appears?|seems?|seemingly|possibly|probably|perhaps|maybe|likely|might|could|presumably|apparently|suggest\w*)\b",
    "preamble": r"\b(?:this|the|in this|in the) (?:image|picture|photo|caption)\b|\bhere is\b|^sure\b|\bdepict\w*|\bfeatur(?:es|ing)\b",
}
"""What a caption must not hold: what is not there, doubt, and talk about the picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the captions of a set should say, by the gold alone: bound slots with their usual value (None: none is), free slots.

    ``telling`` are the words by which a usual value is known: those of its words that no other value of the set has.
    """

    bound: Mapping[str, str | None]
    free: frozenset[str]
    telling: Mapping[str, frozenset[str]]

    def deviates(self, slot: str, value: str) -> bool:
        """Whether a bound trait is clearly another one here: neither the usual value nor its neighbour."""
        usual = self.bound.get(slot)
        return usual is not None and _settled(value) != _settled(usual) and not near(slot, value, usual)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What the text says of one slot, at ``start``, and whether that is true. ``near``: false, but a value that honest observers confuse.

    ``unlabelled``: the label could not tell.
    """

    slot: str
    said: str
    gold: str
    start: int
    verdict: Literal["right", "near", "false", "unlabelled"]

    @property
    def contradicts(self) -> bool:
        """Whether another value than the true one is said; a neighbour is another value too."""
        return self.verdict in ("near", "false")


@dataclass(slots=True, kw_only=True)
class Judged:
    """What is found in one caption. ``leaks``, ``free`` and ``deviations`` go by slot; ``tau`` is None where there is no pair."""

    text: str
    leaks: Mapping[str, How]
    free: Mapping[str, How]
    deviations: Mapping[str, How]
    statements: Sequence[Statement]
    tau: float | None
    first: bool
    once: bool
    talk: Sequence[str]


def gold_plan(pictures: Sequence[Gold], preset: str, others: Mapping[str, Iterable[str]]) -> Plan:
    """The plan that the trait table and the true values ask for, by the rule of the design, with values compared letter by letter.

    A slot is bound or free as the preset says; ``auto`` binds what is the same in ``auto_share`` of the pictures that know it (at least
    ``auto_known``). A bound slot has a usual value from ``usual_share`` on. The three limits are those of ``data/limits.toml``.
    ``others`` are values, by slot, that a source which errs may say: their words tell nothing.
    """
    limit = thinking()
    bound: dict[str, str | None] = {}
    known = {slot: Counter(_settled(one[slot]) for one in pictures if slot in one) for slot in slots()}
    for slot, row in slots().items():
        if slot in UNPLANNED:
            continue
        values = known[slot]
        usual, count = values.most_common(1)[0] if values else ("", 0)
        share = count / values.total() if values.total() >= limit.auto_known else 0.0
        decision = row.default_for(preset)
        if decision == "bound" or (decision == "auto" and share >= limit.auto_share):
            bound[slot] = usual if share >= limit.usual_share else None
    all_values = {(slot, _settled(value)) for slot, values in (*known.items(), *others.items()) for value in values}
    telling: dict[str, frozenset[str]] = {}
    for slot, value in bound.items():
        shared = {word for other in all_values - {(slot, value)} for word in _content(other[1])}
        telling[slot] = frozenset(_content(value)) - shared if value else frozenset()
    return Plan(bound=bound, free=frozenset(slots()) - UNPLANNED - bound.keys(), telling=telling)


def judge(
    text: str,
    gold: Gold,
    plan: Plan,
    *,
    trigger: str,
    spans: Sequence[Span] = (),
    wrong: Mapping[str, Sequence[str]] | None = None,
    tags: bool = False,
) -> Judged:
    """Everything that is measured of one caption. ``wrong`` are false values by slot that a source was made to say; ``tags``: the text is a
    list of tags, each read for itself.
    """
    mentions = _read(text, tags)
    worded = {slot: found for slot, value in gold.items() if (found := find(slot, value, text))}
    statements = [*_statements(gold, worded, mentions), *_slips(text, gold, worded, mentions, wrong or {})]
    said = {
        slot: _how(
            slot, value, worded, statements, [text[span.start : span.end] for span in spans if span.slot == slot]
        )
        for slot, value in gold.items()
        if slot not in UNPLANNED
    }
    return Judged(
        text=text,
        leaks=dict(_leaks(text, gold, plan, worded, mentions)),
        free={slot: how for slot, how in said.items() if slot in plan.free and not is_silent(slot, gold[slot])},
        deviations={slot: how for slot, how in said.items() if plan.deviates(slot, gold[slot])},
        statements=statements,
        tau=_tau(statements),
        first=re.match(rf"{re.escape(trigger)}(?!\w)", text) is not None,
        once=len(re.findall(rf"(?<!\w){re.escape(trigger)}(?!\w)", text, re.IGNORECASE)) == 1,
        talk=[kind for kind, pattern in _TALK.items() if re.search(pattern, text, re.IGNORECASE)],
    )


def _read(text: str, tags: bool) -> list[Mention]:
    """What reading finds in sentences, or in each tag of a list of tags for itself."""
    pieces = re.finditer(r"[^,]+", text) if tags else [re.match(r"(?s).*", text)]
    return [
        replace(one, start=one.start + piece.start(), end=one.end + piece.start())
        for piece in pieces
        if piece is not None
        for one in read(piece[0])
        if one.slot not in UNPLANNED
    ]


def find(slot: str, value: str, text: str) -> list[tuple[int, int]]:
    """Where the text says the value, by words alone: an accepted wording, or each thing of it with its words in order.

    Between two words of a thing two others may stand, but no full stop: 'hair fringe' is found in 'hair with a fringe'. Empty where a
    thing is missing.
    """
    worded = WORDED.get(slot, {}).get(value)
    patterns = (_pattern(worded),) if worded is not None else _things(value, _SAID.get(slot, "{}"))
    hits = [pattern.search(text) for pattern in patterns]
    return [hit.span() for hit in hits if hit is not None] if all(hits) else []


@cache
def _pattern(worded: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{worded})", re.IGNORECASE)


@cache
def _things(value: str, said: str) -> tuple[re.Pattern[str], ...]:
    things = [_content(thing) for thing in re.split(r",| and ", value)]
    between = r"[^\w.]+(?:[\w'-]+[^\w.]+){0,2}?"
    return tuple(
        _pattern(said.replace("{}", rf"{between.join(map(re.escape, thing))}(?![\w-])")) for thing in things if thing
    )


def _content(value: str) -> list[str]:
    """The words of a value that say something."""
    plain = re.sub(r"\{\w+\}", "", value.lower())
    return [word for word in re.findall(r"[\w'-]+", plain) if word not in _GLUE]


def _settled(value: str) -> str:
    return " ".join(value.lower().split())


def _statements(gold: Gold, worded: Places, mentions: Iterable[Mention]) -> Iterator[Statement]:
    """What the text says: true values found by their words, then what reading finds besides.

    What is read within the words of a true value is that value, whatever slot it is read as ('bokeh' of 'green bokeh behind them' is
    the background, no depth of field).
    """
    for slot, places in worded.items():
        if slot not in UNPLANNED:
            yield Statement(slot=slot, said=gold[slot], gold=gold[slot], start=min(places)[0], verdict="right")
    taken = [place for places in worded.values() for place in places]
    for one in mentions:
        if any(start <= one.start and one.end <= end for start, end in taken):
            continue
        verdict = _verdict(one, gold[one.slot], one.slot in worded) if one.slot in gold else "unlabelled"
        if not (verdict == "right" and one.slot in worded):
            yield Statement(
                slot=one.slot, said=one.value, gold=gold.get(one.slot, ""), start=one.start, verdict=verdict
            )


def _slips(
    text: str, gold: Gold, worded: Places, mentions: Iterable[Mention], wrong: Mapping[str, Sequence[str]]
) -> Iterator[Statement]:
    """False values that a source was made to say, which reading missed but the words show."""
    read_of = {one.slot for one in mentions}
    for slot, value in ((slot, value) for slot, values in wrong.items() for value in values):
        if slot not in UNPLANNED | worded.keys() | read_of and (places := find(slot, value, text)):
            yield Statement(slot=slot, said=value, gold=gold[slot], start=min(places)[0], verdict="false")


def _how(slot: str, value: str, worded: Places, statements: Iterable[Statement], spans: Sequence[str]) -> How:
    if slot in worded:
        return "words"
    if any(one.slot == slot and one.verdict == "right" for one in statements):
        return "reading"
    said = " ".join(spans)
    return "span" if said and same(slot, *canonical(slot, said), *canonical(slot, value)) else "not"


def _verdict(said: Mention, gold: str, besides: bool) -> Literal["right", "near", "false"]:
    """Right: the true value, a part of it in its own words or its tags, or the same by the vocabulary.

    ``besides``: the true value itself stands in the text too. Else a listed value is no part of another ('smile' of 'slight smile').
    """
    value, tags = canonical(said.slot, gold)
    if normal(said.value) == normal(value):
        return "right"
    row = slots()[said.slot]
    listed = row.listed or {said.value, value} <= {one.id for one in row.value}
    if said.tags and set(said.tags) <= set(tags) and (besides or not listed):
        return "right"
    if near(said.slot, said.value, value):
        return "near"
    part = set(_content(normal(said.value)))
    if not listed and part and part <= set(_content(normal(value))):
        return "right"
    return "right" if same(said.slot, said.value, said.tags, value, tags) else "false"


def _leaks(text: str, gold: Gold, plan: Plan, worded: Places, mentions: Iterable[Mention]) -> Iterator[tuple[str, How]]:
    """Bound slots whose usual value the text says (any value, where none is usual), and by what it was seen."""
    words = set(re.findall(r"[\w'-]+", text.lower()))
    for slot, usual in plan.bound.items():
        if usual is None:
            by_words, by_reading = slot in worded, any(one.slot == slot for one in mentions)
        else:
            telling = plan.telling[slot]
            by_words = bool(telling & words) if telling else bool(find(slot, usual, text))
            settled = canonical(slot, usual)
            by_reading = any(
                one.slot == slot
                and (same(slot, one.value, one.tags, *settled) or bool(one.tags and set(one.tags) <= set(settled[1])))
                for one in mentions
            )
        if by_words or by_reading:
            yield slot, "words" if by_words else "reading"


def _tau(statements: Iterable[Statement]) -> float | None:
    """Kendall's tau between the places of slots in the text and the trait table's order; a slot stands where it is said first."""
    places: dict[str, int] = {}
    for one in statements:
        places[one.slot] = min(one.start, places.get(one.slot, one.start))
    pairs = list(combinations([slot for slot in slots() if slot in places], 2))
    if not pairs:
        return None
    return sum((places[a] < places[b]) - (places[a] > places[b]) for a, b in pairs) / len(pairs)


def fragments(texts: Sequence[str], trigger: str, template: Iterable[str]) -> dict[str, float]:
    """Fragments that at least ``auto_share`` of the captions (and ``auto_known``) have in common, with their share.

    A fragment is what stands between two marks, or a mark and 'and', 'with', 'in', 'on' or 'of', without its small words: 'long auburn
    hair'. Trigger word, class word and medium are the template and do not count.
    """
    limit = thinking()
    ours = {trigger.lower(), *(one.lower() for one in template)}
    seen: Counter[str] = Counter()
    for text in texts:
        pieces = {" ".join(_content(piece)) for piece in re.split(r"[.,;]|\b(?:and|with|in|on|of)\b", text)}
        seen.update(piece for piece in sorted(pieces) if piece and not set(piece.split()) <= ours)
    least = max(limit.auto_known, limit.auto_share * len(texts))
    return {piece: count / len(texts) for piece, count in seen.most_common() if count >= least}
