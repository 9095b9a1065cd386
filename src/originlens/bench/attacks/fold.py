"""One side replaced by the mirror image of the other, as folded paint is.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: mirrored structure looks like the original's. Fails when: the picture is symmetric.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("fold", "mirror one part onto the other", ms=20, paper=ANYPATTERN))
class Fold(Edit):
    """Reflect what lies before a line onto what lies behind it."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The replaced side covers half of the picture x strength."""
        turned = pixels.swapaxes(0, 1) if rng.random() < 0.3 else pixels
        upright = turned is not pixels
        back = bool(rng.random() < 0.5)
        view = turned[:, ::-1] if back else turned
        line = math.ceil((1 - 0.5 * strength) * view.shape[1])
        out = view.copy()
        out[:, line:] = view[:, :line][:, ::-1][:, : view.shape[1] - line]
        mask = np.zeros(view.shape[:2], bool)
        mask[:, line:] = True
        if back:
            out, mask = out[:, ::-1], mask[:, ::-1]
        if upright:
            out, mask = out.swapaxes(0, 1), mask.swapaxes(0, 1)
        return same_frame(out, np.ascontiguousarray(mask), upright=upright, back=back)
