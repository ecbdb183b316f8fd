"""All raw numbers of one picture, gathered once; claims are a pure function of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fluxcap.measure import body, colours, covered, detect, eyes, faces, mouth, picture
from fluxcap.measure.faces import Head
from fluxcap.measure.limits import limits
from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Floats, Pixels, Pyramid, Square


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What was measured. ``scale``: full-size pixels per measured pixel. None or NaN: not measured, or nothing there."""

    width: int
    height: int
    scale: float
    heads: tuple[Head, ...]
    """Largest and most central first."""
    unsure_faces: int
    """Detections that may be further faces."""
    body: body.Body | None
    """The pose, where it was asked and belongs to the first head."""
    body_asked: bool
    eyes: eyes.Eyes | None
    mouth: mouth.Mouth | None
    covered: covered.Covered | None
    below: float
    """Free space under the chin in face heights."""
    tones: picture.Tones
    face_softness: float
    edges: picture.Edges | None
    apart: float
    """Part of the frame taken by people apart from the subject."""
    clothing: str | None
    plain: str | None

    @property
    def head(self) -> Head | None:
        """The main subject's."""
        return self.heads[0] if self.heads else None

    @property
    def gaze(self) -> float:
        """Degrees the eyes look to the right of the camera; NaN when not measured. Iris offset counts by the eyes' seen widths."""
        if self.eyes is None or self.head is None:
            return float("nan")
        return self.head.yaw + limits("gaze")["iris_gain"] * self.iris

    @property
    def iris(self) -> float:
        """Mean iris offset per eye width, > 0 to the picture's right."""
        return (self.eyes.left.offset + self.eyes.right.offset) / 2 if self.eyes else float("nan")


def _belongs(pose: body.Body, head: Head) -> bool:
    left, top, right, bottom = head.box
    x, y = pose.points[body.NOSE, :2]
    room = 0.6 * max(head.size, right - left)
    return bool(left - room < x < right + room and top - room < y < bottom + room)


def _is_person(pyramid: Pyramid, pose: body.Body, mask: Floats) -> bool:
    """Whether the mask, too, sees a person where a pose without a face has its trunk: the pose alone finds bodies in noise."""
    trunk = pose.points[[*body.SHOULDERS, *body.HIPS], :2] * picture.MASK / [pyramid.width, pyramid.height]
    inside = trunk[((trunk >= 0) & (trunk < picture.MASK)).all(axis=1)].astype(int)
    if len(inside) < 2 or float(pose.seen[[*body.SHOULDERS, *body.HIPS]].mean()) < limits("body")["seen"]:
        return False
    return bool(mask[inside[:, 1], inside[:, 0]].mean() > limits("body")["mask"])


def gather(nets: Nets, rgb: Pixels, width: int, height: int) -> Details:
    """Measure ``rgb`` (HWC uint8 RGB, upright); ``width`` and ``height``: the picture's full size in pixels."""
    pyramid = Pyramid(rgb)
    small = picture.small_map(pyramid)
    lab = picture.to_lab(small)
    mask = picture.person_mask(nets, pyramid)
    background = picture.background_of(mask)
    tones = picture.tones(small, lab, background)
    heads, unsure = faces.confirm(nets, pyramid, faces.look(nets, pyramid))
    pose, asked = None, False
    if not heads or _below(pyramid, heads[0][0]) > limits("framing")["pose_from"] or abs(heads[0][0].roll) > 45:
        asked = True
        found = detect.find_body(nets, pyramid, limits("body")["detector" if heads else "detector_alone"])
        pose = body.look(nets, pyramid, found) if found else None
        if pose is not None and pose.score < 0.5:
            pose = None
        if pose is not None and not heads:
            heads, _ = faces.confirm(nets, pyramid, faces.look_at_body(nets, pyramid, pose))
        if pose is not None and not (_belongs(pose, heads[0][0]) if heads else _is_person(pyramid, pose, mask)):
            pose = None
    plain = _plain(tones)
    if heads and ((plain is None and tones.share > limits("people")["room"]) or len(heads) > 1 or unsure):
        heads, more = faces.look_closer(nets, pyramid, heads)
        unsure += more
    head, looked = heads[0] if heads else (None, None)
    lids = None
    if head is not None and looked is not None and head.width >= limits("eyes")["smallest"]:
        lids = eyes.find_eyes(nets, pyramid, looked)
    return Details(
        width=pyramid.width,
        height=pyramid.height,
        scale=max(width, height) / max(pyramid.width, pyramid.height),
        heads=tuple(head for head, _ in heads),
        unsure_faces=unsure,
        body=pose,
        body_asked=asked,
        eyes=lids,
        mouth=mouth.measure_mouth(head.aligned) if head else None,
        covered=covered.measure_covered(pyramid, looked.points) if looked else None,
        below=_below(pyramid, head) if head else float("nan"),
        tones=tones,
        face_softness=_face_softness(pyramid, head),
        edges=_edges(pyramid, head, tones, mask, background),
        apart=_apart(pyramid, [head for head, _ in heads], pose, mask),
        clothing=_clothing(pyramid, head, pose, lab, mask),
        plain=plain,
    )


def _below(pyramid: Pyramid, head: Head) -> float:
    return float((pyramid.height - head.chin) / max(head.size, 1.0))


def _face_softness(pyramid: Pyramid, head: Head | None) -> float:
    if head is None or head.width < limits("blur")["smallest"]:
        return float("nan")
    left, top, right, bottom = head.box
    side = max(right - left, bottom - top)
    square = Square(x=(left + right) / 2, y=(top + bottom) / 2, side=side, angle=0.0)
    return picture.softness(picture.grey_of(pyramid.crop(square, 256 if side >= 256 else int(side))))


def _edges(
    pyramid: Pyramid, head: Head | None, tones: picture.Tones, mask: Floats, background: NDArray[np.bool_]
) -> picture.Edges | None:
    limit = limits("depth")
    if head is None or not (
        tones.share > limit["least_background"] and tones.background_contrast > limit["least_contrast"]
    ):
        return None
    return picture.edges(pyramid, mask, background)


def _apart(pyramid: Pyramid, heads: list[Head], pose: body.Body | None, mask: Floats) -> float:
    known = [((head.box[0] + head.box[2]) / 2, (head.box[1] + head.box[3]) / 2) for head in heads]
    if pose is not None and not heads:
        x, y = pose.middle(body.SHOULDERS)[:2]
        known = [(float(x), float(y))]
    return picture.apart(mask, [(x / pyramid.width, y / pyramid.height) for x, y in known])


def _clothing(pyramid: Pyramid, head: Head | None, pose: body.Body | None, lab: Floats, mask: Floats) -> str | None:
    """Colour of what covers the trunk: a box under the chin as wide as the neck's base, down to the hips or the frame's end."""
    if head is None or _below(pyramid, head) < limits("clothing")["least_below"]:
        return None
    left, top, right, bottom = head.box
    middle, half = (left + right) / 2, 0.75 * head.size
    start, end = head.chin + 0.35 * head.size, min(float(pyramid.height), head.chin + 2.6 * head.size)
    if pose is not None:
        shoulders, hips = pose.middle(body.SHOULDERS), pose.middle(body.HIPS)
        if hips[1] - shoulders[1] < head.size:
            return None  # bent over, sitting low or lying: the box would miss the trunk
        middle, end = float(shoulders[0] + hips[0]) / 2, min(end, float(hips[1]))
        half = max(0.5 * half, min(half, 0.5 * float(np.ptp(pose.points[list(body.SHOULDERS), 0]))))
    map_x, map_y = picture.MAP / pyramid.width, picture.MAP / pyramid.height
    rows = slice(int(max(start, 0) * map_y), int(end * map_y))
    columns = slice(int(max(middle - half, 0) * map_x), int(max(middle + half, 0) * map_x))
    cloth = np.zeros((picture.MAP, picture.MAP), dtype=bool)
    cloth[rows, columns] = mask[::2, ::2][rows, columns] > 0.7
    cheeks = lab[
        int((top + 0.55 * (bottom - top)) * map_y) : int((top + 0.75 * (bottom - top)) * map_y) + 1,
        int(max(left + 0.2 * (right - left), 0) * map_x) : int((right - 0.2 * (right - left)) * map_x) + 1,
    ].reshape(-1, 3)
    if not len(cheeks):
        return None
    skin = np.median(cheeks, axis=0)
    return colours.name_clothing(lab, cloth, (float(skin[0]), float(skin[1]), float(skin[2])))


def _plain(tones: picture.Tones) -> str | None:
    limit = limits("plain")
    if (
        tones.share < limit["least_background"]
        or tones.spread_l > limit["spread_l"]
        or tones.spread_ab > limit["spread_ab"]
    ):
        return None
    light, a, b = tones.background
    return colours.name_background(light * 100 / 255, a - 128, b - 128)
