"""The nouns that flow through everything: plain, frozen values, standard library only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "note"]
"""``error`` refuses training, ``warning`` wants a look, ``note`` informs."""

Decision = Literal["bound", "free"]
"""``bound``: belongs to the subject, absorbed by the trigger word, left out. ``free``: said, so that it can be prompted."""

Author = Literal["fluxcap", "person", "elsewhere"]
"""Who wrote a caption: fluxcap, a person after fluxcap's first run, or whoever made the files found at the first run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRef:
    """One picture of the set. ``id`` is the sha256 of the file (hex), ``path`` is relative to the set's folder, with '/'.

    ``width`` and ``height`` are in pixels, after the EXIF orientation.
    """

    id: str
    path: str
    width: int
    height: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a back end says of one trait: slot id, value, confidence from 0 to 1. It knows nothing of captions."""

    slot: str
    value: str
    confidence: float
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One look of one source at one picture; it exists also when nothing was found, so that nobody is asked twice.

    ``source`` reads ``kind:name`` (``measure:embedded``), ``inputs_hash`` covers the parameters, ``created_at`` is UTC, ISO 8601.
    """

    image_id: str
    source: str
    version: str
    inputs_hash: str
    created_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One claim of one source about one trait of one picture; never edited. A person is a source too (``human``)."""

    image_id: str
    slot: str
    value: str
    tags: tuple[str, ...]
    confidence: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """What the evidence agrees on. ``conflict`` names the values that speak against it, strongest first."""

    image_id: str
    slot: str
    value: str
    tags: tuple[str, ...]
    confidence: float
    sources: tuple[str, ...]
    conflict: tuple[str, ...] = ()


Decider = Literal["preset", "set", "person"]
"""Who decided: the preset, what the set shows, or the person, in rising order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The decision for a part of a slot that is decided by itself: an attribute ('color' of hair) or one value ('red lipstick').

    ``value`` is what is usual of it where it is bound: None not known, '' nothing of the kind.
    """

    attribute: str
    decision: Decision
    value: str | None
    tags: tuple[str, ...]
    reason: str
    by: Decider


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """The decision for one slot over the whole set. ``value`` is the usual value where the slot is bound (None: not known).

    ``parts`` are decided by themselves; what no part names goes by ``decision``. A part without an attribute is one value.
    """

    slot: str
    decision: Decision
    value: str | None
    tags: tuple[str, ...]
    reason: str
    by: Decider
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Where a slot is said: characters ``start`` to ``end`` (exclusive) of the caption's text."""

    slot: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Caption:
    """A caption with the place of every trait in it. ``tags`` are those after the sentences, one by one.

    ``clip`` and ``t5`` are the two prompts of the same picture, for tools that give each encoder its own: trigger word and
    tags, and the sentences with camera and light.
    """

    image_id: str
    text: str
    spans: tuple[Span, ...]
    tags: tuple[str, ...]
    author: Author
    clip: str = ""
    t5: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """Something to look at, in words. ``image_id`` is None for the whole set; ``path`` names the file where one is meant.

    ``span`` is the place in the caption; ``fix`` the caption's text after a mechanical mend, where there is one.
    """

    code: str
    message: str
    severity: Severity
    image_id: str | None = None
    path: str | None = None
    span: tuple[int, int] | None = None
    fix: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How long and how strongly to train, in terms that belong to no trainer (``data/recipes.toml`` has the sources).

    ``images`` is the number of pictures it was made for, ``length`` the way to ``steps`` (``steps``: the person's number).
    A checkpoint and the samples are wanted at every multiple of ``save_every`` from ``save_first`` on, and at the end.
    """

    images: int
    length: str
    steps: int
    dim: int
    alpha: int
    learning_rate: float
    batch: int
    resolutions: tuple[int, ...]
    save_every: int
    save_first: int
    seed: int
    caption_dropout: float

    @property
    def passes(self) -> float:
        """How often each picture is seen."""
        return self.steps * self.batch / self.images

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The steps that leave a checkpoint, the last one included."""
        first = -(-self.save_first // self.save_every) * self.save_every
        return (*range(first, self.steps, self.save_every), self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class SamplePrompt:
    """A prompt of the pictures made during training. ``name`` is short, of letters, digits and '-', and what it tries ``about``."""

    name: str
    text: str
    about: str
