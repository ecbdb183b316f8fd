"""Sample prompts made from the plan: what the pictures made during training are asked for. Pure.

They are composed as the captions are, in the set's own order and words. What a LoRA is worth shows where a prompt leaves the
set: each free trait is swapped for a value that the set shows rarely or never (P25).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fluxcap.compose import Wording, compose
from fluxcap.recipe import table
from fluxcap.types import Binding, SamplePrompt, Trait
from fluxcap.vocabulary import canonical, same, slots

Traits = Sequence[Mapping[str, Trait]]


def sample_prompts(traits: Traits, bindings: Mapping[str, Binding], wording: Wording) -> tuple[SamplePrompt, ...]:
    """Plain, each free trait swapped, a far scene, a side view, and without the trigger word; the same set, the same prompts."""
    rules: Mapping[str, Any] = table()["samples"]
    base = _base(traits, wording)
    asked = [SamplePrompt(name="plain", text=_text(base, wording), about="nothing but the subject")]
    asked += list(_swaps(traits, bindings, wording, base, rules))
    far = {"framing": rules["far"]["framing"], "setting": _fresh("setting", rules["far"]["setting"], traits)}
    asked.append(SamplePrompt(name="far", text=_text(base | far, wording), about="small in a wide scene"))
    if wording.preset not in ("style", "everything"):
        side = {"framing": rules["side"]["framing"], "view": _fresh("view", rules["side"]["view"], traits)}
        asked.append(SamplePrompt(name="side", text=_text(base | side, wording), about="seen from the side"))
    without = SamplePrompt(
        name="without-trigger",
        text=_without_trigger(_text(base, wording)),
        about="the same without the trigger word: the subject should not come",
    )
    return (*asked, without)


def _base(traits: Traits, wording: Wording) -> dict[str, str]:
    """What every sample says: the usual medium, and what is shown where no class word says it."""
    base = {"medium": _usual("medium", traits) or "photo"}
    named = wording.class_word and wording.preset != "style"
    subject = "" if named else _usual("subject", traits)
    return base | ({"subject": subject} if subject else {})


def _swaps(
    traits: Traits, bindings: Mapping[str, Binding], wording: Wording, base: Mapping[str, str], rules: Mapping[str, Any]
) -> Iterator[SamplePrompt]:
    free = [slot for slot, plan in bindings.items() if plan.decision == "free" and any(slot in one for one in traits)]
    if not (base.get("subject") or (wording.class_word and wording.preset != "style")):  # nobody to wear it
        free = [slot for slot in free if slot == "medium" or slots()[slot].place in ("scene", "tail")]
    chosen = [slot for slot in rules["swaps"] if slot in free][: rules["most_swaps"]]
    for slot in chosen:
        value = _fresh(slot, rules["swaps"][slot], traits)
        text = _text({**base, slot: value}, wording)
        yield SamplePrompt(name=slot.replace("_", "-"), text=text, about=f"{slots()[slot].name}: {value}")


def _usual(slot: str, traits: Traits) -> str:
    """The most frequent value; of several the first by its letters, so that the order of pictures does not matter."""
    counts = Counter(one[slot].value for one in traits if slot in one)
    return min(counts, key=lambda value: (-counts[value], value), default="")


def _fresh(slot: str, candidates: Sequence[str], traits: Traits) -> str:
    """The first of these values that no picture shows, else the one that the fewest do."""
    shown = [one[slot] for one in traits if slot in one]

    def pictures(value: str) -> int:
        tags = canonical(slot, value)[1]
        return sum(same(slot, value, tags, trait.value, trait.tags) for trait in shown)

    return min(candidates, key=pictures)


def _text(values: Mapping[str, str], wording: Wording) -> str:
    return compose(values, wording).text


def _without_trigger(text: str) -> str:
    """A caption opens with the trigger word, and the class word where the style says so, then a comma."""
    _, comma, rest = text.partition(", ")
    return rest[:1].upper() + rest[1:] if comma else ""
