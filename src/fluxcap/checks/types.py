"""What a check is, and what it gets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from fluxcap.checks.around import Around, Sibling
from fluxcap.tokens import Count
from fluxcap.types import Binding, Issue, Severity, Span, Trait
from fluxcap.vocabulary import Mention


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckInput:
    """One caption with all that is known of its picture.

    ``spans`` is None for a caption that fluxcap did not compose. ``trigger`` and ``class_word`` are empty where none is set.
    ``traits`` and ``bindings`` go by slot. ``to_say``: what the plan says in this picture; ``silent``: free and known, but
    saying nothing says it. ``mentions`` is what the vocabulary reads in the text, ``counts`` its tokens for each encoder.
    ``composed`` is what fluxcap itself would write for this picture, ``around`` the set it belongs to (None: it stands alone).
    ``preset`` and ``pronouns`` (the person's choice, 'she/her') are the settings'; ``shuffle_caption``: the trainer shuffles
    the pieces between commas.
    """

    image_id: str
    path: str
    text: str
    spans: tuple[Span, ...] | None = None
    trigger: str = ""
    class_word: str = ""
    traits: Mapping[str, Trait] = field(default_factory=dict)
    bindings: Mapping[str, Binding] = field(default_factory=dict)
    to_say: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    mentions: tuple[Mention, ...] = ()
    counts: tuple[Count, ...] = ()
    preset: str = ""
    pronouns: str | None = None
    shuffle_caption: bool = False
    composed: str = ""
    around: Around | None = field(default=None, repr=False, compare=False)


def sibling(item: CheckInput) -> Sibling:
    """A caption as the others of its set see it."""
    return Sibling(
        image_id=item.image_id,
        path=item.path,
        text=item.text,
        composed=item.composed,
        mentions=item.mentions,
        traits=item.traits,
    )


class Check(Protocol):
    """One promise about a caption.

    ``severity`` is the one it has as a rule; an issue may have a lower one. The docstring's headings are 'What it does',
    'Why is this bad', 'Example' and 'Use instead'; ``valid`` and ``invalid`` are made into tests.
    """

    code: ClassVar[str]
    name: ClassVar[str]
    severity: ClassVar[Severity]
    valid: ClassVar[tuple[CheckInput, ...]]
    invalid: ClassVar[tuple[CheckInput, ...]]

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """What is wrong with this caption, in the order of the text."""
        ...


def issue(
    check: Check,
    item: CheckInput,
    message: str,
    *,
    severity: Severity | None = None,
    span: tuple[int, int] | None = None,
    fix: str | None = None,
) -> Issue:
    """An issue of this check about this caption; signs that a terminal would obey are taken out of the message."""
    return Issue(
        code=check.code,
        message="".join(sign if sign.isprintable() else "\ufffd" for sign in message),
        severity=severity or check.severity,
        image_id=item.image_id,
        path=item.path,
        span=span,
        fix=fix,
    )
