"""A stand-in for ai-toolkit's run.py: reads its config, prints its bar, writes its files, and behaves as FAKE says.

FAKE: '' trains to the end; 'slow' takes half a second a step; 'stubborn' does not listen to Ctrl-C; 'deaf' listens to nothing;
'memory', 'missing' and 'crash' fail at step 3; 'family' starts a child in a session of its own.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from pathlib import Path

from ruamel.yaml import YAML
from tqdm import tqdm

FAKE = os.environ.get("FAKE", "")


def weights(path: Path, step: int | None) -> None:
    told = {} if step is None else {"training_info": json.dumps({"step": step, "epoch": 0})}
    header = json.dumps({"__metadata__": {"format": "pt", **told}}).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


def main() -> None:
    config = YAML(typ="safe").load(Path(sys.argv[1]).read_text(encoding="utf-8"))["config"]
    process = config["process"][0]
    steps = int(os.environ.get("FAKE_STEPS", "6"))
    home = Path(process["training_folder"]) / config["name"]
    (home / "samples").mkdir(parents=True, exist_ok=True)
    saved = sorted(home.glob("*_?????????.safetensors"))
    first = int(saved[-1].stem[-9:]) if saved else 0
    sys.stdout.write(f"fake ai-toolkit at {Path.cwd()}, PATH {os.environ['PATH'].split(os.pathsep)[0]}\n")
    if FAKE in ("stubborn", "deaf"):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    if FAKE == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if FAKE == "family":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True)
        (home / "child").write_text(str(child.pid))
    database = sqlite3.connect(home / "loss_log.db")
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("CREATE TABLE IF NOT EXISTS steps (step INTEGER PRIMARY KEY, wall_time REAL NOT NULL)")
    database.execute(
        "CREATE TABLE IF NOT EXISTS metrics (step INTEGER, key TEXT, value_real REAL, value_text TEXT, PRIMARY KEY (step, key))"
    )
    for _ in tqdm(range(3), desc="Caching latents to disk"):
        time.sleep(0.01)
    bar = tqdm(total=steps, desc=config["name"], initial=first, leave=True)
    for step in range(first, steps):
        if step % 2 == 0:
            weights(home / f"{config['name']}_{step:09}.safetensors", step)
            for prompt in range(2):
                (home / "samples" / f"{time.time_ns() // 1_000_000}__{step:09}_{prompt}.jpg").write_bytes(b"")
        if step == 3 and FAKE == "memory":
            raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB")
        if step == 3 and FAKE == "missing":
            Path("/models/ae.safetensors").read_bytes()
        if step == 3 and FAKE == "crash":
            raise ValueError("something that nobody foresaw")
        time.sleep(0.5 if FAKE in ("slow", "stubborn", "deaf", "family") else 0.02)
        bar.set_postfix_str(f"lr: 1.0e-04 loss: {1 / (step + 1):.3e}")
        bar.update(1)
        database.execute("INSERT OR REPLACE INTO steps VALUES (?, ?)", (step, time.time()))
        database.execute("INSERT OR REPLACE INTO metrics VALUES (?, 'loss/loss', ?, NULL)", (step, 1 / (step + 1)))
        database.commit()
    bar.close()
    weights(home / f"{config['name']}.safetensors", steps)


main()
