"""The pictures of an export: looked at, baked in threads, written beside their texts or packed into shards."""

from __future__ import annotations

import hashlib
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fluxcap.errors import FluxcapError, ImageError
from fluxcap.exporters.types import Images
from fluxcap.exporting.folder import Entry, Folder, Outcome, Writer
from fluxcap.exporting.shards import PER_SHARD, pack
from fluxcap.images import Baking, bake, identify, plan_baking
from fluxcap.images.baking import QUALITY
from fluxcap.observe import Progress
from fluxcap.store import Store
from fluxcap.think import Thought
from fluxcap.types import ImageRef, Issue

WORKERS = min(4, os.cpu_count() or 1)
"""Pictures baked at once; each may take some hundred MB for a moment."""

_LARGE = 40_000_000
"""Pixels above which only one picture is baked at a time."""

Job = TypeVar("Job")
Done = TypeVar("Done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One picture of the set and what becomes of it. ``id`` is the sha256 of its file, ``path`` its name in the set."""

    id: str
    path: str
    stem: str
    baking: Baking

    @property
    def file(self) -> str:
        """Its name in the export."""
        return self.stem + self.baking.suffix


def look(
    folder: Path, thought: Thought, stems: Mapping[str, str], crop: float | None, progress: Progress
) -> tuple[list[Source], list[Issue]]:
    """What becomes of each picture of the set; one that cannot be read, or is another than fluxcap looked at, is told."""
    sources: list[Source] = []
    issues: list[Issue] = []

    def one(job: tuple[ImageRef, bool]) -> Source | Issue:
        image, unchanged = job
        path = folder / image.path
        try:
            if not unchanged and identify(path) != image.id:
                return _issue(image, f"{image.path} changed since fluxcap looked at it; run: fluxcap caption {folder}")
            baking = plan_baking(path, name=image.path, crop=crop)
        except FluxcapError as error:
            return _issue(image, str(error))
        return Source(id=image.id, path=image.path, stem=stems[image.path], baking=baking)

    with Store(folder, read_only=True) as store:
        jobs = [(picture.image, _unchanged(store, folder, picture.image)) for picture in thought.pictures]

    def looked() -> Iterator[None]:
        for found in _in_parallel(one, jobs):
            if isinstance(found, Source):
                sources.append(found)
            else:
                issues.append(found)
            yield

    for _ in progress(looked(), len(thought.pictures)):
        pass
    return sources, issues


def dataset_hash(
    sources: Sequence[Source], texts: Mapping[str, str], how: Images, crop: float | None, background: str
) -> str:
    """Twelve signs for all that a trainer reads of a dataset; the order of pictures does not matter."""
    lines = sorted(f"{source.file}\0{_key(source, crop, background)}" for source in sources)
    lines += sorted(f"{path}\0{text}" for path, text in texts.items())
    return hashlib.sha256("\n".join([how, *lines]).encode()).hexdigest()[:12]


def write_pictures(
    place: Folder,
    folder: Path,
    dataset: str,
    sources: Sequence[Source],
    texts: Mapping[str, str],
    how: Images,
    crop: float | None,
    background: str,
    progress: Progress,
) -> dict[str, Outcome]:
    """Bake and write all pictures and their texts; what became of each file, by its path in the export."""
    large = threading.Lock()

    def baked(source: Source) -> bytes:
        with large if source.baking.width * source.baking.height > _LARGE else nullcontext():
            data, digest = bake(folder / source.path, source.baking, name=source.path, background=background, crop=crop)
        if digest != source.id:
            raise ImageError(
                f"{source.path} changed since fluxcap looked at it", f"run: fluxcap caption {folder}", code="IMG006"
            )
        return data

    def one(source: Source) -> tuple[str, Outcome, Entry]:
        path = f"{dataset}/{source.file}"

        def make(writer: Writer) -> None:
            writer.write(baked(source))

        outcome, entry = place.put(path, _key(source, crop, background), make)
        return path, outcome, entry

    def shard(job: tuple[str, Sequence[Source]]) -> tuple[str, Outcome, Entry]:
        name, members = job
        path = f"{dataset}/{name}"
        said = [(f"{one.stem}.{end}", texts[f"{one.stem}.{end}"]) for one in members for end in _ends(one.stem, texts)]
        parts = [f"{one.file}\0{_key(one, crop, background)}" for one in members] + [f"{n}\0{t}" for n, t in said]

        def make(writer: Writer) -> None:
            pack(_members(members, texts, baked), writer)

        outcome, entry = place.put(path, hashlib.sha256("\n".join(parts).encode()).hexdigest(), make)
        return path, outcome, entry

    outcomes: dict[str, Outcome] = {}
    if how == "shards":
        jobs = [
            (f"{dataset}-{number:06}.tar".removeprefix("dataset-"), sources[start : start + PER_SHARD])
            for number, start in enumerate(range(0, len(sources), PER_SHARD))
        ]
        done: Iterable[tuple[str, Outcome, Entry]] = map(shard, jobs)
        total = len(jobs)
    else:
        done, total = _in_parallel(one, sources), len(sources)
        outcomes |= {f"{dataset}/{name}": place.put_caption(f"{dataset}/{name}", text) for name, text in texts.items()}

    def written() -> Iterator[None]:
        for path, outcome, entry in done:
            place.note(path, entry)
            outcomes[path] = outcome
            yield

    for _ in progress(written(), total):
        pass
    return outcomes


def _unchanged(store: Store, folder: Path, image: ImageRef) -> bool:
    """Whether the file has the size and date that it had when fluxcap looked; it need not be read then."""
    try:
        status = (folder / image.path).stat()
    except OSError:
        return False
    known = store.known_file(image.path, status.st_size, status.st_mtime_ns)
    return known is not None and known.id == image.id


def _members(
    sources: Sequence[Source], texts: Mapping[str, str], baked: Callable[[Source], bytes]
) -> Iterator[tuple[str, bytes]]:
    for source, data in zip(sources, _in_parallel(baked, sources), strict=True):
        yield source.file, data
        yield from (
            (f"{source.stem}.{end}", texts[f"{source.stem}.{end}"].encode()) for end in _ends(source.stem, texts)
        )


def _ends(stem: str, texts: Mapping[str, str]) -> list[str]:
    return [end for end in ("json", "txt") if f"{stem}.{end}" in texts]


def _key(source: Source, crop: float | None, background: str) -> str:
    """All that a picture's bytes in the export follow from."""
    if source.baking.kept:
        return source.id
    how = f"{source.id} {source.baking.suffix} q{QUALITY} {crop or ''} {background}"
    return hashlib.sha256(how.encode()).hexdigest()


def _issue(image: ImageRef, message: str) -> Issue:
    return Issue(code="EXP005", message=message, severity="error", image_id=image.id, path=image.path)


def _in_parallel(work: Callable[[Job], Done], jobs: Iterable[Job]) -> Iterator[Done]:
    """What ``work`` makes of each job, in their order; only a few are under way, so that the memory stays small."""
    with ThreadPoolExecutor(WORKERS) as pool:
        waiting: deque[Future[Done]] = deque()
        try:
            for job in jobs:
                waiting.append(pool.submit(work, job))
                if len(waiting) >= 2 * WORKERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
