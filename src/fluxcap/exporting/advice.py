"""What ``fluxcap recipe`` tells of a set: its recipe, what it costs, and what the two ways to a length mean for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fluxcap import pipeline
from fluxcap import session as sessions
from fluxcap.recipe import Size, Way, as_trainers_count, disagreement, lora_bytes, outside, recipe, sizes, ways
from fluxcap.samples import sample_prompts
from fluxcap.tokens import target
from fluxcap.types import Recipe, SamplePrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """A recipe with all that follows. ``checkpoint_bytes`` is about one checkpoint's size, 0 where the model's is not known.

    ``seconds`` is the time of the steps at the rate given, without samples and start.
    """

    recipe: Recipe
    target: str
    passes: float
    checkpoints: tuple[int, ...]
    checkpoint_bytes: int
    seconds: float | None
    counted: Mapping[str, str]
    ways: tuple[Way, ...]
    disagreement: str
    sizes: tuple[Size, ...]
    samples: tuple[SamplePrompt, ...]
    notices: tuple[str, ...]


def advice(folder: Path, overrides: Mapping[str, object] | None = None, *, rate: float | None = None) -> Advice:
    """The recipe of a set, worked out; ``rate`` is in steps a second. Errors as in ``pipeline.check``."""
    project = sessions.settings(folder, overrides)
    thought = pipeline.check(folder, overrides).thought
    made = recipe(len(thought.pictures), project.preset, project.recipe)
    aim = target(project.target)
    notices = []
    if made.length == "sweet-spot" and (told := outside(made.images)):
        notices.append(told)
    if made.save_every > made.steps:
        notices.append(
            f"there is only the last checkpoint: {made.steps} steps are fewer than save_every = {made.save_every}"
        )
    return Advice(
        recipe=made,
        target=aim.id,
        passes=made.passes,
        checkpoints=made.checkpoints,
        checkpoint_bytes=lora_bytes(made.dim, aim.params_per_dim),
        seconds=made.steps / rate if rate else None,
        counted=as_trainers_count(made),
        ways=ways(made.images),
        disagreement=disagreement(made.images),
        sizes=sizes(),
        samples=sample_prompts(
            [one.traits for one in thought.pictures], thought.bindings, sessions.wording(folder, project)
        ),
        notices=tuple(notices),
    )
