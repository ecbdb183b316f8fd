"""CAP025."""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

from fluxcap.checks.types import CheckInput, issue
from fluxcap.checks.wording import has_words, judged, quoted, whole
from fluxcap.english import pronouns
from fluxcap.english import words as word_lists
from fluxcap.talk import plain, sentences, talk, words
from fluxcap.talk.text import Word
from fluxcap.types import Issue, Severity

_KINDS = ("they", "them", "their", "theirs", "themselves")
"""Subject, object, possessive, possessive alone, reflexive, as the word lists call them."""

_IS = ("is", "are", "was", "were")
_SHORTENED: Mapping[bool, Mapping[str, str]] = {
    False: {"'re": "'s", "'ve": "'s"},
    True: {"'s": "'re"},
}
"""'they're' and 'she's': the shortened verbs of one and of many."""

_SHORT = 9
"""Words of a sentence that says only where something is."""

_AFTER = re.compile(r"'(?:s|re|ve|d|ll)$")


def _item(text: str, class_word: str = "woman", pronouns: str | None = None) -> CheckInput:
    return CheckInput(
        image_id="1", path="1.png", trigger="ohwx", class_word=class_word, text=text, preset="person", pronouns=pronouns
    )


class WrongPronoun:
    """Caption that calls the subject by the wrong pronoun.

    What it does:
        Compares the pronouns with those of the subject: the person's choice (setting ``pronouns``), or the class word's. Where
        neither tells, 'he' and 'she' in one caption are reported. Pronouns of other people, animals and things are let be.
    Why is this bad:
        'He' and 'his' are words of men, and pull the picture of a woman there; two pronouns tell of two people.
    Example:
        ohwx woman, a photo of a woman in a park. He is wearing a red coat. Her eyes are open.
    Use instead:
        ohwx woman, a photo of a woman in a park. She is wearing a red coat. Her eyes are open.
    """

    code: ClassVar[str] = "CAP025"
    name: ClassVar[str] = "wrong-pronoun"
    severity: ClassVar[Severity] = "warning"
    valid: ClassVar[tuple[CheckInput, ...]] = (
        _item(
            "ohwx woman, a photo of a woman in a dress with its belt undone. It is raining. She wears boots, they are black."
        ),
        _item("ohwx woman. A man is behind her and holds his hat. A dog is wagging its tail. She is smiling."),
        _item("ohwx person. She is wearing a hat.", class_word="person"),
        _item("ohwx woman. They are smiling.", pronouns="they/them"),
    )
    invalid: ClassVar[tuple[CheckInput, ...]] = (
        _item("ohwx woman, a photo of a woman in a park. He is wearing a red coat. His eyes are open."),
        _item("ohwx woman, a photo of a woman in a park. They are wearing a red coat, and their eyes are open."),
        _item("ohwx woman, a photo of a woman. It is wearing a red coat. Its eyes are open."),
        _item("ohwx man, a photo of a man. She is holding her hat. A wall is behind her.", class_word="man"),
        _item("ohwx person. He is wearing a hat. Her eyes are open.", class_word="person"),
        _item("ohwx woman. She is smiling.", pronouns="they/them"),
    )

    def check(self, item: CheckInput) -> Iterator[Issue]:
        """One issue for each pronoun; the mend changes all of them, and the verbs with them."""
        if not has_words(item) or (item.preset == "style" and not item.pronouns):
            return
        who, settled = _subject(item)
        found = _wrong(judged(item), who, item.class_word, settled=settled)
        fix = None
        if found and settled:
            fix = whole(
                _mended(item.text, judged(item), found, who),
                item,
                lambda text: _wrong(plain(text, item.trigger), who, item.class_word, settled=True),
            )
        for word in found:
            instead = f'the subject is "{who}"' if settled else "another one stands in this caption"
            yield issue(
                self,
                item,
                f"says {quoted(item.text, word.start, word.end)}, but {instead}: say the same pronoun everywhere, or set pronouns",
                span=(word.start, word.end),
                fix=fix,
            )


def _subject(item: CheckInput) -> tuple[str, bool]:
    """The subject's pronoun, and whether class word or person settled it."""
    who = pronouns(item.class_word, item.preset, item.pronouns)["they"]
    return who, item.pronouns is not None or who in ("she", "he")


@lru_cache(maxsize=1024)
def _wrong(text: str, who: str, class_word: str, *, settled: bool) -> tuple[Word, ...]:
    """The pronouns of a judged text that are the subject's and the wrong ones."""
    said = words(text)
    who_is = _who()
    called = [(word, who_is[form]) for word in said if (form := _AFTER.sub("", word.text)) in who_is]
    if not settled:
        kinds = {kind for _, kind in called if kind in ("he", "she")}
        first = next((kind for _, kind in called if kind in kinds), "")
        if len(kinds) < 2:
            return ()
        who = first
        called = [(word, kind) for word, kind in called if kind in kinds]
    own = {one for one in re.split(r"\W+", class_word.lower()) if one}
    others = {kind: _first_of(said, _others(kind) - own) for kind in {kind for _, kind in called}}
    found: list[Word] = []
    for word, kind in called:
        if kind == who or others[kind] < word.start:
            continue
        if kind in ("he", "she") or _is_somebody(text, said, word, class_word):
            found.append(word)
    return tuple(found)


def _first_of(said: Sequence[Word], others: frozenset[str]) -> float:
    """Where somebody else is named first, of whom the pronouns behind may speak."""
    return next((word.start for word in said if word.text.removesuffix("'s") in others), math.inf)


@lru_cache(maxsize=8)
def _others(kind: str) -> frozenset[str]:
    """Words for others: of 'he' men and whoever may be one, of 'they' and 'it' everybody."""
    lists = word_lists()
    of, elsewhere = lists["pronouns"], lists["elsewhere"]
    either = {
        *of["they"],
        *talk().pronoun["others"],
        *(set(elsewhere["people"]) - {*of["she"], *of["he"], "men", "women", "boys", "girls", "lady", "guy"}),
    }
    men = {
        *of["he"],
        "men",
        "boys",
        "guy",
        "guys",
        "husband",
        "boyfriend",
        "brother",
        "uncle",
        "son",
        "grandfather",
        "gentlemen",
    }
    women = {*of["she"], "women", "girls", "ladies", "wife", "girlfriend", "sister", "aunt", "daughter", "grandmother"}
    kin = set(elsewhere["kin"])
    if kind == "he":
        return frozenset(either | men | (kin - women))
    if kind == "she":
        return frozenset(either | women | (kin - men))
    return frozenset(either | men | women | kin)


def _is_somebody(text: str, said: Sequence[Word], word: Word, class_word: str) -> bool:
    """Whether 'they' or 'it' can only be a person: by what is owned, done, or where it is."""
    place = bisect_left(said, word.start, key=lambda one: one.start)
    sentence = next((one for one in sentences(text) if one.start <= word.start < one.end), None)
    begin, end = (sentence.start, sentence.end) if sentence else (0, len(text))
    clause = re.search(r"[,;:]", text[word.end : end])
    stop = word.end + clause.start() if clause else end
    after = [one.text for one in said[place + 1 : place + 1 + _SHORT] if one.start < stop]
    before = [one.text for one in said[:place] if one.start >= begin]
    form = _AFTER.sub("", word.text)
    if form in ("themselves", "itself"):
        return False
    if form in ("their", "its"):
        return _owns(form, before, after, class_word)
    if word.text != form:
        return _acts(["are", *after])  # 'they're', 'it's'
    return _acts(after) if form == "they" or (form == "it" and after and _is_finite(after[0])) else _is_placed(before)


def _owns(form: str, before: Sequence[str], after: Sequence[str], class_word: str) -> bool:
    """Whether what is owned is a person's: 'their eyes', but not 'a clock with its hands', 'her face, its skin'."""
    rules = talk().pronoun
    if form == "its" and any(one in rules["bodies"] for one in before):
        return False
    led = [one for one in before if not one.endswith("ly")]
    if led[-1:] == ["with"] and not set(led[-2:-1]) & (rules["own"] | rules["does"] | set(class_word.lower().split())):
        return False
    return any(one in rules["own"] for one in after[:3])


def _acts(after: Sequence[str]) -> bool:
    """Whether the verb behind is a person's: 'are wearing', 'has a smile', 'is in a park'."""
    rules = talk().pronoun
    verb, rest = after[:1], after[1:]
    if not verb or verb[0] in rules["verbs"]:
        return bool(verb)
    if verb[0] in ("has", "have"):
        return any(one in rules["own"] for one in rest)
    if verb[0] not in _IS:
        return False
    return any(one in rules["does"] for one in rest[:2]) or (
        bool(rest) and rest[0] in rules["at"] and any(one in rules["places"] for one in rest)
    )


def _is_placed(before: Sequence[str]) -> bool:
    """Whether something is behind a person, or falls on one, and nothing else was named: 'A wall is behind them.'"""
    falls = talk().pronoun["falls"]
    named = talk().pronoun["verbs"] | falls
    if not 1 < len(before) < _SHORT or any(one[-1] == "s" and len(one) > 3 and one not in named for one in before):
        return False
    return before[-1] in ("behind", "beside", "around") or (
        before[-1] in ("on", "from") and before[-2] in falls | {"light"}
    )


def _is_finite(verb: str) -> bool:
    return verb in _IS or verb in ("has", "have") or verb in talk().pronoun["verbs"]


@lru_cache(maxsize=1)
def _who() -> Mapping[str, str]:
    """Every form of a pronoun, and whose it is."""
    return {row[kind]: who for who, row in word_lists()["forms"].items() for kind in _KINDS}


def _mended(text: str, shown: str, found: Sequence[Word], who: str) -> str:
    """The caption with the subject's pronouns, and with the verbs that they want."""
    said = words(shown)
    many = who == "they"
    for word in reversed(found):
        place = bisect_left(said, word.start, key=lambda one: one.start)
        following = said[place + 1] if place + 1 < len(said) else None
        kind = _kind(word, following, shown)
        new: str = word_lists()["forms"][who][kind]
        tail = _AFTER.search(word.text)
        were_many = _who()[_AFTER.sub("", word.text)] == "they"
        if tail is not None:
            new += _SHORTENED[many].get(tail[0], tail[0])
        elif kind == "they" and following is not None and were_many != many:
            text = text[: following.start] + _agreed(following.text, many=many) + text[following.end :]
        old = text[word.start : word.end]
        text = text[: word.start] + (new.capitalize() if old[0].isupper() else new) + text[word.end :]
    return text


def _kind(word: Word, following: Word | None, text: str) -> str:
    """Which of the forms a pronoun is, by what follows: 'her hat' is a possessive, 'behind her' is none."""
    form = _AFTER.sub("", word.text)
    row = word_lists()["forms"][_who()[form]]
    alone = following is None or bool(text[word.end : following.start].strip())
    if form in ("her", "his"):
        if alone or (following is not None and following.text in talk().pronoun["no_noun"]):
            return "them" if form == "her" else "theirs"
        return "their"
    if form == "it":
        verb = following is not None and not alone and _is_finite(following.text)
        return "they" if verb or word.text != form else "them"
    return next(kind for kind in _KINDS if row[kind] == form)


def _agreed(verb: str, *, many: bool) -> str:
    """The verb as another subject wants it: 'are' and 'is', 'wear' and 'wears'."""
    pairs = {"are": "is", "were": "was", "have": "has", "do": "does"}
    if not many:
        if verb in pairs:
            return pairs[verb]
        if verb not in talk().pronoun["verbs"] or verb.endswith("s"):
            return verb
        return (
            verb[:-1] + "ies"
            if re.search(r"[^aeiou]y$", verb)
            else verb + ("es" if re.search(r"(?:s|x|ch|sh)$", verb) else "s")
        )
    single = {one: other for other, one in pairs.items()}
    if verb in single:
        return single[verb]
    return verb[:-1] if verb in talk().pronoun["verbs"] and verb.endswith("s") else verb
