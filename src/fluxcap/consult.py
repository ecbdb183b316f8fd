"""The vision model's turn in a run: which model, which question, what it will take, and what it was asked for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fluxcap.errors import UsageError
from fluxcap.observe import Progress
from fluxcap.session import Session
from fluxcap.thinking import thinking
from fluxcap.translate import TAGS, unpacked
from fluxcap.types import Evidence, ImageRef, Issue
from fluxcap.vision import How, ask, unasked
from fluxcap.vocabulary import meaning

if TYPE_CHECKING:
    from fluxcap.vlms.types import Question, Server

_ANSWER_TOKENS = 250
_LETTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulting:
    """What the command line says of the vision model's turn: try only so many, keep the raw answers, or take kept ones."""

    limit: int | None = None
    record: Path | None = None
    replay: Path | None = None
    progress: Progress = lambda done, _: iter(done)
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Consulted:
    """How the turn went. ``tried`` are the pictures (ids) that a limit chose (None: there was none)."""

    asked: int = 0
    issues: tuple[Issue, ...] = ()
    notices: tuple[str, ...] = ()
    tried: tuple[str, ...] | None = None


def consult(session: Session, images: Sequence[ImageRef], consulting: Consulting, *, again: bool = False) -> Consulted:
    """Ask the model of the settings about the pictures that it was not asked about yet; nothing where none is set.

    What is asked and where is said before, with what it will take. Raises ``UsageError`` for settings that do not fit, and what
    ends the whole turn (see ``vision.ask``).
    """
    settings = session.project.vlm
    if settings.url is None and consulting.replay is None and consulting.limit is not None:
        raise UsageError(
            "--limit tries a vision model, and none is set", "name one: --vlm-url URL; fluxcap doctor finds them"
        )
    if settings.url is None and consulting.replay is None:
        told = "no vision model was asked; to find one: fluxcap doctor"
        return Consulted(notices=(told,) if images else ())
    server, line = _server(session, consulting)
    evidence = session.store.evidence([image.id for image in images]) if settings.hints else {}
    prompts = session.folder / settings.prompts if settings.prompts else None
    how = _how(session, server, images, evidence, prompts)
    wanted = unasked(session.store, images, how, again=again)
    if consulting.limit is not None:
        wanted = wanted[: consulting.limit]
    if not wanted:
        asyncio.run(server.close())
        tried = None if consulting.limit is None else tuple(image.id for image in images[: consulting.limit])
        return Consulted(notices=(f"{server.model} was asked about every picture before",), tried=tried)
    consulting.say(line)
    consulting.say(_cost(server, how, wanted))
    told_now = ask(session.store, session.folder, wanted, how, progress=consulting.progress)
    notices = [f"{server.model} answered for {told_now.asked} of {len(wanted)} pictures"]
    if told_now.rate is not None and told_now.rate.seconds > 0 and told_now.asked:
        seconds = told_now.rate.seconds / told_now.asked
        notices[0] += f", {1 / seconds:.2f}/s"
        left = unasked(session.store, images, how)
        if left:
            notices.append(f"still to ask: {_cost(server, how, left, seconds)}")
    tried = tuple(image.id for image in wanted) if consulting.limit is not None else None
    return Consulted(asked=told_now.asked, issues=told_now.issues, notices=tuple(notices), tried=tried)


def _server(session: Session, consulting: Consulting) -> tuple[Server, str]:
    from fluxcap.vlms.choosing import choose
    from fluxcap.vlms.replay import Recorder, ReplayServer, recorded

    settings = session.project.vlm
    if consulting.replay is not None:
        if consulting.record is not None:
            raise UsageError("--record and --replay do not go together", "leave one of them out")
        replayed = ReplayServer(consulting.replay)
        told = f"taking the answers of {replayed.model} from {consulting.replay}"
        return replayed, "; ".join([told, *replayed.notes])
    assert settings.url is not None
    server, line = choose(settings.url, settings.name, kind=settings.kind)
    if consulting.record is not None:
        server = recorded(server, Recorder(consulting.record))
    return server, line


def _how(
    session: Session,
    server: Server,
    images: Sequence[ImageRef],
    evidence: Mapping[str, Sequence[Evidence]],
    prompts: Path | None,
) -> How:
    from fluxcap.vlms.question import prompt_version, questions
    from fluxcap.vlms.replay import question_hash

    settings = session.project.vlm
    plain = questions(kind=settings.mode, prompts=prompts, max_tokens=settings.max_tokens)

    def question(image: ImageRef) -> Question:
        hints = _hints(evidence.get(image.id, ()))
        if not hints:
            return plain
        return questions(kind=settings.mode, prompts=prompts, max_tokens=settings.max_tokens, hints=hints)

    return How(
        server=server,
        question={image.id: question(image) for image in images},
        prompts=f"{prompt_version(prompts)}:{question_hash(plain)}{':hints' if settings.hints else ''}",
        mode=settings.mode,
        side=settings.side,
        slots=settings.concurrency,
        background=session.project.background,
    )


def _hints(evidence: Sequence[Evidence]) -> tuple[str, ...]:
    """The tags that a tagger is sure of, but for explicit ones and names: hints are seen by the model's owner."""
    sure = thinking().assert_from
    tags = [
        tag
        for claim in evidence
        if claim.slot == TAGS and claim.source.startswith("tagger")
        for tag, score in unpacked(claim.value)
        if score >= sure
    ]
    return tuple(tag for tag in tags if (known := meaning(tag)) is not None and known.flag == "")


def _cost(server: Server, how: How, wanted: Sequence[ImageRef], seconds: float | None = None) -> str:
    from fluxcap.vlms.cost import estimate, image_tokens

    first = wanted[0]
    shrink = min(1.0, how.side / max(first.width, first.height))
    picture = image_tokens(server.model, max(1, round(first.width * shrink)), max(1, round(first.height * shrink)))
    question = how.question[first.id]
    letters = len(question.system) + len(question.text)
    return str(estimate(len(wanted), letters // _LETTERS_PER_TOKEN, picture, _ANSWER_TOKENS, seconds, 1))


def only(consulted: Consulted, images: Sequence[ImageRef]) -> Sequence[ImageRef]:
    """The pictures that the run goes on with: those that a limit chose, else all."""
    if consulted.tried is None:
        return images
    tried = set(consulted.tried)
    return [image for image in images if image.id in tried]


__all__ = ["Consulted", "Consulting", "consult", "only"]
