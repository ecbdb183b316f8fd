"""A running ComfyUI: its HTTP routes, and what it says while it works. Only the address that was named is contacted."""

from __future__ import annotations

import ipaddress
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from fluxcap.comfyui.faults import refusal, short
from fluxcap.comfyui.graphs import Api
from fluxcap.errors import FluxcapError, UsageError

if TYPE_CHECKING:
    import httpx

KEY = "FLUXCAP_COMFYUI_KEY"
"""The environment variable with the key of a server that wants one (sent as a bearer token)."""

USUAL = "http://127.0.0.1:8188"
_SECONDS = 60.0
_SOCKET_SECONDS = 10.0


class Unreachable(FluxcapError):
    """The server does not answer, or not now."""


class Refused(FluxcapError):
    """The server answers, and says no; ``status`` is the HTTP status."""

    def __init__(self, message: str, hint: str = "", *, status: int = 0) -> None:
        super().__init__(message, hint)
        self.status = status


def address(url: str) -> str:
    """The usual form of a server's address, without a slash at the end; raises ``UsageError``."""
    text = url.strip()
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        told = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a broken IPv6 address
        parts, told = urlsplit(""), False
    if parts.username is not None or parts.password is not None:
        # the address itself is not repeated: it holds a secret
        raise UsageError("the address of the server has a name or a key in it", f"leave it out and set {KEY}")
    if not told or parts.query or parts.fragment:
        raise UsageError(f"{url!r} is not the address of a server", f"write it like {USUAL}")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def is_local(url: str) -> bool:
    """Whether the address is this machine."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


class Server:
    """The routes that fluxcap uses. Every method raises ``Unreachable`` or ``Refused``."""

    def __init__(self, url: str) -> None:
        import httpx

        self.url = address(url)
        key = os.environ.get(KEY)
        if key and self.url.startswith("http:") and not is_local(self.url):
            raise UsageError(f"the key in {KEY} would travel unencrypted", "name an address with https, or unset it")
        self.headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(
            headers=self.headers,
            timeout=httpx.Timeout(_SECONDS, connect=_SOCKET_SECONDS),
            trust_env=not is_local(self.url),
            follow_redirects=False,  # only the named address is contacted
        )

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()

    def object_info(self, classes: Sequence[str]) -> dict[str, Any]:
        """What these classes of nodes take; one that is not there is left out."""
        found: dict[str, Any] = {}
        for name in dict.fromkeys(classes):
            try:
                answer = self._json("GET", f"/object_info/{name}")
            except Refused as refused:
                if refused.status != 404:
                    raise
            else:
                found |= {name: answer[name]} if isinstance(answer, dict) and name in answer else {}
        return found

    def version(self) -> str:
        """ComfyUI's version, '' where it does not tell."""
        answer = self._json("GET", "/system_stats")
        system = answer.get("system") if isinstance(answer, dict) else None
        if not isinstance(system, dict):
            raise Refused(f"{self.url} is no ComfyUI", "name the address that the browser shows for ComfyUI")
        return str(system.get("comfyui_version") or "")

    def submit(self, graph: Api, prompt_id: str, client_id: str) -> str:
        """Queue a graph; returns its id. A graph that is not valid is ``Refused``, with what is wrong in one line."""
        body = {"prompt": graph, "prompt_id": prompt_id, "client_id": client_id}
        answer = self._json("POST", "/prompt", body)
        if not isinstance(answer, dict) or "prompt_id" not in answer:
            raise Refused(f"ComfyUI did not take the graph: {refusal(answer)}")
        return str(answer["prompt_id"])

    def history(self, prompt_id: str) -> Mapping[str, Any] | None:
        """What became of a graph, None while there is nothing to tell."""
        answer = self._json("GET", f"/history/{prompt_id}")
        entry = answer.get(prompt_id) if isinstance(answer, dict) else None
        return entry if isinstance(entry, dict) else None

    def queue(self) -> tuple[frozenset[str], frozenset[str]]:
        """The ids of the graphs that run, and of those that wait."""
        answer = self._json("GET", "/queue")
        lists = [answer.get(key) if isinstance(answer, dict) else None for key in ("queue_running", "queue_pending")]
        running, waiting = (
            frozenset(str(one[1]) for one in found or () if isinstance(one, list) and len(one) > 1) for found in lists
        )
        return running, waiting

    def picture(self, image: Mapping[str, Any]) -> bytes:
        """The bytes of a file that the history names."""
        named = {key: str(image.get(key) or usual) for key, usual in _IMAGE.items()}
        return self._ask("GET", f"/view?{urlencode(named)}").content

    def withdraw(self, prompt_ids: Sequence[str]) -> None:
        """Take graphs out of the queue that did not start."""
        self._ask("POST", "/queue", {"delete": list(prompt_ids)})

    def interrupt(self, prompt_id: str) -> None:
        """Stop a graph that runs. An old ComfyUI stops whatever runs: ask ``queue`` first."""
        self._ask("POST", "/interrupt", {"prompt_id": prompt_id})

    def lora_metadata(self, name: str) -> Mapping[str, str]:
        """The metadata of a LoRA's file; its keys are not told over HTTP. Empty where there are none."""
        try:
            answer = self._json("GET", f"/view_metadata/loras?{urlencode({'filename': name})}")
        except Refused:
            return {}
        return {str(key): str(value) for key, value in answer.items()} if isinstance(answer, dict) else {}

    def folders(self, kind: str) -> tuple[str, ...]:
        """Where the server's files of a kind lie, on its machine. An inner route: empty where it is not there."""
        with suppress(Refused, AttributeError, TypeError):
            return tuple(str(one) for one in self._json("GET", "/internal/folder_paths").get(kind) or ())
        return ()

    def log(self) -> tuple[tuple[str, str], ...]:
        """The last lines of the server's log with their times. An inner route: empty where it is not there."""
        with suppress(Refused, AttributeError, TypeError):
            entries = self._json("GET", "/internal/logs/raw").get("entries") or ()
            return tuple((str(one.get("t")), str(one.get("m"))) for one in entries if isinstance(one, dict))
        return ()

    def _json(self, method: str, path: str, body: object = None) -> Any:
        answer = self._ask(method, path, body)
        try:
            return answer.json()
        except (ValueError, RecursionError) as error:
            told = f"{self.url} is no ComfyUI: {path.partition('?')[0]} answered no JSON"
            raise Refused(told, "name the address that the browser shows for ComfyUI") from error

    def _ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        import httpx

        try:
            answer = self._http.request(method, self.url + path, json=body)
        except httpx.HTTPError as error:
            why = "it does not answer in time" if isinstance(error, httpx.TimeoutException) else short(error)
            raise Unreachable(
                f"no ComfyUI answers at {self.url} ({why or type(error).__name__})",
                "start it, or name its address: --url http://127.0.0.1:8188",
            ) from error
        if answer.is_success:
            return answer
        raise _refused(self.url, path, answer)


_IMAGE = {"filename": "", "subfolder": "", "type": "output"}


def _refused(url: str, path: str, answer: httpx.Response) -> FluxcapError:
    status = answer.status_code
    if status in (401, 403):
        return Refused(f"{url} wants a key ({status})", f"set it in the environment: {KEY}", status=status)
    if status in (502, 503, 504):
        return Unreachable(f"ComfyUI at {url} does not answer now ({status})", "wait a little, or look at its window")
    if answer.is_redirect:
        return Refused(f"{url} sends on to another address", "name that one with --url", status=status)
    said: Any = None
    with suppress(ValueError, RecursionError):
        said = answer.json()
    if path == "/prompt" and said is not None:
        return Refused(f"ComfyUI did not take the graph: {refusal(said)}", status=status)
    return Refused(f"{url}{path.partition('?')[0]} answered {status}: {short(answer.text)}", status=status)


class Events:
    """What the server says over its websocket, message by message. Where it fails or is not there, nothing is said."""

    def __init__(self, server: Server, client_id: str) -> None:
        self._uri = f"ws{server.url.removeprefix('http')}/ws?{urlencode({'clientId': client_id})}"
        self._local, self._headers = is_local(server.url), server.headers
        self._socket: Any = None
        self._held = ExitStack()
        self.why = ""
        """Why there is no socket, in words."""

    @property
    def open(self) -> bool:
        """Whether the socket stands."""
        return self._socket is not None

    def connect(self) -> bool:
        """Open the socket, again where it was lost; whether it stands."""
        try:
            from websockets.exceptions import WebSocketException
            from websockets.sync.client import connect
        except ImportError:
            self.why = "the package websockets is not installed: pip install 'fluxcap[comfyui]'"
            return False
        try:
            self._socket = self._held.enter_context(
                connect(
                    self._uri,
                    additional_headers=self._headers,
                    proxy=None if self._local else True,
                    open_timeout=_SOCKET_SECONDS,
                    close_timeout=1,
                    max_size=None,
                )
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            self.why = short(error) or type(error).__name__
            return False
        return True

    def next(self, seconds: float) -> Mapping[str, Any] | None:
        """The next message within that time; None for none. A lost socket is let go."""
        if self._socket is None:
            return None
        from websockets.exceptions import ConnectionClosed

        try:
            message = self._socket.recv(timeout=seconds)
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError) as error:
            self.why = short(error)
            self.close()
            return None
        if not isinstance(message, str):  # a preview picture
            return None
        try:
            data = json.loads(message)
        except (ValueError, RecursionError):
            return None
        return data if isinstance(data, dict) else None

    def close(self) -> None:
        """Let the socket go."""
        self._socket = None
        with suppress(Exception):  # whatever state it is in
            self._held.close()
