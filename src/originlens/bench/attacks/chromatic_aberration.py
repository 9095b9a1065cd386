"""Red and blue magnified differently from green, as cheap lenses do.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: colour edges no longer coincide. Fails when: the picture is grey-free and smooth. A fringe of
a few pixels in two channels counts as tone, not as a local change.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._warp import translation, warped
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("chromatic-aberration", "shift red and blue apart", ms=22, paper=ANYPATTERN))
class ChromaticAberration(Edit):
    """Scale red and blue about the centre; the transform is green's."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Red and blue grow and shrink by 1.2 % x strength."""
        h, w = pixels.shape[:2]
        out = pixels.copy()
        amount = 0.012 * strength
        centre = translation((w - 1) / 2, (h - 1) / 2)
        for channel, factor in ((0, 1 + amount), (2, 1 / (1 + amount))):
            matrix = centre @ np.diag([factor, factor, 1]) @ np.linalg.inv(centre)
            moved, unseen = warped(pixels, matrix, (h, w), (0, 0, 0))
            out[..., channel] = np.where(unseen, pixels[..., channel], moved[..., channel])
        return same_frame(out, amount=amount)
