"""Rectangles of pasted pictures are found; tiles cover the query."""

from __future__ import annotations

import numpy as np
from skimage import data

from originlens.match import views


def test_tiles_cover_the_query_and_lie_inside():
    for thorough in (False, True):
        regions = views.tiles(thorough)
        covered = np.zeros((40, 40), bool)
        for region in regions:
            left, top, right, bottom = region.box
            assert -1e-9 <= left < right <= 1 + 1e-9
            assert -1e-9 <= top < bottom <= 1 + 1e-9
            covered[round(top * 40) : round(bottom * 40), round(left * 40) : round(right * 40)] = 1
        assert covered.all()
    assert len(views.tiles(True)) > len(views.tiles(False))


def test_finds_a_pasted_picture():
    import cv2

    host = cv2.resize(data.chelsea(), (640, 480))
    for left, top, width, height in [(40, 60, 300, 200), (300, 200, 320, 260), (100, 20, 200, 300)]:
        page = host.copy()
        page[top : top + height, left : left + width] = cv2.resize(data.coffee(), (width, height))
        truth = (left / 640, top / 480, (left + width) / 640, (top + height) / 480)
        found = views.rectangles(page, 4)
        assert max(views._overlap(truth, r.box) for r in found) > 0.8


def test_finds_the_content_of_a_frame():
    page = np.full((500, 700, 3), 255, np.uint8)
    page[60:440, 80:620] = data.coffee()[:380, :540]
    truth = (80 / 700, 60 / 500, 620 / 700, 440 / 500)
    assert views._overlap(truth, views.rectangles(page, 3)[0].box) > 0.9


def test_flat_and_tiny_pictures_have_no_rectangles():
    assert views.rectangles(np.zeros((300, 300, 3), np.uint8)) == []
    assert views.rectangles(np.zeros((1, 1, 3), np.uint8)) == []
    assert views.rectangles(np.zeros((2, 900, 3), np.uint8)) == []


def test_limit_is_kept():
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.integers(0, 256, (6, 8, 3)), np.ones((60, 60, 1))).astype(np.uint8)
    assert 0 < len(views.rectangles(blocks, 3)) <= 3
