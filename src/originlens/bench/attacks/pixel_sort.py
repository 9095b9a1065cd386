"""Bright runs of each row sorted by brightness, a glitch artists' effect.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: runs turn into smooth streaks, their edges stay. Fails when: no run is longer than a pixel.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._region import changed
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("pixel-sort", "sort runs of pixels", ms=91, paper=ANYPATTERN))
class PixelSort(Edit):
    """Sort each run of pixels above a brightness threshold."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The brightest 70 % x strength of the pixels take part, by rows or columns."""
        upright = bool(rng.random() < 0.5)
        view = pixels.swapaxes(0, 1) if upright else pixels
        grey = view.astype(np.int64).sum(axis=2)
        threshold = float(np.quantile(grey, 1 - 0.7 * strength))
        active = grey >= threshold
        runs = np.zeros(grey.shape, np.int64)
        runs[:, 1:] = np.cumsum(active[:, 1:] != active[:, :-1], axis=1)
        # Stable: pixels outside the runs keep their places, those inside are ordered by brightness.
        order = np.argsort(runs * 1024 + np.where(active, grey, 0), axis=1, kind="stable")
        out = np.take_along_axis(view, order[..., None], axis=1)
        if upright:
            out = out.swapaxes(0, 1)
        return same_frame(out, changed(pixels, out), upright=upright, threshold=threshold)
