"""Has our exports judged by the trainers' own code, wherever a checkout of a trainer is at hand.

    python tools/judge_exports.py SOURCE_DIR... [--python TRAINER=PYTHON]

SOURCE_DIR is a checkout of a trainer, or a folder of them. For every base model that a trainer serves, its own parser reads our
export; what it lets through without a word our own check of keys has to find, which is shown by misspelling every key on
purpose. Exit code 1: an export is refused, read otherwise than approved, or a misspelt key is not found. See ``docs/judging.md``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from trainers import encoded, misspelt, sets, sources

from fluxcap.exporters import unknown_keys
from fluxcap.exporting import Exported
from fluxcap.tokens import targets

CHILD = Path(__file__).resolve().parent / "trainers" / "judge_child.py"
MINUTES = 15
RUN_BY = {"fluxgym": "kohya"}
"""Trainers whose command runs another one's code: that code judges them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An export to be judged; ``mistake`` is what is misspelt in it, empty in the export itself."""

    trainer: str
    target: str
    export: Path
    dataset: Path
    commands: list[list[str]]
    captions: Mapping[str, str]
    unknown: tuple[str, ...]
    mistake: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the trainer's code said of a case; ``said`` are its words where it refuses."""

    case: Case
    accepted: bool
    said: str = ""
    ran: tuple[str, ...] = ()
    captions: Mapping[str, str] | None = None
    passed_over: tuple[str, ...] = ()

    def wrong(self) -> Iterator[str]:
        """What speaks against the export itself."""
        if not self.accepted:
            yield f"REFUSED: {self.said}"
        yield from (f"passed over: {one}" for one in self.passed_over)
        yield from (f"not in our table of keys: {one}" for one in self.case.unknown)
        yield from (f"{file} is read as {text!r}" for file, text in self.misread().items())

    def misread(self) -> dict[str, str]:
        """Captions that the trainer reads otherwise than approved, known rewrites aside; all must be read."""
        if self.captions is None or self.case.mistake:
            return {}
        known = encoded.ai_toolkit if self.case.trainer == "ai-toolkit" else encoded.as_it_stands
        right = {file: {text, known(text)} for file, text in self.case.captions.items()}
        return {
            file: self.captions.get(file, "")
            for file, texts in right.items()
            if self.captions.get(file, "") not in texts
        }


def cases(trainer: str, folder: Path) -> Iterator[Case]:
    """The export for each base model, and for the first of each family one with each of its keys misspelt."""
    families = set()
    for target in targets().values():
        if trainer not in target.trainers:
            continue
        done = sets.export_set(
            folder / "set",
            folder / "my exports" / f"{trainer} {target.id}",
            trainer,
            target.id,
            models=str(folder / "models"),
        )
        assert done.given is not None
        assert done.rendered is not None
        captions = {image.file: image.caption for image in done.given.images}
        yield Case(
            trainer=trainer, target=target.id, export=done.out, dataset=Path(done.given.places.dataset),
            commands=misspelt.words(done.rendered.commands), captions=captions, unknown=tuple(unknown_keys(trainer, done.rendered)),
        )  # fmt: skip
        if target.family not in families:
            families.add(target.family)
            yield from mistakes(trainer, target.id, done, folder)


def mistakes(trainer: str, target: str, done: Exported, folder: Path) -> Iterator[Case]:
    """Each is shown to the trainer and to our own check."""
    assert done.rendered is not None
    for number, case in enumerate(misspelt.cases(trainer, done.rendered)):
        place, dataset, commands = misspelt.written(done, case, folder / "misspelt" / f"{trainer} {target} {number}")
        yield Case(
            trainer=trainer, target=target, export=place, dataset=dataset, commands=commands, captions={},
            unknown=tuple(unknown_keys(trainer, case.rendered)), mistake=f"{case.where}: {case.wrong}",
        )  # fmt: skip


def judged(
    source: sources.Source, python: Path, asked: Sequence[Case], folder: Path
) -> tuple[list[Verdict], dict[str, Any]]:
    """The child's verdicts, and what else it told: ``not_run``, ``stand_ins``."""
    jobs, results = folder / "jobs.json", folder / f"results {source.trainer}.json"
    rows = [{"export": str(one.export), "dataset": str(one.dataset), "commands": one.commands} for one in asked]
    jobs.write_text(json.dumps(rows), encoding="utf-8")
    env = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env |= {
        "HF_HUB_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOME": str(folder / "home"),
    }
    (folder / "home").mkdir(exist_ok=True)
    try:
        ran = subprocess.run(
            [str(python), str(CHILD), source.trainer.replace("-", "_"), str(source.folder), str(jobs), str(results)],
            capture_output=True, text=True, check=False, timeout=MINUTES * 60, env=env, cwd=folder,
        )  # fmt: skip
        said = ran.stderr
    except subprocess.TimeoutExpired:
        said = f"ended after {MINUTES} minutes"
    if not results.exists():
        return [], {"not_run": (said.strip().splitlines() or ["the child process died"])[-1]}
    answer = json.loads(results.read_text(encoding="utf-8"))
    found = [
        Verdict(
            case=case, accepted=row["accepted"], said=row.get("said", ""), ran=tuple(row.get("ran", ())),
            captions=row.get("captions"), passed_over=tuple(row.get("passed_over", ())),
        )
        for case, row in zip(asked, answer.get("jobs", []), strict=False)
    ]  # fmt: skip
    return found, answer


def report(trainer: str, source: sources.Source, found: Sequence[Verdict], answer: Mapping[str, Any]) -> bool:
    """Prints what was found of one trainer; True where nothing speaks against our exports."""
    by = f", judged by {source.folder.name}, whose code it runs" if source.trainer != trainer else ""
    print(f"\n{trainer} at {source.commit[:12] or 'an unknown commit'}{by}{table_of(source)}")
    if answer.get("not_run"):
        print(f"  not run: {answer['not_run']}")
        return True
    plain = [one for one in found if not one.case.mistake]
    print(f"  ran: {'; '.join(dict.fromkeys(step for one in plain for step in one.ran)) or 'nothing to its end'}")
    print(f"  empty stand-ins: {', '.join(answer['stand_ins']) or 'none'}")
    fine = True
    for one in plain:
        wrong = list(one.wrong())
        fine = fine and not wrong
        print(f"  {one.case.target:16} {'accepted' if one.accepted else 'REFUSED'}; {read(one)}")
        for line in wrong:
            print(f"    {line}")
    return told_mistakes([one for one in found if one.case.mistake]) and fine


def read(one: Verdict) -> str:
    """How its captions came through."""
    if one.captions is None:
        return "captions were not read"
    same = sum(one.captions.get(file) == text for file, text in one.case.captions.items())
    known = len(one.case.captions) - same - len(one.misread())
    doubled = f", {known} with the blanks after commas doubled, as this trainer does" if known else ""
    return f"{same} of {len(one.case.captions)} captions letter by letter{doubled}"


def told_mistakes(shown: Sequence[Verdict]) -> bool:
    """What became of the misspelt keys; True where our own check names them all."""
    let = [one for one in shown if one.accepted]
    missed = [one.case.mistake for one in shown if not one.case.unknown]
    print(
        f"  misspelt on purpose, one at a time: {len(shown)} keys and options. The trainer's code that ran refuses "
        f"{len(shown) - len(let)} and lets {len(let)} through; our own check names {len(shown) - len(missed)}"
    )
    by_file: dict[str, list[str]] = {}
    for one in let:
        where, _, key = one.case.mistake.partition(": ")
        by_file.setdefault(where, []).append(key)
    for where, names in by_file.items():
        print(
            textwrap.fill(
                f"let through in {where}: {', '.join(dict.fromkeys(names))}",
                120,
                initial_indent="    ",
                subsequent_indent="      ",
            )
        )
    for mistake in missed:
        print(f"    OUR CHECK MISSES {mistake}")
    return not missed


def table_of(source: sources.Source) -> str:
    """A word where our table of keys was made at another commit."""
    text = resources.files("fluxcap").joinpath("data", "trainer_keys.toml").read_text(encoding="utf-8")
    at = tomllib.loads(text).get(source.trainer, {}).get("commit", "")
    return f" (our table of keys is of {at[:12]})" if source.commit and at and at != source.commit else ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "sources", type=Path, nargs="+", metavar="SOURCE_DIR", help="a trainer's checkout, or a folder of them"
    )
    parser.add_argument(
        "--python", action="append", default=[], metavar="TRAINER=PYTHON", help="of that trainer's environment"
    )
    parser.add_argument("--only", action="append", metavar="TRAINER", help="judge by this one only")
    given = parser.parse_args()
    found = sources.find(given.sources)
    asked = {
        name: found[by]
        for name in sources.LANDMARKS
        if (by := RUN_BY.get(name, name)) in found and name in (given.only or sources.LANDMARKS)
    }
    if not asked:
        parser.error(
            f"no checkout of {', '.join(given.only or sources.LANDMARKS)} in {', '.join(map(str, given.sources))}"
        )
    fine, summary = True, []
    for name, source in asked.items():
        with tempfile.TemporaryDirectory(prefix="fluxcap-judge-") as place:
            folder = Path(place)
            sets.make_set(folder / "set")
            asked_now = list(cases(name, folder))
            verdicts, answer = judged(source, sources.python_of(source, given.python), asked_now, folder)
            good = report(name, source, verdicts, answer)
            fine = fine and good
            plain = [one for one in verdicts if not one.case.mistake]
            summary.append(
                f"{name}: "
                + ("not run" if not plain else f"{sum(one.accepted for one in plain)} of {len(plain)} exports accepted")
            )
    print("\n" + "\n".join(summary))
    sys.exit(not fine)


if __name__ == "__main__":
    main()
