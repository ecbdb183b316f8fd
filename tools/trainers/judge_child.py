"""Runs one trainer's judge on some exports, in that trainer's own environment.

    python judge_child.py JUDGE SOURCE JOBS RESULTS

JUDGE is a module of ``judges``, JOBS a JSON file with the exports, RESULTS where the answers go. Standard library only.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import sys
import traceback
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def last_line(text: str) -> str:
    """What a program says when it gives up."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def ask(module: Any, code: Any, job: Any) -> dict[str, Any]:
    """One export: accepted or refused, and the trainer's words."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            found = module.judge(code, job)
    except SystemExit as ended:
        return {"accepted": False, "said": last_line(said.getvalue()) or f"it ends with {ended.code}"}
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        words = last_line(str(error)) or last_line(said.getvalue())
        return {
            "accepted": False,
            "said": f"{type(error).__name__}: {words} ({Path(place.filename).name}:{place.lineno})",
        }
    return {"accepted": True, "ran": found.ran, "captions": found.captions, "passed_over": found.passed_over}


def main(judge: str, source: str, jobs: str, results: str) -> None:
    sys.path[0] = str(HERE)
    import stand_ins
    from judges import Job

    module = importlib.import_module(f"judges.{judge}")
    sys.path.remove(str(HERE))  # a trainer's modules may have any name
    stand_ins.install(module.STAND_INS)
    answer: dict[str, Any] = {}
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = module.load(Path(source))
    except (Exception, SystemExit) as error:
        answer["not_run"] = f"{type(error).__name__}: {last_line(str(error)) or last_line(said.getvalue())}"
        answer["trace"] = traceback.format_exc()
    else:
        rows = json.loads(Path(jobs).read_text(encoding="utf-8"))
        made = [Job(export=Path(row["export"]), dataset=Path(row["dataset"]), commands=row["commands"]) for row in rows]
        answer["jobs"] = [ask(module, code, job) for job in made]
    answer["stand_ins"] = sorted(stand_ins.used)
    Path(results).write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
