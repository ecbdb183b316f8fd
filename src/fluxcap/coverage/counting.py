"""What a set has of each wish, and its pictures in rows and columns. Pure.

Only what sources saw is counted. A wish that nobody can judge is told as such, and nothing is asked for on its account.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from fluxcap.coverage.table import Wish, wishes
from fluxcap.spread import Traits, constant, free_spreads, spread
from fluxcap.thinking import thinking
from fluxcap.types import Binding
from fluxcap.vocabulary import slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Have:
    """What the set has of one wish.

    ``have``, ``want`` and ``missing`` count pictures, or different values where ``values`` are given (each with its number of
    pictures). ``most`` pictures are enough of one kind, ``over`` are beyond. ``pictures`` are those that count, ``perhaps``
    those that may, of which nobody knows. ``told`` is False where too many may: then nothing is asked for.
    """

    id: str
    group: str
    name: str
    have: int
    want: int
    missing: int
    most: int | None
    over: int
    told: bool
    pictures: tuple[str, ...]
    perhaps: tuple[str, ...]
    slots: tuple[str, ...]
    values: tuple[tuple[str, int], ...] = ()
    ask: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """The pictures with one value of the row's slot and one of the column's; ``wanted``: something missing would go here."""

    column: str
    pictures: tuple[str, ...]
    wanted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the matrix."""

    value: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """A free trait that hardly varies: its value in ``count`` of the ``known`` pictures that know it."""

    slot: str
    value: str
    count: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What a set shows, wish by wish.

    ``left_out`` are pictures that do not count, since the subject seems to play somebody else in them (P5). ``matrix`` has
    the rows and columns that hold a picture or are wished for; ``unknown``: slot of the matrix -> pictures that do not know it.
    """

    preset: str
    pictures: int
    aim: int
    haves: tuple[Have, ...]
    matrix: tuple[Row, ...]
    unknown: Mapping[str, tuple[str, ...]]
    constant: tuple[Constant, ...]
    left_out: tuple[str, ...]


def cover(
    pictures: Mapping[str, Traits],
    preset: str,
    bindings: Mapping[str, Binding],
    left_out: Collection[str] = (),
) -> Coverage:
    """What these pictures (path -> traits) show of what the preset wishes.

    ``left_out`` names pictures that do not count. A wish about a trait that the person or the set bound is dropped: what
    belongs to the subject need not vary.
    """
    counted = {path: pictures[path] for path in sorted(pictures) if path not in left_out}
    bound = {slot_id for slot_id, one in bindings.items() if one.decision == "bound" and one.by != "preset"}
    asked = [(group, wish) for group, wish in wishes().of(preset) if not bound & {*wish.about}]
    haves = [(wish, _have(group.name, wish, counted)) for group, wish in asked]
    free = free_spreads(counted.values(), bindings)
    axes = wishes().matrix
    return Coverage(
        preset=preset,
        pictures=len(counted),
        aim=wishes().pictures,
        haves=tuple(have for _, have in haves),
        matrix=_matrix(counted, haves),
        unknown={
            slot_id: tuple(path for path, traits in counted.items() if slot_id not in traits)
            for slot_id in (axes.rows, axes.columns)
        },
        constant=tuple(
            Constant(slot=seen.slot, value=seen.usual.value, count=seen.usual.count, known=seen.known)
            for seen in constant(free, len(counted))
        ),
        left_out=tuple(sorted({*left_out} & pictures.keys())),
    )


def _have(group: str, wish: Wish, pictures: Mapping[str, Traits]) -> Have:
    kinds = [wishes().kinds[kind] for kind in wish.kinds]
    found, perhaps = [], []
    for path, traits in pictures.items():
        fits = [kind.has(traits.get(kind.slot)) for kind in kinds]
        if wish.differ:
            fits.append(True if wish.differ in traits else None)
        if all(fits):
            found.append(path)
        elif False not in fits:
            perhaps.append(path)
    seen = spread(wish.differ, [pictures[path] for path in found]) if wish.differ else None
    values = tuple((one.value, one.count) for one in seen.values) if seen else ()
    have = len(values) if wish.differ else len(found)
    want = wish.wanted(len(pictures))
    missing = max(0, want - have)
    most = len(pictures) * wish.most // 100 if wish.most and len(pictures) >= thinking().few_pictures else None
    crowd = max((count for _, count in values), default=0) if wish.differ else len(found)
    doubt = 0 if any(kind.absence for kind in kinds) else wishes().doubt
    told = not missing or 100 * len(perhaps) <= doubt * len(pictures)
    return Have(
        id=wish.id,
        group=group,
        name=wish.name,
        have=have,
        want=want,
        missing=missing,
        most=most,
        over=0 if most is None else max(0, crowd - most),
        told=told,
        pictures=tuple(found),
        perhaps=tuple(perhaps),
        slots=wish.about,
        values=values,
        ask=wish.ask(have, missing) if missing and told else "",
    )


def _matrix(pictures: Mapping[str, Traits], haves: Sequence[tuple[Wish, Have]]) -> tuple[Row, ...]:
    axes = wishes().matrix
    rows = [value.id for value in slots()[axes.rows].value]
    places: dict[tuple[str, str], list[str]] = {}
    for path, traits in pictures.items():
        if axes.rows in traits and axes.columns in traits:
            places.setdefault((traits[axes.rows].value, traits[axes.columns].value), []).append(path)
    on_it = [(wish, have) for wish, have in haves if {*wish.about} <= {axes.rows, axes.columns} and not wish.differ]
    named = {value for wish, _ in on_it for kind in wish.kinds for value in wishes().kinds[kind].one_of}
    filled = {value for place in places for value in place}

    def wanted(at: Mapping[str, str]) -> bool:
        asked = ([wishes().kinds[kind] for kind in wish.kinds] for wish, have in on_it if have.ask)
        return any(all(at[kind.slot] in kind.one_of for kind in kinds) for kinds in asked)

    columns = [column for column in axes.order if column in named | filled]
    return tuple(
        Row(
            value=row,
            cells=tuple(
                Cell(
                    column=column,
                    pictures=tuple(places.get((row, column), ())),
                    wanted=wanted({axes.rows: row, axes.columns: column}),
                )
                for column in columns
            ),
        )
        for row in rows
        if columns and row in named | filled
    )
