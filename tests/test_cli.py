"""The command line as a person uses it: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from running import Run, measured

COMMANDS = (
    "init",
    "caption",
    "plan",
    "check",
    "coverage",
    "explain",
    "dump",
    "compose",
    "history",
    "undo",
    "release",
    "demo",
)


@pytest.fixture
def fluxcap(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    measured(monkeypatch)
    return Run(monkeypatch, capsys)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "my photos"
    folder.mkdir()
    for number in range(4):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def captioned(photos: Path, fluxcap: Run) -> Path:
    assert fluxcap("caption", photos, "--trigger", "ohwx", "--subject", "woman").code == 0
    return photos


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


# help


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS), ("models",), ("models", "pull")])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_every_command_has_help(fluxcap: Run, command: tuple[str, ...], option: str) -> None:
    said = fluxcap(*command, option)
    assert said.code == 0
    assert "Usage: fluxcap" in said.out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['fluxcap', '--help']\n"
        "from fluxcap import cli\n"
        "try: cli.main()\n"
        "finally: print(sorted({'numpy', 'PIL', 'cv2', 'rich', 'msgspec', 'jinja2', 'inflect'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.stdout.splitlines()[-1] == "[]"


# exit codes


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nope",),
        ("caption",),
        ("caption", "my photos"),
        ("caption", "my photos", "--trigger", "ohwx", "--preset", "nope"),
        ("caption", "my photos", "--trigger", "a, b"),
        ("caption", "my photos", "--trigger", "ohwx", "--captions", "nowhere"),
        ("caption", "nowhere", "--trigger", "ohwx"),
        ("caption", "empty", "--trigger", "ohwx"),
        ("check", "my photos"),
        ("plan", "my photos", "--bound", "nope"),
        ("plan", "my photos", "--usual", "hair"),
        ("plan", "my photos", "--usual", "hair="),
        ("explain", "my photos/0.png"),
        ("explain", "nowhere.png"),
        ("history", "my photos/0.png"),
        ("release", "my photos"),
        ("dump", "my photos/0.png"),
        ("undo", "nowhere"),
        ("init", "nowhere"),
        ("compose", "nowhere.json"),
        ("models", "pull", "nope"),
    ],
)
def test_what_cannot_be_meant_is_told_with_2(fluxcap: Run, photos: Path, words: tuple[str, ...]) -> None:
    Path("empty").mkdir()
    said = fluxcap(*words)
    assert said.code == 2
    assert (said.err or said.out).strip()
    assert not (photos / ".fluxcap").exists() or "--captions" in words


def test_what_the_person_can_mend_is_told_with_3(
    fluxcap: Run, captioned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (captioned / ".fluxcap" / "fluxcap.db").write_bytes(b"no database" * 100)
    said = fluxcap("caption", captioned)
    assert said.code == 3
    assert said.err.startswith("fluxcap: ")
    assert said.err.count("\n") == 2
    assert "hint: " in said.err


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="rights bind only ordinary users")
def test_a_read_only_folder_is_told(fluxcap: Run, photos: Path) -> None:
    photos.chmod(0o555)
    try:
        assert fluxcap("caption", photos, "--trigger", "ohwx").code == 3
    finally:
        photos.chmod(0o755)


def test_a_folder_that_cannot_be_written_is_told(fluxcap: Run, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, *_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", refuse)
    for words in (("caption", photos, "--trigger", "ohwx"), ("demo", photos / "demo")):
        said = fluxcap(*words)
        assert said.code == 3
        assert "Permission denied" in said.err
    monkeypatch.undo()


def test_a_demo_where_a_file_is_in_the_way_is_told(fluxcap: Run, photos: Path) -> None:
    assert fluxcap("demo", photos / "0.png").code == 3


def test_a_bug_is_one_line_and_names_the_traceback(
    fluxcap: Run, captioned: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def bug(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("fluxcap.pipeline.think", bug)
    said = fluxcap("caption", captioned)
    assert said.code == 4
    assert said.err.count("\n") == 1
    place = said.err.strip().rpartition(" lies in ")[2]
    assert "ZeroDivisionError: planted" in Path(place).read_text(encoding="utf-8")


def test_interrupted_is_130(fluxcap: Run, captioned: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("fluxcap.pipeline.think", stop)
    said = fluxcap("caption", captioned)
    assert said.code == 130
    assert said.err.strip() == "interrupted; the same command goes on where it stopped"


def test_check_refuses_a_caption_without_its_trigger_and_a_broken_picture(fluxcap: Run, captioned: Path) -> None:
    assert fluxcap("check", captioned).code == 0
    write(captioned / "0.txt", "a woman")
    said = fluxcap("check", captioned)
    assert said.code == 1
    assert "0.png" in said.out
    (captioned / "0.txt").unlink()
    assert fluxcap("check", captioned).code == 1
    assert fluxcap("caption", captioned).code == 0
    (captioned / "cut.jpg").write_bytes(b"\xff\xd8\xff")
    said = fluxcap("check", captioned)
    assert said.code == 1
    assert "cut.jpg" in said.out
    assert fluxcap("caption", captioned).code == 0


# what is printed


def test_json_of_every_command_that_reports(fluxcap: Run, captioned: Path) -> None:
    picture = captioned / "0.png"
    caption = fluxcap("caption", captioned, "--json").json
    assert (caption["images"], caption["observed"], caption["written"]) == (4, 0, 0)
    assert list(caption["captions"]) == ["0.png", "1.png", "2.png", "3.png"]
    assert {row["slot"] for row in fluxcap("plan", captioned, "--json").json["bindings"]} >= {"hair", "framing"}
    assert fluxcap("check", captioned, "--json").json["issues"] is not None
    assert fluxcap("coverage", captioned, "--json").json["pictures"] == 4
    assert fluxcap("explain", picture, "--json").json["traits"]["framing"]["sources"] == ["measure:fake"]
    assert fluxcap("history", picture, "--json").json[0]["author"] == "fluxcap"
    assert next(json.loads(line)["path"] for line in fluxcap("dump", captioned).out.splitlines()) == "0.png"
    assert fluxcap("undo", captioned, "--json").json["command"] == "caption"
    assert fluxcap("undo", captioned, "--json").json is None


def test_the_queue(fluxcap: Run, captioned: Path) -> None:
    assert "CAP032 is also the caption of" in fluxcap("queue", captioned).out
    write(captioned / "3.txt", "a photo of a woman")
    said = fluxcap("queue", captioned).out
    assert said.startswith("  1  3.png\n     a photo of a woman\n     - CAP001 ")
    first, *_ = json.loads(fluxcap("queue", captioned, "--json").out)
    assert (first["path"], first["author"], first["reasons"][0]["kind"]) == ("3.png", "person", "issue")


def test_a_tour_in_words(fluxcap: Run, captioned: Path) -> None:
    picture = captioned / "0.png"
    assert "framing" in fluxcap("plan", captioned).out
    said = fluxcap("plan", captioned, "--bound", "framing", "--dry-run").out
    assert "0.txt" in said
    assert "[-woman. close-up-]" in said
    assert "newly written" in fluxcap("plan", captioned, "--bound", "framing").out
    assert "left out" in fluxcap("explain", picture).out
    assert fluxcap("history", picture).out.count("ohwx woman") == 2
    assert "took back: plan (5 texts restored" in fluxcap("undo", captioned).out
    assert "already" in fluxcap("release", picture).out
    write(captioned / "0.txt", "ohwx woman, mine")
    assert "fluxcap release PICTURE" in fluxcap("caption", captioned, "--force").out
    assert "anew" in fluxcap("release", picture).out
    assert "nothing left" in (fluxcap("undo", captioned), fluxcap("undo", captioned), fluxcap("undo", captioned))[2].out


def test_coverage_in_words(fluxcap: Run, captioned: Path) -> None:
    before = sorted(path.name for path in captioned.iterdir())
    said = fluxcap("coverage", captioned)
    assert said.code == 0
    assert said.out.startswith("4 pictures; the wishes are those of a set of 25, preset person")
    assert "close-ups straight on" in said.out
    lines = said.out.splitlines()
    assert lines[lines.index("Shopping list") + 1 :] == [
        "  take 6 waist-up pictures (down to the waist or the knees)",
        "  take 6 full-body pictures (with the feet)",
    ]
    assert "4 pictures: view not known" in said.out
    assert "no source saw make-up" in said.out
    assert sorted(path.name for path in captioned.iterdir()) == before


def test_coverage_as_data(fluxcap: Run, captioned: Path) -> None:
    found = fluxcap("coverage", captioned, "--json").json
    assert {"haves", "matrix", "shopping_list", "over_full", "cannot_be_told", "constant", "left_out"} <= found.keys()
    (close,) = (one for one in found["haves"] if one["id"] == "close")
    assert (close["have"], close["pictures"]) == (4, ["0.png", "1.png", "2.png", "3.png"])
    assert [one["slot"] for one in found["constant"]] == ["framing"]
    (captioned / "fluxcap.toml").write_text('trigger = "ohwx"\npreset = "object"\n', encoding="utf-8")
    assert "detail" in {one["id"] for one in fluxcap("coverage", captioned, "--json").json["haves"]}


def test_coverage_does_not_count_who_plays_somebody_else(fluxcap: Run, photos: Path) -> None:
    """P5; captions that are there already say who it is."""
    for number in range(4, 9):
        Image.new("RGB", (40, 40), (number, 0, 0)).save(photos / f"{number}.png")
    for number in range(9):
        write(photos / f"{number}.txt", "ohwx woman with long blonde hair and blue eyes in a park")
    write(photos / "3.txt", "ohwx woman with short black hair and red eyes in a park")
    assert fluxcap("caption", photos, "--trigger", "ohwx", "--subject", "woman").code == 0
    found = fluxcap("coverage", photos, "--json").json
    assert (found["pictures"], found["left_out"]) == (8, ["3.png"])
    assert {"slot": "setting", "value": "in a park", "count": 8, "known": 8} in found["constant"]
    said = fluxcap("coverage", photos).out
    assert "3.png: not counted, since the subject seems to play somebody else" in said
    assert "setting: in a park, in all 8 pictures" in said


def test_coverage_before_the_first_look(fluxcap: Run, photos: Path) -> None:
    said = fluxcap("coverage", photos, "--json")
    assert said.code == 2
    assert "run: fluxcap caption" in said.err


def test_dry_run_prints_the_captions(fluxcap: Run, photos: Path) -> None:
    said = fluxcap("caption", photos, "--trigger", "ohwx", "--subject", "woman", "--dry-run")
    assert "0.png\n  ohwx woman" in said.out
    assert not (photos / "0.txt").exists()


@pytest.mark.parametrize("where", [".", "../my photos", "../my photos/", "0/.."])
def test_paths_may_be_relative(fluxcap: Run, photos: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    (photos / "0").mkdir()
    monkeypatch.chdir(photos)
    assert fluxcap("caption", where, "--trigger", "ohwx", "--subject", "woman").code == 0
    assert (photos / "0.txt").is_file()
    assert fluxcap("explain", "0.png").code == 0
    assert fluxcap("explain", f"{where}/0.png").code == 0
    assert fluxcap("check", where, "--json").json["images"] == 4


def test_a_captions_folder_is_found_from_where_the_person_stands(fluxcap: Run, photos: Path) -> None:
    Path("caps").mkdir()
    write(Path("caps/0.txt"), "ohwx with long blonde hair")
    said = fluxcap("caption", photos, "--trigger", "ohwx", "--captions", "caps", "--json")
    assert "hair" in said.json["captions"]["0.png"]
    assert 'captions = "../caps"' in (photos / "fluxcap.toml").read_text(encoding="utf-8")
    assert fluxcap("caption", photos).code == 0


def test_init(fluxcap: Run, photos: Path) -> None:
    assert fluxcap("init", photos, "--trigger", "ohwx").code == 0
    assert fluxcap("init", photos).code == 2
    assert fluxcap("caption", photos).code == 0


# compose


def test_compose_from_a_file_and_from_standard_input(fluxcap: Run, tmp_path: Path) -> None:
    values = {"trigger": "ohwx", "traits": {"hair": "long blonde hair", "view": "front"}, "bound": ["view"]}
    write(tmp_path / "values.json", json.dumps(values))
    from_file = fluxcap("compose", tmp_path / "values.json")
    assert from_file.out.startswith("ohwx")
    assert "long blonde hair" in from_file.out
    assert "front view" not in from_file.out
    assert fluxcap("compose", "-", stdin=json.dumps(values)) == from_file
    said = fluxcap("compose", "-", "--json", stdin=json.dumps(values)).json
    assert said["text"] + "\n" == from_file.out
    hair = next(span for span in said["spans"] if span["slot"] == "hair")
    assert "blonde" in said["text"][hair["start"] : hair["end"]]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ('{"trigger": "ohwx", "traits": {"hairs": "red"}}', "hairs"),
        ('{"trigger": "ohwx", "bound": ["hairs"]}', "hairs"),
        ('{"trigger": "ohwx", "trait": {}}', "trait"),
        ('{"trigger": "ohwx", "traits": {"hair": 3}}', "traits.hair"),
        ('{"trigger": "ohwx", "preset": "nope"}', "nope"),
        ('{"trigger": "ohwx", "pronouns": "nope"}', "pronouns"),
        ('{"trigger": " "}', "trigger"),
        ('{"trigger": "oh\\nwx"}', "trigger"),
        ("{}", "trigger"),
        ("[]", "standard input"),
        ('{"trigger"', "standard input"),
        ("", "standard input"),
        (b"\xff\xfe\x00", "standard input"),
    ],
)
def test_compose_refuses_by_name(fluxcap: Run, values: str | bytes, named: str) -> None:
    said = fluxcap("compose", "-", stdin=values)
    assert said.code == 2
    assert named in said.err
    assert said.out == ""


# whatever a name or a stream does


@pytest.mark.skipif(os.name == "nt", reason="such names cannot be there")
def test_names_are_fit_for_a_terminal(fluxcap: Run, photos: Path) -> None:
    (photos / "0.png").rename(photos / "a\x1b[31m\nb.png")
    folder = photos.rename(os.fsdecode(os.fsencode(photos) + b"\xff"))
    for words in (("caption", folder, "--trigger", "ohwx", "--dry-run"), ("caption", folder, "--trigger", "ohwx")):
        said = fluxcap(*words)
        assert said.code == 0
        assert "\x1b" not in said.out
    write(folder / "a\x1b[31m\nb.txt", "no word")
    said = fluxcap("check", folder)
    assert "a\\x1b[31m\\nb.png: " in said.out
    assert "\x1b" not in fluxcap("plan", folder, "--bound", "framing", "--dry-run").out + said.out
    assert fluxcap("caption", folder, "--json").json["images"] == 4
    assert fluxcap("explain", folder / "a\x1b[31m\nb.png").code == 0


@pytest.mark.skipif(sys.platform != "linux", reason="/dev/full")
@pytest.mark.parametrize(("into", "code"), [("> /dev/full", 3), ("| true", 0)])
def test_an_output_that_goes_nowhere(captioned: Path, into: str, code: int) -> None:
    command = f"set -o pipefail; (sleep 0.2; exec '{sys.executable}' -m fluxcap dump '{captioned}') {into}"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == code
    assert "Traceback" not in done.stderr


# mending


def test_mends_are_shown_and_written_only_after_a_yes(fluxcap: Run, captioned: Path) -> None:
    write(captioned / "0.txt", "A photo of a woman.\nShe sits.")
    said = fluxcap("check", captioned, "--fix")
    assert said.code == 1
    assert "0.txt\n  {+ohwx,+} A photo of a [-woman.\\nShe-] {+woman. She+} sits." in said.out
    assert "1 captions can be mended; nothing was written: --yes writes without asking" in said.out
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "A photo of a woman.\nShe sits."
    said = fluxcap("check", captioned, "--fix", "--yes")
    assert said.code == 0
    assert "1 captions mended" in said.out
    assert "CAP001" not in said.out
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "ohwx, A photo of a woman. She sits."
    assert "nothing that can be mended" in fluxcap("check", captioned, "--fix", "--yes").out


def test_a_mended_caption_stays_its_authors_and_undo_takes_it_back(fluxcap: Run, captioned: Path) -> None:
    write(captioned / "0.txt", "A photo of a woman.\nShe sits.")
    assert fluxcap("check", captioned, "--fix", "--yes").code == 0
    assert fluxcap("caption", captioned, "--rewrite").code == 0
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "ohwx, A photo of a woman. She sits."
    assert fluxcap("history", captioned / "0.png").out.splitlines()[0].endswith("person")
    said = fluxcap("undo", captioned)
    assert "took back: check --fix (1 texts restored" in said.out
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "A photo of a woman.\nShe sits."


def test_mends_as_json(fluxcap: Run, captioned: Path) -> None:
    write(captioned / "0.txt", "ohwx woman.\nShe sits.")
    said = fluxcap("check", captioned, "--fix", "--json").json
    assert said["mends"] == [{"path": "0.png", "before": "ohwx woman.\nShe sits.", "after": "ohwx woman. She sits."}]
    assert said["mended"] == {}
    assert "mends" not in fluxcap("check", captioned, "--json").json
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "ohwx woman.\nShe sits."
    assert fluxcap("check", captioned, "--fix", "--yes", "--json").json["mended"] == {"0.png": "written"}
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "ohwx woman. She sits."


def test_a_caption_that_changed_meanwhile_is_kept(
    fluxcap: Run, captioned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(captioned / "0.txt", "ohwx woman.\nShe sits.")

    def agreed(_mends: object, _yes: bool) -> bool:
        write(captioned / "0.txt", "ohwx woman, mine")
        return True

    monkeypatch.setattr("fluxcap.screen.confirm_mends", agreed)
    assert "kept 0.png: it was changed meanwhile" in fluxcap("check", captioned, "--fix").out
    assert (captioned / "0.txt").read_text(encoding="utf-8") == "ohwx woman, mine"


def test_what_fluxcap_wrote_is_composed_anew_and_not_mended(fluxcap: Run, captioned: Path) -> None:
    write(captioned / "fluxcap.toml", 'trigger = "other"\nsubject = "woman"\n')
    assert "nothing that can be mended" in fluxcap("check", captioned, "--fix", "--yes").out
    assert (captioned / "0.txt").read_text(encoding="utf-8").startswith("ohwx woman")
