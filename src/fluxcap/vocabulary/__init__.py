"""Slots, values and wordings, both ways: value -> tags and phrase, caption text -> values. The words are data."""

from fluxcap.vocabulary.reading import Mention, read
from fluxcap.vocabulary.table import Rule, Slot, Value, presets, rule_for, rules, slot, slots
from fluxcap.vocabulary.values import canonical, clashes, is_nothing, is_silent, near, normal, same

__all__ = [
    "Mention",
    "Rule",
    "Slot",
    "Value",
    "canonical",
    "clashes",
    "is_nothing",
    "is_silent",
    "near",
    "normal",
    "presets",
    "read",
    "rule_for",
    "rules",
    "same",
    "slot",
    "slots",
]
