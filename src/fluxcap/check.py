"""One caption against facts, plan and its set: runs all checks, those of plug-ins too, and mends what can be mended. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache

from fluxcap import registry
from fluxcap.checks import Check, CheckInput
from fluxcap.errors import UsageError
from fluxcap.types import Issue, Severity
from fluxcap.vocabulary import read

SEVERITY_ORDER: Mapping[Severity, int] = {"error": 0, "warning": 1, "note": 2}
"""Worst first, for sorting."""

_ROUNDS = 12
"""So many mends one after the other at most; two that undo each other end there."""


@cache
def checks() -> tuple[Check, ...]:
    """All checks, in the order of their codes."""
    found: list[Check] = [registry.load("check", name)() for name in registry.names("check")]
    return tuple(sorted(found, key=lambda check: (check.code, check.name)))


def check_caption(item: CheckInput, select: Collection[str] | None = None) -> list[Issue]:
    """What is wrong with a caption, in the order of the checks. ``select`` names those that run, by code or name.

    Raises ``UsageError`` for one that is not known.
    """
    return [issue for check in _selected(select) for issue in check.check(item)]


def mend(item: CheckInput) -> str:
    """The caption after all mechanical mends, one at a time, in the order of the checks, until none is left.

    Every text that comes up is checked anew, so that a mend never builds on a place that moved. A mend that brings back a
    text which was there before ends it. Token counts are of the text as it stood and are not asked again.
    """
    seen = {item.text}
    for _ in range(_ROUNDS):
        fixes = (issue.fix for issue in check_caption(item) if issue.fix is not None and issue.fix not in seen)
        text = next(fixes, None)
        if text is None or not text.strip():
            break
        seen.add(text)
        item = replace(item, text=text, spans=None, mentions=read(text), counts=())
    return item.text


def refuses(issues: Iterable[Issue]) -> bool:
    """Whether the set cannot be trained like this."""
    return any(issue.severity == "error" for issue in issues)


def _selected(select: Collection[str] | None) -> tuple[Check, ...]:
    if select is None:
        return checks()
    known = {name for check in checks() for name in (check.code, check.name)}
    for name in select:
        if name not in known:
            listed = ", ".join(f"{check.code} {check.name}" for check in checks())
            raise UsageError(f"check '{name}' is not known", f"known: {listed}")
    return tuple(check for check in checks() if check.code in select or check.name in select)
