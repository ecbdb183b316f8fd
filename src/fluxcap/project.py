"""``fluxcap.toml`` -> ``Project``: what the person settled for this folder. Secrets never live there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from fluxcap.errors import FluxcapError, UsageError

FILE = "fluxcap.toml"

Phrasing = Literal["fixed", "varied"]
Pronouns = Literal["she/her", "he/him", "they/them", "it/its"]
Tags = Literal["tail", "all", "none"]
Provider = Literal["auto", "cpu", "cuda", "directml", "coreml"]

_SECRET = re.compile(r"(^|[._-])(api[_-]?key|key|token|secret|password|passwd|credentials?)s?($|[._-])", re.IGNORECASE)
_LISTS = ("bound", "free", "auto")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The person's word on single slots, over the preset. ``usual`` is the usual value of a bound slot."""

    bound: tuple[str, ...] = ()
    free: tuple[str, ...] = ()
    auto: tuple[str, ...] = ()
    usual: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggerSettings:
    """Which tagger looks at the pictures, and when it is heard.

    ``model`` is a known name or a folder with ``model.onnx`` and ``selected_tags.csv``, "none" for no tagger; where none is
    set the first one on this machine is taken. ``general`` and ``character`` are the least scores of tags and of names.
    """

    model: str | None = None
    general: float = 0.35
    character: float = 0.85
    provider: Provider = "auto"
    int8: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The settings of one folder of pictures.

    ``trigger`` and ``subject`` (the class word, "woman") may be missing; the pipeline tells. ``medium`` is what the
    pictures are where no source knows better. ``style`` None: the one that the target reads best. ``background`` is the
    colour under transparent pictures. ``tags`` says which tags stand after the sentences: camera and light, all that is
    free, or none; ``explicit`` admits explicit tags. ``captions`` is a folder with other captions, read as evidence; ``tokenizers`` one
    with tokenizer files.
    """

    trigger: str | None = None
    subject: str | None = None
    preset: str = "person"
    medium: str = "photo"
    style: str | None = None
    phrasing: Phrasing = "fixed"
    pronouns: Pronouns | None = None
    target: str = "flux1-dev"
    recursive: bool = False
    background: str = "#ffffff"
    captions: str | None = None
    tokenizers: str | None = None
    tags: Tags = "tail"
    explicit: bool = False
    plan: Plan = Plan()
    tagger: TaggerSettings = TaggerSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """The names that the data files offer; an empty tuple leaves that name unchecked."""

    presets: tuple[str, ...] = ()
    styles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    slots: tuple[str, ...] = ()


def load(folder: Path, overrides: Mapping[str, object] | None = None, known: Known | None = None) -> Project:
    """The folder's settings: defaults, then ``fluxcap.toml`` (it may be missing), then ``overrides``.

    ``overrides`` come from the command line: dotted keys (``trigger``, ``plan.bound``), None means not given; a list in the
    plan takes its slots out of the file's other lists. Raises ``UsageError`` for whatever is not a setting or not a fit.
    """
    path = folder / FILE
    text = _read(path)
    project = Project() if text is None else _decode(text, path.name)
    project = _check(project, known or Known(), path.name)
    given = {key: value for key, value in (overrides or {}).items() if value is not None}
    return _check(_override(project, given), known or Known(), "command line") if given else project


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

# Which pictures: subfolders too, and the colour under transparent ones.
{line("recursive", False)}
{line("background", "#ffffff")}

# Folders: other captions (read as evidence), tokenizer files.
{line("captions", "captions")}
{line("tokenizers", "tokenizers")}

# bound: belongs to the subject, left out of captions. free: said, so that it can be prompted. auto: the set decides.
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

    moves = {"bound": tuple(bound), "free": tuple(free), "auto": tuple(auto)}
    usual = dict(usual or {})
    for slot in (*moves["bound"], *moves["free"], *moves["auto"], *usual):
        _one_of("slot", slot, known_slots, "plan")
    wanted = _moved(_decode(old_text, FILE).plan, moves, usual)
    _refuse_two_lists(Plan(bound=moves["bound"], free=moves["free"], auto=moves["auto"]), "plan")

    document = tomlkit.parse(old_text.removeprefix("\ufeff"))
    if "plan" not in document:
        document["plan"] = tomlkit.table()
    table: Any = document["plan"]
    for name in _LISTS:
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
    if _decode(text, FILE).plan != wanted:
        raise FluxcapError(f"{FILE} is written in a way that fluxcap cannot change", "change [plan] in it by hand")
    return text


def _read(path: Path) -> str | None:
    """The file's text, None where there is no file. UTF-8, with or without BOM."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name} is not UTF-8 text", "save it as UTF-8 in your editor") from error
    except OSError as error:
        raise FluxcapError(
            f"{path.name} cannot be read: {error.strerror or error}", "check the file and its rights"
        ) from error


def _decode(text: str, where: str) -> Project:
    from fluxcap.codec import UnknownKey, decode_toml

    try:
        return _tidy(decode_toml(text.removeprefix("\ufeff"), Project, where))
    except UnknownKey as error:
        if _SECRET.search(error.key):
            raise UsageError(f"{where}: {error.key} does not belong there", "keys come from the environment") from error
        raise


def _tidy(project: Project) -> Project:
    """Blanks around words off, each slot once."""
    lists: dict[str, Any] = {name: tuple(dict.fromkeys(getattr(project.plan, name))) for name in _LISTS}
    plan = replace(project.plan, **lists)
    words = {name: value.strip() for name in ("trigger", "subject") if (value := getattr(project, name)) is not None}
    return replace(project, plan=plan, **words)


def _override(project: Project, given: Mapping[str, object]) -> Project:
    """``given`` over the file's settings, with the same checks of names and types."""
    from fluxcap.codec import from_builtins

    tables: dict[str, Any] = {}
    for key, value in given.items():
        table, _, name = key.rpartition(".")
        plain = list(value) if isinstance(value, (tuple, set, frozenset)) else value
        (tables.setdefault(table, {}) if table else tables)[name] = plain
    new = _tidy(from_builtins(tables, Project, "command line"))
    moves = {name: getattr(new.plan, name) for name in _LISTS}
    _refuse_two_lists(new.plan, "command line")
    values = {name: getattr(new, name) for name in tables if name not in ("plan", "tagger")}
    values["tagger"] = replace(project.tagger, **{name: getattr(new.tagger, name) for name in tables.get("tagger", {})})
    return replace(project, plan=_moved(project.plan, moves, new.plan.usual), **values)


def _moved(plan: Plan, moves: Mapping[str, Sequence[str]], usual: Mapping[str, str | None]) -> Plan:
    """``plan`` with each slot in the list it was moved to, and in no other."""
    gone = {slot for slots in moves.values() for slot in slots}
    lists = {
        name: tuple(
            dict.fromkeys((*(s for s in getattr(plan, name) if s not in gone or s in moves[name]), *moves[name]))
        )
        for name in _LISTS
    }
    values = {**plan.usual, **usual}
    return Plan(**lists, usual={slot: value for slot, value in values.items() if value is not None})


def _check(project: Project, known: Known, where: str) -> Project:
    """Raise ``UsageError`` for what fits its type and still means nothing."""
    for key in ("trigger", "subject"):
        _check_word(key, getattr(project, key), where)
    _one_of("preset", project.preset, known.presets, where)
    if project.style is not None:
        _one_of("style", project.style, known.styles, where)
    _one_of("target", project.target, known.targets, where)
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", project.background):
        raise UsageError(f'{where}: background is "{project.background}", not a colour', 'write it like "#ffffff"')
    for key in ("captions", "tokenizers"):
        if getattr(project, key) == "":
            raise UsageError(f"{where}: {key} is empty", "name a folder, or leave the line out")
    for key, low in (("general", 0.2), ("character", 0.5)):
        if not low <= getattr(project.tagger, key) <= 1:
            told = f"{where}: tagger.{key} is {getattr(project.tagger, key)}"
            raise UsageError(told, f"write a score from {low} to 1")
    if project.tagger.model == "":
        raise UsageError(f"{where}: tagger.model is empty", "name a tagger or its folder, or leave the line out")
    _refuse_two_lists(project.plan, where)
    for name in (*_LISTS, "usual"):
        for slot in getattr(project.plan, name):
            _one_of("slot", slot, known.slots, f"{where}: plan.{name}")
    for slot, value in project.plan.usual.items():
        if not value.strip():
            raise UsageError(f"{where}: plan.usual.{slot} is empty", "write the usual value, or leave the line out")
    return project


def _check_word(key: str, value: str | None, where: str) -> None:
    if value is None:
        return
    if not value:
        raise UsageError(f"{where}: {key} is empty", f"write the {key} word, or leave the line out")
    if not value.isprintable():
        raise UsageError(f"{where}: {key} holds a line break or another invisible sign", "write it on one line")
    if "," in value:
        raise UsageError(f"{where}: {key} holds a comma, which ends it in a caption", "write it without")


def _refuse_two_lists(plan: Plan, where: str) -> None:
    for one, other in (("bound", "free"), ("bound", "auto"), ("free", "auto")):
        for slot in getattr(plan, one):
            if slot in getattr(plan, other):
                raise UsageError(f"{where}: {slot} is in plan.{one} and in plan.{other}", "keep it in one of them")


def _one_of(what: str, value: str, known: Sequence[str], where: str) -> None:
    from fluxcap.codec import suggest

    if known and value not in known:
        near = suggest(value, known)
        ask = f"did you mean {near}? " if near else ""
        raise UsageError(f'{where}: "{value}" is not a {what}', f"{ask}known: {', '.join(known)}")


def _toml(value: object) -> str:
    """A value as TOML on one line."""
    import tomlkit

    if isinstance(value, Mapping):
        inner = tomlkit.inline_table()
        inner.update(value)
        return inner.as_string()
    return tomlkit.item(list(value) if isinstance(value, tuple) else value).as_string()
