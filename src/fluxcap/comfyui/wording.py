"""Texts as ComfyUI reads them: what has a meaning of its own there is written so that the text encoders see the caption's words."""

from __future__ import annotations

import re


def escape(text: str) -> str:
    r"""A text for a prompt that is sent to the server: ``(`` and ``)`` are weights there, ``\(`` and ``\)`` are themselves.

    A backslash alone is itself (``escape_important`` in comfy/sd1_clip.py), so none is doubled. ``embedding:`` at the start of a
    word would be taken for a file and dropped with the word behind it; a blank parts it. Line breaks and invisible signs become
    blanks, as in a caption.
    """
    text = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text).strip()
    text = re.sub(r"(?<!\S)embedding:", "embedding :", text, flags=re.IGNORECASE)
    return text.replace("(", "\\(").replace(")", "\\)")


def escape_for_browser(text: str) -> str:
    r"""A text for a workflow that the browser opens: beside ``escape``, it picks one of ``{a|b}`` and drops ``// ...`` and ``/* ... */``.

    Braces get a backslash, comment signs a blank. A backslash that would take the sign behind it along is left out: before a
    brace, before another one, and at the end.
    """
    text = escape(re.sub(r"\\(?=[\\{}|]|\s*$)", "", text))
    text = re.sub(r"/(?=[/*])", "/ ", text)
    return re.sub(r"([{}|])", r"\\\1", text)
