"""Slots, values and wordings, both ways: value -> tags and phrase, caption text -> values. The words are data."""

from fluxcap.vocabulary.against import speaks_against, speaks_for, trusted
from fluxcap.vocabulary.folding import Folded, fold
from fluxcap.vocabulary.mentions import Mention, together
from fluxcap.vocabulary.pieces import Piece, pieces, value_of
from fluxcap.vocabulary.reading import read
from fluxcap.vocabulary.table import Attribute, Rule, Slot, Value, presets, rule_for, rules, slot, slots
from fluxcap.vocabulary.taglist import TagList, is_explicit_text, looks_like_tags, of_minors, parse_tags
from fluxcap.vocabulary.tags import Meaning, meaning, plays_a_part, redundant, tag_table, vocabulary_version
from fluxcap.vocabulary.values import canonical, clashes, is_nothing, is_silent, near, normal, same

__all__ = [
    "Attribute",
    "Folded",
    "Meaning",
    "Mention",
    "Piece",
    "Rule",
    "Slot",
    "TagList",
    "Value",
    "canonical",
    "clashes",
    "fold",
    "is_explicit_text",
    "is_nothing",
    "is_silent",
    "looks_like_tags",
    "meaning",
    "near",
    "normal",
    "of_minors",
    "parse_tags",
    "pieces",
    "plays_a_part",
    "presets",
    "read",
    "redundant",
    "rule_for",
    "rules",
    "same",
    "slot",
    "slots",
    "speaks_against",
    "speaks_for",
    "tag_table",
    "together",
    "trusted",
    "value_of",
    "vocabulary_version",
]
