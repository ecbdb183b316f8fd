"""Random lives of a folder: our runs, a person's edits, deletions, undo, release and kills, against a small model.

What must hold: ``write`` never overwrites what a person wrote; a text that fluxcap met is never lost (on the disk or in the
history); an undo brings back exactly what was there.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fluxcap import textfiles
from fluxcap.sidecars import Captions
from fluxcap.store import Store
from fluxcap.types import ImageRef

IMAGES = {name: ImageRef(id=name * 64, path=f"{name}.jpg", width=1, height=1) for name in "ab"}
NAMES = st.sampled_from(sorted(IMAGES))
OURS = st.sampled_from(["caption one", "caption two", "caption three"])
DONE_BEFORE_THE_KILL = st.sampled_from([None, None, None, 0, 1, 2])
"""How many files a run still writes before it is killed, without a word to the store; None: it is not killed."""


class Killed(BaseException):
    """The process dies here."""


@dataclass(frozen=True)
class Held:
    """A file's text and whose it is."""

    text: str | None
    owner: str


ABSENT = Held(None, "absent")


@dataclass
class Entry:
    """What a run did to one file; ``sure`` once it is known to have reached the disk."""

    run: int
    name: str
    before: Held
    after: Held
    sure: bool = False


@dataclass
class Known:
    """What fluxcap knows of a file: what stood there at its last look, and what a killed run may have put there."""

    met: bool = False
    held: Held | None = None
    meant: Held | None = None
    entry: Entry | None = None


class Folder(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(textfiles.os, "fsync", lambda _: None)  # nobody pulls the plug here
        self.open()
        self.known = {name: Known() for name in IMAGES}
        self.entries: list[Entry] = []
        self.undone: set[int] = set()
        self.precious: set[str] = set()
        self.count = 0

    def teardown(self) -> None:
        self.store.close()
        self.patch.undo()
        shutil.rmtree(self.folder)

    def open(self) -> None:
        self.store = Store(self.folder)
        self.store._run("PRAGMA synchronous = OFF")
        self.captions = Captions(self.store, self.folder)

    # the model

    def disk(self, name: str) -> str | None:
        path = self.folder / f"{name}.txt"
        return path.read_bytes().decode() if path.exists() else None

    def look(self, name: str) -> Held:
        """Whose text it has to be; fluxcap looks too, so it is known from now on."""
        text, known = self.disk(name), self.known[name]
        if known.meant is not None and known.meant.text == text:
            self.reached(name)
        elif text is not None and (known.held is None or known.held.text != text):
            owner = "person" if known.met or known.held is not None else "elsewhere"
            known.held, known.meant, known.entry = Held(text, owner), None, None
        known.met = True
        if text is None:
            return ABSENT
        assert known.held is not None
        if known.held.owner != "ours":
            self.precious.add(text)
        return known.held

    def mean(self, name: str, before: Held, after: Held, entry: Entry | None) -> None:
        """A run records that it will change the file."""
        known = self.known[name]
        known.held, known.meant, known.entry = before, after, entry
        if entry is not None:
            self.entries.append(entry)

    def reached(self, name: str) -> None:
        """What was meant is on the disk."""
        known = self.known[name]
        if known.entry is not None:
            known.entry.sure = True
        known.held, known.meant, known.entry = known.meant, None, None

    # what happens

    @initialize(texts=st.dictionaries(NAMES, st.just("from elsewhere\n")))
    def there_before(self, texts: dict[str, str]) -> None:
        for name, text in texts.items():
            (self.folder / f"{name}.txt").write_bytes(text.encode())

    @rule(name=NAMES)
    def person_writes(self, name: str) -> None:
        self.count += 1
        (self.folder / f"{name}.txt").write_bytes(f"by hand {self.count}".encode())

    @rule(name=NAMES, text=OURS)
    def person_types_a_text_of_ours(self, name: str, text: str) -> None:
        (self.folder / f"{name}.txt").write_bytes(text.encode())

    @rule(name=NAMES)
    def person_deletes(self, name: str) -> None:
        (self.folder / f"{name}.txt").unlink(missing_ok=True)

    @rule()
    def take_stock(self) -> None:
        stock = self.captions.take_stock(IMAGES.values())
        for name, image in IMAGES.items():
            held = self.look(name)
            assert stock[image.path].text == held.text
            assert stock[image.path].status.removesuffix("-pending") == held.owner

    @rule(texts=st.dictionaries(NAMES, OURS, min_size=1), rewrite=st.booleans(), done=DONE_BEFORE_THE_KILL)
    def run(self, texts: dict[str, str], rewrite: bool, done: int | None) -> None:
        run = self.store.begin_run("run")
        expected: dict[str, str] = {}
        written: list[str] = []
        before = {name: self.disk(name) for name in texts}
        for name, text in texts.items():
            held, after = self.look(name), Held(text, "ours")
            if held.owner == "person" or (held.owner == "elsewhere" and not rewrite):
                expected[IMAGES[name].path] = "kept"
            elif held == after:
                expected[IMAGES[name].path] = "unchanged"
            else:
                expected[IMAGES[name].path] = "written"
                written.append(name)
                self.mean(name, held, after, Entry(run, name, held, after))
        self.kill_after(done)
        try:
            given = [(IMAGES[name], text) for name, text in texts.items()]
            anew = [image.path for image, _ in given] if rewrite else []
            assert self.captions.write_all(run, given, rewrite=anew) == expected
        except Killed:
            self.open()
        else:
            self.store.finish_run(run)
            for name in written:
                self.reached(name)
        for name in texts.keys() - set(written):
            assert self.disk(name) == before[name]
        for name in written[:done]:
            assert self.disk(name) == texts[name]

    @rule(names=st.sets(NAMES, min_size=1), stale=st.booleans(), done=DONE_BEFORE_THE_KILL)
    def mend(self, names: set[str], stale: bool, done: int | None) -> None:
        run = self.store.begin_run("check --fix")
        given: list[tuple[ImageRef, str, str]] = []
        expected: dict[str, str] = {}
        written: list[tuple[str, Held]] = []
        for name in sorted(names):
            held = self.look(name)
            self.count += 1
            after = Held(f"{held.text} mended {self.count}", held.owner)
            given.append((IMAGES[name], "what stood there once" if stale else held.text or "", str(after.text)))
            expected[IMAGES[name].path] = "kept" if stale or held.text is None else "written"
            if expected[IMAGES[name].path] == "written":
                written.append((name, after))
                self.mean(name, held, after, Entry(run, name, held, after))
        self.kill_after(done)
        try:
            assert self.captions.mend(run, given) == expected
        except Killed:
            self.open()
        else:
            self.store.finish_run(run)
            for name, _ in written:
                self.reached(name)
        for name, after in written[:done]:
            assert self.disk(name) == after.text

    @rule(name=NAMES)
    def release(self, name: str) -> None:
        held = self.look(name)
        run = self.store.begin_run("release")
        released = self.captions.release(run, IMAGES[name])
        assert released == (held.owner in ("person", "elsewhere"))
        if released:
            after = Held(held.text, "ours")
            self.mean(name, held, after, Entry(run, name, held, after))
            self.reached(name)

    @rule(done=DONE_BEFORE_THE_KILL)
    def undo(self, done: int | None) -> None:
        for name, known in self.known.items():
            if known.meant is not None and known.meant.text == self.disk(name):
                self.reached(name)
        run = max((it.run for it in self.entries if it.sure and it.run not in self.undone), default=None)
        restored: set[str] = set()
        kept: set[str] = set()
        planned: list[tuple[str, Held]] = []
        for entry in [it for it in self.entries if it.run == run and it.sure]:
            name, held = entry.name, self.look(entry.name)
            if held == entry.after:
                restored.add(f"{name}.txt")
                self.mean(name, held, entry.before, None)
                if held.text == entry.before.text:
                    self.reached(name)
                else:
                    planned.append((name, entry.before))
            elif held != entry.before:
                kept.add(f"{name}.txt")
        self.kill_after(done if run is not None else None)
        try:
            undone = self.captions.undo()
        except Killed:
            self.open()
        else:
            for name, _ in planned:
                self.reached(name)
            if run is None:
                assert undone is None
            else:
                assert undone is not None
                assert (undone.run_id, set(undone.kept)) == (run, kept)
                assert {*undone.restored, *undone.removed} == restored
                self.undone.add(run)
        for name, before in planned[:done]:
            assert self.disk(name) == before.text

    def kill_after(self, done: int | None) -> None:
        """Let the next run die after so many files."""
        carry_out = self.captions._carry_out

        def die(planned: list[tuple[str, int, str | None]]) -> None:
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(self.store, "confirm", lambda _: None)
                carry_out(planned[:done])
            self.store.close()
            raise Killed

        if done is not None:
            self.captions._carry_out = die  # type: ignore[method-assign]

    @invariant()
    def nothing_that_was_met_is_lost(self) -> None:
        there = {self.disk(name) for name in IMAGES}
        for name in IMAGES:
            for change in self.store.history(f"{name}.txt"):
                there |= {change.before, change.after}
        assert self.precious <= there


TestFolder = Folder.TestCase
TestFolder.settings = settings(max_examples=100, stateful_step_count=25, deadline=None)
