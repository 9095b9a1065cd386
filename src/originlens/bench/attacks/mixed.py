"""Two to four drawn perturbations at drawn strengths, one after the other.

Paper: He et al. 2021, ForgeryNet, arXiv:2103.05630, which adds mixed perturbations to its single
ones; the draw and the ranges are ours. Why it works as a test: no single invariance suffices, and
the order matters. Fails when: the draw repeats a mild one.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card
from originlens.bench.chains import Chain, Step
from originlens.core.image import Image, Pixels
from originlens.core.registry import register

PAPER = "after He et al. 2021, ForgeryNet, CVPR, arXiv:2103.05630 (mixed perturbations); own code"

#: Families of perturbations; a mixture takes at most one of each.
FAMILIES = (
    ("waves-brightness", "waves-contrast", "colour", "tint", "df-saturation"),
    ("blur", "df-blur", "sharpen", "pixelate", "df-pixelation"),
    ("noise", "df-noise", "posterise"),
    ("resize", "crop", "rotate", "perspective", "shear", "mirror"),
    ("df-blockwise", "text", "sticker"),
    ("jpeg", "webp"),
)


@register(attack_card("mixed", "mix drawn perturbations", ms=37, paper=PAPER))
class Mixed(Edit):
    """A drawn chain; compression, where drawn, comes last, as files are saved last."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Two to four families, one attack of each at 0.4 to 1 times 0.7 x strength."""
        count = int(rng.integers(2, 5))
        families = sorted(rng.permutation(len(FAMILIES))[:count].tolist())
        if len(FAMILIES) - 1 in families:
            order = [int(i) for i in rng.permutation(families[:-1])] + families[-1:]
        else:
            order = [int(i) for i in rng.permutation(families)]
        steps = []
        for family in order:
            name = FAMILIES[family][int(rng.integers(len(FAMILIES[family])))]
            drawn = 0.7 * strength * float(rng.uniform(0.4, 1))
            steps.append(Step(name, drawn, drawn))
        return Chain(tuple(steps)).apply(Image.from_array(pixels), rng)
