"""What can be plugged in, by seam and name: a table of what comes with fluxcap, and the entry points of other packages.

Nothing is imported before it is asked for. Another package adds a check by the entry point group ``fluxcap.check``; what
comes with fluxcap keeps its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from fluxcap.errors import FluxcapError, UsageError

BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "measurement": {"embedded": "fluxcap.measure:EmbeddedMeasurement"},
    "tagger": {"wd": "fluxcap.taggers.wd:WdTagger"},
    "vlm": {
        "openai": "fluxcap.vlms.openai_chat:OpenAIServer",
        "ollama": "fluxcap.vlms.ollama:OllamaServer",
        "local": "fluxcap.vlms.local:LocalServer",
    },
    "check": {
        "missing-trigger": "fluxcap.checks.missing_trigger:MissingTrigger",
        "trigger-not-first": "fluxcap.checks.trigger_not_first:TriggerNotFirst",
        "repeated-trigger": "fluxcap.checks.repeated_trigger:RepeatedTrigger",
        "captioned-bound-trait": "fluxcap.checks.captioned_bound_trait:CaptionedBoundTrait",
        "unsaid-free-trait": "fluxcap.checks.unsaid_free_trait:UnsaidFreeTrait",
        "contradicted-fact": "fluxcap.checks.contradicted_fact:ContradictedFact",
        "too-many-tokens": "fluxcap.checks.too_many_tokens:TooManyTokens",
        "empty-caption": "fluxcap.checks.empty_caption:EmptyCaption",
        "line-break-in-caption": "fluxcap.checks.line_break_in_caption:LineBreakInCaption",
        "misspelt-trigger": "fluxcap.checks.misspelt_trigger:MisspeltTrigger",
        "refusal": "fluxcap.checks.refusal:Refusal",
        "preamble": "fluxcap.checks.preamble:Preamble",
        "talk-about-the-picture": "fluxcap.checks.talk_about_the_picture:TalkAboutThePicture",
        "hedge": "fluxcap.checks.hedge:Hedge",
        "negation": "fluxcap.checks.negation:Negation",
        "loop": "fluxcap.checks.loop:Loop",
        "truncated": "fluxcap.checks.truncated:Truncated",
        "mojibake": "fluxcap.checks.mojibake:Mojibake",
        "markup": "fluxcap.checks.markup:Markup",
        "prompt-weights": "fluxcap.checks.prompt_weights:PromptWeights",
        "other-language": "fluxcap.checks.other_language:OtherLanguage",
        "too-short": "fluxcap.checks.too_short:TooShort",
        "wrong-pronoun": "fluxcap.checks.wrong_pronoun:WrongPronoun",
        "watermark-or-camera-words": "fluxcap.checks.watermark_or_camera_words:WatermarkOrCameraWords",
        "style-words": "fluxcap.checks.style_words:StyleWords",
        "commas-and-shuffle": "fluxcap.checks.commas_and_shuffle:CommasAndShuffle",
        "wrong-people-count": "fluxcap.checks.wrong_people_count:WrongPeopleCount",
        "swapped-sides": "fluxcap.checks.swapped_sides:SwappedSides",
        "caption-of-another-picture": "fluxcap.checks.caption_of_another_picture:CaptionOfAnotherPicture",
        "identical-caption": "fluxcap.checks.identical_caption:IdenticalCaption",
        "order-broken": "fluxcap.checks.order_broken:OrderBroken",
        "shared-fragment": "fluxcap.checks.shared_fragment:SharedFragment",
    },
    "exporter": {
        "ai-toolkit": "fluxcap.exporters.ai_toolkit:AiToolkit",
        "kohya": "fluxcap.exporters.sd_scripts:SdScripts",
        "musubi": "fluxcap.exporters.musubi:Musubi",
        "onetrainer": "fluxcap.exporters.onetrainer:OneTrainer",
        "simpletuner": "fluxcap.exporters.simpletuner:SimpleTuner",
        "diffusion-pipe": "fluxcap.exporters.diffusion_pipe:DiffusionPipe",
        "diffusers": "fluxcap.exporters.diffusers:Diffusers",
        "fluxgym": "fluxcap.exporters.fluxgym:Fluxgym",
        "plain": "fluxcap.exporters.plain:Plain",
        "imagefolder": "fluxcap.exporters.imagefolder:ImageFolder",
        "webdataset": "fluxcap.exporters.webdataset:WebDataset",
    },
    "scorer": {},
}
"""Seam -> name -> ``module:object``."""


def names(seam: str) -> tuple[str, ...]:
    """The names that :func:`load` knows: fluxcap's own in their order, then the plug-ins' by name."""
    own = _own(seam)
    return (*own, *(name for name in _plugins(seam) if name not in own))


def load(seam: str, name: str) -> Any:
    """The object of that name, imported now.

    Raises ``UsageError`` for a name that is not known, ``FluxcapError`` for a plug-in that does not load.
    """
    target = _own(seam).get(name)
    if target is not None:
        module, _, attribute = target.partition(":")
        return getattr(import_module(module), attribute)
    plugin = _plugins(seam).get(name)
    if plugin is None:
        known = ", ".join(names(seam)) or "there is none yet"
        raise UsageError(f"{seam} '{name}' is not known", f"known: {known}")
    try:
        return plugin.load()
    except Exception as error:  # a plug-in may fail in any way; the rest of fluxcap is not to blame
        package = plugin.dist.name if plugin.dist is not None else plugin.module
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise FluxcapError(
            f"{seam} '{name}' of the package {package} does not load: {reason}", f"update or uninstall {package}"
        ) from error


def _own(seam: str) -> Mapping[str, str]:
    if seam not in BUILT_IN:
        raise UsageError(f"seam '{seam}' is not known", f"known: {', '.join(BUILT_IN)}")
    return BUILT_IN[seam]


@cache
def _plugins(seam: str) -> Mapping[str, EntryPoint]:
    """The entry points of a seam by name; of two with one name the first by its target counts, so that order is settled."""
    found: dict[str, EntryPoint] = {}
    for point in sorted(entry_points(group=f"fluxcap.{seam}"), key=lambda point: (point.name, point.value)):
        found.setdefault(point.name, point)
    return found
