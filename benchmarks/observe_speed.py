"""What one embedded observation costs, from JPEG to claims.

    python benchmarks/observe_speed.py [--photos DIR] [--count N] [--pictures N]

Prints CPU milliseconds per picture (process_time, so other programs do not count; one thread) for pictures of 2, 6 and 12
megapixels: decoding alone with Pillow in full and with its draft mode, fluxcap's reading, and reading with observing. Then
pictures per second (wall time) with one thread and with one per core, and the peak of resident memory over many pictures.
The pictures are photographs scaled to size, or drawn ones where the photographs are missing.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from fluxcap import images
from fluxcap.measure import EmbeddedMeasurement

PHOTOS = Path(__file__).resolve().parents[1] / ".." / "shared" / "photos"
SIZES = {2: (1224, 1632), 6: (2120, 2830), 12: (3000, 4000)}


def drawn(number: int) -> np.ndarray:
    """A picture with soft noise, for machines without photographs. No face is found in it: the cheaper half of the work."""
    noise = np.random.default_rng(number).integers(0, 255, (60, 45, 3), dtype=np.uint8)
    return cv2.resize(noise, (900, 1200), interpolation=cv2.INTER_CUBIC)


def make(folder: Path, photos: Path, count: int) -> dict[int, list[Path]]:
    """JPEGs of quality 88 by size in megapixels."""
    files = sorted((photos / "files").glob("*")) if (photos / "files").is_dir() else []
    print(f"pictures: {'photographs, scaled' if files else 'drawn (no photographs found)'}")
    step = max(1, len(files) // count)
    sources = [np.asarray(Image.open(path).convert("RGB")) for path in files[::step][:count]] or [
        drawn(n) for n in range(count)
    ]
    out: dict[int, list[Path]] = {}
    for megapixels, (short, long) in SIZES.items():
        for number, rgb in enumerate(sources):
            height, width = rgb.shape[:2]
            size = (short, long) if height > width else (long, short)
            scale = max(size[0] / width, size[1] / height)
            big = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[: size[1], : size[0]]
            # grain, so that the file has as many bytes as a camera's; upscaled pictures alone are cheap to decode
            big = np.clip(big + np.random.default_rng(number).normal(0, 5, big.shape[:2])[:, :, None], 0, 255).astype(
                np.uint8
            )
            path = folder / f"{megapixels}mp_{number}.jpg"
            Image.fromarray(big).save(path, quality=88)
            out.setdefault(megapixels, []).append(path)
    return out


def cpu(work: Callable[[Path], object], paths: list[Path], rounds: int = 3) -> float:
    """CPU milliseconds per picture: the best of some rounds."""
    for path in paths[:2]:
        work(path)
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for path in paths:
            work(path)
        best = min(best, (time.process_time() - start) / len(paths))
    return best * 1000


def full(path: Path) -> None:
    with Image.open(path) as image:
        image.load()


def draft(path: Path) -> None:
    with Image.open(path) as image:
        image.draft("RGB", (1024, 1024))
        image.load()


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--count", type=int, default=16, help="different pictures per size")
    parser.add_argument("--pictures", type=int, default=300, help="pictures for memory and threads")
    told = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    measurement = EmbeddedMeasurement()

    def read(path: Path) -> images.Picture:
        return images.read(path, name=path.name)

    def observe(path: Path) -> None:
        picture = read(path)
        measurement.observe(picture.rgb, picture.ref.width, picture.ref.height)

    with tempfile.TemporaryDirectory() as name:
        # in a process of its own: the pictures' making does not count for memory
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as other:
            by_size = other.submit(make, Path(name), told.photos, told.count).result()
        print(f"{'CPU ms per picture':>20} {'Pillow full':>12} {'draft':>8} {'read':>8} {'read + observe':>15}")
        for megapixels, paths in by_size.items():
            row = [cpu(work, paths) for work in (full, draft, read, observe)]
            size = sum(path.stat().st_size for path in paths) / len(paths) / 1e6
            label = f"{megapixels} MP, {size:.1f} MB"
            print(f"{label:>20} {row[0]:>12.1f} {row[1]:>8.1f} {row[2]:>8.1f} {row[3]:>15.1f}")
        many = (by_size[6] * (told.pictures // told.count + 1))[: told.pictures]
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        for threads in sorted({1, cores}):
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(observe, many[: 2 * threads]))
                start, used = time.perf_counter(), time.process_time()
                list(pool.map(observe, many))
            wall = time.perf_counter() - start
            print(
                f"{threads} thread{'s' if threads > 1 else ' '}: {len(many) / wall:6.1f} pictures/s of 6 MP, {(time.process_time() - used) / wall:.2f} cores busy"
            )
        peak = (
            resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            / (1 if sys.platform == "darwin" else 1024)
            / (1024 if sys.platform == "darwin" else 1)
        )
        print(f"peak memory after {len(many)} pictures with 1 and {cores} threads: {peak:.0f} MiB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
