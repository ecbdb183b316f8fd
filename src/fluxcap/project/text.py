"""The text of ``fluxcap.toml``: a new one with comments, and an old one with its plan changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fluxcap.errors import FluxcapError, UsageError
from fluxcap.project.loading import FILE, decode, entry, moved
from fluxcap.project.settings import LISTS, Plan, Project, check_entry, one_of, refuse_two_lists


def write_new(folder: Path, project: Project) -> Path:
    """Write a commented ``fluxcap.toml``; raises ``UsageError`` where one is there already."""
    from fluxcap.textfiles import write_atomic

    path = folder / FILE
    if path.exists():
        raise UsageError(f"{path} is there already", "edit it, or move it away first")
    write_atomic(path, new_text(project))
    return path


def new_text(project: Project) -> str:
    """The text of a friendly ``fluxcap.toml``: every setting with a comment, those at their default commented out."""
    default = Project()

    def line(key: str, example: object, table: Any = None, base: Any = None) -> str:
        value, usual = getattr(table or project, key), getattr(base or default, key)
        return f"{key} = {_toml(value)}" if value != usual else f"# {key} = {_toml(value if value else example)}"

    def plan(key: str, example: object) -> str:
        return line(key, example, project.plan, default.plan)

    def tagger(key: str, example: object) -> str:
        return line(key, example, project.tagger, default.tagger)

    def vlm(key: str, example: object) -> str:
        return line(key, example, project.vlm, default.vlm)

    def recipe(key: str, example: object) -> str:
        return line(key, example, project.recipe, default.recipe)

    return f"""\
# Settings of this folder for fluxcap. Lines that start with '#' show a default or an example.

# The word that calls the subject in a prompt, and its class word.
{line("trigger", "ohwx")}
{line("subject", "woman")}

# What the set teaches: it decides which traits belong to the subject.
{line("preset", "person")}

# What the pictures are where no source knows better: photo, render, painting, drawing, CGI, anime.
{line("medium", "photo")}

# How captions are written.
{line("style", "natural")}
{line("phrasing", "fixed")}
{line("pronouns", "she/her")}
{line("target", "flux1-dev")}

# Tags after the sentences: tail (camera and light), all (everything free, for CLIP), none. Explicit tags stay out unless true.
{line("tags", "tail")}
{line("explicit", False)}

# Whether the trainer shuffles the pieces between commas: sentences with commas are then told.
{line("shuffle_caption", False)}

# Which pictures: subfolders too, and the colour under transparent ones.
{line("recursive", False)}
{line("background", "#ffffff")}

# Folders: other captions (read as evidence), tokenizer files.
{line("captions", "captions")}
{line("tokenizers", "tokenizers")}

# bound: belongs to the subject, left out of captions. free: said, so that it can be prompted. auto: the set decides.
# An entry names a trait, an attribute of it ("hair.color") or one value ("makeup=red lipstick").
[plan]
{plan("bound", ["eye_color"])}
{plan("free", ["hair"])}
{plan("auto", ["eyewear"])}
{plan("usual", {"hair": "long blonde hair"})}

# The tagger: a known name or a folder ("none": no tagger), the least scores of tags and of characters' names, what runs it
# (auto, cpu, cuda, directml, coreml), and whether its smaller copy is used.
[tagger]
{tagger("model", "wd-vit")}
{tagger("general", 0.35)}
{tagger("character", 0.85)}
{tagger("provider", "auto")}
{tagger("int8", False)}

# The vision language model: a server's address ("auto": one on this machine, "local": run in-process) and the model's name.
# Keys come from the environment. fluxcap doctor finds servers and prints these lines.
[vlm]
{vlm("url", "http://localhost:8000/v1")}
{vlm("name", "qwen3-vl")}
{vlm("mode", "traits")}
{vlm("concurrency", 8)}
{vlm("side", 1024)}
{vlm("hints", False)}
{vlm("names", ["Eiffel Tower"])}

# How long and how strongly to train (fluxcap recipe explains it): sweet-spot, repeats or passes over each picture.
[recipe]
{recipe("length", "sweet-spot")}
{recipe("passes", 80)}
{recipe("steps", 2000)}
{recipe("dim", 64)}
{recipe("alpha", 64)}
{recipe("learning_rate", 0.0001)}
{recipe("resolutions", [512, 768, 1024])}
{recipe("save_every", 250)}
{recipe("seed", 42)}
"""


def change_plan_text(
    old_text: str,
    known_slots: Sequence[str],
    *,
    bound: Iterable[str] = (),
    free: Iterable[str] = (),
    auto: Iterable[str] = (),
    usual: Mapping[str, str | None] | None = None,
) -> str:
    """``fluxcap.toml`` with these slots moved to these lists, and these usual values (None takes one out).

    The person's comments and order stay. Raises ``UsageError`` for an unknown slot, a slot moved to two lists, or a text
    that is not a valid ``fluxcap.toml`` to begin with.
    """
    import tomlkit

    moves = {name: tuple(map(entry, given)) for name, given in (("bound", bound), ("free", free), ("auto", auto))}
    usual = dict(usual or {})
    for names in moves.values():
        for name in names:
            check_entry(name, known_slots, "plan")
    for slot in usual:
        one_of("slot", slot, [one for one in known_slots if "." not in one], "plan")
    wanted = moved(decode(old_text, FILE).plan, moves, usual)
    refuse_two_lists(Plan(bound=moves["bound"], free=moves["free"], auto=moves["auto"]), "plan")

    document = tomlkit.parse(old_text.removeprefix("\ufeff"))
    if "plan" not in document:
        document["plan"] = tomlkit.table()
    table: Any = document["plan"]
    for name in LISTS:
        slots = getattr(wanted, name)
        if name not in table:
            if slots:
                table[name] = list(slots)
            continue
        for slot in [str(item) for item in table[name]]:
            if slot not in slots:
                table[name].remove(slot)
        for slot in slots:
            if slot not in table[name]:
                table[name].append(slot)
    if usual and "usual" not in table:
        table["usual"] = tomlkit.inline_table()
    for slot, value in usual.items():
        if value is not None:
            table["usual"][slot] = value
        elif slot in table["usual"]:
            del table["usual"][slot]
    text = tomlkit.dumps(document)
    if decode(text, FILE).plan != wanted:
        raise FluxcapError(f"{FILE} is written in a way that fluxcap cannot change", "change [plan] in it by hand")
    return text


def _toml(value: object) -> str:
    """A value as TOML on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        inner = tomlkit.inline_table()
        inner.update(value)
        return inner.as_string()
    return tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()
