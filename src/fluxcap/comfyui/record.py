"""``renders.json``: which pictures a folder holds and how each was made. It is also what an interrupted run goes on from."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from fluxcap.codec import decode_json, encode_json, to_builtins
from fluxcap.comfyui.graphs import Picture
from fluxcap.comfyui.planning import Render
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.textfiles import read_text, write_atomic

FILE = "renders.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One picture. ``prompt_id`` is its name on the server while it is made; ``pixels`` the sha256 of its RGB values.

    ``cached``: the server did not sample it anew, it had it from before. ``why``: what went wrong.
    """

    key: str
    name: str
    picture: Picture
    state: Literal["planned", "sent", "done", "failed"] = "planned"
    prompt_id: str = ""
    file: str = ""
    pixels: str = ""
    cached: bool = False
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    version: int = 1
    pictures: tuple[Entry, ...] = field(default=())


class Record:
    """The entries of a folder, by key; every change is on the disk before the next step."""

    def __init__(self, folder: Path, entries: Iterable[Entry] = ()) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {entry.key: entry for entry in entries}

    @classmethod
    def open(cls, folder: Path) -> Record:
        """The record of a folder, an empty one for an empty or new folder.

        Raises ``UsageError`` for a folder that holds other things, ``FluxcapError`` where it cannot be made or read.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
            inside = next(folder.iterdir(), None)
        except OSError as error:
            raise FluxcapError(f"{folder} cannot be used: {error.strerror or error}", "name another --out") from error
        text = read_text(folder / FILE)
        if text is None:
            if inside is not None:
                raise UsageError(f"{folder} is not empty, and fluxcap made no pictures there", "name another --out")
            return cls(folder)
        return cls(folder, decode_json(text, _Kept, str(folder / FILE)).pictures)

    def plan(self, wanted: Iterable[Render]) -> list[Entry]:
        """The entries of these pictures in their order; new ones are put down as planned, with a name that is not taken.

        One that is done counts so only while its file is there.
        """
        found: list[Entry] = []
        taken = {entry.name.lower() for entry in self.entries.values()}
        for render in wanted:
            entry = self.entries.get(render.key)
            if entry is None:
                name, number = render.name, 2
                while name.lower() in taken:
                    name, number = f"{render.name}-{number}", number + 1
                taken.add(name.lower())
                entry = Entry(key=render.key, name=name, picture=render.picture)
            if entry.state == "failed" or (entry.state == "done" and not self._is_there(entry)):
                entry = replace(entry, state="planned", prompt_id="", file="", pixels="", why="")
            self.entries[entry.key] = entry
            found.append(entry)
        self.save()
        return found

    def put(self, entry: Entry) -> None:
        """Keep an entry as it is now."""
        self.entries[entry.key] = entry
        self.save()

    def save(self) -> None:
        """Write the whole, at once or not at all."""
        kept = to_builtins(_Kept(pictures=tuple(self.entries.values())))
        write_atomic(self.folder / FILE, _lines(kept))

    def write(self, name: str, data: bytes) -> None:
        """Put a picture into the folder, whole or not at all."""
        path = self.folder / name
        temporary = self.folder / f".fluxcap-{secrets.token_hex(6)}.tmp"
        try:
            temporary.write_bytes(data)
            temporary.replace(path)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise FluxcapError(
                f"{path} cannot be written: {error.strerror or error}", "check the folder's rights and the free space"
            ) from error

    def _is_there(self, entry: Entry) -> bool:
        path = self.folder / entry.file
        return bool(entry.file) and path.is_file() and path.stat().st_size > 0


def _lines(kept: Mapping[str, object]) -> str:
    """One line per picture, so that a person can read it."""
    pictures = kept["pictures"]
    assert isinstance(pictures, list | tuple)
    rows = ",\n".join(encode_json(one) for one in pictures)
    return f'{{"version":{kept["version"]},"pictures":[\n{rows}\n]}}\n'
