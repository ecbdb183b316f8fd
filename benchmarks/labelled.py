"""The labels of the shared photographs as perfect observations: what a source that makes no mistake would say of each picture."""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fluxcap.english import with_article
from fluxcap.types import Evidence, Trait
from fluxcap.vocabulary import canonical, slots

PHOTOS = Path(__file__).resolve().parents[1] / ".." / "shared" / "photos"

_BEARDS = ("stubble", "beard", "long beard", "moustache", "goatee")
_SHOES = ("sandals", "shoes", "loafers", "flats", "sneakers", "boots", "heels")
_JEWELRY = ("earrings",)
_HELD = ("brown bag",)
_PLACES: Mapping[str, str] = {
    "street": "on a street",
    "road": "on a road",
    "stadium": "in a stadium",
    "sky and sea-like dunes": "on dunes",
    "street cafe": "in a street cafe",
    "park promenade": "on a park promenade",
    "home": "at home",
    "outdoors with white car": "outdoors",
    "dark stage": "on a dark stage",
    "press wall": "in front of a press wall",
    "balcony": "on a balcony",
    "terrace": "on a terrace",
    "glass building": "in front of a glass building",
    "waterfall": "in front of a waterfall",
    "train seat": "on a train",
    "red carpet": "on a red carpet",
}
"""Places of the labels that take another preposition than 'in a'."""
_PLAIN = ("wall", "backdrop", "bokeh", "floor", "door", "bougainvillea")
_LIGHT: Mapping[str, str] = {
    "daylight": "natural",
    "bright daylight": "natural",
    "soft daylight": "natural",
    "overcast": "natural",
    "sunlight": "natural",
    "soft studio": "soft",
    "soft indoor": "soft",
    "soft": "soft",
    "hard studio": "hard",
    "hard sunlight": "hard",
    "low-key studio": "low-key",
    "low-key": "low-key",
    "high-key studio": "high-key",
    "high-key": "high-key",
    "high-key overexposed": "high-key",
    "backlight daylight": "backlight",
    "backlit indoor": "backlight",
}
"""Lighting of the labels that is a listed value; any other is said as it stands."""
_PEOPLE: Mapping[str, str] = {"1": "alone", "2": "one other person", "2+": "several other people"}
_DOING: Mapping[str, tuple[str, str]] = {
    "jumping": ("action", "jumping"),
    "kicking": ("action", "kicking"),
    "dancing": ("action", "dancing"),
    "crouching": ("pose", "crouching"),
    "sitting": ("pose", "sitting"),
    "seated": ("pose", "sitting"),
    "arms crossed": ("pose", "standing with crossed arms"),
    "hands behind back": ("pose", "standing with hands behind {their} back"),
    "holding phone": ("holding", "phone"),
    "holding microphone": ("holding", "microphone"),
}
"""What a note says of pose, action and held things."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One labelled photograph: its file name, and slot id -> value of all that the label tells."""

    name: str
    values: Mapping[str, str]

    @property
    def image_id(self) -> str:
        """A stand-in for the sha256 of the file."""
        return hashlib.sha256(self.name.encode()).hexdigest()

    def traits(self) -> dict[str, Trait]:
        """The label as traits that are known for sure, in caption order."""
        return {one.slot: _trait(one) for one in self.evidence("label:a", 0.95)}

    def evidence(self, source: str, confidence: float = 0.8) -> tuple[Evidence, ...]:
        """The label as claims of one source."""
        found = []
        for slot in slots():
            if slot in self.values:
                value, tags = canonical(slot, self.values[slot])
                found.append(
                    Evidence(
                        image_id=self.image_id, slot=slot, value=value, tags=tags, confidence=confidence, source=source
                    )
                )
        return tuple(found)


def labelled(photos: Path = PHOTOS, subject: str = "person") -> list[Labelled]:
    """Every photograph of ``labels.csv``; raises ``FileNotFoundError`` where there is none."""
    with (photos / "labels.csv").open(encoding="utf-8", newline="") as file:
        return [Labelled(name=row["file"], values=dict(_values(row, subject))) for row in csv.DictReader(file)]


def _values(row: Mapping[str, str], subject: str) -> Iterator[tuple[str, str]]:
    """Slot and value, for what the label tells; what it calls 'other' or hidden is not told."""
    yield "subject", subject
    yield (
        "medium",
        "CGI" if re.search(r"\bCGI\b", row["notes"]) else "black and white photo" if row["bw"] == "bw" else "photo",
    )
    for slot, column, untold in (
        ("view", "view", ()),
        ("framing", "shot", ()),
        ("eyes", "eyes", ("hidden",)),
        ("mouth", "mouth", ("hidden",)),
        ("expression", "expression", ("other",)),
        ("gaze", "gaze", ("eyes closed",)),
        ("eyewear", "glasses", ("none",)),
        ("headwear", "hat", ("none",)),
    ):
        value = row[column].split(" (")[0]
        if value and value not in untold:
            yield slot, value
    yield "people", _PEOPLE[row["people"]]
    hair = [part.strip() for part in row["hair"].split(",") if part.strip()]
    yield from (("facial_hair", part) for part in hair if part in _BEARDS)
    if said := [part for part in hair if part not in _BEARDS]:
        yield "hair", _hair(said)
    if row["makeup"]:
        yield "makeup", "makeup" if row["makeup"] == "yes" else "bare face"
    worn = [part.strip() for part in row["clothing"].split(",") if part.strip()]
    for slot, ends in (("footwear", _SHOES), ("jewelry", _JEWELRY), ("holding", _HELD)):
        mine = [part for part in worn if part.endswith(ends)]
        worn = [part for part in worn if part not in mine]
        if mine:
            yield slot, ", ".join(mine)
    if worn:
        yield "clothing", ", ".join(worn)
    yield from _where(row["setting"])
    light = row["lighting"]
    if light and light not in ("studio", "indoor", "bright"):  # which say where, not how
        yield "lighting", _LIGHT.get(light, light)
    for part in re.split(r"[,;]\s*", row["notes"]):
        if part in _DOING:
            yield _DOING[part]


def _hair(parts: list[str]) -> str:
    first, *rest = parts
    if " with " in first:
        before, _, after = first.partition(" with ")
        return ", ".join([f"{before} hair with {after}", *rest])
    noun = ("quiff", "buzz cut", "ponytail", "updo", "bob", "pixie", "afro", "bun", "fringe")
    base = first if first.endswith(noun) else f"{first} hair"
    return f"{base} with {rest[0]}" if rest and rest[0] in noun else ", ".join([base, *rest])


def _where(setting: str) -> Iterator[tuple[str, str]]:
    behind = []
    for part in (one.strip() for one in setting.split(",")):
        if part in _PLACES:
            yield "setting", _PLACES[part]
        elif part.endswith(_PLAIN):
            behind.append(part)
        elif part in ("dark", "black", "white", "blurred dark"):
            behind.append(f"{part.split()[-1]} background")
        elif part and part != "green":
            yield "setting", f"in {with_article(part)}"
    if behind:
        yield "background", ", ".join(behind)


def _trait(claim: Evidence) -> Trait:
    return Trait(
        image_id=claim.image_id,
        slot=claim.slot,
        value=claim.value,
        tags=claim.tags,
        confidence=claim.confidence,
        sources=(claim.source,),
    )


def stored_set(
    folder: Path, pictures: Sequence[tuple[str, Sequence[Evidence]]], settings: Mapping[str, str], captions: bool = True
) -> None:
    """A folder as ``fluxcap caption`` would leave it, had its sources said this of the pictures (name, evidence).

    The pictures are tiny and all different; ``captions`` False leaves them without caption files.
    """
    from PIL import Image

    from fluxcap.project import FILE
    from fluxcap.session import opened
    from fluxcap.think import think
    from fluxcap.types import ImageRef, Observation

    (folder / FILE).write_text(
        "".join(f"{key} = {json.dumps(value)}\n" for key, value in settings.items()), encoding="utf-8"
    )
    with opened(folder) as session:
        images = []
        for place, (name, evidence) in enumerate(pictures):
            path = folder / f"{Path(name).stem}.png"
            Image.new("RGB", (64, 64), (place % 256, place // 256, 7)).save(path)
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            image = ImageRef(id=digest, path=path.name, width=64, height=64)
            status = path.stat()
            session.store.remember_file(path.name, status.st_size, status.st_mtime_ns, image)
            by_source: dict[str, list[Evidence]] = {}
            for claim in evidence:
                by_source.setdefault(claim.source, []).append(replace(claim, image_id=digest))
            for source, claims in by_source.items():
                seen = Observation(image_id=digest, source=source, version="1", inputs_hash="", created_at="")
                session.store.add(seen, claims)
            images.append(image)
        if captions:
            stocks = session.captions.take_stock(images)
            run = session.store.begin_run("caption")
            thought = think(session, images, stocks)
            session.captions.write_all(run, [(one.image, one.caption.text) for one in thought.pictures])
            session.store.finish_run(run)
