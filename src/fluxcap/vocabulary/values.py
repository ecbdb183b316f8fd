"""One value of one slot: its settled form, its tags, and whether two values say the same or exclude each other."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import lru_cache

from fluxcap.english import head, items, strip_article, words
from fluxcap.vocabulary.finding import tags_of
from fluxcap.vocabulary.table import Slot, rules, slot

_SUFFIX = {"hair": "hair", "eye_color": "eyes", "skin": "skin"}


@lru_cache(maxsize=8192)
def canonical(slot_id: str, value: str) -> tuple[str, tuple[str, ...]]:
    """The settled form of a value and its tags: 'Front view' -> ('front', ('straight-on',)).

    A listed value is found by its id or any of its wordings; an open one loses its article and final stop. Raises
    ``UsageError`` for an unknown slot.
    """
    row = slot(slot_id)
    plain = _plain(value)
    if row.place == "worn" and row.id != "makeup":
        plain = strip_article(re.sub(r"^(?:wearing|wears|dressed in)\s+(?=\S)", "", plain, flags=re.IGNORECASE))
    key = normal(plain)
    for known in row.value:
        if key in (normal(known.id), normal(strip_article(known.id))):
            return known.id, known.tags
    listed = wordings(slot_id).get(key)
    if listed is not None:
        return listed, next(known.tags for known in row.value if known.id == listed)
    if slot_id == "people" and (count := _count(plain)):
        return canonical(slot_id, count)
    return plain, _open_tags(slot_id, key)


@lru_cache(maxsize=65536)
def normal(text: str) -> str:
    """Lower case, one space, one spelling: the form in which wordings are compared."""
    text = re.sub(r"[\s_]+", " ", text.lower().replace("’", "'")).strip(" .,;")
    for other, usual in words()["synonyms"].items():
        text = re.sub(rf"(?<![\w-]){re.escape(other)}(?![\w-])", usual, text)
    return text


def is_silent(slot_id: str, value: str) -> bool:
    """Whether the value is said by saying nothing."""
    return any(known.silent and known.id == value for known in slot(slot_id).value)


def is_nothing(value: str) -> bool:
    """Whether the value denies the trait ('none', 'no glasses') or says that it cannot be told."""
    key = normal(value)
    return not key or key in words()["nothing"]["words"] or key.startswith("no ")


def same(slot_id: str, value_a: str, tags_a: Collection[str], value_b: str, tags_b: Collection[str]) -> bool:
    """Whether two values of a slot say the same: equal, or most tags shared and nothing in them exclusive.

    Listed values are the same only if equal. Open ones: at least half of the smaller tag set is shared, or they name the
    same things ('a suit', 'a business suit').
    """
    if normal(value_a) == normal(value_b):
        return True
    row = slot(slot_id)
    listed = {known.id for known in row.value}
    if row.listed or (value_a in listed and value_b in listed):
        return False
    if exclusive(value_a, value_b):
        return False
    one, other = set(tags_a), set(tags_b)
    if one and other and 2 * len(one & other) >= min(len(one), len(other)):
        return True
    return slot_id not in _SUFFIX and _things(value_a) == _things(value_b)


def clashes(slot_id: str, value_a: str, tags_a: Collection[str], value_b: str, tags_b: Collection[str]) -> bool:
    """Whether two values cannot both be true of one picture (stronger than not being the same)."""
    if same(slot_id, value_a, tags_a, value_b, tags_b):
        return False
    row = slot(slot_id)
    if near(slot_id, value_a, value_b):
        return False
    known = {one.id for one in row.value}
    if row.listed and value_a in known and value_b in known:
        return True
    return not row.many and exclusive(value_a, value_b)


def near(slot_id: str, value_a: str, value_b: str) -> bool:
    """Neighbours that honest observers confuse; they are different, but not a contradiction."""
    pair = {value_a, value_b}
    return any(pair <= set(group) for group in words()["neighbours"].get(slot_id, ()))


def _things(value: str) -> frozenset[str]:
    """The bare things in an open value: 'a black business suit and a tie' -> suit, tie."""
    return frozenset(head(item) for item in items(normal(value)))


def exclusive(value_a: str, value_b: str) -> bool:
    """Whether the two use different words of one group, so that they say different things: 'long', 'short'."""
    one, other = set(re.findall(r"[\w-]+", normal(value_a))), set(re.findall(r"[\w-]+", normal(value_b)))
    for group in words()["groups"].values():
        said, heard = one & set(group), other & set(group)
        if said and heard and not said & heard:
            return True
    return False


def _plain(value: str) -> str:
    text = re.sub(r"\s+", " ", value).strip().rstrip(".").strip()
    return strip_article(text)


def _count(value: str) -> str | None:
    """A bare number counts everybody in the picture: '2' -> 'one other person'."""
    if not re.fullmatch(r"\d+\+?", value):
        return None
    ids = ("", "alone", "one other person", "two other people", "three other people")
    total = int(value.rstrip("+"))
    return ids[total] if 0 < total < len(ids) else "several other people" if total else None


def _open_tags(slot_id: str, key: str) -> tuple[str, ...]:
    """Tags of a value that no list knows: those of the phrases in it, and its own words where no phrase is known."""
    suffix = _SUFFIX.get(slot_id)
    if suffix:
        return _described(slot_id, suffix, key)
    found: list[str] = []
    for item in items(key):
        known = tags_of(slot_id, item)
        found += known or [re.sub(r"[^\w'-]+", "_", strip_article(item)).strip("_")]
    return tuple(dict.fromkeys(tag for tag in found if tag))


def _described(slot_id: str, suffix: str, key: str) -> tuple[str, ...]:
    """Tags of a value whose words describe one thing: 'long blonde hair with bangs' -> long_hair, blonde_hair, bangs."""
    found: list[str] = []
    for part in re.split(r"\s+(?:with|and|in)\s+|\s*,\s*", key):
        kept = [word for word in part.split() if word not in (suffix, "the", "her", "his", "their", "a", "an")]
        attributes = suffix in part.split() or all(_in_a_group(word) for word in kept)
        known = tags_of(slot_id, part) or (tags_of(slot_id, f"{part} {suffix}") if attributes else ())
        if known:
            found += known
        else:
            found += [f"{word}_{suffix}" for word in kept] if attributes else ["_".join(kept)] if kept else []
    return tuple(dict.fromkeys(tag for tag in found if tag))


def _in_a_group(word: str) -> bool:
    return any(word in group for group in words()["groups"].values())


@lru_cache(maxsize=64)
def wordings(slot_id: str) -> Mapping[str, str]:
    """Every wording of the listed values, settled -> value id."""
    row: Slot = slot(slot_id)
    ids = {known.id for known in row.value}
    found: dict[str, str] = {}
    for rule in rules().get(slot_id, ()):
        for value in rule.value:
            if value not in ids:
                continue
            said = [w for forms in rule.forms.values() for form in ("say", "is") for w in forms.get(form, ())]
            for wording in (*rule.read, *said):
                if wording and "{" not in wording:
                    found.setdefault(normal(wording), value)
    return found
