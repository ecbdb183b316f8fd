"""Trains an export of fluxcap for real: a few steps on a tiny random FLUX, on the processor, with the trainer's own code.

    python tools/train_tiny.py SOURCE_DIR... --tokenizers FOLDER [--python TRAINER=PYTHON] [--keep FOLDER]

Shows that the trainer takes the export, makes its checkpoints, logs and samples, and that its tokenizers got the approved
captions, letter by letter. What is changed of the export for the tiny model is listed; ``docs/judging.md`` tells more.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from ruamel.yaml import YAML
from trainers import encoded, sets, sources

from fluxcap.exporting import Exported

HERE = Path(__file__).resolve().parent / "trainers"
RECIPE = {"steps": 8, "save_every": 4, "resolutions": (256,)}
TARGET, T5_LENGTH = "flux1-dev", 512
SIDE = 128
"""Of the samples, in pixels."""

MINUTES = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """An export made fit for the tiny model: the command, and each change as 'what: before -> after'."""

    argv: tuple[str, ...]
    changes: tuple[str, ...]
    prompts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A training that is over. ``seen`` and ``unasked`` are empty where the command failed."""

    trainer: str
    code: int
    seconds: float
    changes: tuple[str, ...]
    console: str
    out: Path
    seen: tuple[encoded.Seen, ...] = ()
    unasked: tuple[str, ...] = ()
    made: Mapping[str, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.code == 0 and bool(self.seen) and all(self.seen) and not self.unasked


def for_diffusers(done: Exported, model: Path) -> Prepared:
    """Options of the command: the model, no 8-bit optimizer (it needs a graphics card), whole numbers of 32 bits."""
    assert done.rendered is not None
    (command,) = done.rendered.commands
    new = {"--pretrained_model_name_or_path": str(model), "--mixed_precision": "no"}
    argv, changes = [], []
    for word in command.argv:
        name = word.partition("=")[0]
        if name == "--use_8bit_adam":
            changes.append(f"{word} left out")
            continue
        changed = f"{name}={new[name]}" if name in new else word
        if changed != word:
            changes.append(f"{word} -> {name}={'MODEL' if name.endswith('path') else new[name]}")
        argv.append(changed)
    prompt = next(word.partition("=")[2] for word in argv if word.startswith("--validation_prompt="))
    return Prepared(argv=tuple(argv), changes=tuple(changes), prompts=(prompt,))


def for_ai_toolkit(done: Exported, model: Path) -> Prepared:
    """Values of the config: the model, the processor in place of a graphics card, small samples, no caption dropped."""
    assert done.rendered is not None
    config = done.out / "ai-toolkit.yaml"
    yaml = YAML()
    document = yaml.load(config.read_text(encoding="utf-8"))
    process = document["config"]["process"][0]
    new: dict[tuple[str | int, ...], Any] = {
        ("model", "name_or_path"): str(model),
        ("model", "quantize"): False,
        ("device",): "cpu",
        ("train", "dtype"): "float32",
        ("train", "optimizer"): "adamw",
        ("datasets", 0, "caption_dropout_rate"): 0.0,
        ("sample", "width"): SIDE,
        ("sample", "height"): SIDE,
        ("sample", "sample_steps"): 2,
        ("sample", "prompts"): list(process["sample"]["prompts"][:2]),
    }
    changes = []
    for path, value in new.items():
        place = process
        for key in path[:-1]:
            place = place[key]
        shown = "the first 2" if path[-1] == "prompts" else "MODEL" if path[-1] == "name_or_path" else value
        changes.append(f"{'.'.join(map(str, path))}: {'all' if path[-1] == 'prompts' else place[path[-1]]} -> {shown}")
        place[path[-1]] = value
    tiny = done.out / "tiny.yaml"
    with tiny.open("w", encoding="utf-8") as stream:
        yaml.dump(document, stream)
    (command,) = done.rendered.commands
    argv = tuple(str(tiny) if word == str(config) else word for word in command.argv)
    return Prepared(argv=argv, changes=tuple(changes), prompts=tuple(process["sample"]["prompts"]))


TRAINERS = {
    "diffusers": (for_diffusers, "examples/dreambooth", encoded.as_it_stands),
    "ai-toolkit": (for_ai_toolkit, ".", encoded.ai_toolkit),
}
"""How each is made fit, the folder of its checkout that it is started in, and what it is known to do to a caption."""


def environment(source: sources.Source, python: Path, spied: Path) -> dict[str, str]:
    """The trainer's own environment, with the spy, and nothing that asks the network or the home folder's settings."""
    paths = [HERE / "spy", *([source.folder / "src"] if source.trainer == "diffusers" else [])]
    return {
        **{key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")},
        "PATH": os.pathsep.join([str(python.parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(map(str, paths)),
        "PYTHONUNBUFFERED": "1",
        "FLUXCAP_SPY": str(spied),
        "FLUXCAP_STAND_INS": "torchaudio",  # ai-toolkit imports it for sound, of which there is none here
        "HF_HUB_OFFLINE": "1",
        "ACCELERATE_USE_CPU": "true",
        "CUDA_VISIBLE_DEVICES": "",
    }


def child(argv: Sequence[str], *, env: Mapping[str, str], cwd: Path | None = None, said: str = "") -> tuple[int, str]:
    """Its exit code and both outputs in one text, as they came; one that takes too long is ended with all that it started."""
    process = subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        out, _ = process.communicate(said.encode(), timeout=MINUTES * 60)
    except subprocess.TimeoutExpired:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        out, _ = process.communicate()
        return 124, out.decode(errors="replace") + f"\nended after {MINUTES} minutes"
    return process.returncode, out.decode(errors="replace")


def train(source: sources.Source, python: Path, tokenizers: Path, folder: Path) -> Run:
    """One trainer, in ``folder``: the tiny model, a set, its export, the training, the comparison."""
    prepare, home, rewrite = TRAINERS[source.trainer]
    model, spied = folder / "tiny-flux", folder / "encoded.jsonl"
    env = environment(source, python, spied)
    quiet = {key: value for key, value in env.items() if key != "FLUXCAP_SPY"}
    code, said = child([str(python), str(HERE / "tiny_flux.py"), str(tokenizers), str(model)], env=quiet)
    if code:
        raise SystemExit(f"the tiny model cannot be made with {python}:\n{said[-2000:]}")
    done = sets.export_set(sets.make_set(folder / "set"), folder / "my export", source.trainer, TARGET, RECIPE)
    assert done.given is not None
    ready = prepare(done, model)
    started = time.monotonic()
    program = shutil.which(ready.argv[0], path=env["PATH"])
    if program is None:
        raise SystemExit(f"{ready.argv[0]} is not in the environment of {python}")
    code, console = child([program, *ready.argv[1:]], env=env, cwd=source.folder / home)
    seconds = time.monotonic() - started
    run = done.out / "run"
    result = {
        "trainer": source.trainer, "code": code, "seconds": seconds, "changes": ready.changes,
        "console": console, "out": done.out,
        "made": {path.relative_to(run).as_posix(): path.stat().st_size for path in sorted(run.rglob("*")) if path.is_file()},
    }  # fmt: skip
    if code or not spied.exists():
        return Run(**result)
    captions = {image.file: image.caption for image in done.given.images}
    found = encoded.notes(spied.read_text(encoding="utf-8").splitlines())
    code, said = child(
        [str(python), str(HERE / "number_tokens.py"), str(model), str(T5_LENGTH)],
        env=quiet,
        said=json.dumps(list(captions.values())),
    )
    if code:
        raise SystemExit(f"the captions cannot be numbered with {python}:\n{said[-2000:]}")
    own = encoded.notes(line for line in said.splitlines() if line.startswith('{"tokenizer"'))
    return Run(
        **result,
        seen=tuple(encoded.compare(captions, found, own, rewrite)),
        unasked=tuple(encoded.unasked(captions.values(), ready.prompts, found, rewrite)),
    )


def told(run: Run, source: sources.Source) -> str:
    """The report on one run."""
    lines = [
        f"{run.trainer} at {source.commit[:12] or 'an unknown commit'}: exit code {run.code} after {run.seconds:.0f} s"
    ]
    lines += ["  changed for the tiny model:", *(f"    {change}" for change in run.changes)]
    if run.code:
        return "\n".join([*lines, "  its last words:", *(f"    {line}" for line in run.console.splitlines()[-15:])])
    lines.append("  what its tokenizers got:")
    for one in run.seen:
        how = [f"letter by letter to {', '.join(one.letters)}"] if one.letters else []
        if one.rewritten:
            same = "other tokens" if one.other_tokens else "the same tokens"
            how.append(f"with its own commas to {', '.join(one.rewritten)}: {same}")
        lines += [f"    {'yes' if one else 'NO'}  {one.file}: {'; '.join(how) or 'not seen'}"]
    lines += [f"    NO  a text that nobody asked for: {text!r}" for text in run.unasked]
    lines.append(f"  made: {', '.join(run.made)}")
    return "\n".join(lines)


def keep(run: Run, folder: Path, hide: Mapping[str, str]) -> None:
    """The console, what was made (names and sizes), and the small logs; no weights, no pictures, no places of this machine."""
    home = folder / run.trainer
    home.mkdir(parents=True, exist_ok=True)
    console = run.console
    for place, name in hide.items():
        console = console.replace(place, name)
    console = re.sub(r"/\S+?/site-packages", "/abs/site-packages", console)
    (home / "console.txt").write_bytes(console.encode())
    (home / "files.json").write_text(json.dumps(run.made, indent=1) + "\n", encoding="utf-8")
    for path in (run.out / "run").rglob("*"):
        if path.name == "loss_log.db":
            shutil.copyfile(path, home / path.name)
        if path.name.startswith("events.out.tfevents"):
            at = home / path.relative_to(run.out / "run")
            at.parent.mkdir(parents=True, exist_ok=True)
            at.write_bytes(b"".join(small_records(path.read_bytes())))


def small_records(data: bytes, most: int = 10_000) -> Iterator[bytes]:
    """The records of a TensorBoard file without those that hold pictures: length, check sum, content, check sum."""
    place = 0
    while place + 12 <= len(data):
        (length,) = struct.unpack_from("<Q", data, place)
        if length <= most:
            yield data[place : place + 16 + length]
        place += 16 + length


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sources", type=Path, nargs="+", metavar="SOURCE_DIR", help="a trainer's checkout, or a folder of them"
    )
    parser.add_argument("--tokenizers", type=Path, required=True, help="a folder with clip/ and t5/")
    parser.add_argument(
        "--python", action="append", default=[], metavar="TRAINER=PYTHON", help="of that trainer's environment"
    )
    parser.add_argument("--only", choices=sorted(TRAINERS), action="append", help="train with this one only")
    parser.add_argument("--keep", type=Path, help="put console, logs and names of files there")
    given = parser.parse_args()
    found = {name: one for name, one in sources.find(given.sources).items() if name in (given.only or TRAINERS)}
    if not found:
        parser.error(f"no checkout of {' or '.join(given.only or TRAINERS)} in {', '.join(map(str, given.sources))}")
    fine = True
    for name, source in found.items():
        python = sources.python_of(source, given.python)
        with tempfile.TemporaryDirectory(prefix="fluxcap-tiny-") as folder:
            run = train(source, python, given.tokenizers.resolve(), Path(folder))
            print(told(run, source), flush=True)
            if given.keep:
                keep(run, given.keep, {folder: "/abs", str(source.folder): f"/abs/{name}"})
        fine = fine and bool(run)
    sys.exit(not fine)


if __name__ == "__main__":
    main()
