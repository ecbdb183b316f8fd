"""What a ComfyUI offers (``/object_info``), and what a graph asks of it that is not there. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fluxcap.comfyui.graphs import Api, Picture, files_of, with_files
from fluxcap.comfyui.tables import tables, target

Offers = Mapping[str, "Offer"]
"""Class of nodes -> what it takes."""

_NEAR = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A class of nodes as the server has it: all inputs, those it must have, and the choices of those that have some."""

    inputs: frozenset[str]
    required: frozenset[str]
    choices: Mapping[str, tuple[str, ...]]


def offers(object_info: Mapping[str, Any]) -> Offers:
    """``/object_info`` as values. Choices come in two shapes there: ``[[a, b], {}]`` and ``["COMBO", {"options": [a, b]}]``."""
    return {name: _offer(info) for name, info in object_info.items() if isinstance(info, dict)}


def _offer(info: Mapping[str, Any]) -> Offer:
    groups = info.get("input")
    groups = groups if isinstance(groups, dict) else {}
    required, optional = ({} if not isinstance(groups.get(k), dict) else groups[k] for k in ("required", "optional"))
    choices = {key: found for key, spec in {**optional, **required}.items() if (found := _choices(spec)) is not None}
    return Offer(inputs=frozenset({*required, *optional}), required=frozenset(required), choices=choices)


def _choices(spec: Any) -> tuple[str, ...] | None:
    if not isinstance(spec, list) or not spec:
        return None
    kind = spec[0]
    if kind == "COMBO" and len(spec) > 1 and isinstance(spec[1], dict):
        kind = spec[1].get("options")
    return tuple(str(one) for one in kind) if isinstance(kind, list) else None


def fitted(picture: Picture, there: Offers) -> tuple[Picture, tuple[str, ...]]:
    """The picture with the files that the server has, by its spelling, and what was taken in place of the usual ones, in words.

    A file that was named is only spelled anew ('ohwx' for 'ohwx.safetensors', other slashes); of the target's usual files the
    first that is there is taken. What is not there stays as it is; ``missing`` tells it.
    """
    aim = target(picture.target)
    taken: dict[str, str] = {}
    told: list[str] = []
    for role, wanted in files_of(picture).items():
        named = picture.files.get(role)
        known = _listed(picture, role, there)
        candidates = [named] if named else getattr(aim, role)
        found = next((spelled for name in candidates if (spelled := spelling(name, known))), None)
        if found is None:
            continue
        taken[role] = found
        if found != wanted and not named:
            told.append(f"{wanted} is not there, {found} is taken in its place")
    return with_files(picture, taken), tuple(told)


def _listed(picture: Picture, role: str, there: Offers) -> tuple[str, ...]:
    """What the server lists for the input that holds the file of a role."""
    for node in tables().graph[target(picture.target).graph].nodes.values():
        for key, value in node.inputs.items():
            if value == f"{{{role}}}" and node.name in there:
                return there[node.name].choices.get(key, ())
    return ()


def spelling(name: str, known: Sequence[str]) -> str | None:
    """How the server spells a file's name: as it is, with its own slashes, with its ending, or from the folder it lies in."""
    if name in known:
        return name
    want = _plain(name)
    for part in (_plain, lambda one: _stem(_plain(one)), _base, lambda one: _stem(_base(one))):
        found = [one for one in known if part(one) == want]
        if len(found) == 1:
            return found[0]
    return None


def _plain(name: str) -> str:
    return name.replace("\\", "/").removeprefix("./").lower()


def _base(name: str) -> str:
    return _plain(name).rpartition("/")[2]


def _stem(name: str) -> str:
    return re.sub(r"\.(safetensors|sft|ckpt|pt|pth|bin|gguf)$", "", name)


def missing(graph: Api, there: Offers, needs: str = "") -> tuple[str, ...]:
    """What the graph asks for and the server has not, one line each; ``needs`` is the oldest ComfyUI that has the graph's nodes."""
    found: list[str] = []
    for node in graph.values():
        name = node["class_type"]
        offer = there.get(name)
        if offer is None:
            found.append(
                f"there is no node {name}: this ComfyUI is too old{f', it has to be {needs} or newer' if needs else ''}"
            )
            continue
        lacking = sorted(offer.required - set(node["inputs"]))
        found += [f"the node {name} wants {key}, which fluxcap does not know: this ComfyUI is newer" for key in lacking]
        for key, value in node["inputs"].items():
            known = offer.choices.get(key)
            if known is not None and not isinstance(value, list) and str(value) not in known:
                found.append(_not_listed(name, key, str(value), known, needs))
    return tuple(dict.fromkeys(found))


def _not_listed(node: str, key: str, value: str, known: Sequence[str], needs: str) -> str:
    folder = tables().folder.get(key)
    if folder is None:
        older = f": this ComfyUI is too old, it has to be {needs} or newer" if needs else ""
        return f"the node {node} knows no {key} {value!r}{older}"
    where = f"models/{folder.folder}" if folder.folder else "ComfyUI"
    close = near(value, known)
    if not known:
        advice = "there is none at all"
    elif close:
        advice = f"near: {', '.join(close)}"
    else:
        advice = f"there: {', '.join(known[:_NEAR])}{' ...' if len(known) > _NEAR else ''}"
    return f"{folder.what} {value} is not in {where} ({advice}); {folder.option} names another"


def near(name: str, known: Sequence[str]) -> list[str]:
    """The names that were probably meant, nearest first."""
    plain = {_stem(_base(one)): one for one in reversed(known)}
    close = difflib.get_close_matches(_stem(_base(name)), plain, n=_NEAR, cutoff=0.5)
    return [plain[one] for one in close]
