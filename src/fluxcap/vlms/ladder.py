"""One question, asked in ever simpler ways until the answer can be used: by schema, as JSON, as text, with a smaller picture."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from fluxcap.errors import FluxcapError
from fluxcap.vlms.answers import is_looping, is_refusal, parse, storable, strip_preamble, whole_sentences
from fluxcap.vlms.replay import asking
from fluxcap.vlms.types import Form, FormRefused, Question, Reply, Server, TooLarge

FORMS: tuple[Form, ...] = ("json_schema", "json_object", "text")
LEAST_SIDE = 448
"""Pixels; a smaller picture shows too little."""

_WARMER = 0.6
"""The temperature of prose that is asked for again: at the first one the same loop would come back."""

_MISSES = 3
"""Pictures in a row that the first form did not answer and a later one did; then the later one is asked first."""

_REFUSAL = "the model refuses to answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An answer that can be used: ``values`` by key (None for prose), ``text`` as it came (prose: without its preamble).

    ``side`` is the long side of the picture sent, in pixels; ``tries`` counts questions, also those that the server refused.
    """

    values: dict[str, object] | None
    text: str
    form: Form
    side: int
    tries: int
    replies: tuple[Reply, ...]


class Unanswered(FluxcapError):
    """No way of asking brought an answer that can be used; ``reason`` is in words, ``replies`` are what came."""

    def __init__(self, reason: str, hint: str = "", *, replies: tuple[Reply, ...] = ()) -> None:
        super().__init__(f"no answer that can be used: {reason}", hint)
        self.reason = reason
        self.replies = replies


class Ladder:
    """Asks one server, and keeps in mind which form it takes and how large its pictures may be."""

    def __init__(self, server: Server, side: int = 1024, forms: Sequence[Form] | None = None) -> None:
        self.server = server
        self._side = side
        self._forms = tuple(forms) if forms is not None else FORMS
        self._misses = 0

    @property
    def side(self) -> int:
        """The long side, in pixels, of the pictures that the server takes."""
        return self._side

    async def ask(self, question: Question, picture: Callable[[int], bytes], picture_id: str = "") -> Asked:
        """The first usable answer. ``picture`` gives JPEG bytes for a long side in pixels, and is called in a thread.

        ``picture_id`` (the sha256 of the picture) is what a recording knows the picture by. Raises ``Unanswered``, whatever
        ``picture`` raises, and the server's errors but for ``FormRefused`` and ``TooLarge``, which it goes round.
        """
        climb = _Climb(self.server, question, picture, picture_id)
        if question.schema is None:
            return await self._prose(climb, question)
        return await self._object(climb)

    async def _object(self, climb: _Climb) -> Asked:
        first, refusals, reason = self._forms[0], 0, ""
        for form in self._forms:
            if form not in self._forms:  # refused for another picture meanwhile
                continue
            try:
                reply, side = await self._reply(climb, form)
            except FormRefused:
                if self._forms == (form,):
                    raise
                self._forms = tuple(one for one in self._forms if one != form)
                continue
            values, reason = _read(climb.question, reply)
            if values is not None:
                self._remember(first, form)
                return climb.asked(values, reply.text, form, side)
            refusals += reason == _REFUSAL
            if refusals > 1:
                raise Unanswered(reason, "another model may answer", replies=tuple(climb.replies))
        form = self._forms[-1]
        for side in _smaller(self._side):
            reply, side = await self._reply(climb, form, side)
            values, reason = _read(climb.question, reply)
            if values is not None:
                return climb.asked(values, reply.text, form, side)
            refusals += reason == _REFUSAL
            if refusals > 1:
                break
        raise Unanswered(reason, "another model may answer", replies=tuple(climb.replies))

    def _remember(self, first: Form, form: Form) -> None:
        if first != self._forms[0]:
            return
        self._misses = self._misses + 1 if form != first else 0
        if self._misses >= _MISSES:
            self._forms = self._forms[self._forms.index(form) :]
            self._misses = 0

    async def _prose(self, climb: _Climb, question: Question) -> Asked:
        reason = ""
        for temperature in (question.temperature, max(question.temperature, _WARMER)):
            climb.question = replace(question, temperature=temperature)
            reply, side = await self._reply(climb, "text")
            text = strip_preamble(reply.text)
            if reply.finish == "length":
                text = whole_sentences(text)
            reason = _fault(reply, text)
            if not reason:
                return climb.asked(None, text, "text", side)
        raise Unanswered(reason, "another model may answer", replies=tuple(climb.replies))

    async def _reply(self, climb: _Climb, form: Form, side: int | None = None) -> tuple[Reply, int]:
        """A reply, by a smaller picture where the server takes none that large; and the side that it took."""
        wanted = min(side or self._side, self._side)
        while True:
            try:
                return await climb.reply(form, wanted), wanted
            except TooLarge as error:
                smaller = next(_smaller(wanted), None)
                if smaller is None:
                    reason = f"too large even at {wanted} pixels ({error.message})"
                    raise Unanswered(reason, error.hint, replies=tuple(climb.replies)) from error
                wanted = smaller
                self._side = min(self._side, smaller)


class _Climb:
    """One picture on its way down the ladder."""

    def __init__(self, server: Server, question: Question, picture: Callable[[int], bytes], picture_id: str) -> None:
        self.question = question
        self.replies: list[Reply] = []
        self.tries = 0
        self._server = server
        self._picture = picture
        self._picture_id = picture_id
        self._made: tuple[int, bytes] | None = None

    async def reply(self, form: Form, side: int) -> Reply:
        if self._made is None or self._made[0] != side:
            self._made = (side, await asyncio.to_thread(self._picture, side))
        self.tries += 1
        with asking(self._picture_id, side):
            reply = await self._server.reply(self.question, self._made[1], form)
        reply = replace(reply, text=storable(reply.text))
        self.replies.append(reply)
        return reply

    def asked(self, values: dict[str, object] | None, text: str, form: Form, side: int) -> Asked:
        return Asked(values=values, text=text, form=form, side=side, tries=self.tries, replies=tuple(self.replies))


async def ask(
    server: Server,
    question: Question,
    picture: Callable[[int], bytes],
    *,
    side: int = 1024,
    forms: Sequence[Form] | None = None,
    picture_id: str = "",
) -> Asked:
    """One question to a server of which nothing is known yet; see ``Ladder.ask``."""
    return await Ladder(server, side, forms).ask(question, picture, picture_id)


def _smaller(side: int) -> Iterator[int]:
    while (side := side * 3 // 4) >= LEAST_SIDE:
        yield side


def _read(question: Question, reply: Reply) -> tuple[dict[str, object] | None, str]:
    """The object of an answer, or None and what is wrong with it."""
    values = parse(reply.text)
    keys = (question.schema or {}).get("properties") or {}
    if values is not None and reply.finish not in ("length", "content_filter") and not is_refusal(reply.text):
        asked = [value for key, value in values.items() if key in keys] if keys else list(values.values())
        if any(value is not None and value != "" and value != [] for value in asked):
            return values, ""
        return None, "it says nothing of what was asked"
    return None, _fault(reply, reply.text) or ("it was cut off" if reply.finish == "length" else "it is no JSON object")


def _fault(reply: Reply, text: str) -> str:
    """What is wrong with a text whatever its form; empty if nothing is."""
    if reply.finish == "content_filter" or is_refusal(reply.text):
        return _REFUSAL
    if is_looping(reply.text):
        return "it repeats itself"
    return "" if text.strip() else "it is empty"
