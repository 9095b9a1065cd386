"""Points: where blobs are, at their size, found again after a change of size."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.match.local import keypoints
from originlens.testing import textured_image


def blob(sigma: float, at: tuple[float, float] = (60, 40)) -> np.ndarray:
    y, x = np.mgrid[:100, :140]
    bump = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma**2))
    return (60 + 150 * bump).astype(np.uint8)


@pytest.mark.parametrize("sigma", [3.0, 5.0, 9.0])
def test_a_blob_is_found_at_its_place_and_size(sigma: float) -> None:
    found = keypoints.detect(blob(sigma), 10)
    assert len(found) >= 1
    assert np.allclose(found.xy[0], (60, 40), atol=0.6)
    assert 0.7 < found.sigma[0] / sigma < 1.3


def test_points_are_found_again_at_half_the_size() -> None:
    cv2 = pytest.importorskip("cv2")
    grey = textured_image(3, 240, 320).pixels[..., 1]
    small = cv2.resize(grey, (160, 120), interpolation=cv2.INTER_AREA)
    large, half = keypoints.detect(grey, 300), keypoints.detect(small, 300)
    there = large.xy[large.sigma > 4] * 0.5 - 0.25
    nearest = np.linalg.norm(there[:, None] - half.xy[None], axis=2).min(1)
    assert len(there) > 10
    assert (nearest < 1.5).mean() > 0.6


def test_strength_is_spread_over_the_picture() -> None:
    grey = textured_image(5, 256, 256).pixels[..., 1].copy()
    grey[:, 128:] = 128 + (grey[:, 128:].astype(int) - 128) // 3  # a weak half
    found = keypoints.detect(grey, 60)
    assert len(found) == 60
    assert (found.xy[:, 0] > 128).sum() > 10


@pytest.mark.parametrize("size", [(1, 1), (8, 8), (15, 400), (40, 40)])
def test_pictures_without_points(size: tuple[int, int]) -> None:
    assert len(keypoints.detect(np.full(size, 90, np.uint8), 50)) == 0
