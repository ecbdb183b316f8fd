"""The taggers that fluxcap can bring, and where they lie on this machine."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fluxcap.codec import suggest
from fluxcap.errors import UsageError
from fluxcap.models import DATA

MODEL = "model.onnx"
INT8_MODEL = "model.int8.onnx"
TAGS = "selected_tags.csv"
CHECKSUMS = "checksums"
"""Lines of ``sha256  file``, written when the files were fetched."""

RUNTIME = "onnxruntime"
GET_RUNTIME = 'pip install "fluxcap[tagger]"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A tagger of ``data/models.toml``: its repository on the hub, licence and size (about, in bytes).

    ``tags_sha256`` is the sha256 of its list of tags, where that is known beforehand.
    """

    repo: str
    licence: str
    size: int
    tags_sha256: str = ""


@cache
def known() -> dict[str, Known]:
    """Name -> tagger, in the order in which they are tried."""
    table = tomllib.loads((DATA / "models.toml").read_text(encoding="utf-8"))["tagger"]
    return {name: Known(**row) for name, row in table.items()}


def folders(name: str) -> list[Path]:
    """Where a known tagger is looked for, first come first served; ``pull`` puts it into the first."""
    import platformdirs

    told = os.environ.get("FLUXCAP_MODELS")
    roots = [*([Path(told)] if told else []), platformdirs.user_data_path("fluxcap") / "models"]
    return [root / "taggers" / name for root in roots]


def is_here(folder: Path) -> bool:
    """Both files are there; whether they are the right ones is told when the tagger opens."""
    return all((folder / name).is_file() for name in (MODEL, TAGS))


def pulled(name: str) -> Path | None:
    """The folder of a known tagger, where it is on this machine."""
    return next((folder for folder in folders(name) if is_here(folder)), None)


def find_tagger(named: str | None) -> Path | None:
    """The folder of the tagger that was named: by its path, or as one of :func:`known`.

    Nothing named: the first known one that is here, or None. Raises ``UsageError`` for a named one that is not here.
    """
    if not named:
        return next((folder for name in known() if (folder := pulled(name)) is not None), None)
    if named in known():
        folder = pulled(named)
        if folder is None:
            raise UsageError(f"the tagger {named} is not on this machine", f"run: {pull_command(named)}")
        return folder
    folder = Path(named).expanduser()
    if not folder.is_dir():
        near = suggest(named, list(known()))
        hint = f"did you mean {near}?" if near else f"name a folder, or one of: {', '.join(known())}"
        raise UsageError(f"there is no tagger named {named!r}", hint)
    for file in (MODEL, TAGS):
        if not (folder / file).is_file():
            raise UsageError(f"there is no {file} in {folder}", f"a tagger's folder holds {MODEL} and {TAGS}")
    return folder


def pull_command(name: str) -> str:
    """What brings a known tagger here."""
    return f"fluxcap models pull {name}"


def mend(folder: Path) -> str:
    """What to do when a file in ``folder`` is of no use."""
    if folder.name in known():
        return f"run: {pull_command(folder.name)}"
    return f"put {MODEL} and {TAGS} of one model into {folder} again"


def unavailable(named: str | None = None) -> str:
    """Why no tagger can run here, with the command that mends it; empty when one can. Loads no model."""
    if find_spec(RUNTIME) is None:
        return f"onnxruntime is not installed; run: {GET_RUNTIME}"
    try:
        if find_tagger(named) is None:
            return f"no tagger is on this machine; run: {pull_command(next(iter(known())))}"
    except UsageError as error:
        return str(error)
    return ""
