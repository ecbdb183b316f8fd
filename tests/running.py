"""``fluxcap`` run in this process as a person types it, with a measurement that sees a close-up in every picture."""

from __future__ import annotations

import io
import json
import sys
from typing import Any, NamedTuple

import pytest

from fluxcap import cli
from fluxcap.types import Claim


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        assert self.code == 0, self
        return json.loads(self.out)


class Run:
    """Runs ``fluxcap`` with these words; no traceback is ever told."""

    def __init__(self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.patch = patch
        self.capsys = capsys

    def __call__(self, *words: object, stdin: str | bytes = "") -> Said:
        self.patch.setattr(sys, "argv", ["fluxcap", *map(str, words)])
        raw = stdin if isinstance(stdin, bytes) else stdin.encode()
        self.patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8"))
        self.capsys.readouterr()
        code = 0
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = self.capsys.readouterr()
        assert "Traceback" not in out + err
        return Said(code, out, err)


class CloseUps:
    """A measurement: every picture is a close-up."""

    name, version = "fake", "1"

    def observe(self, rgb: Any, width: int, height: int) -> list[Claim]:
        return [Claim(slot="framing", value="close-up", confidence=0.9)]


def measured(patch: pytest.MonkeyPatch) -> None:
    """Let the pipeline measure with :class:`CloseUps`."""
    patch.setattr("fluxcap.pipeline._measurement", lambda: (CloseUps(), ()))
