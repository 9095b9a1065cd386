"""Histograms turn with the picture, and a mirrored picture's are a permutation."""

from __future__ import annotations

import numpy as np

from originlens.match.local import keypoints, patches
from originlens.match.local.keypoints import Floats
from originlens.testing import textured_image

GREY = textured_image(7, 200, 200).pixels[..., 1]


def described(grey: np.ndarray) -> tuple[Floats, Floats, Floats]:
    points = keypoints.detect(np.ascontiguousarray(grey), 300)
    return points.xy, *patches.describe(points)


def same_places(ours: Floats, theirs: Floats) -> tuple[np.ndarray, np.ndarray]:
    distance = np.linalg.norm(ours[:, None] - theirs[None], axis=2)
    rows = np.flatnonzero(distance.min(1) < 0.5)
    return rows, distance.argmin(1)[rows]


def test_histograms_have_unit_length() -> None:
    _, direction, histograms = described(GREY)
    assert histograms.shape == (len(direction), patches.DIMENSION)
    assert np.allclose(np.linalg.norm(histograms, axis=1), 1, atol=1e-4)
    assert ((direction >= 0) & (direction < 7)).all()


def test_a_quarter_turn_turns_directions_and_leaves_histograms() -> None:
    xy, direction, histograms = described(GREY)
    turned_xy, turned_direction, turned = described(np.rot90(GREY))
    back = np.column_stack([199 - turned_xy[:, 1], turned_xy[:, 0]])
    ours, theirs = same_places(xy, back)
    assert len(ours) > 60
    similarity = (histograms[ours] * turned[theirs]).sum(1)
    assert np.median(similarity) > 0.97
    turn = (direction[ours] - turned_direction[theirs]) % (2 * np.pi)
    assert abs(np.median(turn) - np.pi / 2) < 0.05


def test_a_mirror_permutes_histograms() -> None:
    xy, _, histograms = described(GREY)
    mirrored_xy, _, mirrored = described(GREY[:, ::-1])
    mirrored_xy = mirrored_xy * [-1, 1] + [199, 0]
    ours, theirs = same_places(xy, mirrored_xy)
    assert len(ours) > 60
    as_mirrored = histograms[ours][:, patches.MIRROR]
    assert np.median((as_mirrored * mirrored[theirs]).sum(1)) > 0.97
    assert np.median((histograms[ours] * mirrored[theirs]).sum(1)) < 0.9


def test_no_points_have_no_histograms() -> None:
    direction, histograms = patches.describe(keypoints.detect(np.zeros((64, 64), np.uint8), 9))
    assert direction.shape == (0,)
    assert histograms.shape == (0, patches.DIMENSION)
