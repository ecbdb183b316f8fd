"""Recorded answers: what is written, what comes back, damaged files, and the same ladder over a file as over a server."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path

import pytest

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.vlms.ladder import Ladder
from fluxcap.vlms.replay import Recorder, ReplayServer, asking, question_hash, recorded
from fluxcap.vlms.types import FormRefused, Question, Reply

SCHEMA = {"type": "object", "properties": {"hair": {"type": "string"}}}
QUESTION = Question(system="You see.", text="What is visible?", schema=SCHEMA)


class Fake:
    """Answers by the picture's bytes; refuses schemas, or answers them badly, where told so."""

    kind, model, url = "openai", "tiny", "https://me:secret@host.example/v1?key=secret"

    def __init__(self, *, refuses: bool = False, fails: bool = False) -> None:
        self.refuses, self.fails, self.closed = refuses, fails, False

    async def reply(self, question: Question, jpeg: bytes, form: str) -> Reply:
        if self.refuses and form == "json_schema":
            raise FormRefused("no schema")
        bad = self.fails and form == "json_schema"
        text = "café" if bad else json.dumps({"hair": jpeg.decode()})
        return Reply(text=text, finish="stop", prompt_tokens=9, answer_tokens=None, seconds=0.25)

    async def models(self) -> list[str]:
        return [self.model]

    async def close(self) -> None:
        self.closed = True


def run(server: object, ids: str, question: Question = QUESTION, side: int = 1024) -> list[object]:
    async def go() -> list[object]:
        ladder = Ladder(server, side)
        return [(await ladder.ask(question, lambda _, one=one: one.encode(), picture_id=one * 8)).values for one in ids]

    return asyncio.run(go())


def record(path: Path, ids: str, **how: bool) -> list[object]:
    fake = Fake(**how)
    server = recorded(fake, Recorder(path))
    assert (server.kind, server.model, server.url) == (fake.kind, fake.model, fake.url)
    values = run(server, ids)
    asyncio.run(server.close())
    assert fake.closed
    return values


def test_what_is_written(tmp_path):
    record(tmp_path / "a.jsonl", "x")
    (line,) = (tmp_path / "a.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line) == {
        "picture": "xxxxxxxx",
        "kind": "openai",
        "model": "tiny",
        "question": question_hash(QUESTION),
        "form": "json_schema",
        "side": 1024,
        "text": '{"hair": "x"}',
        "finish": "stop",
        "prompt_tokens": 9,
        "answer_tokens": None,
        "seconds": 0.25,
    }
    assert "secret" not in line


def test_each_line_is_on_the_disk_at_once(tmp_path):
    server = recorded(Fake(), Recorder(tmp_path / "a.jsonl"))
    run(server, "xy")
    assert (tmp_path / "a.jsonl").read_bytes().count(b"\n") == 2
    asyncio.run(server.close())


@pytest.mark.parametrize("how", [{}, {"refuses": True}, {"fails": True}], ids=str)
@pytest.mark.parametrize("order", ["abcdef", "fedcba", "f", "cafe"])
def test_a_replay_gives_the_same_values_in_any_order(tmp_path, how, order):
    values = dict(zip("abcdef", record(tmp_path / "a.jsonl", "abcdef", **how), strict=True))
    assert run(ReplayServer(tmp_path / "a.jsonl"), order) == [values[one] for one in order]


def test_a_replay_of_smaller_and_larger_pictures(tmp_path):
    record(tmp_path / "a.jsonl", "a")
    server = ReplayServer(tmp_path / "a.jsonl")
    assert run(server, "a", side=600) == run(server, "a", side=1600) == [{"hair": "a"}]


def test_the_reply_is_the_recorded_one(tmp_path):
    record(tmp_path / "a.jsonl", "a")
    server = ReplayServer(tmp_path / "a.jsonl")
    assert (server.kind, server.model, server.url, server.notes) == ("openai", "tiny", "replay:a.jsonl", ())
    assert asyncio.run(server.models()) == ["tiny"]

    async def reply() -> Reply:
        with asking("a" * 8, 1024):
            return await server.reply(QUESTION, b"", "json_schema")

    assert asyncio.run(reply()) == asyncio.run(Fake().reply(QUESTION, b"a", "json_schema"))


def test_without_a_ladder_the_bytes_tell_the_picture(tmp_path):
    server = recorded(Fake(), Recorder(tmp_path / "a.jsonl"))
    first = asyncio.run(server.reply(QUESTION, b"q", "text"))
    asyncio.run(server.close())
    line = json.loads((tmp_path / "a.jsonl").read_text(encoding="utf-8"))
    assert line["picture"] == hashlib.sha256(b"q").hexdigest()
    assert asyncio.run(ReplayServer(tmp_path / "a.jsonl").reply(QUESTION, b"q", "text")) == first


def test_the_last_of_equal_answers(tmp_path):
    path = tmp_path / "a.jsonl"
    record(path, "a")
    path.write_text(
        path.read_text(encoding="utf-8") * 2 + path.read_text(encoding="utf-8").replace('"a\\"', '"b\\"'), "utf-8"
    )
    assert run(ReplayServer(path), "a") == [{"hair": "b"}]


def test_a_miss_names_the_picture(tmp_path):
    record(tmp_path / "a.jsonl", "a")
    server = ReplayServer(tmp_path / "a.jsonl")
    with pytest.raises(FluxcapError, match=r"a\.jsonl has the picture bbbbbbbb not at all"):
        run(server, "b")
    with pytest.raises(FluxcapError, match="aaaaaaaa with another question only"):
        run(server, "a", Question(system="", text="other", schema=SCHEMA))


@pytest.mark.parametrize(
    "other",
    [
        Question(system="x", text="t", schema=None),
        Question(system="", text="x", schema=None),
        Question(system="", text="t", schema={}),
        Question(system="", text="t", schema=None, max_tokens=1),
        Question(system="", text="t", schema=None, temperature=0.2),
        Question(system="t", text="", schema=None),
    ],
)
def test_every_part_of_a_question_counts(other):
    plain = Question(system="", text="t", schema=None)
    assert question_hash(other) != question_hash(plain) == question_hash(Question(system="", text="t", schema=None))


def test_a_cut_last_line_is_left_out_and_written_over(tmp_path):
    path = tmp_path / "a.jsonl"
    record(path, "abc")
    path.write_bytes(path.read_bytes()[:-20])
    server = ReplayServer(path)
    assert "last line of a.jsonl was cut off" in server.notes[0]
    assert run(server, "ab") == [{"hair": "a"}, {"hair": "b"}]
    record(path, "d")
    again = ReplayServer(path)
    assert not again.notes
    assert run(again, "abd") == [{"hair": "a"}, {"hair": "b"}, {"hair": "d"}]


def test_a_recording_goes_on(tmp_path):
    record(tmp_path / "a.jsonl", "a")
    record(tmp_path / "a.jsonl", "b")
    assert run(ReplayServer(tmp_path / "a.jsonl"), "ab") == [{"hair": "a"}, {"hair": "b"}]


@pytest.mark.parametrize("damage", ['{"picture": "x"}', "{", '"', '{"picture": 3'])
def test_another_damaged_line_is_named(tmp_path, damage):
    path = tmp_path / "a.jsonl"
    record(path, "abc")
    lines = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([lines[0], damage, lines[2]]) + "\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"a\.jsonl line 2"):
        ReplayServer(path)
    path.write_text("\n".join([*lines, damage]) + "\n", encoding="utf-8")  # it ended: nobody was killed
    with pytest.raises(UsageError, match=r"a\.jsonl line 4"):
        ReplayServer(path)


@pytest.mark.parametrize("text", ["a letter\nto a friend\n", "a letter", '{"a": 1}\n'])
def test_another_file_is_never_touched(tmp_path, text):
    path = tmp_path / "letter.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"letter\.txt"):
        Recorder(path)
    with pytest.raises(UsageError, match=r"letter\.txt"):
        ReplayServer(path)
    assert path.read_text(encoding="utf-8") == text


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(UsageError, match="gone"):
        ReplayServer(tmp_path / "gone.jsonl")
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(UsageError, match="holds no answers"):
        ReplayServer(tmp_path / "empty.jsonl")
    with pytest.raises(FluxcapError, match=r"a\.jsonl cannot be written"):
        Recorder(tmp_path / "no folder" / "a.jsonl")


def test_several_models(tmp_path):
    path = tmp_path / "a.jsonl"
    record(path, "a")
    line = path.read_text(encoding="utf-8")
    path.write_text(line + line.replace('"tiny"', '"huge"').replace('"a\\"', '"h\\"'), encoding="utf-8")
    with pytest.raises(UsageError, match="tiny, huge"):
        ReplayServer(path)
    assert run(ReplayServer(path, "huge"), "a") == [{"hair": "h"}]
    with pytest.raises(UsageError, match="no answer of other"):
        ReplayServer(path, "other")
