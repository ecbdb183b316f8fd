from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluxcap.errors import FluxcapError
from fluxcap.store import FILE, FOLDER, HUMAN, Store, database
from fluxcap.types import Evidence, ImageRef, Observation


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path) as store:
        yield store


def ref(number: int, path: str | None = None) -> ImageRef:
    return ImageRef(id=f"{number:064x}", path=path or f"{number}.jpg", width=10, height=20)


def remember(store: Store, *images: ImageRef) -> None:
    for image in images:
        store.remember_file(image.path, 100, 5, image)


def look(image: ImageRef, source: str = "measure:x", version: str = "1", inputs_hash: str = "h") -> Observation:
    return Observation(
        image_id=image.id, source=source, version=version, inputs_hash=inputs_hash, created_at="2030-01-01T00:00:00+00:00"
    )  # fmt: skip


def claim(image: ImageRef, value: str, source: str = "measure:x", tags: tuple[str, ...] = ("a", "b")) -> Evidence:
    return Evidence(image_id=image.id, slot="hair", value=value, tags=tags, confidence=0.5, source=source)


# pictures


def test_an_unchanged_file_is_known(store: Store) -> None:
    image = ref(1)
    store.remember_file("1.jpg", 100, 5, image)
    assert store.known_file("1.jpg", 100, 5) == image
    assert store.known_file("1.jpg", 101, 5) is None
    assert store.known_file("1.jpg", 100, 6) is None
    assert store.known_file("2.jpg", 100, 5) is None


def test_a_replaced_picture_is_another_one(store: Store) -> None:
    remember(store, ref(1, "a.jpg"))
    store.remember_file("a.jpg", 200, 6, ref(2, "a.jpg"))
    assert store.images() == [ref(2, "a.jpg")]


def test_missing_pictures_are_named_and_what_was_seen_stays(store: Store) -> None:
    remember(store, ref(1), ref(2), ref(3))
    store.add(look(ref(1)), [claim(ref(1), "red")])
    assert store.forget_missing(["2.jpg", "3.jpg"]) == [ref(1)]
    assert store.forget_missing(["2.jpg", "3.jpg"]) == []
    assert store.images() == [ref(2), ref(3)]
    assert ref(1).id not in store.evidence()
    remember(store, ref(1, "renamed.jpg"))
    assert store.observed("measure:x", "1", "h") == {ref(1).id}
    assert store.evidence()[ref(1).id] == (claim(ref(1), "red"),)


def test_a_picture_that_is_there_twice(store: Store) -> None:
    remember(store, ref(1, "a.jpg"), ref(1, "b.jpg"))
    assert store.images() == store.files_of(ref(1).id) == [ref(1, "a.jpg"), ref(1, "b.jpg")]
    assert list(store.evidence()) == [ref(1).id]


# observations


def test_a_look_that_found_nothing_is_not_repeated(store: Store) -> None:
    remember(store, ref(1), ref(2))
    store.add(look(ref(1)), [])
    assert store.observed("measure:x", "1", "h") == {ref(1).id}
    assert store.observed("measure:x", "2", "h") == set()
    assert store.evidence() == {ref(1).id: (), ref(2).id: ()}


def test_only_the_latest_look_of_each_source_counts(store: Store) -> None:
    remember(store, ref(1))
    store.add(look(ref(1)), [claim(ref(1), "red"), claim(ref(1), "long", tags=())])
    store.add(look(ref(1), "tagger:y"), [claim(ref(1), "brown", "tagger:y")])
    store.add(look(ref(1), version="2"), [claim(ref(1), "blonde")])
    assert store.evidence() == {ref(1).id: (claim(ref(1), "blonde"), claim(ref(1), "brown", "tagger:y"))}
    store.add(look(ref(1), version="3"), [])
    assert store.evidence() == {ref(1).id: (claim(ref(1), "brown", "tagger:y"),)}


def test_former_settings_bring_the_former_answers_back(store: Store) -> None:
    remember(store, ref(1), ref(2))
    store.add(look(ref(1), inputs_hash="a"), [claim(ref(1), "of a")])
    store.add(look(ref(1), inputs_hash="b"), [claim(ref(1), "of b")])
    assert store.observed("measure:x", "1", "a") == {ref(1).id}
    assert store.evidence()[ref(1).id] == (claim(ref(1), "of a"),)
    assert store.observed("measure:x", "1", "b") == {ref(1).id}
    assert store.evidence()[ref(1).id] == (claim(ref(1), "of b"),)


def test_a_persons_word_counts_slot_by_slot(store: Store) -> None:
    remember(store, ref(1))
    store.add_human(ref(1).id, "hair", "red", ["red_hair"])
    store.add_human(ref(1).id, "mood", "calm")
    store.add_human(ref(1).id, "hair", "blonde")
    assert [(it.slot, it.value, it.source) for it in store.evidence()[ref(1).id]] == [
        ("hair", "blonde", HUMAN),
        ("mood", "calm", HUMAN),
    ]
    store.add_human(ref(1).id, "hair", None)
    assert [it.slot for it in store.evidence()[ref(1).id]] == ["mood"]


def test_evidence_of_named_pictures_has_an_entry_for_each(store: Store) -> None:
    remember(store, ref(1), ref(2))
    store.add(look(ref(2)), [claim(ref(2), "red")])
    assert store.evidence(iter([ref(2).id, "unknown"])) == {ref(2).id: (claim(ref(2), "red"),), "unknown": ()}
    assert store.evidence([]) == {}


def test_a_look_is_stored_whole_or_not_at_all(store: Store) -> None:
    remember(store, ref(1), ref(2))
    with pytest.raises(ValueError, match="evidence of"):
        store.add(look(ref(1)), [claim(ref(1), "red"), claim(ref(2), "of another picture")])
    assert store.observed("measure:x", "1", "h") == set()
    assert store.evidence()[ref(1).id] == ()
    with pytest.raises(LookupError):
        store.add(look(ref(3)), [])


def test_many_rows_load_at_once(store: Store) -> None:
    images = [ref(number) for number in range(4_000)]
    with store.transaction():
        for image in images:
            store.remember_file(image.path, 1, 1, image)
            store.add(look(image), [claim(image, str(number)) for number in range(25)])
    found = store.evidence()
    assert sum(len(claims) for claims in found.values()) == 100_000
    assert found[images[7].id] == tuple(claim(images[7], str(number)) for number in range(25))
    plan = store._rows(
        "EXPLAIN QUERY PLAN SELECT slot FROM observation JOIN evidence ON evidence.observation = observation.key"
        " WHERE counts AND image IN (1, 2)"
    )
    assert all("SEARCH" in row[-1] for row in plan), plan


# runs and changes


def test_changes_and_history(store: Store) -> None:
    run = store.begin_run("run")
    one = store.change(run, "a.txt", "id1", None, "first", "fluxcap")
    two = store.change(None, "a.txt", "id1", "first", "mine", "person", before_author="fluxcap", written=True)
    store.change(run, "b.txt", "id1", None, "renamed", "fluxcap")
    assert [it.id for it in store.unwritten()] == [3]
    store.confirm([one, 3])
    store.finish_run(run)
    assert [it.after for it in store.changes(run)] == ["first", "renamed"]
    assert [it.author for it in store.history("a.txt", "id1")] == ["fluxcap", "person", "fluxcap"]
    assert [it.after for it in store.history("a.txt")] == ["mine", "first"]
    last = store.last_change("a.txt")
    assert last is not None
    assert (last.id, last.written, last.before_author, last.at[-6:]) == (two, True, "fluxcap", "+00:00")
    renamed = store.last_change_of("id1")
    assert renamed is not None
    assert renamed.path == "b.txt"
    assert store.last_change("c.txt") is None


def test_runs_and_which_to_undo(store: Store) -> None:
    one, two, empty = store.begin_run("one"), store.begin_run("two"), store.begin_run("empty")
    for run in (one, two):
        store.change(run, "a.txt", None, None, str(run), "fluxcap", written=True)
    last = store.last_to_undo()
    assert last is not None
    assert last.id == two
    undoing = store.begin_run("undo", undoes=two)
    assert store.last_to_undo() == last, "a killed undo is taken up again"
    store.finish_run(undoing)
    last = store.last_to_undo()
    assert last is not None
    assert last.id == one
    assert store.last_to_undo(empty) is None
    assert store.last_to_undo(two) is None
    assert [run.command for run in store.runs()] == ["undo", "empty", "two", "one"]


# the file itself


def test_transactions_join_and_roll_back_as_one(store: Store) -> None:
    def fail() -> None:
        with store.transaction():
            remember(store, ref(1))
            with store.transaction():
                remember(store, ref(2))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert store.images() == []
    remember(store, ref(1))
    assert store.images() == [ref(1)]


def test_the_folder_ignores_itself_in_git(tmp_path: Path, store: Store) -> None:
    assert (tmp_path / FOLDER / ".gitignore").read_text() == "*\n"


def test_two_at_once_are_refused_and_readers_are_not(tmp_path: Path, store: Store) -> None:
    remember(store, ref(1))
    with pytest.raises(FluxcapError, match=r"another fluxcap \(process \d+\) works in"):
        Store(tmp_path)
    with Store(tmp_path, read_only=True) as reader:
        assert reader.images() == [ref(1)]
        assert reader.observed("measure:x", "1", "h") == set()
        with pytest.raises(FluxcapError, match="cannot be used"):
            reader.meet("x")


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    code = "import os, sys; from pathlib import Path; from fluxcap.store import Store; s = Store(Path(sys.argv[1])); os._exit(9)"
    dead = subprocess.run([sys.executable, "-c", code, str(tmp_path)], env=child_environment(), check=False)
    assert dead.returncode == 9
    with Store(tmp_path) as store:
        assert store.images() == []


def child_environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def test_reading_creates_nothing(tmp_path: Path) -> None:
    with Store(tmp_path, read_only=True) as reader:
        assert reader.images() == []
        assert reader.evidence() == {}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "content", [b"this is not a database, only a text that is long enough", b"SQLite format 3\0" + b"x" * 200]
)
def test_a_damaged_file_is_told(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FILE).write_bytes(content)
    with pytest.raises(FluxcapError, match="is damaged or not a database; move that file away"):
        Store(tmp_path)
    (tmp_path / FOLDER / FILE).unlink()
    Store(tmp_path).close()


def test_damage_inside_is_told(tmp_path: Path) -> None:
    with Store(tmp_path) as store:
        remember(store, *(ref(number) for number in range(500)))
    path = tmp_path / FOLDER / FILE
    data = bytearray(path.read_bytes())
    data[4096:] = b"\xa5" * (len(data) - 4096)
    path.write_bytes(data)
    with pytest.raises(FluxcapError, match="damaged"), Store(tmp_path) as store:
        store.images()


def test_a_foreign_database_is_told(tmp_path: Path) -> None:
    (tmp_path / FOLDER).mkdir()
    foreign = sqlite3.connect(tmp_path / FOLDER / FILE)
    foreign.execute("CREATE TABLE theirs (x)")
    foreign.close()
    with pytest.raises(FluxcapError, match="was not made by fluxcap"):
        Store(tmp_path)


def test_a_newer_database_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = database.MIGRATIONS
    monkeypatch.setattr(database, "MIGRATIONS", (*current, "CREATE TABLE later (x)"))
    Store(tmp_path).close()
    monkeypatch.setattr(database, "MIGRATIONS", current)
    for read_only in (False, True):
        with pytest.raises(FluxcapError, match="written by a newer fluxcap; update fluxcap"):
            Store(tmp_path, read_only=read_only)


def test_an_older_database_is_brought_up_to_date_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path) as store:
        remember(store, ref(1))
        version = len(database.MIGRATIONS)
    current = database.MIGRATIONS
    monkeypatch.setattr(database, "MIGRATIONS", (*current, "CREATE TABLE later (x); CREATE TABLE nonsense (nonsense"))
    with pytest.raises(sqlite3.OperationalError):
        Store(tmp_path)
    monkeypatch.setattr(database, "MIGRATIONS", (*current, "CREATE TABLE later (x); INSERT INTO later VALUES (1)"))
    with pytest.raises(FluxcapError, match="older fluxcap"):
        Store(tmp_path, read_only=True)
    with Store(tmp_path) as store:
        assert store._rows("PRAGMA user_version") == [(version + 1,)]
        assert store._rows("SELECT x FROM later") == [(1,)]
        assert store.images() == [ref(1)]


def test_a_database_of_the_first_schema_opens(tmp_path: Path) -> None:
    """``schema_1.sql`` is a dump made when schema 1 was current; it is never edited."""
    dump = Path(__file__).with_name("schema_1.sql").read_text(encoding="utf-8")
    (tmp_path / FOLDER).mkdir()
    old = sqlite3.connect(tmp_path / FOLDER / FILE)
    old.executescript(dump)
    old.close()
    with Store(tmp_path) as store:
        assert store.images() == [ref(1)]
        assert store.observed("measure:x", "1", "h") == {ref(1).id}
        assert store.evidence()[ref(1).id] == (claim(ref(1), "red"),)
        assert [it.after for it in store.history("1.txt")] == ["a caption"]
        assert store._rows("PRAGMA user_version") == [(len(database.MIGRATIONS),)]


def test_a_folder_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file in the way")
    with pytest.raises(FluxcapError, match="cannot be written"):
        Store(tmp_path)
