"""A round lens shows a part enlarged.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: a disc of other scale sits inside the picture. Fails when: the part is smooth.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, same_frame
from originlens.bench.attacks._displace import displaced, places
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("magnifier", "enlarge a disc", ms=28, paper=ANYPATTERN))
class Magnifier(Edit):
    """Enlarge about a point inside a disc with a dark rim."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Radius 10 % to 28 % of the short side, 1.5 to 2.5 times."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        radius = max(1.0, min(h, w) * (0.1 + 0.18 * strength))
        cx, cy = (float(v) for v in rng.uniform(0.3, 0.7, 2) * [w, h])
        zoom = float(rng.uniform(1.5, 2.5))
        distance = np.sqrt((x - cx) ** 2 + (y - cy) ** 2)
        inside = distance < radius
        near_x = np.where(inside, cx + (x - cx) / zoom, x)
        near_y = np.where(inside, cy + (y - cy) / zoom, y)
        out, _ = displaced(pixels, near_x, near_y)
        rim = inside & (distance > 0.93 * radius)
        out[rim] = (40, 40, 44)
        return same_frame(out, inside, zoom=zoom, centre=[cx, cy], radius=radius)
