"""Bringing a tagger: against a small server on this machine that speaks the hub's protocol."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import constants, file_download

from fluxcap import actions
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.taggers import find_tagger, known
from fluxcap.taggers.pull import pull

COMMIT = "a" * 40
TAGS = b"tag_id,name,category,count\n1,1girl,0,9\n"
MODEL = bytes(range(256)) * 4000
FILES = ["checksums", "model.onnx", "selected_tags.csv"]


@dataclass
class Hub:
    """What the server serves and how it goes wrong; ``seen`` is what it was asked."""

    files: dict[str, bytes]
    lies: dict[str, dict[str, str]] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    """After so many bytes of the model the connection breaks, once per entry."""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    url: str = ""


def etag(name: str, data: bytes) -> str:
    """As the hub's: sha256 of large files, the git id of small ones."""
    if name.endswith(".onnx"):
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def handler(hub: Hub) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, body: bool) -> None:
            hub.seen.append((self.command, self.path, self.headers.get("Range", "")))
            assert "authorization" not in {key.lower() for key in self.headers}
            found = re.fullmatch(rf"/[^/]+/[^/]+/resolve/(?:main|{COMMIT})/(.+)", self.path)
            data = hub.files.get(found[1]) if found else None
            if found is None or data is None:
                self.send_response(404)
                self.send_header("X-Error-Code", "EntryNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            name = found[1]
            start = (
                int(found_range[1]) if (found_range := re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))) else 0
            )
            headers = {
                "ETag": f'"{etag(name, data)}"',
                "X-Repo-Commit": COMMIT,
                "Content-Length": str(len(data) - start),
                **(
                    {"X-Linked-Etag": f'"{etag(name, data)}"', "X-Linked-Size": str(len(data))}
                    if name.endswith("x")
                    else {}
                ),
                **({"Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"} if start else {}),
                **hub.lies.get(name, {}),
            }
            self.send_response(206 if start else 200)
            for key, value in headers.items():
                if value:
                    self.send_header(key, value)
            self.end_headers()
            if body:
                end = hub.breaks.pop(0) if hub.breaks and name == "model.onnx" else len(data)
                self.wfile.write(data[start:end])
                self.close_connection = end < len(data)

    return Handler


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[Hub]:
    made = Hub(files={"selected_tags.csv": TAGS, "model.onnx": MODEL})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(made))
    server.daemon_threads = True
    made.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    monkeypatch.setattr(constants, "ENDPOINT", made.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", made.url + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 50_000)
    monkeypatch.setattr(file_download.time, "sleep", lambda _seconds: None)
    monkeypatch.setenv("FLUXCAP_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr("platformdirs.user_data_path", lambda _name: tmp_path / "data")
    toy = known.Known(repo="toy/tagger", licence="Apache-2.0", size=1, tags_sha256=hashlib.sha256(TAGS).hexdigest())
    monkeypatch.setattr(known, "known", lambda: {"toy": toy})
    monkeypatch.setattr("fluxcap.taggers.pull.known", lambda: {"toy": toy})
    yield made
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "models" / "taggers" / "toy"


def everything(tmp_path: Path) -> list[str]:
    """All that lies below, without the library's own cache."""
    root = tmp_path / "models" / "taggers"
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*")) if root.exists() else []


def test_pulling(hub, folder, tmp_path):
    assert pull("toy") == [folder / "selected_tags.csv", folder / "model.onnx"]
    assert (folder / "model.onnx").read_bytes() == MODEL
    assert (folder / "selected_tags.csv").read_bytes() == TAGS
    lines = (folder / "checksums").read_text(encoding="utf-8").splitlines()
    assert lines == [f"{hashlib.sha256(data).hexdigest()}  {name}" for name, data in hub.files.items()]
    assert everything(tmp_path) == ["toy", *(f"toy/{name}" for name in FILES)]
    assert find_tagger("toy") == folder
    fetched = [path for method, path, _ in hub.seen if method == "GET" and "/resolve/" in path]
    assert fetched == [f"/toy/tagger/resolve/{COMMIT}/{name}" for name in hub.files], "both of one state"


def test_what_is_here_is_not_fetched_again(hub, folder):
    pull("toy")
    hub.seen.clear()
    pull("toy")
    assert hub.seen == []
    (folder / "model.onnx").write_bytes(MODEL[:-1] + b"?")
    (folder / "model.int8.onnx").write_bytes(b"made of another model")
    pull("toy")
    assert (folder / "model.onnx").read_bytes() == MODEL
    assert sorted(path.name for path in folder.iterdir()) == FILES


def test_into_a_folder_that_is_named(hub, tmp_path, monkeypatch):
    assert pull("toy", tmp_path / "mine")[0] == tmp_path / "mine" / "selected_tags.csv"
    monkeypatch.delenv("FLUXCAP_MODELS")
    assert pull("toy")[0].parent == tmp_path / "data" / "models" / "taggers" / "toy"


def test_a_broken_connection_is_taken_up_again(hub, folder):
    hub.breaks = [300_000, 700_000]
    pull("toy")
    assert (folder / "model.onnx").read_bytes() == MODEL
    ranges = [asked for method, path, asked in hub.seen if method == "GET" and path.endswith(".onnx")]
    assert ranges == ["", "bytes=300000-", "bytes=700000-"]


def test_stopped_by_hand_and_begun_again(hub, folder, tmp_path, monkeypatch):
    real = huggingface_hub.hf_hub_download

    def stop(repo, file, **options):
        if file == "model.onnx":
            raise KeyboardInterrupt
        return real(repo, file, **options)

    with monkeypatch.context() as patch:
        patch.setattr(huggingface_hub, "hf_hub_download", stop)
        with pytest.raises(KeyboardInterrupt):
            pull("toy")
    assert everything(tmp_path) == []
    pull("toy")
    assert (folder / "model.onnx").read_bytes() == MODEL


@pytest.mark.parametrize(
    ("name", "lies", "words"),
    [
        ("model.onnx", {"X-Linked-Etag": f'"{"0" * 64}"'}, "came damaged"),
        ("selected_tags.csv", {"ETag": f'"{"0" * 40}"'}, "came damaged"),
        ("model.onnx", {"X-Linked-Size": str(len(MODEL) + 5)}, "cannot be fetched"),
        ("model.onnx", {"X-Linked-Etag": '"5d41402abc4b2a76b9719d911017c592"'}, "tells no checksum"),
        ("model.onnx", {"X-Linked-Etag": "", "ETag": ""}, "tells no checksum"),
        ("model.onnx", {"X-Repo-Commit": ""}, "tells no checksum"),
    ],
)
def test_what_the_hub_says_has_to_be_true(hub, tmp_path, name, lies, words):
    hub.lies[name] = lies
    with pytest.raises(FluxcapError, match=words) as caught:
        pull("toy")
    assert name in caught.value.message
    assert "\n" not in str(caught.value)
    assert "https://huggingface.co/toy/tagger" in caught.value.hint
    assert everything(tmp_path) == []


def test_another_list_of_tags_than_the_known_one(hub, tmp_path):
    hub.files["selected_tags.csv"] += b"2,solo,0,9\n"
    with pytest.raises(FluxcapError, match=r"selected_tags\.csv of toy/tagger came damaged"):
        pull("toy")
    assert everything(tmp_path) == []


def test_what_is_here_stays_where_the_new_one_is_damaged(hub, folder, tmp_path):
    pull("toy")
    (folder / "checksums").unlink()  # brought by hand: compared with the hub's
    before = everything(tmp_path)
    hub.lies["model.onnx"] = {"X-Linked-Etag": f'"{"0" * 64}"'}
    with pytest.raises(FluxcapError, match="came damaged"):
        pull("toy")
    assert everything(tmp_path) == before


def test_a_file_that_the_repository_lacks(hub, tmp_path):
    del hub.files["model.onnx"]
    with pytest.raises(FluxcapError, match=r"model\.onnx of toy/tagger cannot be fetched") as caught:
        pull("toy")
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == []


@pytest.mark.parametrize("offline", [True, False])
def test_no_network(hub, tmp_path, monkeypatch, offline):
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    if not offline:
        monkeypatch.setattr(
            constants, "HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}/{revision}/{filename}"
        )
    with pytest.raises(FluxcapError, match="cannot be fetched") as caught:
        pull("toy")
    assert caught.value.hint.endswith("into a folder, then name it: --tagger FOLDER")
    assert "\n" not in str(caught.value)
    assert everything(tmp_path) == []


def test_a_full_disk(hub, tmp_path, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(errno.ENOSPC, "No space left on device", "model.onnx")

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full)
    with pytest.raises(FluxcapError, match=r"model\.onnx cannot be written \(No space left on device\)") as caught:
        pull("toy")
    assert "FLUXCAP_MODELS" in caught.value.hint
    assert everything(tmp_path) == []


def test_unknown_names(hub):
    with pytest.raises(UsageError, match="known: toy"):
        pull("nothing")
    with pytest.raises(UsageError, match="known: measure, tokenizers, toy"):
        actions.pull("nothing")


# -------------------------------------------------------------------------------------------------------- the commands


def test_the_list(hub, folder):
    rows = {row.name: row for row in actions.models()}
    assert list(rows) == ["measure", "tokenizers", "toy"]
    assert (rows["toy"].where, rows["toy"].command) == ("", "fluxcap models pull toy")
    assert actions.pull("toy") == [f"{folder / name} is here" for name in ("selected_tags.csv", "model.onnx")]
    rows = {row.name: row for row in actions.models()}
    assert (rows["toy"].where, rows["toy"].command) == (str(folder), "")
    assert rows["toy"].size > len(MODEL)


def fluxcap(tmp_path: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    own = {"FLUXCAP_MODELS": str(tmp_path / "models"), "HF_HOME": str(tmp_path / "hf"), "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        [sys.executable, "-m", "fluxcap", "models", *words],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | own | environment,
        check=False,
    )


def test_from_the_command_line(hub, tmp_path):
    """The real table: the server's list of tags is not the one known of wd-vit, which is told; of wd-swinv2 none is known."""
    said = fluxcap(tmp_path, "pull", "wd-vit", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0")
    assert said.returncode == 3
    assert "fluxcap: selected_tags.csv of SmilingWolf/wd-vit-tagger-v3 came damaged" in said.stderr
    said = fluxcap(tmp_path, "pull", "wd-swinv2", HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="0")
    assert said.returncode == 0, said.stderr
    assert said.stdout.count(" is here\n") == 2
    said = fluxcap(tmp_path, "list")
    assert said.returncode == 0, said.stderr
    assert re.search(r"^wd-vit +379 MB  not here; fluxcap models pull wd-vit$", said.stdout, re.MULTILINE)
    assert re.search(r"^wd-swinv2 +1 MB  .*wd-swinv2$", said.stdout, re.MULTILINE)
    said = fluxcap(tmp_path, "quantize", "wd-vit")
    assert (said.returncode, said.stdout) == (2, "")
