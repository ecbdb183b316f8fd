"""The text in a chat message, wherever a model or its server has put it."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_THINKING = r"(?:think|thinking|thought|reasoning)"
_THOUGHT = re.compile(rf"<({_THINKING})>.*?</\1>|◁think▷.*?◁/think▷", re.DOTALL | re.IGNORECASE)
_END = re.compile(rf"</{_THINKING}>|◁/think▷", re.IGNORECASE)
_BEGIN = re.compile(rf"(?:<{_THINKING}>|◁think▷).*", re.DOTALL | re.IGNORECASE)
_MARKS = re.compile(rf"</?{_THINKING}>|◁/?think▷", re.IGNORECASE)


def without_thinking(text: str) -> str:
    """``text`` without its thinking: whole blocks, one whose beginning the template swallowed, one that was cut."""
    told = text = _THOUGHT.sub("", text)
    for end in _END.finditer(text):
        told = text[end.end() :]
    return _BEGIN.sub("", told).strip()


def text_of(message: Mapping[str, Any]) -> str:
    """What the model says: ``content``, else what the server took for thinking, else what stands in thinking marks."""
    content = _flat(message.get("content"))
    told = without_thinking(content) or _flat(message.get("refusal")).strip()
    for key in ("reasoning_content", "reasoning", "thinking"):
        told = told or _MARKS.sub("", _flat(message.get(key))).strip()
    return told or _MARKS.sub("", content).strip()


def _flat(content: object) -> str:
    """A text, or the texts among the parts that some servers send."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        parts = (part for part in content if isinstance(part, Mapping) and part.get("type") != "thinking")
        return "".join(text for part in parts if isinstance(text := part.get("text"), str))
    return ""


def object_of(text: str) -> dict[str, Any] | None:
    """The JSON object that a server answered with; None for anything else."""
    try:
        data = json.loads(text)
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def count_of(usage: object, key: str) -> int | None:
    """A number of tokens, where the server tells it."""
    number = usage.get(key) if isinstance(usage, Mapping) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None
