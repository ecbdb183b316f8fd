"""Asks each source about each picture, once: what is known is read from the store, so any run goes on where one stopped."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from fluxcap.errors import FluxcapError, ImageError
from fluxcap.types import Claim, Evidence, ImageRef, Issue, Observation
from fluxcap.vocabulary import canonical, read

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fluxcap.store import Store

MOST_WORKERS = 6
"""Each worker holds its own interpreters (about 100 MiB), and memory stays under 1 GiB."""

_LARGE_FILE = 12 * 2**20  # bytes; files this large are opened one at a time, so that their pixels do not add up
_REMARK = "remark:"
_READER_VERSION = "1"


class Measurement(Protocol):
    """A back end that measures pixels; it knows nothing of captions."""

    name: str
    version: str

    def observe(self, rgb: NDArray[np.uint8], width: int, height: int) -> list[Claim]:
        """What it sees in an upright RGB picture (HWC uint8); width and height of the original in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What looking at the folder gave: the pictures in order, what is wrong with files, and how many were newly measured."""

    images: tuple[ImageRef, ...]
    issues: tuple[Issue, ...]
    observed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    ref: ImageRef
    size: int
    mtime_ns: int
    claims: tuple[Claim, ...] | None
    remarks: tuple[Issue, ...]


_Job = tuple[Path, str, os.stat_result]

Progress = Callable[[Iterable[None], int], Iterator[None]]
"""Wraps a stream of 'one done' of known length, to show it."""


def look(
    store: Store,
    folder: Path,
    paths: Sequence[Path],
    measurement: Measurement | None,
    *,
    background: str,
    again: bool = False,
    opened: Callable[[str, NDArray[np.uint8]], object] = lambda _id, _rgb: None,
    progress: Progress = lambda done, _: iter(done),
) -> Look:
    """Open every picture that is new or was not measured yet, on all cores, and store what was seen picture by picture.

    ``again`` asks anew what is known already. ``opened`` is given each picture (its id, its pixels) while it is open. A picture that cannot be used becomes an issue; the others go on.
    """
    source = f"measure:{measurement.name}" if measurement else ""
    inputs = digest(background)
    version = measurement.version if measurement else ""
    known_ids = store.observed(source, version, inputs) if measurement else set()
    done_ids: set[str] = set() if again else set(known_ids)
    refs: dict[str, ImageRef] = {}
    issues: list[Issue] = []
    measured = 0
    todo: list[_Job] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            status = path.stat()
        except OSError as error:
            issues.append(_gone(name, error))
            continue
        known = store.known_file(name, status.st_size, status.st_mtime_ns)
        if known and (measurement is None or known.id in done_ids):
            refs[name] = known
        else:
            todo.append((path, name, status))

    from fluxcap import images

    large = threading.Lock()

    def one(path: Path, name: str, status: os.stat_result) -> _Seen:
        with large if status.st_size > _LARGE_FILE else nullcontext():
            picture = images.read(path, name=name, background=background)
        opened(picture.ref.id, picture.rgb)
        wanted = measurement is not None and picture.ref.id not in done_ids
        claims = (
            tuple(measurement.observe(picture.rgb, picture.ref.width, picture.ref.height))
            if measurement is not None and wanted
            else None
        )
        return _Seen(
            ref=picture.ref,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            claims=claims,
            remarks=picture.issues,
        )

    def stored() -> Iterator[None]:
        nonlocal measured
        for name, outcome in _in_parallel(one, todo):
            if isinstance(outcome, Issue):
                issues.append(outcome)
            else:
                _store(store, outcome, source, version, inputs)
                if outcome.claims is not None:
                    done_ids.add(outcome.ref.id)
                    measured += 1
                refs[name] = outcome.ref
            yield

    for _ in progress(stored(), len(todo)):
        pass
    names = [path.relative_to(folder).as_posix() for path in paths]
    return Look(images=tuple(refs[name] for name in names if name in refs), issues=tuple(issues), observed=measured)


def unusable(folder: Path, paths: Sequence[Path]) -> list[Issue]:
    """What is wrong with these files, where they are no usable pictures; nothing is asked and nothing is stored."""

    def one(path: Path, name: str, _: os.stat_result) -> _Seen:
        from fluxcap import images

        picture = images.read(path, name=name, long_side=64)
        return _Seen(ref=picture.ref, size=0, mtime_ns=0, claims=None, remarks=())

    issues: list[Issue] = []
    todo: list[_Job] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        try:
            todo.append((path, name, path.stat()))
        except OSError as error:
            issues.append(_gone(name, error))
    return [*issues, *(outcome for _, outcome in _in_parallel(one, todo) if isinstance(outcome, Issue))]


def remarks(evidence: Mapping[str, Sequence[Evidence]], images: Sequence[ImageRef]) -> list[Issue]:
    """What was noticed about the files when they were first opened (animated, transparent, 16 bits).

    ``evidence`` goes by the picture's id.
    """
    return [
        Issue(
            code=claim.slot.removeprefix(_REMARK),
            message=f"{_shown(image.path)} {claim.value}",
            severity="warning" if claim.confidence == 1.0 else "note",
            image_id=image.id,
            path=image.path,
        )
        for image in images
        for claim in evidence.get(image.id, ())
        if claim.slot.startswith(_REMARK)
    ]


def read_captions(store: Store, source: str, texts: Iterable[tuple[ImageRef, str]], confidence: float) -> None:
    """Captions that others wrote become evidence, trait by trait; the same text of the same picture is read once."""
    with store.transaction():
        for image, text in texts:
            inputs = digest(image.id, text)  # the picture too: one question per picture, however many share a text
            if image.id in store.observed(source, _READER_VERSION, inputs):
                continue
            evidence = [
                Evidence(
                    image_id=image.id, slot=m.slot, value=m.value, tags=m.tags, confidence=confidence, source=source
                )
                for m in read(text)
                if m.slot not in ("trigger", "subject")
            ]
            store.add(_observation(image.id, source, _READER_VERSION, inputs), evidence)


def digest(*inputs: str) -> str:
    """A short stable name for the parameters of a question."""
    return hashlib.sha256("\0".join(inputs).encode()).hexdigest()[:16]


def _in_parallel(
    one: Callable[[Path, str, os.stat_result], _Seen], todo: Sequence[_Job]
) -> Iterator[tuple[str, _Seen | Issue]]:
    """Results as they come; only a few pictures are under way at once, so memory does not grow with the folder."""
    workers = min(MOST_WORKERS, os.cpu_count() or 1, max(1, len(todo)))
    pool = ThreadPoolExecutor(workers)
    waiting: dict[Future[_Seen], str] = {}
    jobs = iter(todo)
    try:
        while True:
            for path, name, status in jobs:
                waiting[pool.submit(one, path, name, status)] = name
                if len(waiting) >= 2 * workers:
                    break
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                name = waiting.pop(future)
                try:
                    yield name, future.result()
                except ImageError as error:
                    yield name, Issue(code=error.code, message=str(error), severity="error", path=name)
                except FluxcapError:
                    raise
                except (
                    Exception
                ) as error:  # a source may trip over one picture in any way; the others are not to pay for it
                    yield name, _tripped(name, error)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _tripped(name: str, error: Exception) -> Issue:
    message = (
        f"{name} could not be measured ({type(error).__name__}: {error}); this is a bug of fluxcap: please report it"
    )
    return Issue(code="IMG013", message=" ".join(message.split()), severity="error", path=name)


def _store(store: Store, seen: _Seen, source: str, version: str, inputs: str) -> None:
    with store.transaction():
        store.remember_file(seen.ref.path, seen.size, seen.mtime_ns, seen.ref)
        if seen.remarks:
            noticed = [
                _evidence(
                    seen.ref,
                    f"{_REMARK}{r.code}",
                    r.message.removeprefix(f"{_shown(seen.ref.path)} "),  # the picture may be renamed
                    (),
                    1.0 if r.severity == "warning" else 0.9,
                    "file:opened",
                )
                for r in seen.remarks
            ]
            store.add(_observation(seen.ref.id, "file:opened", "1", ""), noticed)
        if seen.claims is None:
            return
        evidence: list[Evidence] = []
        for claim in seen.claims:
            value, tags = canonical(claim.slot, claim.value)
            evidence.append(_evidence(seen.ref, claim.slot, value, claim.tags or tags, claim.confidence, source))
        store.add(_observation(seen.ref.id, source, version, inputs), evidence)


def _evidence(ref: ImageRef, slot: str, value: str, tags: tuple[str, ...], confidence: float, source: str) -> Evidence:
    return Evidence(image_id=ref.id, slot=slot, value=value, tags=tags, confidence=confidence, source=source)


def _observation(image_id: str, source: str, version: str, inputs: str) -> Observation:
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Observation(image_id=image_id, source=source, version=version, inputs_hash=inputs, created_at=created)


def _gone(name: str, error: OSError) -> Issue:
    message = f"{_shown(name)} cannot be read ({error.strerror or error}); look whether it is still there"
    return Issue(code="IMG006", message=message, severity="error", path=name)


def _shown(name: str) -> str:
    from fluxcap.images import shown

    return shown(name)
