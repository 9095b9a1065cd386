"""The middle turned in a whirl that fades towards a circle's rim.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: local structure is turned by different angles. Fails when: the middle is smooth.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("swirl", "swirl the middle of the picture", ms=33, paper=ANYPATTERN))
class Swirl(Edit):
    """Rotate by an angle that falls from the centre to the rim of a disc."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Turned by 1 + 3 x strength radians in a disc of 30 to 60 % of the short side."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        cx, cy = (float(v) for v in rng.uniform(0.4, 0.6, 2) * [w, h])
        radius = max(1.0, (0.3 + 0.3 * strength) * min(h, w))
        dx, dy = x - cx, y - cy
        fade = np.clip(1 - np.sqrt(dx * dx + dy * dy) / radius, 0, 1) ** 2
        most = (1 + 3 * strength) * (1 if rng.random() < 0.5 else -1)
        cos, sin = np.cos(most * fade), np.sin(most * fade)
        out, mask = displaced(pixels, cx + dx * cos - dy * sin, cy + dx * sin + dy * cos)
        return same_frame(out, mask, radians=most, centre=[cx, cy], radius=radius)
