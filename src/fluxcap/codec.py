"""Outside data (TOML, JSON) to and from the frozen dataclasses of this package.

The only file that knows the parsing library. What does not fit is a ``UsageError`` of one line: where, which key, what is expected.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from fluxcap.errors import UsageError

T = TypeVar("T")

_WORDS = {
    "str": "text in quotes",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "null": "nothing",
}


class UnknownKey(UsageError):
    """A key that means nothing here; ``key`` is its dotted path."""

    def __init__(self, message: str, hint: str, key: str) -> None:
        super().__init__(message, hint)
        self.key = key


def decode_toml(text: str, cls: type[T], where: str) -> T:
    """Read TOML as ``cls`` (a dataclass). ``where`` names the file in the error.

    Raises ``UsageError`` for broken TOML (with the line), a wrong type or value (with the key's path), and ``UnknownKey``.
    """
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{where} is not valid TOML: {_one_line(error)}", "mend that line") from error
    return from_builtins(data, cls, where)


def decode_json(text: str | bytes, cls: type[T], where: str) -> T:
    """Read JSON as ``cls``; errors as in ``decode_toml``."""
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise UsageError(f"{where} is not valid JSON: {_one_line(error)}") from error
    return from_builtins(data, cls, where)


def from_builtins(data: object, cls: type[T], where: str) -> T:
    """Dicts, lists, texts and numbers as ``cls``; errors as in ``decode_toml``."""
    _refuse_what_does_not_fit(data, cls, (), where, cls)
    try:
        return msgspec.convert(data, cls)
    except msgspec.ValidationError as error:
        raise _misfit(where, (), error) from error


def encode_json(obj: object) -> str:
    """Compact JSON; the same value always gives the same text (fields in their order, dict keys sorted)."""
    return msgspec.json.encode(obj, order="deterministic").decode()


def to_builtins(obj: object) -> Any:
    """Dataclasses as dicts, all the way down; what is left is plain data that any JSON writer takes."""
    return msgspec.to_builtins(obj, order="deterministic", str_keys=True)


def suggest(word: str, known: Sequence[str]) -> str | None:
    """The known word that was probably meant, if one is close."""
    close = difflib.get_close_matches(word, known, n=1)
    return close[0] if close else None


def _refuse_what_does_not_fit(data: object, hint: Any, path: tuple[str, ...], where: str, root: Any) -> None:
    """Find unknown keys and unlisted values by their path; the plain types are left to ``msgspec.convert``."""
    for option in get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,):
        origin, inner = get_origin(option), get_args(option)
        if isinstance(data, dict) and dataclasses.is_dataclass(option):
            hints = get_type_hints(option)
            for key, value in data.items():
                if key not in hints:
                    raise _unknown(key, list(hints), path, where, root)
                _refuse_what_does_not_fit(value, hints[key], (*path, key), where, root)
        elif isinstance(data, dict) and isinstance(origin, type) and issubclass(origin, Mapping):
            for key, value in data.items():
                _refuse_what_does_not_fit(value, inner[1], (*path, key), where, root)
                try:
                    msgspec.convert(value, inner[1])
                except msgspec.ValidationError as error:
                    raise _misfit(where, (*path, key), error) from error
        elif isinstance(data, list) and origin in (list, tuple, set, frozenset) and inner:
            for place, value in enumerate(data):
                of = inner[place] if origin is tuple and inner[-1] is not Ellipsis and place < len(inner) else inner[0]
                _refuse_what_does_not_fit(value, of, (*path[:-1], f"{path[-1] if path else ''}[{place}]"), where, root)
        elif origin is Literal and isinstance(data, str) and data not in inner:
            near = suggest(data, [str(value) for value in inner])
            choices = " or ".join(f'"{value}"' for value in inner)
            raise UsageError(
                f'{where}: {".".join(path)} is "{_one_line(data)}", but may only be {choices}',
                f'did you mean "{near}"?' if near else "",
            )


def _unknown(key: str, siblings: list[str], path: tuple[str, ...], where: str, root: Any) -> UnknownKey:
    """The error for a key that is not there: the same name in another table, then the close sibling."""
    dotted = ".".join((*path, key))
    everywhere = {name.rpartition(".")[2]: name for name in _paths(root)}
    near = suggest(key, siblings)
    if key in everywhere or near is None:
        elsewhere = suggest(key, list(everywhere))
        meant = everywhere[elsewhere] if elsewhere is not None else None
    else:
        meant = ".".join((*path, near))
    hint = f"did you mean {meant}?" if meant else f"known here: {', '.join(siblings)}"
    return UnknownKey(f"{where}: {_one_line(dotted)} is not a setting", hint, dotted)


def _paths(cls: Any, prefix: str = "") -> Iterator[str]:
    """The dotted paths of a dataclass's fields, nested ones too."""
    for name, hint in get_type_hints(cls).items():
        yield prefix + name
        if dataclasses.is_dataclass(hint):
            yield from _paths(hint, f"{prefix}{name}.")


def _misfit(where: str, path: tuple[str, ...], error: msgspec.ValidationError) -> UsageError:
    """A wrong type, in words; msgspec says "Expected `str`, got `int` - at `$.plan.bound[0]`"."""
    text, _, place = _one_line(error).partition(" - at `$")
    dotted = (".".join(path) + place.rstrip("`")).lstrip(".")
    found = re.fullmatch(r"Expected `([^`]+)`, got `([^`]+)`", text)
    if found is None:
        return UsageError(f"{where}: {dotted}: {text}" if dotted else f"{where}: {text}")
    expected = [_WORDS.get(word, word) for word in found[1].split(" | ") if word != "null"]
    got = _WORDS.get(found[2], found[2]).removesuffix(" in quotes")
    return UsageError(f"{where}: {dotted or 'the whole'} must be {' or '.join(expected)}, not {got}")


def _one_line(thing: object) -> str:
    return " ".join(str(thing).split())
