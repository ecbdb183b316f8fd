"""Words that an encoder cannot read: T5 knows few signs beyond English, and puts one and the same <unk> for all others."""

from __future__ import annotations

import unicodedata

from fluxcap.tokens.tables import Target, encoder


def unknown_words(text: str, target: Target) -> tuple[str, ...]:
    """The words of a text that hold a sign which an encoder of the target does not know, each once, in their order.

    Exact without a tokenizer file: T5's vocabulary holds each sign that it knows as a piece of its own.
    """
    known = [signs for limit in target.limits if (signs := encoder(limit.encoder).signs) is not None]
    found = (word for word in text.split() if any(not set(_normal(word)) <= signs for signs in known))
    return tuple(dict.fromkeys(found))


def _normal(word: str) -> str:
    return unicodedata.normalize("NFKC", word)
