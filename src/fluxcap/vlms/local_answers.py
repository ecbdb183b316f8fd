"""A batch of questions about pictures -> a batch of replies, by a model in this process. Nothing here waits or queues."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fluxcap.errors import FluxcapError
from fluxcap.vlms.local_model import Opened, one_line
from fluxcap.vlms.types import NoVision, Question, Reply, TooLarge

GREEDY = 0.1
"""Up to this temperature the likeliest word is taken: the same picture gets the same answer."""

STEP = 64
"""With static shapes, prompts are padded to a multiple of this many tokens, so that few shapes are compiled."""

PROBE = ("fluxcapsystem", "fluxcapquestion")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a model's chat template wants a message: content in parts or as one text, a system message or none."""

    parts: bool
    system: bool
    mark: str
    """Where the template does not place the picture itself, what stands for it before the question."""

    def messages(self, system: str, text: str) -> list[dict[str, Any]]:
        """The conversation: the system's words, then the picture, then the question."""
        asked = text if self.system or not system else f"{system}\n\n{text}"
        user: Any = [{"type": "image"}, {"type": "text", "text": asked}] if self.parts else self.mark + asked
        said: Any = [{"type": "text", "text": system}] if self.parts else system
        first = [{"role": "system", "content": said}] if self.system and system else []
        return [*first, {"role": "user", "content": user}]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """The input of one batch, still in this machine's memory. ``seconds``: what making it took."""

    inputs: Any
    questions: tuple[Question, ...]
    seconds: float


class Answers:
    """Prepares pictures and questions, and has the model answer them. ``prepare`` may run while ``generate`` does."""

    def __init__(self, opened: Opened, name: str, *, static: bool = False) -> None:
        self._opened = opened
        self._name = name
        self._static = static
        self._shape = _shape(opened.processor, name)
        self._ends = _ends(opened)
        text_config = opened.model.config.get_text_config()
        self._most = int(getattr(text_config, "max_position_embeddings", 0) or 0)

    def prepare(self, questions: Sequence[Question], pictures: Sequence[Any]) -> Prepared:
        """Tokens and pixels of a batch; every picture is a Pillow image (RGB).

        All questions of a batch have the same ``max_tokens`` and ``temperature``. Raises ``TooLarge`` if a prompt with its
        answer is longer than the model reads.
        """
        start = time.perf_counter()
        processor = self._opened.processor
        prompts = [_render(processor, self._shape.messages(q.system, q.text)) for q in questions]
        bos = processor.tokenizer.bos_token
        options: dict[str, Any] = {"pad_to_multiple_of": STEP} if self._static else {}
        if bos and prompts[0].startswith(bos):
            options["add_special_tokens"] = False  # else the prompt begins twice
        inputs = processor(text=prompts, images=[[p] for p in pictures], padding=True, return_tensors="pt", **options)
        longest = int(inputs["attention_mask"].sum(dim=1).max())
        if self._most and longest + questions[0].max_tokens > self._most:
            raise TooLarge(
                f"picture and question take {longest} tokens and the answer {questions[0].max_tokens},"
                f" {self._name} reads {self._most}",
                "send a smaller picture",
            )
        return Prepared(inputs=inputs, questions=tuple(questions), seconds=time.perf_counter() - start)

    def generate(self, prepared: Prepared) -> list[Reply]:
        """The replies, in order. ``seconds`` is what the whole batch took."""
        import torch

        start = time.perf_counter()
        model = self._opened.model
        inputs = prepared.inputs.to(self._opened.device)
        inputs = {
            name: value.to(model.dtype) if torch.is_floating_point(value) else value for name, value in inputs.items()
        }
        with torch.inference_mode():
            made = model.generate(**inputs, generation_config=self._config(prepared.questions[0]))
        width = inputs["input_ids"].shape[1]
        rows = made[:, width:].tolist()
        lengths = inputs["attention_mask"].sum(dim=1).tolist()
        kept = [self._cut(row) for row in rows]
        texts = self._opened.processor.batch_decode(
            [row[:-1] if row and row[-1] in self._ends else row for row in kept], skip_special_tokens=True
        )
        seconds = prepared.seconds + time.perf_counter() - start
        return [
            Reply(
                text=text.strip(),
                finish="stop" if row and row[-1] in self._ends else "length",
                prompt_tokens=int(length),
                answer_tokens=len(row),
                seconds=seconds,
            )
            for text, row, length in zip(texts, kept, lengths, strict=True)
        ]

    def _cut(self, row: list[int]) -> list[int]:
        """The row up to and with its first end; what follows is padding, since the batch goes on for the others."""
        end = next((place for place, token in enumerate(row) if token in self._ends), len(row) - 1)
        return row[: end + 1]

    def _config(self, question: Question) -> Any:
        config = copy.deepcopy(self._opened.model.generation_config)
        config.max_length = None
        config.max_new_tokens = question.max_tokens
        config.pad_token_id = self._opened.processor.tokenizer.pad_token_id
        if config.eos_token_id is None:
            config.eos_token_id = sorted(self._ends)
        config.do_sample = question.temperature > GREEDY
        config.temperature = question.temperature if config.do_sample else None
        if not config.do_sample:
            config.top_p = config.top_k = config.min_p = None
        if self._static:
            config.cache_implementation = "static"
        return config


def _render(processor: Any, messages: list[dict[str, Any]]) -> str:
    template = getattr(processor, "chat_template", None) or processor.tokenizer.chat_template
    # said only where it is asked for: transformers complains of what a template does not know
    options: dict[str, Any] = {"enable_thinking": False} if "enable_thinking" in str(template) else {}
    return str(processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False, **options))


def _shape(processor: Any, name: str) -> Shape:
    """The first shape that the chat template takes without losing the picture or a word."""
    if not (getattr(processor, "chat_template", None) or getattr(processor.tokenizer, "chat_template", None)):
        raise FluxcapError(f"{name} has no chat template, so it cannot be asked", "use its variant for chat (Instruct)")
    image = str(getattr(processor, "image_token", "") or "<image>")
    why = "it leaves out the question"
    for parts in (True, False):
        for mark in ("",) if parts else ("", f"{image}\n"):
            for system in (True, False):
                shape = Shape(parts=parts, system=system, mark=mark)
                try:
                    text = _render(processor, shape.messages(*PROBE))
                except Exception as error:  # templates raise errors of their own, for system messages too
                    why = one_line(error)
                    continue
                # a template that wants plain text writes the list of parts as Python does
                if all(word in text for word in PROBE) and "'type'" not in text and image in text:
                    return shape
    raise NoVision(
        f"the chat template of {name} does not take a picture and a question ({why})", "use another vision model"
    )


def _ends(opened: Opened) -> frozenset[int]:
    """The tokens that end an answer."""
    told = opened.model.generation_config.eos_token_id
    if told is None:
        told = opened.processor.tokenizer.eos_token_id
    many: Sequence[int] = told if isinstance(told, list | tuple) else [] if told is None else [told]
    return frozenset(int(token) for token in many)
