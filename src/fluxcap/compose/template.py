"""The small language of ``data/styles.toml``: parsed once, rendered into pieces of text that know their slot."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from fluxcap.english import indefinite, is_mass, is_plural


class Piece(NamedTuple):
    """A stretch of text and the slot it says (None: glue). ``article``: 'a' or 'A' still to be chosen by what follows."""

    text: str
    slot: str | None = None
    article: str = ""


class Rendered(NamedTuple):
    """Pieces, and whether anything that counts is said in them (fillers do not)."""

    pieces: list[Piece]
    says: bool


@dataclass(frozen=True, slots=True)
class Text:
    """Fixed words."""

    text: str


@dataclass(frozen=True, slots=True)
class Word:
    """A pronoun or a verb that goes with it: 'They', 'their', 'are'."""

    name: str


@dataclass(frozen=True, slots=True)
class Ref:
    """One slot in one form."""

    slot: str
    form: str
    filler: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Several slots, joined by commas or as an English list."""

    joiner: str
    refs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """'a' or 'an' before what follows, by the number of ``slot``'s noun."""

    word: str
    slot: str


@dataclass(frozen=True, slots=True)
class Part:
    """Another template by name."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """Said only if everything in it can be."""

    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The first alternative that can be said."""

    options: tuple[tuple[Node, ...], ...]


Node = Text | Word | Ref | Listing | Article | Part | Optional | Choice

Say = Callable[[str, str], Sequence[str]]
"""(slot, form) -> the things to say (several where they are items of a list); empty: not said, or not in this form."""


def parse(template: str, slots: Sequence[str]) -> tuple[Node, ...]:
    """The template as nodes; raises ``ValueError`` where it is malformed or names no slot."""
    tokens = re.findall(r"\{[^{}]*\}|[\[\]<>|]|[^\[\]<>|{}]+", template)
    options, rest = _parse(tokens, 0, set(slots), None)
    if rest != len(tokens) or len(options) != 1:
        raise ValueError(f"unbalanced template: {template}")
    return options[0]


def _parse(tokens: list[str], at: int, slots: set[str], until: str | None) -> tuple[list[tuple[Node, ...]], int]:
    options: list[tuple[Node, ...]] = []
    nodes: list[Node] = []
    while at < len(tokens):
        token = tokens[at]
        at += 1
        if token == until:
            return [*options, tuple(nodes)], at
        if token == "[":
            inner, at = _parse(tokens, at, slots, "]")
            nodes.append(Optional(inner[0]))
        elif token == "<":
            inner, at = _parse(tokens, at, slots, ">")
            nodes.append(Choice(tuple(inner)))
        elif token == "|":
            options.append(tuple(nodes))
            nodes = []
        elif token.startswith("{"):
            nodes.append(_reference(token[1:-1], slots))
        elif token in ("]", ">"):
            raise ValueError(f"{token} closes nothing")
        else:
            nodes.append(Text(token))
    if until is not None:
        raise ValueError(f"{until} is missing")
    return [*options, tuple(nodes)], at


def _reference(text: str, slots: set[str]) -> Node:
    if text.startswith("@"):
        return Part(text[1:])
    if ":" in text:
        kind, names = text.split(":", 1)
        if kind in ("a", "A"):
            return Article(kind, names)
        return Listing(kind, tuple(_ref(name, slots) for name in names.split()))
    plain = text.rstrip("!").split(".")[0]
    return Word(text) if text.isalpha() and plain not in slots and plain != "class" else _ref(text, slots)


def _ref(text: str, slots: set[str]) -> Ref:
    slot, _, form = text.rstrip("!").partition(".")
    if slot not in slots and slot != "class":
        raise ValueError(f"{slot} is not a slot")
    return Ref(slot, form or "say", text.endswith("!"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Renderer:
    """Renders nodes with what is to be said, the pronouns, and the other parts of the style."""

    say: Say
    words: Mapping[str, str]
    part: Callable[[str], tuple[Node, ...]]
    counted: frozenset[str]

    def render(self, nodes: Sequence[Node]) -> Rendered | None:
        """The pieces, or None where something asked for is not said."""
        pieces: list[Piece] = []
        says = False
        for node in nodes:
            done = self._node(node)
            if done is None:
                return None
            pieces += done.pieces
            says = says or done.says
        return Rendered(pieces, says)

    def _node(self, node: Node) -> Rendered | None:
        match node:
            case Text(text):
                return Rendered([Piece(text)], False)
            case Word(name):
                return Rendered([Piece(_word(name, self.words))], False)
            case Ref():
                return self._list([node], "and")
            case Listing(joiner, refs):
                return self._list(refs, joiner)
            case Article(word, slot):
                said = " ".join(self.say(slot, "say"))
                none = not said or is_plural(said) or is_mass(said)
                return Rendered([] if none else [Piece("", None, word)], False)
            case Part(name):
                return self.render(self.part(name))
            case Optional(inner):
                done = self.render(inner)
                return done if done and (done.says or not _asks(inner, self.part)) else Rendered([], False)
            case Choice(options):
                for option in options:
                    done = self.render(option)
                    if done and (done.says or not _asks(option, self.part)):
                        return done
                return None
        raise AssertionError(node)

    def _list(self, refs: Sequence[Ref], joiner: str) -> Rendered | None:
        items = [(item, ref) for ref in refs for item in self.say(ref.slot, ref.form)]
        pieces: list[Piece] = []
        for place, (item, ref) in enumerate(items):
            if place:
                pieces.append(Piece(" and " if joiner == "and" and place == len(items) - 1 else ", "))
            slot = "subject" if ref.slot == "class" else ref.slot
            pieces.append(Piece(item, None if ref.filler and ref.form != "say" else slot))
        says = any(not ref.filler or ref.slot in self.counted for _, ref in items)
        return Rendered(pieces, says) if pieces else None


def _asks(nodes: Sequence[Node], part: Callable[[str], tuple[Node, ...]]) -> bool:
    """Whether anything in the nodes counts when it is said."""
    for node in nodes:
        match node:
            case Ref(_, _, filler) if not filler:
                return True
            case Listing():
                return True
            case Part(name) if _asks(part(name), part):
                return True
            case Optional(inner) if _asks(inner, part):
                return True
            case Choice(options) if any(_asks(option, part) for option in options):
                return True
    return False


def _word(name: str, words: Mapping[str, str]) -> str:
    said = words[name.lower()]
    return said[0].upper() + said[1:] if name[0].isupper() else said


def with_articles(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces with their articles chosen by the word that follows."""
    done: list[Piece] = []
    for place, piece in enumerate(pieces):
        if piece.article:
            following = "".join(later.text for later in pieces[place + 1 :])
            done.append(Piece((indefinite(following) if piece.article == "a" else indefinite(following).title()) + " "))
        else:
            done.append(piece)
    return done
