"""Captions that people wrote -> what they say of which trait, and where."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources

from fluxcap.english import words
from fluxcap.vocabulary.table import rules, slots
from fluxcap.vocabulary.values import canonical


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """One value said in a text: characters ``start`` to ``end`` (exclusive)."""

    slot: str
    value: str
    tags: tuple[str, ...]
    start: int
    end: int


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[Mention, ...]:
    """What a caption says of the subject, in the order of the text.

    The longest wording wins where two overlap within a slot; what is said of somebody else ('a man in the background') is
    left out. Only what a wording or a pattern of ``data/reading.toml`` names is found: silence means nothing.
    """
    found: list[Mention] = []
    skipped = _elsewhere(text)
    for slot_id, value, start, end in sorted(_hits(text), key=lambda hit: (-(hit[3] - hit[2]), hit[2])):
        if any(start < stop and end > begin for begin, stop in skipped):
            continue
        if any(hit.slot == slot_id and start < hit.end and end > hit.start for hit in found):
            continue
        settled, tags = canonical(slot_id, value)
        if settled:
            found.append(Mention(slot=slot_id, value=settled, tags=tags, start=start, end=end))
    return tuple(sorted(found, key=lambda hit: (hit.start, hit.end, hit.slot)))


def _hits(text: str) -> list[tuple[str, str, int, int]]:
    hits = [
        (slot_id, value, *found.span()) for slot_id, value, pattern in _listed() for found in pattern.finditer(text)
    ]
    for slot_id, pattern in _patterns():
        hits += [(slot_id, found[1], *found.span(1)) for found in pattern.finditer(text)]
    return hits


@lru_cache(maxsize=1)
def _listed() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """One pattern per listed value: all its wordings, longest first."""
    found: list[tuple[str, str, re.Pattern[str]]] = []
    for slot_id, row in slots().items():
        ids = {known.id for known in row.value}
        spoken: dict[str, set[str]] = {}
        for rule in rules().get(slot_id, ()):
            for value in rule.value:
                if value in ids:
                    said = [
                        w for form in ("say", "clause") for style in rule.forms.values() for w in style.get(form, ())
                    ]
                    spoken.setdefault(value, set()).update(w for w in (*rule.read, *said) if w and "{" not in w)
        # an id of two words and more is a wording of its own; 'open' or 'side' alone says nothing
        for value in ids:
            wordings = spoken.get(value, set()) | ({value} if slot_id in ("medium",) or " " in value else set())
            wordings -= {"close-up", "render", "drawing"} if slot_id == "medium" else set()
            if wordings:
                either = "|".join(
                    re.escape(w).replace(r"\ ", r"[\s-]+") for w in sorted(wordings, key=len, reverse=True)
                )
                found.append((slot_id, value, re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)))
    return tuple(found)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    data = tomllib.loads(resources.files("fluxcap").joinpath("data", "reading.toml").read_text(encoding="utf-8"))
    synonyms = words()["synonyms"]
    groups = {
        name: "(?:"
        + "|".join(
            re.escape(w)
            for w in sorted({*group, *(o for o, u in synonyms.items() if u in group)}, key=len, reverse=True)
        )
        + ")"
        for name, group in words()["groups"].items()
    }
    found: list[tuple[str, re.Pattern[str]]] = []
    for row in data["pattern"]:
        match = row["match"]
        for name, either in groups.items():
            match = match.replace("{" + name + "}", either)
        found.append((row["slot"], re.compile(match, re.IGNORECASE)))
    return tuple(found)


def _elsewhere(text: str) -> list[tuple[int, int]]:
    """The clauses that are about somebody else."""
    marks = words()["elsewhere"]["marks"]
    either = "|".join(re.escape(mark) for mark in marks)
    return [
        found.span()
        for found in re.finditer(r"[^.;,]+", text)
        if re.search(
            rf"\b(?:man|woman|men|women|people|person|girl|boy|child|children|crowd|he|she)\b.*\b(?:{either})\b|\banother (?:man|woman|person|girl|boy)\b",
            found[0],
            re.IGNORECASE,
        )
    ]
