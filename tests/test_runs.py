"""The run reader: consoles and output folders of each trainer, made as their sources make them, and real runs."""

from __future__ import annotations

import io
import json
import shutil
import sqlite3
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st
from tqdm import tqdm

from fluxcap import registry, runs
from fluxcap.errors import UsageError
from fluxcap.runs import Console, logs
from fluxcap.runs.events import scalars
from fluxcap.runs.weights import metadata

REAL = Path(__file__).resolve().parents[2] / "shared" / "runs"
real = pytest.mark.skipif(not REAL.is_dir(), reason="the outputs of real runs (../shared/runs) are not here")
TRAINERS = [name for name in registry.names("exporter") if not registry.load("exporter", name).neutral]


# ---- consoles, written by tqdm with the words that each trainer's source gives it


def bars(play: Callable[..., None]) -> str:
    said = io.StringIO()
    play(lambda *words, **options: tqdm(*words, file=said, mininterval=0, miniters=1, ascii=False, **options), said)
    return said.getvalue()


def ai_toolkit(bar: Any, said: io.StringIO) -> None:  # BaseSDTrainProcess.py:2484, 2697
    list(bar(range(4), desc="Caching latents to disk"))
    progress = bar(total=2000, desc="ohwx", initial=0)
    list(bar(range(2), desc="Generating Images"))
    progress.set_postfix_str("lr: 1.0e-04 loss: 4.414e-01")
    progress.update(1)
    progress.set_postfix_str("lr: 1.0e-04 loss: 3.940e-01")
    progress.update(1)


def sd_scripts(bar: Any, said: io.StringIO) -> None:  # train_network.py:1357, 1515
    said.write("INFO     caching latents...                   train_util.py:1200\n")
    list(bar(range(3), desc="caching"))
    progress = bar(range(2000), smoothing=0, desc="steps")
    for loss in (0.5, 0.25):
        progress.update(1)
        progress.set_postfix(avr_loss=loss)


def onetrainer(bar: Any, said: io.StringIO) -> None:  # GenericTrainer.py:642, 687, 808
    for epoch in bar(range(80), desc="epoch"):
        steps = bar(range(25), desc="step", total=25, initial=0)
        for place, _ in enumerate(steps):
            steps.set_postfix({"loss": 0.5 / (place + 1), "smooth loss": 0.4})
            if epoch == 2 and place == 9:
                return


def simpletuner(bar: Any, said: io.StringIO) -> None:  # trainer.py:6865, 6970, 7543
    progress = bar(range(2000), initial=0, desc="Epoch 1/7 Steps")
    progress.set_description("Epoch 1/7, Steps")
    progress.update(1)
    progress.set_postfix(step_loss=0.75, lr=1e-4)


def diffusers(bar: Any, said: io.StringIO) -> None:  # train_dreambooth_lora_flux.py:1670, 1893
    list(bar(range(2), desc="Caching latents"))
    progress = bar(range(2000), initial=0, desc="Steps")
    for step in (1, 2, 3):
        progress.update(1)
        progress.set_postfix(loss=1 / step, lr=1e-4)
    said.write("\n11/23/2026 02:10:00 - INFO - __main__ - Saved state to /out/checkpoint-3\n")


@pytest.mark.parametrize(
    ("trainer", "play", "step", "steps", "loss"),
    [
        ("ai-toolkit", ai_toolkit, 2, 2000, 0.394),
        ("kohya", sd_scripts, 2, 2000, 0.25),
        ("musubi", sd_scripts, 2, 2000, 0.25),
        ("fluxgym", sd_scripts, 2, 2000, 0.25),
        ("onetrainer", onetrainer, 59, 2000, 0.05),
        ("simpletuner", simpletuner, 1, 2000, 0.75),
        ("diffusers", diffusers, 3, 2000, 1 / 3),
    ],
)
def test_consoles(trainer: str, play: Any, step: int, steps: int, loss: float) -> None:
    console = Console(trainer)
    text = bars(play)
    console.feed(text)
    made = console.progress
    assert made is not None
    assert (made.step, made.steps) == (step, steps)
    assert made.loss == pytest.approx(loss, rel=0.01)
    assert made.rate is None or made.rate > 0
    by_sign = Console(trainer)
    for sign in text:
        by_sign.feed(sign)
    assert by_sign.progress == made


def test_the_console_of_diffusion_pipe() -> None:  # deepspeed/runtime/pipe/engine.py, train_batch
    console = Console("diffusion-pipe", steps=2000)
    console.feed(
        "[INFO] [config.py:733:__init__] optimizer: adamw\nsteps: 1 loss: 0.6 iter time (s): 3.0 samples/sec: 0.3\n"
    )
    console.feed("steps: 250 loss: 0.4321 iter time (s): 2.500 samples/sec: 0.400\n")
    made = console.progress
    assert made is not None
    assert (made.step, made.steps, made.loss, made.rate) == (250, 2000, 0.4321, 0.4)
    assert made.left == pytest.approx(1750 * 2.5)


def test_a_bar_of_seconds_a_step_tells_rate_and_time_left() -> None:
    console = Console("diffusers")
    console.feed("\rSteps:  12%|█▏        | 240/2000 [20:00<2:26:40,  5.00s/it, loss=0.41, lr=0.0001]")
    made = console.progress
    assert made is not None
    assert made.rate == pytest.approx(0.2)
    assert made.left == pytest.approx(1760 * 5)


def test_what_it_does_before_and_between_the_steps() -> None:
    console = Console("kohya")
    console.feed("loading T5XXL\n")
    assert (console.progress, console.stage) == (None, "loading T5XXL")
    console.feed("\rcaching Text Encoder outputs...:  40%|████      | 2/5 [00:01<00:02,  1.50it/s]")
    assert console.stage == "caching Text Encoder outputs... 2/5"
    console.feed("\rsteps:   0%|          | 1/2000 [00:01<1:00:00,  1.00s/it, avr_loss=0.5]")
    assert console.stage == ""


def test_kohya_counts_what_is_left_after_a_resume() -> None:
    bar = "\rsteps:  20%|██        | 300/1500 [05:00<20:00,  1.00s/it, avr_loss=0.5]"
    fresh, resumed = Console("kohya", steps=2000), Console("kohya", steps=2000, resumed=True)
    for console in (fresh, resumed):
        console.feed(bar)
    assert fresh.progress is not None
    assert resumed.progress is not None
    assert (fresh.progress.step, fresh.progress.steps) == (300, 1500)
    assert (resumed.progress.step, resumed.progress.steps) == (800, 2000)


def test_what_is_written_behind_a_bar_is_a_line_of_its_own() -> None:
    """As diffusers' console had it when it was stopped: tqdm ends no line before a traceback."""
    console = Console("diffusers")
    console.feed(
        "\rSteps:  42%|████▏     | 10/24 [00:00<00:00, 14.22it/s, loss=1.45, lr=0.0001]Traceback (most recent call last):\n"
    )
    console.feed("KeyboardInterrupt\n\rSteps:  42%|████▏     | 10/24 [00:00<00:01, 11.73it/s, loss=1.45, lr=0.0001]\n")
    assert list(console.lines) == ["Traceback (most recent call last):", "KeyboardInterrupt"]
    assert console.progress is not None
    assert (console.progress.step, console.progress.loss) == (10, 1.45)


def test_signs_that_steer_a_terminal_are_not_shown() -> None:
    console = Console("diffusers")
    console.feed("\x1b[31mred\x1b[0m and \x07bell\x1b]0;title\x07\n")
    assert console.stage == "red and bell0;title"


@for_all(st.lists(st.text(), max_size=6), st.sampled_from(TRAINERS))
def test_any_console_text_is_taken(parts: list[str], trainer: str) -> None:
    console = Console(trainer, steps=10)
    for part in parts:
        console.feed(part)
    console.feed(
        "\nSteps: 1e9%|x| 99999999999999999999/0 [00:00<?, ?it/s, loss=nan]\nsteps: 1 loss: nan iter time (s): 0.000 \n"
    )
    assert console.progress is None or console.progress.step >= 0


def test_a_line_without_end_does_not_fill_the_memory() -> None:
    console = Console("kohya")
    for _ in range(40):
        console.feed("x" * 10_000)
    assert len(console._open) <= 100_000


# ---- folders


def weights(path: Path, **told: str) -> Path:
    header = json.dumps({"__metadata__": told}).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(struct.pack("<Q", len(header)) + header)
    return path


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def steps(run: runs.Run) -> list[tuple[int | None, bool]]:
    return [(one.step, one.final) for one in run.checkpoints]


@pytest.mark.parametrize("trainer", TRAINERS)
def test_a_folder_that_is_not_there_or_empty_is_an_empty_run(tmp_path: Path, trainer: str) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        run = runs.read(folder, trainer)
        assert (run.checkpoints, run.samples, run.losses) == ((), (), ())


def test_an_unknown_trainer_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="ai-toolkit"):
        runs.read(tmp_path, "nobody")


def test_every_trainer_that_is_exported_for_can_be_read() -> None:
    for trainer in TRAINERS:
        assert runs.rules(trainer).checkpoints


def test_kohya_epochs_take_their_step_from_the_file(tmp_path: Path) -> None:
    weights(tmp_path / "ohwx-000003.safetensors", ss_steps="750")
    weights(tmp_path / "ohwx-step00000500.safetensors")
    weights(tmp_path / "ohwx-step00000500-state" / "model.safetensors")
    weights(tmp_path / "ohwx.safetensors", ss_steps="2000")
    assert steps(runs.read(tmp_path, "kohya")) == [(500, False), (750, False), (2000, True)]


def test_a_final_file_without_a_step_takes_the_last_that_is_known(tmp_path: Path) -> None:
    weights(tmp_path / "pytorch_lora_weights.safetensors")
    assert steps(runs.read(tmp_path, "diffusers")) == [(None, True)]
    weights(tmp_path / "checkpoint-250" / "pytorch_lora_weights.safetensors")
    weights(tmp_path / "checkpoint-1000" / "pytorch_lora_weights.safetensors")
    run = runs.read(tmp_path, "diffusers")
    assert steps(run) == [(250, False), (1000, False), (1000, True)]
    assert run.checkpoints[-1].told_by == "log"


def test_diffusion_pipe(tmp_path: Path) -> None:
    weights(tmp_path / "20261123_02-19-44" / "step250" / "pytorch_lora_weights.safetensors")
    weights(tmp_path / "20261123_02-19-44" / "step500" / "adapter_model.safetensors")
    touch(tmp_path / "20261123_02-19-44" / "global_step500" / "mp_rank_00_model_states.pt")
    run = runs.read(tmp_path, "diffusion-pipe")
    assert steps(run) == [(250, False), (500, False)]
    assert run.samples == ()


def test_onetrainer_pairs_checkpoints_with_samples_a_step_later(tmp_path: Path) -> None:
    weights(tmp_path / "save" / "ohwx-2026-11-23_02-19-53-save-249-9-24.safetensors")
    for step in (0, 250, 500):
        touch(tmp_path / "samples" / "0 - ohwx" / f"ohwx-2026-11-23_02-19-5{step % 7}-training-sample-{step}-1-0.png")
    run = runs.read(tmp_path, "onetrainer")
    assert [one.step for one in run.samples_of(run.checkpoints[0])] == [250]


def test_of_two_samples_for_one_step_the_newer_counts_but_before_training_the_older(tmp_path: Path) -> None:
    for at in ("20261123021031", "20261124021031"):
        touch(tmp_path / "sample" / f"ohwx_000250_00_{at}_42.png")
        touch(tmp_path / "sample" / f"ohwx_e000000_00_{at}_42.png")
    touch(tmp_path / "sample" / "ohwx_e000004_00_20261123021031_42.png")
    assert [(one.step, one.path.name) for one in runs.read(tmp_path, "kohya").samples] == [
        (0, "ohwx_e000000_00_20261123021031_42.png"),
        (250, "ohwx_000250_00_20261124021031_42.png"),
    ]


def test_simpletuner_labels_with_underscores_are_told_by_its_list(tmp_path: Path) -> None:
    picture = touch(tmp_path / "validation_images" / "step_250_red_coat_0_1024x1024.png")
    assert [(one.step, one.label) for one in runs.read(tmp_path, "simpletuner").samples] == [(250, "red_coat")]
    row = {"step": 250, "label": "red_coat_0", "path": f"validation_images/{picture.name}"}
    (tmp_path / "validation_media.jsonl").write_text(f"{json.dumps(row)}\nnot json\n[1]\n{{'cut", encoding="utf-8")
    assert [one.label for one in runs.read(tmp_path, "simpletuner").samples] == ["red_coat_0"]


def test_pictures_of_the_set_and_caches_are_not_taken_for_the_run(tmp_path: Path) -> None:
    weights(tmp_path / "dataset-0123456789ab" / "_latent_cache" / "x_000000250.safetensors")
    weights(tmp_path / "run" / "cache" / "text" / "x.safetensors")
    weights(tmp_path / "run" / "ohwx" / "ohwx_000000250.safetensors")
    assert steps(runs.read(tmp_path, "ai-toolkit")) == [(250, False)]


@for_all(st.binary(max_size=200))
def test_broken_files_tell_nothing(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("broken") / "a.safetensors"
    file.write_bytes(data)
    assert isinstance(metadata(file), dict)
    list(scalars(io.BytesIO(data), "loss"))
    for kind in ("events", "sqlite", "jsonl"):
        assert logs.losses([file], kind, "loss") == ()


# ---- TensorBoard's files


def event(step: int, tag: str, value: float, at: float = 1.0) -> bytes:
    def part(number: int, data: bytes) -> bytes:
        return bytes([number << 3 | 2]) + varint(len(data)) + data

    scalar = part(1, part(1, tag.encode()) + bytes([2 << 3 | 5]) + struct.pack("<f", value))
    body = bytes([1 << 3 | 1]) + struct.pack("<d", at) + bytes([2 << 3]) + varint(step) + part(5, scalar)
    return struct.pack("<Q", len(body)) + b"\0" * 4 + body + b"\0" * 4


def varint(number: int) -> bytes:
    out = b""
    while number > 127:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


@for_all(st.lists(st.tuples(st.integers(0, 10**7), st.floats(0, 10, width=32)), max_size=5), st.integers(0, 30))
def test_scalars_of_a_file_that_is_being_written(given: list[tuple[int, float]], cut: int) -> None:
    data = b"".join(event(step, "loss", value) + event(step, "lr", 1.0) for step, value in given)
    assert [(one.step, one.value) for one in scalars(io.BytesIO(data), "loss")] == given
    whole = [(one.step, one.value) for one in scalars(io.BytesIO(data[: max(0, len(data) - cut)]), "loss")]
    assert whole == given[: len(whole)]


def test_large_records_are_skipped() -> None:
    picture = struct.pack("<Q", 2_000_000) + b"\0" * (2_000_000 + 8)
    assert [one.step for one in scalars(io.BytesIO(picture + event(7, "loss", 1.0)), "loss")] == [7]


def test_a_step_that_was_trained_twice_has_its_later_loss(tmp_path: Path) -> None:
    (tmp_path / "events.out.tfevents.1.a").write_bytes(event(1, "loss", 5.0, 1.0) + event(2, "loss", 4.0, 2.0))
    (tmp_path / "events.out.tfevents.2.a").write_bytes(event(2, "loss", 3.0, 9.0) + event(3, "loss", float("nan"), 9.0))
    run = runs.read(tmp_path, "diffusers")
    assert [(one.step, one.value) for one in run.losses] == [(1, 5.0), (2, 3.0)]


# ---- ai-toolkit's data base


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    made = sqlite3.connect(tmp_path / "loss_log.db")
    made.execute("PRAGMA journal_mode=WAL")
    made.execute("CREATE TABLE steps (step INTEGER PRIMARY KEY, wall_time REAL NOT NULL)")
    made.execute("CREATE TABLE metrics (step INTEGER, key TEXT, value_real REAL, value_text TEXT)")
    made.execute("INSERT INTO steps VALUES (1, 100.0)")
    made.execute("INSERT INTO metrics VALUES (1, 'loss/loss', 0.5, NULL), (1, 'learning_rate', 0.1, NULL)")
    made.commit()
    yield made
    made.close()


def test_losses_are_read_while_the_trainer_writes(database: sqlite3.Connection, tmp_path: Path) -> None:
    assert (tmp_path / "loss_log.db-wal").exists()
    assert [(one.step, one.value, one.at) for one in runs.read(tmp_path, "ai-toolkit").losses] == [(1, 0.5, 100.0)]


def test_reading_a_run_at_rest_leaves_no_files_beside_it(database: sqlite3.Connection, tmp_path: Path) -> None:
    database.close()
    before = sorted(tmp_path.iterdir())
    assert len(runs.read(tmp_path, "ai-toolkit").losses) == 1
    assert sorted(tmp_path.iterdir()) == before


# ---- real runs


@real
@pytest.mark.parametrize(
    ("folder", "trainer", "checkpoints", "sample_steps", "prompts", "losses"),
    [
        ("aitoolkit", "ai-toolkit", [2, 4, 6], [0, 2, 4, 6], 2, 5),
        ("kohya", "kohya", [2, 4, 6, 6], [0, 2, 4, 6], 2, 6),
        ("onetrainer", "onetrainer", [1, 3, 5, 7, 8], [0, 2, 4, 6, 8], 1, 9),
        ("simpletuner", "simpletuner", [2, 4, 4], [0, 2, 4], 3, 4),
        ("diffusers", "diffusers", [10, 20, 30, 40, 40], [], 0, 40),
        ("diffusers_validation", "diffusers", [4, 8, 12, 12], [], 0, 0),
    ],
)
def test_real_runs(
    tmp_path: Path,
    folder: str,
    trainer: str,
    checkpoints: list[int],
    sample_steps: list[int],
    prompts: int,
    losses: int,
) -> None:
    shutil.copytree(REAL / folder, tmp_path / "run")
    run = runs.read(tmp_path, trainer)
    assert [one.step for one in run.checkpoints] == checkpoints
    assert [one.final for one in run.checkpoints] == [*([False] * (len(checkpoints) - 1)), True]
    assert sorted({one.step for one in run.samples}) == sample_steps
    assert all(len([one for one in run.samples if one.step == step]) == prompts for step in sample_steps)
    assert len(run.losses) == losses
    if sample_steps:
        assert all(len(run.samples_of(one)) == prompts for one in run.checkpoints)
