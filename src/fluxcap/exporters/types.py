"""What an exporter is, what it gets and what it gives. Plain values: an exporter does no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from fluxcap.tokens import Target
from fluxcap.types import Recipe, SamplePrompt

Images = Literal["files", "shards"]
"""How pictures lie in the dataset's folder: each a file of its own, or packed into tar files with their texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportImage:
    """One picture as it will lie in the dataset's folder.

    ``stem`` is safe ASCII and unlike all others, also where case does not count; ``file`` is it with its suffix. ``caption``
    is one line, as approved; ``clip`` and ``t5`` are the two prompts of tools that give each encoder its own. ``width`` and
    ``height`` are in pixels, upright and cropped.
    """

    stem: str
    file: str
    caption: str
    clip: str
    t5: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where things lie, as absolute paths with '/', on Windows too: what all trainers read.

    ``export`` is the export's folder, ``dataset`` the pictures' in it, ``output`` where the trainer writes; ``models`` is the
    folder with the model's files, a placeholder where the person named none.
    """

    export: str
    dataset: str
    output: str
    models: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSet:
    """All that an exporter may know. ``name`` is fit for a file; ``images`` are in the order of their stems."""

    name: str
    trigger: str
    class_word: str
    images: tuple[ExportImage, ...]
    recipe: Recipe
    target: Target
    samples: tuple[SamplePrompt, ...]
    places: Places

    def mine(self, trainer: str) -> Mapping[str, object]:
        """That trainer's own words for the target."""
        return self.target.trainers.get(trainer, {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of the trainer, run in its environment with ``env`` added; ``folder`` is where, empty: the trainer's own."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    folder: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What an exporter makes: texts by their path in the export's folder, and the commands that train, in order.

    ``placeholders`` are the texts in them that the person has to replace; ``notes`` are told in the export's README.
    """

    files: Mapping[str, str]
    commands: tuple[Command, ...] = ()
    placeholders: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Exporter(Protocol):
    """One trainer. Pure: the same set gives the same texts.

    ``home`` is what a person calls the folder that the commands run in. ``neutral``: a format that serves every target.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    home: ClassVar[str]
    neutral: ClassVar[bool]
    images: ClassVar[Images]

    def texts(self, images: tuple[ExportImage, ...], target: Target) -> Mapping[str, str]:
        """The texts beside the pictures, by their path in the dataset's folder; they are part of its hash."""
        ...

    def render(self, given: ExportSet) -> Rendered:
        """Configs, prompts and commands."""
        ...
