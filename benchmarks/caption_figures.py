"""The figures of ``what_to_caption.py``: captions and what was found in them -> measures, targets and a table."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from caption_judge import How, Judged
from caption_scenarios import CLEAN, THREE, Scenario, Set

from fluxcap.tokens import Where, count, target

Writer = Literal["fluxcap", "everything", "tags"]
WORDS = (25, 80)
"""The length that a caption should have, in words."""
CONTRADICTED_AT_MOST = 0.01
"""Most contradictions with one source of three in error, as a share of the statements and of the captions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One caption and what was found in it; ``round`` tells the draw of errors, ``slips`` the slots of which it says a wrong value."""

    picture: str
    round: int
    judged: Judged
    slips: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """All captions of one set by one writer in one scenario."""

    set: Set
    scenario: Scenario
    writer: Writer
    written: tuple[Written, ...]
    common: Mapping[str, float]


def figures(row: Row, where: Where) -> dict[str, Any]:
    """The measures of the docstring; shares are 0 to 1, None where there is nothing to measure."""
    all_judged = [one.judged for one in row.written]
    total = len(all_judged)
    statements = [said for one in all_judged for said in one.statements if said.verdict != "unlabelled"]
    contradicting = [said for said in statements if said.contradicts]
    free = Counter(how for one in all_judged for how in one.free.values())
    deviations = Counter(how for one in all_judged for how in one.deviations.values())
    taus = [one.tau for one in all_judged if one.tau is not None]
    counts = [count(one.text, target("flux1-dev"), where) for one in all_judged]
    texts = Counter((one.round, one.judged.text) for one in row.written)
    leaks = Counter(how for one in all_judged for how in one.leaks.values())
    return {
        "set": row.set.name,
        "preset": row.set.preset,
        "scenario": row.scenario.name,
        "writer": row.writer,
        "captions": total,
        "leak": sum(bool(one.leaks) for one in all_judged) / total,
        "leaks": {"words": leaks["words"], "reading": leaks["reading"]},
        "free_recall": _said(free),
        "free_judged_by": dict(free),
        "deviations_said": _said(deviations),
        "deviations": deviations.total(),
        "statements": len(statements),
        "precision": 1 - len(contradicting) / len(statements) if statements else None,
        "contradictions": len(contradicting) / len(statements) if statements else 0.0,
        "contradictions_near": sum(said.verdict == "near" for said in contradicting),
        "captions_contradicting": sum(any(said.contradicts for said in one.statements) for one in all_judged) / total,
        "unlabelled": sum(said.verdict == "unlabelled" for one in all_judged for said in one.statements),
        "slips": sum(len(one.slips) for one in row.written),
        "slips_seen": sum(
            any(said.slot == slot and said.contradicts for said in one.judged.statements)
            for one in row.written
            for slot in one.slips
        ),
        "order": statistics.mean(taus) if taus else None,
        "trigger_first": sum(one.first for one in all_judged) / total,
        "trigger_once": sum(one.once for one in all_judged) / total,
        "talk": sum(bool(one.talk) for one in all_judged) / total,
        "words": _spread([len(one.text.split()) for one in all_judged]),
        "words_in_range": sum(WORDS[0] <= len(one.text.split()) <= WORDS[1] for one in all_judged) / total,
        **{
            encoder: _spread([one.tokens for each in counts for one in each if one.encoder == encoder])
            for encoder in ("t5", "clip")
        },
        "tokens_exact": all(one.exact for each in counts for one in each),
        "over_the_limit": {
            encoder: sum(one.lost > 0 for each in counts for one in each if one.encoder == encoder) / total
            for encoder in ("t5", "clip")
        },
        "identical": sum(number for number in texts.values() if number > 1) / total,
        "common": dict(row.common),
    }


def _said(how: Mapping[How, int]) -> float | None:
    known = sum(how.values())
    return 1 - how.get("not", 0) / known if known else None


def _spread(numbers: Sequence[int]) -> dict[str, float]:
    return {"median": statistics.median(numbers), "least": min(numbers), "most": max(numbers)}


def targets(found: Iterable[Mapping[str, Any]]) -> dict[str, bool]:
    """Every target, in words, and whether it is reached."""
    told: dict[str, bool] = {}
    for one in (each for each in found if each["writer"] == "fluxcap"):
        if one["scenario"] == CLEAN.name:
            whole = one["deviations_said"] in (None, 1.0)
            told[f"{one['set']}: clean: leak 0"] = one["leak"] == 0
            told[f"{one['set']}: clean: free recall 100 %, deviations said"] = one["free_recall"] == 1 and whole
            told[f"{one['set']}: clean: contradictions 0"] = one["contradictions"] == 0
            told[f"{one['set']}: clean: order 1.0"] = one["order"] == 1
            form = one["trigger_first"] == one["trigger_once"] == 1 and one["talk"] == 0
            told[f"{one['set']}: clean: trigger first and once, no talk"] = form
        elif one["scenario"] == THREE.name:
            low = max(one["contradictions"], one["captions_contradicting"]) <= CONTRADICTED_AT_MOST
            told[f"{one['set']}: {THREE.title}: contradictions <= 1 %, of statements and of captions"] = low
    return told


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def table(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The lines of one table for each set."""
    columns = ("scenario", "writer", "leak", "recall", "deviating", "contrad.", "captions", "order", "trigger", "talk",
               "words", "T5", "CLIP", "cut", "ident.", "common")  # fmt: skip
    widths = (11, 11, 7, 7, 10, 9, 9, 7, 8, 7, 13, 14, 14, 7, 7, 6)
    for name in dict.fromkeys(one["set"] for one in found):
        yield f"\n{name}"
        yield "".join(f"{column:<{width}}" for column, width in zip(columns, widths, strict=True))
        for one in (each for each in found if each["set"] == name):
            about = "" if one["tokens_exact"] else "≈"
            cells = (
                one["scenario"], one["writer"], _percent(one["leak"]), _percent(one["free_recall"]),
                _percent(one["deviations_said"]), f"{one['contradictions']:.2%}", _percent(one["captions_contradicting"]),
                "-" if one["order"] is None else f"{one['order']:.3f}",
                _percent(min(one["trigger_first"], one["trigger_once"])), _percent(one["talk"]),
                *(f"{mark}{one[kind]['median']:g} ({one[kind]['least']}-{one[kind]['most']})"
                  for kind, mark in (("words", ""), ("t5", about), ("clip", about))),
                _percent(one["over_the_limit"]["clip"]), _percent(one["identical"]), str(len(one["common"])),
            )  # fmt: skip
            yield "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
