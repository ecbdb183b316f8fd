"""A ComfyUI that misbehaves as told, on a port of this machine: HTTP and websocket as recorded from the real one (0.33.0).

    with ComfyServer(late_history=0.3) as server:  # (a) the success is told before the history has it
        ...  # render on server.url
    server.submitted[0]["graph"]

It validates graphs against the recorded ``/object_info``, runs them one after the other, caches nodes whose inputs are the same,
answers a wholly cached graph with the old file, and makes a PNG whose colour follows from the inputs of the sampler.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import struct
import threading
import time
import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from PIL import Image

RECORDED = json.loads((Path(__file__).parent / "data" / "comfyui_object_info.json").read_text(encoding="utf-8"))
STEPS = 3


@dataclass(slots=True, kw_only=True)
class Rules:
    """What holds for every graph."""

    late_history: float = 0.0
    """(a) Seconds from ``execution_success`` until the history has the graph."""
    dead_loras: tuple[str, ...] = ("sdxl_style.safetensors",)
    """(c) LoRAs whose keys match nothing: a picture as without them, and lines in the log."""
    combos: str = "recorded"
    """(g) "lists" or "options": all combos in that shape."""
    socket: str = "good"
    """"refused", or "drops": it is closed at the first progress."""
    broken: tuple[str, ...] = ()
    """Seeds (as text) whose graphs break off with an ``execution_error``."""
    own_ids: bool = False
    """An old ComfyUI: it gives ids of its own."""
    key: str | None = None
    inner: bool = True
    """Whether the routes below /internal are there."""
    loras: str = ""
    """The folder that /internal/folder_paths names."""
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    """Classes of nodes that are not there."""
    pace: float = 0.0
    """Seconds a step takes."""
    loses_files: bool = False
    """Files are gone from the disk as soon as a later one is written (cleaned up by somebody)."""


class ComfyServer:
    """See the module; the switches are those of ``Rules``."""

    def __init__(self, **rules: Any) -> None:
        self.rules = Rules(**rules)
        self.submitted: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.go = threading.Event()
        """Cleared, it holds the graphs back."""
        self.go.set()
        self.interrupted: list[str] = []
        self.withdrawn: list[str] = []
        self.log: list[tuple[str, str]] = [("2026-01-01T00:00:00.000000", "Starting server\n")]
        self.files: dict[tuple[str, str], bytes] = {}
        self.sockets: dict[str, Any] = {}
        self.connections: set[Any] = set()
        self._lock = threading.RLock()
        self._forget()
        self._closing = threading.Event()
        self._open()

    def _open(self, port: int = 0) -> None:
        self._http = _Http(("127.0.0.1", port), _handler(self))
        self.port = self._http.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    def _forget(self) -> None:
        self.history: dict[str, Any] = {}
        self.pending: list[tuple[str, str, dict[str, Any]]] = []
        self.running: list[tuple[str, str, dict[str, Any]]] = []
        self.cache: dict[str, str] = {}
        self.last: dict[str, Any] = {}

    def __enter__(self) -> ComfyServer:
        self._thread.start()
        self._worker = threading.Thread(target=self._work, daemon=True)
        self._worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self.go.set()
        self.stop()
        self._worker.join(5)

    def stop(self) -> None:
        """The server goes away."""
        for client in list(self.sockets):
            self._drop(client)
        self._http.shutdown()
        self._http.server_close()
        for connection in list(self.connections):
            with suppress(OSError):
                connection.shutdown(2)
        self._thread.join()

    def restart(self, *, empty: bool = True) -> None:
        """The server comes back at the same address; ``empty``: it knows nothing of before."""
        with self._lock:
            if empty:
                self._forget()
        self._open(self.port)
        self._thread.start()

    # ---- what it knows
    def objects(self) -> dict[str, Any]:
        found = json.loads(json.dumps(RECORDED["object_info"]))
        for name in self.rules.lacks:
            found.pop(name, None)
        for info in found.values():
            for group in ("required", "optional"):
                for key, spec in info["input"].get(group, {}).items():
                    choices = spec[0] if isinstance(spec[0], list) else (spec[1:] or [{}])[0].get("options")
                    if isinstance(choices, list) and self.rules.combos == "lists":
                        info["input"][group][key] = [choices, {}]
                    elif isinstance(choices, list) and self.rules.combos == "options":
                        info["input"][group][key] = ["COMBO", {"multiselect": False, "options": choices}]
        return found

    def validate(self, graph: dict[str, Any]) -> dict[str, Any] | None:
        """The answer with which the real one refuses, None for a graph that it takes."""
        objects = self.objects()
        errors: dict[str, Any] = {}
        for name, node in graph.items():
            info = objects.get(node["class_type"])
            if info is None:
                error = {
                    "type": "missing_node_type",
                    "message": f"Node '{node['class_type']}' not found. The custom node may not be installed.",
                    "details": f"Node ID '#{name}'",
                    "extra_info": {"node_id": name, "class_type": node["class_type"], "node_title": None},
                }
                return {"error": error, "node_errors": {}}
            for key, spec in {**info["input"].get("required", {}), **info["input"].get("optional", {})}.items():
                problem = _problem(key, spec, node["inputs"], key in info["input"].get("required", {}))
                if problem:
                    errors.setdefault(
                        name, {"errors": [], "dependent_outputs": ["save"], "class_type": node["class_type"]}
                    )["errors"].append(problem)
        if not errors:
            return None
        details = "\n".join(f"{one['message']}: {one['details']}" for node in errors.values() for one in node["errors"])
        error = {"type": "prompt_outputs_failed_validation", "message": "Prompt outputs failed validation"}
        return {"error": {**error, "details": details, "extra_info": {}}, "node_errors": errors}

    # ---- what it does
    def take(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        graph = body.get("prompt")
        if not isinstance(graph, dict):
            error = {"type": "no_prompt", "message": "No prompt provided", "details": "No prompt provided"}
            return 400, {"error": {**error, "extra_info": {}}, "node_errors": {}}
        refused = self.validate(graph)
        if refused:
            return 400, refused
        given = body.get("prompt_id")
        prompt_id = str(uuid.uuid4()) if self.rules.own_ids or given is None else str(uuid.UUID(given))
        with self._lock:
            self.submitted.append({"graph": graph, "prompt_id": prompt_id, "client_id": body.get("client_id", "")})
            self.pending.append((prompt_id, body.get("client_id", ""), graph))
        return 200, {"prompt_id": prompt_id, "number": len(self.submitted) - 1, "node_errors": {}}

    def _work(self) -> None:
        while not self._closing.is_set():
            with self._lock:
                item = self.pending.pop(0) if self.pending and self.go.is_set() else None
                self.running = [item] if item else []
            if item is None:
                time.sleep(0.005)
                continue
            self._run(*item)

    def _run(self, prompt_id: str, client: str, graph: dict[str, Any]) -> None:
        signs = {name: _signature(graph, name) for name in graph}
        cached = [name for name in graph if self.cache.get(name) == signs[name]]
        messages: list[Any] = [["execution_start", {"prompt_id": prompt_id, "timestamp": 1}]]
        messages.append(["execution_cached", {"nodes": cached, "prompt_id": prompt_id, "timestamp": 2}])
        for kind, data in messages:
            self.say(client, kind, data)
        status: dict[str, Any] = {"status_str": "success", "completed": True, "messages": messages}
        outputs: dict[str, Any] = {}
        seed = next((str(v) for n in graph.values() for k, v in n["inputs"].items() if "seed" in k), "")
        if "sample" not in cached:
            for step in range(1, STEPS + 1):
                self._closing.wait(self.rules.pace)
                if prompt_id in self.interrupted:
                    break
                self.say(client, "progress", {"value": step, "max": STEPS, "prompt_id": prompt_id, "node": "sample"})
                if self.rules.socket == "drops":
                    self._drop(client)
        if prompt_id in self.interrupted:
            status |= {"status_str": "error", "completed": False}
            messages.append(["execution_interrupted", {"prompt_id": prompt_id, "node_id": "sample", "executed": []}])
        elif seed in self.rules.broken:
            status |= {"status_str": "error", "completed": False}
            told = {"prompt_id": prompt_id, "node_id": "vae", "node_type": "VAELoader", "executed": []}
            told |= {"exception_message": "Error while deserializing header: header too small\n"}
            messages.append(["execution_error", {**told, "exception_type": "SafetensorError", "traceback": ["..."]}])
        else:
            if "save" not in cached:
                self._save(graph)
            outputs = {"save": {"images": [self.last]}}
            self.cache = signs
            self.say(client, "executed", {"node": "save", "output": outputs["save"], "prompt_id": prompt_id})
            messages.append(["execution_success", {"prompt_id": prompt_id, "timestamp": 3}])
        self.say(client, *messages[-1])
        if self.rules.late_history:
            self._closing.wait(self.rules.late_history)
        with self._lock:
            if any(one[0] == prompt_id for one in self.running):  # not so after a restart
                self.history[prompt_id] = {"prompt": [], "outputs": outputs, "status": status, "meta": {}}
            self.running = []
        self.say(client, "executing", {"node": None, "prompt_id": prompt_id})

    def _save(self, graph: dict[str, Any]) -> None:
        lora = graph.get("lora", {}).get("inputs", {}).get("lora_name", "")
        shown = json.loads(json.dumps(graph))
        shown.pop("save", None)
        if lora in self.rules.dead_loras:
            at = f"2026-01-01T00:00:{len(self.log):02}.000000"
            self.log.append((at, "lora key not loaded: lora_unet_input_blocks_4_1_proj_in.alpha\n"))
            shown = _without_lora(shown)
        sampled = json.dumps({name: node["inputs"] for name, node in shown.items()}, sort_keys=True)
        colour = tuple(hashlib.sha256(sampled.encode()).digest()[:3])
        data = io.BytesIO()
        Image.new("RGB", (16, 16), colour).save(data, "PNG")
        folder, _, stem = graph["save"]["inputs"]["filename_prefix"].rpartition("/")
        number = 1 + sum(key[0] == folder and key[1].startswith(f"{stem}_") for key in self.files)
        if self.rules.loses_files:
            self.files.clear()
        self.last = {"filename": f"{stem}_{number:05}_.png", "subfolder": folder, "type": "output"}
        self.files[folder, self.last["filename"]] = data.getvalue()

    # ---- the websocket
    def say(self, client: str, kind: str, data: Any) -> None:
        connection = self.sockets.get(client)
        if connection is None:
            return
        payload = json.dumps({"type": kind, "data": data}).encode()
        size = (
            struct.pack("!BBH", 0x81, 126, len(payload))
            if len(payload) > 125
            else struct.pack("!BB", 0x81, len(payload))
        )
        with suppress(OSError):
            connection.sendall(size + payload)

    def _drop(self, client: str) -> None:
        connection = self.sockets.pop(client, None)
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(2)


def _problem(key: str, spec: Any, inputs: dict[str, Any], required: bool) -> dict[str, Any] | None:
    if key not in inputs:
        told = {"type": "required_input_missing", "message": "Required input is missing", "details": key}
        return {**told, "extra_info": {"input_name": key}} if required else None
    value, about = inputs[key], spec[1] if len(spec) > 1 else {}
    choices = spec[0] if isinstance(spec[0], list) else about.get("options")
    extra = {"input_name": key, "input_config": spec, "received_value": value}
    if isinstance(value, list):
        return None
    if choices is not None and value not in choices:
        return {
            "type": "value_not_in_list",
            "message": "Value not in list",
            "details": f"{key}: {value!r} not in {choices}",
            "extra_info": extra,
        }
    if "max" in about and value > about["max"]:
        return {
            "type": "value_bigger_than_max",
            "message": f"Value {value} bigger than max of {about['max']}",
            "details": key,
            "extra_info": extra,
        }
    if "min" in about and value < about["min"]:
        return {
            "type": "value_smaller_than_min",
            "message": f"Value {value} smaller than min of {about['min']}",
            "details": key,
            "extra_info": extra,
        }
    return None


def _signature(graph: dict[str, Any], name: str) -> str:
    inputs = {
        key: _signature(graph, value[0]) if isinstance(value, list) else value
        for key, value in graph[name]["inputs"].items()
    }
    return json.dumps([graph[name]["class_type"], inputs], sort_keys=True)


def _without_lora(graph: dict[str, Any]) -> dict[str, Any]:
    graph.pop("lora", None)
    for node in graph.values():
        for key, value in node["inputs"].items():
            if isinstance(value, list) and value[0] == "lora":
                node["inputs"][key] = ["unet", 0]
    return graph


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the tests."""


def _handler(server: ComfyServer) -> type[BaseHTTPRequestHandler]:
    rules = server.rules

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            server.connections.add(self.connection)

        def finish(self) -> None:
            server.connections.discard(self.connection)
            super().finish()

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            server.requests.append(("GET", self.path))
            parts = urlsplit(self.path)
            asked = {key: value[0] for key, value in parse_qs(parts.query).items()}
            path = unquote(parts.path)
            if rules.key is not None and self.headers.get("authorization") != f"Bearer {rules.key}":
                self._send(401, {})
            elif path == "/ws":
                self._socket(asked.get("clientId", ""))
            elif path == "/system_stats":
                self._send(200, {"system": {"os": "linux", "comfyui_version": "0.33.0"}, "devices": []})
            elif path.startswith("/object_info/"):
                name = path.rpartition("/")[2]
                found = server.objects()
                self._send(200, {name: found[name]} if name in found else {})
            elif path.startswith("/history/"):
                name = path.rpartition("/")[2]
                with server._lock:
                    self._send(200, {name: server.history[name]} if name in server.history else {})
            elif path == "/queue":
                with server._lock:
                    found = {
                        key: [[n, one[0], one[2], {}, ["save"]] for n, one in enumerate(of)]
                        for key, of in (("queue_running", server.running), ("queue_pending", server.pending))
                    }
                self._send(200, found)
            elif path == "/view":
                data = server.files.get((asked.get("subfolder", ""), asked.get("filename", "")))
                self._raw(200, data, "image/png") if data is not None else self._send(404, {})
            elif path == "/view_metadata/loras":
                told = rules.metadata.get(asked.get("filename", ""))
                self._send(200, told) if told is not None else self._send(404, {})
            elif path == "/internal/folder_paths" and rules.inner:
                self._send(200, {"loras": [rules.loras] if rules.loras else []})
            elif path == "/internal/logs/raw" and rules.inner:
                self._send(200, {"entries": [{"t": t, "m": m} for t, m in server.log], "size": {}})
            else:
                self._send(404, {})

        def do_POST(self) -> None:
            server.requests.append(("POST", self.path))
            body = json.loads(self.rfile.read(int(self.headers["content-length"])) or b"{}")
            if rules.key is not None and self.headers.get("authorization") != f"Bearer {rules.key}":
                self._send(401, {})
            elif self.path == "/prompt":
                self._send(*server.take(body))
            elif self.path == "/queue":
                with server._lock:
                    server.withdrawn += body.get("delete", [])
                    server.pending = [one for one in server.pending if one[0] not in body.get("delete", [])]
                self._raw(200, b"", "text/plain")
            elif self.path == "/interrupt":
                server.interrupted.append(body.get("prompt_id", ""))
                self._raw(200, b"", "text/plain")
            else:
                self._send(404, {})

        def _send(self, status: int, value: Any) -> None:
            self._raw(status, json.dumps(value).encode(), "application/json; charset=utf-8")

        def _raw(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _socket(self, client: str) -> None:
            if rules.socket == "refused":
                self._send(404, {})
                return
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
            self.end_headers()
            self.wfile.flush()
            server.sockets[client] = self.connection
            server.say(client, "status", {"status": {"exec_info": {"queue_remaining": 0}}, "sid": client})
            with suppress(OSError):
                while data := self.connection.recv(4096):
                    if data[0] & 0x0F == 8:  # it closes
                        break
            server.sockets.pop(client, None)
            self.close_connection = True

    return Handler
