"""What confirmed copies account for: by content, not by area."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from originlens.core import geometry
from originlens.match import LocalFeatures
from originlens.match._accounted import Accounted
from originlens.match.views import WHOLE

HALF = np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 1]])


def features(points: np.ndarray, size: tuple[int, int] = (300, 400)) -> LocalFeatures:
    """Features at those (x, y) of a working frame, of a picture twice as large."""
    found = np.zeros((len(points), 4), np.float32)
    found[:, :2] = points
    descriptors = np.zeros((len(points), 128), np.float32)
    grey, thumbnail = np.zeros(size, np.uint8), np.zeros((24, 24), np.float32)
    small = np.zeros((64, 64, 3), np.uint8)
    return LocalFeatures(found, descriptors, size, (600, 800), grey, thumbnail, small)


def scattered(left: float, right: float, count: int = 200) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.uniform((left, 0), (right, 299), (count, 2))


def test_a_border_without_content_is_nothing_to_explain():
    accounted = Accounted(features(scattered(0, 199)))
    assert accounted.share(WHOLE) == 0
    # The original fills the left half of the query only, which is where the content is.
    accounted.add(geometry.scaling((600, 400), (600, 400)), (600, 400))
    assert accounted.share(WHOLE) == 1


def test_two_copies_side_by_side_add_up():
    accounted = Accounted(features(scattered(0, 399)))
    accounted.add(np.eye(3), (600, 400))
    assert accounted.share(WHOLE) == pytest.approx(0.5, abs=0.1)
    assert accounted.share((0, 0, 0.49, 1)) == 1
    assert accounted.share((0.51, 0, 1, 1)) == 0
    accounted.add(np.array([[1.0, 0, 400], [0, 1, 0], [0, 0, 1]]), (600, 400))
    assert accounted.share(WHOLE) == 1


def test_area_stands_in_where_there_is_no_content():
    accounted = Accounted(features(np.zeros((0, 2))))
    accounted.add(HALF, (600, 800))
    assert accounted.share(WHOLE) == pytest.approx(0.25, abs=0.03)


def test_the_query_itself_accounts_for_everything():
    accounted = Accounted(features(scattered(0, 399)))
    accounted.add(None, (600, 800))
    assert accounted.share(WHOLE) == 1


@given(st.floats(0.05, 0.95), st.floats(0.05, 0.95))
def test_a_copy_never_takes_anything_away(width, height):
    accounted = Accounted(features(scattered(0, 399)))
    box = (0.0, 0.0, width, height)
    accounted.add(HALF, (600, 800))
    before = accounted.share(box)
    accounted.add(
        geometry.scaling((600, 800), (round(600 * height), round(800 * width))), (600, 800)
    )
    assert accounted.share(box) >= before
    assert accounted.share(box) == 1
