"""Bring the generated tables of the docs up to date.

python tools/make_docs.py
"""

from __future__ import annotations

import inspect
import re
import textwrap
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "how-it-decides.md"
CHECKS = ROOT / "docs" / "checks.md"
MARKED = re.compile(r"(?<=<!-- presets:begin -->\n).*?(?=<!-- presets:end -->)", re.DOTALL)
HEADINGS = ("What it does", "Why is this bad", "Example", "Use instead")
INTRODUCTION = """\
# Checks

Every caption is checked, those that somebody else wrote too: against the facts, against the plan, and by its wording. An **error** keeps
the set from being trained, a **warning** wants a look, a **note** informs. `fluxcap check` runs the checks on their own.

This page is made from the checks themselves (`python tools/make_docs.py`).
"""


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


def checks_page() -> str:
    """All checks of captions, each with what it says of itself."""
    from fluxcap import registry

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
    PAGE.write_text(page(), encoding="utf-8")
    CHECKS.write_text(checks_page(), encoding="utf-8")
