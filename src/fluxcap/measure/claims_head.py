"""Claims about the main subject's head: view, gaze, eyes, mouth, expression, tilt. Between two limits nothing is said."""

from __future__ import annotations

from collections.abc import Iterator

from fluxcap.measure.details import Details
from fluxcap.measure.limits import limits
from fluxcap.types import Claim


def claim(slot: str, value: str, confidence: float) -> Claim:
    """A claim with a confidence of two digits."""
    return Claim(slot=slot, value=value, confidence=round(min(max(confidence, 0.0), 0.99), 2))


def margin(value: float, limit: float, scale: float, low: float = 0.6, high: float = 0.95) -> float:
    """Confidence that grows from ``low`` at the limit to ``high`` at ``scale`` beyond it."""
    return low + (high - low) * min(abs(value - limit) / scale, 1.0)


def head_claims(details: Details) -> Iterator[Claim]:
    """All of them."""
    yield from view(details)
    yield from gaze(details)
    yield from eyes(details)
    yield from mouth(details)
    yield from expression(details)
    yield from tilt(details)


def view(details: Details) -> Iterator[Claim]:
    """Front, three-quarter, profile by the mesh's yaw; from behind by the pose where there is no face."""
    limit, head, body = limits("view"), details.head, details.body
    if head is None:
        if (
            body is not None
            and not details.unsure_faces
            and abs(body.turn) > limit["back_turn"]
            and body.shoulder_side < limit["back_shoulders"]
        ):
            yield claim("view", "back", 0.8)
        return
    if head.width < limit["smallest"]:
        return
    turn, small = abs(head.yaw), 0.1 if head.width < 2 * limit["smallest"] else 0.0
    if turn < limit["front"]:
        yield claim("view", "front", margin(turn, limit["front"], 10.0) - small)
        return
    side = "right" if head.yaw > 0 else "left"
    if body is not None and body.turn * head.yaw < 0 and abs(body.turn) > limit["against"]:
        return
    if limit["three_quarter"] < turn < limit["three_quarter_end"]:
        near = min(turn - limit["three_quarter"], limit["three_quarter_end"] - turn)
        yield claim("view", f"three-quarter {side}", margin(near, 0.0, 8.0) - small)
    elif turn > limit["profile"]:
        yield claim("view", f"profile {side}", margin(turn, limit["profile"], 12.0, 0.6, 0.9) - small)


def gaze(details: Details) -> Iterator[Claim]:
    """Camera or side. Down and up are not told: too few examples to fit them on."""
    limit, head, lids = limits("gaze"), details.head, details.eyes
    if (
        head is None
        or lids is None
        or head.width < limit["smallest"]
        or any(eye_shut(details))
        or eyes_covered(details)
    ):
        return
    nearer = lids.left if lids.left.width > lids.right.width else lids.right
    looks_down = head.pitch > limit["lowered_pitch"] and nearer.opening < limit["lowered_lids"]
    away = abs(details.gaze)
    if away < limit["camera"]:
        lowered = looks_down and max(lids.left.opening, lids.right.opening) < limits("eyes")["open"]
        if limit["most_pitch_up"] < head.pitch < limit["most_pitch_down"] and not lowered:
            yield claim("gaze", "camera", margin(away, limit["camera"], 6.0, 0.6, 0.9))
    elif away > limit["side"] and not looks_down:
        yield claim("gaze", "side", margin(away, limit["side"], 15.0, 0.6, 0.85))


def eyes_covered(details: Details) -> bool:
    """Dark under both eyes: sunglasses, or a shadow in which the lids cannot be told."""
    return details.covered is not None and details.covered.under_eyes < limits("eyes")["least_light"]


def mouth_covered(details: Details) -> bool:
    """No colour of lips where the mesh puts them: a mask, a hand, or too little light."""
    return details.covered is not None and details.covered.lips < limits("mouth")["least_red"]


def eye_shut(details: Details) -> tuple[bool, bool]:
    """Whether the left and the right eye are closed."""
    lids, limit = details.eyes, limits("eyes")
    return (lids.left.opening < limit["closed"], lids.right.opening < limit["closed"]) if lids else (False, False)


def eyes(details: Details) -> Iterator[Claim]:
    """Open, closed, or one closed."""
    limit, head, lids = limits("eyes"), details.head, details.eyes
    if head is None or lids is None or head.width < limit["smallest"] or abs(head.yaw) > limit["most_yaw"]:
        return
    if eyes_covered(details):
        return
    low, high = sorted((lids.left.opening, lids.right.opening))
    if high < limit["closed"]:
        yield claim("eyes", "closed", 0.85)
    elif low < limit["closed"]:
        if high > limit["wink_open"] and abs(head.yaw) < limit["wink_yaw"]:
            yield claim("eyes", "one closed", 0.8)
    elif (low + high) / 2 > limit["open"] and low > limit["open_each"]:
        yield claim("eyes", "open", margin((low + high) / 2, limit["open"], 0.08, 0.7, 0.95))


def mouth(details: Details) -> Iterator[Claim]:
    """Closed, parted or open."""
    limit, head, lips = limits("mouth"), details.head, details.mouth
    if head is None or lips is None or head.width < limit["smallest"] or abs(head.yaw) > limit["most_yaw"]:
        return
    if mouth_covered(details):
        return
    if lips.gap < limit["closed"]:
        yield claim("mouth", "closed", margin(lips.gap, limit["closed"], 0.03, 0.6, 0.9))
    elif limit["parted"] < lips.gap < limit["parted_end"] and abs(head.yaw) < limit["parted_yaw"]:
        yield claim("mouth", "parted", 0.7)
    elif lips.gap > limit["open"]:
        yield claim("mouth", "open", margin(lips.gap, limit["open"], 0.1, 0.65, 0.9))


def expression(details: Details) -> Iterator[Claim]:
    """A broad smile; slight smile and neutral only as hints that no caption follows (confidence below 0.5)."""
    limit, head, lips = limits("smile"), details.head, details.mouth
    if head is None or lips is None or head.width < limit["smallest"] or abs(head.yaw) > limit["most_yaw"]:
        return
    if limit["least_gap"] < lips.gap < limit["most_gap"]:
        if lips.smile > limit["broad"] and lips.corners > limit["broad_corners"]:
            yield claim("expression", "broad smile", margin(lips.smile, limit["broad"], 0.1, 0.65, 0.9))
    elif lips.gap <= limit["least_gap"]:
        if lips.smile > limit["slight"]:
            yield claim("expression", "slight smile", 0.35)
        elif lips.smile < limit["neutral"]:
            yield claim("expression", "neutral", 0.35)


def tilt(details: Details) -> Iterator[Claim]:
    """A head clearly tilted to a side. ``{their}`` stays as it is: the words for the subject are not ours."""
    limit, head = limits("tilt"), details.head
    if head is None or head.width < limits("view")["smallest"] * 2 or abs(head.yaw) > limit["most_yaw"]:
        return
    if limit["roll"] < abs(head.roll) < limit["most_roll"]:
        yield claim("action", "tilting {their} head", margin(abs(head.roll), limit["roll"], 15.0, 0.6, 0.85))
