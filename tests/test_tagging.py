"""The tagger in the main job, from pictures to captions: who is asked when, what is believed, and tag lists that are there already."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coloured import WORDS, draw, nearest, text, without_models
from numpy.typing import NDArray

from fluxcap import actions, cli, pipeline
from fluxcap.compose import Wording, compose
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.page import summary
from fluxcap.resolve import resolve
from fluxcap.taggers import Fake, Tagged
from fluxcap.translate import TAGS, Reading, packed, translate
from fluxcap.types import Evidence

SEEN: dict[str, Mapping[str, float]] = {
    "red": {"1girl": 0.99, "solo": 0.98, "standing": 0.9, "red_dress": 0.9, "long_hair": 0.9, "blonde_hair": 0.9},
    "green": {"1girl": 0.99, "sitting": 0.9, "white_shirt": 0.6, "black_skirt": 0.6, "blue_eyes": 0.99, "nude": 0.9},
    "blue": {"beach": 0.9, "outdoors": 0.9, "holding_cup": 0.45},
    "grey": {"loli": 0.7, "standing": 0.9, "long_hair": 0.9},
    "white": {},
}


class Counting(Fake):
    """Sees in each picture what its colour stands for, and counts the pictures of each call."""

    def __init__(self, **options: Any) -> None:
        super().__init__(self.seen, **{"version": "1", **options})
        self.calls: list[int] = []

    @staticmethod
    def seen(colour: tuple[float, float, float]) -> Mapping[str, float]:
        return SEEN[nearest(colour)]

    def tag(self, inputs: Sequence[NDArray[np.float32]]) -> list[Tagged]:
        self.calls.append(len(inputs))
        return super().tag(inputs)

    @property
    def asked(self) -> int:
        return sum(self.calls)


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Nothing is measured, and no model of this machine is found."""
    without_models(monkeypatch, tmp_path_factory.mktemp("nowhere"))


@pytest.fixture
def tagger(monkeypatch: pytest.MonkeyPatch) -> Counting:
    return use(monkeypatch, Counting())


def use(monkeypatch: pytest.MonkeyPatch, fake: Counting) -> Counting:
    """The tagger that is on this machine."""
    monkeypatch.setattr("fluxcap.taggers.unavailable", lambda _named=None: "")
    monkeypatch.setattr("fluxcap.taggers.find_tagger", lambda _named=None: Path("fake"))
    monkeypatch.setattr("fluxcap.taggers.wd.WdTagger", lambda _folder, **_options: fake)
    return fake


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    return draw(tmp_path / "photos", "red", "green", "blue")


def run(folder: Path, settings: Mapping[str, object] | None = None, **options: Any) -> pipeline.Result:
    return pipeline.caption(folder, {**WORDS, **(settings or {})}, **options)


def traits(folder: Path, name: str) -> dict[str, str]:
    record = next(one for one in actions.dump(folder) if one["path"] == f"{name}.png")
    return {slot: trait["value"] for slot, trait in record["traits"].items()}  # type: ignore[attr-defined]


# -------------------------------------------------------------------------------------------------------- into captions


def test_tags_reach_the_captions(photos: Path, tagger: Counting) -> None:
    done = run(photos)
    assert done.tagged == tagger.asked == 3
    assert text(photos, "red") == "ohwx woman, a photo of a woman. She is standing. She is wearing a dress."
    assert "sitting" in text(photos, "green")
    assert "a shirt and a skirt" in text(photos, "green")
    assert "on a beach" in text(photos, "blue")
    assert "cup" not in text(photos, "blue")


def test_on_a_photograph_hair_needs_a_second_source(photos: Path, tagger: Counting) -> None:
    run(photos, {"plan.free": ["hair", "eye_color"]})
    assert {"hair", "eye_color"} & {*traits(photos, "red"), *traits(photos, "green")} == set()
    other = photos / "other"
    other.mkdir()
    (other / "red.txt").write_text("a woman with long blonde hair", encoding="utf-8")
    run(photos, {"captions": "other", "plan.free": ["hair"]})
    assert "long blonde hair" in text(photos, "red")


def test_of_drawings_every_tag_is_believed(photos: Path, tagger: Counting) -> None:
    run(photos, {"medium": "anime", "plan.free": ["hair", "eye_color"]})
    assert "long blonde hair" in text(photos, "red")
    assert "a red dress" in text(photos, "red")
    assert "blue eyes" in text(photos, "green")
    assert tagger.asked == 3


def test_a_picture_without_tags_is_captioned_and_asked_once(tmp_path: Path, tagger: Counting) -> None:
    draw(tmp_path, "white")
    run(tmp_path)
    assert text(tmp_path, "white").startswith("ohwx woman")
    run(tmp_path)
    assert tagger.asked == 1


# --------------------------------------------------------------------------------------------------------- who is asked


def test_a_second_run_asks_nothing(photos: Path, tagger: Counting) -> None:
    run(photos)
    before = text(photos, "red")
    again = pipeline.caption(photos)
    assert (again.tagged, tagger.asked) == (0, 3)
    assert set(again.outcomes.values()) == {"unchanged"}
    assert text(photos, "red") == before


def test_force_asks_again(photos: Path, tagger: Counting) -> None:
    run(photos)
    assert run(photos, force=True).tagged == 3
    assert tagger.asked == 6


@pytest.mark.parametrize(
    ("setting", "name", "word"),
    [
        ({"tagger.general": 0.45}, "blue", ""),
        ({"explicit": True}, "green", "nude"),
        ({"medium": "anime"}, "red", "red dress"),
        ({"tags": "all"}, "red", "standing"),
        ({"plan.bound": ["pose"]}, "red", "dress"),
    ],
    ids=str,
)
def test_a_changed_setting_asks_nothing(
    photos: Path, tagger: Counting, setting: dict[str, object], name: str, word: str
) -> None:
    run(photos)
    done = run(photos, setting)
    assert (done.tagged, tagger.asked) == (0, 3)
    assert word in text(photos, name)


def test_explicit_tags_stay_out_until_they_are_admitted(photos: Path, tagger: Counting) -> None:
    run(photos)
    assert "nude" not in text(photos, "green")
    assert "clothing" in traits(photos, "green")
    run(photos, {"explicit": True})
    assert "nude" in text(photos, "green")
    run(photos)
    assert "nude" not in text(photos, "green")


def test_a_new_picture_is_asked_alone_and_a_copy_not_at_all(photos: Path, tagger: Counting) -> None:
    run(photos)
    draw(photos, "red2")
    (photos / "copy.png").write_bytes((photos / "blue.png").read_bytes())
    assert run(photos).tagged == 1
    assert tagger.asked == 4
    assert text(photos, "copy") == text(photos, "blue")


def test_another_version_of_the_tagger_is_asked_anew(
    photos: Path, tagger: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(photos)
    other = use(monkeypatch, Counting(version="2"))
    assert run(photos).tagged == other.asked == 3
    use(monkeypatch, tagger)
    assert run(photos).tagged == 0


def test_no_tagger_is_asked_where_none_is_wanted(photos: Path, tagger: Counting) -> None:
    done = run(photos, {"tagger.model": "none"})
    assert (done.tagged, tagger.asked) == (0, 0)
    assert not [notice for notice in done.notices if "tagger" in notice and "run only" not in notice]


@pytest.mark.parametrize(("size", "calls"), [(1, [1] * 5), (2, [2, 2, 1]), (3, [3, 2]), (16, [5])])
def test_pictures_go_in_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int, calls: list[int]) -> None:
    fake = use(monkeypatch, Counting(batch_size=size))
    done = run(draw(tmp_path, "red", "red2", "green", "blue", "white"))
    assert fake.calls == calls
    assert done.tagged == 5
    assert "standing" in text(tmp_path, "red2"), "each gets its own answer, whatever the order"
    assert "sitting" in text(tmp_path, "green")
    assert "on a beach" in text(tmp_path, "blue")


def test_a_picture_that_cannot_be_used_leaves_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = use(monkeypatch, Counting(batch_size=2))
    draw(tmp_path, "red", "green", "blue")
    whole = (tmp_path / "green.png").read_bytes()
    (tmp_path / "green.png").write_bytes(whole[: len(whole) // 2])
    done = run(tmp_path)
    assert [issue.path for issue in done.issues if issue.severity == "error"] == ["green.png"]
    assert (done.tagged, fake.calls) == (2, [2])
    assert "standing" in text(tmp_path, "red")


def test_an_interrupted_run_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = use(monkeypatch, Counting(batch_size=2))
    draw(tmp_path, "red", "red2", "green", "blue", "white")

    def stop(done: Iterator[None], total: int) -> Iterator[None]:
        for _ in range(3):
            next(done)
            yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, progress=stop)
    assert fake.calls == [2], "the third waited for a fourth"
    done = run(tmp_path)
    assert (done.tagged, fake.asked) == (3, 5)
    assert "standing" in text(tmp_path, "red2")


def test_a_model_that_fails_stops_the_run_and_keeps_what_is_known(
    photos: Path, tagger: Counting, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tagger.tag

    def fails(inputs: Sequence[NDArray[np.float32]]) -> list[Tagged]:
        if tagger.calls:
            raise FluxcapError("model.onnx fails on CPU", "run it elsewhere")
        return real(inputs)

    monkeypatch.setattr(tagger, "tag", fails)
    with pytest.raises(FluxcapError, match="fails on CPU"):
        run(photos)
    monkeypatch.setattr(tagger, "tag", real)
    assert run(photos).tagged == 2


# ------------------------------------------------------------------------------------------------------------- notices


def test_the_run_says_on_what_the_tagger_runs(photos: Path, tagger: Counting) -> None:
    tagger.notices = ("the tagger was asked for CUDA, runs on CPU: no card",)
    notices = run(photos).notices
    assert any("runs on CPU" in notice and "tagger" in notice for notice in notices[:1])
    assert tagger.notices[0] in notices


@pytest.mark.skipif(find_spec("onnxruntime") is None, reason="onnxruntime is not installed")
def test_a_missing_tagger_is_told_with_the_command(photos: Path) -> None:
    done = run(photos)
    (notice,) = (notice for notice in done.notices if "tag" in notice)
    assert "fluxcap models pull wd-vit" in notice
    assert text(photos, "red").startswith("ohwx woman")
    assert done.tagged == 0


def test_a_missing_runtime_is_told_with_the_command(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.taggers.known.find_spec", lambda _name: None)
    assert any('pip install "fluxcap[tagger]"' in notice for notice in run(photos).notices)


def test_a_tagger_that_was_named_and_is_missing_is_an_error(photos: Path) -> None:
    with pytest.raises((FluxcapError, UsageError)) as told:
        run(photos, {"tagger.model": "wd-vit"})
    assert "fluxcap models pull wd-vit" in f"{told.value} {told.value.hint}"
    assert not list(photos.glob("*.txt"))


@pytest.mark.skipif(
    find_spec("onnx") is None or find_spec("onnxruntime") is None, reason="onnx and onnxruntime are not installed"
)
def test_a_real_model_end_to_end(photos: Path, tmp_path: Path) -> None:
    """Mean colour -> scores: what is red stands, what is green sits."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    made = tmp_path / "toy"
    made.mkdir()
    rows = ["standing", "sitting", "dress"]
    lines = ["tag_id,name,category,count", *(f"{n},{name},0,9" for n, name in enumerate(rows))]
    (made / "selected_tags.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    weights = np.array([[-9, -9, 0], [-9, 9, 0], [9, -9, 0]], np.float32)  # rows: blue, green, red
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input"], ["mean"], axes=[1, 2], keepdims=0),
            helper.make_node("Mul", ["mean", "scale"], ["scaled"]),
            helper.make_node("MatMul", ["scaled", "weight"], ["sum"]),
            helper.make_node("Sigmoid", ["sum"], ["output"]),
        ],
        "tagger",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ("N", 32, 32, 3))],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, ("N", 3))],
        [numpy_helper.from_array(np.float32(1 / 255), "scale"), numpy_helper.from_array(weights, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, str(made / "model.onnx"))
    done = run(photos, {"tagger.model": str(made), "tagger.provider": "cpu"})
    assert done.tagged == 3
    assert "standing" in text(photos, "red")
    assert "sitting" in text(photos, "green")
    assert "ing." not in text(photos, "blue")
    assert any("runs on CPU" in notice for notice in done.notices)
    assert run(photos, {"tagger.model": str(made), "tagger.provider": "cpu"}).tagged == 0


# ---------------------------------------------------------------------------------------------------- not to be used


def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str]:
    monkeypatch.setattr(sys, "argv", ["fluxcap", *map(str, words)])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    capsys.readouterr()
    try:
        cli.main()
    except SystemExit as end:
        return int(end.code or 0), capsys.readouterr().out
    return 0, capsys.readouterr().out


@pytest.mark.parametrize("settings", [{}, {"explicit": True}, {"medium": "anime"}], ids=str)
def test_a_picture_not_to_be_used_gets_no_caption(
    photos: Path, tagger: Counting, settings: dict[str, object], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    draw(photos, "grey")
    done = run(photos, settings)
    assert [(one.path, one.severity) for one in done.issues if one.code == "IMG014"] == [("grey.png", "error")]
    assert not (photos / "grey.txt").exists()
    assert "grey.png" not in done.outcomes
    assert "standing" in text(photos, "red")
    assert "1" in dict(summary(done.thought, done.issues, done.outcomes))["files that cannot be used"]
    assert command(monkeypatch, capsys, "check", photos)[0] == 1
    assert [one.path for one in pipeline.check(photos).issues if one.severity == "error"] == ["grey.png"]
    (photos / "grey.png").unlink()
    assert command(monkeypatch, capsys, "check", photos)[0] == 0


def test_a_tag_list_can_say_so_too(photos: Path) -> None:
    (photos / "red.txt").write_text("1girl, loli, smile, dress", encoding="utf-8")
    done = run(photos, from_tags=True)
    assert [one.path for one in done.issues if one.code == "IMG014"] == ["red.png"]
    assert text(photos, "red") == "1girl, loli, smile, dress"


# ------------------------------------------------------------------------------------------- tag lists that are there

LIST = "1girl, solo, long_hair, blonde_hair, business_suit, black_suit, white_shirt, collared_shirt, red_necktie, smile, standing"


def test_lists_become_sentences_and_undo_brings_them_back(photos: Path) -> None:
    (photos / "red.txt").write_text(LIST, encoding="utf-8")
    (photos / "green.txt").write_text("ohwx woman sits on a bench. She wears a hat.", encoding="utf-8")
    done = run(photos, {"plan.free": ["hair"]}, from_tags=True)
    assert text(photos, "red") == (
        "ohwx woman, a photo of a woman with long blonde hair. She is standing. She is wearing a black business suit, "
        "a white collared shirt and a red tie. She is smiling."
    )
    assert text(photos, "green") == "ohwx woman sits on a bench. She wears a hat."
    assert done.outcomes == {"red.png": "written", "green.png": "kept", "blue.png": "written"}
    assert [issue.path for issue in done.issues if issue.code == "CAP010"] == ["green.png"]
    again = pipeline.caption(photos)
    assert again.outcomes["red.png"] == "unchanged"
    actions.undo(photos)
    assert text(photos, "red") == LIST
    assert text(photos, "green") == "ohwx woman sits on a bench. She wears a hat."
    assert not (photos / "blue.txt").exists()


def test_without_the_option_a_list_stays_and_is_evidence(photos: Path) -> None:
    (photos / "red.txt").write_text(LIST, encoding="utf-8")
    run(photos)
    assert text(photos, "red") == LIST
    assert traits(photos, "red")["clothing"] == "black business suit, white collared shirt, red tie"


def test_a_dry_run_leaves_the_lists(photos: Path) -> None:
    (photos / "red.txt").write_text(LIST, encoding="utf-8")
    done = run(photos, from_tags=True, dry_run=True)
    assert text(photos, "red") == LIST
    assert "black business suit" in next(one.text for one in done.thought.pictures if one.image.path == "red.png")


def test_lists_in_another_folder_are_evidence(photos: Path) -> None:
    other = photos / "lists"
    other.mkdir()
    (other / "red.txt").write_text(r"1girl, (red dress:1.2), ((standing)), sun hat, x_\(object\)", encoding="utf-8")
    run(photos, {"captions": "lists"})
    assert "a red dress" in text(photos, "red")
    assert "standing" in text(photos, "red")


def test_a_list_and_the_tagger_agree(photos: Path, tagger: Counting) -> None:
    (photos / "red.txt").write_text("long_hair, blonde_hair, red_dress, standing", encoding="utf-8")
    run(photos, {"plan.free": ["hair"]}, from_tags=True)
    record = next(one for one in actions.dump(photos) if one["path"] == "red.png")
    pose = record["traits"]["pose"]  # type: ignore[index]
    assert set(pose["sources"]) == {"tagger:fake", "sidecar:beside"}
    assert pose["confidence"] > 0.95


# ------------------------------------------------------------------------------------------------- tags and two prompts


@pytest.mark.parametrize("style", ["natural", "classic"])
def test_all_tags_follow_the_sentences(photos: Path, tagger: Counting, style: str) -> None:
    run(photos, {"style": style, "tags": "none"})
    sentences = text(photos, "red")
    run(photos, {"style": style, "tags": "all"})
    every = text(photos, "red")
    assert every.startswith(sentences.removesuffix("."))
    assert every.endswith("standing, dress")
    assert "_" not in every


def test_the_tail_is_camera_and_light_or_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEEN, "white", {"standing": 0.9, "upper_body": 0.9, "from_behind": 0.9})
    use(monkeypatch, Counting())
    draw(tmp_path, "white")
    run(tmp_path)
    assert text(tmp_path, "white").split(". ")[-1] == "upper body, from behind"
    run(tmp_path, {"tags": "none"})
    assert text(tmp_path, "white").endswith(".")
    assert "waist-up shot from behind" in text(tmp_path, "white")


def test_dump_holds_both_prompts(photos: Path, tagger: Counting, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    run(photos, {"tags": "all"})
    code, out = command(monkeypatch, capsys, "dump", photos)
    assert code == 0
    records = {one["path"]: one for one in map(json.loads, out.splitlines())}
    prompts = records["red.png"]["prompts"]
    assert prompts["clip"].startswith("ohwx woman, ")
    assert prompts["clip"].endswith(", standing, dress")
    assert prompts["t5"] == "ohwx woman, a photo of a woman. She is standing. She is wearing a dress."
    assert text(photos, "red").startswith(prompts["t5"])


def test_tokens_that_are_lost_are_in_the_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    garments = ["coat", "scarf", "skirt", "shirt", "gloves", "necktie", "thighhighs", "belt", "vest", "boots", "hat"]
    more = ["standing", "holding_cup", "beach", "glasses", "open_mouth", "looking_up", "full_body", "from_above"]
    monkeypatch.setitem(SEEN, "white", dict.fromkeys([*garments, *more], 0.9))
    use(monkeypatch, Counting())
    draw(tmp_path, "white", "red")

    def lost(which: str) -> dict[str, int]:
        done = run(tmp_path, {"tags": which})
        figures = dict(summary(done.thought, done.issues, done.outcomes))
        return {name: int(number) for name, number in figures.items() if "tokens lost" in name}

    ((name, number),) = lost("all").items()
    assert name == "CLIP tokens lost, in 1 captions"
    assert number > 0
    assert sum(lost("none").values()) < number


# ----------------------------------------------------------------------------------------------- how tags are worded


def worded(tags: str) -> str:
    """The sentences that tags of a drawing come to, all of them said."""
    scored = packed((tag, 0.9) for tag in tags.split())
    given = Evidence(image_id="id", slot=TAGS, value=scored, tags=(), confidence=1.0, source="tagger:fake")
    found = resolve(translate(given, Reading(photograph=False)))
    said = {slot: trait.value for slot, trait in found.items()}
    return compose(said, Wording(trigger="ohwx", class_word="woman")).text.removeprefix("ohwx woman").strip(",. ")


WORDED = [
    ("dark_skin freckles", "a woman with dark skin and freckles"),
    ("cat_ears cat_tail", "a woman with cat ears and a cat tail"),
    ("standing crossed_arms hand_on_own_hip", "She is standing, crossing her arms and resting a hand on her hip"),
    ("bare_shoulders red_dress", "She is wearing a red dress, with bare shoulders"),
    ("white_background cat apple", "The background is white, with a cat and an apple in view"),
    ("night", "It is night"),
    ("scar_on_face", "a woman with a scar on the face"),
    ("mole_under_eye", "a woman with a mole under the eye"),
    ("thought_bubble", "A thought bubble is visible"),
    ("cleavage white_shirt", "She is wearing a white shirt, with cleavage"),
    ("eyewear_on_head", "She is wearing glasses pushed up on the head"),
    ("ponytail long_hair", "a woman with long hair in a ponytail"),
    ("half-closed_eye", "One of her eyes is half-closed"),
]


@pytest.mark.parametrize(("tags", "sentence"), WORDED)
def test_tags_become_good_english(tags: str, sentence: str) -> None:
    assert worded(tags) == sentence
