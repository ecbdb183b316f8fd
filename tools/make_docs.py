"""Bring the generated tables of the docs up to date.

python tools/make_docs.py
"""

from __future__ import annotations

import inspect
import re
import textwrap
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fluxcap import registry

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DATA = ROOT / "src" / "fluxcap" / "data"
CHECKS = DOCS / "checks.md"
HEADINGS = ("What it does", "Why is this bad", "Example", "Use instead")
INTRODUCTION = """\
# Checks

Every caption is checked, those that somebody else wrote too: against the facts, against the plan, and by its wording. An **error** keeps
the set from being trained, a **warning** wants a look, a **note** informs. `fluxcap check` runs the checks on their own.

This page is made from the checks themselves (`python tools/make_docs.py`).
"""


def presets_table() -> str:
    """Slot by slot, what each preset decides, as data/slots.toml has it."""
    data = _toml("slots.toml")
    rows = [["trait", "id", *data["presets"]], ["---"] * (2 + len(data["presets"]))]
    for slot in data["slot"]:
        default = slot["default"]
        decisions = [default.get(preset, default["any"]) for preset in data["presets"]]
        rows.append([slot["name"], f"`{slot['id']}`", *decisions])
    return _table(rows)


def wishes_table() -> str:
    """Wish by wish, how many a set wants and bears, and for which presets, as data/coverage.toml has it."""
    rows = [["wish", "want", "at most", "presets"], ["---"] * 4]
    for group in _toml("coverage.toml")["group"]:
        for wish in group["wish"]:
            name = f"different {wish['noun']}" if "differ" in wish else f"{wish['noun']} {wish.get('how', '')}".strip()
            most = f"{wish['most']} %" if "most" in wish else ""
            rows.append([name, str(wish.get("want", "")), most, ", ".join(group["presets"])])
    return _table(rows)


def trainers_table() -> str:
    """Which trainer serves which base models, as data/targets.toml has it."""
    rows = [["`--trainer`", "what it is", "base models"], ["---"] * 3]
    for name in registry.names("exporter"):
        made = registry.load("exporter", name)
        served = [
            f"`{row['id']}`" for row in _toml("targets.toml")["target"] if made.neutral or name in row["trainers"]
        ]
        rows.append([f"`{name}`", made.title, "all" if made.neutral else ", ".join(served)])
    return _table(rows)


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "how-it-decides.md": ("presets", presets_table),
    "coverage.md": ("wishes", wishes_table),
    "export.md": ("trainers", trainers_table),
}
"""Page -> the name of its table's marks, and what makes it."""


def page(name: str) -> str:
    """The page with its table as it should be."""
    mark, table = TABLES[name]
    marked = re.compile(rf"(?<=<!-- {mark}:begin -->\n).*?(?=<!-- {mark}:end -->)", re.DOTALL)
    return marked.sub(lambda _: table(), (DOCS / name).read_text(encoding="utf-8"))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads((DATA / name).read_text(encoding="utf-8"))


def _table(rows: list[list[str]]) -> str:
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"


def checks_page() -> str:
    """All checks of captions, each with what it says of itself."""
    checks = sorted((registry.load("check", name) for name in registry.BUILT_IN["check"]), key=lambda check: check.code)
    rows = [["code", "name", "as a rule", "what it finds"], ["---"] * 4]
    parts: list[str] = []
    for check in checks:
        title = f"{check.code} {check.name}"
        first, told = sections(inspect.getdoc(check) or "")
        rows.append([check.code, f"[{check.name}](#{title.lower().replace(' ', '-')})", check.severity, first])
        parts.append(f"## {title}\n\n{first}\n\n" + "".join(f"**{head}.**{text}\n\n" for head, text in told))
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return f"{INTRODUCTION}\n{table}\n{''.join(parts).rstrip()}\n"


def sections(text: str) -> tuple[str, list[tuple[str, str]]]:
    """A docstring's first line, and what stands under its headings; examples as code."""
    first, _, rest = text.partition("\n")
    pieces = re.split(rf"^({'|'.join(HEADINGS)}):$", rest, flags=re.MULTILINE)[1:]
    told: list[tuple[str, str]] = []
    for head, body in zip(pieces[::2], pieces[1::2], strict=True):
        plain = textwrap.dedent(body.strip("\n")).strip().replace("``", "`")
        code = head in ("Example", "Use instead") and not plain.startswith("(")
        told.append((head, f"\n\n```text\n{plain}\n```" if code else " " + " ".join(plain.split())))
    return first, told


if __name__ == "__main__":
    for name in TABLES:
        (DOCS / name).write_text(page(name), encoding="utf-8")
    CHECKS.write_text(checks_page(), encoding="utf-8")
