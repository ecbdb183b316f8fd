"""The pictures of the folder, and what was seen in them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from fluxcap.store.database import Database, now
from fluxcap.types import Evidence, ImageRef, Observation

HUMAN = "human"
"""The source of what a person says."""

_CHUNK = 500


class Looks(Database):
    """Which picture is in which file, and every source's answers about it."""

    def remember_file(self, path: str, size: int, mtime_ns: int, ref: ImageRef) -> None:
        """This file, as it is now, holds this picture."""
        with self.transaction():
            self._run(
                "INSERT INTO image (id, width, height) VALUES (?, ?, ?)"
                " ON CONFLICT (id) DO UPDATE SET width = excluded.width, height = excluded.height",
                ref.id, ref.width, ref.height,
            )  # fmt: skip
            self._run("INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?)", path, size, mtime_ns, self._image(ref.id))

    def known_file(self, path: str, size: int, mtime_ns: int) -> ImageRef | None:
        """The picture in this file if the file is unchanged since it was remembered, so that it need not be read again."""
        rows = self._rows(
            "SELECT id, path, width, height FROM file JOIN image ON image.key = file.image"
            " WHERE path = ? AND size = ? AND mtime_ns = ?",
            path, size, mtime_ns,
        )  # fmt: skip
        return _ref(rows[0]) if rows else None

    def images(self) -> list[ImageRef]:
        """The pictures that were present at the last look, by path."""
        return [
            _ref(row)
            for row in self._rows(
                "SELECT id, path, width, height FROM file JOIN image ON image.key = file.image ORDER BY path"
            )
        ]

    def files_of(self, image_id: str) -> list[ImageRef]:
        """Where this picture is now; more than once where it was copied."""
        rows = self._rows(
            "SELECT id, path, width, height FROM file JOIN image ON image.key = file.image WHERE id = ? ORDER BY path",
            image_id,
        )
        return [_ref(row) for row in rows]

    def forget_missing(self, paths_present: Collection[str]) -> list[ImageRef]:
        """Take the files that are gone out of the set, and name them.

        What was seen in them stays, by the picture's content: a renamed or returning picture is not looked at again.
        """
        present = frozenset(paths_present)
        gone = [image for image in self.images() if image.path not in present]
        if gone:
            with self.transaction():
                for image in gone:
                    self._run("DELETE FROM file WHERE path = ?", image.path)
        return gone

    def observed(self, source: str, version: str, inputs_hash: str) -> set[str]:
        """The ids of the pictures that this source was already asked about, in this way.

        These are the answers that count from now on: who goes back to former settings gets the former answers back.
        """
        asked = (source, version, inputs_hash)
        rows = self._rows(
            "SELECT id, max(observation.key), max(counts) FROM observation JOIN image ON image.key = observation.image"
            " WHERE source = ? AND version = ? AND inputs_hash = ? GROUP BY observation.image",
            *asked,
        )
        former = [key for _, key, counts in rows if not counts]
        if former and not self.read_only:
            with self.transaction():
                for key in former:
                    self._let_count(key)
        return {image_id for image_id, _, _ in rows}

    def add(self, observation: Observation, evidence: Sequence[Evidence]) -> None:
        """Store one look with all it found (maybe nothing); from now on it counts in place of the source's earlier one.

        The picture was remembered before, else ``LookupError``.
        """
        self._add(observation, evidence, about="")

    def add_human(self, image_id: str, slot: str, value: str | None, tags: Iterable[str] = ()) -> None:
        """A person's word on one slot of one picture, in place of an earlier one; a value of None takes it back."""
        look = Observation(image_id=image_id, source=HUMAN, version="1", inputs_hash=slot, created_at=now())
        claim = [] if value is None else [
            Evidence(image_id=image_id, slot=slot, value=value, tags=tuple(tags), confidence=1.0, source=HUMAN)
        ]  # fmt: skip
        self._add(look, claim, about=slot)

    def evidence(self, image_ids: Iterable[str] | None = None) -> dict[str, tuple[Evidence, ...]]:
        """What counts now: of each picture (all that are present, unless named) the latest answer of each source.

        Every picture asked for has an entry, be it empty. Claims stand by source, then as the source gave them.
        """
        if image_ids is None:
            keys = dict(self._rows("SELECT key, id FROM file JOIN image ON image.key = file.image ORDER BY path"))
            wanted = list(keys.values())
        else:
            keys, wanted = {}, list(image_ids)
            for chunk in _chunks(wanted):
                keys.update(self._rows(f"SELECT key, id FROM image WHERE id IN ({_marks(chunk)})", *chunk))
        found: dict[str, list[Evidence]] = {image_id: [] for image_id in wanted}
        for chunk in _chunks(list(keys)):
            for key, source, slot, value, tags, confidence in self._rows(
                "SELECT image, source, slot, value, tags, confidence FROM observation"
                " JOIN evidence ON evidence.observation = observation.key"
                f" WHERE counts AND image IN ({_marks(chunk)}) ORDER BY image, source, about, place",
                *chunk,
            ):
                found[keys[key]].append(
                    Evidence(
                        image_id=keys[key],
                        slot=slot,
                        value=value,
                        tags=tuple(tags.split("\n")) if tags else (),
                        confidence=confidence,
                        source=source,
                    )
                )
        return {image_id: tuple(claims) for image_id, claims in found.items()}

    def _add(self, observation: Observation, evidence: Sequence[Evidence], about: str) -> None:
        with self.transaction():
            look = self._run(
                "INSERT INTO observation (image, source, about, version, inputs_hash, created_at, counts)"
                " VALUES (?, ?, ?, ?, ?, ?, 0)",
                self._image(observation.image_id), observation.source, about, observation.version,
                observation.inputs_hash, observation.created_at,
            ).lastrowid  # fmt: skip
            for place, claim in enumerate(evidence):
                if claim.image_id != observation.image_id or claim.source != observation.source:
                    raise ValueError(f"evidence of {claim.source} in an observation of {observation.source}")
                self._run(
                    "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?)",
                    look, place, claim.slot, claim.value, "\n".join(claim.tags), claim.confidence,
                )  # fmt: skip
            self._let_count(look)

    def _let_count(self, observation: int | None) -> None:
        """Make this observation the one that counts for its picture, source and slot."""
        self._run(
            "UPDATE observation SET counts = 0 WHERE counts AND (image, source, about) ="
            " (SELECT image, source, about FROM observation WHERE key = ?)",
            observation,
        )
        self._run("UPDATE observation SET counts = 1 WHERE key = ?", observation)

    def _image(self, image_id: str) -> int:
        rows = self._rows("SELECT key FROM image WHERE id = ?", image_id)
        if not rows:
            raise LookupError(f"picture {image_id} was not remembered first")
        return int(rows[0][0])


def _ref(row: Sequence[Any]) -> ImageRef:
    return ImageRef(id=row[0], path=row[1], width=row[2], height=row[3])


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _chunks(items: list[Any]) -> Iterator[list[Any]]:
    return (items[start : start + _CHUNK] for start in range(0, len(items), _CHUNK))
