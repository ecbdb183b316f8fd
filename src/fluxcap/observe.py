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
from fluxcap.translate import NAMES, TAGS, packed
from fluxcap.types import Claim, Evidence, ImageRef, Issue, Observation
from fluxcap.vocabulary import (
    Mention,
    canonical,
    looks_like_tags,
    of_minors,
    parse_tags,
    read,
    together,
    vocabulary_version,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fluxcap.store import Store
    from fluxcap.taggers import Tagger

MOST_WORKERS = 6
"""Each worker holds its own interpreters (about 100 MiB), and memory stays under 1 GiB."""

_LARGE_FILE = 12 * 2**20  # bytes; files this large are opened one at a time, so that their pixels do not add up
_REMARK = "remark:"
_READER_VERSION = "3"
_LONG_SIDE = 1024  # pixels, what measuring wants


class Measurement(Protocol):
    """A back end that measures pixels; it knows nothing of captions."""

    name: str
    version: str

    def observe(self, rgb: NDArray[np.uint8], width: int, height: int) -> list[Claim]:
        """What it sees in an upright RGB picture (HWC uint8); width and height of the original in pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What looking at the folder gave: the pictures in order, what is wrong with files, and how many were newly looked at.

    ``observed`` were measured, ``tagged`` went through the tagger.
    """

    images: tuple[ImageRef, ...]
    issues: tuple[Issue, ...]
    observed: int
    tagged: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Seen:
    ref: ImageRef
    size: int
    mtime_ns: int
    claims: tuple[Claim, ...] | None
    remarks: tuple[Issue, ...]
    inputs: NDArray[np.float32] | None = None


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
    tagger: Tagger | None = None,
    again: bool = False,
    opened: Callable[[str, NDArray[np.uint8]], object] = lambda _id, _rgb: None,
    progress: Progress = lambda done, _: iter(done),
) -> Look:
    """Open every picture that is new or was not looked at yet, on all cores, and store what was seen picture by picture.

    The tagger's model runs while the next pictures are opened, measured and made ready. ``again`` asks anew what is known already. ``opened`` is given each picture (its id, its pixels) while it is open. A picture that cannot be used becomes an issue; the others go on.
    """
    source = f"measure:{measurement.name}" if measurement else ""
    inputs = digest(background)
    version = measurement.version if measurement else ""
    known_ids = store.observed(source, version, inputs) if measurement else set()
    done_ids: set[str] = set() if again else set(known_ids)
    tags = _Tagging(store, tagger, inputs, again)
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
        if known and (measurement is None or known.id in done_ids) and not tags.wants(known.id):
            refs[name] = known
        else:
            todo.append((path, name, status))

    from fluxcap import images

    large = threading.Lock()

    def one(path: Path, name: str, status: os.stat_result) -> _Seen:
        with large if status.st_size > _LARGE_FILE else nullcontext():
            side = _LONG_SIDE if measurement or tagger is None else tagger.long_side
            picture = images.read(path, name=name, background=background, long_side=side, exact=tagger is None)
        rgb = images.shrunk(picture, side)
        opened(picture.ref.id, rgb)
        wanted = measurement is not None and picture.ref.id not in done_ids
        claims = (
            tuple(measurement.observe(rgb, picture.ref.width, picture.ref.height))
            if measurement is not None and wanted
            else None
        )
        return _Seen(
            ref=picture.ref,
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            claims=claims,
            remarks=picture.issues,
            inputs=tagger.prepare(picture.rgb) if tagger and tags.wants(picture.ref.id) else None,
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
                tags.take(outcome)
            yield
        tags.finish()

    for _ in progress(stored(), len(todo)):
        pass
    names = [path.relative_to(folder).as_posix() for path in paths]
    return Look(
        images=tuple(refs[name] for name in names if name in refs),
        issues=tuple(issues),
        observed=measured,
        tagged=tags.done,
    )


class _Tagging:
    """Gathers prepared pictures into batches for the tagger's model, and stores what it says of each."""

    def __init__(self, store: Store, tagger: Tagger | None, inputs: str, again: bool) -> None:
        self.store, self.tagger, self.inputs = store, tagger, inputs
        self.source = f"tagger:{tagger.name}" if tagger else ""
        known = store.observed(self.source, tagger.version, inputs) if tagger else set()
        self.known: set[str] = set() if again else set(known)
        self.waiting: dict[str, NDArray[np.float32]] = {}
        self.done = 0

    def wants(self, image_id: str) -> bool:
        return self.tagger is not None and image_id not in self.known

    def take(self, seen: _Seen) -> None:
        if self.tagger is None or seen.inputs is None or seen.ref.id in self.known:
            return
        self.waiting[seen.ref.id] = seen.inputs
        if len(self.waiting) >= self.tagger.batch_size:
            self.finish()

    def finish(self) -> None:
        if self.tagger is None or not self.waiting:
            return
        batch, self.waiting = self.waiting, {}
        for image_id, tagged in zip(batch, self.tagger.tag(list(batch.values())), strict=True):
            evidence = [
                Evidence(
                    image_id=image_id, slot=slot, value=packed(scored), tags=(), confidence=1.0, source=self.source
                )
                for slot, scored in ((TAGS, tagged.general), (NAMES, tagged.character))
                if scored
            ]
            self.store.add(_observation(image_id, self.source, self.tagger.version, self.inputs), evidence)
            self.known.add(image_id)
            self.done += 1


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


def read_captions(
    store: Store, source: str, texts: Iterable[tuple[ImageRef, str]], confidence: float, *, as_tags: bool = False
) -> None:
    """Captions that others wrote become evidence, trait by trait; the same text of the same picture is read once.

    Tag lists are kept as tags, and so is any text where ``as_tags``.
    """
    version = f"{_READER_VERSION}:{vocabulary_version()}"
    with store.transaction():
        for image, text in texts:
            # the picture too: one question per picture, however many share a text
            inputs = digest(image.id, text, "tags" if as_tags else "")
            if image.id in store.observed(source, version, inputs):
                continue
            evidence = _of_tags(image, text, source, confidence) if as_tags or looks_like_tags(text) else []
            evidence = evidence or [*_minors(image, text, source), *_of_words(image, text, source, confidence)]
            store.add(_observation(image.id, source, version, inputs), evidence)


def _of_tags(image: ImageRef, text: str, source: str, confidence: float) -> list[Evidence]:
    listed = parse_tags(text)
    if not listed.tags:
        return []
    scored = packed((tag, confidence) for tag in listed.tags)
    tags = Evidence(image_id=image.id, slot=TAGS, value=scored, tags=(), confidence=1.0, source=source)
    return [tags, *_of_words(image, ", ".join(listed.others), source, confidence)]


def _minors(image: ImageRef, text: str, source: str) -> list[Evidence]:
    """That a caption speaks of a minor, kept as a tag: whether the picture may be used hangs on it."""
    scored = packed((tag, 1.0) for tag in of_minors(text))
    return [_evidence(image, TAGS, scored, (), 1.0, source)] if scored else []


def _of_words(image: ImageRef, text: str, source: str, confidence: float) -> list[Evidence]:
    """One claim a trait: what a text says of it in several places belongs together."""
    by_slot: dict[str, list[Mention]] = {}
    for mention in read(text):
        if mention.slot not in ("trigger", "subject"):
            by_slot.setdefault(mention.slot, []).append(mention)
    return [
        Evidence(image_id=image.id, slot=slot_id, value=value, tags=tags, confidence=confidence, source=source)
        for slot_id, mentions in by_slot.items()
        for value, tags in together(mentions)
    ]


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
