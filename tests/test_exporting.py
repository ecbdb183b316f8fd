"""The export as a whole: from a captioned folder to files on the disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from export_sets import served
from hypothesis import given as for_all
from hypothesis import strategies as st
from PIL import Image, ImageCms

from fluxcap import exporting, pipeline
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.exporters import unknown_keys
from fluxcap.exporting.folder import JOURNAL, MANIFEST, opened
from fluxcap.exporting.naming import is_safe, safe_stems
from fluxcap.types import Claim

WORDS = {"trigger": "ohwx", "subject": "woman"}


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Measured:
        name, version = "fake", "1"

        def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
            return [Claim(slot="framing", value="close-up", confidence=0.9)]

    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (Measured(), ()))
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path / "nowhere"))


def paint(path: Path, number: int, mode: str = "RGB", **options: Any) -> Path:
    """A picture with a red top left corner, so that turning shows."""
    pixels = np.full((40, 64 + number, 4), (0, 60 + number, 200, 255), np.uint8)
    pixels[:10, :10] = (250, 0, 0, 255)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    (image if mode == "RGBA" else image.convert(mode)).save(path, **options)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "set"
    for number in range(3):
        paint(folder / f"{number}.png", number)
    pipeline.caption(folder, WORDS)
    return folder


Export = Callable[..., exporting.Exported]


@pytest.fixture
def export(photos: Path, tmp_path: Path) -> Export:
    def run(trainer: str = "ai-toolkit", *, folder: Path = photos, out: Path = tmp_path / "out", **options: Any) -> Any:
        done = exporting.export(folder, out, trainer=trainer, **options)
        assert not done.refused, done.issues
        return done

    return run


def said(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.txt").write_text(text, encoding="utf-8")


def contents(out: Path) -> dict[str, bytes]:
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def dataset(out: Path) -> Path:
    manifest = exporting.whole(out)
    assert manifest is not None
    return out / manifest.dataset


def texts(out: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in sorted(dataset(out).glob("*.txt"))}


# ---- what is written


def test_a_whole_export(export: Export, photos: Path, tmp_path: Path) -> None:
    done = export()
    manifest = exporting.whole(done.out)
    assert manifest == done.manifest
    found = contents(done.out)
    assert set(found) == {*manifest.files, MANIFEST}
    for path, entry in manifest.files.items():
        assert hashlib.sha256(found[path]).hexdigest() == entry.sha256
        assert len(found[path]) == entry.bytes
    assert {name.removesuffix(".txt") for name in texts(done.out)} == {"0", "1", "2"}
    assert set(done.outcomes.values()) == {"written"}


def test_pictures_of_the_set_are_not_touched(export: Export, photos: Path) -> None:
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in photos.glob("*") if path.is_file()}
    export()
    assert {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in before} == before


def test_the_same_set_gives_the_same_bytes(export: Export, photos: Path, tmp_path: Path) -> None:
    first = contents(export().out)
    shutil.rmtree(tmp_path / "out")
    other = tmp_path / "copy"
    shutil.copytree(photos, other)  # other dates, another folder
    assert contents(export(folder=other).out) == first


def test_exporting_again_writes_nothing(export: Export) -> None:
    done = export()
    before = {path: path.stat().st_mtime_ns for path in done.out.rglob("*") if path.is_file()}
    again = export()
    assert set(again.outcomes.values()) == {"unchanged"}
    assert {path: path.stat().st_mtime_ns for path in done.out.rglob("*") if path.is_file()} == before


def test_stale_text_caches_a_changed_caption_gets_a_new_folder(export: Export, photos: Path) -> None:
    """sd-scripts never looks again at a caption that it has encoded."""
    first = export("kohya")
    old = dataset(first.out)
    (old / "0_flux_te.npz").write_bytes(b"encoded")
    said(photos, "0", "ohwx woman, a photo of a woman. She is laughing.")
    second = export("kohya")
    new = dataset(second.out)
    assert new != old
    assert not list(new.glob("*.npz"))
    assert texts(second.out)["0.txt"] == "ohwx woman, a photo of a woman. She is laughing."
    assert (old / "0_flux_te.npz").exists(), "a training may be using it"
    assert any(old.name in notice for notice in second.notices)
    assert new.name in (second.out / "dataset.toml").read_text(encoding="utf-8")


def test_only_what_changed_is_written(export: Export, photos: Path) -> None:
    export()
    said(photos, "0", "ohwx woman, a photo of a woman. She is laughing.")
    outcomes = export().outcomes
    pictures = {path: outcome for path, outcome in outcomes.items() if path.endswith(".png")}
    assert set(pictures.values()) == {"linked"}
    assert outcomes["ai-toolkit.yaml"] == "written"


def test_the_order_of_pictures_does_not_matter(export: Export, photos: Path, tmp_path: Path) -> None:
    first = dataset(export().out).name
    for name in ("2", "0"):  # looked at again, in another order
        path = photos / f"{name}.png"
        data = path.read_bytes()
        path.unlink()
        path.write_bytes(data)
        pipeline.caption(photos, WORDS)
    assert dataset(export(out=tmp_path / "other").out).name == first


# ---- captions


def test_multi_line_captions_become_one_line(export: Export, photos: Path) -> None:
    said(photos, "0", "ohwx woman, a photo of a woman.\r\n\r\nShe is laughing.\n")
    assert texts(export().out)["0.txt"] == "ohwx woman, a photo of a woman. She is laughing."


def test_bom_does_not_reach_the_trainer(export: Export, photos: Path) -> None:
    (photos / "0.txt").write_bytes(b"\xef\xbb\xbfohwx woman, a photo of a woman.")
    assert texts(export().out)["0.txt"] == "ohwx woman, a photo of a woman."


def test_utf16_captions_become_utf8(export: Export, photos: Path) -> None:
    (photos / "0.txt").write_bytes("ohwx woman, a photo of a café.".encode("utf-16"))
    assert (dataset(export().out) / "0.txt").read_bytes() == "ohwx woman, a photo of a café.".encode()


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "CAP008"),
        ("a photo of a woman.", "CAP001"),
        ("ohwx, a photo of [trigger].", "EXP003"),
        ("ohwx, a photo of [name].", "EXP003"),
    ],
    ids=["empty", "no trigger", "[trigger]", "[name]"],
)
def test_captions_that_refuse_the_export_are_named(photos: Path, tmp_path: Path, text: str, code: str) -> None:
    said(photos, "1", text)
    done = exporting.export(photos, tmp_path / "out", trainer="plain")
    assert done.refused
    assert (code, "1.png") in {(issue.code, issue.path) for issue in done.issues if issue.severity == "error"}
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("trigger", ["oh--wx", "${ohwx}", "[name]"])
def test_a_trigger_word_that_trainers_take_for_their_own_is_refused(tmp_path: Path, trigger: str) -> None:
    paint(tmp_path / "set" / "0.png", 0)
    pipeline.caption(tmp_path / "set", WORDS | {"trigger": trigger})
    done = exporting.export(tmp_path / "set", tmp_path / "out", trainer="ai-toolkit")
    assert done.refused
    assert "EXP006" in {issue.code for issue in done.issues}


def test_t5_unknown_signs_are_told_with_the_word(export: Export, photos: Path) -> None:
    said(photos, "0", "ohwx woman, a photo of a woman with Zoë at <home> 😀.")
    told = [issue.message for issue in export().issues if issue.code == "EXP004"]
    assert [message.split('"')[1] for message in told] == ["Zoë", "<home>", "😀."]
    said(photos, "0", "ohwx woman, a photo of a woman with Zoë.")
    assert not [issue for issue in export(overrides={"target": "flux2-dev"}).issues if issue.code == "EXP004"]


# ---- pictures


def arrays(out: Path, name: str) -> np.ndarray[Any, Any]:
    (path,) = dataset(out).glob(f"{name}.[jp]*")
    with Image.open(path) as image:
        assert image.mode == "RGB"
        assert not image.getexif().get(0x0112)
        return np.asarray(image)


def with_picture(export: Export, photos: Path, name: str, **options: Any) -> Path:
    pipeline.caption(photos, WORDS)
    return export(**options).out


def test_exif_orientation_is_baked_in(export: Export, photos: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    paint(photos / "turned.jpg", 9, exif=exif, quality=100)
    pixels = arrays(with_picture(export, photos, "turned"), "turned")
    assert pixels.shape == (73, 40, 3)
    assert pixels[3, -4, 0] > 200, "the corner is at the top right now"


def test_alpha_is_laid_on_the_background_colour(export: Export, photos: Path) -> None:
    image = Image.new("RGBA", (40, 40), (255, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 255, 255))
    image.save(photos / "clear.png")
    out = with_picture(export, photos, "clear", overrides={"background": "#00ff00"})
    assert tuple(arrays(out, "clear")[5, 5]) == (0, 255, 0)


def test_another_colour_space_becomes_srgb(export: Export, photos: Path) -> None:
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    paint(photos / "srgb.jpg", 8, icc_profile=lab)
    paint(photos / "grey.png", 7, mode="L")
    out = with_picture(export, photos, "grey")
    assert (dataset(out) / "srgb.jpg").read_bytes() == (photos / "srgb.jpg").read_bytes()
    assert arrays(out, "grey").shape[2] == 3


def test_pictures_that_all_trainers_read_keep_their_bytes(export: Export, photos: Path) -> None:
    paint(photos / "plain.jpg", 5)
    out = with_picture(export, photos, "plain")
    for name in ("plain.jpg", "0.png"):
        assert (dataset(out) / name).read_bytes() == (photos / name).read_bytes()


def test_deep_animated_and_cmyk_pictures_become_plain_ones(export: Export, photos: Path) -> None:
    deep = np.full((40, 40, 3), 40_000, np.uint16)
    import cv2

    cv2.imwrite(str(photos / "deep.png"), deep)
    paint(photos / "print.jpg", 5, mode="CMYK")
    frames = [Image.new("P", (40, 40), colour) for colour in (1, 2)]
    frames[0].save(photos / "moving.gif", save_all=True, append_images=frames[1:])
    paint(photos / "palette.png", 6, mode="P")
    out = with_picture(export, photos, "deep")
    for name in ("deep", "print", "moving", "palette"):
        assert arrays(out, name).dtype == np.uint8
    assert abs(int(arrays(out, "deep")[0, 0, 0]) - 156) <= 1


def test_a_wide_colour_space_is_converted(export: Export, photos: Path) -> None:
    """A profile that swaps red and blue shows whether it was followed."""
    profile = swapped_primaries()
    Image.new("RGB", (40, 40), (255, 0, 0)).save(photos / "wide.png", icc_profile=profile)
    pixel = arrays(with_picture(export, photos, "wide"), "wide")[0, 0]
    assert pixel[2] > 200
    assert pixel[0] < 60


def swapped_primaries() -> bytes:
    """sRGB's profile with the red and blue primaries swapped and another name."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for place in range(128 + 4, 128 + 4 + 12 * int.from_bytes(data[128:132], "big"), 12):
        if data[place : place + 4] in (b"rXYZ", b"bXYZ"):
            data[place : place + 1] = b"b" if data[place : place + 1] == b"r" else b"r"
    return bytes(data.replace("sRGB".encode("utf-16-be"), "wide".encode("utf-16-be")).replace(b"sRGB", b"wide"))


@pytest.mark.parametrize("suffix", ["webp", "bmp", "tiff", "gif"])
def test_other_formats_become_png_or_jpeg(export: Export, photos: Path, suffix: str) -> None:
    paint(photos / f"other.{suffix}", 5)
    (made,) = dataset(with_picture(export, photos, "other")).glob("other.[jp]*")
    assert made.suffix in (".png", ".jpg")


def test_nothing_is_cropped_unless_asked(export: Export, photos: Path, tmp_path: Path) -> None:
    assert arrays(export().out, "0").shape[:2] == (40, 64)
    cropped = export(crop=1.0, out=tmp_path / "square").out
    assert arrays(cropped, "0").shape[:2] == (40, 40)
    assert dataset(cropped).name != dataset(tmp_path / "out").name


def test_a_damaged_picture_refuses_the_export(photos: Path, tmp_path: Path, export: Export) -> None:
    data = paint(photos / "cut.jpg", 5, quality=100).read_bytes()
    pipeline.caption(photos, WORDS)
    status = (photos / "cut.jpg").stat()
    (photos / "cut.jpg").write_bytes(data[: len(data) // 2] + b"\0" * (len(data) - len(data) // 2))
    os.utime(photos / "cut.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(FluxcapError, match=r"cut\.jpg"):
        export()
    assert exporting.whole(tmp_path / "out") is None


def test_a_picture_that_changed_since_the_last_look_refuses_the_export(photos: Path, tmp_path: Path) -> None:
    paint(photos / "1.png", 50)
    done = exporting.export(photos, tmp_path / "out", trainer="plain")
    assert done.refused
    assert "EXP005" in {issue.code for issue in done.issues}


# ---- names


NAMES = ["Zoë, am See", "a b", "con", "x.y", "-masklabel", "a-masklabel", "日本", "A", "a", "picture-x0123456789"]


def test_names_with_commas_blanks_and_foreign_letters_become_safe(export: Export, photos: Path) -> None:
    paint(photos / "Zoë, am See.png", 5)
    paint(photos / "con.png", 6)
    manifest = export_after_caption(export, photos)
    made = {picture: file for file, picture in manifest.pictures.items()}
    assert made["0.png"] == "0.png"
    assert made["Zoë, am See.png"].startswith("Zoe-am-See-x")
    assert made["con.png"] != "con.png"


def export_after_caption(export: Export, photos: Path) -> exporting.Manifest:
    pipeline.caption(photos, WORDS)
    manifest = export().manifest
    assert manifest is not None
    return manifest


@for_all(
    st.lists(st.one_of(st.sampled_from(NAMES), st.text(min_size=1).filter(lambda t: "/" not in t and "\0" not in t)))
)
def test_stems_are_safe_and_alone(names: list[str]) -> None:
    paths = list(dict.fromkeys(f"{place}/{name}.jpg" for place, name in enumerate(names)))
    stems = safe_stems(paths)
    assert all(is_safe(stem) for stem in stems.values())
    assert len({stem.casefold() for stem in stems.values()}) == len(paths)
    assert safe_stems(list(reversed(paths))) == stems


# ---- the folder


def test_a_folder_of_somebody_else_is_refused(export: Export, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match="did not make it"):
        export()
    (tmp_path / "out" / MANIFEST).write_text('{"made_by": "somebody"}', encoding="utf-8")
    with pytest.raises(UsageError, match="did not make it"):
        export()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [MANIFEST, "mine.txt"]


def test_an_export_into_the_folder_of_pictures_is_refused(export: Export, photos: Path) -> None:
    for out in (photos, photos / "out"):
        with pytest.raises(UsageError, match="lies in the folder of pictures"):
            export(out=out)


def test_an_interrupted_export_is_not_whole_and_goes_on(
    export: Export, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = exporting.pictures.bake

    def bake(path: Path, *arguments: Any, **options: Any) -> Any:
        asked.append(path.name)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(path, *arguments, **options)

    monkeypatch.setattr(exporting.pictures, "WORKERS", 1)
    monkeypatch.setattr(exporting.pictures, "bake", bake)
    with pytest.raises(KeyboardInterrupt):
        export()
    out = tmp_path / "out"
    assert (out / JOURNAL).exists()
    assert exporting.whole(out) is None
    with (out / JOURNAL).open("a", encoding="utf-8") as journal:
        journal.write('{"path": "dataset-')  # killed in the middle of a line
    done = export()
    assert exporting.whole(out) is not None
    assert not (out / JOURNAL).exists()
    assert len(asked) == 4, "what was finished was not made again"
    shutil.rmtree(out)
    assert contents(export().out) == contents(done.out)


def test_two_exports_at_once_into_one_folder_are_refused(export: Export, tmp_path: Path) -> None:
    export()
    with opened(tmp_path / "out"), pytest.raises(FluxcapError, match="another fluxcap exports"):
        export()


def test_files_that_are_gone_or_cut_off_are_noticed(export: Export) -> None:
    out = export().out
    picture = dataset(out) / "0.png"
    data = picture.read_bytes()
    picture.write_bytes(data[:-1])
    assert exporting.whole(out) is None
    assert export().outcomes[f"{picture.parent.name}/0.png"] == "written"
    assert picture.read_bytes() == data


def test_a_config_that_a_person_changed_stays(export: Export, photos: Path) -> None:
    out = export("kohya").out
    config = out / "train.sh"
    mine = config.read_text(encoding="utf-8").replace("/path/to/models", "/models")
    config.write_text(mine, encoding="utf-8")
    assert export("kohya").outcomes["train.sh"] == "kept"
    assert not (out / "train.new.sh").exists(), "nothing new to tell"
    done = export("kohya", overrides={"recipe.steps": 777})
    assert config.read_text(encoding="utf-8") == mine
    assert "777" in (out / "train.new.sh").read_text(encoding="utf-8")
    assert any("train.new.sh" in notice for notice in done.notices)


def test_a_caption_that_was_changed_in_the_export_is_not_overwritten(export: Export) -> None:
    out = export().out
    said(dataset(out), "0", "mine")
    with pytest.raises(FluxcapError, match="was changed in the export"):
        export()


def test_another_trainer_in_the_same_folder_takes_the_old_configs_away(export: Export) -> None:
    export("kohya")
    out = export("ai-toolkit").out
    assert not (out / "dataset.toml").exists()
    assert (out / "ai-toolkit.yaml").exists()


def test_a_dry_run_writes_nothing(export: Export, tmp_path: Path) -> None:
    done = export(dry_run=True)
    assert done.given is not None
    assert not (tmp_path / "out").exists()


def test_a_manifest_does_not_lead_out_of_its_folder(export: Export, tmp_path: Path) -> None:
    out = export().out
    manifest = json.loads((out / MANIFEST).read_text(encoding="utf-8"))
    (tmp_path / "precious").write_text("x", encoding="utf-8")
    manifest["files"]["../precious"] = {"sha256": hashlib.sha256(b"x").hexdigest(), "bytes": 1, "source": ""}
    (out / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(UsageError):
        export()
    assert (tmp_path / "precious").exists()


# ---- targets


@pytest.mark.parametrize(("trainer", "target"), served(), ids="/".join)
def test_every_trainer_exports_every_target_that_it_serves(export: Export, trainer: str, target: str) -> None:
    done = export(trainer, overrides={"target": target})
    assert done.rendered is not None
    assert exporting.whole(done.out) == done.manifest
    assert set(export(trainer, overrides={"target": target}).outcomes.values()) == {"unchanged"}
    assert unknown_keys(trainer, done.rendered) == []


def test_webdataset_shards_hold_pictures_and_texts(export: Export, photos: Path, tmp_path: Path) -> None:
    out = export("webdataset").out
    (shard,) = dataset(out).glob("*.tar")
    with tarfile.open(shard) as tar:
        assert tar.getnames() == [f"{n}.{end}" for n in range(3) for end in ("png", "json", "txt")]
        assert tar.extractfile("0.png").read() == (photos / "0.png").read_bytes()  # type: ignore[union-attr]
    assert contents(export("webdataset", out=tmp_path / "again").out) != {}
    assert (tmp_path / "again").joinpath(shard.relative_to(out)).read_bytes() == shard.read_bytes()


def test_imagefolder_names_every_picture_and_has_no_text_files(export: Export) -> None:
    home = dataset(export("imagefolder").out)
    rows = [json.loads(line) for line in (home / "metadata.jsonl").read_text(encoding="utf-8").splitlines()]
    assert {row["file_name"] for row in rows} | {"metadata.jsonl"} == {path.name for path in home.iterdir()}


def test_a_target_that_the_trainer_does_not_serve_names_those_that_do(export: Export) -> None:
    with pytest.raises(UsageError, match=r"kohya does not train FLUX\.2 klein 9B; trainers that do: ai-toolkit"):
        export("kohya", overrides={"target": "flux2-klein-9b"})


def test_no_trainer_serves_flux3_yet_but_its_captions_are_exported(export: Export) -> None:
    with pytest.raises(UsageError, match=r"no trainer serves FLUX\.3 klein yet"):
        export("ai-toolkit", overrides={"target": "flux3-klein"})
    assert export("plain", overrides={"target": "flux3-klein"}).manifest is not None


def test_an_unknown_trainer_names_the_known_ones(export: Export) -> None:
    with pytest.raises(UsageError, match="known: ai-toolkit"):
        export("kohia")
