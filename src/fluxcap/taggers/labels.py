"""A tagger's list of tags (``selected_tags.csv``), and reading its scores."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fluxcap.errors import FluxcapError
from fluxcap.taggers.known import mend
from fluxcap.taggers.types import CHARACTER_FLOOR, GENERAL_FLOOR, Tagged

GENERAL = 0
CHARACTER = 4
COLUMNS = ("name", "category")
"""Other columns (tag_id, count, ips ...) differ between models and are not used."""

Rows = slice | NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The tags in the order of the model's outputs; ``general`` and ``character`` pick theirs out of a row of scores."""

    names: tuple[str, ...]
    general: Rows
    character: Rows
    general_names: tuple[str, ...]
    character_names: tuple[str, ...]

    def read(self, scores: NDArray[np.float32]) -> Tagged:
        """The tags of one picture from all its scores; no Python loop over the whole list, which is 10,861 tags long."""
        return Tagged(
            general=_above(scores[self.general], self.general_names, GENERAL_FLOOR),
            character=_above(scores[self.character], self.character_names, CHARACTER_FLOOR),
        )


def _above(scores: NDArray[np.float32], names: Sequence[str], floor: float) -> tuple[tuple[str, float], ...]:
    hits = np.flatnonzero(scores >= floor)
    values = scores[hits]
    order = np.argsort(-values, kind="stable")  # equal scores stay in the order of the list
    return tuple(zip([names[i] for i in hits[order].tolist()], values[order].tolist(), strict=True))


def read_labels(path: Path) -> Labels:
    """The list in ``path``; raises ``FluxcapError`` for one that is unreadable, empty, without its columns, or says a tag twice."""

    def unfit(what: str) -> FluxcapError:
        return FluxcapError(f"{path} {what}", mend(path.parent))

    names: list[str] = []
    categories: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lacking = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
            if lacking:
                raise unfit(f"is not a list of tags: no column {' and no column '.join(lacking)}")
            for row in reader:
                if not row["name"] or not (row["category"] or "").isdecimal():
                    raise unfit(f"is damaged at line {reader.line_num}: no tag or no category")
                names.append(row["name"])
                categories.append(int(row["category"]))
    except OSError as error:
        raise unfit(f"cannot be read ({error.strerror or error})") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise unfit(f"is not a list of tags ({error})") from error
    if not names:
        raise unfit("holds no tags")
    seen: set[tuple[str, int]] = set()
    for pair in zip(names, categories, strict=True):
        if pair in seen:
            raise unfit(f"holds the tag {pair[0]!r} twice")
        seen.add(pair)
    general, character = (np.flatnonzero(np.array(categories) == category) for category in (GENERAL, CHARACTER))
    return Labels(
        names=tuple(names),
        general=_as_slice(general),
        character=_as_slice(character),
        general_names=tuple(names[i] for i in general),
        character_names=tuple(names[i] for i in character),
    )


def _as_slice(rows: NDArray[np.intp]) -> Rows:
    """Neighbouring rows as a slice, which costs no copy."""
    if rows.size and rows[-1] - rows[0] + 1 == rows.size:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows
