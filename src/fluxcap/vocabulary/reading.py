"""Captions that people wrote -> what they say of which trait, and where."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from importlib import resources

from fluxcap.english import core, items, noun_phrase, strip_article, words
from fluxcap.vocabulary.finding import find
from fluxcap.vocabulary.folding import fold
from fluxcap.vocabulary.mentions import Mention
from fluxcap.vocabulary.senses import wordings
from fluxcap.vocabulary.table import rules, slots
from fluxcap.vocabulary.tags import base_of, listed, meaning
from fluxcap.vocabulary.values import canonical


@lru_cache(maxsize=4096)
def read(text: str) -> tuple[Mention, ...]:
    """What a caption says of the subject, in the order of the text.

    The longest wording wins where two overlap within a slot; what is said of somebody else ('a man in the background') and
    what is denied ('without glasses') is left out. Only what a wording or a pattern of ``data/reading.toml`` names is found:
    silence means nothing.
    """
    text = text.replace("_", " ")
    found: list[Mention] = []
    others, denied = _elsewhere(text), _denied(text)
    phrases = _phrases(text)
    hits = [*(hit for hit in _hits(text) if not _part_of(hit, phrases)), *phrases, *_others(text, others)]
    for slot_id, value, start, end, own in sorted(hits, key=_rank):
        if any(begin <= start < stop for begin, stop in denied if slot_id != "text"):
            continue
        if any(start < stop and end > begin for begin, stop in others) and slot_id not in (
            "people",
            "text",
            "background",
        ):
            continue
        if any(start < hit.end and end > hit.start and _same_words(hit.slot, slot_id, bool(own)) for hit in found):
            continue
        settled, tags = canonical(slot_id, _tidy(slot_id, value))
        if settled:
            within = [tag for hit in hits if hit[0] == slot_id and start < hit[3] and hit[2] < end for tag in hit[4]]
            both = tuple(dict.fromkeys((*(own or tags), *within)))
            both += _held(both) if slot_id == "holding" else _who(text[start : end + 30]) if slot_id == "people" else ()
            found.append(Mention(slot=slot_id, value=settled, tags=both, start=start, end=end))
    return tuple(sorted(found, key=lambda hit: (hit.start, hit.end, hit.slot)))


def _rank(hit: _Hit) -> tuple[bool, int, bool, int, str, str]:
    """What is taken first: values as the text has them, the longest first; then what phrases mean (but of doings the longest)."""
    slot_id, value, start, end, own = hit
    return bool(own) and slot_id not in ("pose", "action"), start - end, bool(own), start, slot_id, value


def _part_of(hit: _Hit, phrases: Sequence[_Hit]) -> bool:
    """Whether a hit is only a part of what a phrase calls otherwise: 'red hair' of 'red hair ribbon'."""
    return any(
        other[0] != hit[0] and other[2] <= hit[2] and hit[3] <= other[3] and other[3] - other[2] > hit[3] - hit[2]
        for other in phrases
        if {other[0], hit[0]} <= _WORN
    )


def _others(text: str, others: Sequence[tuple[int, int]]) -> list[_Hit]:
    """That somebody else is in the picture, where a stretch of the text is about them."""
    found: list[_Hit] = []
    for start, end in others:
        said = text[start:end]
        who = _someone().match(said)
        if who is None:
            continue
        many = re.match(r"(?:some|several|many|few|people|a crowd|crowd)\b", said, re.IGNORECASE)
        two = re.match(r"(two|three)\b", said, re.IGNORECASE)
        crowd = who[0].lower().endswith("crowd")
        plain = "several other people" if many else f"{two[1].lower()} other people" if two else "one other person"
        found.append(("people", "a crowd" if crowd else plain, start, start + len(who[0]), ()))
    return found


def _same_words(longer: str, slot_id: str, phrase: bool) -> bool:
    """Whether words that were read as one trait cannot tell of the other too: 'evening' in 'an evening gown' is no time.

    A list of what is worn holds several traits, and a place may hold the time ('on the street at night').
    """
    if (longer, slot_id) == ("lighting", "view"):  # 'lit from behind'
        return True
    if longer == slot_id or {longer, slot_id} <= _SCENE or (slot_id == "hair" and longer in _WORN - {"clothing"}):
        return True
    if not phrase:
        return False
    if slot_id == "setting" and longer in ("pose", "action"):
        return False
    return not ({longer, slot_id} <= _WORN or (slot_id in ("time", "depth_of_field") and longer in _SCENE))


_SUBJECT = re.compile(r"(?:\bof an?|^\W*(?:an?|the)?) ?(?:[\w-]+ ){0,3}$", re.IGNORECASE)
"""What stands before the class word: 'a render of a', or the beginning of the caption."""

_NUMBERS = {"two": "2", "three": "3", "four": "4", "couple": "2", "group": "5", "crowd": "a crowd"}
_OPENING = 25
"""A single word for the medium ('sketch') counts within so many characters from the start; later it may hang on a wall."""

_SCENE = frozenset({"setting", "background", "holding"})
_WORN = frozenset({row.id for row in slots().values() if row.place == "worn"} | {"hair"})
_OWN_WORDS = frozenset({"background", "holding"} | (_WORN - {"hair", "makeup"}))
"""Things keep the words of the text ('a chunky cream jumper'); of other traits the tags' words are taken ('eyes shut': closed)."""


def _phrases(text: str) -> list[_Hit]:
    """What known phrases say, with their tags."""
    found: list[_Hit] = []
    for hit in find(text):
        slot_id, value = hit.slot, text[hit.start : hit.end]
        if (
            hit.flag == "quiet"
            or hit.slot == "subject"
            or (hit.slot == "medium" and " " not in value and hit.start > _OPENING)
        ):
            continue
        if slot_id in (*_WORN, "features") and text[hit.end :].lstrip().startswith("of "):
            continue  # 'a glass of wine', 'a belt of trees', 'the ghost of a smile'
        if slot_id == "makeup" and value.lower() == "make up" and _MADE_UP.match(text[hit.end :]):
            continue  # 'white shoes make up the outfit'
        if slot_id == "setting" and value.lower().endswith("pool") and text[hit.end :].lstrip().startswith("of "):
            continue  # 'in a pool of light'
        if hit.facet == "species" and _SUBJECT.search(text[: hit.start]):
            continue  # 'a render of a robot': the class word
        if slot_id == "background" and hit.facet != "plain":
            slot_id = _where(text, hit.start, hit.end, hit.facet == "view")
            if not slot_id and _held(hit.tags) and _WITH.search(text[: hit.start]):
                slot_id = "holding"  # 'a wizard with a staff'
            if not slot_id:
                continue
        start = hit.start
        if slot_id == "holding" and (
            held := re.match(rf"(?:{'|'.join(words()['reading']['held'])})\s+", value, re.IGNORECASE)
        ):
            start, value = start + held.end(), value[held.end() :]
        folded = fold(hit.slot, [known for tag in hit.tags if (known := meaning(tag)) is not None])
        if folded and slot_id == hit.slot and slot_id not in _OWN_WORDS:
            value = folded[0].value  # in the tag's words: 'her eyes shut tight' is 'closed'
        found.append((slot_id, value, start, hit.end, hit.tags))
    return found


_MADE_UP = re.compile(r"\s+(?:the|her|his|their|its|an?|most|all|part)\b", re.IGNORECASE)
_WITH = re.compile(r"\bwith (?:an? |the |his |her |their )(?:[\w-]+ ){0,2}$", re.IGNORECASE)


def _held(tags: Sequence[str]) -> tuple[str, ...]:
    """The tags for holding these things, where there are such: 'white_cat' -> 'holding_cat'."""
    found: list[str] = []
    for tag in tags:
        thing: str | None = tag
        while thing is not None and f"holding_{thing}" not in listed():
            thing = base_of(thing)
        found += [f"holding_{thing}"] if thing is not None else []
    return tuple(dict.fromkeys(found))


def _who(said: str) -> tuple[str, ...]:
    """The count tag of people named by number: 'two women' -> '2girls'."""
    found = re.match(r"(two|three|four)\b.*?\b(women|girls|ladies|men|boys)\b", said, re.IGNORECASE)
    if found is None:
        return ()
    kind = "boys" if found[2].lower() in ("men", "boys") else "girls"
    return (f"{_NUMBERS[found[1].lower()]}{kind}",)


def _where(text: str, start: int, end: int, view: bool) -> str:
    """Whether a thing is held or lies about; '' where the text does not say so, since it may be the subject itself.

    ``view``: it is scenery, of which 'under a blue sky' says enough.
    """
    table = words()["reading"]
    before, after = re.split(r"[.;,]", text[:start])[-1], re.split(r"[.;,]", text[end:])[0]
    if re.match(
        r"(?:\W+\w+){0,3}?\W+in (?:her|his|their|its|one|each|both|the|your) (?:\w+ )?(?:hands?|arms|lap|palm|grip)\b",
        after,
        re.IGNORECASE,
    ):
        return "holding"
    if re.search(rf"\b(?:{'|'.join(table['held'])})\s+(?:[\w'-]+\s+){{0,4}}$", before, re.IGNORECASE):
        return "holding"
    there = "|".join(table["there"])
    if re.search(r"\b(?:background|distance|horizon)$", text[start:end], re.IGNORECASE):
        return "background"
    if re.match(rf"(?:\W+[\w'-]+){{0,4}}?\W+(?:is |are )?(?:{there})\b", after, re.IGNORECASE):
        return "background"
    if re.search(
        rf"\b(?:there (?:is|are)|background (?:shows|features|has|is|contains|of|with)|surrounded by|(?:{there})(?: (?:her|him|them|it))?(?: (?:is|are))?)\s+(?:[\w'-]+\s+){{0,4}}$",
        before,
        re.IGNORECASE,
    ):
        return "background"
    near = rf"\b(?:{'|'.join(word for word in table['at'] if word not in ('at', 'by'))}|against|overlooking|below|beneath|behind|with)\s+(?:[\w'-]+\s+){{0,4}}$"
    return "background" if view and re.search(near, before, re.IGNORECASE) else ""


def _tidy(slot_id: str, value: str) -> str:
    """The value as it would be given: without the verb in its middle, without what other traits hold."""
    if slot_id == "clothing":
        return _garments(value)
    if slot_id == "people" and value.lower() in _NUMBERS:
        return _NUMBERS[value.lower()]
    if slot_id == "gaze" and value.lower() in ("left", "right"):
        return "side"
    if slot_id == "gaze" and re.search(r"\b(?:camera|viewer|lens|photographer)$", value, re.IGNORECASE):
        return "camera"
    return _plainly(value.replace(" is ", " ")) if slot_id == "hair" else value


def _plainly(hair: str) -> str:
    """Hair in plain words: 'honey-coloured locks' is honey hair, and so is what has the colour of honey; '' for a few loose strands."""
    if re.fullmatch(r"(?:loose|stray|soft|wild)[ -](?:strands|locks|curls|waves)", hair, flags=re.IGNORECASE):
        return ""
    said = re.sub(r"[ -](?:colou?red|toned|tinted|hued)\b", "", hair, flags=re.IGNORECASE)
    said = re.sub(r"\b(?:locks|tresses|mane|strands)$", "hair", said, flags=re.IGNORECASE)
    tint = said.lower() in wordings(_TINTS["hair"]) and said.lower() not in words()["groups"]["colour"]
    return f"{said} hair" if tint else said


def _garments(value: str) -> str:
    """The clothes of what is worn: hats, glasses, jewelry and make-up are traits of their own."""
    things = items(value)
    others = tuple(words()["reading"]["not_clothing"])
    kept = [
        one for one in things if not core(strip_article(one.lower())).endswith(others) and not _is_no_garment(core(one))
    ]
    return value if len(kept) == len(things) else noun_phrase(", ".join(kept)) if kept else ""


_Hit = tuple[str, str, int, int, tuple[str, ...]]
"""Slot, value, the characters it stands at, and its tags where they are known."""


def _is_no_garment(item: str) -> bool:
    """Whether an item of what is worn is known, and as something else."""
    known = {hit.slot for hit in find(item)}
    return bool(known & (_WORN - {"clothing", "hair"})) or (bool(known) and "clothing" not in known)


def _hits(text: str) -> list[_Hit]:
    hits: list[_Hit] = [
        (slot_id, value, *found.span(), ()) for slot_id, value, pattern in _listed() for found in pattern.finditer(text)
    ]
    for slot_id, pattern, made in _patterns():
        for found in pattern.finditer(text):
            if made:
                hits.append((slot_id, made.format(*found.group(0, *range(1, pattern.groups + 1))), *found.span(), ()))
                continue
            said = found[1].rstrip(" ,;:")
            hits.append((slot_id, said, found.start(1), found.start(1) + len(said), ()))
    return hits


@lru_cache(maxsize=1)
def _listed() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    """One pattern per listed value: all its wordings, longest first."""
    found: list[tuple[str, str, re.Pattern[str]]] = []
    for slot_id, row in slots().items():
        ids = {known.id for known in row.value}
        spoken: dict[str, set[str]] = {}
        for rule in rules().get(slot_id, ()):
            for value in rule.value:
                if value in ids:
                    said = [
                        w for form in ("say", "clause") for style in rule.forms.values() for w in style.get(form, ())
                    ]
                    spoken.setdefault(value, set()).update(w for w in (*rule.read, *said) if w and "{" not in w)
        if slot_id == "medium":
            continue  # 'a painting' may hang on the wall: patterns say where it is the medium
        # an id of two words and more is a wording of its own; 'open' or 'side' alone says nothing
        for value in ids:
            wordings = spoken.get(value, set()) | ({value} if " " in value else set())
            if wordings:
                either = "|".join(
                    re.escape(w).replace(r"\ ", r"[\s-]+") for w in sorted(wordings, key=len, reverse=True)
                )
                found.append((slot_id, value, re.compile(rf"(?<![\w-])(?:{either})(?![\w-])", re.IGNORECASE)))
    return tuple(found)


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str], str], ...]:
    """Slot, pattern, and what the value is made of ('': group 1)."""
    data = tomllib.loads(resources.files("fluxcap").joinpath("data", "reading.toml").read_text(encoding="utf-8"))
    synonyms = words()["synonyms"]
    lists = {name: said for name, said in words()["reading"].items() if name != "unheard"}
    lists |= {name: [*g, *(o for o, usual in synonyms.items() if usual in g)] for name, g in words()["groups"].items()}
    for name, of in _TINTS.items():
        shades = words()["reading"]["shades"] if name in ("hair", "eye") else ()
        tints = [word for word in wordings(of) if word not in shades]
        lists |= {f"{name}_tint": tints, f"{name}_colour": [*tints, *lists["colour"]]}
    groups = {name: _either(said) for name, said in lists.items()}
    found: list[tuple[str, re.Pattern[str], str]] = []
    for row in data["pattern"]:
        match = row["match"]
        for name, either in groups.items():
            match = match.replace("{" + name + "}", either)
        found.append((row["slot"], re.compile(match, re.IGNORECASE), row.get("value", "")))
    return tuple(found)


_TINTS = {"hair": "colour of hair", "eye": "eye colour", "skin": "tone of skin", "expression": "expression"}
"""The dimensions of ``against.toml`` whose words patterns may use."""


def _either(said: Iterable[str]) -> str:
    """Any of these, the longest first; blanks and hyphens are one. By first letters, since there may be hundreds."""
    by_first: dict[str, list[str]] = {}
    for one in sorted(set(said), key=lambda one: (-len(one), one)):
        by_first.setdefault(one[:1], []).append(re.escape(one[1:]).replace(r"\ ", "[ -]"))
    return "(?:" + "|".join(f"{re.escape(first)}(?:{'|'.join(rest)})" for first, rest in by_first.items()) + ")"


def _elsewhere(text: str) -> list[tuple[int, int]]:
    """The stretches that are about somebody else; whoever is named first is the subject, unless said to stand apart."""
    marks = "|".join(re.escape(mark) for mark in words()["elsewhere"]["marks"])
    holders = "|".join(words()["elsewhere"]["holders"])
    held = re.match(rf"\W*(?:an?|the|some) (?:[\w-]+ ){{0,2}}?(?:{holders}) of\b[^.;,]*", text, re.IGNORECASE)
    found: list[tuple[int, int]] = [held.span()] if held else []
    for place, someone in enumerate(_someone().finditer(text)):
        clause = re.compile(r"[^.;,]*").match(text, someone.end())
        assert clause is not None
        other = re.match(r"(?:another|(?:\w+ )?other|his|her|their)\b", someone[0], re.IGNORECASE)
        many = re.match(r"(?:some|several|many|few|people)\b", someone[0], re.IGNORECASE)
        between = r"(?:[\w-]+\s+){0,4}?" if many else r"(?:\w+ing\s+)?"
        far = rf"\s*{between}(?:{marks})\b" if place == 0 else rf".*\b(?:{marks})\b"
        along = place > 0 and _along().search(text[: someone.start()])
        if other or along or re.match(far, clause[0], re.IGNORECASE | re.DOTALL):
            found.append((someone.start(), clause.end()))
    return found


@lru_cache(maxsize=1)
def _along() -> re.Pattern[str]:
    """What stands before somebody who is there too: 'beside a man in a suit'."""
    return re.compile(rf"\b(?:{'|'.join(words()['elsewhere']['along'])})\s+$", re.IGNORECASE)


@lru_cache(maxsize=1)
def _someone() -> re.Pattern[str]:
    table = words()["elsewhere"]
    nouns, kin = "|".join(table["people"]), "|".join(table["kin"])
    counted = r"(?:an?|the|one|two|three|four|five|some|several|many|few|another|other|people)"
    between = r"(?:(?!with\b|in\b|of\b|and\b|on\b)[\w-]+\s+){0,5}?"
    return re.compile(rf"\b(?:(?:his|her|their)\s+(?:{kin})|{counted}\s+{between}(?:{nouns}))\b", re.IGNORECASE)


def _denied(text: str) -> list[tuple[int, int]]:
    """The stretches after 'no', 'not' and 'without', up to what is said next."""
    stop = r"(?:(?!\b(?:but|and|while|with|as|who|that|which)\b)[^.;,])*"
    absent = r"[^.;,]*\b(?:is|are) (?:absent|missing|gone|removed|not (?:visible|there|present|worn))\b"
    gone = [found.span() for found in re.finditer(absent, text, re.IGNORECASE)]
    return gone + [
        found.span()
        for found in re.finditer(
            rf"\b(?:no|not|without|never|lacks|free of|devoid of|\w+n't)\b{stop}", text, re.IGNORECASE
        )
    ]
