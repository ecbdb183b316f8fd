"""From stored evidence to captions and issues: resolve, bind, compose and check one after the other. No source is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from fluxcap.bind import Verdict, Wish, bind, judge, set_issues, to_say
from fluxcap.check import check_caption
from fluxcap.checks import CheckInput
from fluxcap.compose import compose
from fluxcap.listening import listen
from fluxcap.observe import remarks
from fluxcap.resolve import resolve
from fluxcap.session import Session
from fluxcap.sidecars import Stock
from fluxcap.tokens import Count, count, locate, target
from fluxcap.translate import ANSWER, NAMES, PROSE, TAGS, Reading, is_explicit, loud, not_to_be_used, translate
from fluxcap.types import Binding, Caption, Evidence, ImageRef, Issue, Trait
from fluxcap.vocabulary import read

OURS = ("absent", "ours", "ours-pending")
"""States of a caption file in which fluxcap writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureThought:
    """All that follows from the evidence of one picture. ``text`` is what stands or will stand in the caption file."""

    image: ImageRef
    evidence: tuple[Evidence, ...]
    traits: Mapping[str, Trait]
    verdicts: Mapping[str, Verdict]
    caption: Caption
    text: str
    kept: bool
    author: str
    counts: tuple[Count, ...]
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """All that follows from the evidence of a set.

    ``issues`` are those of the set as a whole, and of the pictures that must not be used (``refused``, by path), of which
    nothing else is thought. ``unheard`` counts what was not believed of vision models' answers, by reason.
    """

    pictures: tuple[PictureThought, ...]
    bindings: Mapping[str, Binding]
    issues: tuple[Issue, ...]
    refused: frozenset[str] = frozenset()
    unheard: Mapping[str, int] = field(default_factory=dict)

    def all_issues(self) -> list[Issue]:
        """Those of the set, then picture by picture."""
        return [*self.issues, *(issue for picture in self.pictures for issue in picture.issues)]


def think(
    session: Session,
    images: Sequence[ImageRef],
    stocks: Mapping[str, Stock],
    *,
    rewrite: Collection[str] = (),
    as_it_stands: bool = False,
) -> Thought:
    """Resolve, bind, compose and check the whole set from what the store holds.

    A caption that somebody else wrote is checked as it stands; one found at the first run gives way where ``rewrite`` names its picture.
    ``as_it_stands`` takes fluxcap's own captions too as the files hold them, be they of other settings.
    """
    wording = session.wording
    project = session.project
    evidence = session.store.evidence([image.id for image in images])
    names = (*project.vlm.names, *(word for word in (project.trigger, project.subject) if word))
    listened = listen(evidence, names=names, class_word=bool(project.subject), model=project.vlm.name)
    evidence = listened.evidence
    refused = {image.path: why for image in images if (why := not_to_be_used(evidence.get(image.id, ())))}
    images = [image for image in images if image.path not in refused]
    known = {image.path: _all_evidence(session, image, evidence.get(image.id, ())) for image in images}
    traits = {path: resolve(claims) for path, claims in known.items()}
    plan = project.plan
    wish = Wish(bound=frozenset(plan.bound), free=frozenset(plan.free), auto=frozenset(plan.auto), usual=plan.usual)
    bindings = bind(list(traits.values()), project.preset, wish)
    verdicts = {path: judge(found, bindings) for path, found in traits.items()}
    where = locate(session.folder / project.tokenizers if project.tokenizers else None)
    aim = target(project.target)
    file_issues: dict[str, list[Issue]] = {}
    for issue in [*_alike(images, listened.alike), *remarks(evidence, images), *set_issues(traits, bindings, verdicts)]:
        file_issues.setdefault(issue.path or "", []).append(issue)

    def one(image: ImageRef) -> PictureThought:
        said = to_say(traits[image.path], verdicts[image.path])
        caption = compose(said, wording, image.id, {slot: traits[image.path][slot].tags for slot in said})
        stock = stocks.get(image.path)
        gives_way = stock is not None and stock.status == "elsewhere" and image.path in rewrite
        kept = stock is not None and stock.status not in OURS and not gives_way
        stands = kept or (as_it_stands and stock is not None and stock.status != "absent")
        text = (stock.text or "") if stands and stock else caption.text
        counts = count(text, aim, where)
        item = CheckInput(
            image_id=image.id,
            path=image.path,
            text=text,
            spans=caption.spans if text == caption.text and not kept else None,
            trigger=wording.trigger,
            class_word=wording.class_word,
            traits=traits[image.path],
            bindings=bindings,
            to_say=frozenset(said),
            silent=frozenset(s for s, verdict in verdicts[image.path].items() if verdict.outcome == "silent"),
            mentions=read(text),
            counts=counts,
            preset=project.preset,
            pronouns=project.pronouns,
            shuffle_caption=project.shuffle_caption,
        )
        return PictureThought(
            image=image,
            evidence=known[image.path],
            traits=traits[image.path],
            verdicts=verdicts[image.path],
            caption=caption,
            text=text,
            kept=kept,
            author=stock.status if kept and stock else "fluxcap",
            counts=counts,
            issues=(*file_issues.get(image.path, ()), *check_caption(item)),
        )

    return Thought(
        pictures=tuple(one(image) for image in images),
        bindings=bindings,
        issues=(*file_issues.get("", ()), *(_refused(path, why) for path, why in refused.items())),
        refused=frozenset(refused),
        unheard=listened.refused,
    )


def _alike(images: Sequence[ImageRef], alike: frozenset[str]) -> list[Issue]:
    message = "the vision model gave this answer for many pictures, as if it did not look; nothing of it is believed"
    return [
        Issue(code="VLM002", message=message, severity="warning", image_id=image.id, path=image.path)
        for image in images
        if image.id in alike
    ]


def _refused(path: str, why: str) -> Issue:
    message = f"{path} must not be used: its tags sexualise a minor ({why}); take it out of the folder"
    return Issue(code="IMG014", message=message, severity="error", path=path)


def _all_evidence(session: Session, image: ImageRef, seen: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """What the sources said of a picture, what the settings say, and what its tags mean."""
    admitted = session.project.explicit
    plain = (
        claim
        for claim in seen
        if claim.slot not in (TAGS, NAMES, ANSWER, PROSE)
        and (admitted or claim.source == "human" or not is_explicit(claim))
    )
    said = (*plain, *_settings(session, image))
    medium = resolve(claim for claim in said if claim.slot == "medium").get("medium")
    reading = Reading(
        photograph=medium is None or medium.value.endswith("photo"),
        explicit=session.project.explicit,
        class_word=bool(session.project.subject),
        heard_from=session.project.tagger.general,
    )
    heard = {TAGS: reading.heard_from, NAMES: session.project.tagger.character}
    lists = [loud(claim, heard[claim.slot]) for claim in seen if claim.slot in heard]
    return (*said, *lists, *(claim for tags in lists if tags.slot == TAGS for claim in translate(tags, reading)))


def _settings(session: Session, image: ImageRef) -> tuple[Evidence, ...]:
    """What the settings say of every picture: weak, so that any source which saw better wins."""
    project = session.project
    said = {"medium": project.medium, "subject": "" if project.preset == "style" else project.subject or ""}
    return tuple(
        Evidence(image_id=image.id, slot=slot, value=value, tags=(), confidence=0.5, source="settings:fluxcap.toml")
        for slot, value in said.items()
        if value
    )
