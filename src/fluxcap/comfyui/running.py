"""A whole run: look at the server, plan, render, and tell what the pictures show of the LoRAs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fluxcap.comfyui.checking import check
from fluxcap.comfyui.graphs import Picture
from fluxcap.comfyui.planning import renders
from fluxcap.comfyui.record import Entry, Record
from fluxcap.comfyui.rendering import Patience, Rendering, Watch, alike, unloaded
from fluxcap.comfyui.server import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a run made: the entries of all pictures that were asked for, and what was told."""

    entries: tuple[Entry, ...]
    notices: tuple[str, ...]


def run(
    url: str,
    out: Path,
    pictures: Sequence[Picture],
    *,
    files: Mapping[str, Path] | None = None,
    watch: Watch | None = None,
    patience: Patience | None = None,
) -> Done:
    """Make the pictures in the folder ``out``; those that an earlier run made are kept. ``files`` are LoRAs at hand, by name.

    Raises ``FluxcapError`` for what the server lacks, ``UsageError`` for a folder with other things in it.
    """
    watch = watch or Watch()
    server = Server(url)
    try:
        renders(pictures)  # numbers that are refused are told before the server is asked
        checked = check(server, pictures, files)
        record = Record.open(out)
        planned = record.plan(renders(checked.pictures))
        here = sum(entry.state == "done" for entry in planned)
        notices = [*checked.notices, *([f"{here} of {len(planned)} pictures are there already"] if here else [])]
        for notice in notices:
            watch.say(notice)
        before = server.log() if checked.unread else ()
        entries = Rendering(server, record, planned, watch, patience).run()
        after = alike(entries)
        if checked.unread and (keys := unloaded(before, server.log())):
            after.append(f"ComfyUI did not load {len(keys)} LoRA keys in this run, the first: {keys[0]}")
        for notice in after:
            watch.say(notice)
        return Done(entries=entries, notices=(*notices, *after))
    finally:
        server.close()
