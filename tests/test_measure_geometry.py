"""The measuring observer's pure geometry: anchors, boxes, turned crops, angles, colours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluxcap.measure import colours, detect, headpose, mesh, picture
from fluxcap.measure.limits import limits
from fluxcap.measure.mouth import measure_mouth
from fluxcap.measure.pixels import Pyramid, Square

DEGREES = st.floats(-60, 60)
TEMPLATE, TWIN = mesh.template()


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
    """Roll @ yaw @ pitch in picture axes: x right, y down, z away; yaw > 0 to the right, pitch > 0 down, roll > 0 clockwise."""
    y, p, r = np.radians([yaw, pitch, roll])
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    lean = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return lean @ turn @ nod


@pytest.mark.parametrize(
    ("layout", "count"), [(detect.FULL_RANGE, 2304), (detect.SHORT_RANGE, 896), (detect.BODY, 2254)]
)
def test_anchors_are_as_many_as_the_net_has_outputs(layout, count):
    assert detect.anchors(layout).shape == (count, 2)


def test_anchors_sit_in_the_middle_of_their_cells():
    points = detect.anchors(((2, 2),))
    assert points.tolist() == [[0.25, 0.25]] * 2 + [[0.75, 0.25]] * 2 + [[0.25, 0.75]] * 2 + [[0.75, 0.75]] * 2


def test_decoding_adds_the_anchor_and_drops_low_scores():
    raw = np.zeros((1, 4, 6), np.float32)
    raw[0, 3] = [10, 20, 30, 40, -10, -20]
    logits = np.array([[-9], [-9], [-9], [3]], np.float32)
    scores, rows = detect.decode(raw, logits, ((2, 1),), 100, 0.5)
    assert scores == pytest.approx([0.9526], abs=1e-4)
    assert rows[0] == pytest.approx([0.85, 0.95, 0.3, 0.4, 0.65, 0.55])


def test_extreme_logits_do_not_warn():
    scores, _ = detect.decode(
        np.zeros((1, 4, 4), np.float32), np.array([-1e30, 1e30, 0, 0], np.float32), ((2, 1),), 1, 0.9
    )
    assert scores.tolist() == [1.0]


def test_overlapping_boxes_become_one_and_distant_ones_stay():
    rows = np.array([[0.5, 0.5, 0.2, 0.2], [0.52, 0.5, 0.2, 0.2], [0.1, 0.1, 0.1, 0.1]])
    found = detect.suppress(np.array([0.6, 0.9, 0.7]), rows)
    assert [score for score, _ in found] == [0.9, 0.7]
    assert 0.5 < found[0][1][0] < 0.52


def test_overlap_of_equal_and_of_apart_boxes():
    box = np.array([0.5, 0.5, 0.2, 0.2])
    assert detect.overlap(box, np.array([[0.5, 0.5, 0.2, 0.2], [0.9, 0.9, 0.1, 0.1]])) == pytest.approx([1, 0])


@given(DEGREES, DEGREES, DEGREES)
def test_angles_are_read_back(yaw, pitch, roll):
    assert headpose.angles(rotation(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=1e-6)


@given(DEGREES, DEGREES, DEGREES, st.floats(20, 400))
@settings(max_examples=40, deadline=None)
def test_pose_of_the_turned_mean_face(yaw, pitch, roll, scale):
    points = scale * TEMPLATE @ rotation(yaw, pitch, roll).T + [300, 200, 0]
    pose = headpose.head_pose(TEMPLATE, points)
    assert (pose.yaw, pose.pitch, pose.roll) == pytest.approx((yaw, pitch, roll), abs=1e-4)
    assert pose.scale == pytest.approx(scale, rel=1e-6)
    assert np.allclose(pose.aligned, TEMPLATE, atol=1e-6)


@given(DEGREES, DEGREES, DEGREES, st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_a_mirrored_mesh_has_mirrored_angles(yaw, pitch, roll, seed):
    noise = np.random.default_rng(seed).normal(0, 0.02, TEMPLATE.shape)
    points = 100 * (TEMPLATE + noise) @ rotation(yaw, pitch, roll).T
    mirrored = (points * [-1, 1, 1])[TWIN]
    one, other = headpose.head_pose(TEMPLATE, points), headpose.head_pose(TEMPLATE, mirrored)
    assert (other.yaw, other.pitch, other.roll) == pytest.approx((-one.yaw, one.pitch, -one.roll), abs=1e-6)
    ours, theirs = measure_mouth(one.aligned), measure_mouth(other.aligned)
    assert (ours.gap, ours.smile, ours.corners) == pytest.approx((theirs.gap, theirs.smile, theirs.corners), abs=1e-9)


def test_mean_face_is_symmetrical_and_twins_are_mutual():
    assert (TWIN[TWIN] == np.arange(468)).all()
    assert np.allclose(TEMPLATE, TEMPLATE[TWIN] * [-1, 1, 1], atol=1e-4)
    assert TWIN[33] == 263
    assert np.linalg.norm(TEMPLATE[33] - TEMPLATE[263]) == pytest.approx(1, abs=1e-3)


def test_nose_lies_before_the_face_and_the_chin_below_it():
    assert TEMPLATE[1, 2] < TEMPLATE[234, 2]
    assert TEMPLATE[152, 1] > TEMPLATE[10, 1]


@given(st.floats(5, 90), st.floats(5, 60), st.floats(4, 60), st.floats(-180, 180))
def test_a_squares_middle_is_its_centre(x, y, side, angle):
    square = Square(x=x, y=y, side=side, angle=angle)
    corners = square.to_picture(np.array([[0.5, 0.5], [0, 0], [1, 0]]))
    assert corners[0] == pytest.approx([x, y])
    assert np.linalg.norm(corners[2] - corners[1]) == pytest.approx(side)


@pytest.mark.parametrize("side", [64.0, 256.0])
def test_a_crop_shows_what_its_square_says(side):
    rgb = np.zeros((300, 400, 3), np.uint8)
    rgb[100:140, 200:240] = 255  # centre 220, 120
    square = Square(x=220.0, y=120.0, side=side, angle=30.0)
    crop = Pyramid(rgb).crop(square, 64)
    assert crop[32, 32].min() == 255
    ys, xs = np.nonzero(crop[:, :, 0] > 127)
    assert (xs.mean(), ys.mean()) == pytest.approx((31.5, 31.5), abs=0.6)


def test_a_mirrored_crop_is_the_crop_mirrored():
    rgb = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    square = Square(x=60.0, y=45.0, side=64.0, angle=20.0)
    one, other = Pyramid(rgb).crop(square, 64), Pyramid(rgb).crop(square, 64, mirrored=True)
    assert np.abs(one[:, ::-1].astype(int) - other.astype(int)).max() <= 2


@pytest.mark.parametrize("size", [(1, 1), (1, 700), (700, 1), (3, 5), (1024, 768)])
def test_letterbox_of_any_size(size):
    pixels, square = Pyramid(np.full((*size, 3), 200, np.uint8)).letterbox(128)
    assert pixels.shape == (128, 128, 3)
    assert square.side == max(size)


@pytest.mark.parametrize(
    ("lab", "name"),
    [
        ((5, 0, 0), "black"),
        ((97, 0, 0), "white"),
        ((55, 0, 0), "grey"),
        ((53, 80, 67), "red"),
        ((46, -50, 45), "green"),
        ((32, 60, -90), "blue"),
    ],
)
def test_colours_have_their_names(lab, name):
    assert colours.name_colour(*lab) == name


@given(st.floats(0, 100), st.floats(-110, 110), st.floats(-110, 110))
def test_every_colour_has_a_name(light, a, b):
    assert colours.name_colour(light, a, b)
    assert colours.name_cloth(light, a, b)


def test_between_two_greys_no_name_is_said():
    assert colours.name_background(90.0, 0, 0) is None
    assert colours.name_background(99.0, 0, 0) == "white"
    assert colours.name_background(50.0, 8, 0) is None


def test_cloth_of_one_colour_is_named_and_skin_is_not():
    lab = np.tile(np.array([20.0, 128.0, 128.0], np.float32), (128, 128, 1))
    cloth = np.ones((128, 128), bool)
    assert colours.name_clothing(lab, cloth, (160.0, 140.0, 145.0)) == "black"
    assert colours.name_clothing(lab, cloth, (22.0, 128.0, 128.0)) is None


def test_blur_raises_softness_and_flat_pictures_have_none():
    import cv2

    grey = np.random.default_rng(1).integers(0, 255, (128, 128)).astype(np.float32)
    assert picture.softness(cv2.GaussianBlur(grey, (0, 0), 6)) > limits("blur")["blurry"] > picture.softness(grey)
    assert np.isnan(picture.softness(np.full((64, 64), 9.0, np.float32)))


def test_grey_pictures_have_no_colourfulness():
    grey = np.random.default_rng(2).integers(0, 255, (32, 32, 1), dtype=np.uint8).repeat(3, axis=2)
    assert picture.colourfulness(grey) == pytest.approx(0)


def test_a_patch_of_people_without_a_face_is_seen():
    mask = np.zeros((256, 256), np.float32)
    mask[60:250, 20:100] = 1
    mask[100:250, 180:250] = 1
    assert picture.apart(mask, [(0.25, 0.5)]) > 0.1
    assert picture.apart(mask, [(0.25, 0.5), (0.85, 0.6)]) == 0
