"""From numbers to claims: a pure function, with silence between two limits."""

import dataclasses
from math import nan
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluxcap.measure.body import Body
from fluxcap.measure.claims_frame import frame_claims
from fluxcap.measure.claims_head import head_claims
from fluxcap.measure.covered import Covered
from fluxcap.measure.details import Details
from fluxcap.measure.eyes import Eye, Eyes
from fluxcap.measure.faces import Head
from fluxcap.measure.mouth import Mouth
from fluxcap.measure.picture import Tones

TONES = Tones(
    colourfulness=40,
    chroma=40,
    contrast=50,
    mean=120,
    top=240,
    share=0.4,
    background=(120, 128, 128),
    spread_l=40,
    spread_ab=10,
    background_contrast=30,
)


def head(**changes: Any) -> Head:
    usual = Head(
        detector=0.9,
        score=1.0,
        box=(300, 200, 500, 430),
        width=200,
        height=230,
        chin=430,
        yaw=0,
        pitch=5,
        roll=0,
        size=230,
        aligned=np.zeros((468, 3)),
    )
    return dataclasses.replace(usual, **changes)


def eyes(left: float = 0.33, right: float = 0.33, offset: float = 0.0) -> Eyes:
    return Eyes(left=Eye(opening=left, offset=offset, width=50), right=Eye(opening=right, offset=offset, width=50))


def details(**changes: Any) -> Details:
    usual = Details(
        width=800, height=1000, scale=1, heads=(head(),), unsure_faces=0, body=None, body_asked=False, eyes=eyes(),
        mouth=Mouth(gap=0.02, smile=0.5, corners=0.5), below=1.0, tones=TONES, face_softness=0.6, edges=None, apart=0,
        clothing=None, plain=None, covered=Covered(lips=6.0, under_eyes=0.9),
    )  # fmt: skip
    return dataclasses.replace(usual, **changes)


def pose(hips: float, knees: float, ankles: float, sure: float = 1.0, turn: float = 0.0) -> Body:
    points = np.zeros((33, 3))
    points[:, 0] = 400
    points[[11, 12], 0] = (480, 320)
    for pair, y in (((11, 12), hips - 0.25), ((23, 24), hips), ((25, 26), knees), ((27, 28), ankles)):
        points[list(pair), 1] = y * 1000
    points[0] = points[7] + [100 * np.sin(np.radians(turn)), 0, -100 * np.cos(np.radians(turn))]
    return Body(score=1.0, points=points, seen=np.full(33, sure))


def said(measured: Details) -> dict[str, str]:
    return {
        claim.slot: claim.value
        for claim in [*frame_claims(measured), *head_claims(measured)]
        if claim.confidence >= 0.5
    }


@pytest.mark.parametrize(
    ("yaw", "view"),
    [
        (0, "front"),
        (-12, "front"),
        (-30, "three-quarter left"),
        (30, "three-quarter right"),
        (-55, "profile left"),
        (55, "profile right"),
        (18, None),
        (44.5, None),
    ],
)
def test_view(yaw, view):
    assert said(details(heads=(head(yaw=yaw),))).get("view") == view


def test_left_and_right_need_the_pose_to_agree():
    measured = details(heads=(head(yaw=30),), body=pose(0.7, 1.0, 1.3, turn=-40), below=5)
    assert "view" not in said(measured)


def test_small_faces_keep_silent():
    measured = said(details(heads=(head(width=20, size=22),), eyes=None))
    assert not {"view", "gaze", "eyes", "mouth", "expression"} & measured.keys()


def test_back_only_with_a_body_and_no_face():
    behind = pose(0.5, 0.7, 0.9, turn=170)
    crossed = behind.points.copy()
    crossed[[11, 12], 0] = (320, 480)
    behind = dataclasses.replace(behind, points=crossed)
    assert said(details(heads=(), eyes=None, mouth=None, body=behind, below=nan))["view"] == "back"
    assert "view" not in said(details(heads=(), eyes=None, mouth=None, body=behind, below=nan, unsure_faces=1))
    assert "view" not in said(details(heads=(), eyes=None, mouth=None, below=nan))


@pytest.mark.parametrize(
    ("left", "right", "value"),
    [
        (0.33, 0.3, "open"),
        (0.05, 0.06, "closed"),
        (0.05, 0.4, "one closed"),
        (0.4, 0.05, "one closed"),
        (0.14, 0.15, None),
        (0.05, 0.2, None),
    ],
)
def test_eyes(left, right, value):
    assert said(details(eyes=eyes(left, right))).get("eyes") == value


@pytest.mark.parametrize(("offset", "value"), [(0.0, "camera"), (0.2, "side"), (-0.2, "side"), (0.07, None)])
def test_gaze(offset, value):
    assert said(details(eyes=eyes(offset=offset))).get("gaze") == value


def test_turned_head_with_eyes_turned_back_looks_at_the_camera():
    assert said(details(heads=(head(yaw=25),), eyes=eyes(offset=-0.14)))["gaze"] == "camera"


def test_closed_eyes_look_nowhere():
    assert "gaze" not in said(details(eyes=eyes(0.04, 0.04)))


@pytest.mark.parametrize(
    ("gap", "value"), [(0.02, "closed"), (0.08, None), (0.2, "parted"), (0.32, None), (0.6, "open")]
)
def test_mouth(gap, value):
    assert said(details(mouth=Mouth(gap=gap, smile=0.5, corners=0.5))).get("mouth") == value


def test_broad_smile_shows_teeth_and_a_shout_is_none():
    assert said(details(mouth=Mouth(gap=0.22, smile=0.85, corners=0.7)))["expression"] == "broad smile"
    assert "expression" not in said(details(mouth=Mouth(gap=0.02, smile=0.85, corners=0.7)))
    assert "expression" not in said(details(mouth=Mouth(gap=0.6, smile=0.85, corners=0.45)))


def test_slight_smiles_are_hints_only():
    claims = list(head_claims(details(mouth=Mouth(gap=0.02, smile=0.65, corners=0.62))))
    assert [claim.confidence < 0.5 for claim in claims if claim.value == "slight smile"] == [True]


@pytest.mark.parametrize(("roll", "tilted"), [(0, False), (15, False), (30, True), (-30, True), (80, False)])
def test_tilt(roll, tilted):
    assert (said(details(heads=(head(roll=roll),))).get("action") == "tilting {their} head") is tilted


@pytest.mark.parametrize(
    ("below", "size", "value"),
    [
        (0.1, 450, "close-up"),
        (0.1, 200, "head-and-shoulders"),
        (0.9, 200, "head-and-shoulders"),
        (2.2, 150, "waist-up"),
        (1.45, 150, None),
    ],
)
def test_framing_by_the_face(below, size, value):
    assert said(details(below=below, heads=(head(size=size * 1.85 / 1.55),))).get("framing") == value


@pytest.mark.parametrize(
    ("joints", "below", "value"),
    [
        ((0.5, 0.7, 0.9), 9.0, "full body"),
        ((0.7, 0.95, 1.2), 5.0, "knee-up"),
        ((0.72, 1.02, 1.3), 5.3, "knee-up"),
        ((0.95, 1.3, 1.6), 3.4, "waist-up"),
    ],
)
def test_framing_by_the_body(joints, below, value):
    assert said(details(below=below, body=pose(*joints)))["framing"] == value


def test_guessed_legs_do_not_count():
    assert said(details(below=2.9, body=pose(0.83, 0.74, 1.03, sure=0.6)))["framing"] == "waist-up"


def test_people_are_counted_and_doubt_is_silence():
    assert said(details())["people"] == "alone"
    assert said(details(heads=(head(), head())))["people"] == "one other person"
    assert said(details(heads=(head(),) * 6))["people"] == "several other people"
    assert said(details(heads=(head(),) * 9))["people"] == "a crowd"
    assert "people" not in said(details(unsure_faces=1))
    assert "people" not in said(details(apart=0.05))


def test_dark_skin_or_a_dark_frame_alone_is_no_low_key():
    dark = dataclasses.replace(TONES, mean=40, top=200, background=(60, 128, 128), spread_l=5)
    assert "lighting" not in said(details(tones=dark))
    black = dataclasses.replace(dark, background=(8, 128, 128))
    assert said(details(tones=black))["lighting"] == "low-key"
    night = dataclasses.replace(black, spread_l=60)
    assert "lighting" not in said(details(tones=night))


def test_grey_clothes_on_white_are_no_black_and_white_photo():
    assert "medium" not in said(details(tones=dataclasses.replace(TONES, colourfulness=9, chroma=15)))
    assert (
        said(details(tones=dataclasses.replace(TONES, colourfulness=2, chroma=2)))["medium"] == "black and white photo"
    )


def test_camera_height_is_never_said():
    assert "camera_height" not in said(details(heads=(head(pitch=25),)))


MIRROR = {"left": "right", "right": "left"}


@given(st.floats(-80, 80), st.floats(-40, 40), st.floats(-0.4, 0.4), st.floats(0, 0.5), st.floats(0, 0.5))
def test_mirrored_numbers_give_mirrored_claims(yaw, roll, offset, one, other):
    straight = details(heads=(head(yaw=yaw, roll=roll),), eyes=eyes(one, other, offset))
    mirrored = details(heads=(head(yaw=-yaw, roll=-roll),), eyes=eyes(other, one, -offset))
    there = {slot: " ".join(MIRROR.get(word, word) for word in value.split()) for slot, value in said(straight).items()}
    if straight.eyes and one != other:  # which eye is nearer is a tie here
        there.pop("gaze", None)
        assert there == {slot: value for slot, value in said(mirrored).items() if slot != "gaze"}
    else:
        assert there == said(mirrored)


def test_claims_speak_the_slots_language():
    import tomllib
    from importlib import resources

    slots = {
        slot["id"]: slot
        for slot in tomllib.loads((resources.files("fluxcap") / "data" / "slots.toml").read_text("utf-8"))["slot"]
    }
    spoken = [*frame_claims(details(plain="white", clothing="black")), *head_claims(details())]
    spoken += head_claims(
        details(heads=(head(yaw=30, roll=30),), eyes=eyes(0.05, 0.05), mouth=Mouth(gap=0.22, smile=0.85, corners=0.7))
    )
    for claim in spoken:
        assert claim.slot in slots
        if slots[claim.slot].get("listed") or claim.slot in ("people", "expression", "lighting", "medium"):
            assert claim.value in [value["id"] for value in slots[claim.slot]["value"]]
        assert 0 < claim.confidence < 1


def test_a_mask_and_sunglasses_keep_mouth_and_eyes_untold():
    assert said(details())["mouth"] == "closed"
    masked = details(covered=Covered(lips=0.3, under_eyes=0.9))
    assert "mouth" not in said(masked)
    assert "eyes" in said(masked)
    shaded = details(covered=Covered(lips=6.0, under_eyes=0.5))
    assert not {"eyes", "gaze"} & set(said(shaded))
    assert "mouth" in said(shaded)
    grey = details(covered=Covered(lips=float("nan"), under_eyes=0.9))
    assert "mouth" in said(grey)
