"""Taggers: small models of the true signature, every file that does not fit, and what they run on."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fluxcap import taggers
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.taggers import CHARACTER_FLOOR, GENERAL_FLOOR, Fake, Tagged, files, find_tagger, known, open_tagger
from fluxcap.taggers import session as sessions
from fluxcap.taggers.labels import read_labels

if find_spec("onnx") is None or find_spec("onnxruntime") is None:
    pytest.skip("onnx and onnxruntime are not installed (they belong to the extra test)", allow_module_level=True)

import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
RATINGS, GENERAL, CHARACTERS = 4, 40, 9
TAGS = RATINGS + GENERAL + CHARACTERS
OPSET = [helper.make_opsetid("", 17)]


def write_tags(
    folder: Path, rows: list[tuple[str, int]] | None = None, header: str = "tag_id,name,category,count"
) -> None:
    rows = rows or [
        *((f"rating_{n}", 9) for n in range(RATINGS)),
        *((f"tag_{n}", 0) for n in range(GENERAL)),
        *((f"character_{n}_(the,_set)", 4) for n in range(CHARACTERS)),
    ]
    lines = [header, *(f'{n},"{name}",{category},99' for n, (name, category) in enumerate(rows))]
    (folder / "selected_tags.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def write_model(
    folder: Path,
    *,
    shape: tuple[object, ...] = ("N", SIDE, SIDE, 3),
    tags: int = TAGS,
    end: str = "Sigmoid",
    kind: int = TensorProto.FLOAT,
    seed: int = 0,
) -> None:
    """Mean of the pixels -> MatMul -> bias -> ``end``."""
    random = np.random.default_rng(seed)
    weights = {
        "scale": np.float32(1 / 255),
        "weight": random.normal(0, 3, (shape[-1], tags)).astype(np.float32),
        "bias": random.normal(0, 1, tags).astype(np.float32),
    }
    nodes = [
        helper.make_node("Cast", ["input"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["pixels"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Mul", ["mean", "scale"], ["scaled"]),
        helper.make_node("MatMul", ["scaled", "weight"], ["product"]),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node(end, ["sum"], ["output"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tagger",
        [helper.make_tensor_value_info("input", kind, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ["M", tags])],
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    onnx.save(helper.make_model(graph, opset_imports=OPSET, ir_version=8), str(folder / "model.onnx"))


@pytest.fixture(autouse=True)
def own_places(tmp_path, monkeypatch):
    """Nothing of this machine is looked at or written to."""
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("platformdirs.user_data_path", lambda _name: tmp_path / "data")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda _name: tmp_path / "cache")
    monkeypatch.setattr(sessions.shutil, "which", lambda _name: None)


@pytest.fixture
def folder(tmp_path) -> Path:
    made = tmp_path / "toy"
    made.mkdir()
    write_tags(made)
    write_model(made)
    return made


def pictures(count: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [np.full((50 + n, 40, 3), random.integers(0, 256, 3), np.uint8) for n in range(count)]


def one_line(error: FluxcapError) -> str:
    assert "\n" not in str(error)
    assert error.hint
    return str(error)


# --------------------------------------------------------------------------------------------------------- what it gives


def by_hand(folder: Path, prepared: np.ndarray) -> Tagged:
    """The toy model in numpy, its scores read by a plain loop."""
    parts = {t.name: numpy_helper.to_array(t) for t in onnx.load(str(folder / "model.onnx")).graph.initializer}
    scores = 1 / (1 + np.exp(-(prepared.mean(axis=(0, 1)) / 255 @ parts["weight"] + parts["bias"])))
    return naive(
        scores, [*[9] * RATINGS, *[0] * GENERAL, *[4] * CHARACTERS], read_labels(folder / "selected_tags.csv").names
    )


def naive(scores, categories, names) -> Tagged:
    found: dict[int, list[tuple[str, float]]] = {0: [], 4: []}
    for score, category, name in zip(scores, categories, names, strict=True):
        floor = {0: GENERAL_FLOOR, 4: CHARACTER_FLOOR}.get(category)
        if floor is not None and score >= np.float32(floor):
            found[category].append((name, float(score)))
    ranked = {c: tuple(sorted(pairs, key=lambda p: -p[1])) for c, pairs in found.items()}
    return Tagged(general=ranked[0], character=ranked[4])


def test_tags_as_by_hand(folder):
    tagger = open_tagger(folder)
    inputs = [tagger.prepare(rgb) for rgb in pictures(5)]
    for seen, prepared in zip(tagger.tag(inputs), inputs, strict=True):
        wanted = by_hand(folder, prepared)
        assert [tag for tag, _ in seen.general] == [tag for tag, _ in wanted.general]
        assert [tag for tag, _ in seen.character] == [tag for tag, _ in wanted.character]
        np.testing.assert_allclose([s for _, s in seen.general], [s for _, s in wanted.general], atol=1e-5)
        assert seen.general
        assert all(score >= GENERAL_FLOOR for _, score in seen.general)
        assert all(tag.endswith("_(the,_set)") and score >= CHARACTER_FLOOR for tag, score in seen.character)


def test_what_is_open(folder):
    tagger: taggers.Tagger = open_tagger(folder)
    assert (tagger.name, tagger.provider, tagger.batch_size, tagger.notices) == ("wd", "CPU", 1, ())
    assert tagger.long_side >= SIDE
    assert tagger.tag([]) == []


@pytest.mark.parametrize("shape", [("N", SIDE, SIDE, 3), (1, SIDE, SIDE, 3)])
def test_a_batch_is_as_single_pictures(folder, shape):
    write_model(folder, shape=shape)
    tagger = open_tagger(folder, batch_size=4)
    assert tagger.batch_size == (1 if shape[0] == 1 else 4)
    inputs = [tagger.prepare(rgb) for rgb in pictures(7)]
    assert tagger.tag(inputs) == [tagger.tag([one])[0] for one in inputs]


def test_a_batch_too_large_for_the_memory_is_halved(folder):
    tagger = open_tagger(folder, batch_size=8)
    inputs = [tagger.prepare(rgb) for rgb in pictures(7)]
    wanted = tagger.tag(inputs)
    real = tagger._model.session

    def run(outputs, feed):
        if len(next(iter(feed.values()))) > 2:
            raise RuntimeError("out of memory")
        return real.run(outputs, feed)

    object.__setattr__(tagger._model, "session", SimpleNamespace(run=run))
    assert tagger.tag(inputs) == wanted
    assert tagger.batch_size <= 2


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (lambda *_: 1 / 0, "fails on CPU: division by zero"),
        (lambda *_: [np.zeros((1, 3), np.float32)], r"\[1, 3\] scores, but its list names 53"),
        (lambda *_: [np.full((1, TAGS), np.nan, np.float32)], "no numbers"),
    ],
)
def test_a_model_that_fails_while_running(folder, run, words):
    tagger = open_tagger(folder)
    object.__setattr__(tagger._model, "session", SimpleNamespace(run=run))
    with pytest.raises(FluxcapError, match=words):
        tagger.tag([tagger.prepare(pictures(1)[0])])


def test_true_size(tmp_path):
    """448 pixels, 10,861 tags, as the real ones."""
    write_tags(
        tmp_path,
        [*((f"r{n}", 9) for n in range(4)), *((f"t{n}", 0) for n in range(8106)), *((f"c{n}", 4) for n in range(2751))],
    )
    write_model(tmp_path, shape=("batch", 448, 448, 3), tags=10861)
    tagger = open_tagger(tmp_path)
    prepared = tagger.prepare(np.zeros((700, 500, 3), np.uint8))
    assert prepared.shape == (448, 448, 3)
    assert tagger.tag([prepared])[0].general


@given(
    st.lists(st.tuples(st.sampled_from([9, 0, 4, 1]), st.floats(0, 1, width=32)), min_size=1, max_size=60),
)
def test_reading_is_as_a_plain_loop(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("tags")
    write_tags(folder, [(f"tag_{n}", category) for n, (category, _) in enumerate(rows)])
    labels = read_labels(folder / "selected_tags.csv")
    scores = np.array([score for _, score in rows], np.float32)
    assert labels.read(scores) == naive(scores, [category for category, _ in rows], labels.names)


# ----------------------------------------------------------------------------------------------------------- preparing


def test_a_square_of_the_right_size_stays_as_it_is_but_for_the_order(folder):
    rgb = np.random.default_rng(1).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    prepared = open_tagger(folder).prepare(rgb)
    assert prepared.dtype == np.float32
    assert prepared.flags.c_contiguous
    np.testing.assert_array_equal(prepared, rgb[:, :, ::-1].astype(np.float32))


@pytest.mark.parametrize(("height", "width"), [(SIDE, SIDE // 2), (SIDE // 2, SIDE), (4 * SIDE, 2 * SIDE), (10, 5)])
def test_white_is_put_on_both_sides(folder, height, width):
    prepared = open_tagger(folder).prepare(np.full((height, width, 3), (200, 100, 50), np.uint8))
    assert prepared.shape == (SIDE, SIDE, 3)
    if width > height:
        prepared = prepared.transpose(1, 0, 2)
    edge = 2 if max(height, width) >= SIDE else 6  # bicubic blends the seam, more so where it enlarges
    quarter = SIDE // 4
    assert (prepared[:, : quarter - edge] == 255).all()
    assert (prepared[:, -quarter + edge :] == 255).all()
    assert (prepared[:, quarter + edge : -quarter - edge] == (50, 100, 200)).all()


def test_reducing_is_bicubic_with_antialiasing(folder):
    rgb = np.random.default_rng(2).integers(0, 256, (5 * SIDE, 5 * SIDE, 3), dtype=np.uint8)
    wanted = np.asarray(Image.fromarray(rgb).resize((SIDE, SIDE), Image.Resampling.BICUBIC))[:, :, ::-1]
    np.testing.assert_array_equal(open_tagger(folder).prepare(rgb), wanted)


@pytest.mark.parametrize("width", [40, 41])
def test_the_picture_lies_in_the_middle(folder, width):
    """Mirrored pictures give mirrored inputs, where the white on both sides is half a pixel wider too."""
    rgb = np.random.default_rng(3).integers(0, 256, (70, width, 3), dtype=np.uint8)
    prepare = open_tagger(folder).prepare
    np.testing.assert_allclose(prepare(np.ascontiguousarray(rgb[:, ::-1])), prepare(rgb)[:, ::-1], atol=1)


@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_size_gives_the_models_size_in_range(height, width, seed):
    from fluxcap.taggers.wd import WdTagger

    tagger = WdTagger.__new__(WdTagger)
    tagger.side = SIDE
    prepared = tagger.prepare(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))
    assert prepared.shape == (SIDE, SIDE, 3)
    assert prepared.min() >= 0
    assert prepared.max() <= 255


# ------------------------------------------------------------------------------------------------- files that do not fit


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"shape": ("N", 3, SIDE, SIDE)}, r"takes tensor\(float\) \['N', 3, 32, 32\]"),
        ({"shape": ("N", SIDE, SIDE + 1, 3)}, "33, 3"),
        ({"shape": ("N", "H", "W", 3)}, "'H', 'W', 3"),
        ({"shape": ("N", SIDE, SIDE, 4)}, "32, 32, 4"),
        ({"shape": (2, SIDE, SIDE, 3)}, "2, 32, 32, 3"),
        ({"kind": TensorProto.UINT8}, "uint8"),
        ({"tags": TAGS + 1}, r"\['M', 54\] scores, but its list names 53 tags"),
        ({"end": "Identity"}, "logits"),
    ],
)
def test_a_model_that_does_not_fit(folder, change, words):
    write_model(folder, **change)
    with pytest.raises(FluxcapError, match=words) as caught:
        open_tagger(folder)
    assert "model.onnx" in one_line(caught.value)


def test_a_model_that_is_cut_off(folder):
    whole = (folder / "model.onnx").read_bytes()
    for data in (b"", b"no model at all", whole[: len(whole) // 2]):
        (folder / "model.onnx").write_bytes(data)
        with pytest.raises(FluxcapError, match=r"toy.model\.onnx is not a model") as caught:
            open_tagger(folder)
        one_line(caught.value)


def test_the_command_for_a_known_model_that_is_damaged(tmp_path):
    folder = tmp_path / "models" / "taggers" / "wd-vit"
    folder.mkdir(parents=True)
    write_tags(folder)
    write_model(folder)
    sums = [f"{files.sha256(folder / name)}  {name}\n" for name in ("model.onnx", "selected_tags.csv")]
    (folder / "checksums").write_text("".join(sums), encoding="utf-8")
    open_tagger(folder)
    write_model(folder, seed=1)  # a model that runs, but another one
    with pytest.raises(FluxcapError, match=r"not the file that was fetched \(sha256\)") as caught:
        open_tagger(folder)
    assert caught.value.hint == "run: fluxcap models pull wd-vit"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column name and no column category"),
        ("tag_id,name,count\n1,a,2\n", "no column category"),
        ("tag_id,name,category,count\n", "holds no tags"),
        ("tag_id,name,category,count\n1,a,0,1\n2,a,0,1\n", "holds the tag 'a' twice"),
        ("tag_id,name,category,count\n1,a,zero,1\n", "damaged at line 2"),
        ("tag_id,name,category,count\n1,a,0,1\n2,b\n", "damaged at line 3"),
        ('tag_id,name,category,count\n1,"a,0,1\n', "not a list of tags"),
        ("tag_id,name,category,count\n1,\udcff,0,1\n", "not a list of tags"),
        (None, "cannot be read"),
    ],
)
def test_a_list_that_does_not_fit(folder, text, words):
    (folder / "selected_tags.csv").unlink()
    if text is not None:
        (folder / "selected_tags.csv").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(FluxcapError, match=words) as caught:
        open_tagger(folder)
    assert "selected_tags.csv" in one_line(caught.value)


def test_a_list_with_other_columns_and_a_mark(tmp_path):
    text = "\ufeffid,tag_id,name,category,count,ips\n0,7,1girl,0,5,[]\n1,8,Harley Quinn,4,5,\"['DC']\"\n"
    (tmp_path / "selected_tags.csv").write_text(text, encoding="utf-8")
    labels = read_labels(tmp_path / "selected_tags.csv")
    assert labels.names == ("1girl", "Harley Quinn")
    assert labels.read(np.array([0.3, 0.6], np.float32)).character == (("Harley Quinn", pytest.approx(0.6)),)


# ----------------------------------------------------------------------------------------------------------- what it is


def test_the_version_is_of_model_list_and_kind(folder):
    versions = {open_tagger(folder).version}
    assert versions == {open_tagger(folder).version}
    write_model(folder, seed=1)
    versions.add(open_tagger(folder).version)
    write_tags(folder, [(f"other_{n}", 0) for n in range(TAGS)])
    versions.add(open_tagger(folder).version)
    (folder / "model.int8.onnx").write_bytes((folder / "model.onnx").read_bytes())
    versions.add(open_tagger(folder, int8=True).version)
    assert len(versions) == 4
    assert all(len(version) == 12 for version in versions)


def test_hashing_and_trying_out_are_done_once(folder, monkeypatch):
    version = open_tagger(folder).version
    monkeypatch.setattr(files, "sha256", lambda path: pytest.fail(f"{path} is hashed again"))
    monkeypatch.setattr("fluxcap.taggers.wd.WdTagger._try_out", lambda _: pytest.fail("tried out again"))
    assert open_tagger(folder).version == version


@pytest.mark.parametrize("damage", ["", "{", '{"files": 3}', '{"files": {}, "new": 1}'])
def test_a_damaged_memory_is_made_anew(folder, damage):
    version = open_tagger(folder).version
    memory = folder / files.MEMORY
    memory.write_text(damage, encoding="utf-8")
    assert open_tagger(folder).version == version
    assert json.loads(memory.read_text(encoding="utf-8"))["probed"] == version


def test_a_folder_that_cannot_be_written(folder, tmp_path, monkeypatch):
    real = Path.write_text

    def write_text(self, *arguments, **options):
        if self.parent == folder:
            raise PermissionError(13, "Permission denied", str(self))
        return real(self, *arguments, **options)

    monkeypatch.setattr(Path, "write_text", write_text)
    version = open_tagger(folder).version
    assert not (folder / files.MEMORY).exists()
    assert len(list((tmp_path / "cache" / "taggers").glob("*.json"))) == 1
    monkeypatch.setattr(files, "sha256", lambda path: pytest.fail(f"{path} is hashed again"))
    assert open_tagger(folder).version == version


# ---------------------------------------------------------------------------------------------------- what it runs on


class FakeRuntime:
    """onnxruntime as it would be on another machine: ``here`` is available, ``works`` really starts."""

    SessionOptions = SimpleNamespace

    def __init__(self, here: list[str], works: list[str], trouble: str = "") -> None:
        self.here, self.works, self.trouble, self.asked = here, works, trouble, []

    def get_available_providers(self):
        return ["TensorrtExecutionProvider", *self.here]

    def set_default_logger_severity(self, level):
        pass

    def InferenceSession(self, path, options, providers, enable_fallback):
        import onnxruntime

        assert enable_fallback == 0, "onnxruntime would print to standard output"
        self.asked.append((providers, options))
        if self.trouble and providers[0] not in self.works:
            raise RuntimeError(self.trouble)
        real = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        runs = [name for name in providers if name in self.works]
        return SimpleNamespace(
            run=real.run, get_inputs=real.get_inputs, get_outputs=real.get_outputs, get_providers=lambda: runs
        )


@pytest.fixture
def machine(monkeypatch):
    def make(here: str, works: str | None = None, trouble: str = "") -> FakeRuntime:
        longs = [
            [sessions.PROVIDERS[name] for name in names.split()] for names in (here, here if works is None else works)
        ]
        fake = FakeRuntime(*longs, trouble)
        fake.SessionOptions = lambda: SimpleNamespace(add_session_config_entry=lambda *_: None)
        monkeypatch.setattr(sessions, "runtime", lambda: fake)
        return fake

    return make


@pytest.mark.parametrize(
    ("here", "first"), [("CPU", "CPU"), ("CPU CUDA", "CUDA"), ("DirectML CPU", "DirectML"), ("CPU CoreML", "CoreML")]
)
def test_auto_takes_the_quickest(folder, machine, here, first):
    machine(here)
    tagger = open_tagger(folder)
    assert (tagger.provider, tagger.notices) == (first, ())
    assert tagger.batch_size == (1 if first == "CPU" else 16)


@pytest.mark.parametrize("provider", ["auto", "cuda", "CUDA"])
@pytest.mark.parametrize("trouble", ["", "CUDA failure 35: driver\nversion is insufficient"])
def test_falling_back_to_the_cpu_is_told(folder, machine, provider, trouble):
    machine("CUDA CPU", "CPU", trouble)
    tagger = open_tagger(folder, provider=provider)
    assert (tagger.provider, tagger.batch_size) == ("CPU", 1)
    (notice,) = tagger.notices
    assert notice.startswith("the tagger was asked for CUDA, runs on CPU: ")
    assert "\n" not in notice
    assert "driver version" in notice or not trouble


def test_a_provider_that_is_not_there(folder, machine):
    machine("CUDA CPU")
    for named in ("directml", "tpu", ""):
        with pytest.raises(UsageError, match="cannot run on") as caught:
            open_tagger(folder, provider=named)
        assert caught.value.hint == "it can on: auto, cuda, cpu"
    assert open_tagger(folder, provider="cpu").provider == "CPU"


def test_a_card_that_lies_idle_is_told(folder, machine, monkeypatch):
    monkeypatch.setattr(sessions.shutil, "which", lambda _name: "nvidia-smi")
    machine("CPU")
    assert "fluxcap[tagger-cuda]" in open_tagger(folder).notices[0]
    assert open_tagger(folder, provider="cpu").notices == ()


def test_directml_gets_what_it_demands(folder, machine):
    fake = machine("DirectML CPU")
    open_tagger(folder)
    assert fake.asked[0][1].enable_mem_pattern is False


def test_nothing_is_printed(folder, capfd):
    (folder / "broken").mkdir()
    write_tags(folder / "broken")
    (folder / "broken" / "model.onnx").write_bytes(b"x")
    open_tagger(folder)
    with pytest.raises(FluxcapError):
        open_tagger(folder / "broken")
    assert capfd.readouterr() == ("", "")


def test_no_onnxruntime(folder, monkeypatch):
    monkeypatch.setattr(sessions, "find_spec", lambda _name: None)
    with pytest.raises(FluxcapError, match="not installed") as caught:
        open_tagger(folder)
    assert caught.value.hint == 'run: pip install "fluxcap[tagger]"'
    assert caught.value.exit_code == 3


# ----------------------------------------------------------------------------------------------------------- finding one


def test_finding(folder, tmp_path, monkeypatch):
    assert find_tagger(None) is None
    assert find_tagger(str(folder)) == folder
    with pytest.raises(UsageError, match="wd-vit is not on this machine; run: fluxcap models pull wd-vit"):
        find_tagger("wd-vit")
    with pytest.raises(UsageError, match="no tagger named 'wd-vitt'; did you mean wd-vit"):
        find_tagger("wd-vitt")
    (tmp_path / "half").mkdir()
    write_tags(tmp_path / "half")
    with pytest.raises(UsageError, match=r"no model\.onnx in"):
        find_tagger(str(tmp_path / "half"))
    places = {"wd-convnext": tmp_path / "models", "wd-swinv2": tmp_path / "data" / "models"}
    for name, root in places.items():
        place = root / "taggers" / name
        place.parent.mkdir(parents=True)
        folder_copy(folder, place)
        assert find_tagger(name) == place
        assert find_tagger(None) == place, "the table's order"
    monkeypatch.delenv("FLUXCAP_MODELS")
    with pytest.raises(UsageError):
        find_tagger("wd-convnext")


def folder_copy(source: Path, target: Path) -> None:
    target.mkdir()
    for path in source.iterdir():
        (target / path.name).write_bytes(path.read_bytes())


def test_why_not(folder, monkeypatch):
    assert taggers.unavailable() == "no tagger is on this machine; run: fluxcap models pull wd-vit"
    assert "fluxcap models pull wd-swinv2" in taggers.unavailable("wd-swinv2")
    assert taggers.unavailable(str(folder)) == ""
    monkeypatch.setattr(known, "find_spec", lambda _name: None)
    assert taggers.unavailable(str(folder)) == 'onnxruntime is not installed; run: pip install "fluxcap[tagger]"'


def test_the_table():
    assert next(iter(known.known())) == "wd-vit"
    assert all(row.licence == "Apache-2.0" and row.size > 3e8 for row in known.known().values())
    assert len(known.known()["wd-vit"].tags_sha256) == 64


def test_importing_loads_nothing_heavy():
    code = (
        "import sys; import fluxcap.taggers as t; t.find_tagger(None); t.unavailable();"
        "print(sorted({'numpy', 'PIL', 'onnxruntime', 'onnx', 'huggingface_hub'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# ------------------------------------------------------------------------------------------------------------ int8, fake


def test_int8(folder):
    from fluxcap.taggers import int8

    write_model(folder, tags=TAGS)
    with pytest.raises(FluxcapError, match=r"no model\.int8\.onnx") as caught:
        open_tagger(folder, int8=True)
    assert "fluxcap models quantize" in caught.value.hint
    before = {path.name for path in folder.iterdir()}
    assert int8.quantize(folder) == folder / "model.int8.onnx"
    kinds = {node.op_type for node in onnx.load(str(folder / "model.int8.onnx")).graph.node}
    assert "MatMulInteger" in kinds
    share, most = int8.compare(folder, pictures(4))
    assert 0 < most < 0.05
    assert 0 <= share < 0.1
    assert {path.name for path in folder.iterdir()} - before == {"model.int8.onnx", files.MEMORY}
    assert open_tagger(folder, int8=True).tag([open_tagger(folder).prepare(pictures(1)[0])])[0].general


def test_int8_counts_flips(folder):
    """Against a model of other weights, where the tags that flip are known."""
    from fluxcap.taggers import int8

    exact = open_tagger(folder)
    rgbs = pictures(3)
    first = exact.scores([exact.prepare(rgb) for rgb in rgbs])
    other = folder.parent / "other"
    other.mkdir()
    write_tags(other)
    write_model(other, seed=5)
    (folder / "model.int8.onnx").write_bytes((other / "model.onnx").read_bytes())
    second = open_tagger(other).scores([exact.prepare(rgb) for rgb in rgbs])
    either = ((first >= 0.35) | (second >= 0.35)).sum()
    share, most = int8.compare(folder, rgbs)
    assert share == pytest.approx(((first >= 0.35) != (second >= 0.35)).sum() / either)
    assert most == pytest.approx(np.abs(first - second).max())
    assert int8.compare(folder, [], 0.35) == (0.0, 0.0)


def test_int8_from_the_command_line(folder, tmp_path):
    from click.testing import CliRunner

    from fluxcap.cli import cli

    for number, rgb in enumerate(pictures(40)):
        Image.fromarray(rgb).save(tmp_path / f"{number}.png")
    said = CliRunner().invoke(
        cli, ["models", "quantize", str(folder), "--compare", str(tmp_path)], catch_exceptions=False
    )
    first, second = said.output.splitlines()
    assert first == f"wrote {folder / 'model.int8.onnx'} (0 MB)"
    assert re.fullmatch(r"20 pictures: \d+\.\d% of tags at 0\.35 flip, scores differ by 0\.0\d\d at most", second)
    for words in ([str(folder), "--compare", str(folder)], [""]):
        said = CliRunner().invoke(cli, ["models", "quantize", *words])
        assert isinstance(said.exception, UsageError)


def test_int8_that_cannot_be_made(folder, monkeypatch):
    from fluxcap.taggers import int8

    (folder / "model.onnx").write_bytes(b"broken")
    with pytest.raises(FluxcapError, match="no int8 copy") as caught:
        int8.quantize(folder)
    one_line(caught.value)
    assert sorted(path.name for path in folder.iterdir()) == ["model.onnx", "selected_tags.csv"]
    monkeypatch.setattr(int8, "find_spec", lambda _name: None)
    with pytest.raises(FluxcapError, match="needs onnx, ") as caught:
        int8.quantize(folder)
    assert "fluxcap[int8]" in caught.value.hint


def test_the_fake():
    red, blue = np.full((4, 4, 3), (255, 0, 0), np.uint8), np.full((4, 4, 3), (0, 0, 255), np.uint8)
    by_colour: taggers.Tagger = Fake(lambda c: {"red": c[0] / 255, "blue": c[2] / 255, "x": 0.1})
    seen = by_colour.tag([by_colour.prepare(rgb) for rgb in (red, blue)])
    assert [one.general for one in seen] == [(("red", 1.0),), (("blue", 1.0),)]
    by_order = Fake([{"a": 0.3, "b": 0.9, "hero": 0.4}, {"hero": 0.7}], characters=frozenset({"hero"}))
    first, second, third = by_order.tag([by_order.prepare(red)] * 3)
    assert first == third == Tagged(general=(("b", 0.9), ("a", 0.3)), character=())
    assert second == Tagged(general=(), character=(("hero", 0.7),))
    assert Fake([{"a": 1.0}]).version != by_order.version
