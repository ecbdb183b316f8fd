"""Bring the generated tables of the docs up to date.

python tools/make_docs.py
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from fluxcap import registry

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-it-decides.md"
EXPORT_PAGE = ROOT / "docs" / "export.md"
HEAD = "\n| `--trainer` | what it is | base models |\n| --- | --- | --- |\n"
MARKED = re.compile(r"(?<=<!-- presets:begin -->\n).*?(?=<!-- presets:end -->)", re.DOTALL)


def presets_table() -> str:
    """Slot by slot, what each preset decides, as data/slots.toml has it."""
    data = tomllib.loads((ROOT / "src" / "fluxcap" / "data" / "slots.toml").read_text(encoding="utf-8"))
    rows = [["trait", "id", *data["presets"]], ["---"] * (2 + len(data["presets"]))]
    for slot in data["slot"]:
        default = slot["default"]
        decisions = [default.get(preset, default["any"]) for preset in data["presets"]]
        rows.append([slot["name"], f"`{slot['id']}`", *decisions])
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"


def page() -> str:
    """The page with its table as it should be."""
    return MARKED.sub(lambda _: presets_table(), PAGE.read_text(encoding="utf-8"))


def trainers_table() -> str:
    """Which trainer serves which base models, as data/targets.toml has it."""
    data = tomllib.loads((ROOT / "src" / "fluxcap" / "data" / "targets.toml").read_text(encoding="utf-8"))
    rows = []
    for name in registry.names("exporter"):
        made = registry.load("exporter", name)
        served = [f"`{row['id']}`" for row in data["target"] if made.neutral or name in row["trainers"]]
        rows.append([f"`{name}`", made.title, "all" if made.neutral else ", ".join(served)])
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def export_page() -> str:
    """The page on exports with its table as it should be."""
    marked = re.compile(r"(?<=<!-- trainers:begin -->\n).*?(?=<!-- trainers:end -->)", re.DOTALL)
    return marked.sub(lambda _: HEAD + trainers_table() + "\n", EXPORT_PAGE.read_text(encoding="utf-8"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    EXPORT_PAGE.write_text(export_page(), encoding="utf-8")
