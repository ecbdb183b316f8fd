"""An answer of a vision language model -> evidence per trait, and what was not believed of it. Pure: values in, values out."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from fluxcap.english import core
from fluxcap.hearing.mending import (
    READ_AT_MOST,
    Reason,
    Refusal,
    mend,
    names_in,
    refuse_foreign,
    refuse_runs,
    says_nothing,
    tidy,
    without_meta,
)
from fluxcap.hearing.rules import rules
from fluxcap.talk import refuses
from fluxcap.types import Evidence
from fluxcap.vocabulary import Mention, Slot, canonical, is_nothing, normal, read, slots, together

__all__ = ["Heard", "Reason", "Refused", "hear", "hear_prose", "one_answer_for_many"]

_SHOWN = 120  # characters of a refused value that are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """What was not believed: the trait (the key as it came where it is none, '' in prose), the words, and why."""

    slot: str
    value: str
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What an answer comes to. Of one trait a piece may be refused and the rest believed.

    ``cleaned`` names the traits whose words were mended (hedges, talk about the picture, markup) and then believed.
    """

    evidence: tuple[Evidence, ...]
    refused: tuple[Refused, ...]
    cleaned: tuple[str, ...] = ()


def hear(values: Mapping[str, object], *, image_id: str, source: str, allowed_names: Collection[str] = ()) -> Heard:
    """The evidence in an answer (key -> value, as the JSON had it), trait by trait.

    'unknown', 'none' and the like say nothing. ``allowed_names`` are names that the person wants to be said. Never raises,
    whatever the values are. Explicit values are heard too: to leave them out is the caller's decision.
    """
    found: dict[str, Evidence] = {}
    refused: list[Refused] = []
    cleaned: list[str] = []
    for key, value in sorted(values.items(), key=lambda item: str(item[0]) not in slots()):
        row = _row(key)
        if row is None:
            refused.append(Refused(slot=_shown(key), value=_shown(value), reason="unknown key"))
            continue
        if row.id in found:
            continue  # the same trait under another spelling of its key
        try:
            text = _text(row, value)
            if not text:
                continue
            claim, pieces, mended = _believed(row, text, image_id, source, allowed_names)
        except Refusal as refusal:
            refused.append(Refused(slot=row.id, value=_shown(value), reason=refusal.reason))
            continue
        refused += [Refused(slot=row.id, value=_shown(piece), reason=why) for piece, why in pieces]
        if claim is not None:
            found[row.id] = claim
            cleaned += [row.id] if mended else []
    return Heard(
        evidence=tuple(found[slot_id] for slot_id in slots() if slot_id in found),
        refused=tuple(refused),
        cleaned=tuple(cleaned),
    )


def hear_prose(text: str, *, image_id: str, source: str, allowed_names: Collection[str] = ()) -> Heard:
    """The evidence in prose, as the vocabulary reads it; sentences that hedge, decline or speak another language are dropped.

    What the prose denies is left out by the reading itself. Never raises.
    """
    kept: list[str] = []
    refused: list[Refused] = []
    for sentence in re.split(r"(?<=[.!?])\s|\n", text[: 4 * READ_AT_MOST]):
        plain = without_meta(tidy(sentence), prose=True)
        if not re.search(r"\w", plain) or plain in kept:
            continue
        reason = _why_not(plain)
        if reason is None:
            kept.append(plain)
        else:
            refused.append(Refused(slot="", value=_shown(plain), reason=reason))
    by_slot: dict[str, list[Mention]] = {}
    prose = ". ".join(kept)
    for mention in read(prose):
        if mention.slot in ("trigger", "subject"):
            continue  # prose has no one word for them
        begins = re.search(r"(?:^|\.)\W*$", prose[: mention.start])
        if mention.slot != "text" and names_in(mention.value if begins else f"x {mention.value}", allowed_names):
            refused.append(Refused(slot=mention.slot, value=_shown(mention.value), reason="name"))
            continue
        by_slot.setdefault(mention.slot, []).append(mention)
    evidence = [
        _evidence(slot_id, value, tags, image_id, source)
        for slot_id in slots()
        if slot_id in by_slot
        for value, tags in together(by_slot[slot_id])
        if not is_nothing(value)
    ]
    return Heard(evidence=tuple(dict.fromkeys(evidence)), refused=tuple(refused))


def one_answer_for_many(answers: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
    """The pictures (ids) whose answer is that of too many others: the model does not look, so none of it is believed.

    Answers are the same where all open values agree that say something; those that say little are not compared. The limits
    are in ``data/hearing.toml``, table ``alike``.
    """
    limit = rules().alike
    said = {image_id: _open_values(values) for image_id, values in answers.items()}
    groups = Counter(said.values())
    return frozenset(
        image_id
        for image_id, values in said.items()
        if len(values) >= limit.said
        and (
            groups[values] > limit.others
            or (len(answers) >= limit.set and groups[values] - 1 >= limit.share * len(answers))
        )
    )


def _believed(
    row: Slot, text: str, image_id: str, source: str, allowed: Collection[str]
) -> tuple[Evidence | None, list[tuple[str, Reason]], bool]:
    """The claim in a value, the pieces of it that are refused, and whether its words were mended.

    There is no claim where it says nothing. Raises ``Refusal``.
    """
    plain = tidy(text[: 2 * READ_AT_MOST], row)
    if (known := _listed(row, plain)) is not None:
        return _evidence(row.id, known, canonical(row.id, known)[1], image_id, source), [], False
    if says_nothing(plain):
        return None, [], False
    if row.id == "medium" and without_meta(plain) != plain:  # 'this is a photo of ...': the talk is the answer
        plain = _read(row, plain) or plain
    done = mend(row, plain, allowed)
    if not done.text:
        return None, done.refused, False
    value = re.sub(r"^the\s+", "", core(done.text)) if row.id == "subject" else done.text
    value, tags = _settled(row, value)
    if is_nothing(value):
        return None, done.refused, False
    if row.listed and value not in {one.id for one in row.value}:
        raise Refusal("not a value")
    return _evidence(row.id, value, tags, image_id, source), done.refused, len(done.text) < len(text.strip(" .\n"))


def _settled(row: Slot, value: str) -> tuple[str, tuple[str, ...]]:
    """The settled form of a value: that which settling leaves as it is. Raises ``Refusal`` where there is none."""
    known = _listed(row, value) or (_read(row, value) if row.listed else None)
    for _ in range(6):
        settled, tags = canonical(row.id, known or value)
        if settled == (known or value) and re.search(r"\w", settled):
            return settled, tags
        known, value = None, settled
    raise Refusal("not a value")


def _listed(row: Slot, text: str) -> str | None:
    """The listed value that a text is a wording of."""
    value = canonical(row.id, text)[0]
    if value in {one.id for one in row.value}:
        return value
    return rules().wordings.get(row.id, {}).get(normal(text))


def _read(row: Slot, text: str) -> str | None:
    """The one listed value that is read in a text or is one of its clauses; a side that it does not name is not made up."""
    found = {mention.value for mention in read(text) if mention.slot == row.id} & {one.id for one in row.value}
    found |= {known for clause in text.split(",") if (known := _listed(row, clause.strip())) is not None}
    sides = {side for value in found for side in ("left", "right") if side in value}
    if len(found) != 1 or any(side not in text.lower() for side in sides):
        return None
    return found.pop()


def _text(row: Slot, value: object) -> str:
    """A value as text, '' for nothing: lists of texts are joined, a number counts people. Raises ``Refusal``."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and all(isinstance(one, str) for one in value):
        return ", ".join(one.strip() for one in value if not says_nothing(tidy(one, row)))
    if row.id == "people" and isinstance(value, int | float) and _is_count(value):
        return str(int(value)) if value else ""
    raise Refusal("no text")


def _is_count(value: float) -> bool:
    return not isinstance(value, bool) and math.isfinite(value) and value == int(value) and 0 <= value < 10**6


def _row(key: object) -> Slot | None:
    """The trait that a key means: its id in any spelling ('Facial hair'), or its name ('eye colour')."""
    if not isinstance(key, str):
        return None
    row = slots().get(key) or _keys().get(re.sub(r"[\W_]+", "_", key.lower()).strip("_"))
    return row if row is not None and row.question else None  # what is never asked is not heard


@lru_cache(maxsize=1)
def _keys() -> Mapping[str, Slot]:
    named = {re.sub(r"\W+", "_", row.name): row for row in slots().values()}
    return {**named, **slots()}


def _why_not(sentence: str) -> Reason | None:
    """Why a sentence of prose is not read."""
    if len(sentence) > READ_AT_MOST:
        return "too long"
    if refuses(sentence):
        return "declined"
    if rules().hedges.search(sentence):
        return "hedged"
    try:
        refuse_foreign(sentence)
        refuse_runs(sentence[: rules().most_characters])  # a sentence may be long, a loop may not
    except Refusal as refusal:
        return refusal.reason if refusal.reason != "too long" else None
    return None


def _evidence(slot_id: str, value: str, tags: Iterable[str], image_id: str, source: str) -> Evidence:
    table = rules().confidence
    confidence = table.get(slot_id, table["default"])
    if slot_id != "text" and re.search(r"\b(?:left|right)\b", value, re.IGNORECASE):
        confidence = min(confidence, table["sides"])
    return Evidence(
        image_id=image_id,
        slot=slot_id,
        value=value,
        tags=tuple(dict.fromkeys(tags)),
        confidence=confidence,
        source=source,
    )


def _open_values(values: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    """The open traits that say something, as they are compared."""
    return frozenset(
        (row.id, said)
        for key, value in values.items()
        if (row := _row(key)) is not None
        and not row.listed
        and isinstance(value, str)
        and not says_nothing(plain := tidy(value[:READ_AT_MOST], row))
        and (said := normal(plain))
    )


def _shown(value: object) -> str:
    """A refused value as it may be shown: one line, not long."""
    text = tidy(str(value)[: 4 * _SHOWN]) if isinstance(value, str) else " ".join(repr(value)[: 4 * _SHOWN].split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"
