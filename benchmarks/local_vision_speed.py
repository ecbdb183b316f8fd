"""Pictures per second of a vision model in this process: our batches against one picture at a time, as the usual tools do.

    python benchmarks/local_vision_speed.py                  tiny model: a check that both say the same, on any machine
    python benchmarks/local_vision_speed.py --true-size      the sizes of Qwen3-VL-4B (9 GB in bfloat16), for a GPU

Needs ``fluxcap[local]`` (torchvision is not needed). The weights are random and made from a config, so speeds are true and
answers mean nothing; every answer has the same length (``--tokens``), as an end would come at random. The pictures are noise
with a long side of ``--side`` pixels, in three shapes. One at a time: decode, processor, ``generate``, decode the answer, and
then the next, with the same model, format and attention. The first batch of each is not counted. On a
CPU torch has one thread: with more, other programs slow one at a time down far more than batches.
Target: 6 times the rate of one at a time, on a GPU.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import io
import sys
import time
from itertools import islice, repeat
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from PIL import Image

from fluxcap.vlms.local import LocalServer
from fluxcap.vlms.local_answers import Answers
from fluxcap.vlms.local_model import Opened
from fluxcap.vlms.types import Question

TARGET = 6.0
SHAPES = (1.0, 0.75, 0.5625)
TEXT = "List what is visible: hair, clothes, pose, light, place, camera. " * 6


def tiny_vlm() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "tests" / "tiny_vlm.py"
    spec = importlib.util.spec_from_file_location("tiny_vlm", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def photos(count: int, side: int) -> list[bytes]:
    made = []
    for n in range(count):
        random = np.random.default_rng(n)
        small = random.integers(0, 256, (16, 16, 3), np.uint8)
        picture = Image.fromarray(small).resize((side, int(side * SHAPES[n % len(SHAPES)])), Image.Resampling.BICUBIC)
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=90)
        made.append(out.getvalue())
    return made


def opened(arguments: argparse.Namespace, device: str) -> Opened:
    import torch

    dtype = "bfloat16" if device == "cuda" else "float32"
    maker = tiny_vlm()
    sizes = maker.QWEN_4B if arguments.true_size else maker.QWEN_TINY
    model, processor = maker.qwen(sizes, device=device, dtype=dtype)
    model.generation_config.min_new_tokens = arguments.tokens
    card = torch.cuda.get_device_name() if device == "cuda" else ""
    return Opened(
        model=model,
        processor=processor,
        device=device,
        card=card,
        dtype=dtype,
        batch=arguments.batch,
        notices=(),
    )


def one_at_a_time(model: Opened, question: Question, pictures: list[bytes]) -> tuple[float, list[str]]:
    """(pictures per second, answers); the first picture is run twice and counted once."""
    answers = Answers(model, "one")

    def ask(jpeg: bytes) -> str:
        with Image.open(io.BytesIO(jpeg)) as picture:
            return answers.generate(answers.prepare([question], [picture.convert("RGB")]))[0].text

    ask(pictures[0])
    start = time.perf_counter()
    said = [ask(jpeg) for jpeg in pictures]
    return len(pictures) / (time.perf_counter() - start), said


async def batched(server: LocalServer, question: Question, pictures: list[bytes]) -> tuple[float, list[str]]:
    """(pictures per second, answers) with twice the batch under way."""

    async def all_of(jpegs: list[bytes]) -> list[str]:
        room = asyncio.Semaphore(2 * server.batch)

        async def one(jpeg: bytes) -> Any:
            async with room:
                return await server.reply(question, jpeg, "text")

        return [reply.text for reply in await asyncio.gather(*map(one, jpegs))]

    await all_of(list(islice(repeat(pictures[0]), server.batch)))
    start = time.perf_counter()
    said = await all_of(pictures)
    rate = len(pictures) / (time.perf_counter() - start)
    print(f"  {server.describe()}")
    await server.close()
    return rate, said


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--true-size", action="store_true", help="the sizes of Qwen3-VL-4B")
    parser.add_argument("--batch", type=int, help="pictures at once (16; 4 on a CPU)")
    parser.add_argument("--count", type=int, help="pictures for the batches (96; 64 on a CPU)")
    parser.add_argument("--single", type=int, help="pictures one at a time, of the same (12; 64 on a CPU)")
    parser.add_argument("--tokens", type=int, help="length of every answer (150; 24 on a CPU)")
    parser.add_argument("--side", type=int, help="long side in pixels (1024; 192 on a CPU)")
    parser.add_argument("--static", action="store_true", help="static shapes (CUDA only)")
    arguments = parser.parse_args()
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and arguments.true_size:
        print("no GPU is here: --true-size would take hours; nothing was measured")
        return 2
    usual = {"batch": 16, "count": 96, "single": 12, "tokens": 150, "side": 1024}
    small = {"batch": 4, "count": 64, "single": 64, "tokens": 24, "side": 192}
    if device == "cpu":
        torch.set_num_threads(1)  # torch's threads wait for each other badly on busy cores, which would flatter batches
    for name, value in (usual if device == "cuda" else small).items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, value)

    model = opened(arguments, device)
    size = sum(weight.numel() for weight in model.model.parameters())
    print(
        f"torch {torch.__version__}, {'Qwen3-VL-4B' if arguments.true_size else 'tiny Qwen3-VL'}, {size:,} parameters"
    )
    print(f"  pictures of {arguments.side} px, answers of {arguments.tokens} tokens")
    question = Question(system="You look.", text=TEXT, schema=None, max_tokens=arguments.tokens)
    pictures = photos(arguments.count, arguments.side)
    single, alone = one_at_a_time(model, question, pictures[: arguments.single])
    print(f"one at a time: {single:.3f} pictures/s ({len(alone)} pictures)")
    server = LocalServer("benchmark", opened=model, static=arguments.static)
    rate, together = asyncio.run(batched(server, question, pictures))
    print(f"in batches:    {rate:.3f} pictures/s ({len(together)} pictures), {rate / single:.2f} times")
    # zip ends with the shorter list: one at a time has fewer pictures on a GPU
    same = sum(one == other for one, other in zip(alone, together, strict=False))
    print(f"the same answer: {same} of {len(alone)}")
    if device == "cpu":
        print("no GPU is here: the target (6 times, on a GPU with the true size) was not measured")
        return 0 if same == len(alone) else 1
    if not arguments.true_size:
        print("the target counts with --true-size only")
        return 0
    print(f"target {TARGET:g} times: {'met' if rate / single >= TARGET else 'missed'}")
    return 0 if rate / single >= TARGET else 1


if __name__ == "__main__":
    sys.exit(main())
