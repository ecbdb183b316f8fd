"""What the report shows of a run: rows of plain values, with a thumbnail of each picture."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap import coverage as covering
from fluxcap.check import SEVERITY_ORDER
from fluxcap.english import spoken
from fluxcap.errors import ImageError
from fluxcap.report import (
    CellRow,
    CoverageRows,
    IssueRow,
    PictureRow,
    PlanRow,
    Report,
    Thumb,
    TraitRow,
    WishRow,
    segments,
)
from fluxcap.think import PictureThought, Thought
from fluxcap.tokens import format_count
from fluxcap.types import Binding, Issue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_PICTURES = 500
"""The page shows so many pictures, worst first: a browser still opens it at once."""

_THUMB = 320  # pixels, long side
_TINY = (108, 72)  # pixels, widest and highest: a picture of the matrix, about 2 KB
_IN_A_CELL = 3
_AUTHORS = {"person": "person", "elsewhere": "elsewhere"}


def report_of(folder: Path, thought: Thought, issues: Sequence[Issue], outcomes: Mapping[str, str]) -> Report:
    """The rows of ``report.html``."""
    from fluxcap.images import shown

    by_path: dict[str, list[Issue]] = {}
    for issue in issues:
        by_path.setdefault(issue.path or "", []).append(issue)
    worst_first = sorted(thought.pictures, key=lambda one: _badness(by_path.get(one.image.path, [])))
    first = worst_first[:MOST_PICTURES]
    pictures = [_picture(folder, one, by_path.get(one.image.path, []), thought.bindings) for one in first]
    mine = {one.image.path for one in thought.pictures}
    return Report(
        title=shown(folder.resolve().name),
        created=datetime.now().astimezone().strftime("%Y-%m-%d %H:%M"),
        summary=summary(thought, issues, outcomes),
        plan=[
            PlanRow(slot=row.slot, decision=row.decision, value=spoken(row.usual or ""), by=row.by, reason=row.reason)
            for row in thought.proposals()
        ],
        set_issues=[_issue(issue) for issue in issues if issue.path not in mine],
        pictures=pictures,
        omitted=len(thought.pictures) - len(first),
        coverage=_coverage(folder, thought) if thought.pictures else None,
    )


def summary(thought: Thought, issues: Sequence[Issue], outcomes: Mapping[str, str]) -> list[tuple[str, str]]:
    """The figures of a run, by name."""
    kept = sum(one.kept for one in thought.pictures)
    rows = [("images", str(len(thought.pictures))), ("captioned", str(len(thought.pictures) - kept))]
    if outcomes:
        rows.append(("newly written", str(sum(done == "written" for done in outcomes.values()))))
    rows.append(("kept, since somebody else wrote them", str(kept)))
    refused = sum(issue.severity == "error" and issue.code.startswith("IMG") for issue in issues)
    if refused:
        rows.append(("files that cannot be used", str(refused)))
    for severity in sorted(SEVERITY_ORDER, key=lambda name: SEVERITY_ORDER[name]):
        number = Counter(issue.severity for issue in issues)[severity]
        if number:
            rows.append((f"{severity}s", str(number)))
    rows += [
        (f"vision model's words not believed: {why}", str(number)) for why, number in sorted(thought.unheard.items())
    ]
    lost = Counter({one.name: 0 for picture in thought.pictures for one in picture.counts})
    cut = Counter(one.name for picture in thought.pictures for one in picture.counts if one.lost)
    for picture in thought.pictures:
        lost.update({one.name: one.lost for one in picture.counts})
    rows += [(f"{name} tokens lost, in {cut[name]} captions", str(number)) for name, number in lost.items() if number]
    return rows


def _badness(issues: Sequence[Issue]) -> tuple[int, int]:
    worst = min((SEVERITY_ORDER[issue.severity] for issue in issues), default=9)
    return worst, -len(issues)


def _picture(folder: Path, one: PictureThought, issues: Sequence[Issue], bindings: Mapping[str, Binding]) -> PictureRow:
    traits = [
        TraitRow(
            slot=slot_id,
            value=spoken(trait.value),
            confidence=trait.confidence,
            sources=trait.sources,
            conflict=trait.conflict,
            decision=bindings[slot_id].decision,
            reason=one.verdicts[slot_id].reason,
        )
        for slot_id, trait in one.traits.items()
    ]
    return PictureRow(
        path=one.image.path,
        thumbnail=_thumbnail(folder, one),
        segments=segments(one.text, () if one.kept else one.caption.spans),
        author=_AUTHORS.get(one.author, "fluxcap"),  # type: ignore[arg-type]
        kept=one.kept,
        traits=traits,
        issues=[_issue(issue) for issue in issues],
        tokens=[format_count(count) for count in one.counts],
    )


def _coverage(folder: Path, thought: Thought) -> CoverageRows:
    found = thought.coverage
    images = {one.image.path: one for one in thought.pictures}

    def cell(one: covering.Cell) -> CellRow:
        thumbs = (Thumb(path, _tiny(_thumbnail(folder, images[path]))) for path in one.pictures[:_IN_A_CELL])
        return CellRow(
            column=one.column,
            count=len(one.pictures),
            wanted=one.wanted,
            thumbs=[thumb for thumb in thumbs if thumb.jpeg],
        )

    return CoverageRows(
        said=covering.size(found),
        lists=[(heading, lines) for heading, lines in reversed(covering.told(found)) if lines],
        matrix=[(row.value, [cell(one) for one in row.cells]) for row in found.matrix],
        wishes=[
            WishRow(
                group=one.group,
                name=one.name,
                have=one.have,
                want=one.want,
                missing=one.missing,
                over=one.over,
                perhaps=len(one.perhaps),
                told=one.told,
            )
            for one in found.haves
        ],
    )


def _tiny(thumbnail: bytes) -> bytes:
    """The thumbnail once more, for the matrix; empty where there is none."""
    from PIL import Image

    written = io.BytesIO()
    with suppress(OSError):
        small = Image.open(io.BytesIO(thumbnail))
        small.thumbnail(_TINY)
        small.convert("RGB").save(written, "JPEG", quality=70)
    return written.getvalue()


def _issue(issue: Issue) -> IssueRow:
    return IssueRow(code=issue.code, severity=issue.severity, message=issue.message)


def keep_thumbnail(folder: Path, image_id: str, rgb: NDArray[np.uint8]) -> bytes:
    """A small JPEG of a picture that is open, put into ``.fluxcap/thumbs``; one that cannot be kept is made anew next time."""
    from PIL import Image

    small = Image.fromarray(rgb)
    small.thumbnail((_THUMB, _THUMB))
    written = io.BytesIO()
    small.save(written, "JPEG", quality=80)
    kept = _kept(folder, image_id)
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        partial = kept.with_suffix(f".{threading.get_ident()}.tmp")
        partial.write_bytes(written.getvalue())
        partial.replace(kept)
    return written.getvalue()


def _thumbnail(folder: Path, one: PictureThought) -> bytes:
    """The thumbnail that is kept, else one made now; empty where the picture cannot be opened any more."""
    from fluxcap import images

    with suppress(OSError):
        return _kept(folder, one.image.id).read_bytes()
    try:
        picture = images.read(folder / one.image.path, name=one.image.path, long_side=_THUMB, digest=one.image.id)
    except ImageError:
        return b""
    return keep_thumbnail(folder, one.image.id, picture.rgb)


def _kept(folder: Path, image_id: str) -> Path:
    return folder / ".fluxcap" / "thumbs" / f"{image_id[:32]}.jpg"
