"""Text that went through the wrong encoding, and what it was: each rule undoes one known accident, none guesses."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import NamedTuple

from fluxcap.talk.rules import table

_ROUNDS = 4
"""An accident may have happened to a text more than once."""

_LOST = re.compile(
    r"\ufffd+|ï¿½|ïżœ|ďż˝|(?<=[a-z])\?(?=[a-z])|\?{2,}|□+|▯+|(?<=[a-z])Ã(?=[\s,.]|$)|â€|Ã[^\w\s]|锟斤拷|烫烫烫"
)
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])[`´](?=[^\W\d_])")
_BLANK = re.compile(r"(?<![^\W\d_a-z])Â(?![^\W\d_])")
"""What is left of a no-break blank: 'Â' where no letter goes on."""
_ESCAPED = re.compile(
    r"\\u\{?[0-9a-fA-F]{4,6}\}?|\\x[0-9a-fA-F]{2}|\\U[0-9a-fA-F]{8}|\\[nrt](?![a-z])|\\[nr](?=[A-Z]?[a-z]* )|\\+[\"'/]|(?<=\w)u00[0-9a-f]{2}(?=\w|\b)|%[0-9A-F]{2}(?=%|\w|\b)|=(?:20|3D|0A|0D|[89A-F][0-9A-F])|\\(?=\s|$)|_x[0-9A-F]{4}_"
)
_ENTITY = re.compile(
    r"&(?:#\d{2,7}|#[xX][0-9a-fA-F]{2,6}|[A-Za-z][A-Za-z0-9]{1,30});|&(?:nbsp|amp|quot|lt|gt|apos|rsquo|lsquo|rdquo|ldquo|eacute|hellip|ndash|mdash)\b"
)
_PLUSES = re.compile(r"^\w+(?:[+][\w,.'-]+){3,}$")
_STRANGE = re.compile(r"[^\x00-\x7f]+")


class Garbled(NamedTuple):
    """A place where the text is broken; ``lost``: what stood there cannot be told any more."""

    start: int
    end: int
    what: str
    lost: bool = False


def garbled(text: str) -> tuple[Garbled, ...]:
    """The broken places of a text, in its order."""
    found = [Garbled(*match.span(), "lost signs", lost=True) for match in _LOST.finditer(text)]
    for what, pattern in (("an HTML entity", _ENTITY), ("an escaped sign", _ESCAPED)):
        found += [
            Garbled(*match.span(), what)
            for match in pattern.finditer(text)
            if _changes(text[max(0, match.start() - 1) : match.end() + 1])
        ]
    found += [Garbled(match.start(), match.end(), "blanks as '+'") for match in _PLUSES.finditer(text)]
    found += [Garbled(*match.span(), "a broken blank") for match in _BLANK.finditer(text)]
    found += [Garbled(*match.span(), "a wrong apostrophe") for match in _APOSTROPHE.finditer(text)]
    if not text.isascii() or any(ord(sign) < 32 for sign in text):
        for match in _STRANGE.finditer(text):
            for start, end in _wrong_encoding(match[0]):
                found.append(Garbled(match.start() + start, match.start() + end, "text in the wrong encoding"))
        found += [Garbled(start, end, "an invisible sign") for start, end in _invisible(text)]
        found += [Garbled(*match.span(), "letters of two alphabets in one word") for match in _mixed(text)]
        found += [Garbled(*match.span(), "letters in disguise") for match in _disguised().finditer(text)]
        found += [Garbled(*match.span(), "piled-up accents") for match in re.finditer(r"[\u0300-\u036f]{3,}", text)]
    kept: list[Garbled] = []
    for one in sorted(found, key=lambda one: (one.start, -one.end, one.lost)):
        if not kept or one.start >= kept[-1].end:
            kept.append(one)
    return tuple(kept)


def ungarbled(text: str) -> str:
    """The text as it was before; what is lost stays as it is. A text that is whole comes back unchanged."""
    steps: tuple[Callable[[str], str], ...] = (_decoded, _undone, _visible, _one_alphabet, _plain_letters)
    for _ in range(_ROUNDS):
        before = text
        for step in steps:
            text = step(text)
        if text == before:
            break
    return text


def _changes(text: str) -> bool:
    return _undone(text) != text


def _undone(text: str) -> str:
    """Without HTML entities and escapes."""
    text = _ENTITY.sub(lambda match: html.unescape(match[0] if match[0].endswith(";") else match[0] + ";"), text)
    text = re.sub(r"(?:%[0-9A-F]{2})+", lambda match: _octets(match, "%"), text)
    text = re.sub(r"(?:=(?:20|3D|0A|0D|[89A-F][0-9A-F]))+", lambda match: _octets(match, "="), text)
    text = re.sub(r"(?:\\x[0-9a-fA-F]{2})+", lambda match: _octets(match, r"\x"), text)
    text = re.sub(r"(?:\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})", _pair, text)
    text = re.sub(r"\\u\{?([0-9a-fA-F]{4,6})\}?|\\U([0-9a-fA-F]{8})|(?<=\w)u(00[0-9a-f]{2})(?=\w|\b)", _sign, text)
    text = re.sub(r"\\[nrt](?![a-z])|\\[nr](?=[A-Z]?[a-z]* )", " ", text)
    text = re.sub(r"_x([0-9A-F]{4})_", lambda match: _shown(chr(int(match[1], 16))), text)
    text = re.sub(r"\\+([\"'/])", r"\1", text)
    text = re.sub(r"\\(?=\s|$)", "", text)
    if _PLUSES.match(text):
        text = text.replace("+", " ")
    return text


def _shown(sign: str) -> str:
    return sign if sign.isprintable() else ""


def _octets(match: re.Match[str], mark: str) -> str:
    octets = bytes(int(part, 16) for part in match[0].split(mark)[1:])
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1") if mark != "=" else match[0]


def _sign(match: re.Match[str]) -> str:
    code = int(match[1] or match[2] or match[3], 16)
    return chr(code) if code < 0x110000 and not 0xD800 <= code < 0xE000 else match[0]


def _pair(match: re.Match[str]) -> str:
    high, low = (int(part, 16) for part in match[0].split("\\u")[1:])
    return chr(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))


def _decoded(text: str) -> str:
    """UTF-8 that was read as something else, read as UTF-8."""
    text = _APOSTROPHE.sub("'", _BLANK.sub("", text))
    return _STRANGE.sub(lambda match: _redecoded(match[0]), text)


@lru_cache(maxsize=512)
def _redecoded(run: str) -> str:
    parts: list[str] = []
    done = 0
    for start, end, was in _wrong(run):
        parts += [run[done:start], was]
        done = end
    return "".join([*parts, run[done:]])


def _wrong_encoding(run: str) -> Iterator[tuple[int, int]]:
    for start, end, _ in _wrong(run):
        yield start, end


def _wrong(run: str) -> Iterator[tuple[int, int, str]]:
    """Parts of a run of strange signs that are the octets of other signs, and those."""
    if (was := _was_two_octets(run)) is not None:
        yield 0, len(run), was
        return
    place = 0
    while place < len(run):
        for size in (4, 3, 2):
            was = _was(run[place : place + size]) if place + size <= len(run) else None
            if was is not None:
                yield place, place + size, was
                place += size
                break
        else:
            place += 1


@lru_cache(maxsize=4096)
def _was(piece: str) -> str | None:
    """The one sign whose UTF-8 octets these signs are in some other encoding, where that is a sign of captions."""
    for encoding in table("garbled")["encodings"]:
        octets = bytearray()
        for sign in piece:
            try:
                octets += sign.encode(encoding)
            except UnicodeEncodeError:
                if encoding != "cp1252" or not 0x80 <= ord(sign) < 0xA0:
                    break
                octets.append(ord(sign))
        else:
            try:
                sign = bytes(octets).decode("utf-8")
            except UnicodeDecodeError:
                continue
            if len(sign) == 1 and (_is_western(sign) or (encoding == "cp1252" and _is_likely(sign))):
                return sign
    return None


def _was_two_octets(run: str) -> str | None:
    """What was read two octets at a time, as Chinese or Japanese: '鈥攕' is '—s'."""
    for encoding in table("garbled")["double"]:
        try:
            was = run.encode(encoding).decode("utf-8")
        except UnicodeError:
            continue
        if len(was) <= 2 * len(run) and all(sign.isascii() or 0xA0 <= ord(sign) < 0x2600 for sign in was):
            return was
    return None


def _is_western(sign: str) -> bool:
    """Letters with accents and typographic signs."""
    return 0xA0 <= ord(sign) < 0x180 or 0x2010 <= ord(sign) < 0x2123


def _is_likely(sign: str) -> bool:
    """Other alphabets, symbols and emoji; not what chance would make."""
    code = ord(sign)
    return (
        0x370 <= code < 0x600
        or 0x2123 <= code < 0x27C0
        or 0x3000 <= code < 0xD7A4
        or code in (0xFEFF, 0xFFFD)
        or code > 0x1F000
    )


def _invisible(text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[^\n\r\t\x20-\x7e\xa1-\xac\xae-\u02ff]", text):
        if _is_invisible(text, match.start()):
            yield match.span()


def _is_invisible(text: str, place: int) -> bool:
    """Control and zero-width signs, private ones and unusual blanks; not the joiner within an emoji or an Indic word."""
    sign = text[place]
    if sign in "\u200c\u200d\ufe0f":
        beside = text[place - 1 : place] + text[place + 1 : place + 2]
        return place == 0 or any(one.isascii() for one in beside) or (sign != "\ufe0f" and len(beside) < 2)
    category = unicodedata.category(sign)
    return (
        category in ("Cc", "Cf", "Co", "Cs", "Cn")
        or sign in "\u00ad\u2028\u2029"
        or (category == "Zs" and sign not in " \u00a0\u202f\u3000")
    )


def _visible(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    kept = [
        sign
        if not _is_invisible(text, place) or sign in "\n\r\t"
        else " "
        if unicodedata.category(sign)[0] == "Z" or sign in "\x0b\x0c\x85"
        else ""
        for place, sign in enumerate(text)
    ]
    return re.sub(r"[\u0300-\u036f]{3,}", "", "".join(kept))


def _mixed(text: str) -> Iterator[re.Match[str]]:
    """Words of Latin letters with letters of another alphabet that look like them."""
    for match in re.finditer(r"[^\W\d_]{2,}", text):
        if not match[0].isascii() and re.search(r"[A-Za-z]", match[0]) and _OTHER.search(match[0]):
            yield match


_OTHER = re.compile(r"[\u0370-\u03bb\u03bd-\u052f\u0531-\u0587\u13a0-\u13ff]|[ɑɡӏᴢƄ]")
"""Greek (but for the sign of micro), Cyrillic, Armenian and Cherokee letters, and Latin ones that no language of captions has."""


def _one_alphabet(text: str) -> str:
    if text.isascii():
        return text
    for match in reversed(list(_mixed(text))):
        plain = "".join(_alike().get(sign, sign) for sign in match[0])
        text = text[: match.start()] + plain + text[match.end() :]
    return text


@lru_cache(maxsize=1)
def _alike() -> dict[str, str]:
    """Letters of other alphabets -> the Latin letters that they look like."""
    rows: dict[str, str] = table("garbled")["alike"]
    return {sign: letter for letter, signs in rows.items() for sign in signs}


@lru_cache(maxsize=1)
def _disguised() -> re.Pattern[str]:
    return re.compile(r"[\uff01-\uff5e\U0001d400-\U0001d7ff\u24b6-\u24e9\ufb00-\ufb06]+")


def _plain_letters(text: str) -> str:
    return text if text.isascii() else _disguised().sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def folded(text: str) -> str:
    """The letters and digits of a text in one spelling: small, Latin, without accents, digits that look like letters as such."""
    plain = unicodedata.normalize("NFKD", _plain_letters(text)).lower()
    return "".join(_alike().get(sign, sign) for sign in plain if sign.isalnum())
