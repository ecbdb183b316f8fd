"""How true the captions of the main job are on labelled photographs.

    python benchmarks/caption_truth.py [PHOTOS_DIR] [--json] [--wrong] [--captions]

PHOTOS_DIR holds labels.csv and files/ (default: ../shared/photos beside the repository); the job runs in a temporary copy.
A statement is a trait that a caption says (trigger and class word are none). Against the label it is right, near (an honest
observer may say so), false, or unjudged (the label is empty or has no word for it). What near and false mean for each trait
stands at its judge below. The measurement's limits were fitted on the same photographs: this is no held-out set.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import re
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any, Literal

os.environ["HF_HUB_OFFLINE"] = "1"

from fluxcap.measure import missing_models
from fluxcap.pipeline import caption
from fluxcap.types import Caption
from fluxcap.vocabulary import slots

PHOTOS = Path(__file__).resolve().parents[1] / ".." / "shared" / "photos"
TRIGGER, SUBJECT = "ohwx", "person"
TARGET = 0.05
"""Most captions with a false statement, as a share of all."""

Verdict = Literal["right", "near", "false", "unjudged"]
Row = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Statement:
    file: str
    slot: str
    value: str
    said: str
    label: str
    verdict: Verdict


@dataclass(kw_only=True)
class Told:
    """One caption: its text, what it states, and its form."""

    file: str
    text: str
    statements: list[Statement] = field(default_factory=list)
    first: bool
    once: bool
    tau: float | None

    @property
    def false(self) -> list[Statement]:
        return [one for one in self.statements if one.verdict == "false"]


COLOURS: Mapping[str, str] = {
    word: name
    for name, others in {
        "black": (),
        "white": (),
        "grey": ("gray",),
        "red": (),
        "orange": ("rust",),
        "yellow": ("gold",),
        "green": ("mint", "olive"),
        "blue": ("navy", "denim", "jeans"),
        "purple": ("mauve",),
        "pink": (),
        "beige": ("cream", "camel", "khaki"),
        "brown": (),
    }.items()
    for word in (name, *others)
}
"""Colour words of labels and captions -> the colour that they are counted as."""
PLAIN = ("studio", "wall", "backdrop", "seamless")
"""Settings that may be a plain background; one that is only a colour word may be one too."""
NATURAL = ("daylight", "sunlight", "overcast", "sunset")


def _colours(text: str) -> set[str]:
    return {COLOURS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in COLOURS}


def _accepted(row: Row, kind: str) -> set[str]:
    return {row[kind], *(found.strip() for found in re.findall(rf"{kind}_alt:\s*([^;]+)", row["notes"]))} - {""}


def _view(value: str, row: Row) -> Verdict:
    if not row["view"]:
        return "unjudged"
    return "right" if value == row["view"] else "near" if value in _accepted(row, "view") else "false"


def _framing(value: str, row: Row) -> Verdict:
    if not row["shot"]:
        return "unjudged"
    return "right" if value == row["shot"] else "near" if value in _accepted(row, "shot") else "false"


def _eyes(value: str, row: Row) -> Verdict:
    """Eyes that the label calls hidden have no state: whatever is said of them is false."""
    label = "one closed" if row["eyes"].startswith("one closed") else row["eyes"]
    return "unjudged" if not label else "right" if value == label else "false"


def _mouth(value: str, row: Row) -> Verdict:
    """Parted lips are neighbours of both closed and open ones; a mouth behind a hand or mask has no state."""
    label = row["mouth"]
    if not label:
        return "unjudged"
    if value == label:
        return "right"
    return "near" if "parted" in (value, label) and label != "hidden" else "false"


def _expression(value: str, row: Row) -> Verdict:
    label = row["expression"]
    smiles = ("slight smile", "smiling", "broad smile", "laughing")
    if not label:
        return "unjudged"
    if value == label or {value, label} == {"broad smile", "laughing"}:
        return "right"
    return "near" if value in smiles and label in smiles else "false"


def _gaze(value: str, row: Row) -> Verdict:
    """Camera, side, down and up exclude each other, and closed eyes look nowhere."""
    label = row["gaze"]
    return "unjudged" if not label else "right" if value == label else "false"


def _people(value: str, row: Row) -> Verdict:
    known = {"1": {"alone"}, "2": {"one other person"}, "3": {"two other people"}}
    more = {"one other person", "two other people", "three other people", "several other people", "a crowd"}
    return "unjudged" if not row["people"] else "right" if value in known.get(row["people"], more) else "false"


def _medium(value: str, row: Row) -> Verdict:
    """A rendered picture (notes: CGI) is no photo; a black and white one may be called a photo."""
    if value == "photo" and re.search(r"\bCGI\b", row["notes"]):
        return "false"
    if value not in ("photo", "black and white photo") or not row["bw"]:
        return "unjudged"
    monochrome = value != "photo"
    if monochrome == (row["bw"] == "bw"):
        return "right"
    return "false" if monochrome else "near"


def _clothing(value: str, row: Row) -> Verdict:
    """Near: the label has the said colours and others, or is only dark where black is said."""
    said, label = _colours(value), _colours(row["clothing"])
    if not said or not (label or "dark" in row["clothing"]):
        return "unjudged"
    if said <= label:
        return "right" if said == label else "near"
    return "near" if said == {"black"} and "dark" in row["clothing"] else "false"


def _background(value: str, row: Row) -> Verdict:
    """Near: light and dark grey for white and black, dark for black; false: another colour, or a place that is not plain."""
    setting = row["setting"]
    said, label = _colours(value), _colours(setting)
    if not setting or not said:
        return "unjudged"
    place = any(word in setting for word in PLAIN) or setting in (*COLOURS, "dark", "blurred dark")
    if not place:
        return "false"
    if said & label:
        return "right"
    if ("black" in said or "dark" in value) and "dark" in setting:
        return "near"
    if ("light grey" in value and "white" in label) or ("dark grey" in value and "black" in label):
        return "near"
    return "false" if label else "unjudged"


def _lighting(value: str, row: Row) -> Verdict:
    """Near: high-key before white and low-key before black, where the label names no key."""
    label, setting = row["lighting"], row["setting"]
    if not label:
        return "unjudged"
    word = {"backlight": "backl"}.get(value, value)
    if word in label or (value == "natural" and any(one in label for one in NATURAL)):
        return "right"
    before = {"high-key": ("white",), "low-key": ("black", "dark")}.get(value, ())
    return "near" if "-key" not in label and any(one in setting for one in before) else "false"


def _action(value: str, row: Row) -> Verdict:
    return "right" if "tilt" in value and "tilt" in row["notes"] else "unjudged"


JUDGES: Mapping[str, tuple[Callable[[str, Row], Verdict], str]] = {
    "medium": (_medium, "bw"),
    "action": (_action, "notes"),
    "background": (_background, "setting"),
    "people": (_people, "people"),
    "clothing": (_clothing, "clothing"),
    "expression": (_expression, "expression"),
    "mouth": (_mouth, "mouth"),
    "eyes": (_eyes, "eyes"),
    "gaze": (_gaze, "gaze"),
    "framing": (_framing, "shot"),
    "view": (_view, "view"),
    "lighting": (_lighting, "lighting"),
}
"""Slot -> its judge and the label that it reads; traits without one are unjudged."""


def _tau(said: Caption) -> float | None:
    """Kendall's tau between the order in the caption and the trait table's; None where there is no pair.

    A slot counts where it is said last: the class word stands beside the trigger and again in its own place.
    """
    order = list(slots())
    starts = {span.slot: span.start for span in sorted(said.spans, key=lambda span: span.start)}
    pairs = list(combinations(sorted(starts, key=order.index), 2))
    if not pairs:
        return None
    return sum(1 if starts[a] < starts[b] else -1 for a, b in pairs) / len(pairs)


def _tell(row: Row, said: Caption, text: str, values: Mapping[str, str]) -> Told:
    found = Told(
        file=row["file"],
        text=text,
        first=re.match(rf"{re.escape(TRIGGER)}(?!\w)", text) is not None,
        once=len(re.findall(rf"(?<!\w){re.escape(TRIGGER)}(?!\w)", text, re.IGNORECASE)) == 1,
        tau=_tau(said),
    )
    words: dict[str, str] = {}
    for span in said.spans:
        if span.slot not in ("trigger", "subject"):
            words[span.slot] = " ... ".join(filter(None, (words.get(span.slot), said.text[span.start : span.end])))
    for slot, wording in words.items():
        judge, column = JUDGES.get(slot, (None, ""))
        label = row.get(column, "")
        if slot in ("view", "framing") and len(_accepted(row, column)) > 1:
            label = " or ".join([label, *sorted(_accepted(row, column) - {label})])
        if slot == "medium" and "CGI" in row["notes"]:
            label += ", CGI"
        verdict: Verdict = judge(values[slot], row) if judge else "unjudged"
        found.statements.append(
            Statement(file=row["file"], slot=slot, value=values[slot], said=wording, label=label, verdict=verdict)
        )
    return found


def tell_all(photos: Path) -> list[Told]:
    """Run the main job on a copy of the photographs, and judge every caption that it wrote."""
    with (photos / "labels.csv").open(newline="", encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    with tempfile.TemporaryDirectory(prefix="caption_truth_") as name:
        folder = Path(name)
        for file_name in rows:
            shutil.copy(photos / "files" / file_name, folder / file_name)
        done = caption(folder, {"trigger": TRIGGER, "subject": SUBJECT})
        told = []
        for picture in done.thought.pictures:
            row = rows[picture.image.path]
            text = (folder / picture.image.path).with_suffix(".txt").read_text(encoding="utf-8").strip()
            if text != picture.caption.text:
                raise SystemExit(f"{picture.image.path}: the file holds another caption than the job reports")
            values = {slot: trait.value for slot, trait in picture.traits.items()}
            told.append(_tell(row, picture.caption, text, values))
    if len(told) != len(rows):
        raise SystemExit(f"{len(told)} captions for {len(rows)} photographs")
    return told


def summary(told: list[Told]) -> dict[str, Any]:
    """The figures of the report."""
    statements = [one for caption_told in told for one in caption_told.statements]
    by_slot: dict[str, Counter[str]] = {}
    for one in statements:
        by_slot.setdefault(one.slot, Counter())[one.verdict] += 1
    taus = [one.tau for one in told if one.tau is not None]
    words = [len(one.text.split()) for one in told]
    with_false = [one for one in told if one.false]
    return {
        "captions": len(told),
        "captions_with_false": len(with_false),
        "share_with_false": len(with_false) / len(told),
        "only_the_medium_false": sum(all(one.slot == "medium" for one in each.false) for each in with_false),
        "target": TARGET,
        "statements": dict(Counter(one.verdict for one in statements)),
        "statements_per_caption": len(statements) / len(told),
        "words_per_caption": {"mean": statistics.mean(words), "least": min(words), "most": max(words)},
        "starts_with_trigger": sum(one.first for one in told),
        "trigger_once": sum(one.once for one in told),
        "kendall_tau": statistics.mean(taus) if taus else None,
        "in_table_order": sum(one.tau is None or one.tau == 1 for one in told),
        "slots": {slot: dict(by_slot[slot]) for slot in slots() if slot in by_slot},
    }


def _print(found: Mapping[str, Any]) -> None:
    total, medium = found["captions"], found["only_the_medium_false"]
    said, words = found["statements"], found["words_per_caption"]
    wrong, share = found["captions_with_false"], found["share_with_false"]
    reached = "reached" if share <= TARGET else "missed"
    order = "none" if found["kendall_tau"] is None else f"{found['kendall_tau']:.3f}"
    print(f"captions with a false statement  {wrong}/{total} = {share:.1%} (target {TARGET:.0%}: {reached})")
    print(
        f"  {medium} of them only in the medium, which the settings say and no source saw; without those {(wrong - medium) / total:.1%}"
    )
    print(f"statements per caption           {found['statements_per_caption']:.2f}")
    print(f"words per caption                {words['mean']:.1f} ({words['least']} to {words['most']})")
    print(f"trigger first, trigger once      {found['starts_with_trigger']}/{total}, {found['trigger_once']}/{total}")
    print(f"order                            tau {order}, {found['in_table_order']}/{total} in table order\n")
    kinds = ("right", "near", "false", "unjudged")
    print(f"{'slot':16}" + "".join(f"{kind:>10}" for kind in ("said", *kinds)) + f"{'false/judged':>14}")
    for slot, counts in [*found["slots"].items(), ("all", said)]:
        judged = sum(counts.get(kind, 0) for kind in kinds[:3])
        share = f"{counts.get('false', 0) / judged:.1%}" if judged else "-"
        numbers = (sum(counts.values()), *(counts.get(kind, 0) for kind in kinds))
        print(f"{slot:16}" + "".join(f"{number:>10}" for number in numbers) + f"{share:>14}")
    print("\nthe limits were fitted on these photographs: expect more false ones on others")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("photos", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--wrong", action="store_true", help="list the false statements")
    parser.add_argument("--captions", action="store_true", help="print all captions")
    chosen = parser.parse_args(arguments)
    skipped = None
    if not (chosen.photos / "labels.csv").is_file() or not (chosen.photos / "files").is_dir():
        skipped = f"no labelled photographs at {chosen.photos}"
    elif missing_models():
        skipped = "the measuring models are not here (fluxcap models pull measure)"
    if skipped:
        print(f"skipped: {skipped}", file=sys.stderr)
        return 0
    told = tell_all(chosen.photos)
    found = summary(told)
    if chosen.json:
        found["false"] = [asdict(one) for each in told for one in each.false]
        print(json.dumps(found, indent=1, ensure_ascii=False))
        return 0
    if chosen.captions:
        print("\n".join(f"{one.file}: {one.text}" for one in told) + "\n")
    _print(found)
    if chosen.wrong:
        print()
        for each in told:
            for one in each.false:
                print(f"{one.file}  {one.slot}: '{one.said}' (label {one.label})")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
