from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap import sidecars, textfiles
from fluxcap.errors import FluxcapError
from fluxcap.sidecars import Captions, read_text, same_text, sidecar, status, write_atomic
from fluxcap.store import Change, Store
from fluxcap.types import Author, ImageRef

A = ImageRef(id="a" * 64, path="a.jpg", width=1, height=1)
B = ImageRef(id="b" * 64, path="sub/b.v2.png", width=1, height=1)


@pytest.fixture
def captions(tmp_path: Path) -> Iterator[Captions]:
    (tmp_path / "sub").mkdir()
    with Store(tmp_path) as store:
        for image in (A, B):
            store.remember_file(image.path, 1, 1, image)
        yield Captions(store, tmp_path)


def at(captions: Captions, image: ImageRef) -> Path:
    return sidecar(captions.folder / image.path)


def run(captions: Captions, *texts: tuple[ImageRef, str], rewrite: bool = False) -> dict[str, sidecars.Outcome]:
    captions.take_stock([image for image, _ in texts])
    number = captions.store.begin_run("run")
    outcomes = captions.write_all(number, texts, rewrite=[image.path for image, _ in texts] if rewrite else ())
    captions.store.finish_run(number)
    return outcomes


def statuses(captions: Captions, *images: ImageRef) -> list[str]:
    return [stock.status for stock in captions.take_stock(images or (A, B)).values()]


# reading and writing


@pytest.mark.parametrize(
    ("data", "text", "noticed"),
    [
        (b"", "", False),
        ("zü, a photo\n".encode(), "zü, a photo\n", False),
        ("zü".encode("utf-8-sig"), "zü", False),
        ("zü 日".encode("utf-16"), "zü 日", True),
        (b"\xfe\xff" + "zü".encode("utf-16-be"), "zü", True),
        ("zx a".encode("utf-16-le"), "zx a", True),
        ("zx a".encode("utf-16-be"), "zx a", True),
        ("zü – “x”".encode("cp1252"), "zü – “x”", True),
    ],
)
def test_texts_are_read_in_the_encodings_that_occur(tmp_path: Path, data: bytes, text: str, noticed: bool) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    reading = textfiles.read(path)
    assert reading is not None
    assert (reading.text, bool(reading.notice)) == (text, noticed)
    assert "\n" not in reading.notice


@pytest.mark.parametrize("data", [b"\x89PNG\0\0\0\0\0\0", b"\xff\xfea", b"\x81\x8d"])
def test_what_is_no_text_is_told(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(FluxcapError, match=r"a\.txt is not a text file"):
        read_text(tmp_path / "a.txt")


def test_a_missing_file_is_none_and_a_folder_is_told(tmp_path: Path) -> None:
    assert read_text(tmp_path / "a.txt") is None
    (tmp_path / "a.txt").mkdir()
    with pytest.raises(FluxcapError, match=r"a\.txt is a folder, not a caption file"):
        read_text(tmp_path / "a.txt")


@given(text=st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=50))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("w") / "a.txt"
    write_atomic(path, text)
    assert path.read_bytes() == text.encode()
    assert read_text(path) == text.removeprefix("\ufeff")
    assert [it.name for it in path.parent.iterdir()] == ["a.txt"]


@pytest.mark.skipif(sys.platform == "win32", reason="rights of a file")
def test_a_new_file_has_the_usual_rights_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.touch()
    write_atomic(tmp_path / "a.txt", "x")
    assert (tmp_path / "a.txt").stat().st_mode == plain.stat().st_mode
    (tmp_path / "a.txt").chmod(0o640)
    write_atomic(tmp_path / "a.txt", "y")
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o640


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FluxcapError, match=r"a\.txt cannot be written: No space left on device"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert [it.name for it in tmp_path.iterdir()] == ["a.txt"]


def test_the_caption_file_of_a_picture() -> None:
    assert sidecar(Path("x/a.b.jpg")) == Path("x/a.b.txt")
    assert sidecars.sidecar_path(B) == "sub/b.v2.txt"


# whose text it is


def change(
    before: str | None, after: str | None, author: Author = "fluxcap", of: Author | None = None, written: bool = True
) -> Change:
    return Change(
        id=1, run_id=1, path="a.txt", image_id=None, before=before, before_author=of, after=after, author=author,
        at="", written=written,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("disk", "last", "seen", "expected"),
    [
        (None, None, False, "absent"),
        (None, change(None, "x"), True, "absent"),
        ("x", None, False, "elsewhere"),
        ("x", None, True, "person"),
        (" \n", None, False, "absent"),
        ("", None, True, "absent"),
        ("x", change(None, "x"), True, "ours"),
        ("x\r\n", change(None, "x"), True, "ours"),
        ("x!", change(None, "x"), True, "person"),
        ("", change(None, "x"), True, "person"),
        ("x", change("y", "x", "person"), True, "person"),
        ("x", change(None, "x", "elsewhere"), True, "elsewhere"),
        ("y", change(None, "x", "elsewhere"), True, "person"),
        ("x", change("x", "y", of="fluxcap", written=False), True, "ours-pending"),
        ("x", change("x", "y", of="elsewhere", written=False), True, "elsewhere"),
        ("x", change("x", "y", of="person", written=False), True, "person"),
        ("", change("", "y", written=False), True, "absent"),
        ("y", change("x", "y", of="fluxcap", written=False), True, "ours"),
        ("z", change("x", "y", of="fluxcap", written=False), True, "person"),
        ("x", change("x", "y", of="fluxcap"), True, "person"),
        ("x", change("y", None), True, "person"),
    ],
)
def test_whose_text_it_is(disk: str | None, last: Change | None, seen: bool, expected: str) -> None:
    assert status(disk, last, seen) == expected


texts = st.none() | st.sampled_from(["", "x", "x\n", "y", "z"])
authors = st.sampled_from(["fluxcap", "person", "elsewhere"])
changes = st.none() | st.builds(change, texts, texts, authors, st.none() | authors, st.booleans())


@given(texts, changes, st.booleans())
def test_only_a_recorded_text_of_ours_counts_as_ours(disk: str | None, last: Change | None, seen: bool) -> None:
    found = status(disk, last, seen)
    assert (found == "absent") >= (disk is None)
    if found == "ours":
        assert last is not None
        assert last.author == "fluxcap"
        assert same_text(disk, last.after)
    if found == "ours-pending":
        assert last is not None
        assert not last.written
        assert last.before_author == "fluxcap"
        assert same_text(disk, last.before)


# the folder


def test_first_run_second_run(captions: Captions) -> None:
    assert run(captions, (A, "one"), (B, "two")) == {A.path: "written", B.path: "written"}
    assert at(captions, A).read_bytes() == b"one"
    before = [at(captions, image).stat().st_mtime_ns for image in (A, B)]
    assert run(captions, (A, "one"), (B, "two")) == {A.path: "unchanged", B.path: "unchanged"}
    assert [at(captions, image).stat().st_mtime_ns for image in (A, B)] == before
    assert captions.store.changes(2) == []


def test_what_a_person_wrote_stays(captions: Captions) -> None:
    run(captions, (A, "one"))
    at(captions, A).write_text("mine")
    assert run(captions, (A, "new"), rewrite=True) == {A.path: "kept"}
    assert at(captions, A).read_text() == "mine"
    assert [(it.after, it.author) for it in captions.store.history("a.txt")] == [("mine", "person"), ("one", "fluxcap")]


def test_a_persons_edit_between_stock_and_write_stays(captions: Captions) -> None:
    run(captions, (A, "one"))
    captions.take_stock([A])
    at(captions, A).write_text("mine")
    assert captions.write(captions.store.begin_run("run"), A, "new") == "kept"


def test_a_deleted_caption_is_written_anew(captions: Captions) -> None:
    run(captions, (A, "one"))
    at(captions, A).unlink()
    assert statuses(captions, A) == ["absent"]
    assert run(captions, (A, "one")) == {A.path: "written"}


def test_captions_from_elsewhere_stay_unless_rewritten_and_come_back(captions: Captions) -> None:
    at(captions, A).write_bytes(b"theirs\r\n")
    assert run(captions, (A, "one")) == {A.path: "kept"}
    assert run(captions, (A, "one"), rewrite=True) == {A.path: "written"}
    assert statuses(captions, A) == ["ours"]
    undone = captions.undo()
    assert undone is not None
    assert (undone.restored, undone.removed, undone.kept) == (("a.txt",), (), ())
    assert at(captions, A).read_bytes() == b"theirs\r\n"
    assert statuses(captions, A) == ["elsewhere"]
    at(captions, A).write_text("theirs, mended")
    assert statuses(captions, A) == ["person"]


def test_an_empty_file_at_the_first_look_is_no_caption(captions: Captions) -> None:
    at(captions, A).touch()
    assert run(captions, (A, "one")) == {A.path: "written"}
    captions.undo()
    assert at(captions, A).read_bytes() == b""
    assert run(captions, (A, "two")) == {A.path: "written"}


def test_undo_goes_back_run_by_run(captions: Captions) -> None:
    run(captions, (A, "a1"), (B, "b1"))
    run(captions, (A, "a2"), (B, "b1"))
    run(captions, (A, "a2"))  # changes nothing, so it is not undone
    assert captions.undo() is not None
    assert (at(captions, A).read_text(), at(captions, B).read_text()) == ("a1", "b1")
    undone = captions.undo()
    assert undone is not None
    assert undone.removed == ("a.txt", "sub/b.v2.txt")
    assert statuses(captions) == ["absent", "absent"]
    assert captions.undo() is None
    assert run(captions, (A, "a3")) == {A.path: "written"}
    assert captions.undo() is not None
    assert not at(captions, A).exists()


def test_undo_keeps_and_names_what_a_person_changed_since(captions: Captions) -> None:
    run(captions, (A, "a1"), (B, "b1"))
    at(captions, A).write_text("mine")
    undone = captions.undo()
    assert undone is not None
    assert (undone.removed, undone.kept) == (("sub/b.v2.txt",), ("a.txt",))
    assert at(captions, A).read_text() == "mine"


def test_an_earlier_run_can_be_undone_by_number(captions: Captions) -> None:
    run(captions, (A, "a1"))
    run(captions, (B, "b1"))
    undone = captions.undo(1)
    assert undone is not None
    assert undone.removed == ("a.txt",)
    assert statuses(captions) == ["absent", "ours"]
    assert captions.undo(1) is None


def test_release_lets_fluxcap_write_and_can_be_undone(captions: Captions) -> None:
    at(captions, A).write_text("theirs")
    run(captions, (A, "one"))
    at(captions, A).write_text("mine")
    number = captions.store.begin_run("release")
    assert captions.release(number, A)
    assert not captions.release(number, A)
    mtime = at(captions, A).stat().st_mtime_ns
    assert statuses(captions, A) == ["ours"]
    assert captions.undo() is not None
    assert statuses(captions, A) == ["person"]
    assert at(captions, A).stat().st_mtime_ns == mtime
    captions.release(captions.store.begin_run("release"), A)
    assert run(captions, (A, "one")) == {A.path: "written"}
    captions.undo()
    assert (at(captions, A).read_text(), statuses(captions, A)) == ("mine", ["ours"])
    captions.undo()
    assert statuses(captions, A) == ["person"]


def test_settings_change_with_the_captions_and_go_back_with_them(captions: Captions) -> None:
    path = captions.folder / "fluxcap.toml"
    path.write_bytes(b"# mine\r\n")
    run(captions, (A, "a1"))
    number = captions.store.begin_run("bind hair")
    assert captions.write_settings(number, "fluxcap.toml", "# mine\r\nx = 1\r\n") == "written"
    assert captions.write_settings(number, "fluxcap.toml", "# mine\r\nx = 1\r\n") == "unchanged"
    captions.write(number, A, "a2")
    undone = captions.undo()
    assert undone is not None
    assert undone.restored == ("fluxcap.toml", "a.txt")
    assert path.read_bytes() == b"# mine\r\n"
    assert at(captions, A).read_text() == "a1"


def test_settings_edited_by_hand_between_two_commands_come_back_as_edited(captions: Captions) -> None:
    path = captions.folder / "fluxcap.toml"
    captions.write_settings(captions.store.begin_run("init"), "fluxcap.toml", "x = 1")
    path.write_text("x = 2")
    captions.write_settings(captions.store.begin_run("bind"), "fluxcap.toml", "x = 3")
    captions.undo()
    assert path.read_text() == "x = 2"
    undone = captions.undo()
    assert undone is not None
    assert undone.kept == ("fluxcap.toml",)


def rename(captions: Captions, *pairs: tuple[ImageRef, str]) -> list[ImageRef]:
    """Rename pictures with their captions, as a file manager does, at once."""
    found = [(image, at(captions, image).read_bytes()) for image, _ in pairs]
    for image, _ in pairs:
        at(captions, image).unlink()
    renamed = []
    for (image, data), (_, path) in zip(found, pairs, strict=True):
        new = ImageRef(id=image.id, path=path, width=1, height=1)
        at(captions, new).write_bytes(data)
        captions.store.remember_file(path, 1, 2, new)
        renamed.append(new)
    gone = {image.path for image, _ in pairs} - {image.path for image in renamed}
    captions.store.forget_missing({image.path for image in captions.store.images()} - gone)
    return renamed


def test_renamed_pictures_keep_their_history(captions: Captions) -> None:
    run(captions, (A, "a1"), (B, "b1"))
    new_a, new_b = rename(captions, (A, B.path), (B, A.path))  # they swap their names
    assert statuses(captions, new_a, new_b) == ["ours", "ours"]
    (newer,) = rename(captions, (new_a, "c.jpg"))
    assert run(captions, (newer, "a2")) == {"c.jpg": "written"}
    assert [it.after for it in captions.store.history("c.txt", A.id)] == ["a2", "a1"]
    captions.undo()
    assert at(captions, newer).read_text() == "a1"
    undone = captions.undo()
    assert undone is not None
    assert set(undone.removed) == {"a.txt", "c.txt"}
    assert not list(captions.folder.rglob("*.txt"))


def test_a_renamed_picture_with_a_person_s_caption(captions: Captions) -> None:
    run(captions, (A, "a1"))
    at(captions, A).write_text("mine")
    (new,) = rename(captions, (A, "c.jpg"))
    assert run(captions, (new, "a2"), rewrite=True) == {"c.jpg": "kept"}


def test_two_pictures_with_one_caption_file_are_told(captions: Captions) -> None:
    twin = ImageRef(id="c" * 64, path="a.png", width=1, height=1)
    with pytest.raises(FluxcapError, match=r"a\.jpg and a\.png share one caption file"):
        captions.write_all(captions.store.begin_run("run"), [(A, "x"), (twin, "y")])


def test_a_folder_in_the_place_of_a_caption_is_told_and_the_rest_goes_on(captions: Captions) -> None:
    at(captions, A).mkdir()
    assert run(captions, (A, "a1"), (B, "b1")) == {A.path: "kept", B.path: "written"}
    stock = captions.take_stock([A])[A.path]
    assert (stock.status, stock.text) == ("unreadable", None)
    assert "is a folder" in stock.notice


def test_leftovers_of_killed_runs_go(captions: Captions) -> None:
    for folder in (captions.folder, captions.folder / "sub"):
        (folder / ".fluxcap-0123456789ab.tmp").write_text("half a cap")
    captions.take_stock([A, B])
    assert not list(captions.folder.rglob("*.tmp"))


def test_a_look_without_writing_changes_nothing(captions: Captions) -> None:
    at(captions, A).write_text("theirs")
    with Store(captions.folder, read_only=True) as reader:
        assert Captions(reader, captions.folder).take_stock([A])[A.path].status == "elsewhere"
        assert reader.history("a.txt") == []


def test_a_disk_that_gets_full_in_the_middle(captions: Captions, monkeypatch: pytest.MonkeyPatch) -> None:
    run(captions, (A, "a1"), (B, "b1"))

    def full_at_b(path: Path, text: str) -> None:
        if path.name.startswith("b"):
            raise FluxcapError("no space")
        write_atomic(path, text)

    monkeypatch.setattr(sidecars, "write_atomic", full_at_b)
    with pytest.raises(FluxcapError, match="no space"):
        captions.write_all(captions.store.begin_run("run"), [(A, "a2"), (B, "b2")])
    monkeypatch.undo()
    assert statuses(captions) == ["ours", "ours-pending"]
    undone = captions.undo()
    assert undone is not None
    assert undone.restored == ("a.txt",)
    assert [at(captions, image).read_text() for image in (A, B)] == ["a1", "b1"]
    assert run(captions, (A, "a3"), (B, "b3")) == {A.path: "written", B.path: "written"}


def test_what_a_killed_run_wrote_can_be_undone_after_the_next_run(
    captions: Captions, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(captions, (A, "a1"))
    monkeypatch.setattr(captions.store, "confirm", lambda _: None)
    captions.write(captions.store.begin_run("killed before it could confirm"), A, "a2")
    monkeypatch.undo()
    run(captions, (A, "a3"))
    captions.undo()
    assert (at(captions, A).read_text(), statuses(captions, A)) == ("a2", ["ours"])
    captions.undo()
    assert (at(captions, A).read_text(), statuses(captions, A)) == ("a1", ["ours"])


# kill -9

_CHILD = """
import itertools, sys
from pathlib import Path
from fluxcap.sidecars import Captions
from fluxcap.store import Store
from fluxcap.types import ImageRef

folder = Path(sys.argv[1])
images = [ImageRef(id=f"{n:064x}", path=f"{n}.jpg", width=1, height=1) for n in range(40)]
with Store(folder) as store:
    captions = Captions(store, folder)
    for round in itertools.count():
        captions.take_stock(images)
        run = store.begin_run("run")
        captions.write_all(run, [(image, f"<{sys.argv[2]}.{round}" + " word" * 500 + ">") for image in images])
        store.finish_run(run)
"""


def test_a_killed_run_leaves_whole_captions_and_the_next_goes_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    images = [ImageRef(id=f"{n:064x}", path=f"{n}.jpg", width=1, height=1) for n in range(40)]
    for attempt, pause in enumerate((0.0, 0.013, 0.031, 0.057)):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, str(tmp_path), str(attempt)], env=environment)
        try:
            for _ in range(2_000):
                if any(f"<{attempt}." in (read_text(path) or "") for path in tmp_path.glob("?.txt")):
                    break
                assert child.poll() is None, "the child ended by itself"
                time.sleep(0.005)
            time.sleep(pause)
        finally:
            child.kill()
            child.wait()
        written = [read_text(path) or "" for path in tmp_path.glob("*.txt")]
        assert written
        assert all(text.startswith("<") and text.endswith(" word>") for text in written)
        with Store(tmp_path) as store:
            captions = Captions(store, tmp_path)
            assert {it.status for it in captions.take_stock(images).values()} <= {"absent", "ours", "ours-pending"}
            assert not list(tmp_path.glob(".fluxcap-*.tmp"))
            undone = captions.undo()
            assert undone is not None
            assert undone.kept == ()
            run = store.begin_run("after the kill")
            outcomes = captions.write_all(run, [(image, f"<after {attempt} word>") for image in images])
            assert set(outcomes.values()) == {"written"}
            store.finish_run(run)
