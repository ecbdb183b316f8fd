"""What an export has to say of captions beyond the check: what refuses it, and what a trainer's encoder cannot read. Pure.

=======  ========  =================================================================
code     severity  meaning
=======  ========  =================================================================
EXP001   error     nothing is left of a caption on one line
EXP002   error     the trigger word is not in a caption letter by letter
EXP003   error     a placeholder of ai-toolkit stands in a caption ([trigger], [name])
EXP004   warning   words that an encoder of the target cannot read (<unk>)
EXP005   error     a picture cannot be read, or is another one than fluxcap looked at
EXP006   error     the trigger word holds what a trainer takes for its own ('--', '${', '[name]')
=======  ========  =================================================================
"""

from __future__ import annotations

from collections.abc import Iterator

from fluxcap.exporters import one_line, placeholders, prompt_for_trainer
from fluxcap.think import Thought
from fluxcap.tokens import Target, unknown_words
from fluxcap.types import Issue

_SHOWN = 5


def caption_issues(thought: Thought, trigger: str, aim: Target) -> Iterator[Issue]:
    """Picture by picture, then the words that cannot be read, each once."""
    word = one_line(trigger)
    if prompt_for_trainer(word) != word:
        message = (
            f'the trigger word "{word}" holds what a trainer takes for its own (--, ${{, [name], #): take a plain word'
        )
        yield Issue(code="EXP006", message=message, severity="error")
    unread: dict[str, list[str]] = {}
    for picture in thought.pictures:
        text, path = one_line(picture.text), picture.image.path

        def issue(code: str, message: str, path: str = path, image_id: str = picture.image.id) -> Issue:
            return Issue(code=code, message=message, severity="error", image_id=image_id, path=path)

        if not text:
            yield issue("EXP001", f"the caption of {path} is empty: write it, or run fluxcap caption again")
        elif word not in text:
            yield issue("EXP002", f'the caption of {path} does not hold the trigger word "{word}" letter by letter')
        for one in placeholders(text):
            yield issue(
                "EXP003", f"the caption of {path} holds {one}, which ai-toolkit replaces: write the word itself"
            )
        for unknown in unknown_words(text, aim):
            unread.setdefault(unknown, []).append(path)
    for unknown, paths in unread.items():
        shown = ", ".join(paths[:_SHOWN]) + (f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else "")
        yield Issue(
            code="EXP004",
            message=f'T5 cannot read "{unknown}" (it becomes <unk>): spell it with plain letters; in {shown}',
            severity="warning",
            path=paths[0],
        )
