"""Projected gradient ascent against a target network or signature.

Paper: Madry et al. 2018, ICLR, arXiv:1706.06083; own code. Why it works as a test: the strongest
first-order change within a budget. Fails when: the target is robust or another model than the one
attacked: transfer is weak.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._gradient import LARGEST, climbed
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Madry et al. 2018, ICLR, arXiv:1706.06083; own code"


@register(attack_card("pgd", "perturb by gradient ascent", ms=460, paper=PAPER, extra="torch"))
class Pgd(Edit):
    """20 signed steps of a tenth of the budget from a random start."""

    def __init__(self, *, model: str | None = None) -> None:
        self.model = model

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Every channel changes by at most 16/255 x strength."""
        epsilon = LARGEST * strength
        out, before, after = climbed(
            pixels, self.model, rng, epsilon=epsilon, step=0.1 * epsilon, count=20
        )
        aim = self.model or "dct signature"
        return same_frame(out, epsilon=epsilon, objective=[before, after], target=aim)
