"""Bring the generated tables of the docs up to date.

python tools/make_docs.py
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-it-decides.md"
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


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
