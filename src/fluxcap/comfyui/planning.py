"""Which pictures are to be made: every checkpoint with every prompt and every seed. Pure."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fluxcap.comfyui.graphs import Picture, Prompt, api

_MOST = 60  # characters of one part of a name


@dataclass(frozen=True, slots=True, kw_only=True)
class Render:
    """A picture to be made. ``name`` is its file's, without ending; ``key`` is the same for the same graph and differs for another."""

    name: str
    key: str
    picture: Picture


def grid(
    base: Picture, *, prompts: Sequence[Prompt], loras: Sequence[str] = ("",), seeds: Sequence[int] = (42,)
) -> tuple[Picture, ...]:
    """``base`` with every prompt, every LoRA and every seed: LoRA by LoRA, so that each is loaded once. '' stands for none."""
    return tuple(
        replace(base, lora=lora, prompt=prompt, seed=seed) for lora in loras for prompt in prompts for seed in seeds
    )


def renders(pictures: Iterable[Picture]) -> tuple[Render, ...]:
    """The pictures with names that tell LoRA, prompt and seed, each once; raises ``UsageError`` as ``graphs.api`` does."""
    found: dict[str, Render] = {}
    names: Counter[str] = Counter()
    for picture in pictures:
        key = digest(picture)
        if key in found:
            continue
        name = _name(picture)
        names[name.lower()] += 1  # some file systems do not tell case
        number = names[name.lower()]
        found[key] = Render(name=f"{name}-{number}" if number > 1 else name, key=key, picture=picture)
    return tuple(found.values())


def digest(picture: Picture) -> str:
    """What makes the picture what it is, in 16 signs: all of its graph but the name of its file."""
    graph = api(picture, "")
    return hashlib.sha256(json.dumps(graph, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:16]


def named(texts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """Prompts that have no name are called p01, p02 ..."""
    return tuple(one if one.name else replace(one, name=f"p{place:02}") for place, one in enumerate(texts, start=1))


def slug(text: str) -> str:
    """A text as a part of a file name on any system: letters, digits, '_' and '-'."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9_-]+", "-", plain).strip("-")[:_MOST].strip("-")


def _name(picture: Picture) -> str:
    base = picture.lora.replace("\\", "/").rpartition("/")[2]
    lora = slug(re.sub(r"\.safetensors$", "", base)) if picture.lora else "no-lora"
    if picture.lora and picture.strength != 1.0:
        lora += f"-at{slug(f'{picture.strength:g}'.replace('.', '_'))}"
    return f"{lora or 'lora'}__{slug(picture.prompt.name) or 'prompt'}__seed{picture.seed}"
