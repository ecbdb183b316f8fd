"""Traits -> a caption, by a style. Pure: no source is asked, the same traits always give the same words."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, Literal

from fluxcap.compose.template import Node, Piece, Renderer, parse, with_articles
from fluxcap.english import is_plural, items, noun_phrase, pronouns, strip_article, with_article, words
from fluxcap.errors import UsageError
from fluxcap.types import Caption, Span
from fluxcap.vocabulary import canonical, meaning, redundant, rule_for, slots


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """How captions of a set are worded: the trigger word, the class word, style, phrasing and pronouns."""

    trigger: str
    class_word: str = ""
    preset: str = "person"
    style: str = "natural"
    phrasing: Literal["fixed", "varied"] = "fixed"
    pronouns: str | None = None
    tags: Literal["tail", "all", "none"] = "tail"


def styles() -> tuple[str, ...]:
    """The names of the caption styles."""
    return tuple(_styles()["styles"])


def compose(
    values: Mapping[str, str],
    wording: Wording,
    image_id: str = "",
    tags: Mapping[str, Sequence[str]] | None = None,
) -> Caption:
    """Write the caption that says ``values`` (slot id -> value, those to be said only), in the style's fixed order.

    ``tags`` are the traits' tags by slot, where they are known better than by the values. With ``phrasing = "varied"`` equal wordings are picked by ``image_id``: the same picture always gets the same words.
    Raises ``UsageError`` for an unknown style or slot.
    """
    if wording.style not in _styles()["styles"]:
        raise UsageError(f"{wording.style} is not a style", f"known styles: {', '.join(styles())}")
    style = _styles()["styles"][wording.style]
    speaker = _Speaker(values, wording, image_id)
    renderer = Renderer(
        say=speaker.say,
        words=speaker.pronouns,
        part=lambda name: speaker.pick_template(_part(wording.style, name), name),
        counted=frozenset({"subject"}) if speaker.subject != wording.class_word else frozenset(),
    )
    pieces: list[Piece] = []
    tail_said = wording.tags != "none" and style["tail"]
    names = style["sentences"] if tail_said else (*style["sentences"], *_said_of_camera(style["sentences"]))
    for name in names:
        done = renderer.render(renderer.part(name))
        if done is None or not (done.says or name == "opening"):
            continue
        sentence = with_articles(done.pieces)
        if pieces:
            pieces.append(Piece(" "))
            if pieces[-2].text != ".":
                pieces.insert(-1, Piece("."))
            sentence = _capital(sentence)
        pieces += sentence
        if done.says and not _is_bare(sentence):
            pieces.append(Piece("."))
    tail_tags: list[str] = []
    tail = renderer.render(_parsed(style["tail"])) if tail_said else None
    if tail and tail.says:
        if pieces and pieces[-1].text != ".":
            pieces.append(Piece("."))
        pieces += [Piece(" "), *tail.pieces]
        tail_tags = [piece.text for piece in tail.pieces if piece.slot]
    text, spans = _assemble(pieces)
    free = _free_tags(speaker.values, tags or {})
    if not tail_tags:
        camera = [Piece(_plain(tag), slot) for slot, tag in free if slots()[slot].place == "tail"]
    else:
        camera = [Piece(tag, None) for tag in tail_tags]
    plain = [Piece(_plain(tag), slot) for slot, tag in free if slots()[slot].place != "tail"]
    clip = ", ".join([" ".join(_name(speaker)), *(piece.text for piece in (*plain, *camera))])
    if wording.tags == "all" and plain:
        joined = ", " if tail_tags else " " if text.endswith(".") else ". "
        more = [piece for place, tag in enumerate(plain) for piece in (Piece(", " if place else joined), tag)]
        whole, all_spans = _assemble([*pieces, *more])
        said = (*tail_tags, *(piece.text for piece in plain))
        return Caption(image_id=image_id, text=whole, spans=all_spans, tags=said, author="fluxcap", clip=clip, t5=text)
    return Caption(
        image_id=image_id, text=text, spans=spans, tags=tuple(tail_tags), author="fluxcap", clip=clip, t5=text
    )


def _plain(tag: str) -> str:
    """A tag as a prompt has it: blanks, and no bracket, which prompts read as a weight."""
    return re.sub(r"_\(.*\)$", "", tag).replace("_", " ")


def _name(speaker: _Speaker) -> list[str]:
    return [*speaker.say("trigger", "say"), *speaker.say("class", "say")]


def _said_of_camera(already: Sequence[str]) -> list[str]:
    """The sentences of the style without tags that say what else would stand in the tail."""
    return [name for name in _styles()["styles"]["prose"]["sentences"] if name not in already]


def _free_tags(values: Mapping[str, str], given: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    """Slot and tag of all that is said, in caption order; only tags that taggers know, and none that another one says."""
    found: list[tuple[str, str]] = []
    for slot in slots():
        if slot in ("trigger", "subject") or slot not in values:
            continue
        own = tuple(given.get(slot) or canonical(slot, values[slot])[1])
        gone = redundant(own)
        found += [
            (slot, tag) for tag in own if tag not in gone and (known := meaning(tag)) and known.flag in ("", "explicit")
        ]
    return list(dict.fromkeys(found))


class _Speaker:
    """Words the values of one picture."""

    def __init__(self, values: Mapping[str, str], wording: Wording, image_id: str) -> None:
        self.values = {slot: canonical(slot, value)[0] for slot, value in values.items() if value.strip()}
        self.wording = wording
        self.image_id = image_id
        # the class word of a style names the style, not what a picture shows
        shown = "" if wording.preset == "style" else wording.class_word
        self.subject = self.values.get("subject", shown) or self._unnamed()
        self.pronouns = pronouns(self.subject, wording.preset, wording.pronouns)

    def _unnamed(self) -> str:
        """A word for a subject that nobody named, where something is to be told of it."""
        told = any(slots()[slot].place == "opening" for slot in self.values if slot not in ("trigger", "medium"))
        unnamed = words()["pronouns"]["unnamed"]
        human = any(slots()[slot].place in ("worn", "face") or slot == "gaze" for slot in self.values)
        return str(unnamed["person" if human else self.wording.preset]) if told or human else ""

    def say(self, slot: str, form: str) -> Sequence[str]:
        trigger, class_word = self.wording.trigger, self.wording.class_word
        if slot == "trigger":
            return [trigger]
        if slot == "class":
            same = trigger.lower() == class_word.lower() or trigger.lower().endswith(" " + class_word.lower())
            return [class_word] if class_word and not same else []
        value = self.subject if slot == "subject" else self.values.get(slot, "")
        if slots()[slot].place == "worn" and slots()[slot].many and len(items(value)) > 1 and slot != "makeup":
            return [said for item in items(value) for said in self._word(slot, form, strip_article(item))]
        if slot in ("pose", "action") and len(doings := _doings(value)) > 1:
            return [said for doing in doings for said in self._word(slot, form, doing)]
        return self._word(slot, form, value)

    def _word(self, slot: str, form: str, value: str) -> Sequence[str]:
        if not value:
            return []
        rule, found = rule_for(slot, value)
        wordings = rule.wordings("prose" if form == "clause" else self.wording.style).get(form, ())
        if not wordings:
            return []
        said = wordings[self._pick(f"{slot}.{form}", len(wordings))]
        if said == "{np}":
            return [with_article(item) for item in items(value)]
        text = self._fill(said, value, found)
        return [text] if text else []

    def pick_template(self, variants: tuple[tuple[Node, ...], ...], name: str) -> tuple[Node, ...]:
        return variants[self._pick(name, len(variants))]

    def _pick(self, what: str, of: int) -> int:
        """Which of several equal wordings: the first, or one by picture and place."""
        if of < 2 or self.wording.phrasing == "fixed":
            return 0
        digest = hashlib.sha256(f"{self.image_id}:{what}".encode()).digest()
        return int.from_bytes(digest[:4], "big") % of

    def _fill(self, said: str, value: str, found: re.Match[str] | None) -> str:
        def one(hole: re.Match[str]) -> str:
            name = hole[1]
            if name == "value":
                return self._pronouns_in(value)
            if name.isdigit():
                return (found[int(name)] or "") if found else ""
            kind, group = (name[:-1], name[-1]) if name[-1].isdigit() else (name, "")
            about = (found[int(group)] or "") if group and found else value
            if kind == "np":
                return noun_phrase(about)
            if kind == "Np":
                phrase = noun_phrase(about)
                return phrase[:1].upper() + phrase[1:]
            if kind == "is":
                return "are" if is_plural(about) or len(items(about)) > 1 else "is"
            if name == "a":
                following = self._fill(said[hole.end() :].strip(), value, found)
                return with_article(following)[: -len(following)].strip() or "a" if following else "a"
            return self.pronouns[name.lower()].capitalize() if name[0].isupper() else self.pronouns[name]

        return re.sub(r"\{(\w+)\}", one, said)

    def _pronouns_in(self, value: str) -> str:
        return re.sub(r"\{(they|them|their)\}", lambda hole: self.pronouns[hole[1]], value)


def _doings(value: str) -> list[str]:
    """'sitting, crossing {their} legs and waving' -> three things done; only what begins with its own verb stands alone."""
    return re.split(r"(?:,\s+|,?\s+and\s+)(?=\w+ing\b)", value)


def _is_bare(sentence: Sequence[Piece]) -> bool:
    """Whether only trigger and class word are said: such a caption stays without a full stop."""
    return all(piece.slot in ("trigger", "subject") or not piece.text.strip(" ,") for piece in sentence)


def _capital(sentence: Sequence[Piece]) -> list[Piece]:
    first, *rest = sentence
    return [first._replace(text=first.text[:1].upper() + first.text[1:]), *rest]


def _assemble(pieces: Sequence[Piece]) -> tuple[str, tuple[Span, ...]]:
    """The text, and one span per stretch of a slot; items of one list are one stretch."""
    text = ""
    spans: list[Span] = []
    gap = 0
    for piece in pieces:
        start = len(text)
        text += piece.text
        if piece.slot is None:
            gap += 1
            continue
        last = spans[-1] if spans else None
        if last and last.slot == piece.slot and gap == 1 and text[last.end : start] in (", ", " and "):
            spans[-1] = Span(slot=piece.slot, start=last.start, end=len(text))
        else:
            spans.append(Span(slot=piece.slot, start=start, end=len(text)))
        gap = 0
    return text, tuple(spans)


@lru_cache(maxsize=1)
def _styles() -> dict[str, Any]:
    return tomllib.loads(resources.files("fluxcap").joinpath("data", "styles.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=256)
def _part(style: str, name: str) -> tuple[tuple[Node, ...], ...]:
    shared = _styles()["parts"].get(name) or _styles()["styles"]["prose"]["parts"][name]
    said = _styles()["styles"][style].get("parts", {}).get(name) or shared
    return tuple(_parsed(text) for text in ([said] if isinstance(said, str) else said))


@lru_cache(maxsize=256)
def _parsed(template: str) -> tuple[Node, ...]:
    return parse(template, tuple(slots()))


__all__ = ["Wording", "compose", "styles"]
