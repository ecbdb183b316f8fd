"""The tools that have our exports judged and trained by the trainers' own code; the real ones where their checkouts are at hand.

``FLUXCAP_TRAINERS`` names a folder with checkouts of trainers, each with its environment in ``venv/`` (``docs/judging.md``).
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import textwrap
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from export_sets import a_set, exporter, served
from hypothesis import given as for_all
from hypothesis import strategies as st

from fluxcap.exporters import unknown_keys

ROOT = Path(__file__).resolve().parents[1]
TOOLS = ROOT / "tools"
CHECKOUTS = os.environ.get("FLUXCAP_TRAINERS", "")
TOKENIZERS = Path(os.environ.get("FLUXCAP_TOKENIZERS") or ROOT.parent / "shared" / "data" / "tokenizers")

sys.path.insert(0, str(TOOLS))

import judge_exports  # noqa: E402
import train_tiny  # noqa: E402
from trainers import encoded, misspelt, sets, sources  # noqa: E402

FAMILIES = ("flux1-dev", "flux2-klein-9b")


# ---- misspelt keys


@pytest.mark.parametrize(
    ("name", "target"),
    [(name, target) for name, target in served() if target in FAMILIES and not exporter(name).neutral],
    ids=str,
)
def test_our_own_check_names_every_misspelt_key(name: str, target: str) -> None:
    rendered = exporter(name).render(a_set(target))
    cases = list(misspelt.cases(name, rendered))
    assert len(cases) > 15
    assert [case.wrong for case in cases if not unknown_keys(name, case.rendered)] == []


def test_a_key_keeps_its_place_when_it_is_misspelt() -> None:
    value = {"a": 1, "rows": [{"b": 2}, {"b": 3}], "c": {"d": 4}}
    assert misspelt.renamed(value, ("rows", 0, "b"), "bb") == {"a": 1, "rows": [{"bb": 2}, {"b": 3}], "c": {"d": 4}}
    assert list(misspelt.renamed(value, ("a",), "aa")) == ["aa", "rows", "c"]
    assert list(misspelt.keys(value)) == [("a",), ("rows",), ("rows", 0, "b"), ("c",), ("c", "d")]


# ---- what the tokenizers got


def note(text: str, *ids: int, tokenizer: str = "T5") -> encoded.Note:
    return encoded.Note(tokenizer=tokenizer, text=text, ids=ids)


def test_captions_have_to_reach_both_encoders() -> None:
    captions = {"a.png": "ohwx, a", "b.png": "ohwx, b"}
    found = [note("ohwx, a", 1), note("ohwx, a", 1, tokenizer="CLIP"), note("ohwx, b", 2)]
    first, second = encoded.compare(captions, found, [], encoded.as_it_stands)
    assert first
    assert first.letters == ("CLIP", "T5")
    assert not second


def test_a_rewritten_caption_counts_where_its_tokens_are_the_same() -> None:
    captions = {"a.png": "ohwx, a"}
    own = [note("ohwx, a", 1, 2), note("ohwx, a", 3, tokenizer="CLIP")]
    same = [note("ohwx,  a", 1, 2), note("ohwx,  a", 3, tokenizer="CLIP")]
    other = [note("ohwx,  a", 1, 9, 2), note("ohwx,  a", 3, tokenizer="CLIP")]
    assert encoded.compare(captions, same, own, encoded.ai_toolkit)[0]
    (seen,) = encoded.compare(captions, other, own, encoded.ai_toolkit)
    assert not seen
    assert seen.other_tokens == ("T5",)


def test_texts_that_nobody_asked_for_are_told() -> None:
    found = [note("ohwx, a"), note("ohwx,  a"), note("a prompt"), note(""), note("ohwx, stale")]
    assert encoded.unasked(["ohwx, a"], ["a prompt"], found, encoded.ai_toolkit) == ["ohwx, stale"]


@for_all(st.text())
def test_what_ai_toolkit_does_to_a_caption_only_adds_blanks(text: str) -> None:
    assert encoded.ai_toolkit(text).replace(" ", "") == text.replace(" ", "")


@for_all(st.lists(st.integers(1, 9)), st.integers(0, 5))
def test_padding_goes_and_nothing_else(ids: list[int], padding: int) -> None:
    assert encoded.without_padding([*ids, *[0] * padding], 0) == tuple(ids)


def test_the_spy_notes_what_a_tokenizer_gets(tmp_path: Path) -> None:
    """With a package of the same name and shape as transformers, which need not be installed."""
    package = tmp_path / "transformers"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "tokenization_utils_base.py").write_text(
        textwrap.dedent("""
            class PreTrainedTokenizerBase:
                pad_token_id = 0
                def __call__(self, text=None, max_length=4):
                    texts = [text] if isinstance(text, str) else text
                    ids = [[len(one), 0, 0] for one in texts]
                    return {"input_ids": ids[0] if isinstance(text, str) else ids}
        """),
        encoding="utf-8",
    )
    script = "from transformers.tokenization_utils_base import PreTrainedTokenizerBase as T; T()(['é, x', 'y'], max_length=3); T()('z')"
    spied = tmp_path / "spied.jsonl"
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(TOOLS / "trainers" / "spy"), str(tmp_path)])}
    subprocess.run([sys.executable, "-c", script], check=True, env={**env, "FLUXCAP_SPY": str(spied)})
    found = encoded.notes(spied.read_text(encoding="utf-8").splitlines())
    assert [(one.text, one.ids) for one in found] == [("é, x", (4,)), ("y", (1,)), ("z", (1,))]


# ---- stand-ins, checkouts


def test_stand_ins_take_the_place_of_missing_packages_only() -> None:
    script = textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(TOOLS / "trainers")!r})
        import stand_ins
        stand_ins.install(["not_there_at_all", "json"])
        import json
        import not_there_at_all.deep.inside as inside
        from not_there_at_all import Base, decorate
        class Own(Base): pass
        @decorate
        def kept(): return 7
        assert kept() == 7 and json.dumps(1) == "1"
        assert inside.anything(3).whatever[0] is not None
        assert Own() is not None and isinstance(Own(), Base)
        assert stand_ins.used == {{"not_there_at_all"}}
        try: import another_one
        except ModuleNotFoundError: pass
        else: raise SystemExit("too many stand-ins")
    """)
    subprocess.run([sys.executable, "-c", script], check=True)


def test_checkouts_are_recognised(tmp_path: Path) -> None:
    for trainer, marks in sources.LANDMARKS.items():
        for mark in marks:
            path = tmp_path / trainer / mark
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    (tmp_path / "kohya" / "COMMIT").write_text("abc\n")
    (tmp_path / "something else").mkdir()
    found = sources.find([tmp_path])
    assert list(found) == list(sources.LANDMARKS)
    assert {name: source.folder.name for name, source in found.items()} == {name: name for name in found}
    assert found["kohya"].commit == "abc"
    assert list(sources.find([tmp_path / "musubi"])) == ["musubi"]
    assert sources.python_of(found["kohya"], ["kohya=/somewhere/python"]) == Path("/somewhere/python").absolute()
    assert sources.python_of(found["kohya"]) == Path(sys.executable)


# ---- a judge at work, on a small script of our own in the place of diffusers'


def checkout(folder: Path, options: list[str], first: str = "") -> Path:
    """A folder that looks like diffusers, whose script knows these options."""
    lines = [first, "import argparse", "def parse_args(words):", "    parser = argparse.ArgumentParser()"]
    lines += [f"    parser.add_argument({option!r}, nargs='?')" for option in options]
    home = folder / "examples" / "dreambooth"
    home.mkdir(parents=True)
    (folder / "src" / "diffusers").mkdir(parents=True)
    (home / "train_dreambooth_lora_flux.py").write_text("\n".join([*lines, "    return parser.parse_args(words)"]))
    return folder


@pytest.fixture
def case(tmp_path: Path) -> judge_exports.Case:
    """Our export for diffusers, as far as its judge looks at it."""
    commands = misspelt.words(exporter("diffusers").render(a_set()).commands)
    return judge_exports.Case(
        trainer="diffusers", target="flux1-dev", export=tmp_path, dataset=tmp_path, commands=commands,
        captions={"a.png": "ohwx, a"}, unknown=(),
    )  # fmt: skip


def known_options(case: judge_exports.Case) -> list[str]:
    words = case.commands[0][case.commands[0].index("train_dreambooth_lora_flux.py") :]
    return [word.partition("=")[0] for word in words if word.startswith("--")]


def judged(
    folder: Path, case: judge_exports.Case, tmp_path: Path
) -> tuple[list[judge_exports.Verdict], dict[str, Any]]:
    return judge_exports.judged(sources.find([folder])["diffusers"], Path(sys.executable), [case], tmp_path)


@pytest.mark.skipif(
    find_spec("datasets") is not None and find_spec("torch") is not None,
    reason="datasets and torch are installed: the judge would ask the script for its dataset too",
)
def test_an_export_is_accepted_or_refused_in_the_trainers_own_words(case: judge_exports.Case, tmp_path: Path) -> None:
    options = known_options(case)
    (verdict,), answer = judged(checkout(tmp_path / "good", options), case, tmp_path)
    assert verdict.accepted
    assert list(verdict.wrong()) == []
    assert verdict.ran == ("train_dreambooth_lora_flux.py: parse_args",)
    assert answer["stand_ins"] == []
    (verdict,), _ = judged(checkout(tmp_path / "older", [one for one in options if one != "--rank"]), case, tmp_path)
    assert not verdict.accepted
    assert "unrecognized arguments: --rank=64" in verdict.said
    assert next(verdict.wrong()).startswith("REFUSED")


def test_code_that_does_not_load_refuses_nothing(case: judge_exports.Case, tmp_path: Path, capsys: Any) -> None:
    """A judge's own trouble is told as such."""
    source = sources.Source(trainer="kohya", folder=tmp_path, commit="")
    verdicts, answer = judge_exports.judged(source, Path(sys.executable), [case], tmp_path)
    assert verdicts == []
    assert "flux_train_network" in answer["not_run"]
    assert judge_exports.report("kohya", source, verdicts, answer)
    assert "not run" in capsys.readouterr().out


def test_captions_that_are_read_otherwise_speak_against_an_export(case: judge_exports.Case) -> None:
    def wrong(captions: dict[str, str] | None) -> list[str]:
        return list(judge_exports.Verdict(case=case, accepted=True, captions=captions).wrong())

    assert wrong({"a.png": "ohwx, a"}) == []
    assert wrong(None) == []
    assert wrong({"a.png": "ohwx"}) == ["a.png is read as 'ohwx'"]
    assert wrong({}) == ["a.png is read as ''"]  # the trainer found no picture


# ---- fitting an export to the tiny model


def test_records_with_pictures_are_left_out_of_a_kept_log() -> None:
    def record(size: int) -> bytes:
        return size.to_bytes(8, "little") + b"crc1" + b"x" * size + b"crc2"

    assert list(train_tiny.small_records(record(3) + record(20_000) + record(5))) == [record(3), record(5)]


# ---- the real ones


def real(trainer: str) -> sources.Source:
    """The checkout of a trainer; skips where there is none."""
    if not CHECKOUTS:
        pytest.skip("FLUXCAP_TRAINERS names no folder with checkouts of trainers")
    found = sources.find([Path(CHECKOUTS)])
    if trainer not in found:
        pytest.skip(f"no checkout of {trainer} in FLUXCAP_TRAINERS")
    return found[trainer]


def needs(source: sources.Source, *packages: str) -> Path:
    """The trainer's Python; skips where its environment lacks a package."""
    python = sources.python_of(source)
    lacking = f"import importlib.util as u; print(*[n for n in {packages!r} if u.find_spec(n) is None])"
    missing = subprocess.run([python, "-c", lacking], capture_output=True, text=True, check=True).stdout.split()
    if missing:
        pytest.skip(f"the environment of {source.trainer} lacks {', '.join(missing)}")
    return python


@pytest.mark.slow
@pytest.mark.parametrize("trainer", [name for name in sources.LANDMARKS if name != "fluxgym"])
def test_the_trainers_accept_our_exports(trainer: str) -> None:
    source = real(trainer)
    needs(source, "torch")
    done = subprocess.run(
        [sys.executable, str(TOOLS / "judge_exports.py"), str(source.folder), "--only", trainer],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "not run" not in done.stdout
    assert "accepted" in done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("trainer", list(train_tiny.TRAINERS))
def test_our_exports_train_and_the_approved_captions_are_encoded(trainer: str, tmp_path: Path) -> None:
    if not (TOKENIZERS / "t5" / "tokenizer.json").is_file():
        pytest.skip("FLUXCAP_TOKENIZERS names no folder with the tokenizers of CLIP and T5")
    source = real(trainer)
    python = needs(source, "torch", "transformers", "accelerate", "peft")
    run = train_tiny.train(source, python, TOKENIZERS, tmp_path)
    assert run.code == 0, train_tiny.told(run, source)
    assert all(run.seen), train_tiny.told(run, source)
    assert len(run.seen) == len(sets.CAPTIONS)
    assert {one.caption for one in run.seen} == set(sets.CAPTIONS)
    assert run.unasked == ()
    assert sum(path.endswith(".safetensors") for path in run.made) >= 2


RECORDED = ROOT / "tests" / "data" / "trainer_runs"


@pytest.mark.parametrize("trainer", list(train_tiny.TRAINERS))
def test_recorded_runs_hold_no_place_of_a_machine(trainer: str) -> None:
    console = (RECORDED / trainer / "console.txt").read_bytes()
    assert b"\r" in console
    assert b"/abs/" in console
    assert not any(place in console for place in (b"/tmp/", b"/ho" + b"me/", b"/ro" + b"ot/", b"/Users/"))
    assert any(name.endswith(".safetensors") for name in json.loads((RECORDED / trainer / "files.json").read_text()))


def test_the_page_tells_every_option_of_the_tools() -> None:
    page = (ROOT / "docs" / "judging.md").read_text(encoding="utf-8")
    for tool in ("judge_exports.py", "train_tiny.py"):
        shown = subprocess.run(
            [sys.executable, str(TOOLS / tool), "--help"], capture_output=True, text=True, check=True
        ).stdout
        options = {
            word
            for word in shlex.split(shown.replace("'", "").replace("[", " ").replace("]", " "))
            if word.startswith("--")
        }
        assert {option for option in options if option != "--help"} <= {
            word for word in page.replace("`", " ").split() if word.startswith("--")
        }
