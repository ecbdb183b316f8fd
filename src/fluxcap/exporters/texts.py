"""Texts as trainers read them: captions on one line, sample prompts without a trainer's own signs, names for files."""

from __future__ import annotations

import re
import unicodedata

_NEWLINE_LIKE = re.compile(r"\s+")


def one_line(text: str) -> str:
    """A caption on one line: breaks and runs of blanks become one blank, byte order marks and control signs go."""
    seen = "".join(sign for sign in text if sign.isspace() or (sign != "\ufeff" and not _is_control(sign)))
    return _NEWLINE_LIKE.sub(" ", seen).strip()


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cs")


def prompt_for_trainer(text: str) -> str:
    """A sample prompt on one line without what trainers take for their own.

    ai-toolkit splits a prompt at '--', sd-scripts and musubi-tuner at ' --'; ai-toolkit expands ``${NAME}`` and replaces
    ``[name]`` and ``[trigger]``; sd-scripts takes a line that begins with '#' for a comment.
    """
    plain = re.sub(r"-{2,}", "-", one_line(text)).replace("${", "$ {")
    plain = re.sub(r"\[(name|trigger)\]", r"(\1)", plain)
    return plain.lstrip("# ")


def placeholders(text: str) -> list[str]:
    """What ai-toolkit would replace in a caption, without a word."""
    return re.findall(r"\[(?:name|trigger)\]", text)


def tight_commas(text: str) -> str:
    """Without the blank after commas: ai-toolkit splits captions at commas and puts ', ' between, so that blanks double."""
    return re.sub(r",\s+", ",", text)


def file_name(text: str) -> str:
    """A text as part of a file name in any trainer: ASCII letters, digits and '-'; 'lora' where nothing is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9]+", "-", plain).strip("-").lower()[:40] or "lora"
