"""The embedded observer on pictures without people, of odd sizes, and from several threads."""

from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from fluxcap.measure import EmbeddedMeasurement, missing_models

pytestmark = pytest.mark.skipif(bool(missing_models()), reason="the measuring models are not installed")


@pytest.fixture(scope="module")
def measurement():
    return EmbeddedMeasurement()


def smooth(seed: int, cells: int, size: tuple[int, int] = (480, 480)) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (cells, cells, 3), dtype=np.uint8)
    return cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_page_says_nothing(measurement, value):
    assert measurement.observe(np.full((600, 400, 3), value, np.uint8), 400, 600) == []


@pytest.mark.parametrize("cells", [3, 4, 8, 16, 64, 480])
def test_noise_has_no_people(measurement, cells):
    for seed in range(5):
        assert measurement.observe(smooth(seed, cells), 480, 480) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (900, 1), (2, 3), (7, 1024), (1024, 16)])
def test_odd_sizes_never_raise(measurement, size):
    noise = np.random.default_rng(3).integers(0, 255, (*size, 3), dtype=np.uint8)
    assert measurement.observe(noise, size[1], size[0]) == []


def test_read_only_and_strided_pixels_are_fine(measurement):
    rgb = smooth(1, 8)[:, ::-1]
    rgb.flags.writeable = False
    assert measurement.observe(rgb, 480, 480) == []


def test_one_instance_serves_many_threads(measurement):
    pictures = [smooth(seed, 8) for seed in range(12)]
    alone = [measurement.details(rgb, 480, 480).tones for rgb in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda rgb: measurement.details(rgb, 480, 480).tones, pictures))
    assert repr(together) == repr(alone)


def test_it_says_who_it_is(measurement):
    assert measurement.name == "embedded"
    assert measurement.version
