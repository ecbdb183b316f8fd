"""How many people a caption speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from fluxcap.checks.tables import tables
from fluxcap.checks.wording import quotations
from fluxcap.english import head, is_plural, words


class Counted(NamedTuple):
    """A statement of how many people there are, the subject among them: from ``least`` to ``most``.

    ``only``: it says that there are no more ('with just one colleague').
    """

    least: int
    most: int
    start: int
    end: int
    only: bool = False

    def fits(self, known: tuple[int, int]) -> bool:
        """Whether it may be said of so many; one more or less is close where several were seen."""
        least, most = known
        close = 1 if most == MANY and not self.only and self.least > 1 else 0
        return self.least <= most + close and self.most >= least - close


MANY = 99
"""As many as there may be."""
_OPENING = 8
"""So many words at most stand before whom the caption is about."""


def totals(value: str) -> tuple[int, int] | None:
    """How many people a value of the slot ``people`` comes to, the subject among them; None where it does not tell."""
    known = tables().people.total.get(value)
    if known is None:
        return None
    least, most = known.split()
    return int(least), int(most)


def counted(text: str, class_word: str) -> Iterator[Counted]:
    """What a text says of the number of people, in its order.

    The subject itself, likenesses ('a poster of a man') and what belongs to somebody ('a man's shirt') do not count. Nothing
    is said where the class word is of several people ('couple').
    """
    if is_plural(class_word) or head(class_word).lower() in tables().people.group:
        return
    taken = quotations(text)
    for kind, pattern in _patterns():
        for match in pattern.finditer(text):
            start, end = match.span("who")
            if any(start < stop and begin < end for begin, stop in taken):
                continue
            found = _amount(kind, match, class_word)
            if found is None or _is_likeness(text[: match.start("who")]) or _is_no_person(text, start, end):
                continue
            taken.append((start, end))
            only = bool(re.search(r"\b(?:only|just)\s+$", text[:start], re.IGNORECASE))
            yield Counted(found[0], found[0] if only else found[1], start, end, only)
    tags = [*re.finditer(r"\b(\d)(\+?)(girl|boy|other)s?\b", text)]
    total = sum(int(tag[1]) for tag in tags)
    if tags:
        more = any(tag[2] for tag in tags)
        yield Counted(total, MANY if more else total, tags[0].start(), tags[-1].end())


def _amount(kind: str, match: re.Match[str], class_word: str) -> tuple[int, int] | None:
    said = match.groupdict()
    if kind == "alone":
        return 1, 1
    if kind == "crowd":
        return 3, MANY
    if kind == "sized":
        size = tables().people.size[said["size"].lower()]
        return int(size), int(size)
    if kind == "numbered":
        amount = tables().people.number.get(_spaced(said["number"]), said["number"])
        more = 1 if said.get("other") or said.get("beside") else 0
        least = int(amount.rstrip("+")) + more
        return (least, MANY if amount.endswith("+") else least) if least > 1 else None
    if kind == "plural":
        return 2, MANY
    if kind == "single" and not _is_another(match, said, _spaced(said["noun"]), head(class_word).lower()):
        return None
    return 2, MANY


def _is_another(match: re.Match[str], said: Mapping[str, str | None], noun: str, subject: str) -> bool:
    """Whether one person is somebody besides the subject: 'a nurse' may be the subject itself, 'a nurse beside her' is not."""
    table = tables().people.words
    beside, the = _spaced(said.get("beside") or ""), _spaced(said.get("article") or "") == "the"
    if said.get("another") or (beside and not the):
        return True
    if beside in table["touching"] and noun not in (subject, *table["again"]):
        return True
    rest = re.match(r"[^.;]*", match.string[match.end("who") :])
    beside_her = re.search(r"\b(?:her|him|them|herself|himself)\b", rest[0] if rest else "", re.IGNORECASE)
    if noun == subject or noun in table["again"]:
        return False
    if (said.get("article") or match["who"].split()[0]).lower() == "the":
        return bool(_BESIDE.match(rest[0] if rest else ""))
    if re.match(r"(?:her|his|their)\s", match["who"], re.IGNORECASE):
        return True
    mine = next((table[row] for row in ("same_she", "same_he") if subject in table[row]), ())
    if noun in mine:
        return any(word in table["small"] for word in match["who"].lower().split())
    other = any(noun in table[row] for row in ("same_she", "same_he", "young")) and bool(mine)
    if re.search(
        r"\b(?:while|whilst|where|sits|stands|lies|kneels|waits|walks)\s+$",
        match.string[: match.start("who")],
        re.IGNORECASE,
    ):
        return True
    named = re.search(r"\bof\s+(?:an?\s+)?$", match.string[: match.start("who")], re.IGNORECASE)
    return not named and (other or bool(beside_her))


_BESIDE = re.compile(
    r"\s+(?:(?:beside|behind|next\s+to|near|with|in\s+front\s+of|opposite|across\s+from)\s+(?:her|him|them|it)\b"
    r"|(?:in|at|on)\s+the\s+(?:next|other|neighbou?ring|adjacent)\s+(?:seat|table|chair|desk|bench)\b)",
    re.IGNORECASE,
)


def _is_likeness(before: str) -> bool:
    """Whether what is named next is only shown on something, or a comparison: 'a poster of a', 'dressed as a'."""
    last = re.sub(r"\W*(?:an?|the|some)?\W*$", "", before.lower()).split()
    if not last or last[-1] in ("as", "like"):
        return bool(last)
    table = tables().people.words
    shown = (*table["likeness"], *table["picture"])
    return last[-1] == "of" and any(word in shown for word in last[-3:-1]) and not _opens(last)


def _is_no_person(text: str, start: int, end: int) -> bool:
    """Whether the words are drawn or made ('a cartoon couple'), or go with the noun behind them ('a man bun', 'baby blue')."""
    table = tables().people.words
    if any(word in table["unreal"] for word in text[start:end].lower().split()):
        return True
    follows = re.match(r"\s+([\w'’-]+)", text[end:])
    word = follows[1].lower() if follows else ""
    if not word or not re.match(r"an?\s", text[start:end], re.IGNORECASE):
        return word in words()["reading"]["garment"]
    known = word in words()["reading"]["apart"] or word in table["goes_on"] or not word.isascii()
    verb = word.endswith(("ing", "ed", "s", "n't", "ly"))
    return not (known or verb) or word in words()["reading"]["garment"]


def _opens(said: Sequence[str]) -> bool:
    """Whether these words open the caption, so that 'a photo of' names what it shows."""
    return len(said) <= _OPENING and any(word in tables().people.words["picture"] for word in said)


def _spaced(text: str) -> str:
    return " ".join(text.lower().split())


def _either(options: Sequence[str]) -> str:
    """Any of these, the longest first."""
    spelled = sorted(map(re.escape, options), key=len, reverse=True)
    return "(?:" + "|".join(one.replace(r"\ ", r"\s+") for one in spelled) + ")"


@lru_cache(maxsize=1)
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    table = tables().people
    one, many, crowd = _either(table.one), _either(table.many), _either(table.crowd)
    beside, another = _either(table.words["beside"]), _either(table.words["another"])
    number = rf"(?:{_either(tuple(table.number))}|\d{{1,2}})"
    between = r"(?:(?!(?:with|in|of|and|on|to|at|who|is|are|while|whilst|where|a|an)\b)[\w-]+\s+){0,3}?"
    limbs = _either(table.words["limbs"])
    own = rf"(?!['’]s\b(?!\s+{limbs}\b))(?!['’](?!s))(?!-)"
    rows = (
        (
            "alone",
            r"\b(?P<who>(?:all\s+)?alone|by\s+(?:herself|himself|itself|themselves)|on\s+(?:her|his|their|its)\s+own|solo|solitary|the\s+only\s+one|(?:the\s+)?(?:only|just)\s+(?:one\s+)?(?:person|woman|man|girl|boy|human)|(?:a|the)\s+(?:lone|single|solitary)\s+(?:person|woman|man|girl|boy|figure))\b",
        ),
        (
            "numbered",
            rf"(?:\b(?P<beside>{beside})\s+)?\b(?P<who>(?:(?:the|her|his|their|a\s+group\s+of|group\s+of)\s+)?(?P<number>{number})\s+(?P<other>(?:other|more|additional|further)\s+)?{between}(?:{many}))\b{own}",
        ),
        (
            "crowd",
            rf"\b(?P<who>(?:(?:an?|the)\s+)?(?:(?!(?:with|in|of|and|on|a|an|the|is|to)\b)[\w-]+\s+)?{crowd})\b{own}",
        ),
        ("sized", rf"\b(?P<who>(?:an?|the)\s+(?:[\w-]+\s+)?(?P<size>{_either(tuple(table.size))}))\b(?!\s+of\b){own}"),
        ("numbered", rf"\b(?P<who>(?:{_either(table.group)})\s+of\s+(?P<number>{number}))\b"),
        ("sized", rf"(?:^|,)\s*(?P<who>(?P<size>{_either(tuple(table.size))}))\s*(?=,|$)"),
        ("plural", r"\b(?P<who>both\s+of\s+them)\s+(?:are\s+)?(?:wear|smil|stand|sit|laugh|pos|look|dress)"),
        ("plural", r"\b(?P<who>(?:mum|mom|grandma)\s+and\s+(?:dad|grandpa)|dad\s+and\s+(?:mum|mom))\b"),
        ("numbered", r"\b(?P<who>(?:the|all|both)\s+(?P<number>two|three|four|five)\s+of\s+(?:them|us))\b"),
        ("plural", r"\b(?P<who>(?:somebody|someone)(?:\s+else)?)\b"),
        ("crowd", r"\b(?P<who>(?:a|the)\s+(?:[\w-]+\s+)?group)\b(?!\s+of\b)"),
        ("plural", rf"\b(?P<who>(?:{_either(table.group)})\s+of\s+{between}(?:{many}))\b{own}"),
        (
            "single",
            rf"(?:\b(?P<beside>{beside})\s+)?\b(?P<who>(?P<another>{another})\s+{between}(?P<noun>{one}|model|character|figure))\b{own}",
        ),
        (
            "single",
            rf"\b(?P<beside>{beside})\s+(?:(?:only|just)\s+)?(?P<who>(?P<article>an?|one|some|her|his|their|the)\s+{between}(?P<noun>{one}))\b{own}",
        ),
        ("single", rf"\b(?P<who>(?:an?|one|her|his|their|the)\s+{between}(?P<noun>{one}))\b{own}"),
        ("plural", rf"\b(?P<who>(?:(?:the|her|his|their|other|these|those)\s+){{0,2}}{between}(?:{many}))\b{own}"),
    )
    return tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in rows)
