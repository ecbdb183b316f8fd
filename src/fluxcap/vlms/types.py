"""What a vision language model is asked, what it says, and what may go wrong on the way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from fluxcap.errors import FluxcapError

Form = Literal["json_schema", "json_object", "text"]
"""How the answer is held to its form: by the schema, as any JSON object, or by the words of the question only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked about one picture. ``schema`` is the JSON schema of the answer; None where prose is wanted."""

    system: str
    text: str
    schema: Mapping[str, Any] | None
    max_tokens: int = 700
    temperature: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: the text, why it ended ('stop', 'length' ...), tokens where the server tells them, seconds taken."""

    text: str
    finish: str
    prompt_tokens: int | None
    answer_tokens: int | None
    seconds: float


class Server(Protocol):
    """One model behind one address. Any number of questions may be under way at once."""

    kind: str
    model: str
    url: str

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        """The answer to one question about one picture (JPEG bytes). Raises the errors below."""
        ...

    async def models(self) -> list[str]:
        """The names of the models that the server has."""
        ...

    async def close(self) -> None:
        """Let go of its connections."""
        ...


class Busy(FluxcapError):
    """The server has too much to do; ``retry_after`` is in seconds, where it says when to come back."""

    def __init__(self, message: str, hint: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class NotReady(FluxcapError):
    """The model is still being loaded."""


class TooLarge(FluxcapError):
    """The picture, or the question with it, is more than the model takes."""


class FormRefused(FluxcapError):
    """The server does not hold answers to this form."""


class NoVision(FluxcapError):
    """The model takes no pictures."""


class Down(FluxcapError):
    """Nobody answers, in time or at all, or the server failed."""


class Unreachable(Down):
    """No connection came about, or it broke off."""


class Denied(FluxcapError):
    """The key is missing or wrong."""


class UnknownModel(FluxcapError):
    """The server has no model of that name."""
