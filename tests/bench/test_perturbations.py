"""DeeperForensics's levels, pinned; mixtures, social chains and print-and-scan."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from skimage import data

from originlens.bench import Attacked
from originlens.core.image import Image
from originlens.core.registry import method

#: Reported parameter and its five values, from the published code of arXiv:2001.03024.
LEVELS: dict[str, tuple[str, tuple[float, ...]]] = {
    "df-saturation": ("factor", (0.4, 0.3, 0.2, 0.1, 0.0)),
    "df-contrast": ("factor", (0.85, 0.725, 0.6, 0.475, 0.35)),
    "df-blockwise": ("blocks", (16, 32, 48, 64, 80)),
    "df-noise": ("variance", (0.001, 0.002, 0.005, 0.01, 0.05)),
    "df-blur": ("kernel", (7, 9, 13, 17, 21)),
    "df-pixelation": ("factor", (2, 3, 4, 5, 6)),
    "df-video": ("rate_factor", (30, 32, 35, 38, 40)),
}


@pytest.fixture(scope="module")
def photo() -> Image:
    """A photograph, 300 x 451."""
    return Image.from_array(np.ascontiguousarray(data.chelsea()))


def attack(name: str, image: Image, strength: float, seed: int = 1) -> Attacked:
    result: Attacked = (
        method("attack", name).cls().apply(image, strength, np.random.default_rng(seed))
    )
    return result


def psnr(a: Any, b: Any) -> float:
    return float(-10 * np.log10(np.mean((a.astype(float) - b) ** 2) / 255**2))


@pytest.mark.parametrize("name", LEVELS)
def test_strengths_are_the_published_levels(name: str, photo: Image) -> None:
    parameter, values = LEVELS[name]
    for level, value in enumerate(values, start=1):
        told = attack(name, photo, level / 5).parameters
        assert (told["level"], told[parameter]) == (level, pytest.approx(value))
    assert attack(name, photo, 0.21).parameters["level"] == 2
    assert attack(name, photo, 0.01).parameters["level"] == 1


@pytest.mark.parametrize("name", LEVELS)
def test_levels_grow_worse(name: str, photo: Image) -> None:
    quality = [
        psnr(attack(name, photo, level / 5).image.pixels, photo.pixels) for level in (1, 3, 5)
    ]
    assert quality == sorted(quality, reverse=True)
    assert quality[0] - quality[2] > 1


def test_saturation_keeps_luma_and_ends_grey(photo: Image) -> None:
    grey = attack("df-saturation", photo, 1.0).image.pixels
    assert (grey == grey[..., :1]).all()
    luma = cv2.cvtColor(photo.pixels, cv2.COLOR_RGB2GRAY)
    assert np.abs(grey[..., 0].astype(int) - luma).max() <= 1


def test_contrast_scales_the_pixels(photo: Image) -> None:
    found = attack("df-contrast", photo, 0.6).image.pixels
    assert np.abs(found - photo.pixels * 0.6).max() <= 0.5 + 1e-9


def test_blocks_are_grey_eights_and_the_mask_is_theirs() -> None:
    large = Image.from_array(np.zeros((520, 600, 3), np.uint8))
    result = attack("df-blockwise", large, 0.2)
    assert result.parameters["blocks"] == 32
    assert (result.image.pixels[result.mask] == 128).all()
    assert (result.image.pixels[~result.mask] == 0).all()
    assert 0.8 * 32 * 64 <= result.mask.sum() <= 32 * 64


def test_noise_enters_luma_in_the_studio_range() -> None:
    grey = Image.from_array(np.full((300, 300, 3), 128, np.uint8))
    noisy = attack("df-noise", grey, 0.2).image.pixels.astype(np.float32)
    luma = np.asarray(cv2.cvtColor(noisy / 255, cv2.COLOR_RGB2GRAY))
    assert luma.std() == pytest.approx(np.sqrt(0.001) * 255 / 219, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.5)


def test_a_mixture_tells_its_parts(photo: Image) -> None:
    seen = set()
    for seed in range(12):
        result = attack("mixed", photo, 0.8, seed)
        steps = result.parameters["steps"]
        assert 2 <= len(steps) <= 4
        assert all(0.8 * 0.7 * 0.4 <= step["strength"] <= 0.8 * 0.7 for step in steps)
        names = [step["attack"] for step in steps]
        assert len(set(names)) == len(names)
        assert not set(names[:-1]) & {"jpeg", "webp"}
        seen |= set(names)
    assert len(seen) > 8


def test_a_social_chain_shrinks_and_keeps_its_file(photo: Image) -> None:
    for seed in range(6):
        result = attack("social", photo, 1.0, seed)
        hops = result.parameters["hops"]
        assert 1 <= len(hops) <= 3
        assert hops[-1]["size"] == [result.image.height, result.image.width]
        assert result.image.format == hops[-1]["codec"]
        assert all(50 <= hop["quality"] <= 92 for hop in hops)
        expected = cv2.warpPerspective(
            photo.pixels, result.transform, (result.image.width, result.image.height)
        )
        assert psnr(cv2.GaussianBlur(expected, (0, 0), 2), result.image.pixels) > 20


@pytest.mark.parametrize("seed", range(4))
def test_print_and_scan_tells_where_the_paper_lies(photo: Image, seed: int) -> None:
    result = attack("print-scan", photo, 0.8, seed)
    bed = result.image.pixels[cv2.erode(result.mask.astype(np.uint8), np.ones((9, 9))) > 0]
    assert abs(bed.mean() - 248) < 12
    expected = cv2.warpPerspective(
        photo.pixels, result.transform, (result.image.width, result.image.height)
    )
    inside = ~cv2.dilate(result.mask.astype(np.uint8), np.ones((9, 9))).astype(bool)
    a, b = (cv2.GaussianBlur(p, (0, 0), 3).mean(axis=2)[inside] for p in (
        expected, result.image.pixels
    ))  # fmt: skip
    assert np.corrcoef(a, b)[0, 1] > 0.97
