"""The ladder: from rung to rung until an answer can be used, what it keeps in mind, and what it leaves alone."""

from __future__ import annotations

import asyncio
import json
import threading

import pytest

from fluxcap.vlms.ladder import Asked, Ladder, Unanswered, ask
from fluxcap.vlms.types import (
    Busy,
    Denied,
    Down,
    FormRefused,
    NotReady,
    NoVision,
    Question,
    Reply,
    TooLarge,
    UnknownModel,
)

GOOD = '{"hair": "red"}'
NO = "I'm sorry, but I can't help with that."
SCHEMA = {"type": "object", "properties": {"hair": {"type": "string"}, "mouth": {"type": "string"}}}
QUESTION = Question(system="You see.", text="What is visible?", schema=SCHEMA)
PROSE = Question(system="You see.", text="Describe it.", schema=None)


def said(text: str, finish: str = "stop") -> Reply:
    return Reply(text=text, finish=finish, prompt_tokens=1, answer_tokens=2, seconds=0.1)


class Scripted:
    """Answers in order; the last answer goes on for ever. ``seen`` holds (form, bytes of the picture, temperature)."""

    kind, model, url = "fake", "tiny", "fake:"

    def __init__(self, *script: Reply | str | Exception) -> None:
        self.script = list(script)
        self.seen: list[tuple[str, bytes, float]] = []

    async def reply(self, question: Question, jpeg: bytes, form: str) -> Reply:
        self.seen.append((form, jpeg, question.temperature))
        turn = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(turn, Exception):
            raise turn
        return said(turn) if isinstance(turn, str) else turn

    async def models(self) -> list[str]:
        return [self.model]

    async def close(self) -> None:
        pass

    @property
    def rungs(self) -> list[tuple[str, int]]:
        return [(form, int(jpeg)) for form, jpeg, _ in self.seen]


def picture(side: int) -> bytes:
    return str(side).encode()


def answer(ladder: Ladder, question: Question = QUESTION) -> Asked:
    return asyncio.run(ladder.ask(question, picture))


LOOP = '{"hair": "red",' + "\n" * 300
UNUSABLE = {
    "empty": "",
    "blank": " \n",
    "no object": "She has red hair.",
    "empty object": "{}",
    "nothing asked": '{"type": "object", "colour": "red"}',
    "only empty values": '{"hair": "", "mouth": null}',
    "loop": LOOP,
    "cut": said('{"hair": "red", "mouth": "clo', "length"),
    "at its length": said(GOOD, "length"),
    "filtered": said(GOOD, "content_filter"),
    "refusal": NO,
    "refusal as JSON": json.dumps({"hair": NO}),
}


def test_a_good_answer_at_once():
    server = Scripted(GOOD)
    found = answer(Ladder(server))
    assert found == Asked(
        values={"hair": "red"}, text=GOOD, form="json_schema", side=1024, tries=1, replies=(said(GOOD),)
    )
    assert server.rungs == [("json_schema", 1024)]


@pytest.mark.parametrize("bad", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_the_next_form(bad):
    server = Scripted(bad, GOOD)
    found = answer(Ladder(server))
    assert (found.values, found.form, found.tries, len(found.replies)) == ({"hair": "red"}, "json_object", 2, 2)


def test_down_to_smaller_pictures():
    server = Scripted("", "", "", "", GOOD)
    assert answer(Ladder(server)).side == 576
    assert server.rungs == [
        ("json_schema", 1024), ("json_object", 1024), ("text", 1024), ("text", 768), ("text", 576),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("", "empty"),
        ("red hair", "no JSON object"),
        (LOOP, "repeats itself"),
        (said('{"hair": "r', "length"), "cut off"),
        ("{}", "nothing of what was asked"),
    ],
)
def test_left_unanswered_with_the_reason(bad, reason):
    server = Scripted(bad)
    with pytest.raises(Unanswered, match=reason) as left:
        answer(Ladder(server))
    assert len(server.seen) == len(left.value.replies) == 5
    assert "\n" not in str(left.value)


def test_a_second_refusal_is_taken_for_an_answer():
    server = Scripted(NO)
    with pytest.raises(Unanswered, match="refuses to answer"):
        answer(Ladder(server))
    assert len(server.seen) == 2


def test_a_refused_form_is_kept_in_mind():
    server = Scripted(FormRefused("no schema"), GOOD)
    ladder = Ladder(server)
    assert answer(ladder).tries == 2
    assert answer(ladder).tries == 1
    assert [form for form, _ in server.rungs] == ["json_schema", "json_object", "json_object"]


def test_a_form_refused_to_many_at_once():
    class TextOnly(Scripted):
        async def reply(self, question, jpeg, form):
            self.seen.append((form, jpeg, 0))
            await asyncio.sleep(0)
            if form != "text":
                raise FormRefused(form)
            return said(GOOD)

    async def many():
        ladder = Ladder(TextOnly(""))
        return await asyncio.gather(*(ladder.ask(QUESTION, picture) for _ in range(8)))

    assert {found.form for found in asyncio.run(many())} == {"text"}


def test_every_form_refused():
    with pytest.raises(FormRefused):
        answer(Ladder(Scripted(FormRefused("none at all"))))


def test_a_form_that_never_works_is_left_out_after_three_pictures():
    class EmptyBySchema(Scripted):
        async def reply(self, question, jpeg, form):
            self.seen.append((form, jpeg, 0))
            return said("" if form == "json_schema" else GOOD)

    server = EmptyBySchema("")
    ladder = Ladder(server)
    assert [answer(ladder).tries for _ in range(5)] == [2, 2, 2, 1, 1]


def test_a_form_that_fails_now_and_then_stays():
    server = Scripted("", GOOD, "", GOOD, GOOD, "", GOOD, "", GOOD, GOOD)
    ladder = Ladder(server)
    assert [answer(ladder).form for _ in range(6)] == [
        "json_object", "json_object", "json_schema", "json_object", "json_object", "json_schema",
    ]  # fmt: skip


def test_too_large_goes_smaller_at_once_and_stays_there():
    server = Scripted(TooLarge("too many tokens"), TooLarge("too many tokens"), GOOD)
    ladder = Ladder(server)
    assert answer(ladder).side == 576
    assert answer(ladder).side == 576
    assert server.rungs == [("json_schema", side) for side in (1024, 768, 576, 576)]


def test_too_large_at_any_size():
    server = Scripted(TooLarge("8,000 tokens are too many", "a larger context"))
    with pytest.raises(Unanswered, match=r"576 pixels \(8,000 tokens.*a larger context"):
        answer(Ladder(server))
    assert len(server.seen) == 3


def test_a_smaller_picture_for_a_bad_answer_is_not_kept_in_mind():
    server = Scripted("", "", "", GOOD, GOOD)
    ladder = Ladder(server)
    assert [answer(ladder).side, answer(ladder).side] == [768, 1024]


@pytest.mark.parametrize(
    "error",
    [Busy("busy"), NotReady("loading"), Down("down"), Denied("no"), UnknownModel("which"), NoVision("blind")],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("question", [QUESTION, PROSE], ids=["traits", "prose"])
def test_what_is_not_the_ladders_business(error, question):
    server = Scripted(error)
    with pytest.raises(type(error)):
        answer(Ladder(server), question)
    assert len(server.seen) == 1


def test_prose():
    server = Scripted("Sure, here is a caption: A woman in red.")
    found = answer(Ladder(server), PROSE)
    assert (found.values, found.text, found.form) == (None, "A woman in red.", "text")


@pytest.mark.parametrize("bad", ["", NO, "la " * 90, said("A woman in", "length")])
def test_prose_once_more_and_warmer(bad):
    server = Scripted(bad, "A woman in red.")
    assert answer(Ladder(server), PROSE).text == "A woman in red."
    assert [temperature for _, _, temperature in server.seen] == [0.1, 0.6]
    with pytest.raises(Unanswered):
        answer(Ladder(again := Scripted(bad)), PROSE)
    assert len(again.seen) == 2


def test_prose_that_was_cut_keeps_its_whole_sentences():
    server = Scripted(said("A woman in red. She sta", "length"))
    assert answer(Ladder(server), PROSE).text == "A woman in red."


def test_the_picture_is_made_once_for_a_size_and_in_a_thread():
    made = []

    def make(side: int) -> bytes:
        made.append((side, threading.current_thread() is threading.main_thread()))
        return b"1"

    asyncio.run(
        ask(Scripted("", "", "", GOOD), QUESTION, make, side=1000, forms=("json_schema", "json_object", "text"))
    )
    assert made == [(1000, False), (750, False)]


def test_forms_that_are_wanted():
    server = Scripted("", GOOD)
    found = asyncio.run(ask(server, QUESTION, picture, side=600, forms=("json_object",)))
    assert server.rungs == [("json_object", 600), ("json_object", 450)]
    assert found.side == 450


def test_half_characters_can_be_stored():
    found = answer(Ladder(Scripted('{"hair": "red \ud83d"}')))
    assert found.values == {"hair": "red ?"}
    assert found.text.encode("utf-8")
