"""Bring the generated tables of the docs up to date.

python tools/make_docs.py
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
DATA = ROOT / "src" / "fluxcap" / "data"


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


TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "how-it-decides.md": ("presets", presets_table),
    "coverage.md": ("wishes", wishes_table),
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


if __name__ == "__main__":
    for name in TABLES:
        (DOCS / name).write_text(page(name), encoding="utf-8")
