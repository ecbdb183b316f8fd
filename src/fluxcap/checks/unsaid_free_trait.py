"""CAP005."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from fluxcap.checks.around import plain
from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import find, has_words, listed
from fluxcap.english import spoken
from fluxcap.types import Issue, Severity, Span, Trait
from fluxcap.vocabulary import Mention, slot

_TRAITS = {
    "setting": Trait(
        image_id="1", slot="setting", value="in a park", tags=("park",), confidence=0.8, sources=("vision:any",)
    )
}
_MOST_OF = 0.5
"""A caption with so many of the words of fluxcap's own, in their order, and no others, was cut out of it."""
_SETTING = frozenset({"setting"})


class UnsaidFreeTrait:
    """Caption that leaves out what the plan says.

    What it does:
        Looks for every trait that the plan says in this picture, in any wording that is known. The trigger word is
        ``missing-trigger``'s business. A note for captions that fluxcap did not write, which may say it in other words; not for
        one that is fluxcap's own with words taken out.
    Why is this bad:
        What is seen and not said goes to the trigger word. Pictures in a park without the word 'park' put the park into
        the subject, and no prompt gets it out.
    Example:
        ohwx, a photo of a woman, smiling.
    Use instead:
        ohwx, a photo of a woman in a park, smiling.
    """

    code: ClassVar[str] = "CAP005"
    name: ClassVar[str] = "unsaid-free-trait"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx in a park.",
            spans=(Span(slot="setting", start=5, end=14),),
            traits=_TRAITS,
            to_say=_SETTING,
        ),
        CheckInput(
            image_id="1",
            path="1.png",
            text="ohwx in a park.",
            mentions=(Mention(slot="setting", value="in a park", tags=("park",), start=5, end=14),),
            traits=_TRAITS,
            to_say=_SETTING,
        ),
        CheckInput(image_id="1", path="1.png", text="ohwx", traits=_TRAITS),
        CheckInput(image_id="1", path="1.png", text="ohwx", traits=_TRAITS, to_say=_SETTING, silent=_SETTING),
        CheckInput(image_id="1", path="1.png", text="A Woman.", class_word="woman", to_say=frozenset({"subject"})),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        CheckInput(image_id="1", path="1.png", text="ohwx, smiling.", traits=_TRAITS, to_say=_SETTING),
        CheckInput(image_id="1", path="1.png", text="ohwx, smiling.", spans=(), traits=_TRAITS, to_say=_SETTING),
        CheckInput(image_id="1", path="1.png", text="ohwx.", composed="ohwx in here.", traits=_TRAITS, to_say=_SETTING),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for the caption, which names all that is left out."""
        if not has_words(item):
            return
        said = {span.slot for span in item.spans or ()} | {mention.slot for mention in item.mentions}
        if find(item.text, item.class_word, any_case=True):
            said.add("subject")
        left = item.to_say - item.silent - said - {"trigger"}
        missing = [name for name in item.traits if name in left]
        missing += sorted(left.difference(missing))
        if missing:
            theirs = item.spans is None and not _cut_out_of(item.composed, item.text)
            yield issue(
                self,
                item,
                f"does not say {listed([_told(item, name) for name in missing])}: add it, "
                "or it goes to the trigger word",
                severity="note" if theirs else None,
            )


def _cut_out_of(composed: str, text: str) -> bool:
    """Whether a caption is fluxcap's own with words taken out, so that nothing in it can say the same in other words."""
    whole, words = plain(composed).split(), plain(text).split()
    rest = iter(whole)
    return len(whole) > len(words) >= _MOST_OF * len(whole) and all(word in rest for word in words)


def _told(item: CheckInput, name: str) -> str:
    trait = item.traits.get(name)
    return f'{slot(name).name} ("{spoken(trait.value)}")' if trait is not None else slot(name).name
