"""The faces of a picture: found, confirmed by the mesh, the main subject's first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fluxcap.measure import body, detect, headpose, mesh
from fluxcap.measure.limits import limits
from fluxcap.measure.nets import Nets
from fluxcap.measure.pixels import Points, Pyramid, Square

FACE_HEIGHT = 1.85
"""Forehead to chin of the mean face, in eye distances."""
FACE_WIDTH = 1.55
"""Cheek to cheek, in eye distances."""
MOST_FACES = 12
"""Faces that get a mesh; more are a crowd anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """One face that the mesh confirms. Lengths in pixels of the picture that was measured."""

    detector: float
    score: float
    box: tuple[float, float, float, float]
    width: float
    height: float
    chin: float
    """y of the lowest point of the face."""
    yaw: float
    pitch: float
    roll: float
    size: float
    """Height of the face, foreshortening undone."""
    aligned: Points


Found = tuple[Head, mesh.Mesh]


def _same(one: detect.Detection, other: detect.Detection) -> bool:
    rows = [np.array([d.x, d.y, d.width, d.height]) for d in (one, other)]
    return bool(detect.overlap(rows[0], rows[1][None])[0] > detect.OVERLAP)


def _head(found: detect.Detection, looked: mesh.Mesh, pose: headpose.HeadPose) -> Head:
    return Head(
        detector=found.score,
        score=looked.score,
        box=looked.box,
        width=looked.width,
        height=looked.height,
        chin=looked.box[3],
        yaw=pose.yaw,
        pitch=pose.pitch,
        roll=pose.roll,
        size=pose.scale * FACE_HEIGHT,
        aligned=pose.aligned,
    )


def confirm(nets: Nets, pyramid: Pyramid, found: list[detect.Detection]) -> tuple[list[Found], int]:
    """Confirmed heads, main one first, and the number of doubtful ones."""
    least = limits("people")["smallest"] * max(pyramid.width, pyramid.height)
    limit = limits("face")
    heads, unsure = [], 0
    template = mesh.template()[0]
    found = sorted((d for d in found if d.width >= least), key=lambda d: -d.width)
    for number, detection in enumerate(found[:MOST_FACES]):
        if detection.score < limit["detector"]:
            unsure += 1
            continue
        looked = mesh.find_mesh(nets, pyramid, detection, rounds=2 if number < 2 else 1)
        if looked.score < limit["mesh"]:
            unsure += 1
            continue
        heads.append((_head(detection, looked, headpose.head_pose(template, looked.points)), looked))
    unsure += len(found[MOST_FACES:])
    return main_first(pyramid, heads), unsure


def main_first(pyramid: Pyramid, heads: list[Found]) -> list[Found]:
    """The largest and most central head first."""

    def weight(entry: Found) -> float:
        left, top, right, bottom = entry[0].box
        away = np.hypot((left + right) / 2 - pyramid.width / 2, (top + bottom) / 2 - pyramid.height / 2)
        return float(-entry[0].size * (1.0 - 0.7 * away / np.hypot(pyramid.width, pyramid.height)))

    return sorted(heads, key=weight)


def look(nets: Nets, pyramid: Pyramid) -> list[detect.Detection]:
    """Faces in the whole picture, doubtful ones too; where there is none, with the net for faces that fill the frame."""
    limit = limits("face")
    found = detect.find_faces(nets, pyramid, least=limit["doubtful"])
    if not any(d.score >= limit["detector"] for d in found):
        more = detect.find_faces(nets, pyramid, short=True, least=limit["detector"])
        found = more + [d for d in found if not any(_same(d, other) for other in more)]
    return found


def look_at_body(nets: Nets, pyramid: Pyramid, pose: body.Body) -> list[detect.Detection]:
    """A closer look at where the pose has the head: finds small faces of whole bodies."""
    around = pose.points[:11, :2]
    spread = float(np.ptp(around, axis=0).max())
    shoulders = pose.points[list(body.SHOULDERS), :2]
    side = max(spread * 4.0, float(np.linalg.norm(shoulders[0] - shoulders[1])) * 1.2, 24.0)
    middle = around.mean(axis=0)
    square = Square(x=float(middle[0]), y=float(middle[1]), side=side, angle=0.0)
    return detect.find_faces(nets, pyramid, square, least=limits("face")["detector"])[:1]


def look_closer(nets: Nets, pyramid: Pyramid, heads: list[Found]) -> tuple[list[Found], int]:
    """Tile by tile, for faces too small for the whole picture; all heads, main one first, and how many new ones are doubtful."""
    long = max(pyramid.width, pyramid.height)
    side = long * limits("people")["tile"]
    found: list[detect.Detection] = []
    for y in _starts(pyramid.height, side):
        for x in _starts(pyramid.width, side):
            tile = Square(x=x + side / 2, y=y + side / 2, side=side, angle=0.0)
            for detection in detect.find_faces(nets, pyramid, tile, least=limits("face")["detector"]):
                known = any(_inside(head, detection) for head, _ in heads)
                if not known and not any(_same(detection, other) for other in found):
                    found.append(detection)
    if not found:
        return heads, 0
    more, unsure = confirm(nets, pyramid, found)
    return main_first(pyramid, heads + more), unsure


def _starts(length: int, side: float) -> list[float]:
    """Where tiles begin, so that they cover the length and overlap evenly."""
    if side >= length:
        return [(length - side) / 2]
    count = int(np.ceil((length - 0.15 * side) / (0.85 * side)))
    return [float(start) for start in np.linspace(0.0, length - side, max(count, 2))]


def _inside(head: Head, found: detect.Detection) -> bool:
    left, top, right, bottom = head.box
    room = 0.3 * head.size
    return left - room < found.x < right + room and top - room < found.y < bottom + room
