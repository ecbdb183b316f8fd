"""How much of Danbooru's tags the vocabulary knows: general tags with a trait, weighted by how often they are used.

    python benchmarks/vocabulary_coverage.py [selected_tags.csv]

The list of tags is ../shared/data/selected_tags.csv (10,861 tags with counts) unless another is named. Targets: at least 98 %
of the weight has a trait, and all tags that name a trait of body, hair, eyes, skin, features or make-up have theirs: a missed
one leaks a bound trait. Which tags name such a trait is told here by their words, apart from the vocabulary; the tags that only
sound so are named below. Exit code 1 where a target is missed.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from pathlib import Path

from fluxcap.vocabulary import meaning
from fluxcap.vocabulary.tags import listed, meaning_by_rule

TAGS = Path(__file__).resolve().parents[2] / "shared" / "data" / "selected_tags.csv"
TARGET = 98.0

FAMILY = frozenset({"age", "body", "skin", "hair", "facial_hair", "features", "eyes", "eye_color", "makeup"})
NAMES_A_TRAIT = re.compile(
    r"(?:^|_)(?:hair|bangs|ponytail|twintails|braids?|ahoge|sidelocks|bob_cut|afro|mohawk|dreadlocks|eyes?|pupils?|eyelashes|eyebrows?|sclera|iris"
    r"|skin|freckles|mole|scars?|tan|tanlines|tattoos?|facial_mark|breasts?|thighs|hips|waist|abs|muscular|pectorals|beard|mustache|stubble|goatee|sideburns"
    r"|ears?|tails?|horns?|antlers|wings?|fangs?|halo|lips|lipstick|eyeshadow|eyeliner|mascara|makeup|facepaint|nails|fingernails|toenails|nail_polish"
    r"|plump|curvy|petite|loli|shota)(?:_\(.*\))?$"
)  # fmt: skip
DONE_OR_WORN = re.compile(
    r"(?:^|_)(?:hand|hands|arm|arms|fingers?|holding|hold|grab|grabbing|touching|covering|adjusting|pull|pulling|brushing|tying|licking|biting|kissing"
    r"|cleaning|playing|wiping|rubbing|on|over|in|to|under|between|against|behind|around|another's|fake|print|looking|food|object|unworn|removed"
    r"|drawing|cutting|washing|drying|flipping|tucking|pinching|poking|clenched|wagging|closed|shut|covered|opening|wide|rolling|averting|averted|with|for)(?:_|$)"
)  # fmt: skip
"""Doings, places and things worn are no traits of the body, whatever they are done to."""

TRAIT_OF_THE_SUBJECT = FAMILY | {
    "expression",
    "mouth",
    "headwear",
    "clothing",
    "jewelry",
    "pose",
    "action",
    "eyewear",
    "medium",
}
"""A tag of a trait's words may also be an expression (empty eyes), clothing (torn tail hole) or a pose: these are traits too."""


def main(path: Path) -> int:
    if not path.is_file():
        print(f"skipped: there is no {path}")
        return 0
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["category"] == "0"]
    total = sum(int(row["count"]) for row in rows)
    known = {row["name"]: found for row in rows if (found := meaning(row["name"])) is not None and found.slot}
    weight = sum(int(row["count"]) for row in rows if row["name"] in known)
    share = 100 * weight / total
    print(f"general tags: {len(rows)}, used {total:,} times; {len(listed())} listed in the vocabulary")
    print(f"with a trait: {len(known)} tags, {share:.2f} % by use (target {TARGET:.0f} %)")

    named = [row["name"] for row in rows if NAMES_A_TRAIT.search(row["name"]) and not DONE_OR_WORN.search(row["name"])]
    without = [name for name in named if name not in known]
    elsewhere = [name for name in named if name in known and known[name].slot not in FAMILY]
    strange = [name for name in elsewhere if known[name].slot not in TRAIT_OF_THE_SUBJECT]
    print(
        f"named by a word for body, hair, eyes, skin, features or make-up: {len(named)}; without a trait: {len(without)} (target 0)"
    )
    print(f"  of these with a trait of another kind: {len(elsewhere)}, as things of the scene: {len(strange)}")
    for name in strange:
        print(f"    {name}: {known[name].slot}, {known[name].phrase}")
    by_slot = Counter[str]()
    for row in rows:
        if row["name"] in known:
            by_slot[known[row["name"]].slot] += int(row["count"])
    print("by trait: " + ", ".join(f"{slot} {100 * count / total:.1f} %" for slot, count in by_slot.most_common()))
    flags = Counter(found.flag or "said" for found in known.values())
    print("flags: " + ", ".join(f"{flag} {number}" for flag, number in flags.most_common()))

    ruled = [name for name in known if (rule := meaning_by_rule(name)) is not None and rule.slot == known[name].slot]
    heard = [name for name in known if meaning_by_rule(name) is not None]
    print(f"the rules alone, as for tags that no list names: {len(heard)} tags, the same trait as listed for {len(ruled)}"
          f" ({100 * len(ruled) / max(1, len(heard)):.1f} %)")  # fmt: skip
    reached = share >= TARGET and not without
    print("reached" if reached else "NOT reached")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else TAGS))
