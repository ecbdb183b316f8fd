"""A vision model that answers what it was given: for tests, and for trying things without a model."""

from __future__ import annotations

from collections.abc import Callable

from fluxcap.vlms.types import Form, Question, Reply


class Fake:
    """Answers by ``answer``, which is given the question and the JPEG and may raise any error of ``types``."""

    kind = "fake"
    url = ""

    def __init__(self, answer: Callable[[Question, bytes], str], *, model: str = "fake") -> None:
        self.model = model
        self.asked = 0
        self._answer = answer

    async def reply(self, question: Question, jpeg: bytes, form: Form) -> Reply:
        """The answer, at once; every form is taken."""
        self.asked += 1
        text = self._answer(question, jpeg)
        return Reply(text=text, finish="stop", prompt_tokens=None, answer_tokens=None, seconds=0.0)

    async def models(self) -> list[str]:
        """Its one name."""
        return [self.model]

    async def close(self) -> None:
        """Nothing to let go of."""
