"""One trainer a file: which of its own code reads our export, and how. They run in that trainer's environment.

Each has ``STAND_INS`` (packages that may be empty where they are missing), ``load(source)`` which imports the trainer's code,
and ``judge(code, job)``, which raises or exits where the trainer refuses, else gives a :class:`Found`. Standard library only,
but for what the trainer needs itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Job:
    """One export: its folder, its dataset's folder, and the words of its commands."""

    export: Path
    dataset: Path
    commands: list[list[str]]

    def arguments(self, script: str = "") -> tuple[str, list[str]]:
        """The script of the (first such) command, and the words after it."""
        for argv in self.commands:
            for place, word in enumerate(argv):
                if word.endswith(".py") and script in word:
                    return PurePosixPath(word).name, argv[place + 1 :]
        raise ValueError(f"no command of the export runs {script or 'a script'}")


@dataclass
class Found:
    """What a trainer made of an export: the code that ran, the captions by file, and what it passed over without a word.

    ``captions`` is None where none of its code that reads captions ran.
    """

    ran: list[str] = field(default_factory=list)
    captions: dict[str, str] | None = None
    passed_over: list[str] = field(default_factory=list)


class NotRun(Exception):
    """The trainer's code cannot be run here; nothing is said of the export."""
