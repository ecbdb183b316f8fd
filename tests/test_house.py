"""The house: rooms, sizes of files, a quick start, the public names."""

import ast
import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import fluxcap

ROOT = Path(__file__).resolve().parents[1]
SRC = ROOT / "src" / "fluxcap"
MODULES = sorted(SRC.rglob("*.py"))
MOST_LINES = 400
HEAVY = (
    "numpy",
    "PIL",
    "cv2",
    "msgspec",
    "rich",
    "inflect",
    "jinja2",
    "tokenizers",
    "huggingface_hub",
    "tomlkit",
    "ruamel",
)

PUBLIC = [
    "FluxcapError",
    "__version__",
    "advice",
    "caption",
    "check_folder",
    "compose_caption",
    "coverage_of",
    "demo",
    "dump",
    "explain",
    "export_folder",
    "history",
    "init",
    "plan",
    "queue",
    "release",
    "undo",
]


def name(path: Path) -> str:
    return path.relative_to(SRC).as_posix()


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, cwd=ROOT, check=False)


@pytest.mark.skipif(find_spec("importlinter") is None, reason="import-linter is not installed")
def test_the_rooms():
    """The contract of pyproject.toml, [tool.importlinter]."""
    done = python("-c", "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_file_grows_past_its_walls(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_are_absolute(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (isinstance(node, ast.ImportFrom) and node.level), f"line {node.lineno}"


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["caption", "--help"], ["export", "--help"], ["recipe", "--help"]],
    ids=" ".join,
)
def test_help_loads_nothing_heavy(arguments):
    code = f"""
import json, sys
sys.argv = ["fluxcap", *{arguments!r}]
from fluxcap.cli import main
try:
    main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(json.dumps(sorted({{name.split(".")[0] for name in sys.modules}})))
"""
    done = python("-c", code)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert not set(HEAVY) & set(loaded)


def test_import_loads_nothing_heavy():
    done = python("-c", "import sys, fluxcap; print(*sys.modules, sep='\\n')")
    assert done.returncode == 0, done.stderr
    loaded = {line for line in done.stdout.splitlines() if line.startswith("fluxcap")}
    assert loaded == {"fluxcap"}


def test_python_dash_m():
    done = python("-m", "fluxcap", "--version")
    assert done.returncode == 0, done.stderr
    assert fluxcap.__version__ in done.stdout


def test_the_public_names():
    assert sorted(fluxcap.__all__) == sorted(PUBLIC)


def test_every_public_name_is_there():
    for public in fluxcap.__all__:
        assert getattr(fluxcap, public) is not None
        assert public in dir(fluxcap)
        assert not (SRC / f"{public}.py").exists(), "a module of the same name would take its place"
        assert not (SRC / public).exists()


def test_a_name_that_is_not_there():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = fluxcap.nothing


def test_versions_agree():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == fluxcap.__version__
    assert (SRC / "py.typed").is_file()


def test_nothing_private_is_told():
    """No addresses of package indexes, no paths of a machine in what is committed."""
    listed = subprocess.run(["git", "ls-files", "-z"], capture_output=True, text=True, cwd=ROOT, check=False)
    if listed.returncode:
        pytest.skip("not a clone of the repository")
    lock_files = {"uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "requirements.lock"}
    for file in filter(None, listed.stdout.split("\0")):
        assert Path(file).name not in lock_files
        path = ROOT / file
        if path.suffix in {".md", ".toml", ".py", ".txt", ".csv", ".j2", ".sql"} and path.is_file():
            text = path.read_text(encoding="utf-8")
            for sign in ("pypi" + ".org", "pythonhosted" + ".org", "/ho" + "me/", "/ro" + "ot/", "/wo" + "rk/"):
                assert sign not in text, f"{file}: {sign}"
