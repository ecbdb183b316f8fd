"""The main job on small drawn pictures, with a measurement that counts what it is asked."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fluxcap import actions, pipeline
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.types import Claim

WORDS = {"trigger": "ohwx", "subject": "woman"}
_numbers = itertools.count()


class Measured:
    """Says what it is told to say, and counts."""

    name, version = "fake", "1"

    def __init__(self) -> None:
        self.asked = 0
        self.raises = False
        self.claims = [
            Claim(slot="framing", value="close-up", confidence=0.9),
            Claim(slot="makeup", value="bare face", confidence=0.9),
        ]

    def observe(self, rgb: np.ndarray[Any, Any], width: int, height: int) -> list[Claim]:
        assert not self.raises, "nobody is asked twice"
        assert rgb.dtype == np.uint8
        assert rgb.shape[2] == 3
        self.asked += 1
        return self.claims


@pytest.fixture(autouse=True)
def measured(monkeypatch: pytest.MonkeyPatch) -> Measured:
    fake = Measured()
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (fake, ()))
    return fake


def draw(path: Path, mode: str = "RGB") -> Path:
    """A small picture, never the same twice."""
    number = next(_numbers)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, (64 + number % 7, 64), tuple((number * k) % 256 for k in (1, 7, 31, 3)[: len(mode)])).save(path)
    stamp = 1_000_000_000 + number
    os.utime(path, (stamp, stamp))
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(4):
        draw(tmp_path / f"{number}.png")
    return tmp_path


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file outside .fluxcap, with time and content."""
    found = (path for path in folder.rglob("*") if path.is_file() and ".fluxcap" not in path.parts)
    return {path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes()) for path in found}


def run(folder: Path, **options: Any) -> pipeline.Result:
    return pipeline.caption(folder, WORDS, **options)


def text(folder: Path, name: str) -> str:
    return (folder / f"{name}.txt").read_text(encoding="utf-8")


# what is asked, and when


def test_a_second_run_asks_nobody_and_touches_no_file(photos: Path, measured: Measured) -> None:
    first = run(photos)
    before = files(photos)
    assert first.observed == measured.asked == 4
    assert set(first.outcomes.values()) == {"written"}
    measured.raises = True
    again = pipeline.caption(photos)
    assert again.observed == 0
    assert set(again.outcomes.values()) == {"unchanged"}
    assert files(photos) == before


def test_new_changed_renamed_and_removed_pictures_are_noticed(photos: Path, measured: Measured) -> None:
    run(photos)
    draw(photos / "new.png")
    draw(photos / "0.png")
    (photos / "1.png").rename(photos / "renamed.png")
    (photos / "2.png").unlink()
    done = run(photos)
    assert measured.asked == 6
    assert done.observed == 2
    assert [one.image.path for one in done.thought.pictures] == ["0.png", "3.png", "new.png", "renamed.png"]
    assert text(photos, "renamed").startswith("ohwx")
    assert (photos / "2.txt").exists()


def test_a_picture_in_which_nothing_is_found_is_not_measured_again(photos: Path, measured: Measured) -> None:
    measured.claims = []
    done = run(photos)
    assert text(photos, "0") == "ohwx woman, a photo of a woman."
    assert not [issue for issue in done.issues if issue.severity == "error"]
    measured.raises = True
    run(photos)


def test_force_measures_again(photos: Path, measured: Measured) -> None:
    run(photos)
    measured.claims = [Claim(slot="framing", value="full body", confidence=0.9)]
    assert run(photos, force=True).observed == 4
    assert "full body" in text(photos, "0")


def test_what_was_measured_before_a_kill_is_kept(photos: Path, measured: Measured) -> None:
    def stop(done: Iterator[None], total: int) -> Iterator[None]:
        next(done)
        yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(photos, progress=stop)  # type: ignore[arg-type]
    assert not (photos / "0.txt").exists()
    assert run(photos).observed == 3


def test_missing_models_are_told_and_the_rest_goes_on(
    photos: Path, monkeypatch: pytest.MonkeyPatch, measured: Measured
) -> None:
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (None, ("fluxcap models pull measure",)))
    (photos / "0.txt").write_text("ohwx woman with long blonde hair", encoding="utf-8")
    done = run(photos)
    assert done.observed == 0
    assert text(photos, "1").startswith("ohwx woman")
    monkeypatch.undo()
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (measured, ()))
    assert run(photos).observed == 4
    assert "close-up" in text(photos, "1")


def test_the_notice_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("fluxcap.measure.missing_models", lambda: ["face.tflite"])
    measurement, notices = pipeline._measurement()
    assert measurement is None
    assert "fluxcap models pull measure" in notices[0]


def test_without_models_explain_dump_check_and_plan_work(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.pipeline._measurement", lambda: (None, ()))
    run(photos)
    pipeline.plan(photos, free=["hair"])
    assert len(actions.dump(photos)) == 4
    assert actions.explain(photos / "0.png")[0].text == text(photos, "0")


# the plan


def test_a_change_of_the_plan_recomposes_without_asking_and_undo_takes_it_back(
    photos: Path, measured: Measured
) -> None:
    run(photos)
    before = {name: content for name, (_, content) in files(photos).items()}
    measured.raises = True
    done = pipeline.plan(photos, bound=["framing"], free=["makeup"])
    assert set(done.outcomes.values()) == {"written"}
    assert "close-up" not in text(photos, "0")
    assert "face is bare" in text(photos, "0")
    assert pipeline.plan(photos).thought.bindings["framing"].decision == "bound"
    pipeline.caption(photos)
    assert "close-up" not in text(photos, "0")
    undone = actions.undo(photos)
    assert undone is not None
    assert not undone.kept
    assert {name: content for name, (_, content) in files(photos).items()} == before


def test_a_dry_run_of_the_plan_changes_nothing(photos: Path) -> None:
    run(photos)
    before = files(photos)
    report = (photos / pipeline.REPORT).read_bytes()
    done = pipeline.plan(photos, bound=["framing"], dry_run=True)
    assert "close-up" not in done.thought.pictures[0].text
    assert files(photos) == before
    assert (photos / pipeline.REPORT).read_bytes() == report


def test_the_first_run_writes_the_settings(photos: Path) -> None:
    run(photos)
    assert 'trigger = "ohwx"' in (photos / "fluxcap.toml").read_text(encoding="utf-8")
    assert pipeline.check(photos).issues
    actions.undo(photos)
    assert sorted(files(photos)) == ["0.png", "1.png", "2.png", "3.png"]


@pytest.mark.parametrize("begin", ["init", "by hand"])
def test_settings_without_a_trigger_are_completed(photos: Path, begin: str) -> None:
    if begin == "init":
        actions.init(photos, {"phrasing": "varied"})
    else:
        (photos / "fluxcap.toml").write_text('# mine\n[plan]\nfree = ["hair"]\n', encoding="utf-8")
    with pytest.raises(UsageError, match="no trigger word"):
        pipeline.caption(photos)
    run(photos)
    assert pipeline.check(photos).thought.pictures[0].text.startswith("ohwx woman")
    settings = (photos / "fluxcap.toml").read_text(encoding="utf-8")
    assert ('phrasing = "varied"' if begin == "init" else "# mine") in settings


def test_the_command_line_does_not_change_settings_that_are_there(photos: Path) -> None:
    assert not [told for told in run(photos).notices if "tags" not in told and "vision" not in told]
    done = pipeline.caption(photos, {"trigger": "other"})
    assert 'trigger = "ohwx"' in (photos / "fluxcap.toml").read_text(encoding="utf-8")
    assert done.notices[-1].startswith("in this run only: trigger; ")


def test_check_looks_at_what_the_files_hold(photos: Path) -> None:
    run(photos)
    pipeline.caption(photos, {"trigger": "other"})
    done = pipeline.check(photos)
    assert done.thought.pictures[0].text == text(photos, "0")
    assert [issue.code for issue in done.issues].count("CAP001") == 4
    assert [issue.code for issue in done.issues].count("CAP011") == 1
    assert actions.dump(photos)[0]["caption"] == text(photos, "0")
    pipeline.caption(photos)
    assert not {"CAP001", "CAP011"} & {issue.code for issue in pipeline.check(photos).issues}


def test_a_dry_run_writes_no_caption_and_no_settings(photos: Path) -> None:
    before = files(photos)
    assert run(photos, dry_run=True).thought.pictures[0].text.startswith("ohwx woman")
    assert files(photos) == before


# whose caption


def test_captions_found_at_the_first_run_are_kept_and_read(photos: Path) -> None:
    (photos / "0.txt").write_text("a portrait of ohwx with long blonde hair", encoding="utf-8")
    done = run(photos)
    assert text(photos, "0") == "a portrait of ohwx with long blonde hair"
    assert done.outcomes["0.png"] == "kept"
    record = next(one for one in actions.dump(photos) if one["path"] == "0.png")
    assert record["traits"]["hair"]["sources"] == ["sidecar:beside"]  # type: ignore[index]


def test_rewrite_composes_found_captions_anew_and_undo_brings_them_back(photos: Path) -> None:
    (photos / "0.txt").write_text("a portrait of ohwx with long blonde hair, smiling\n", encoding="utf-8")
    run(photos)
    pipeline.plan(photos, free=["hair"])
    run(photos, rewrite=True)
    assert text(photos, "0").startswith("ohwx woman")
    assert "blonde hair" in text(photos, "0")
    rewritten = text(photos, "0")
    run(photos)
    assert text(photos, "0") == rewritten
    actions.undo(photos)
    assert text(photos, "0") == "a portrait of ohwx with long blonde hair, smiling\n"


def test_a_persons_words_are_never_overwritten_until_released(photos: Path) -> None:
    run(photos)
    (photos / "0.txt").write_text("ohwx woman, in my own words", encoding="utf-8")
    for options in ({}, {"force": True}, {"rewrite": True}, {"force": True, "rewrite": True}):
        assert run(photos, **options).outcomes["0.png"] == "kept"
    pipeline.plan(photos, bound=["framing"])
    assert text(photos, "0") == "ohwx woman, in my own words"
    assert actions.release(photos / "0.png")
    assert not actions.release(photos / "0.png")
    assert run(photos).outcomes["0.png"] == "written"
    versions = [version.after for version in actions.history(photos / "0.png")]
    assert versions[0] == text(photos, "0")
    assert "ohwx woman, in my own words" in versions
    assert versions[-1] is not None
    assert "close-up" in versions[-1]


def test_a_deleted_and_an_empty_caption_are_composed_anew(photos: Path) -> None:
    (photos / "1.txt").write_bytes(b"")
    run(photos)
    assert text(photos, "1").startswith("ohwx")
    (photos / "0.txt").unlink()
    assert run(photos).outcomes["0.png"] == "written"


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "utf-8-sig"])
def test_captions_in_other_encodings_are_kept_byte_for_byte(photos: Path, encoding: str) -> None:
    raw = "a café, ohwx with long blonde hair".encode(encoding)
    (photos / "0.txt").write_bytes(raw)
    done = run(photos)
    assert (photos / "0.txt").read_bytes() == raw
    assert "hair" in done.thought.pictures[0].traits
    assert any(issue.code == "CAP010" for issue in done.issues) == (encoding != "utf-8-sig")


def test_a_caption_file_that_is_no_text_is_told_and_kept(photos: Path) -> None:
    (photos / "0.txt").mkdir()
    done = run(photos)
    assert [issue.path for issue in done.issues if issue.code == "CAP010"] == ["0.png"]
    assert text(photos, "1").startswith("ohwx")


def test_a_folder_of_other_captions_is_evidence(photos: Path) -> None:
    other = photos / "other"
    other.mkdir()
    (other / "0.txt").write_text("ohwx with long blonde hair", encoding="utf-8")
    (other / "1.txt").mkdir()
    done = pipeline.caption(photos, {**WORDS, "captions": "other", "plan.free": ["hair"]})
    assert "long blonde hair" in text(photos, "0")
    assert [(issue.path, issue.severity) for issue in done.issues if issue.code == "CAP010"] == [("1.png", "warning")]
    (other / "0.txt").write_text("ohwx with short red hair", encoding="utf-8")
    pipeline.caption(photos)
    assert "red hair" in text(photos, "0")


def test_a_folder_of_other_captions_that_fits_nothing_is_told(photos: Path) -> None:
    with pytest.raises(UsageError, match="is not a folder"):
        pipeline.caption(photos, {**WORDS, "captions": "missing"})
    (photos / "other").mkdir()
    done = pipeline.caption(photos, {**WORDS, "captions": "other"})
    assert next(issue.code for issue in done.issues if issue.severity == "warning" and not issue.path) == "CAP010"


def test_pictures_that_share_a_caption_keep_their_own_evidence(photos: Path) -> None:
    for name in "01":
        (photos / f"{name}.txt").write_text("ohwx with long blonde hair", encoding="utf-8")
    run(photos)
    (photos / "0.txt").write_text("ohwx with short red hair", encoding="utf-8")
    for _ in range(2):
        done = {one.image.path: one for one in run(photos).thought.pictures}
        assert "red" in done["0.png"].traits["hair"].value
        assert "blonde" in done["1.png"].traits["hair"].value


# bad input


def broken(folder: Path) -> dict[str, str]:
    """Files that are no usable pictures, with the code of what is wrong."""
    whole = draw(folder / "whole.jpg").read_bytes()
    (folder / "whole.jpg").unlink()
    made: dict[str, tuple[str, bytes]] = {
        "empty.jpg": ("IMG002", b""),
        "page.jpg": ("IMG003", b"<html><body>not found</body></html>"),
        "cut.jpg": ("IMG004", whole[: len(whole) // 2]),
    }
    for name, (_, data) in made.items():
        (folder / name).write_bytes(data)
    return {name: code for name, (code, _) in made.items()}


def test_a_folder_of_bad_files_is_told_file_by_file(photos: Path) -> None:
    expected = broken(photos)
    draw(photos / "twin.jpg")
    draw(photos / "twin.png")
    (photos / "dangling.png").symlink_to("nowhere.png")
    (photos / "folder.png").mkdir()
    names = ["日本語 ü.png", "x" * 251 + ".png", "new\nline.png", "[b]{0}%s.png"]
    for name in names:
        draw(photos / name)
    done = run(photos)
    found = {issue.path: issue.code for issue in done.issues if issue.severity == "error"}
    assert found == {**expected, "twin.jpg": "IMG009", "dangling.png": "IMG006"}
    for issue in done.issues:
        assert "\n" not in issue.message
        assert issue.path is None or issue.severity != "error" or issue.path in issue.message
    for name in ("0.png", *names):
        assert (photos / name).with_suffix(".txt").read_text(encoding="utf-8").startswith("ohwx")
    assert not (photos / "twin.txt").exists()
    checked = {issue.path: issue.code for issue in pipeline.check(photos).issues if issue.severity == "error"}
    assert checked == found, "what refuses training is told by check too"


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_text_is_told(photos: Path) -> None:
    draw(photos / "0.png").rename(os.fsdecode(os.fsencode(photos) + b"/bad\xff.png"))
    done = run(photos)
    assert [issue.code for issue in done.issues if issue.severity == "error"] == ["IMG006"]
    assert text(photos, "1").startswith("ohwx")


def test_when_every_picture_fails_it_is_told(tmp_path: Path) -> None:
    broken(tmp_path)
    done = run(tmp_path)
    assert not done.thought.pictures
    assert len([issue for issue in done.issues if issue.severity == "error"]) == 3
    assert done.report.is_file()


@pytest.mark.parametrize("call", [pipeline.caption, pipeline.plan, pipeline.check, actions.dump, actions.undo])
def test_a_folder_that_is_not_there_or_is_a_file(tmp_path: Path, call: Callable[[Path], object]) -> None:
    with pytest.raises(UsageError, match="is not there"):
        call(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        call(tmp_path / "file")
    with pytest.raises(FluxcapError):
        call(tmp_path / ("x" * 300))


def test_asking_about_a_folder_leaves_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no trigger word"):
        pipeline.caption(tmp_path)
    with pytest.raises(UsageError, match="no pictures"):
        run(tmp_path)
    for call in (pipeline.check, pipeline.plan, actions.dump):
        with pytest.raises(UsageError, match="not looked at"):
            call(tmp_path)  # type: ignore[operator]
    assert actions.undo(tmp_path) is None
    assert not list(tmp_path.iterdir())


def test_check_and_explain_write_nothing(photos: Path) -> None:
    run(photos)
    (photos / "0.txt").write_text("ohwx woman, edited", encoding="utf-8")
    before = {path: path.stat().st_mtime_ns for path in photos.rglob("*") if path.is_file() and path.suffix != ".db"}
    pipeline.check(photos)
    actions.explain(photos / "0.png")
    after = {path: path.stat().st_mtime_ns for path in photos.rglob("*") if path.is_file() and path.suffix != ".db"}
    assert {k: v for k, v in after.items() if k.suffix not in (".db-shm", ".db-wal")} == before


def test_subfolders_and_symlinks(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    draw(photos / "sub" / "deep.png")
    run(photos)
    assert not (photos / "sub" / "deep.txt").exists()
    pipeline.caption(photos, {"recursive": True})
    assert text(photos, "sub/deep").startswith("ohwx")
    link = tmp_path_factory.mktemp("links") / "a link"
    link.symlink_to(photos)
    assert pipeline.caption(link, {"recursive": True}).observed == 0
    assert actions.explain(link / "sub" / "deep.png")[0].image.path == "sub/deep.png"


# the report


def test_the_report_opens_offline_and_marks_the_words(photos: Path) -> None:
    done = run(photos)
    page = done.report.read_text(encoding="utf-8")
    assert "http://" not in page
    assert "https://" not in page
    assert "close-up" in page
    assert "framing" in page
    assert page.count("data:image/jpeg") == 4


def test_a_picture_that_goes_away_meanwhile_does_not_stop_the_report(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pipeline.think

    def gone(*given: Any, **options: Any) -> Any:
        (photos / "0.png").unlink(missing_ok=True)
        return real(*given, **options)

    monkeypatch.setattr("fluxcap.pipeline.think", gone)
    assert run(photos).report.is_file()


def test_thumbnails_that_cannot_be_kept_do_not_stop_the_report(photos: Path) -> None:
    run(photos, dry_run=True)
    for path in (photos / ".fluxcap" / "thumbs").iterdir():
        path.unlink()
    (photos / ".fluxcap" / "thumbs").rmdir()
    (photos / ".fluxcap" / "thumbs").touch()
    assert "data:image/jpeg" in run(photos).report.read_text(encoding="utf-8")


def test_remarks_name_the_file_as_it_is_called_now(photos: Path) -> None:
    draw(photos / "glass.png", "RGBA")
    first = [issue.message for issue in run(photos).issues if issue.code == "IMG011"]
    (photos / "glass.png").rename(photos / "cup.png")
    then = [issue.message for issue in run(photos).issues if issue.code == "IMG011"]
    assert [message.split()[0] for message in (*first, *then)] == ["glass.png", "cup.png"]


def test_the_page_shows_the_worst_pictures_and_counts_the_rest(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluxcap.page.MOST_PICTURES", 2)
    (photos / "3.txt").write_text("no word of it", encoding="utf-8")
    page = run(photos).report.read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2
    assert "no word of it" in page


def test_flux2_gets_prose_unless_a_style_is_set(photos: Path) -> None:
    words = {"trigger": "ohwx", "subject": "woman", "target": "flux2-dev"}
    prose = pipeline.caption(photos, words, dry_run=True)
    assert all(not picture.caption.tags for picture in prose.thought.pictures)
    natural = pipeline.caption(photos, {**words, "style": "natural"}, dry_run=True)
    assert any(picture.caption.tags for picture in natural.thought.pictures)


# a caption against what others saw


def test_a_caption_is_no_evidence_for_itself(photos: Path, measured: Measured) -> None:
    measured.claims = [Claim(slot="makeup", value="bare face", confidence=0.7)]
    (photos / "0.txt").write_text("ohwx woman with heavy red lipstick", encoding="utf-8")
    done = run(photos)
    told = [issue for issue in done.issues if issue.path == "0.png" and issue.code == "CAP006"]
    assert [issue.message.split(",")[0] for issue in told] == ['says "heavy red lipstick"']
    assert pipeline.check(photos).thought.pictures[0].checked.traits["makeup"].value == "bare face"


def test_captions_are_checked_beside_each_other(photos: Path) -> None:
    for name in "01":
        (photos / f"{name}.txt").write_text("ohwx woman, the same text for both", encoding="utf-8")
    issues = {issue.path: issue for issue in run(photos).issues if issue.code == "CAP032"}
    assert "is also the caption of 1.png," in issues["0.png"].message
    assert "is also the caption of 0.png," in issues["1.png"].message
    assert {issue.severity for issue in issues.values()} == {"note"}
