"""What tagging costs beside the model, and what it costs with one of true size, against two programs that do the same.

    python benchmarks/tagger_speed.py [--photos DIR] [--count N] [--loop N] [--quick]

Needs ``fluxcap[tagger,int8]`` and, to compare with imgutils, ``pip install dghs-imgutils==0.19.0`` (in an environment of its
own, since it asks for numpy below 2; it runs with ``pip install 'numpy>=2'`` after it). The steps of sd-scripts are written
down below after finetune/tag_images_by_wd14_tagger.py (kohya-ss/sd-scripts 48d368fa, Apache-2.0); it is not installed.

No real tagger is run. Two models with random weights have the true signature, [N, 448, 448, 3] -> [N, 10861]: a tiny one,
and one of the true size of wd-vit (ViT-B/16 at 448 pixels, 157 GFLOP per picture). So speeds are true, and the quality of
tags, of int8 above all, can not be measured here. CPU milliseconds are process time of the best of some rounds; wall times
need a machine that does nothing else. Photographs are scaled to about 2.3 and 12 megapixels (JPEG, quality 92).
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

from fluxcap import images
from fluxcap.taggers import int8, open_tagger
from fluxcap.taggers.labels import read_labels
from fluxcap.taggers.session import cores
from fluxcap.taggers.wd import WdTagger

PHOTOS = Path(__file__).resolve().parents[1] / ".." / "shared" / "photos"
SIZES = {"2.3 MP": (1312, 1752), "12 MP": (3000, 4000)}
SIDE, WIDTH, PATCH, BLOCKS, HEADS = 448, 768, 16, 12, 12
RATINGS, GENERAL, CHARACTERS = 4, 8106, 2751
TAGS = RATINGS + GENERAL + CHARACTERS
THRESHOLD = 0.35
MOST_MS = {"2.3 MP": 18, "12 MP": 32}
"""CPU milliseconds from file to input."""


# ---------------------------------------------------------------------------------------------------------- the models


def save(folder: Path, nodes: list[onnx.NodeProto], weights: dict[str, np.ndarray]) -> None:
    """``prediction`` (10,861) and ``embedding`` as outputs: imgutils wants both, the others take the first."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tagger",
        [value("input", TensorProto.FLOAT, ["N", SIDE, SIDE, 3])],
        [value("prediction", TensorProto.FLOAT, ["N", TAGS]), value("embedding", TensorProto.FLOAT, ["N", "E"])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    folder.mkdir()
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(folder / "model.onnx"))
    kinds = [(9, RATINGS), (0, GENERAL), (4, CHARACTERS)]
    rows = [f"{kind}{n},tag_{kind}_{n},{kind},1000" for kind, count in kinds for n in range(count)]
    (folder / "selected_tags.csv").write_text("\n".join(["tag_id,name,category,count", *rows, ""]), encoding="utf-8")


def head(random: np.random.Generator, size: int) -> tuple[list[onnx.NodeProto], dict[str, np.ndarray]]:
    nodes = [
        helper.make_node("Gemm", ["embedding", "head.weight", "head.bias"], ["logits"]),
        helper.make_node("Sigmoid", ["logits"], ["prediction"]),
    ]
    weight = random.normal(0, 0.05, (size, TAGS)).astype(np.float32)
    return nodes, {"head.weight": weight, "head.bias": np.zeros(TAGS, np.float32)}


def tiny(folder: Path) -> None:
    """Mean of large squares -> tags: next to no work."""
    random = np.random.default_rng(1)
    nodes = [
        helper.make_node("Transpose", ["input"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["nchw"], ["pooled"], kernel_shape=[112, 112], strides=[112, 112]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Div", ["flat", "scale"], ["embedding"]),
    ]
    last, weights = head(random, 48)
    weights["head.bias"] -= np.float32(2)
    save(folder, nodes + last, {"scale": np.float32(255), **weights})


def vit(folder: Path, picture: np.ndarray) -> None:
    """ViT-B/16 at 448 pixels; the head's bias lets about 40 tags pass 0.35 on ``picture``."""
    random = np.random.default_rng(2)
    count = (SIDE // PATCH) ** 2
    weights: dict[str, np.ndarray] = {}
    nodes: list[onnx.NodeProto] = []

    def weight(name: str, *shape: int, spread: float = 0.02) -> str:
        weights[name] = random.standard_normal(shape, np.float32) * np.float32(spread)
        return name

    def constant(name: str, value: object, kind: type = np.float32) -> str:
        weights[name] = np.asarray(value, kind)
        return name

    def node(kind: str, inputs: list[str], output: str, **options: Any) -> str:
        nodes.append(helper.make_node(kind, inputs, [output], **options))
        return output

    def norm(source: str, name: str) -> str:
        ones, zeros = constant(f"{name}.g", np.ones(WIDTH)), constant(f"{name}.b", np.zeros(WIDTH))
        return node("LayerNormalization", [source, ones, zeros], f"{name}.out", axis=-1)

    def linear(source: str, name: str, into: int, out: int) -> str:
        product = node("MatMul", [source, weight(f"{name}.w", into, out)], f"{name}.mul")
        return node("Add", [product, constant(f"{name}.b", np.zeros(out))], f"{name}.out")

    constant("half", 127.5), constant("one", 1), constant("root", 2**0.5), constant("point5", 0.5)
    constant("to_heads", [0, count, 3, HEADS, WIDTH // HEADS], np.int64)
    constant("to_rows", [0, count, WIDTH], np.int64)
    constant("scale", (WIDTH // HEADS) ** -0.5)
    for index in range(3):
        constant(f"index{index}", index, np.int64)
    constant("to_patches", [0, WIDTH, count], np.int64)
    x = node("Sub", [node("Div", ["input", "half"], "scaled"), "one"], "normal")
    x = node("Transpose", [x], "nchw", perm=[0, 3, 1, 2])
    x = node("Conv", [x, weight("patch.w", WIDTH, 3, PATCH, PATCH)], "patches", strides=[PATCH, PATCH])
    x = node("Transpose", [node("Reshape", [x, "to_patches"], "flat")], "rows", perm=[0, 2, 1])
    x = node("Add", [x, weight("place", 1, count, WIDTH)], "placed")
    for b in range(BLOCKS):
        three = node("Reshape", [linear(norm(x, f"{b}.n1"), f"{b}.qkv", WIDTH, 3 * WIDTH), "to_heads"], f"{b}.split")
        three = node("Transpose", [three], f"{b}.heads", perm=[2, 0, 3, 1, 4])
        q, k, v = (node("Gather", [three, f"index{i}"], f"{b}.{'qkv'[i]}", axis=0) for i in range(3))
        k = node("Transpose", [k], f"{b}.kt", perm=[0, 1, 3, 2])
        near = node("MatMul", [node("Mul", [q, "scale"], f"{b}.qs"), k], f"{b}.near")
        seen = node("MatMul", [node("Softmax", [near], f"{b}.soft", axis=-1), v], f"{b}.seen")
        seen = node("Reshape", [node("Transpose", [seen], f"{b}.back", perm=[0, 2, 1, 3]), "to_rows"], f"{b}.rows")
        x = node("Add", [x, linear(seen, f"{b}.proj", WIDTH, WIDTH)], f"{b}.mid")
        wide = linear(norm(x, f"{b}.n2"), f"{b}.fc1", WIDTH, 4 * WIDTH)
        bell = node("Add", [node("Erf", [node("Div", [wide, "root"], f"{b}.d")], f"{b}.erf"), "one"], f"{b}.bell")
        wide = node("Mul", [node("Mul", [wide, bell], f"{b}.m"), "point5"], f"{b}.gelu")
        x = node("Add", [x, linear(wide, f"{b}.fc2", 4 * WIDTH, WIDTH)], f"{b}.out")
    nodes.append(helper.make_node("ReduceMean", [norm(x, "norm")], ["embedding"], axes=[1], keepdims=0))
    last, ending = head(random, WIDTH)
    weights.update(ending)
    save(folder, nodes + last, weights)
    # once without a bias, to see what the tags get
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"))
    (embedding,) = session.run(["embedding"], {"input": picture[None]})
    logits = embedding[0] @ weights["head.weight"]
    model = onnx.load(str(folder / "model.onnx"))
    bias = next(one for one in model.graph.initializer if one.name == "head.bias")
    lift = np.log(THRESHOLD / (1 - THRESHOLD)) - np.sort(logits)[-41]
    bias.CopyFrom(numpy_helper.from_array(np.full(TAGS, lift, np.float32), "head.bias"))
    onnx.save(model, str(folder / "model.onnx"))


# -------------------------------------------------------------------------------------------------------- the pictures


def make(folder: Path, photos: Path, count: int) -> dict[str, list[Path]]:
    """JPEGs of quality 92 by size; the last row has grain, as a camera's pictures have, which decoders pay for."""
    files = sorted((photos / "files").glob("*")) if (photos / "files").is_dir() else []
    out: dict[str, list[Path]] = {}
    for number, file in enumerate(files[:: max(1, len(files) // count)][:count]):
        with Image.open(file) as image:
            rgb = np.asarray(image.convert("RGB"))
        height, width = rgb.shape[:2]
        for name, (short, long) in SIZES.items():
            size = (short, long) if height > width else (long, short)
            scale = max(size[0] / width, size[1] / height)
            big = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)[: size[1], : size[0]]
            noise = np.random.default_rng(number).normal(0, 5, big.shape[:2]).astype(np.float32)[:, :, None]
            grainy = np.clip(big + noise, 0, 255).astype(np.uint8)
            for label, pixels in ((name, big), (f"{name}, grain", grainy)):
                path = folder / f"{label} {number}.jpg"
                Image.fromarray(pixels).save(path, quality=92)
                out.setdefault(label, []).append(path)
    return out


# ------------------------------------------------------------------------------------------------------------ the peers


def of_sd_scripts(path: Path) -> np.ndarray:
    """Full decode, BGR, a white square of full size, area down to 448."""
    with Image.open(path) as image:
        array = np.array(image.convert("RGB") if image.mode != "RGB" else image)[:, :, ::-1]
    size = max(array.shape[:2])
    x, y = size - array.shape[1], size - array.shape[0]
    pad = ((y // 2, y - y // 2), (x // 2, x - x // 2), (0, 0))
    array = np.pad(array, pad, mode="constant", constant_values=255)
    return cv2.resize(array, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)


def read_as_sd_scripts(row: np.ndarray, general: list[str], character: list[str]) -> list[str]:
    """A Python loop over all scores."""
    found = []
    for i, p in enumerate(row[RATINGS:]):
        if i < len(general) and p >= THRESHOLD:
            found.append(general[i])
        elif i >= len(general) and p >= THRESHOLD:
            found.append(character[i - len(general)])
    return found


def imgutils_with(folder: Path) -> Any:
    """imgutils' module of WD taggers, its downloads replaced by the files in ``folder``; None where it is not installed."""
    try:
        from imgutils.tagging import wd14
    except ImportError as error:
        print(f"imgutils is left out: {error} (pip install dghs-imgutils==0.19.0)")
        return None

    def local(*arguments: str, repo_id: str = "", filename: str = "") -> str:
        return str(folder / Path(filename or arguments[-1]).name)

    wd14.hf_hub_download = local
    for cached in (wd14._get_wd14_model, wd14._get_wd14_labels):
        cached.cache_clear()
    return wd14


# ------------------------------------------------------------------------------------------------------------ measuring

ROWS: list[tuple[str, str, str, str]] = []


def row(what: str, value: str, target: str = "", reached: bool | None = None) -> None:
    """One line of the table, said at once."""
    ROWS.append((what, value, target, {None: "", True: "reached", False: "NOT REACHED"}[reached]))
    print(f"{what:<66} {value:>16}  {target:<14}{ROWS[-1][3]}", flush=True)


def cpu(work: Callable[[Any], object], things: list[Any], rounds: int) -> float:
    """CPU milliseconds per thing: the best of some rounds."""
    for thing in things[:2]:
        work(thing)
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        for thing in things:
            work(thing)
        best = min(best, (time.process_time() - start) / len(things))
    return best * 1000


def apart(first: list[np.ndarray], second: list[np.ndarray]) -> float:
    """Mean absolute difference of inputs, in grey levels of 255."""
    return statistics.fmean(float(np.abs(a - b).mean()) for a, b in zip(first, second, strict=True))


def read(path: Path, tagger: WdTagger) -> np.ndarray:
    """Our way from file to input."""
    return tagger.prepare(images.read(path, name=path.name, long_side=tagger.long_side, exact=False).rgb)


def preparing(by_size: dict[str, list[Path]], tagger: WdTagger, wd14: Any, rounds: int) -> None:
    for label, paths in by_size.items():
        ways: dict[str, Callable[[Path], np.ndarray]] = {
            "ours": lambda path: read(path, tagger),
            "sd-scripts": of_sd_scripts,
        }
        if wd14:
            ways["imgutils"] = lambda path: wd14._prepare_image_for_tagging(str(path), SIDE)[0]
        size = statistics.fmean(path.stat().st_size for path in paths) / 1e6
        for name, way in ways.items():
            took = cpu(way, paths, rounds)
            most = MOST_MS.get(label) if name == "ours" else None
            target, reached = (f"<= {most} ms", took <= most) if most else ("", None)
            row(f"file to input, {label} ({size:.1f} MB), {name}", f"{took:.1f} CPU ms", target, reached)
        if not wd14:
            continue
        inputs = {name: [way(path) for path in paths] for name, way in ways.items()}
        between = apart(inputs["sd-scripts"], inputs["imgutils"])
        row(f"inputs apart, {label}: sd-scripts and imgutils", f"{between:.3f} of 255")
        ours = {name: apart(inputs["ours"], inputs[name]) for name in ("sd-scripts", "imgutils")}
        for name, value in ours.items():
            row(f"inputs apart, {label}: ours and {name}", f"{value:.3f} of 255")
        mean = statistics.fmean(ours.values())
        row(f"inputs apart, {label}: ours, mean of both", f"{mean:.3f} of 255", f"< {between:.3f}", mean < between)


def reading(folder: Path, tagger: WdTagger, wd14: Any, rounds: int) -> None:
    labels = read_labels(folder / "selected_tags.csv")
    random = np.random.default_rng(4)
    scores = list(random.beta(0.05, 4, (32, TAGS)).astype(np.float32))
    count = statistics.fmean(int((one >= THRESHOLD).sum()) for one in scores)
    took = cpu(lambda one: [labels.read(one) for _ in range(10)], scores, rounds) / 10
    row(f"reading 10,861 scores ({count:.0f} above 0.35), ours", f"{took:.4f} CPU ms", "< 0.1 ms", took < 0.1)
    general, character = list(labels.general_names), list(labels.character_names)
    took = cpu(lambda one: read_as_sd_scripts(one, general, character), scores, rounds)
    row("reading 10,861 scores, sd-scripts", f"{took:.4f} CPU ms")
    if wd14:
        nothing = np.zeros(8, np.float32)
        took = cpu(lambda one: wd14._postprocess_embedding(one, nothing, "ViT_v3"), scores, rounds)
        row("reading 10,861 scores, imgutils", f"{took:.4f} CPU ms")


def ahead(paths: list[Path], tagger: WdTagger, workers: int) -> Iterator[np.ndarray]:
    """Prepared inputs in order, made by threads while the model runs."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[np.ndarray]] = deque()
        for path in paths:
            waiting.append(pool.submit(read, path, tagger))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def our_loop(paths: list[Path], tagger: WdTagger) -> None:
    for prepared in ahead(paths, tagger, 1):
        tagger.tag([prepared])


def opening(folder: Path) -> None:
    for when in ("the first time", "again"):
        start = time.perf_counter()
        open_tagger(folder, provider="cpu")
        row(f"opening a model of 378 MB {when}, ours", f"{time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    onnx.load(str(folder / "model.onnx"))  # sd-scripts does so, to see the size of a batch
    onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    row("opening it, sd-scripts", f"{time.perf_counter() - start:.1f} s")
    start = time.perf_counter()
    int8.quantize(folder)
    row("making the int8 copy", f"{time.perf_counter() - start:.1f} s")


def loops(folder: Path, by_size: dict[str, list[Path]], wd14: Any, rounds: int) -> None:
    """All on one model, opened and warm. The loops take turns, and the best of each one's rounds counts."""
    exact = open_tagger(folder, provider="cpu")
    small = open_tagger(folder, provider="cpu", int8=True)
    session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
    labels = read_labels(folder / "selected_tags.csv")
    general, character = list(labels.general_names), list(labels.character_names)

    def sd_scripts(paths: list[Path]) -> None:
        for path in paths:
            for one in session.run(None, {"input": of_sd_scripts(path)[None]})[0]:
                read_as_sd_scripts(one, general, character)

    def imgutils(paths: list[Path]) -> None:
        for path in paths:
            wd14.get_wd14_tags(str(path), model_name="ViT_v3")

    blank = np.zeros((1, SIDE, SIDE, 3), np.float32)

    def model_alone(paths: list[Path]) -> None:
        for _ in paths:
            session.run(None, {"input": blank})

    ways: dict[str, Callable[[list[Path]], None]] = {
        "the model alone": model_alone,
        "ours": lambda paths: our_loop(paths, exact),
        "sd-scripts": sd_scripts,
        "ours, int8": lambda paths: our_loop(paths, small),
        **({"imgutils": imgutils} if wd14 else {}),
    }
    for label, paths in by_size.items():
        for way in ways.values():
            way(paths[:1])
        took: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                way(paths)
                took[name].append((time.perf_counter() - start) / len(paths))
        each = {name: min(times) for name, times in took.items()}
        for name, seconds in each.items():
            row(f"tagging {len(paths)} photographs of {label}, true size, {name}", f"{seconds:.3f} s each")
        ratio = each["ours"] / each["sd-scripts"]
        row(f"ours / sd-scripts, fp32, {label}", f"{ratio:.2f}", "<= 0.85", ratio <= 0.85)
        row(
            f"the model alone / sd-scripts: no loop can do better, {label}",
            f"{each['the model alone'] / each['sd-scripts']:.2f}",
        )
        if wd14:
            row(f"ours / imgutils, fp32, {label}", f"{each['ours'] / each['imgutils']:.2f}")
        times = each["ours"] / each["ours, int8"]
        row(f"int8 against fp32, both ours, {label}", f"{times:.2f} times", ">= 1.7", times >= 1.7)


def flips(folder: Path, paths: list[Path]) -> None:
    rgbs = [images.read(path, name=path.name).rgb for path in paths]
    share, most = int8.compare(folder, rgbs)
    row(f"tags that flip at 0.35 by int8, {len(rgbs)} photographs, random weights", f"{share:.2%}")
    row("largest difference of a score by int8, random weights", f"{most:.4f}")
    print(
        "What int8 does to the tags of a real model can not be told from random weights: fluxcap models quantize --compare."
    )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--photos", type=Path, default=PHOTOS)
    parser.add_argument("--count", type=int, default=16, help="different photographs per size")
    parser.add_argument("--loop", type=int, default=8, help="photographs per size for the model of true size")
    parser.add_argument("--quick", action="store_true", help="few pictures, one round")
    told = parser.parse_args(arguments)
    count, loop, rounds = (4, 3, 1) if told.quick else (told.count, told.loop, 3)
    cv2.setNumThreads(1)
    print(f"{cores()} cores, onnxruntime {onnxruntime.__version__}")
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        by_size = make(scratch, told.photos, count)
        if not by_size:
            print(f"nothing is measured: there are no photographs in {told.photos / 'files'}")
            return 1
        tiny(scratch / "tiny")
        tagger = open_tagger(scratch / "tiny", provider="cpu")
        wd14 = imgutils_with(scratch / "tiny")
        preparing(by_size, tagger, wd14, rounds)
        reading(scratch / "tiny", tagger, wd14, rounds)
        for label in SIZES:
            paths = by_size[label]
            took = cpu(lambda path: tagger.tag([read(path, tagger)]), paths, rounds)
            row(f"file to tags, {label}, tiny model, ours", f"{took:.1f} CPU ms")
            if wd14:
                took = cpu(lambda path: wd14.get_wd14_tags(str(path), model_name="ViT_v3"), paths, rounds)
                row(f"file to tags, {label}, tiny model, imgutils", f"{took:.1f} CPU ms")
        vit(scratch / "vit", of_sd_scripts(by_size["12 MP"][0]))
        opening(scratch / "vit")
        some = {label: by_size[label][:loop] for label in SIZES}
        loops(scratch / "vit", some, imgutils_with(scratch / "vit"), rounds)
        flips(scratch / "vit", some["2.3 MP"])
    missed = [what for what, _, _, reached in ROWS if reached.startswith("NOT")]
    print(f"not reached: {'; '.join(missed) or 'nothing'}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
