"""Luma and area-averaged scaling."""

from __future__ import annotations

import numpy as np
import pytest

from originlens.core.pixels import fit_within, luma


def test_luma_weights() -> None:
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 255]]], np.uint8)
    found = luma(colours)
    assert found.dtype == np.float32
    assert found[0] == pytest.approx([76.245, 149.685, 29.07, 255.0], abs=1e-3)


def test_fit_within_averages_areas() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    small = fit_within(pixels, 24)
    expected = pixels.reshape(16, 4, 24, 4, 3).mean(axis=(1, 3))
    assert small.shape == (16, 24, 3)
    assert np.abs(small - expected).max() <= 1


@pytest.mark.parametrize(
    ("shape", "expected"), [((3, 3000), (1, 500)), ((3000, 2), (500, 1)), ((40, 30), (40, 30))]
)
def test_fit_within_keeps_at_least_one_pixel(
    shape: tuple[int, int], expected: tuple[int, int]
) -> None:
    pixels = np.full((*shape, 3), 7, np.uint8)
    assert fit_within(pixels, 500).shape == (*expected, 3)
    assert (fit_within(pixels, 500) == 7).all()
