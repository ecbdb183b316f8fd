"""Pictures made on a ComfyUI, one after the other: sent, followed, fetched and put down. Goes on after a stop of either side."""

from __future__ import annotations

import hashlib
import io
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from fluxcap.comfyui.faults import breakdown
from fluxcap.comfyui.graphs import api
from fluxcap.comfyui.planning import digest
from fluxcap.comfyui.record import Entry, Record
from fluxcap.comfyui.server import Events, Refused, Server, Unreachable
from fluxcap.errors import FluxcapError

AT_ONCE = 2
"""Graphs on the server at once: it never waits for us, and little is lost when we stop."""

_ENDINGS = {".png", ".jpg", ".jpeg", ".webp"}
_ENDS = ("execution_error", "execution_interrupted")
_AGAIN = 3  # times that a graph is sent which the server forgets
_BROKEN = 3  # pictures that may fail one after the other


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who is told: lines for the person, and how far a picture is (its name, pictures done, of how many, its step, of how many)."""

    say: Callable[[str], None] = lambda text: None
    at: Callable[[str, int, int, int, int], None] = lambda name, done, total, step, steps: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds: between two looks at the history, until a silent server is given up, and until a lost socket is tried again."""

    look: float = 1.0
    silent: float = 300.0
    socket: float = 15.0


class Rendering:
    """One run over the pictures of a record."""

    def __init__(
        self,
        server: Server,
        record: Record,
        entries: Sequence[Entry],
        watch: Watch | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.server, self.record = server, record
        self.watch, self.patience = watch or Watch(), patience or Patience()
        self.client_id = uuid.uuid4().hex
        self.events = Events(server, self.client_id)
        self.entries = {entry.key: entry for entry in entries}
        self._under: dict[str, str] = {}
        self._sent: dict[str, int] = defaultdict(int)
        self._silent_since: float | None = None
        self._broken = 0

    def run(self) -> tuple[Entry, ...]:
        """Make what is not there yet; returns all entries as they are then.

        Raises ``FluxcapError`` where the server stays silent, refuses a graph, or fails again and again. Ctrl-C takes back
        what was sent and not made.
        """
        try:
            self._take_up()
            if self._todo() and not self.events.connect():
                self.watch.say(f"no progress is shown while a picture is made ({self.events.why})")
            self._work()
        except Unreachable:
            raise  # it may make what it was sent: the next run asks
        except BaseException:
            with suppress(FluxcapError):
                self._take_back()
            raise
        finally:
            self.events.close()
        return tuple(self.entries.values())

    def _work(self) -> None:
        looked = tried = time.monotonic()
        while self._under or self._todo():
            try:
                self._fill()
                done = self._listen()
                now = time.monotonic()
                if done or now - looked >= self.patience.look:
                    self._look()
                    looked = now
                if not self.events.open and now - tried >= self.patience.socket:
                    tried = now
                    self.events.connect()
                self._silent_since = None
            except Unreachable as error:
                self._wait(error)

    def _take_up(self) -> None:
        """Pictures that an earlier run sent may be made, be under way, or be forgotten: the next look tells."""
        for entry in self.entries.values():
            if entry.state == "sent":
                self._under[entry.prompt_id] = entry.key
        if self._under:
            self.watch.say(f"{len(self._under)} pictures were sent before; looking what became of them")

    def _todo(self) -> list[Entry]:
        return [entry for entry in self.entries.values() if entry.state == "planned"]

    def _fill(self) -> None:
        for entry in self._todo()[: max(0, AT_ONCE - len(self._under))]:
            # put down before it is sent: a run that is killed in between finds it again
            prompt_id = str(uuid.uuid4())
            self._put(replace(entry, state="sent", prompt_id=prompt_id))
            self._sent[entry.key] += 1
            try:
                given = self.server.submit(self._graph(entry, prompt_id), prompt_id, self.client_id)
            except FluxcapError:
                self._put(replace(entry, state="planned", prompt_id=""))
                raise
            if given != prompt_id:  # an old ComfyUI gives ids of its own
                self._put(replace(entry, state="sent", prompt_id=given))
            self._under[given] = entry.key

    def _graph(self, entry: Entry, prompt_id: str) -> dict[str, dict[str, Any]]:
        # another file name each time: ComfyUI answers the very same graph with the old file, be it gone or not
        return api(entry.picture, f"fluxcap/{entry.name}_{prompt_id[:8]}")

    def _listen(self) -> bool:
        """Hear what the server says for a moment; whether a picture of ours came to an end."""
        if not self.events.open:
            time.sleep(min(self.patience.look, 1.0))
            return True
        message = self.events.next(self.patience.look)
        if message is None:
            return not self.events.open
        data = message.get("data")
        if not isinstance(data, Mapping) or data.get("prompt_id") not in self._under:
            return False
        entry = self.entries[self._under[data["prompt_id"]]]
        if message.get("type") == "progress":
            self._show(entry, data.get("value"), data.get("max"))
        # 'executing' without a node comes after the history is written, the success before
        return message.get("type") in _ENDS or (message.get("type") == "executing" and data.get("node") is None)

    def _show(self, entry: Entry, step: object = 0, steps: object = 0) -> None:
        done = sum(one.state in ("done", "failed") for one in self.entries.values())
        at, of = (int(one) if isinstance(one, int | float) else 0 for one in (step, steps))
        self.watch.at(entry.name, done, len(self.entries), at, of)

    def _look(self) -> None:
        """Look at the queue, then at the history: what is in neither was forgotten (the server was started anew)."""
        running, waiting = self.server.queue()
        for prompt_id, key in list(self._under.items()):
            if prompt_id in running or prompt_id in waiting:
                continue
            found = self.server.history(prompt_id)
            if found is not None:
                self._settle(self.entries[key], found)
            elif self._sent[key] >= _AGAIN:
                self._fail(self.entries[key], "ComfyUI forgot it again and again")
            else:
                self.watch.say(f"{self.entries[key].name}: ComfyUI does not know it any more, sending it again")
                self._put(replace(self.entries[key], state="planned", prompt_id=""))
            del self._under[prompt_id]

    def _settle(self, entry: Entry, found: Mapping[str, Any]) -> None:
        if why := breakdown(found):
            self._fail(entry, why)
            return
        image = _image(found)
        if image is None:
            self._fail(entry, "ComfyUI tells of no picture")
            return
        try:
            data = self.server.picture(image)
            pixels = _pixels(data)
        except (Refused, ValueError) as error:
            self._fail(entry, f"the picture cannot be fetched ({error})")
            return
        ending = PurePosixPath(str(image.get("filename"))).suffix.lower()
        name = f"{entry.name}{ending if ending in _ENDINGS else '.png'}"
        self.record.write(name, data)
        cached = "sample" in _cached(found)
        if cached:
            self.watch.say(f"{entry.name}: ComfyUI had it from before (cached), it was not sampled anew")
        self._put(replace(entry, state="done", file=name, pixels=pixels, cached=cached, why=""))
        self._broken = 0
        self._show(entry)

    def _fail(self, entry: Entry, why: str) -> None:
        self._put(replace(entry, state="failed", why=why))
        self.watch.say(f"{entry.name} was not made: {why}")
        self._broken += 1
        if self._broken >= _BROKEN:
            raise FluxcapError(
                f"{self._broken} pictures failed one after the other, the last: {why}", "see the window of ComfyUI"
            )

    def _put(self, entry: Entry) -> None:
        self.entries[entry.key] = entry
        self.record.put(entry)

    def _wait(self, error: Unreachable) -> None:
        now = time.monotonic()
        if self._silent_since is None:
            self._silent_since = now
            self.watch.say(f"{error.message}; waiting for it")
        if now - self._silent_since >= self.patience.silent:
            raise Unreachable(error.message, "start it and run the same command again: what is made is kept") from error
        self.events.close()
        time.sleep(min(self.patience.look, 1.0))

    def _take_back(self) -> None:
        """What was sent and is not made goes back to planned, here and on the server."""
        mine = dict(self._under)
        for key in mine.values():
            if self.entries[key].state == "sent":
                self._put(replace(self.entries[key], state="planned", prompt_id=""))
        self._under.clear()
        if mine:
            self.server.withdraw(list(mine))
            for prompt_id in self.server.queue()[0] & set(mine):
                self.server.interrupt(prompt_id)


def alike(entries: Iterable[Entry]) -> list[str]:
    """Pictures that are the same to the pixel although another LoRA, or none, made them: it changed nothing. In words."""
    groups: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.state == "done" and entry.pixels:
            groups[digest(replace(entry.picture, lora="", strength=1.0)), entry.pixels].append(entry)
    found: dict[str, None] = {}
    for group in groups.values():
        names = sorted({one.picture.lora or "no LoRA" for one in group})
        if len(names) > 1:
            found[f"{' and '.join(names)} made the very same picture: a LoRA that changes nothing"] = None
    return list(found)


def unloaded(before: Sequence[tuple[str, str]], after: Sequence[tuple[str, str]]) -> list[str]:
    """The LoRA keys that ComfyUI's log calls not loaded, of the lines that are new since ``before``."""
    last = before[-1][0] if before else ""
    mark = "lora key not loaded: "
    return [text.partition(mark)[2].strip() for at, text in after if at > last and mark in text]


def _image(found: Mapping[str, Any]) -> Mapping[str, Any] | None:
    outputs = found.get("outputs")
    for output in outputs.values() if isinstance(outputs, Mapping) else ():
        images = output.get("images") if isinstance(output, Mapping) else None
        for image in images if isinstance(images, list) else ():
            if isinstance(image, Mapping) and image.get("filename"):
                return image
    return None


def _cached(found: Mapping[str, Any]) -> frozenset[str]:
    """The nodes that the server did not run anew."""
    status = found.get("status")
    messages = status.get("messages") if isinstance(status, Mapping) else None
    for message in messages if isinstance(messages, list) else ():
        if isinstance(message, list) and len(message) > 1 and message[0] == "execution_cached":
            nodes = message[1].get("nodes") if isinstance(message[1], Mapping) else None
            return frozenset(map(str, nodes or ()))
    return frozenset()


def _pixels(data: bytes) -> str:
    """The sha256 of the picture's RGB values; raises ``ValueError`` for what is no picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(data)) as opened:
            return hashlib.sha256(repr(opened.size).encode() + opened.convert("RGB").tobytes()).hexdigest()
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError) as error:
        raise ValueError("it is no picture") from error
