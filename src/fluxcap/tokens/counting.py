"""Counting, with the real tokenizer or by the estimate."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from fluxcap.tokens.files import Where, counter
from fluxcap.tokens.tables import Limit, Target, encoder
from fluxcap.types import Severity

_UNIT = re.compile(r"[^\W\d_]+|\S")
_VOWEL = re.compile(r"[aeiouyAEIOUY]")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """A caption's tokens for one encoder, special tokens included.

    ``truncated_at`` is the first character that the encoder does not see (None: it sees all). ``severity`` says how bad
    that is.
    """

    encoder: str
    name: str
    tokens: int
    limit: int
    exact: bool
    truncated_at: int | None
    severity: Severity

    @property
    def lost(self) -> int:
        """How many tokens the encoder does not see."""
        return max(0, self.tokens - self.limit)


def count(text: str, target: Target, where: Where) -> tuple[Count, ...]:
    """The caption's tokens for each encoder of the target."""
    return tuple(_count(text, limit, where) for limit in target.limits)


def format_count(count: Count) -> str:
    """``CLIP 65 of 77``, ``T5 ≈ 70 of 512``, ``CLIP 122 of 77, 45 lost``."""
    about = "" if count.exact else "≈ "
    cut = "" if count.truncated_at is None else f", {count.lost} lost"
    return f"{count.name} {about}{count.tokens} of {count.limit}{cut}"


def units(text: str) -> Iterator[tuple[int, str, dict[str, float]]]:
    """What the estimate is made of: (place, word, how much of each kind it has). ``limits.toml`` holds the costs.

    ``word`` once for each word, ``long`` for its letters beyond the seventh, ``consonants`` for the letters of a word
    without a vowel (a trigger word such as 'mrgtrbb'), ``digit`` and ``mark`` for each digit and each other sign. Letters
    beyond ASCII count as signs.
    """
    for match in _UNIT.finditer(text):
        word, place = match.group(), match.start()
        foreign = sum(not letter.isascii() for letter in word)
        if not word[0].isalpha():
            parts = {"digit" if word.isdecimal() else "mark": 1.0}
        elif foreign == len(word):
            parts = {}
        elif len(word) > 1 and not _VOWEL.search(word):
            parts = {"consonants": float(len(word) - foreign)}
        else:
            parts = {"word": 1.0, "long": float(max(0, len(word) - foreign - 7))}
        if foreign and word[0].isalpha():
            parts["mark"] = float(foreign)
        yield place, word, parts


def _count(text: str, limit: Limit, where: Where) -> Count:
    tool = encoder(limit.encoder)
    text = _SURROGATE.sub("\ufffd", text)
    real = counter(tool, where)
    room = limit.limit - tool.overhead
    cut: int | None = None
    if real is not None:
        places = real(text)
        used = len(places)
        if used > room:
            cut = places[room][0]
    else:
        total = 0.0
        for place, word, parts in units(text):
            known = tool.words.get(word)
            part = sum(tool.estimate[kind] * amount for kind, amount in parts.items()) if known is None else known
            total += part * tool.estimate["margin"]
            if cut is None and math.ceil(total) > room:
                cut = place
        used = math.ceil(total)
    if cut is not None:
        rest = text[cut:]
        cut = cut + len(rest) - len(rest.lstrip()) if rest.strip() else None
    return Count(
        encoder=tool.id,
        name=tool.name,
        tokens=used + tool.overhead,
        limit=limit.limit,
        exact=real is not None and tool.overhead_exact,
        truncated_at=cut,
        severity=limit.severity,
    )
