"""How much of a server's speed ``fluxcap caption`` uses when it asks a vision language model, and what that costs.

    python benchmarks/vision_throughput.py [--photos DIR] [--latency S ...] [--slots N ...] [--quick] [--no-memory]

Needs ``fluxcap[vlm]``. No model is run: a server in a process of its own speaks OpenAI's chat API and answers after 0.5, 2 or
8 seconds with traits that fit the schema. It has 1, 4, 16 or 64 slots; beyond them it refuses (429, ``Retry-After: 1``), or it
queues. Its best is slots / latency pictures per second. It reads the first question in full (a JPEG, a schema), and of the others
the bytes only, so that it costs little on cores that it shares with fluxcap.

Ours is what ``fluxcap caption`` does: ``vision.ask`` with a store, the pool that finds the number of questions under way, the
ladder, the openai SDK. The pictures are photographs scaled to 2 megapixels with grain (JPEG, quality 92), some different ones
under many ids. *Steady* is the share of the slots' time in which they had a question, from 12 latencies (4 s at
least) after the first question to the last question; *overall* is pictures / (whole time * best), with the start and the end,
where fewer are under way. Two cores are used where the system can hold a process to them; they serve both sides, and other
programs on them count. Runs that want little of them (16 pictures/s together) are made side by side.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Literal
from urllib.request import urlopen

from latency_server import Kind, started

PHOTOS = Path(__file__).resolve().parents[1] / ".." / "shared" / "photos"
SHORT, LONG = 1224, 1632
DIFFERENT = 24
LATENCIES, SLOTS = (0.5, 2.0, 8.0), (1, 4, 16, 64)
TOGETHER = 16.0
"""Pictures/s of the servers of runs that are made side by side."""

SHARE = 0.9
MODEL = "bench-vl"
Client = Literal["ours", "ours, slots given", "5 in flight", "one at a time"]


# --------------------------------------------------------------------------------------------------------- the clients


def answer() -> bytes:
    """What the server says to every question: traits that fit the schema."""
    from fluxcap.vlms.question import questions

    schema = questions().schema or {}
    traits = {name: one["enum"][0] if "enum" in one else "plain and grey" for name, one in schema["properties"].items()}
    message = {"role": "assistant", "content": json.dumps(traits)}
    usage = {"prompt_tokens": 1900, "completion_tokens": 220, "total_tokens": 2120}
    said = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}], "usage": usage}
    return json.dumps(said).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One client against one server. ``number`` tells runs of the same kind apart."""

    client: Client
    latency: float
    slots: int
    kind: Kind
    pictures: int
    number: int = 0

    @property
    def best(self) -> float:
        return self.slots / self.latency

    @property
    def path(self) -> str:
        return f"/{self.latency:g}/{self.slots}/{self.kind}/{self.number}/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Shares of slots / latency, pictures/s of the whole run; memory in MiB, by the number of pictures done."""

    steady: float
    overall: float
    rate: float
    peak_slots: int
    bytes: float
    cpu_ms: float
    refused: int
    most_waiting: int
    left: int
    looked: str
    peak: float
    memory: dict[int, float]


def measure(run: Run, address: str, folder: Path, marks: tuple[int, ...] = ()) -> Result:
    """To be called in a fresh process: CPU time and memory are the process's."""
    memory: dict[int, float] = {}
    paths = sorted(folder.glob("*.jpg"))
    url = address + run.path
    peak_slots = {"5 in flight": 5, "one at a time": 1}.get(run.client, 0)
    if run.client.startswith("ours"):
        done, seconds, cpu, peak_slots = ours(run, url, folder, paths, marks, memory)
    else:
        done, seconds, cpu = asyncio.run(plain(url, paths, run.pictures, peak_slots))
    with urlopen(f"{url}/stats") as told:
        said = json.load(told)
    first, last = said["started"][0], said["started"][-1]
    begin = first + max(4.0, 12 * run.latency)
    taken = sum(max(0.0, min(at + run.latency, last) - max(at, begin)) for at in said["started"])
    steady = taken / (run.slots * (last - begin)) if last - begin > run.latency else float("nan")
    return Result(
        steady=steady,
        overall=done / seconds / run.best,
        rate=done / seconds,
        peak_slots=peak_slots,
        bytes=said["bytes"] / max(1, done),
        cpu_ms=cpu / max(1, done) * 1000,
        refused=said["refused"],
        most_waiting=said["most_waiting"],
        left=run.pictures - done,
        looked=", ".join(name if there else f"NO {name}" for name, there in said["looked"].items()),
        peak=peak(),
        memory=memory,
    )


def ours(
    run: Run, url: str, folder: Path, paths: list[Path], marks: tuple[int, ...], memory: dict[int, float]
) -> tuple[int, float, float, int]:
    """Pictures answered, seconds, CPU seconds, and the most questions under way."""
    from fluxcap.store import Store
    from fluxcap.types import ImageRef
    from fluxcap.vision import How, ask
    from fluxcap.vlms.openai_chat import OpenAIServer
    from fluxcap.vlms.question import prompt_version, questions

    names = [path.name for path in paths]
    images = [
        ImageRef(id=hashlib.sha256(b"%d" % n).hexdigest(), path=names[n % len(names)], width=LONG, height=SHORT)
        for n in range(run.pictures)
    ]
    question = questions()
    how = How(
        server=OpenAIServer(url, MODEL),
        question={image.id: question for image in images},
        prompts=prompt_version(),
        slots=run.slots if run.client == "ours, slots given" else None,
    )

    def watched(done: Iterable[None], total: int) -> Iterator[None]:
        for count, one in enumerate(done, start=1):
            if count in marks:
                memory[count] = resident()
            yield one

    with tempfile.TemporaryDirectory() as name, Store(Path(name)) as store:
        with store.transaction():
            for number, image in enumerate(images):
                store.remember_file(f"{number}.jpg", 1, 1, image)
        start, used = time.perf_counter(), time.process_time()
        told = ask(store, folder, images, how, progress=watched)
        seconds, cpu = time.perf_counter() - start, time.process_time() - used
        for issue in told.issues[:3]:
            print(issue.message, file=sys.stderr)
        stored = store.observed(how.source, f"1:{how.prompts}", how.inputs)
    if len(stored) != told.asked:
        raise SystemExit(f"{told.asked} answers came and {len(stored)} are stored")
    return told.asked, seconds, cpu, told.rate.peak_slots if told.rate else 0


async def plain(url: str, paths: list[Path], count: int, in_flight: int) -> tuple[int, float, float]:
    """As the peers do it: the file as it is, base64, the openai SDK, a fixed number of questions under way, nothing stored."""
    import base64

    import openai

    from fluxcap.vlms.question import questions

    question = questions()
    schema: Any = {"type": "json_schema", "json_schema": {"name": "traits", "schema": question.schema}}
    limit = asyncio.Semaphore(in_flight)

    async def one(client: openai.AsyncOpenAI, path: Path) -> None:
        async with limit:
            picture = f"data:image/jpeg;base64,{base64.b64encode(path.read_bytes()).decode()}"
            parts: Any = [
                {"type": "image_url", "image_url": {"url": picture}},
                {"type": "text", "text": question.text},
            ]
            answer = await client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": parts}], response_format=schema, max_tokens=700
            )
            json.loads(answer.choices[0].message.content or "")

    start, used = time.perf_counter(), time.process_time()
    async with openai.AsyncOpenAI(base_url=url, api_key="none") as client:
        await asyncio.gather(*(one(client, paths[n % len(paths)]) for n in range(count)))
    return count, time.perf_counter() - start, time.process_time() - used


def resident() -> float:
    """MiB that the process has in memory now; its peak where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return peak()
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def peak() -> float:
    """MiB that this process had in memory at most."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 1024)


# -------------------------------------------------------------------------------------------------------- the pictures


def make(folder: Path, photos: Path) -> str:
    """JPEGs of 2 megapixels; tells of what."""
    import cv2
    import numpy as np
    from PIL import Image

    files = sorted((photos / "files").glob("*")) if (photos / "files").is_dir() else []
    sources = files[:: max(1, len(files) // DIFFERENT)][:DIFFERENT]
    for number in range(DIFFERENT):
        random = np.random.default_rng(number)
        if sources:
            rgb = np.asarray(Image.open(sources[number % len(sources)]).convert("RGB"))
        else:  # soft patches of colour
            rgb = cv2.resize(random.integers(0, 255, (60, 45, 3), dtype=np.uint8), (900, 1200))
        height, width = rgb.shape[:2]
        size = (SHORT, LONG) if height > width else (LONG, SHORT)
        scale = max(size[0] / width, size[1] / height)
        big = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[: size[1], : size[0]]
        # grain, so that the file has as many bytes as a camera's; upscaled pictures alone are cheap
        big = np.clip(big + random.normal(0, 5, big.shape[:2])[:, :, None], 0, 255).astype(np.uint8)
        Image.fromarray(big).save(folder / f"{number:02}.jpg", quality=92)
    size_mb = sum(path.stat().st_size for path in folder.glob("*.jpg")) / DIFFERENT / 1e6
    return (
        f"{DIFFERENT} {'photographs, scaled' if sources else 'drawn pictures (no photographs found)'}, {size_mb:.2f} MB"
    )


def making_ms(folder: Path) -> float:
    """CPU milliseconds for making the picture that is sent, best of three rounds."""
    from fluxcap.vlms.pictures import jpeg

    best, paths = float("inf"), sorted(folder.glob("*.jpg"))
    for _ in range(3):
        used = time.process_time()
        for path in paths:
            jpeg(path, name=path.name, side=1024, digest="0" * 64)
        best = min(best, (time.process_time() - used) / len(paths))
    return best * 1000


# ------------------------------------------------------------------------------------------------------------ the runs


def fresh(work: partial[Any]) -> Any:
    """The result of a call in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
        return other.submit(work).result()


def grouped(runs: list[Run]) -> Iterator[list[Run]]:
    """Runs that may be made side by side, as their servers want little of the cores."""
    group: list[Run] = []
    for run in runs:
        if group and sum(one.best for one in [*group, run]) > TOGETHER:
            yield group
            group = []
        group.append(run)
    if group:
        yield group


HEAD = (
    f"{'client':>17} {'latency':>8} {'slots':>5} {'server':>7} {'best/s':>6} {'steady':>7} {'overall':>7} {'got/s':>6} "
    f"{'in flight':>9} {'queued':>6} {'429':>4} {'left':>4} {'MB sent':>7} {'CPU ms':>6} {'peak MiB':>8}"
)


def line(run: Run, got: Result) -> str:
    return (
        f"{run.client:>17} {run.latency:>6g} s {run.slots:>5} {run.kind:>7} {run.best:>6.2f} {got.steady:>7.1%} "
        f"{got.overall:>7.1%} {got.rate:>6.2f} {got.peak_slots:>9} {got.most_waiting:>6} {got.refused:>4} {got.left:>4} "
        f"{got.bytes / 1e6:>7.3f} {got.cpu_ms:>6.1f} {got.peak:>8.0f}"
    )


def length(latency: float, slots: int) -> int:
    """How many pictures: more latencies than the warm-up takes, and no more than two cores make in half a minute."""
    rounds = {0.5: 44, 2.0: 26}.get(latency, 16)
    return min(slots * rounds, 1200)


def memory(address: str, folder: Path, quick: bool) -> bool:
    marks = (200, 1000) if quick else (1000, 5000)
    run = Run(client="ours", latency=0.02, slots=8, kind="queues", pictures=marks[1])
    got: Result = fresh(partial(measure, run, address, folder, marks))
    early, late = (got.memory[mark] for mark in marks)
    flat = late <= early * 1.05
    print(
        f"memory, {marks[1]} pictures at 0.02 s: {early:.0f} MiB after {marks[0]}, {late:.0f} MiB after {marks[1]}, peak "
        f"{got.peak:.0f} MiB; {got.rate:.1f} pictures/s, {got.cpu_ms:.1f} CPU ms each; wanted: at most 5 % more: "
        f"{'reached' if flat else 'NOT reached'}"
    )
    return flat


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--latency", type=float, nargs="+", default=None, help="seconds until an answer")
    parser.add_argument("--slots", type=int, nargs="+", default=None, help="questions that the server takes at once")
    parser.add_argument("--quick", action="store_true", help="0.5 s with 4 and 16 slots; memory over 1,000 pictures")
    parser.add_argument("--no-memory", action="store_true", help="leave out the run over 5,000 pictures")
    told = parser.parse_args(arguments)
    latencies = told.latency or ((0.5,) if told.quick else LATENCIES)
    slots = told.slots or ((4, 16) if told.quick else SLOTS)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
    load = f"{os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else "not told"
    print(f"{min(2, os.cpu_count() or 1)} cores for both sides; load of this machine before: {load}")
    missed: list[str] = []
    with tempfile.TemporaryDirectory() as name, started(answer()) as address:
        folder = Path(name)
        # in processes of their own: neither counts for memory or CPU
        print(f"pictures of 2 megapixels: {fresh(partial(make, folder, told.photos))}")
        print(f"making the JPEG that is sent: {fresh(partial(making_ms, folder)):.1f} CPU ms, of the CPU ms below")
        print(HEAD)

        def make_runs(runs: list[Run]) -> Iterator[tuple[Run, Result]]:
            for group in grouped(runs):
                with ProcessPoolExecutor(len(group), mp_context=get_context("spawn")) as others:
                    work = [others.submit(measure, run, address, folder) for run in group]
                    for run, one in zip(group, work, strict=True):
                        got = one.result()
                        print(line(run, got), flush=True)
                        if got.looked != "one JPEG, schema" and run.client.startswith("ours"):
                            missed.append(f"the question holds: {got.looked}")
                        yield run, got

        first, most = min(latencies), min(16, max(slots))
        clients: tuple[tuple[Client, int], ...] = (
            ("one at a time", 20),
            ("5 in flight", 100),
            ("ours, slots given", length(first, most)),
        )
        runs = [
            Run(client=client, latency=first, slots=most, kind="refuses", pictures=count, number=number)
            for number, (client, count) in enumerate(clients, start=1)
        ]
        for run in runs:  # one by one
            list(make_runs([run]))
        kinds: tuple[Kind, ...] = ("refuses", "queues")
        runs = [
            Run(client="ours", latency=latency, slots=count, kind=kind, pictures=length(latency, count))
            for latency in latencies
            for count in slots
            for kind in kinds
        ]
        for run, got in make_runs(runs):
            if run.slots <= 16 and not got.steady >= SHARE:
                missed.append(f"{got.steady:.1%} of {run.slots} slots at {run.latency:g} s, which {run.kind}")
            if got.left:
                missed.append(f"{got.left} pictures without answer at {run.slots} slots")
            if got.bytes > 350_000 * 4 / 3 + 20_000:
                missed.append(f"{got.bytes / 1e6:.2f} MB sent per picture")
        if not told.no_memory and not memory(address, folder, told.quick):
            missed.append("flat memory")
    print(f"wanted: steady >= {SHARE:.0%} up to 16 slots; not reached: {'; '.join(missed) or 'nothing'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
