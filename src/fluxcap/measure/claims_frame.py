"""Claims about the frame: how many people, how much of the subject, light, sharpness, colours."""

from __future__ import annotations

from collections.abc import Iterator

from fluxcap.measure import body
from fluxcap.measure.claims_head import claim, margin
from fluxcap.measure.details import Details
from fluxcap.measure.faces import FACE_HEIGHT, FACE_WIDTH, Head
from fluxcap.measure.limits import limits
from fluxcap.types import Claim

OTHERS = {1: "alone", 2: "one other person", 3: "two other people", 4: "three other people"}


def frame_claims(details: Details) -> Iterator[Claim]:
    """All of them."""
    yield from people(details)
    yield from framing(details)
    yield from monochrome(details)
    yield from lighting(details)
    yield from sharpness(details)
    yield from colour(details)


def people(details: Details) -> Iterator[Claim]:
    """By faces that the mesh confirms; nothing where a further face is doubtful."""
    count = len(details.heads)
    unsure = details.unsure_faces or details.apart > limits("people")["apart"]
    if count >= limits("people")["crowd"]:
        yield claim("people", "a crowd", 0.8)
    elif count > 4:
        yield claim("people", "several other people", 0.8)
    elif count and not unsure:
        yield claim("people", OTHERS[count], 0.75)
    elif not count and details.body is not None and not unsure:
        yield claim("people", "alone", 0.5)


def framing(details: Details) -> Iterator[Claim]:
    """How much of the subject is in the frame: by the space under the chin, and from the waist down by the pose."""
    limit, head = limits("framing"), details.head
    if details.body is not None:
        value = by_body(details, details.body)
        if value is not None:
            yield claim("framing", *value)
            return
    if head is None or head.width < limit["smallest"] or abs(head.roll) > limit["most_roll"]:
        return
    value = by_face(details, head)
    if value is not None:
        yield claim("framing", *value)


def by_face(details: Details, head: Head) -> tuple[str, float] | None:
    """From the space under the chin alone."""
    limit, below = limits("framing"), details.below
    share = head.size / FACE_HEIGHT * FACE_WIDTH / details.width
    if below < limit["close_up"]:
        if share > limit["close_up_share"]:
            return "close-up", 0.7
        return ("head-and-shoulders", 0.7) if share < limit["close_up_share_end"] else None
    if below < limit["shoulders"]:
        return "head-and-shoulders", margin(below, limit["shoulders"], 0.5)
    if limit["waist"] < below < limit["waist_end"]:
        return "waist-up", margin(below, limit["waist"], 0.8, 0.6, 0.85)
    return None


def by_body(details: Details, pose: body.Body) -> tuple[str, float] | None:
    """From which joints are in the frame. The pose guesses hidden legs, so a joint counts only when it is surely seen."""
    limit, height = limits("framing"), float(details.height)
    hips, knees, ankles = (float(pose.middle(pair)[1]) / height for pair in (body.HIPS, body.KNEES, body.ANKLES))
    sure_knees, sure_ankles = pose.sure(body.KNEES), pose.sure(body.ANKLES)
    below = details.below
    trunk = pose.middle(body.HIPS) - pose.middle(body.SHOULDERS)
    if trunk[1] < abs(trunk[0]):  # lying: the frame's lower end cuts nothing
        feet = pose.middle(body.ANKLES)[:2] / [details.width, height]
        whole = bool(((feet > 0) & (feet < limit["edge"])).all()) and min(sure_knees, sure_ankles) > limit["sure"]
        return ("full body", 0.7) if whole else None
    if ankles < limit["edge"] and sure_ankles > limit["sure"] and (below != below or below > limit["waist_end"]):
        return "full body", 0.9
    if below > limit["full"]:
        return "full body", 0.6
    if below == below and below < limit["waist_end"] and hips > 0.8:
        return None  # the face tells
    if hips >= limit["edge"] or pose.sure(body.HIPS) < limit["sure"]:
        return ("waist-up", 0.6) if below != below and hips < 1.3 else None
    if limit["edge"] <= ankles < limit["edge"] + limit["feet"] and knees < limit["edge"]:
        return None  # cut at the ankles: full body to some, knee-up to others
    if knees < limit["edge"] and sure_knees > limit["sure"]:
        return "knee-up", 0.75
    thigh = (1.0 - hips) / max(knees - hips, 1e-3)
    if below == below and limit["waist_end"] < below < limit["knee"]:
        return ("knee-up", 0.55) if thigh > limit["thigh"] else ("waist-up", 0.55)
    return ("knee-up", 0.75) if thigh > 0.35 else None


def monochrome(details: Details) -> Iterator[Claim]:
    """Only true black and white. A drawing of a face passes too, so the confidence is modest."""
    limit, tones = limits("monochrome"), details.tones
    if (
        tones.colourfulness < limit["colourfulness"]
        and tones.chroma < limit["chroma"]
        and tones.contrast > limit["least_contrast"]
        and details.head is not None
    ):
        yield claim("medium", "black and white photo", 0.6)


def lighting(details: Details) -> Iterator[Claim]:
    """High-key and low-key by the background and the frame, never by the face: dark skin is no dark light."""
    limit, tones = limits("light"), details.tones
    if details.head is None or tones.share < limit["least_background"]:
        return
    light = tones.background[0]
    if tones.spread_l > limit["spread"]:
        return  # a lamp in the night or a window behind is no studio light
    if light > limit["high_background"] and tones.mean > limit["high_mean"]:
        yield claim("lighting", "high-key", 0.6)
    elif light < limit["low_background"] and tones.mean < limit["low_mean"] and tones.top > limit["low_top"]:
        yield claim("lighting", "low-key", 0.6)


def sharpness(details: Details) -> Iterator[Claim]:
    """A blurred subject; a background clearly softer than a sharp subject."""
    if details.face_softness > limits("blur")["blurry"]:
        yield claim("defects", "blurry", 0.7)
        return
    limit, edges = limits("depth"), details.edges
    if (
        edges is not None
        and edges.subject > limit["sharp"]
        and edges.background < limit["soft"]
        and edges.busy > limit["least_busy"]
        and details.plain is None
    ):
        yield claim("depth_of_field", "shallow", 0.65)


def colour(details: Details) -> Iterator[Claim]:
    """Clothing and plain backgrounds."""
    if details.clothing:
        yield claim("clothing", f"{details.clothing} clothing", 0.55)
    if details.plain and details.head is not None:
        yield claim("background", f"plain {details.plain}", 0.65)
