"""How many planted defects of captions the checks find, and how often they cry over good captions.

    python benchmarks/bad_captions.py [PHOTOS_DIR] [--seed N] [--json] [--missed] [--select KIND ...]
    python benchmarks/bad_captions.py --base FILE --plants FILE [--good FILE] [--json] [--missed]

The captions are composed from the labels of photographs (default: ../shared/photos beside the repository) as one set with a
plan: all pictures are given one person's hair, eye colour, age and skin, so that these are bound. Defects are planted one at
a time, at random places by the seed; each is found if a check of the right kind speaks. Captions that nothing was planted
in tell the false alarms; notes are no alarms, and are counted beside them.

With --base the 200 captions, their facts and style are read from a file of JSON lines, and --plants names defects that
somebody else planted in them: ``kind``, ``base`` (the number of the line), ``caption``, for bound_leak ``bound`` (the slot).
--good are further captions without a defect.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"

from labelled import PHOTOS, labelled

from fluxcap.bind import Wish, bind, judge, to_say
from fluxcap.check import check_caption
from fluxcap.checks import Around, CheckInput, sibling
from fluxcap.compose import Wording, compose
from fluxcap.tokens import count, locate, target
from fluxcap.types import Binding, Issue, Trait
from fluxcap.vocabulary import canonical, read

TRIGGER, CLASS_WORD = "ohwx", "woman"
IDENTITY: Mapping[str, str] = {
    "hair": "long blonde hair",
    "eye_color": "blue",
    "age": "mid-twenties",
    "skin": "fair skin with freckles",
}
"""What belongs to the subject of the set, and is bound."""
ALIKE = 0.7
"""Words added to two captions are the same fragment from this likeness on."""
ALL, EVERY, ALARMS = 0.95, 0.85, 0.02
"""Targets: defects found over all, of every kind, and good captions with an alarm."""
CODES: Mapping[str, tuple[str, ...]] = {
    "missing_trigger": ("CAP001",),
    "trigger_not_first": ("CAP002",),
    "repeated_trigger": ("CAP003",),
    "bound_leak": ("CAP004",),
    "unsaid": ("CAP005",),
    "contradiction": ("CAP006",),
    "too_long": ("CAP007",),
    "empty": ("CAP008",),
    "line_break": ("CAP009",),
    "trigger_misspelt": ("CAP012",),
    "trigger_shattered": ("CAP012",),
    "refusal": ("CAP013",),
    "preamble": ("CAP014",),
    "meta": ("CAP015",),
    "hedge": ("CAP016",),
    "negation": ("CAP017",),
    "loop": ("CAP018",),
    "truncated": ("CAP019",),
    "mojibake": ("CAP020",),
    "markup": ("CAP021",),
    "weights": ("CAP022",),
    "other_language": ("CAP023",),
    "too_short": ("CAP024",),
    "pronoun": ("CAP025",),
    "watermark_camera": ("CAP026",),
    "style_words": ("CAP027",),
    "shuffle_commas": ("CAP028",),
    "people_count": ("CAP029",),
    "left_right": ("CAP030",),
    "other_picture": ("CAP031",),
    "identical": ("CAP032",),
    "order": ("CAP033",),
    "fragment": ("CAP034",),
}
"""Kind of defect -> the checks that are to find it."""
_STYLE: Mapping[str, object] = {"preset": "style"}
_SHUFFLED: Mapping[str, object] = {"shuffle_caption": True}
_MORE: Mapping[str, Mapping[str, object]] = {"style_words": _STYLE, "shuffle_commas": _SHUFFLED}
"""What the settings are for some kinds of defects."""


@dataclass(frozen=True, kw_only=True)
class Plant:
    """A spoilt caption in place of that of picture ``base``; ``others`` are spoilt along with it, by number."""

    kind: str
    base: int
    caption: str
    bound: str = ""
    note: str = ""
    others: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    plant: Plant
    found: bool
    codes: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Alarm:
    caption: str
    issues: tuple[Issue, ...]


def input_of(number: int, text: str, traits: Mapping[str, Trait], bindings: Mapping[str, Binding]) -> CheckInput:
    """A caption of the set as the checks get it; ``composed`` is the text itself."""
    verdicts = judge(traits, bindings)
    known = {row.name for row in fields(CheckInput)}
    more = {key: value for key, value in {"preset": "person", "pronouns": None}.items() if key in known}
    return CheckInput(
        image_id=str(number),
        path=f"{number}.png",
        text=text,
        trigger=TRIGGER,
        class_word=CLASS_WORD,
        traits=traits,
        bindings=bindings,
        to_say=frozenset(to_say(verdicts)),
        silent=frozenset(slot for slot, verdict in verdicts.items() if verdict.outcome == "silent"),
        mentions=read(text),
        composed=text,
        counts=count(text, target("flux1-dev"), locate(fetch=False)),
        **more,  # type: ignore[arg-type]
    )


def trait(slot: str, value: str, image_id: str = "") -> Trait:
    settled, tags = canonical(slot, value)
    return Trait(image_id=image_id, slot=slot, value=settled, tags=tags, confidence=0.95, sources=("label:a",))


def from_labels(photos: Path) -> list[CheckInput]:
    """The set: every photograph in natural style, and the first 85 of them in prose as pictures of their own."""
    pictures = [one.traits() for one in labelled(photos, CLASS_WORD)]
    seen = [
        {
            slot: known
            for slot, known in (traits | {slot: trait(slot, value) for slot, value in IDENTITY.items()}).items()
            if slot != "facial_hair"
        }
        for traits in pictures
    ]
    bindings = bind(seen, "person", Wish(bound=frozenset(IDENTITY)))
    told = [("natural", traits) for traits in seen] + [("prose", traits) for traits in seen[: 200 - len(seen)]]
    return [
        input_of(number, _composed(traits, bindings, style, str(number)), traits, bindings)
        for number, (style, traits) in enumerate(told)
    ]


def _composed(traits: Mapping[str, Trait], bindings: Mapping[str, Binding], style: str, image_id: str) -> str:
    wording = Wording(trigger=TRIGGER, class_word=CLASS_WORD, style=style)
    return compose(to_say(judge(traits, bindings)), wording, image_id).text


def from_base(path: Path) -> list[CheckInput]:
    """The captions of a file, each with its facts."""
    rows = lines(path)
    seen = [{slot: trait(slot, value) for slot, value in row["facts"].items()} for row in rows]
    bindings = bind(seen, "person")
    return [input_of(number, row["caption"], seen[number], bindings) for number, row in enumerate(rows)]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def with_text(item: CheckInput, text: str) -> CheckInput:
    """The same picture with another caption."""
    return replace(item, text=text, mentions=read(text), counts=count(text, target("flux1-dev"), locate(fetch=False)))


def issues_of(items: Sequence[CheckInput], number: int, texts: Mapping[int, str]) -> list[Issue]:
    """What is told of one caption, where these stand in the set."""
    changed = [with_text(item, texts[place]) if place in texts else item for place, item in enumerate(items)]
    return check_caption(replace(changed[number], around=Around([sibling(item) for item in changed])))


def examine(items: Sequence[CheckInput], plant: Plant) -> Verdict:
    """Whether a planted defect is found."""
    texts = {plant.base: plant.caption, **plant.others}
    chosen = [_as_bound(item, plant.bound) if plant.bound else item for item in items]
    known = {row.name for row in fields(CheckInput)}
    more = {key: value for key, value in _MORE.get(plant.kind, {}).items() if key in known}
    if more:
        chosen[plant.base] = replace(chosen[plant.base], **more)
    if plant.kind == "fragment":  # a set of its own: those captions that have the fragment
        kept = sorted(texts)
        chosen, texts = [chosen[place] for place in kept], {kept.index(place): text for place, text in texts.items()}
        found = issues_of(chosen, kept.index(plant.base), texts)
    else:
        found = issues_of(chosen, plant.base, texts)
    codes = tuple(dict.fromkeys(issue.code for issue in found if issue.severity != "note"))
    return Verdict(plant=plant, found=bool(set(codes) & set(CODES[plant.kind])), codes=codes)


def _as_bound(item: CheckInput, slot: str) -> CheckInput:
    """The picture of somebody to whom this trait belongs."""
    known = trait(slot, IDENTITY[slot])
    decided = Binding(
        slot=slot, decision="bound", value=known.value, tags=known.tags, reason="in all pictures", by="set"
    )
    return replace(
        item,
        traits={**item.traits, slot: known},
        bindings={**item.bindings, slot: decided},
        to_say=item.to_say - {slot},
    )


def alarms(items: Sequence[CheckInput], more: Iterable[tuple[int, str]] = ()) -> list[Alarm]:
    """What is told of captions without a defect: those of the set, or ``more`` in their place, one at a time."""
    given = list(more)
    if given:
        return [Alarm(caption=text, issues=tuple(issues_of(items, place, {place: text}))) for place, text in given]
    around = Around([sibling(item) for item in items])
    return [Alarm(caption=item.text, issues=tuple(check_caption(replace(item, around=around)))) for item in items]


def plants_of(path: Path, items: Sequence[CheckInput]) -> list[Plant]:
    """Defects that somebody else planted; captions to which the same words were added are one set."""
    plants = [
        Plant(
            kind=row["kind"],
            base=row["base"],
            caption=row["caption"],
            bound=row.get("bound", "").replace("colour", "color").replace(" ", "_"),
            note=row.get("note", ""),
        )
        for row in lines(path)
    ]
    groups: list[tuple[str, dict[int, str]]] = []
    found: dict[int, dict[int, str]] = {}
    for place, one in enumerate(plants):
        if one.kind == "fragment":
            more = added(items[one.base].text, one.caption)
            alike = (group for words, group in groups if SequenceMatcher(None, words, more).ratio() > ALIKE)
            group = next(alike, None)
            if group is None:
                group = {}
                groups.append((more, group))
            group[one.base] = one.caption
            found[place] = group
    return [replace(one, others=found[place]) if place in found else one for place, one in enumerate(plants)]


def added(before: str, after: str) -> str:
    """The words that a text has more than another."""
    one, other = (re.findall(r"\w+", text) for text in (before, after))
    changes = SequenceMatcher(None, one, other, autojunk=False).get_opcodes()
    return " ".join(word for kind, _, _, start, end in changes if kind == "insert" for word in other[start:end])


def report(verdicts: Sequence[Verdict], good: Sequence[Alarm], missed: bool) -> dict[str, Any]:
    kinds = {kind: [one for one in verdicts if one.plant.kind == kind] for kind in CODES}
    kinds = {kind: found for kind, found in kinds.items() if found}
    crying = [[issue for issue in one.issues if issue.severity != "note"] for one in good]
    notes = [[issue for issue in one.issues if issue.severity == "note"] for one in good]
    return {
        "planted": len(verdicts),
        "found": sum(one.found for one in verdicts),
        "by_any": sum(bool(one.codes) for one in verdicts),
        "kinds": {
            kind: {
                "planted": len(rows),
                "found": sum(one.found for one in rows),
                "by_any": sum(bool(one.codes) for one in rows),
            }
            for kind, rows in kinds.items()
        },
        "good": len(good),
        "alarmed": sum(bool(found) for found in crying),
        "alarms": dict(sorted(Counter(code for found in crying for code in {i.code for i in found}).items())),
        "notes": dict(sorted(Counter(code for found in notes for code in {i.code for i in found}).items())),
        "missed": [{**asdict(one.plant), "codes": one.codes} for one in verdicts if not one.found] if missed else [],
        "cried": [
            {"caption": one.caption, "issues": [f"{i.code} {i.message}" for i in found]}
            for one, found in zip(good, crying, strict=True)
            if found and missed
        ],
    }


def show(told: Mapping[str, Any]) -> None:
    print(f"{'kind':<20}{'planted':>8}{'found':>8}{'by any':>8}{'recall':>9}")
    low = [kind for kind, row in told["kinds"].items() if row["found"] < EVERY * row["planted"]]
    for kind, row in told["kinds"].items():
        mark = "" if kind not in low else "  below"
        print(
            f"{kind:<20}{row['planted']:>8}{row['found']:>8}{row['by_any']:>8}{row['found'] / row['planted']:>9.1%}{mark}"
        )
    if told["planted"]:
        share = told["found"] / told["planted"]
        print(f"{'all':<20}{told['planted']:>8}{told['found']:>8}{told['by_any']:>8}{share:>9.1%}")
        print(f"recall over all of {ALL:.0%}: {_reached(share >= ALL)}; of every kind {EVERY:.0%}: {_reached(not low)}")
    share = told["alarmed"] / max(told["good"], 1)
    print(
        f"good captions: {told['good']}, with a false alarm: {told['alarmed']} = {share:.1%}, by check: {told['alarms']}"
    )
    print(f"at most {ALARMS:.0%} of them: {_reached(share <= ALARMS)}; notes (no alarms): {told['notes']}")
    for one in told["missed"]:
        print(f"missed {one['kind']} [{one['base']}] {one['codes']} ({one['note']}): {one['caption']!r}")
    for one in told["cried"]:
        print(f"false alarm: {one['caption']!r}: {one['issues']}")


def _reached(is_so: bool) -> str:
    return "reached" if is_so else "NOT reached"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="?", type=Path, default=PHOTOS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--missed", action="store_true", help="tell every defect that was not found, and every alarm")
    parser.add_argument("--select", nargs="*", metavar="KIND", help="these kinds of defects only")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--plants", type=Path)
    parser.add_argument("--good", type=Path)
    given = parser.parse_args(arguments)
    if given.base:
        items = from_base(given.base)
        plants = plants_of(given.plants, items) if given.plants else []
        good = [(row["base"], row["caption"]) for row in lines(given.good)] if given.good else []
    else:
        from defects import plant

        items = from_labels(given.photos)
        plants, good = plant(items, given.seed), []
    plants = [one for one in plants if not given.select or one.kind in given.select]
    told = report([examine(items, one) for one in plants], alarms(items, good), given.missed)
    print(json.dumps(told, ensure_ascii=False)) if given.json else show(told)
    return 0


if __name__ == "__main__":
    sys.exit(main())
