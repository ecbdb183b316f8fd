"""How trainings start, stop and go on, and what their last words mean (``data/training.toml``)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Resuming:
    """How one trainer takes up a run; each is explained in ``data/training.toml``."""

    needs: tuple[str, ...] = ()
    resume: tuple[str, ...] | None = None
    itself: bool = False
    cannot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What made a training fail, in words, and what to do."""

    means: str
    hint: str


def resuming(trainer: str) -> Resuming:
    """How this trainer takes up a run; one that is not known cannot."""
    given = _data()["trainer"].get(trainer)
    if given is None:
        return Resuming(cannot=f"fluxcap does not know how {trainer} takes up a run")
    resume = given.get("resume")
    return Resuming(
        needs=tuple(given.get("needs", ())),
        resume=None if resume is None else tuple(resume),
        itself=given.get("itself", False),
        cannot=given.get("cannot", ""),
    )


def waits() -> tuple[float, float]:
    """Seconds after the gentle and after the firm way to stop."""
    stop = _data()["stop"]
    return stop["gentle"], stop["firm"]


def modules() -> Mapping[str, tuple[str, ...]]:
    """Program -> the words after ``python -m`` that do the same."""
    return {program: tuple(words) for program, words in _data()["programs"].items()}


def failure(lines: Iterable[str], exit_code: int | None = None) -> Failure | None:
    """What the last lines of a console say, the later ones first; None where nothing is recognised.

    A process that the system killed (exit code -9) without last words ran out of memory, as a rule.
    """
    for line in _telling(lines):
        for pattern, means, hint in _failures():
            found = pattern.search(line)
            if found is not None:
                named = next((group.strip() for group in found.groups() if group and group.strip()), "see the log")
                return Failure(means=means.replace("{0}", named[:200]), hint=hint)
    if exit_code in (-9, 137):
        return Failure(
            means="the system ended it, as it does when the machine's memory is full",
            hint="close other programs, or let the system use more swap",
        )
    return None


def last_words(lines: Iterable[str]) -> str:
    """The line that says most of an end that nothing explains; '' where there is none."""
    telling = _telling(lines)
    error = re.compile(_data()["last"]["error"])
    return next((line for line in telling if error.search(line)), telling[0] if telling else "")


def _telling(lines: Iterable[str]) -> list[str]:
    """The last lines, the later ones first, without what launchers say of those that they launched."""
    launcher = re.compile(_data()["last"]["launcher"])
    return [line for line in reversed(list(lines)) if not launcher.search(line)]


@lru_cache(maxsize=1)
def _failures() -> tuple[tuple[re.Pattern[str], str, str], ...]:
    return tuple((re.compile(one["pattern"]), one["means"], one["hint"]) for one in _data()["failure"])


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "training.toml").read_text(encoding="utf-8"))
