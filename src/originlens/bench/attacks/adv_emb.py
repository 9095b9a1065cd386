"""The embedding attack of WAVES: many small gradient steps away from the picture's embedding.

Paper: An et al. 2024, WAVES, ICML, arXiv:2401.08573 (AdvEmb); own code. Why it works as a test: the
embedding of the copy leaves that of the original. Fails when: the target is robust or another model
than the one attacked: transfer is weak.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._gradient import LARGEST, climbed
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "An et al. 2024, WAVES, ICML, arXiv:2401.08573 (AdvEmb); own code"


@register(attack_card("adv-emb", "push the embedding away", ms=3830, paper=PAPER, extra="torch"))
class AdvEmb(Edit):
    """200 signed steps of a twentieth of the budget, as WAVES takes."""

    def __init__(self, *, model: str | None = None) -> None:
        self.model = model

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Every channel changes by at most 16/255 x strength (WAVES uses 2, 4, 6 and 8 of 255)."""
        epsilon = LARGEST * strength
        out, before, after = climbed(
            pixels, self.model, rng, epsilon=epsilon, step=0.05 * epsilon, count=200
        )
        aim = self.model or "dct signature"
        return same_frame(out, epsilon=epsilon, objective=[before, after], target=aim)
