"""One signed-gradient step from a random start against a target network or signature.

Paper: Goodfellow et al. 2015, ICLR, arXiv:1412.6572; random start after Tramer et al. 2018; own
code. Why it works as a test: moves the target's output while the picture looks the same. Fails
when: the target is robust or another model than the one attacked: transfer is weak.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._gradient import LARGEST, climbed
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Goodfellow et al. 2015, ICLR, arXiv:1412.6572; random start (Tramer et al. 2018); own code"


@register(attack_card("fgsm", "perturb by one gradient step", ms=66, paper=PAPER, extra="torch"))
class Fgsm(Edit):
    """Fast gradient sign method with a random start."""

    def __init__(self, *, model: str | None = None) -> None:
        self.model = model

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Every channel changes by at most 16/255 x strength."""
        epsilon = LARGEST * strength
        out, before, after = climbed(
            pixels, self.model, rng, epsilon=epsilon, step=2 * epsilon, count=1
        )
        aim = self.model or "dct signature"
        return same_frame(out, epsilon=epsilon, objective=[before, after], target=aim)
