"""Where a word or phrase stands in a caption, and how a message shows it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from fluxcap.checks.types import CheckInput
from fluxcap.talk import plain
from fluxcap.vocabulary import Mention

_LETTER = r"[\w\u0300-\u036f]"
_SHOWN = 60
"""Characters of a caption that a message shows."""


def find(text: str, phrase: str, *, any_case: bool = False) -> list[tuple[int, int]]:
    """The places (start, end) of a phrase as whole words; any white space may stand between its words.

    A letter, digit or underscore beside it makes it another word ('ohwx' is not in 'ohwxy'). A hyphen or another sign does
    not: the encoders cut there.
    """
    parts = phrase.split()
    if not parts:
        return []
    before = rf"(?<!{_LETTER})" if re.match(_LETTER, parts[0]) else ""
    after = rf"(?!{_LETTER})" if re.match(_LETTER, parts[-1][-1]) else ""
    pattern = before + r"\s+".join(re.escape(part) for part in parts) + after
    return [match.span() for match in re.finditer(pattern, text, re.IGNORECASE if any_case else 0)]


def is_first(text: str, start: int) -> bool:
    """Whether only space and signs stand before this place."""
    return not any(sign.isalnum() for sign in text[:start])


def has_words(item: CheckInput) -> bool:
    """Whether the caption says anything at all; without it only ``empty-caption`` speaks."""
    return any(sign.isalnum() for sign in item.text) or bool(find(item.text, item.trigger))


def mentions(item: CheckInput) -> Iterator[Mention]:
    """What the caption says, but for the trigger word, the class word and text that is only quoted."""
    skipped = [*find(item.text, item.trigger), *find(item.text, item.class_word, any_case=True)]
    skipped += [(span.start, span.end) for span in item.spans or () if span.slot == "text"]
    skipped += quotations(item.text)
    for mention in item.mentions:
        if mention.slot == "text" or not any(start <= mention.start and mention.end <= end for start, end in skipped):
            yield mention


def quotations(text: str) -> list[tuple[int, int]]:
    """The places between quotation marks on one line: words that stand in the picture."""
    return [found.span() for found in re.finditer(r"[\"“„«][^\"“”„«»\n]*[\"”“»]", text)]


def quoted(text: str, start: int, end: int) -> str:
    """A piece of the caption for a message: in quotes, on one line, its beginning where it is long."""
    piece = " ".join(text[start:end].split())
    return f'"{piece}"' if len(piece) <= _SHOWN else f'"{piece[: _SHOWN - 1].rstrip()}…"'


def listed(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def judged(item: CheckInput) -> str:
    """The caption as its wording is judged, sign for sign: quoted text and the trigger word are hidden."""
    return plain(item.text, item.trigger)


def whole(text: str | None, item: CheckInput, faults: Callable[[str], Sequence[object]]) -> str | None:
    """A mended caption if it is one: not the old text, not empty, and without the faults."""
    if text is None:
        return None
    text = text.strip()
    if text == item.text.strip() or not any(sign.isalnum() for sign in plain(text, item.trigger)):
        return None
    return None if faults(text) else text
