"""A prompt for the LoRA of a folder, from what its store holds. No source is asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from fluxcap import session as sessions
from fluxcap.errors import UsageError
from fluxcap.prompting import Prompted
from fluxcap.prompting import prompt as write
from fluxcap.session import Session, opened
from fluxcap.think import think
from fluxcap.tokens import count, locate
from fluxcap.tokens import target as target_of
from fluxcap.translate import not_to_be_used
from fluxcap.types import Evidence


def prompt(folder: Path, wish: str, *, target: str | None = None) -> Prompted:
    """Write the prompt for a wish; ``target`` is the base model that is prompted, where it is another than the captions'.

    Raises ``UsageError`` for a folder that fluxcap has not looked at, an unknown target, an empty wish, or one that must not be.
    """
    if not wish.strip():
        raise UsageError("the wish is empty", 'say what the picture shows: "in a red coat on a beach"')
    with opened(folder, {"target": target} if target else None, read_only=True) as session:
        images = sessions.stored_images(session)
        wording = session.wording
        text = f"{wish}, {wording.class_word}"
        said = Evidence(image_id="", slot="wish", value=text, tags=(), confidence=1.0, source="human")
        if why := not_to_be_used([said]):
            raise UsageError(f"no prompt is written that sexualises a minor ({why})")
        thought = think(session, images, session.captions.take_stock(images))
        done = write(wish, wording, [one.traits for one in thought.pictures], thought.bindings)
        return replace(done, notes=tuple(_too_long(session, done)))


def _too_long(session: Session, done: Prompted) -> Iterator[str]:
    """Texts that are longer than the encoder reads that gets them."""
    where = locate(session.folder / session.project.tokenizers if session.project.tokenizers else None)
    aim = target_of(session.project.target)
    for text, is_clip in ((done.clip, True), (done.t5, False)):
        for one in count(text, aim, where):
            if (one.encoder == "clip") == is_clip and one.lost:
                lost = text[one.truncated_at or 0 :].strip(" ,.")
                yield f"{one.name} reads {one.limit} of {one.tokens} tokens; it does not see: {lost}"
