"""The settings of one folder of pictures, and which of their values mean something."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from fluxcap.errors import UsageError

Phrasing = Literal["fixed", "varied"]
Pronouns = Literal["she/her", "he/him", "they/them", "it/its"]
Tags = Literal["tail", "all", "none"]
Provider = Literal["auto", "cpu", "cuda", "directml", "coreml"]
Length = Literal["sweet-spot", "repeats", "passes"]

LISTS = ("bound", "free", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The person's word, over the preset. ``usual`` is the usual value of a bound slot.

    A list names slots ('hair'), attributes ('hair.color') and single values ('makeup=red lipstick').
    """

    bound: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    auto: tuple[str, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerSettings:
    """Which tagger looks at the pictures, and when it is heard.

    ``model`` is a known name or a folder with ``model.onnx`` and ``selected_tags.csv``, "none" for no tagger; where none is
    set the first one on this machine is taken. ``general`` and ``character`` are the least scores of tags and of names.
    """

    model: str | None = None
    general: float = 0.35
    character: float = 0.85
    provider: Provider = "auto"
    int8: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class VlmSettings:
    """Which vision language model is asked, and how.

    ``url`` is a server's address, "auto" for one on this machine, "local" for a model run in-process; ``name`` the model.
    ``concurrency`` fixes how many questions are under way at once (else it adapts); ``side`` is the long side of the picture
    that is sent, in pixels. ``prompts`` is a file with other questions; ``names`` are proper names that may be said.
    """

    url: str | None = None
    name: str | None = None
    kind: str = "auto"
    mode: Literal["traits", "prose"] = "traits"
    concurrency: int | None = None
    side: int = 1024
    max_tokens: int | None = None
    hints: bool = False
    prompts: str | None = None
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeSettings:
    """How long and how strongly to train; None: what ``data/recipes.toml`` has for the preset.

    ``length`` is the way to a number of steps, ``passes`` how often each picture is seen, ``steps`` a number that beats both.
    ``dim`` and ``alpha`` are the LoRA's; alpha follows dim. ``resolutions`` are in pixels, ``save_every`` in steps.
    """

    length: Length | None = None
    passes: int | None = None
    steps: int | None = None
    dim: int | None = None
    alpha: int | None = None
    learning_rate: float | None = None
    resolutions: tuple[int, ...] | None = None
    save_every: int | None = None
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The settings of one folder of pictures.

    ``trigger`` and ``subject`` (the class word, "woman") may be missing; the pipeline tells. ``medium`` is what the
    pictures are where no source knows better. ``style`` None: the one that the target reads best. ``background`` is the
    colour under transparent pictures. ``tags`` says which tags stand after the sentences: camera and light, all that is
    free, or none; ``explicit`` admits explicit tags. ``shuffle_caption`` tells that the trainer shuffles the pieces between commas.
    ``captions`` is a folder with other captions, read as evidence; ``tokenizers`` one with tokenizer files.
    """

    trigger: str | None = None
    subject: str | None = None
    preset: str = "person"
    medium: str = "photo"
    style: str | None = None
    phrasing: Phrasing = "fixed"
    pronouns: Pronouns | None = None
    target: str = "flux1-dev"
    recursive: bool = False
    background: str = "#ffffff"
    captions: str | None = None
    tokenizers: str | None = None
    tags: Tags = "tail"
    explicit: bool = False
    shuffle_caption: bool = False
    plan: Plan = Plan()
    tagger: TaggerSettings = TaggerSettings()
    vlm: VlmSettings = VlmSettings()
    recipe: RecipeSettings = RecipeSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that the data files offer; an empty tuple leaves that name unchecked. ``slots`` holds attributes too."""

    presets: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()


def check(project: Project, known: Known, where: str) -> Project:
    """Raise ``UsageError`` for what fits its type and still means nothing."""
    for key in ("trigger", "subject"):
        _check_word(key, getattr(project, key), where)
    one_of("preset", project.preset, known.presets, where)
    if project.style is not None:
        one_of("style", project.style, known.styles, where)
    one_of("target", project.target, known.targets, where)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", project.background):
        raise UsageError(f'{where}: background is "{project.background}", not a colour', 'write it like "#ffffff"')
    for key in ("captions", "tokenizers"):
        if getattr(project, key) == "":
            raise UsageError(f"{where}: {key} is empty", "name a folder, or leave the line out")
    for key, low in (("general", 0.2), ("character", 0.5)):
        if not low <= getattr(project.tagger, key) <= 1:
            told = f"{where}: tagger.{key} is {getattr(project.tagger, key)}"
            raise UsageError(told, f"write a score from {low} to 1")
    if project.tagger.model == "":
        raise UsageError(f"{where}: tagger.model is empty", "name a tagger or its folder, or leave the line out")
    _check_vlm(project.vlm, where)
    _check_recipe(project.recipe, where)
    refuse_two_lists(project.plan, where)
    for name in LISTS:
        for entry in getattr(project.plan, name):
            check_entry(entry, known.slots, f"{where}: plan.{name}")
    for slot in project.plan.usual:
        one_of("slot", slot, [one for one in known.slots if "." not in one], f"{where}: plan.usual")
    for slot, value in project.plan.usual.items():
        if not value.strip():
            raise UsageError(f"{where}: plan.usual.{slot} is empty", "write the usual value, or leave the line out")
    return project


def _check_vlm(vlm: VlmSettings, where: str) -> None:
    for key in ("url", "name", "prompts", "kind"):
        if getattr(vlm, key) == "":
            raise UsageError(f"{where}: vlm.{key} is empty", "write one, or leave the line out")
    for key, low, high in (("concurrency", 1, 1024), ("side", 224, 4096), ("max_tokens", 50, 16384)):
        value = getattr(vlm, key)
        if value is not None and not low <= value <= high:
            raise UsageError(f"{where}: vlm.{key} is {value}", f"write a number from {low} to {high}")
    if vlm.url and "@" in vlm.url.partition("//")[2].partition("/")[0]:
        raise UsageError(f"{where}: vlm.url holds a password", "keys come from the environment: FLUXCAP_VLM_KEY")


_RECIPE_RANGES = {
    "passes": (1, 10_000),
    "steps": (1, 1_000_000),
    "dim": (1, 1024),
    "alpha": (1, 1024),
    "learning_rate": (1e-7, 0.1),
    "save_every": (1, 100_000),
    "seed": (0, 2**31 - 1),
}
"""What still means something to a trainer; a learning rate of 1 is a slip of the pen."""


def _check_recipe(recipe: RecipeSettings, where: str) -> None:
    for key, (low, high) in _RECIPE_RANGES.items():
        value = getattr(recipe, key)
        if value is not None and not low <= value <= high:
            raise UsageError(f"{where}: recipe.{key} is {value}", f"write a number from {low} to {high}")
    if recipe.resolutions is None:
        return
    if not 1 <= len(recipe.resolutions) <= 3 or any(
        not 256 <= side <= 2048 or side % 64 for side in recipe.resolutions
    ):
        told = f"{where}: recipe.resolutions is {list(recipe.resolutions)}"
        raise UsageError(told, "write one to three multiples of 64 from 256 to 2048, for instance [512, 768, 1024]")


def _check_word(key: str, value: str | None, where: str) -> None:
    if value is None:
        return
    if not value:
        raise UsageError(f"{where}: {key} is empty", f"write the {key} word, or leave the line out")
    if not value.isprintable():
        raise UsageError(f"{where}: {key} holds a line break or another invisible sign", "write it on one line")
    if "," in value:
        raise UsageError(f"{where}: {key} holds a comma, which ends it in a caption", "write it without")


def refuse_two_lists(plan: Plan, where: str) -> None:
    """Raise ``UsageError`` for a slot in two lists of the plan."""
    for one, other in (("bound", "free"), ("bound", "auto"), ("free", "auto")):
        for slot in getattr(plan, one):
            if slot in getattr(plan, other):
                raise UsageError(f"{where}: {slot} is in plan.{one} and in plan.{other}", "keep it in one of them")


def check_entry(entry: str, known: Sequence[str], where: str) -> None:
    """Raise ``UsageError`` for an entry of a plan's list that is no slot, attribute ('hair.color') or value ('makeup=red lipstick')."""
    slot, sign, value = entry.partition("=")
    one_of("slot", slot.strip(), known, where)
    if sign and (not value.strip() or "." in slot):
        raise UsageError(f"{where}: {entry} names no value of a trait", 'write it like "makeup=red lipstick"')


def one_of(what: str, value: str, known: Sequence[str], where: str) -> None:
    """Raise ``UsageError`` for a name that is not known, with the nearest that is."""
    from fluxcap.codec import suggest

    if known and value not in known:
        near = suggest(value, known)
        ask = f"did you mean {near}? " if near else ""
        raise UsageError(f'{where}: "{value}" is not a {what}', f"{ask}known: {', '.join(known)}")
