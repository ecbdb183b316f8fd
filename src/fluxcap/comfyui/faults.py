"""What ComfyUI answers when it will not, in one line: refused graphs, and graphs that broke while they ran. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_MOST = 200  # characters of what the server says


def refusal(answer: Any) -> str:
    """Why POST /prompt refused, from its answer: the first error of a node, else the error as a whole."""
    if not isinstance(answer, dict):
        return f"it answered: {short(answer)}"
    nodes = answer.get("node_errors")
    for name, fault in nodes.items() if isinstance(nodes, dict) else ():
        errors = fault.get("errors") if isinstance(fault, dict) else None
        for error in errors if isinstance(errors, list) else ():
            if isinstance(error, dict):
                what = fault.get("class_type") or name
                return f"{what}: {short(error.get('message') or error.get('type'))} ({short(error.get('details'))})"
    error = answer.get("error")
    if isinstance(error, dict):
        details = short(error.get("details"))
        return f"{short(error.get('message') or error.get('type'))}{f' ({details})' if details else ''}"
    return f"it answered: {short(error or answer)}"


def breakdown(entry: Mapping[str, Any]) -> str:
    """Why a graph broke off, from its entry in the history; '' where it did not."""
    status = entry.get("status")
    if not isinstance(status, dict) or status.get("status_str") != "error":
        return ""
    messages = status.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, list) or len(message) < 2 or not isinstance(message[1], dict):
            continue
        kind, data = message[0], message[1]
        if kind == "execution_interrupted":
            return "it was interrupted"
        if kind == "execution_error":
            where = data.get("node_type") or data.get("node_id") or "a node"
            return f"{where}: {short(data.get('exception_message') or data.get('exception_type'))}"
    return "ComfyUI does not say why"


def short(text: object) -> str:
    """One line, not long."""
    line = " ".join(str("" if text is None else text).split())
    return line if len(line) <= _MOST else f"{line[: _MOST - 1]}…"
