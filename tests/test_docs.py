"""The docs are true: the tutorial runs, every command and setting is told, tables and links hold."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from fluxcap.measure import missing_models
from fluxcap.project import Plan, Project, RecipeSettings, TaggerSettings, VlmSettings, load

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DEMO = ROOT / "src" / "fluxcap" / "data" / "demo"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *DEMO.glob("*.md")])
BLOCK = re.compile(r"^```(?:sh|console)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
RUN_WITH = ("python", "-m", "fluxcap")


def page_name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def commands(text: str) -> list[tuple[str, int]]:
    """The commands of a page, in order, each with the exit code that it tells (``# exit 1``)."""
    found = []
    for block in BLOCK.findall(text):
        for line in block.splitlines():
            line = line.removeprefix("$ ").strip()
            if line and not line.startswith("#"):
                told = re.search(r"#\s*exit (\d+)\s*$", line)
                found.append((line[: told.start()].strip() if told else line, int(told[1]) if told else 0))
    return found


def code(path: Path) -> str:
    """What stands in code on a page, each piece on a line of its own."""
    text = path.read_text(encoding="utf-8")
    return "\n".join([*BLOCK.findall(text), *re.findall(r"`([^`\n]+)`", text)])


def anchors(path: Path) -> set[str]:
    """The anchors that a page's headings make."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.slow
@pytest.mark.skipif(bool(missing_models()), reason="the measuring models are not installed")
@pytest.mark.parametrize(("name", "least"), [("tutorial.md", 11), ("coverage.md", 3)])
def test_the_commands_of_a_page_run(tmp_path, name, least):
    """Every command in order, on the demo pictures; ``echo "..." > FILE`` writes a file."""
    (tmp_path / "photos").mkdir()
    for picture in DEMO.glob("*.jpg"):
        shutil.copy(picture, tmp_path / "photos")
    steps = commands((DOCS / name).read_text(encoding="utf-8"))
    assert len(steps) >= least
    for line, expected in steps:
        words = shlex.split(line)
        if words[0] == "echo":
            assert words[2] == ">"
            (tmp_path / words[3]).write_text(words[1] + "\n", encoding="utf-8")
            continue
        assert words[0] == "fluxcap", line
        done = subprocess.run(
            [sys.executable, *RUN_WITH[1:], *words[1:]],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )
        assert done.returncode == expected, f"{line}\n{done.stdout}\n{done.stderr}"
        assert done.stdout.strip(), f"{line} prints nothing"
    assert len(list((tmp_path / "photos").glob("*.txt"))) >= 3
    assert (tmp_path / "photos" / ".fluxcap" / "report.html").stat().st_size > 10_000


def test_the_readme_holds_the_commands_that_ci_runs():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in ("run", "test"):
        block = re.search(rf"<!-- {name}:begin -->\n```sh\n([^\n]+)\n```\n<!-- {name}:end -->", text)
        assert block is not None
        assert block[1].startswith("python3 -m venv ")


def test_every_command_is_documented():
    from fluxcap import cli

    group = next(value for value in vars(cli).values() if hasattr(value, "commands"))
    every = "\n".join(path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *DOCS.glob("*.md")])
    for name, command in group.commands.items():
        assert re.search(rf"fluxcap {re.escape(name)}\b", every), f"fluxcap {name} is not documented"
        assert command.help, f"fluxcap {name} has no help"


def test_every_documented_command_is_there():
    from fluxcap import cli

    group = next(value for value in vars(cli).values() if hasattr(value, "commands"))
    for path in [ROOT / "README.md", *DOCS.glob("*.md")]:
        for name in re.findall(r"^fluxcap ([a-z]+)", code(path), re.MULTILINE):
            assert name in group.commands, f"{page_name(path)}: fluxcap {name}"


def test_every_setting_is_documented():
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([a-z0-9_.]+)` \|", text, re.MULTILINE))
    settings = {field.name for field in fields(Project)} - {"plan", "tagger", "vlm", "recipe"}
    plan = {f"plan.{field.name}" for field in fields(Plan)}
    tables = {"tagger": TaggerSettings, "vlm": VlmSettings, "recipe": RecipeSettings}
    models = {f"{table}.{field.name}" for table, kind in tables.items() for field in fields(kind)}
    assert told == settings | plan | models


def test_the_defaults_are_told_right():
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    for key, told in re.findall(r"^\| `([a-z_]+)` \| ([^|]+) \|", text, re.MULTILINE):
        default = getattr(Project(), key)
        if default is None:
            assert not told.startswith("`"), key
        else:
            assert tomllib.loads(f"value = {told.strip('` ')}")["value"] == default, key


def test_the_example_settings_are_valid(tmp_path):
    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    example = re.search(r"```toml\n(.*?)```", text, re.DOTALL)
    assert example is not None
    (tmp_path / "fluxcap.toml").write_text(example[1], encoding="utf-8")
    assert load(tmp_path).trigger == "ohwx"


def test_generated_pages_are_up_to_date():
    spec = importlib.util.spec_from_file_location("make_docs", ROOT / "tools" / "make_docs.py")
    assert spec is not None
    assert spec.loader is not None
    make_docs = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_docs)
    for name in make_docs.TABLES:
        assert make_docs.page(name) == (DOCS / name).read_text(encoding="utf-8"), "run: python tools/make_docs.py"
    assert make_docs.checks_page() == make_docs.CHECKS.read_text(encoding="utf-8"), "run: python tools/make_docs.py"


@pytest.mark.parametrize("path", PAGES, ids=page_name)
def test_links_lead_somewhere(path):
    for link in LINK.findall(path.read_text(encoding="utf-8")):
        if "://" in link:
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        assert file.exists(), link
        if anchor:
            assert anchor in anchors(file), link


def test_the_demo_pictures_are_few_and_small():
    pictures = sorted(DEMO.glob("*.jpg"))
    assert 3 <= len(pictures) <= 4
    sources = (DEMO / "SOURCES.md").read_text(encoding="utf-8")
    for picture in pictures:
        assert picture.stat().st_size < 60_000
        assert f"`{picture.name}`" in sources
