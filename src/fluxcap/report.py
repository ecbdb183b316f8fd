"""The report: one HTML file that opens without a network, with every caption, its evidence and what to look at.

``render`` is pure: values in, text out. Everything that comes from outside is escaped, and the page's own content policy
allows its one script, its one style sheet and pictures inside the file, nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, NamedTuple

from fluxcap.types import Author, Decision, Severity, Span

if TYPE_CHECKING:
    from jinja2 import Template


class Thumb(NamedTuple):
    """A tiny picture (JPEG) and the path of what it shows."""

    path: str
    jpeg: bytes


class Segment(NamedTuple):
    """A piece of a caption, and the slot it says (None: words in between)."""

    text: str
    slot: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """The decision for one slot over the whole set. ``value`` is the usual value, ``by`` who decided."""

    slot: str
    decision: Decision
    value: str | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TraitRow:
    """One trait of one picture: what it is, who says so, what speaks against it, what became of it and why."""

    slot: str
    value: str
    confidence: float
    sources: Sequence[str]
    conflict: Sequence[str] = ()
    decision: Decision | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRow:
    """Something to look at."""

    code: str
    severity: Severity
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureRow:
    """One picture with its caption.

    ``thumbnail`` is a JPEG (empty: there is none). ``kept``: the caption was there and was left as it is. ``tokens`` are
    the counts as text, one for each encoder.
    """

    path: str
    thumbnail: bytes
    segments: Sequence[Segment]
    author: Author
    kept: bool
    traits: Sequence[TraitRow] = ()
    issues: Sequence[IssueRow] = ()
    tokens: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRow:
    """What the set has of one wish. ``perhaps`` counts pictures of which nobody knows; ``told``: whether it can be judged."""

    group: str
    name: str
    have: int
    want: int
    missing: int
    over: int
    perhaps: int
    told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRow:
    """A place of the matrix: how many pictures, a few of them, and whether a missing one would go here."""

    column: str
    count: int
    wanted: bool
    thumbs: Sequence[Thumb] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRows:
    """What the set shows and lacks. ``lists`` are (heading, sentences) pairs; ``matrix`` are (name, cells) pairs."""

    said: str
    lists: Sequence[tuple[str, Sequence[str]]]
    matrix: Sequence[tuple[str, Sequence[CellRow]]]
    wishes: Sequence[WishRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What the page shows. ``summary`` are (name, value) pairs, ``omitted`` counts pictures that are left out of the page."""

    title: str
    created: str
    summary: Sequence[tuple[str, str]]
    plan: Sequence[PlanRow]
    set_issues: Sequence[IssueRow]
    pictures: Sequence[PictureRow]
    omitted: int = 0
    coverage: CoverageRows | None = None


_ORDER: Mapping[str, int] = {"error": 0, "warning": 1, "note": 2}
_AUTHORS: Mapping[Author, str] = {
    "fluxcap": "by fluxcap",
    "person": "by a person",
    "elsewhere": "found with the picture",
}
_PLACES: Mapping[str, str] = {
    "opening": "who or what",
    "scene": "the scene",
    "worn": "what is worn",
    "face": "the face",
    "tail": "the tags at the end",
}


def segments(text: str, spans: Sequence[Span]) -> tuple[Segment, ...]:
    """The text cut at its spans, nothing lost: where spans overlap the first one wins, outside the text they are cut."""
    pieces: list[Segment] = []
    at = 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        start, end = max(at, span.start), min(span.end, len(text))
        if start >= end:
            continue
        if start > at:
            pieces.append(Segment(text[at:start]))
        pieces.append(Segment(text[start:end], span.slot))
        at = end
    if at < len(text):
        pieces.append(Segment(text[at:]))
    return tuple(pieces)


def render(report: Report) -> str:
    """The report as one HTML file; pictures with issues come first, worst first."""
    pictures = sorted(
        report.pictures, key=lambda picture: min((_ORDER[issue.severity] for issue in picture.issues), default=9)
    )
    every = [*report.set_issues, *(issue for picture in pictures for issue in picture.issues)]
    return _template().render(
        report=report,
        pictures=pictures,
        places_of={picture.path: place for place, picture in enumerate(pictures, 1)},
        totals=[(severity, sum(issue.severity == severity for issue in every)) for severity in _ORDER],
        with_issues=sum(bool(picture.issues) for picture in pictures),
        places=_PLACES,
        authors=_AUTHORS,
    )


def _name(slot: str) -> str:
    return _slots().get(slot, (slot.replace("_", " "), ""))[0]


def _place(slot: str) -> str:
    return _slots().get(slot, ("", "other"))[1]


def _worst_first(issues: Sequence[IssueRow]) -> list[IssueRow]:
    return sorted(issues, key=lambda issue: _ORDER[issue.severity])


def _jpeg(data: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(data).decode("ascii")


def _digest(text: str) -> str:
    """What the content policy calls the script or style sheet of this text."""
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _data(name: str) -> str:
    return resources.files("fluxcap").joinpath(f"data/{name}").read_text(encoding="utf-8")


@cache
def _slots() -> Mapping[str, tuple[str, str]]:
    return {row["id"]: (row["name"], row["place"]) for row in tomllib.loads(_data("slots.toml"))["slot"]}


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "name": _name,
        "place": _place,
        "worst_first": _worst_first,
        "jpeg": _jpeg,
        "digest": _digest,
    }
    return environment.from_string(_data("report.html.j2"))
