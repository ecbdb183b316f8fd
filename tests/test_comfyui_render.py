"""Pictures made on a ComfyUI that misbehaves (tests/comfy_server.py): the traps, a stop of either side, what is told."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from comfy_server import ComfyServer
from PIL import Image
from test_comfyui_graphs import lora_file

from fluxcap.cli import comfyui_commands
from fluxcap.comfyui.graphs import Picture, Prompt, api
from fluxcap.comfyui.planning import grid
from fluxcap.comfyui.record import FILE, Record
from fluxcap.comfyui.rendering import Patience, Rendering, Watch
from fluxcap.comfyui.running import Done, run
from fluxcap.comfyui.server import KEY, Events, Refused, Server, Unreachable, address
from fluxcap.errors import FluxcapError, UsageError

QUICK = Patience(look=0.05, silent=2.0, socket=0.1)
PROMPTS = (Prompt(clip="ohwx, beach", t5="ohwx on a beach", name="beach"), Prompt(clip="a", t5="b", name="park"))
LORAS = ("ohwx_000001750.safetensors", "ohwx_000002000.safetensors")
BASE = Picture(target="flux1-dev", prompt=PROMPTS[0], width=64, height=64, steps=3)


class Told(list[str]):
    """What a run said, and how far its bar came."""

    def __init__(self) -> None:
        super().__init__()
        self.steps: list[tuple[int, int, int, int]] = []
        self.watch = Watch(say=self.append, at=lambda name, *numbers: self.steps.append(numbers))

    def has(self, text: str) -> bool:
        return any(text in line for line in self)


@pytest.fixture
def told() -> Told:
    return Told()


def make(server: ComfyServer, out: Path, told: Told, pictures: Any = None, **how: Any) -> Done:
    wanted = pictures if pictures is not None else grid(BASE, prompts=PROMPTS, loras=LORAS)
    return run(server.url, out, wanted, watch=told.watch, patience=QUICK, **how)


def test_a_grid_is_made_and_kept(tmp_path, told):
    with ComfyServer() as server:
        done = make(server, tmp_path / "out", told)
        assert [entry.state for entry in done.entries] == ["done"] * 4
        assert done.entries[0].file == "ohwx_000001750__beach__seed42.png"
        sent = [one["graph"] for one in server.submitted]
        assert [one["lora"]["inputs"]["lora_name"] for one in sent] == [LORAS[0]] * 2 + [LORAS[1]] * 2
        assert sent[0]["save"]["inputs"]["filename_prefix"].startswith("fluxcap/ohwx_000001750__beach__seed42_")
        for entry in done.entries:
            with Image.open(tmp_path / "out" / entry.file) as made:
                assert made.size == (16, 16)
        assert (4, 4) in {numbers[:2] for numbers in told.steps}
        assert {numbers[2:] for numbers in told.steps} >= {(1, 3), (2, 3), (3, 3)}
        kept = json.loads((tmp_path / "out" / FILE).read_text("utf-8"))
        assert [one["state"] for one in kept["pictures"]] == ["done"] * 4
        assert kept["pictures"][0]["picture"]["prompt"] == {
            "clip": "ohwx, beach",
            "name": "beach",
            "t5": "ohwx on a beach",
        }
        again = make(server, tmp_path / "out", told)
        assert again.entries == done.entries
        assert len(server.submitted) == 4
        assert told.has("4 of 4 pictures are there already")
        (tmp_path / "out" / done.entries[1].file).unlink()
        assert make(server, tmp_path / "out", told).entries[1].state == "done"
        assert len(server.submitted) == 5


def test_the_history_comes_after_the_success(tmp_path, told):
    with ComfyServer(late_history=0.3) as server:
        done = make(server, tmp_path / "out", told)
    assert [entry.state for entry in done.entries] == ["done"] * 4
    assert len(server.submitted) == 4


def test_the_same_graph_never_gives_an_old_file(tmp_path, told):
    """The real one answers the very same graph with the file of before, which may be gone."""
    with ComfyServer(loses_files=True) as server:
        one = grid(BASE, prompts=PROMPTS[:1])
        first = make(server, tmp_path / "a", told, one).entries[0]
        second = make(server, tmp_path / "b", told, one).entries[0]
    assert (first.cached, second.cached) == (False, True)
    assert first.pixels == second.pixels
    assert told.has("cached")
    prefixes = {sent["graph"]["save"]["inputs"]["filename_prefix"] for sent in server.submitted}
    assert len(prefixes) == 2


def test_a_lora_whose_keys_match_nothing_is_refused_where_its_file_is_at_hand(tmp_path, told):
    file = lora_file(tmp_path / "sdxl_style.safetensors", {"lora_unet_input_blocks_4_1_proj_in.alpha": []})
    pictures = grid(BASE, prompts=PROMPTS, loras=["sdxl_style"])
    for rules, files in (({"loras": str(tmp_path)}, {}), ({}, {file.name: file})):
        with (
            ComfyServer(**rules) as server,
            pytest.raises(FluxcapError, match="would change nothing: none of its 1 keys"),
        ):
            make(server, tmp_path / "out", told, pictures, files=files)
        assert not server.submitted


def test_such_a_lora_elsewhere_is_told_by_its_metadata_the_log_or_the_pictures(tmp_path, told):
    pictures = grid(BASE, prompts=PROMPTS, loras=["", "sdxl_style.safetensors"])
    told_by = {"sdxl_style.safetensors": {"ss_base_model_version": "sdxl_base_v1-0"}}
    with ComfyServer(metadata=told_by) as server, pytest.raises(FluxcapError, match="trained for sdxl_base_v1-0"):
        make(server, tmp_path / "a", told, pictures)
    with ComfyServer() as server:
        done = make(server, tmp_path / "b", told, pictures)
    assert "ComfyUI did not load 2 LoRA keys in this run, the first: lora_unet_input" in done.notices[-1]
    assert "no LoRA and sdxl_style.safetensors made the very same picture: a LoRA that changes nothing" in done.notices
    with ComfyServer(inner=False) as server:  # without the log the pictures tell
        assert make(server, tmp_path / "c", told, pictures).notices == (
            "no LoRA and sdxl_style.safetensors made the very same picture: a LoRA that changes nothing",
        )


@pytest.mark.parametrize("combos", ["lists", "options"])
def test_both_shapes_of_choices(tmp_path, told, combos):
    with ComfyServer(combos=combos) as server:
        assert make(server, tmp_path / "out", told, grid(BASE, prompts=PROMPTS[:1])).entries[0].state == "done"
        with pytest.raises(FluxcapError, match=r"LoRA absent is not in models/loras"):
            make(server, tmp_path / "out", told, grid(BASE, prompts=PROMPTS, loras=["absent"]))


def test_what_is_missing_is_told_before_anything_is_sent(tmp_path, told):
    with ComfyServer(lacks=("CLIPTextEncodeFlux",)) as server:
        with pytest.raises(FluxcapError, match="there is no node CLIPTextEncodeFlux: this ComfyUI is too old"):
            make(server, tmp_path / "out", told)
        assert not server.submitted
        assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("socket", ["refused", "drops"])
def test_without_a_socket_the_history_is_asked(tmp_path, told, socket):
    with ComfyServer(socket=socket) as server:
        assert [entry.state for entry in make(server, tmp_path / "out", told).entries] == ["done"] * 4
    assert told.has("no progress is shown") == (socket == "refused")


def test_without_the_package_the_history_is_asked(tmp_path, told, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "websockets.sync.client", None)
    with ComfyServer() as server:
        make(server, tmp_path / "out", told, grid(BASE, prompts=PROMPTS[:1]))
    assert told.has("pip install 'fluxcap[comfyui]'")


def test_an_old_server_gives_ids_of_its_own(tmp_path, told):
    with ComfyServer(own_ids=True) as server:
        done = make(server, tmp_path / "out", told)
    assert {entry.prompt_id for entry in done.entries} == {one["prompt_id"] for one in server.submitted}


def test_a_picture_that_breaks_off_is_told_and_the_others_are_made(tmp_path, told):
    pictures = grid(BASE, prompts=PROMPTS[:1], seeds=[1, 2, 3])
    with ComfyServer(broken=("2",)) as server:
        done = make(server, tmp_path / "out", told, pictures)
        assert [entry.state for entry in done.entries] == ["done", "failed", "done"]
        assert done.entries[1].why == "VAELoader: Error while deserializing header: header too small"
        server.rules.broken = ()
        assert [entry.state for entry in make(server, tmp_path / "out", told, pictures).entries] == ["done"] * 3
        assert len(server.submitted) == 4


def test_it_stops_when_everything_breaks(tmp_path, told):
    seeds = [str(n) for n in range(9)]
    with ComfyServer(broken=tuple(seeds)) as server:
        with pytest.raises(FluxcapError, match="3 pictures failed one after the other, the last: VAELoader"):
            make(server, tmp_path / "out", told, grid(BASE, prompts=PROMPTS[:1], seeds=[int(n) for n in seeds]))
        assert len(server.submitted) <= 5


def test_a_server_that_was_started_anew_is_sent_the_rest_again(tmp_path, told):
    with ComfyServer() as server:
        server.go.clear()
        found: list[Done] = []
        thread = threading.Thread(target=lambda: found.append(make(server, tmp_path / "out", told)))
        thread.start()
        _until(lambda: len(server.submitted) == 2)
        server.stop()
        time.sleep(0.3)
        server.restart()
        server.go.set()
        thread.join(20)
    assert [entry.state for entry in found[0].entries] == ["done"] * 4
    assert told.has("waiting for it")
    assert told.has("does not know it any more, sending it again")


def test_a_server_that_stays_away_is_given_up_and_the_next_run_goes_on(tmp_path, told):
    with ComfyServer() as server:
        server.go.clear()
        failed: list[BaseException] = []

        def work() -> None:
            try:
                run(
                    server.url,
                    tmp_path / "out",
                    grid(BASE, prompts=PROMPTS),
                    watch=told.watch,
                    patience=replace(QUICK, silent=0.3),
                )
            except Unreachable as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        _until(lambda: len(server.submitted) == 2)
        server.stop()
        thread.join(20)
        assert "what is made is kept" in str(failed[0])
        server.restart(empty=False)  # only the line was cut: it still has them
        server.go.set()
        done = make(server, tmp_path / "out", told, grid(BASE, prompts=PROMPTS))
        assert [entry.state for entry in done.entries] == ["done"] * 2
        assert len(server.submitted) == 2, "nothing is made twice"
        assert told.has("2 pictures were sent before")


def test_ctrl_c_takes_back_what_was_sent(tmp_path, told):
    with ComfyServer(pace=0.3) as server:

        def stop(name: str, done: int, total: int, step: int, steps: int) -> None:
            if step:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run(
                server.url,
                tmp_path / "out",
                grid(BASE, prompts=PROMPTS, loras=LORAS),
                watch=Watch(at=stop),
                patience=QUICK,
            )
        first = server.submitted[0]["prompt_id"]
        assert server.interrupted == [first]
        assert set(server.withdrawn) == {one["prompt_id"] for one in server.submitted}
        assert {entry.state for entry in Record.open(tmp_path / "out").entries.values()} == {"planned"}
        server.rules.pace = 0
        assert [entry.state for entry in make(server, tmp_path / "out", told).entries] == ["done"] * 4


def test_a_run_that_was_killed_finds_its_pictures_again(tmp_path, told):
    """Killed between sending and fetching: the record says sent, the server has made it."""
    pictures = grid(BASE, prompts=PROMPTS)
    with ComfyServer() as server:
        from fluxcap.comfyui.checking import check
        from fluxcap.comfyui.planning import renders

        client = Server(server.url)
        record = Record.open(tmp_path / "out")
        entries = record.plan(renders(check(client, pictures).pictures))
        rendering = Rendering(client, record, entries, told.watch, QUICK)
        rendering._fill()
        client.close()
        assert [entry.state for entry in Record.open(tmp_path / "out").entries.values()] == ["sent", "sent"]
        done = make(server, tmp_path / "out", told, pictures)
        assert [entry.state for entry in done.entries] == ["done", "done"]
        assert len(server.submitted) == 2


def test_a_folder_with_other_things_is_refused(tmp_path, told):
    (tmp_path / "mine.txt").write_text("x", "utf-8")
    with ComfyServer() as server:
        with pytest.raises(UsageError, match="is not empty"):
            make(server, tmp_path, told)
        out = tmp_path / "out"
        out.mkdir()
        for text in ("", "{", '{"version": 1, "pictures": [{"key": 1}]}'):
            (out / FILE).write_text(text, "utf-8")
            with pytest.raises(UsageError, match=FILE):
                make(server, out, told)
        assert not server.submitted


def test_a_key_is_sent_and_never_told(tmp_path, told, monkeypatch):
    with ComfyServer(key="s3cret") as server:
        with pytest.raises(Refused, match=KEY):
            make(server, tmp_path / "out", told)
        monkeypatch.setenv(KEY, "s3cret")
        make(server, tmp_path / "out", told)
    with pytest.raises(UsageError, match="would travel unencrypted"):
        Server("http://example.invalid:8188")
    Server("https://example.invalid").close()
    assert not any("s3cret" in line for line in told)
    assert "s3cret" not in (tmp_path / "out" / FILE).read_text("utf-8")


@pytest.mark.parametrize(
    "url", ["", "ftp://x", "http://", "http://a:0", "http://a:b", "http://a/?x=1", "http://[1", "a b://"]
)
def test_what_is_no_address(url):
    with pytest.raises(UsageError, match="is not the address of a server"):
        address(url)


def test_addresses():
    assert address("127.0.0.1:8188/") == "http://127.0.0.1:8188"
    assert address("https://host/comfy/") == "https://host/comfy"
    with pytest.raises(UsageError) as error:
        address("http://me:s3cret@host")
    assert "s3cret" not in str(error.value)


def test_a_server_that_is_no_comfyui():
    from vlm_server import VlmServer

    with VlmServer() as server:
        client = Server(server.url)
        with pytest.raises(Refused, match=r"answered 404"):
            client.version()
        assert not Events(client, "me").connect()
        client.close()


def test_a_refused_graph_is_told_in_one_line():
    with ComfyServer() as server:
        client = Server(server.url)
        graph = api(replace(BASE, lora="absent.safetensors"))
        with pytest.raises(
            Refused, match=r"LoraLoaderModelOnly: Value not in list \(lora_name: 'absent.safetensors' not in"
        ):
            client.submit(graph, "00000000-0000-4000-8000-000000000000", "me")
        graph["save"]["class_type"] = "SaveNothing"
        with pytest.raises(Refused, match=r"Node 'SaveNothing' not found.*\(Node ID '#save'\)"):
            client.submit(graph, "00000000-0000-4000-8000-000000000000", "me")
        client.close()


def test_the_command_line(tmp_path, monkeypatch, capsys):
    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    with ComfyServer() as server:
        words = [
            "render",
            "--url",
            server.url,
            "--clip",
            "tags",
            "--t5",
            "sentences",
            "--width",
            "64",
            "--height",
            "64",
        ]
        done = runner.invoke(comfyui_commands.comfyui, [*words, "--lora", "ohwx_000001750", "--without", "--seed", "7"])
        assert done.exit_code == 0, done.output
        assert "2 of 2 pictures are in renders" in done.output
        assert (tmp_path / "renders" / "ohwx_000001750__p01__seed7.png").is_file()
        shown = runner.invoke(comfyui_commands.comfyui, [*words, "--lora", "ohwx_000001750", "--seed", "7", "--json"])
        assert json.loads(shown.stdout)["pictures"][0]["state"] == "done"
        server.rules.broken = ("8",)
        assert runner.invoke(comfyui_commands.comfyui, [*words, "--seed", "8"]).exit_code == 1
    made = runner.invoke(
        comfyui_commands.comfyui, ["workflow", "--prompt", "ohwx", "--format", "api", "--out", "w.json"]
    )
    assert made.output == "wrote w.json\n"
    assert json.loads((tmp_path / "w.json").read_text("utf-8"))["text"]["inputs"]["clip_l"] == "ohwx"
    printed = runner.invoke(comfyui_commands.comfyui, ["workflow", "--prompt", "ohwx", "--target", "flux3-klein"])
    assert json.loads(printed.stdout)["version"] == 0.4


def test_the_commands_of_the_docs_that_need_no_server(tmp_path, monkeypatch):
    import shlex

    from click.testing import CliRunner

    monkeypatch.chdir(tmp_path)
    text = (Path(__file__).parents[1] / "docs" / "comfyui.md").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line.startswith("fluxcap comfyui workflow")]
    assert len(lines) >= 2
    for line in lines:
        done = CliRunner().invoke(comfyui_commands.comfyui, shlex.split(line)[2:])
        assert done.exit_code == 0, done.output
        assert json.loads((tmp_path / done.output.split()[-1]).read_text("utf-8"))


def _until(true: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)
