"""Prompts as a person brings them: one text, a text for each encoder, or a file of them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fluxcap.comfyui.graphs import Prompt
from fluxcap.comfyui.planning import named
from fluxcap.errors import UsageError
from fluxcap.textfiles import read_text
from fluxcap.vocabulary import is_explicit_text, of_minors


def prompts(
    texts: Sequence[str] = (), clip: str | None = None, t5: str | None = None, file: Path | None = None
) -> tuple[Prompt, ...]:
    """All prompts that were given, each with a name.

    A file holds one prompt a line: JSON as ``fluxcap prompt --json`` prints it ({"clip": ..., "t5": ..., "name": ...}), or plain
    text, for both encoders. Raises ``UsageError`` where there is none, or only one of the two texts.
    """
    if (clip is None) != (t5 is None):
        raise UsageError("--clip and --t5 belong together", "give both, or --prompt for one text")
    found = [Prompt(clip=text, t5=text) for text in texts]
    if clip is not None and t5 is not None:
        found.append(Prompt(clip=clip, t5=t5))
    if file is not None:
        found += _read(file)
    if not found:
        raise UsageError("there is no prompt", "write --prompt TEXT, --clip TEXT --t5 TEXT, or --prompts FILE")
    if any(not one.t5.strip() for one in found):
        raise UsageError("a prompt is empty", "write what the picture shows")
    for one in found:
        if of_minors(both := f"{one.clip}, {one.t5}") and is_explicit_text(both):
            raise UsageError("no picture is made that sexualises a minor")
    return named(found)


def _read(file: Path) -> list[Prompt]:
    text = read_text(file)
    if text is None:
        raise UsageError(f"{file} is not there", "write one prompt a line into it")
    return [
        _line(line.strip(), f"{file.name}, line {place}")
        for place, line in enumerate(text.splitlines(), start=1)
        if line.strip()
    ]


def _line(line: str, where: str) -> Prompt:
    if not line.startswith("{"):
        return Prompt(clip=line, t5=line)
    try:
        data: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{where} is no JSON", "write one prompt a line, as text or as JSON") from error
    clip, t5, name = (data.get(key, "") for key in ("clip", "t5", "name"))
    if not all(isinstance(one, str) for one in (clip, t5, name)) or not (t5 or clip):
        raise UsageError(f'{where} has no "t5"', 'write it like {"clip": "ohwx, beach", "t5": "ohwx on a beach"}')
    return Prompt(clip=clip or t5, t5=t5 or clip, name=name)
