"""``data/comfyui.toml`` as values: nodes, graphs, targets, and what ComfyUI's LoRA loader knows."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Literal

from fluxcap.codec import from_builtins
from fluxcap.errors import UsageError

Value = str | int | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A class of nodes: its inputs in the order of its declaration. The fields are explained in the file."""

    links: Mapping[str, str] = field(default_factory=dict)
    widgets: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    size: tuple[int, int] = (240, 120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """One node of a graph: ``at`` is its column and row in the browser."""

    name: str
    at: tuple[int, int] = (0, 0)
    inputs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """A graph with holes. ``prompts``: whether CLIP and T5 get a text each; ``needs``: the oldest ComfyUI that has its nodes."""

    prompts: Literal["one", "two"]
    needs: str
    nodes: Mapping[str, Placed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A base model: its graph, the names its files go by (the usual one first), and how pictures are made with it."""

    graph: str
    unet: tuple[str, ...]
    clip: tuple[str, ...]
    vae: tuple[str, ...]
    steps: int
    guidance: float
    sampler: str
    source: str
    t5: tuple[str, ...] = ()
    scheduler: str = "simple"
    width: int = 0
    blocks: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """What an input names a file of, the folder below ``models`` it lies in, and the option that names another."""

    what: str
    folder: str
    option: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefix:
    """How keys of a LoRA file begin, and which names of the model's modules follow."""

    prefix: str
    names: Literal["own", "diffusers"]
    joined: Literal[".", "_"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loader:
    """The keys that ComfyUI's LoRA loader knows for FLUX."""

    prefixes: tuple[Prefix, ...]
    own: tuple[str, ...]
    diffusers: tuple[str, ...]
    encoders: tuple[str, ...]
    width_of: tuple[str, ...]
    down: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """The whole file."""

    version: int
    node: Mapping[str, Node]
    graph: Mapping[str, Graph]
    target: Mapping[str, Target]
    folder: Mapping[str, Folder]
    lora: Loader


@cache
def tables() -> Tables:
    """The file, read once."""
    data = tomllib.loads(resources.files("fluxcap").joinpath("data", "comfyui.toml").read_text(encoding="utf-8"))
    for graph in data["graph"].values():
        for node in graph["nodes"].values():
            node["name"] = node.pop("class")  # no name for a field in Python
    return from_builtins(data, Tables, "comfyui.toml")


def targets() -> tuple[str, ...]:
    """The base models that there is a graph for."""
    return tuple(tables().target)


def target(target_id: str) -> Target:
    """The target of that id; ``UsageError`` names the known ones."""
    if target_id not in tables().target:
        raise UsageError(f"there is no ComfyUI workflow for {target_id}", f"choose one of: {', '.join(targets())}")
    return tables().target[target_id]
