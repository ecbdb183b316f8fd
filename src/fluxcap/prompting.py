"""A wish in a person's words -> a prompt in the set's own: its order, its wordings, for both encoders. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from fluxcap.bind import judge
from fluxcap.compose import Wording, compose
from fluxcap.english import items, words
from fluxcap.spread import Traits, spread
from fluxcap.types import Binding, Caption, Trait
from fluxcap.vocabulary import Mention, canonical, is_nothing, pieces, read, same, slots, together, value_of

_SHOWN = 3  # values of the training that are named
_GOES_ON = ("setting", "background", "action", "holding", "clothing")  # traits whose words may go on


@dataclass(frozen=True, slots=True, kw_only=True)
class Wished:
    """One trait of the wish. ``pictures`` are those of the training that show it, of ``known`` that tell of the trait at all.

    ``unseen`` are the pieces that no picture shows; ``there`` the trait's most common values. ``bound``: the trigger word carries the
    trait; ``against``: and usually with another value.
    """

    slot: str
    value: str
    pictures: int
    known: int
    unseen: tuple[str, ...] = ()
    there: tuple[str, ...] = ()
    bound: bool = False
    against: bool = False
    usual: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompted:
    """A prompt for each encoder, and what there is to know of it.

    ``appended`` are words that no trait was read in: they stand in the prompt as they came. ``beside`` are second values of a
    trait that has one, behind the sentences. ``dropped`` are denials, which FLUX would paint; ``read_as`` are words of the
    camera's side and how they were taken; ``notes`` is what else there is to say.
    """

    clip: str
    t5: str
    wished: tuple[Wished, ...] = ()
    appended: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    read_as: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """What the person should know, a line each."""
        lines = [
            f"'{text}' is taken as {value}, left and right as the picture has them" for text, value in self.read_as
        ]
        lines += [line for one in self.wished for line in _told(one)]
        lines += [f"'{text}' was not understood; it stands in the prompt as it is" for text in self.appended]
        lines += [f"'{text}' is a second value of its trait; it stands behind the sentences" for text in self.beside]
        lines += [
            f"'{text}' is left out: FLUX paints what is named; say what is there instead" for text in self.dropped
        ]
        return (*lines, *self.notes)


def prompt(wish: str, wording: Wording, pictures: Sequence[Traits], bindings: Mapping[str, Binding]) -> Prompted:
    """Put what the wish says over what every caption of the set says, and word it as the captions are.

    Bound traits stay unsaid unless they are wished. Nothing of the wish is lost in silence: what is not read is put behind the
    sentences and told. Never raises for any wish.
    """
    wish = " ".join(re.sub(r"[\x00-\x1f\x7f]", " ", wish).split())
    mentions, read_as = _mentions(wish, pictures)
    values, tags, beside = _values(mentions)
    gaps, dropped = _rest(wish, mentions, wording)
    said, behind = _in_place(_own_words(values, wish, mentions), mentions, gaps)
    caption = compose(
        {**_always(pictures, bindings), **said}, wording, "", {slot: own for slot, own in tags.items() if own}
    )
    appended = tuple(dict.fromkeys(text for text, _ in gaps))
    return Prompted(
        clip=", ".join((caption.clip, *dict.fromkeys([*_unsaid(caption, values, tags), *beside, *appended]))),
        t5=_with_words(caption, [*beside, *behind]),
        wished=tuple(_wished(slot, value, tags[slot], pictures, bindings) for slot, value in values.items()),
        appended=appended,
        beside=tuple(beside),
        dropped=dropped,
        read_as=read_as,
    )


def _told(one: Wished) -> list[str]:
    name = slots()[one.slot].name
    lines: list[str] = []
    if one.against:
        usual = f" ({one.usual})" if one.usual else ""
        lines.append(f"{name}: {one.value} works against the trigger word, which carries this trait{usual}")
    elif one.bound:
        lines.append(f"{name}: the trigger word carries it, so {one.value} need not be said")
    if one.known == 0:
        lines.append(
            f"{name}: no picture of the training is known to show any, so {one.value} comes from the base model"
        )
    elif one.unseen:
        told = f"the {one.known} pictures that tell of it show {', '.join(one.there)}"
        lines.append(f"{name}: {', '.join(one.unseen)} was never seen in training; {told}")
    return lines


def _mentions(wish: str, pictures: Sequence[Traits]) -> tuple[list[Mention], tuple[tuple[str, str], ...]]:
    """What is read in the wish, with the words of the camera's side in the set's terms."""
    found = [one for one in read(wish) if one.slot not in ("trigger", "subject")]
    read_as: list[tuple[str, str]] = []
    for row in _table()["view"]:
        for hit in re.finditer(rf"(?<![\w-])(?:{row['match']})(?![\w-])", wish, re.IGNORECASE):
            if any(one.start < hit.end() and hit.start() < one.end and _is_listed(one) for one in found):
                continue
            value = _most_seen(row["values"], pictures)
            found = [one for one in found if not (one.start < hit.end() and hit.start() < one.end)]
            found.append(
                Mention(slot="view", value=value, tags=canonical("view", value)[1], start=hit.start(), end=hit.end())
            )
            read_as.append((hit[0], value))
    return sorted(found, key=lambda one: one.start), tuple(read_as)


def _is_listed(one: Mention) -> bool:
    """Whether a mention of a view or a gaze has a value of the table, and no words of its own."""
    return one.slot != "view" or one.value in {known.id for known in slots()["view"].value}


def _most_seen(values: Sequence[str], pictures: Sequence[Traits]) -> str:
    counts = [sum(1 for traits in pictures if (t := traits.get("view")) and t.value == value) for value in values]
    return values[counts.index(max(counts))]


def _values(mentions: Sequence[Mention]) -> tuple[dict[str, str], dict[str, tuple[str, ...]], list[str]]:
    """One value a slot, with its tags; what a slot cannot hold beside its first value is told apart."""
    by_slot: dict[str, list[Mention]] = {}
    for one in mentions:
        by_slot.setdefault(one.slot, []).append(one)
    values: dict[str, str] = {}
    tags: dict[str, tuple[str, ...]] = {}
    extra: list[str] = []
    for slot in slots():
        said = [one for one in together(by_slot[slot]) if not is_nothing(one[0])] if slot in by_slot else []
        if said:
            values[slot], tags[slot] = said[0]
            extra += [value for value, _ in said[1:] if value != said[0][0]]
    return values, tags, extra


def _always(pictures: Sequence[Traits], bindings: Mapping[str, Binding]) -> dict[str, str]:
    """What the captions say of every picture beside trigger and class word: the medium, unless it is bound."""
    seen = spread("medium", pictures)
    return {"medium": seen.usual.value} if seen and bindings["medium"].decision == "free" else {}


def _wished(
    slot: str, value: str, tags: Sequence[str], pictures: Sequence[Traits], bindings: Mapping[str, Binding]
) -> Wished:
    known = [trait for traits in pictures if (trait := traits.get(slot)) is not None]
    wanted = _pieces(slot, value, tags)
    shown = [[trait for trait in known if _shows(trait, one, own)] for one, own in wanted]
    seen = spread(slot, pictures)
    trait = Trait(
        image_id="", slot=slot, value=value, tags=tuple(tags), confidence=1.0, sources=("human",), conflict=()
    )
    binding, verdict = bindings[slot], judge({slot: trait}, bindings)[slot]
    bound = binding.decision == "bound" or any(part.decision == "bound" for part in binding.parts)
    return Wished(
        slot=slot,
        value=value,
        pictures=sum(all(any(trait is one for one in found) for found in shown) for trait in known),
        known=len(known),
        unseen=tuple(one for (one, _), found in zip(wanted, shown, strict=True) if not found),
        there=tuple(f"{one.value} ({one.count})" for one in seen.values[:_SHOWN]) if seen else (),
        bound=bound and (verdict.deviation or verdict.outcome == "left out"),
        against=verdict.deviation,
        usual=binding.value or "",
    )


def _pieces(slot: str, value: str, tags: Sequence[str]) -> list[tuple[str, tuple[str, ...]]]:
    """What is looked for one by one: garments, and the colour and length of hair."""
    row = slots()[slot]
    if row.attribute:
        by_attribute: dict[str, list[Any]] = {}
        for piece in pieces(slot, value):
            by_attribute.setdefault(piece.attribute, []).append(piece)
        told = [value_of(slot, group) for attribute, group in by_attribute.items() if attribute]
        return [(text, own) for text, own in told if text] or [(value, tuple(tags))]
    if row.many and len(listed := items(value)) > 1:
        return [canonical(slot, one) for one in listed]
    return [(value, tuple(tags))]


def _shows(trait: Trait, value: str, tags: Sequence[str]) -> bool:
    """Whether a picture of the training shows a piece of the wish, alone or among other things."""
    if same(trait.slot, trait.value, trait.tags, value, tags):
        return True
    if not (slots()[trait.slot].many or slots()[trait.slot].attribute):
        return False
    return any(same(trait.slot, one, own, value, tags) for one, own in _pieces(trait.slot, trait.value, trait.tags))


def _rest(wish: str, mentions: Sequence[Mention], wording: Wording) -> tuple[list[tuple[str, int]], tuple[str, ...]]:
    """The stretches of the wish that nothing was read in, with where they begin, and those that deny."""
    covered = [False] * len(wish)
    for one in mentions:
        covered[one.start : one.end] = [True] * (one.end - one.start)
    empty = _fillers() | set(re.findall(r"[\w'-]+", f"{wording.trigger} {wording.class_word}".lower()))
    denials = rf"\b(?:{'|'.join(_table()['words']['denials'])}|\w+n't)\b"

    def says(text: str) -> bool:
        return any(word not in empty for word in re.findall(r"[^\W\d_][\w'-]*", text.lower()))

    kept: list[tuple[str, int]] = []
    dropped: list[str] = []
    for clause in re.finditer(r"[^.,;:!?()\[\]{}\"]+", wish):
        for start, end in _gaps(covered, *clause.span()):
            denied = re.search(denials, wish[start:end], re.IGNORECASE)
            stop = start + denied.start() if denied else end
            if says(wish[stop:end]):
                dropped.append(_trimmed(wish[stop:end]))
            if says(wish[start:stop]):
                kept.append((_trimmed(wish[start:stop]), start))
    return kept, tuple(dict.fromkeys(dropped))


def _gaps(covered: Sequence[bool], start: int, end: int) -> list[tuple[int, int]]:
    """The stretches between ``start`` and ``end`` that are not covered."""
    edges = [
        place
        for place in range(start, end + 1)
        if _open(covered, place, start, end) != _open(covered, place - 1, start, end)
    ]
    return list(zip(edges[::2], edges[1::2], strict=True))


def _open(covered: Sequence[bool], place: int, start: int, end: int) -> bool:
    return start <= place < end and not covered[place]


def _own_words(values: Mapping[str, str], wish: str, mentions: Sequence[Mention]) -> dict[str, str]:
    """The values to say: a doing in the wish's words, where its reading is shorter ('reading' for 'reading a book')."""
    found = dict(values)
    for one in mentions:
        text = wish[one.start : one.end]
        if one.slot == "action" and values.get("action") == one.value and re.match(r"\w+ing ", text):
            found["action"] = text
    return found


def _in_place(
    values: Mapping[str, str], mentions: Sequence[Mention], gaps: Sequence[tuple[str, int]]
) -> tuple[dict[str, str], list[str]]:
    """Words that nothing was read in go on with the trait before them where they can: 'in a cafe' + 'with a cup of coffee'.

    The others stay for the place behind the sentences.
    """
    said, behind = dict(values), []
    prepositions = set(words()["nouns"]["prepositions"]) - {"and"}
    for text, start in gaps:
        before = next((one for one in mentions if one.end == start), None)
        if (
            before is not None
            and text.split(" ", 1)[0].lower() in prepositions
            and before.slot in _GOES_ON
            and sum(one.slot == before.slot for one in mentions) == 1
        ):
            said[before.slot] = f"{said[before.slot]} {text}"
        elif text not in behind:
            behind.append(text)
    return said, behind


def _trimmed(text: str) -> str:
    joints = "|".join(_table()["words"]["joints"])
    return re.sub(rf"^(?:(?:{joints})\b\s*)+|(?:\s*\b(?:{joints}))+$", "", text.strip(), flags=re.IGNORECASE).strip()


def _unsaid(caption: Caption, values: Mapping[str, str], tags: Mapping[str, Sequence[str]]) -> list[str]:
    """Wished values that CLIP would not hear of, since no tag is known for them."""
    heard = _letters(caption.clip)
    return [
        re.sub(r"[{}]", "", value)
        for slot, value in values.items()
        if slot != "people" and not any(_letters(one) in heard for one in (*tags[slot], value) if _letters(one))
    ]


def _letters(text: str) -> str:
    return re.sub(r"[\W_]+", "", re.sub(r"_\(.*\)$", "", text.lower()))


def _with_words(caption: Caption, behind: Sequence[str]) -> str:
    """The sentences, the words that stand behind them, and the tags."""
    if not behind:
        return caption.t5
    tail = ", ".join(caption.tags)
    text = caption.t5.removesuffix(tail).rstrip() if tail else caption.t5
    plain = ", ".join(dict.fromkeys(behind))
    stop = "" if text.endswith((".", "!", "?")) else "."
    joined = f"{text}{stop} {plain[:1].upper()}{plain[1:]}."
    return f"{joined} {tail}" if tail and text != caption.t5 else joined


@cache
def _fillers() -> frozenset[str]:
    reading = words()["reading"]
    lists = (reading["unheard"], reading["apart"], reading["held"], reading["at"], _table()["words"]["fillers"])
    return frozenset(word for one in lists for phrase in one for word in phrase.lower().split())


@cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "wishes.toml").read_text(encoding="utf-8"))


__all__ = ["Prompted", "Wished", "prompt"]
