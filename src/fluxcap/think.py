"""From stored evidence to captions and issues: resolve, bind, compose and check one after the other. No source is asked."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

from fluxcap.bind import Verdict, Wish, bind, judge, to_say
from fluxcap.check import check_caption
from fluxcap.checks import Around, CheckInput, sibling
from fluxcap.compose import compose
from fluxcap.coverage import Coverage, cover
from fluxcap.findings import set_issues
from fluxcap.listening import listen
from fluxcap.observe import remarks
from fluxcap.proposals import Proposal, proposals
from fluxcap.resolve import resolve
from fluxcap.session import Session
from fluxcap.sidecars import Stock
from fluxcap.tokens import Count, count, locate, target
from fluxcap.translate import ANSWER, NAMES, PROSE, TAGS, Reading, is_explicit, loud, not_to_be_used, translate
from fluxcap.types import Binding, Caption, Evidence, ImageRef, Issue, Trait
from fluxcap.vocabulary import read

OURS = ("absent", "ours", "ours-pending")
"""States of a caption file in which fluxcap writes it."""
BESIDE = "sidecar:beside"
"""The source that a caption file is, as evidence for its own picture."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureThought:
    """All that follows from the evidence of one picture. ``text`` is what stands or will stand in the caption file.

    ``checked`` is what the checks got of it.
    """

    image: ImageRef
    evidence: tuple[Evidence, ...]
    traits: Mapping[str, Trait]
    verdicts: Mapping[str, Verdict]
    caption: Caption
    text: str
    kept: bool
    author: str
    counts: tuple[Count, ...]
    checked: CheckInput
    issues: tuple[Issue, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Thought:
    """All that follows from the evidence of a set.

    ``issues`` are those of the set as a whole, and of the pictures that must not be used (``refused``, by path), of which
    nothing else is thought. ``coverage`` is what the others show, without those that play somebody else. ``unheard`` counts
    what was not believed of vision models' answers, by reason.
    """

    pictures: tuple[PictureThought, ...]
    bindings: Mapping[str, Binding]
    issues: tuple[Issue, ...]
    coverage: Coverage
    refused: frozenset[str] = frozenset()
    unheard: Mapping[str, int] = field(default_factory=dict)

    def proposals(self) -> list[Proposal]:
        """The plan in plain words, trait by trait."""
        pictures = {one.image.path: one for one in self.pictures}
        traits = {path: one.traits for path, one in pictures.items()}
        return proposals(traits, self.bindings, {path: one.verdicts for path, one in pictures.items()})

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
    of_the_set = set_issues(traits, bindings, verdicts)
    somebody_else = [issue.path for issue in of_the_set if issue.code == "SET002" and issue.path]
    for issue in [*_alike(images, listened.alike), *remarks(evidence, images), *of_the_set]:
        file_issues.setdefault(issue.path or "", []).append(issue)

    def written(image: ImageRef) -> tuple[Caption, str, bool, str]:
        """The caption that fluxcap has for a picture, what stands there, whether somebody else's is kept, and whose."""
        said = to_say(verdicts[image.path])
        caption = compose(said, wording, image.id, {slot: verdicts[image.path][slot].tags for slot in said})
        stock = stocks.get(image.path)
        gives_way = stock is not None and stock.status == "elsewhere" and image.path in rewrite
        kept = stock is not None and stock.status not in OURS and not gives_way
        stands = kept or (as_it_stands and stock is not None and stock.status != "absent")
        text = (stock.text or "") if stands and stock else caption.text
        return caption, text, kept, stock.status if kept and stock else "fluxcap"

    def checkable(image: ImageRef) -> CheckInput:
        """A caption with what is known of its picture; one that somebody else wrote is no evidence for itself."""
        caption, text, kept, _ = drafts[image.path]
        facts, composed = traits[image.path], caption.text
        if kept and any(claim.source == BESIDE for claim in known[image.path]):
            facts = resolve(claim for claim in known[image.path] if claim.source != BESIDE)
            alone = judge(facts, bindings)
            composed = compose(to_say(alone), wording, image.id, {s: one.tags for s, one in alone.items()}).text
        return CheckInput(
            image_id=image.id,
            path=image.path,
            text=text,
            spans=caption.spans if text == caption.text and not kept else None,
            trigger=wording.trigger,
            class_word=wording.class_word,
            traits=facts,
            bindings=bindings,
            to_say=frozenset(to_say(verdicts[image.path])),
            silent=frozenset(s for s, verdict in verdicts[image.path].items() if verdict.outcome == "silent"),
            mentions=read(text),
            counts=count(text, aim, where),
            composed=composed,
            preset=project.preset,
            pronouns=project.pronouns,
            shuffle_caption=project.shuffle_caption,
        )

    def one(image: ImageRef) -> PictureThought:
        caption, text, kept, author = drafts[image.path]
        item = replace(items[image.path], around=around)
        return PictureThought(
            image=image,
            evidence=known[image.path],
            traits=traits[image.path],
            verdicts=verdicts[image.path],
            caption=caption,
            text=text,
            kept=kept,
            author=author,
            counts=item.counts,
            checked=item,
            issues=(*file_issues.get(image.path, ()), *check_caption(item)),
        )

    drafts = {image.path: written(image) for image in images}
    items = {image.path: checkable(image) for image in images}
    around = Around([sibling(item) for item in items.values()])
    return Thought(
        pictures=tuple(one(image) for image in images),
        bindings=bindings,
        issues=(*file_issues.get("", ()), *(_refused(path, why) for path, why in refused.items())),
        coverage=cover(traits, project.preset, bindings, somebody_else),
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
