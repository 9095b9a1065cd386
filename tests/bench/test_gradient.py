"""Attacks that climb a target's objective: budgets, gains, truth."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from scipy.fft import dctn
from skimage import data

from originlens.bench import Attacked
from originlens.bench.attacks._gradient import LOW, SIDE, dct_rows
from originlens.core.errors import MissingExtra
from originlens.core.image import Image
from originlens.core.registry import method

BOUNDED = ["fgsm", "pgd", "adv-emb"]


@pytest.fixture(scope="module")
def photo() -> Image:
    """A photograph, 150 x 225."""
    return Image.from_array(np.ascontiguousarray(data.chelsea()[::2, ::2][:150, :225]))


def attack(name: str, image: Image, strength: float, seed: int = 1, **options: Any) -> Attacked:
    made = method("attack", name).cls(**options)
    result: Attacked = made.apply(image, strength, np.random.default_rng(seed))
    return result


def signature(image: Image) -> np.ndarray:
    """The target's signature by other libraries: area average, then SciPy's DCT."""
    luma = (image.pixels @ np.array([0.299, 0.587, 0.114])).astype(np.float32)
    cells = cv2.resize(luma, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    low = dctn(cells, norm="ortho")[:LOW, :LOW].ravel()[1:]
    return np.asarray(low / np.linalg.norm(low))


def test_the_basis_is_scipys_dct() -> None:
    cells = np.random.default_rng(0).random((SIDE, SIDE))
    rows = dct_rows().astype(np.float64)
    expected = dctn(cells, norm="ortho")[:LOW, :LOW]
    np.testing.assert_allclose(rows @ cells @ rows.T, expected, atol=1e-4)


@pytest.mark.torch
@pytest.mark.parametrize("name", BOUNDED)
@pytest.mark.parametrize("strength", [0.25, 1.0])
def test_the_budget_is_kept_and_the_signature_moves(
    name: str, strength: float, photo: Image
) -> None:
    pytest.importorskip("torch")
    result = attack(name, photo, strength)
    change = np.abs(result.image.pixels.astype(int) - photo.pixels)
    assert change.max() == round(16 * strength)
    assert not result.mask.any()
    assert np.array_equal(result.transform, np.eye(3))
    before, after = result.parameters["objective"]
    assert before == pytest.approx(0, abs=1e-9)
    # The same amount of unguided noise moves the signature far less.
    noise = np.random.default_rng(0).choice([-1, 1], photo.pixels.shape) * round(16 * strength)
    blind = Image.from_array(np.clip(photo.pixels + noise, 0, 255).astype(np.uint8))
    unguided = float(((signature(blind) - signature(photo)) ** 2).sum())
    guided = float(((signature(result.image) - signature(photo)) ** 2).sum())
    assert guided == pytest.approx(after, rel=0.05)
    assert guided > 20 * unguided


@pytest.mark.torch
def test_more_steps_gain_more(photo: Image) -> None:
    pytest.importorskip("torch")
    gains = [attack(name, photo, 0.5).parameters["objective"][1] for name in ("fgsm", "pgd")]
    assert gains[1] > 1.1 * gains[0]


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
def test_a_torchscript_score_is_pushed_to_the_other_side(photo: Image, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")

    class Brightness(torch.nn.Module):
        def forward(self, x):  # type: ignore[no-untyped-def]
            return x.mean(dim=(1, 2, 3), keepdim=False)[:, None] - 0.3

    path = str(tmp_path / "brightness.pt")
    torch.jit.trace(Brightness(), torch.zeros(1, 3, 8, 8)).save(path)
    assert photo.pixels.mean() / 255 > 0.3
    result = attack("pgd", photo, 0.5, model=path)
    assert result.parameters["target"] == path
    # The score is positive, so every channel falls by the whole budget where it can.
    assert (photo.pixels.astype(int) - result.image.pixels).mean() == pytest.approx(8, abs=0.3)


@pytest.mark.torch
@pytest.mark.parametrize("strength", [0.3, 1.0])
def test_a_warp_moves_pixels_within_its_reach_and_marks_them(strength: float, photo: Image) -> None:
    pytest.importorskip("torch")
    y, x = np.mgrid[:200, :250]
    sheet = Image.from_array(np.stack([x, y, 128 + 0 * x], axis=2).astype(np.uint8))
    result = attack("st-adv", sheet, strength)
    inner = result.image.pixels[10:-10, 10:-10].astype(float)
    shift = np.hypot(inner[..., 0] - x[10:-10, 10:-10], inner[..., 1] - y[10:-10, 10:-10])
    assert shift.max() <= np.hypot(2, 2) * strength + 1
    mask = result.mask[10:-10, 10:-10]
    assert shift[~mask].max() <= 2.3
    if mask.any():
        assert (shift[mask] > 0.8).mean() > 0.97
    moved = attack("st-adv", photo, strength)
    assert moved.parameters["objective"][1] > 0.001 * strength
    assert np.abs(moved.image.pixels.astype(int) - photo.pixels).mean() < 15


@pytest.mark.parametrize("name", [*BOUNDED, "st-adv"])
def test_without_pytorch_the_extra_is_named(
    name: str, photo: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert method("attack", name).card.extra == "torch"
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"originlens\[torch\]"):
        attack(name, photo, 0.5)
    assert np.array_equal(attack(name, photo, 0.0).image.pixels, photo.pixels)


@pytest.mark.parametrize(("strength", "count"), [(0.2, 1), (0.6, 3), (1.0, 5)])
def test_one_pixel_changes_that_many_and_beats_chance(
    strength: float, count: int, photo: Image
) -> None:
    result = attack("one-pixel", photo, strength)
    differs = (result.image.pixels != photo.pixels).any(axis=2)
    assert 1 <= differs.sum() <= count
    assert not (differs & ~result.mask).any()
    assert result.mask.sum() == len(result.parameters["changes"]) <= count
    found = float(((signature(result.image) - signature(photo)) ** 2).sum())
    assert found == pytest.approx(result.parameters["objective"], rel=0.5)
    rng = np.random.default_rng(0)
    chance = []
    for _ in range(20):
        pixels = photo.pixels.copy()
        pixels[rng.integers(0, photo.height, count), rng.integers(0, photo.width, count)] = (
            rng.integers(0, 256, (count, 3))
        )
        chance.append(float(((signature(Image.from_array(pixels)) - signature(photo)) ** 2).sum()))
    assert found > 2 * np.median(chance)
