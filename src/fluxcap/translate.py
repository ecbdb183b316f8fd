"""Tags of one picture -> evidence per trait. Pure: the tags are what is stored, so a better vocabulary needs no new look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fluxcap.english import words
from fluxcap.thinking import thinking
from fluxcap.types import Evidence
from fluxcap.vocabulary import Meaning, canonical, fold, is_explicit_text, meaning, of_minors, slot, tag_table

TAGS = "tags"
"""Evidence of this name holds tags as a source gave them, one 'score tag' a line; it is no trait."""

NAMES = "names"
"""Evidence of this name holds the characters that a tagger recognised; it is no trait."""

ANSWER = "answer"
"""Evidence of this name holds a vision model's answer, a JSON object of traits; it is no trait."""

PROSE = "prose"
"""Evidence of this name holds a vision model's answer in sentences; it is no trait."""

Scored = tuple[str, float]
"""A tag and its score from 0 to 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How tags are read. ``photograph``: the taggers are trained on drawings, so only coarse traits are believed.

    ``explicit`` admits explicit tags; ``class_word`` says that the class word is known already; ``heard_from`` is the
    least score at which a tag is heard.
    """

    photograph: bool = True
    explicit: bool = False
    class_word: bool = True
    heard_from: float = 0.35


def packed(scored: Iterable[Scored]) -> str:
    """Tags as they are stored."""
    return "\n".join(f"{score:.3f} {tag}" for tag, score in scored)


def unpacked(text: str) -> list[Scored]:
    """Stored tags, as they were given."""
    return [(tag, float(score)) for score, _, tag in (line.partition(" ") for line in text.split("\n") if line)]


def loud(claim: Evidence, least: float) -> Evidence:
    """A list of a tagger without what scored less; one that a person kept stays whole."""
    if not claim.source.startswith("tagger"):
        return claim
    return replace(claim, value=packed(one for one in unpacked(claim.value) if one[1] >= least))


def translate(claim: Evidence, reading: Reading) -> list[Evidence]:
    """What the tags of one source say, trait by trait.

    A tag of at least ``assert_from`` is asserted, a weaker one is heard (it counts with a second source). Of a photograph
    fine traits are only heard, however strong the tag (``coarse`` in ``tags.toml``); a list that a person kept is no
    tagger's and is believed as it stands.
    """
    by_tagger = claim.source.startswith("tagger")
    limit = thinking()
    sure: dict[str, list[tuple[Meaning, float]]] = {}
    heard: list[tuple[Meaning, float]] = []
    scored = sorted(unpacked(claim.value), key=lambda one: -one[1])
    for tag, score in scored:
        known = meaning(tag)
        if known is None or not known.slot or (by_tagger and score < reading.heard_from):
            continue
        if known.flag in ("quiet", "minor", "young") or (known.flag == "explicit" and not reading.explicit):
            continue
        believed = _coarse(known) if by_tagger and reading.photograph else known
        if believed is None or score < limit.assert_from:
            heard.append((known, min(score, limit.heard_at_most)))
        elif believed not in [other for other, _ in sure.setdefault(believed.slot, [])]:
            sure[believed.slot].append((believed, score))
    found: list[Evidence] = []
    for slot_id, said in _ornaments(sure).items():
        scores = {known.tag: score for known, score in said}
        for value in fold(slot_id, [known for known, _ in said]):
            mean = sum(scores[tag] for tag in value.tags) / len(value.tags)
            found.append(_evidence(claim, slot_id, value.value, value.tags, mean))
    found += [_evidence(claim, known.slot, known.phrase, (known.tag,), score) for known, score in heard]
    return [*found, *_people(claim, scored, reading), *_open_eyes(claim, sure)]


def not_to_be_used(claims: Iterable[Evidence]) -> str | None:
    """Why a picture must not be used: its tags, or the words of a caption or an answer, sexualise a minor. None where not."""
    flags: dict[str, str] = {}
    for claim in claims:
        if claim.slot == NAMES:
            continue
        if claim.slot == TAGS:
            sure = [tag for tag, score in unpacked(claim.value) if score >= thinking().assert_from]
        else:
            sure = list(claim.tags) if claim.confidence >= thinking().assert_from else []
            said = f"age {claim.value}" if claim.slot == "age" else claim.value
            sure += of_minors(said)
            if is_explicit_text(said):
                flags[said if len(said) < 40 else "explicit words"] = "explicit"
        flags.update({tag: known.flag for tag in sure if (known := meaning(tag)) is not None})
    minor = [tag for tag, flag in flags.items() if flag == "minor"]
    young = [tag for tag, flag in flags.items() if flag == "young"]
    explicit = [tag for tag, flag in flags.items() if flag == "explicit"]
    if minor or (young and explicit):
        return ", ".join(minor or [young[0], explicit[0]])
    return None


def is_explicit(claim: Evidence) -> bool:
    """Whether a claim says something that only a setting admits to captions."""
    tagged = any((known := meaning(tag)) is not None and known.flag == "explicit" for tag in claim.tags)
    return tagged or is_explicit_text(claim.value)


def _evidence(claim: Evidence, slot_id: str, value: str, tags: Sequence[str], confidence: float) -> Evidence:
    settled, own = canonical(slot_id, value)
    listed = {known.id for known in slot(slot_id).value}
    return Evidence(
        image_id=claim.image_id,
        slot=slot_id,
        value=settled,
        tags=tuple(dict.fromkeys((*tags, *own))) if settled in listed else tuple(tags),
        confidence=round(confidence, 3),
        source=claim.source,
    )


def _coarse(known: Meaning) -> Meaning | None:
    """What is believed of a tag on a photograph: coarse traits, and garments without their colour; None for nothing."""
    table = tag_table()["coarse"]
    if known.slot not in table["slots"] or known.facet in table["fine_facets"]:
        return None
    colours = words()["groups"]["colour"]
    if known.slot not in table["uncoloured"] or not set(known.phrase.split(" ")) & set(colours):
        return known
    plain = meaning("_".join(word for word in known.tag.split("_") if word not in colours))
    return plain if plain is not None and plain.slot == known.slot else None


def _ornaments(sure: dict[str, list[tuple[Meaning, float]]]) -> dict[str, list[tuple[Meaning, float]]]:
    """The tags with 'red_ribbon' and 'hair_ribbon' made one thing, where it is plain which ribbon is meant."""
    nouns: dict[str, list[Meaning]] = {}
    for said in sure.values():
        for known, _ in said:
            if known.tag.split("_")[-1] in tag_table()["ornaments"]:
                nouns.setdefault(known.tag.split("_")[-1], []).append(known)
    moved: dict[str, Meaning] = {}
    for noun, found in nouns.items():
        colours = [one for one in found if one.tag.removesuffix(f"_{noun}") in words()["groups"]["colour"]]
        places = [one for one in found if one not in colours and one.tag != noun]
        if len(colours) == 1 and len(places) == 1:
            colour, place = colours[0], places[0]
            word = colour.tag.removesuffix(f"_{noun}")
            moved[colour.tag] = replace(
                place, tag=f"{word}_{place.tag}", phrase=f"{word} {place.phrase}", implies=(), also=()
            )
    made: dict[str, list[tuple[Meaning, float]]] = {}
    for said in sure.values():
        for known, score in said:
            known = moved.get(known.tag, known)
            if any(known.tag == one.tag.split("_")[-1] for one in moved.values()):
                continue  # 'ribbon' beside what became a red hair ribbon
            made.setdefault(known.slot, []).append((known, score))
    return made


def _people(claim: Evidence, scored: Sequence[Scored], reading: Reading) -> list[Evidence]:
    """Who is in the picture: '1girl, solo' is nobody else, '2girls, 1boy' are two others."""
    counts: dict[str, tuple[int, float, str]] = {}
    solo = 0.0
    for tag, score in scored:
        if score < reading.heard_from:
            continue
        if tag == "solo":
            solo = score
        elif found := re.fullmatch(tag_table()["counted"], tag):
            most = 7 if found[1].endswith("+") else int(found[1])
            counts[found[2]] = max(counts.get(found[2], (0, 0.0, "")), (most, score, tag), key=lambda one: one[1])
    found_here: list[Evidence] = []
    total, score = sum(n for n, _, _ in counts.values()), min((s for _, s, _ in counts.values()), default=0.0)
    alone = total == 1 or (solo > 0 and (not total or solo >= score))
    if solo and alone:
        found_here.append(_evidence(claim, "people", "alone", ("solo",), solo))
    elif total > 1:
        found_here.append(_evidence(claim, "people", str(total), tuple(t for _, _, t in counts.values()), score))
    first = max(counts, key=lambda kind: counts[kind][1], default="")
    word = tag_table()["person" if reading.photograph else "drawn"].get(first)
    if word and not reading.class_word and alone:
        found_here.append(_evidence(claim, "subject", word, (counts[first][2],), counts[first][1]))
    return found_here


def _open_eyes(claim: Evidence, sure: dict[str, list[tuple[Meaning, float]]]) -> list[Evidence]:
    """Eyes whose colour is seen are open, where no tag says otherwise."""
    if "eye_color" not in sure or "eyes" in sure:
        return []
    return [_evidence(claim, "eyes", "open", (), min(max(score for _, score in sure["eye_color"]), 0.6))]
