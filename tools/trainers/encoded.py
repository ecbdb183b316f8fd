"""What a trainer gave to its tokenizers, against the approved captions. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

Rewrite = Callable[[str], str]


def as_it_stands(text: str) -> str:
    return text


def ai_toolkit(text: str) -> str:
    """It splits a caption at its commas and puts ', ' between (toolkit/dataloader_mixins.py, ``get_caption``)."""
    return ", ".join(text.split(","))


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One text as a tokenizer got it, and the numbers of its tokens without the padding behind them."""

    tokenizer: str
    text: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One caption: which tokenizers got it letter by letter, or rewritten in the known way, or not at all."""

    file: str
    caption: str
    letters: tuple[str, ...]
    rewritten: tuple[str, ...]
    other_tokens: tuple[str, ...]

    def __bool__(self) -> bool:
        """Both encoders got what was approved: the text itself, or one that gives the same tokens."""
        return len({*self.letters, *self.rewritten}) >= 2 and not self.other_tokens


def notes(lines: Iterable[str]) -> list[Note]:
    """What the spy wrote down, line by line."""
    found = []
    for line in lines:
        row = json.loads(line)
        rows = row["ids"] if row["ids"] and isinstance(row["ids"][0], list) else [row["ids"]]
        for text, ids in zip(row["texts"], rows, strict=True):
            found.append(Note(tokenizer=row["tokenizer"], text=text, ids=without_padding(ids, row["pad"])))
    return found


def without_padding(ids: Sequence[int], pad: int) -> tuple[int, ...]:
    """Without what fills up to the encoder's length; CLIP's end sign, which it fills with, goes too."""
    end = len(ids)
    while end and ids[end - 1] == pad:
        end -= 1
    return tuple(ids[:end])


def compare(captions: Mapping[str, str], found: Iterable[Note], own: Iterable[Note], rewrite: Rewrite) -> list[Seen]:
    """Caption by caption (by file); ``own`` are the approved captions as the same tokenizers number them."""
    found = list(found)
    right = {(note.tokenizer, note.text): note.ids for note in own}
    seen = []
    for file, caption in captions.items():
        letters = {note.tokenizer for note in found if note.text == caption}
        changed = [note for note in found if note.text == rewrite(caption) and note.text != caption]
        wrong = {note.tokenizer for note in changed if note.ids != right[note.tokenizer, caption]}
        seen.append(
            Seen(
                file=file,
                caption=caption,
                letters=tuple(sorted(letters)),
                rewritten=tuple(sorted({note.tokenizer for note in changed})),
                other_tokens=tuple(sorted(wrong)),
            )
        )
    return seen


def unasked(captions: Iterable[str], prompts: Iterable[str], found: Iterable[Note], rewrite: Rewrite) -> list[str]:
    """Texts that a trainer encoded and that are neither captions nor sample prompts, each once; '' is the dropped caption."""
    known = {"", *prompts}
    for caption in captions:
        known |= {caption, rewrite(caption)}
    return sorted({note.text for note in found} - known)
