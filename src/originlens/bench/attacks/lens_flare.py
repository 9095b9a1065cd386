"""A bright source with a row of ghosts through the middle.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: large soft bright discs. Fails when: the picture is white.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._displace import places
from originlens.bench.attacks._region import changed
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("lens-flare", "add a lens flare", ms=160, paper=ANYPATTERN))
class LensFlare(Edit):
    """Screen-blend a glow and discs along a line through the centre."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Glow up to full light at strength 1; six ghosts of a third of it."""
        h, w = pixels.shape[:2]
        x, y = places((h, w))
        side = min(h, w)
        source = rng.uniform(0.1, 0.9, 2) * [w, h]
        middle = np.array([w / 2, h / 2])
        reach = float(rng.uniform(0.08, 0.16)) * side + 1
        squared = (x - float(source[0])) ** 2 + (y - float(source[1])) ** 2
        light = strength * np.exp(-squared / reach**2)[..., None] * np.ones(3, np.float32)
        for along in rng.uniform(0.3, 2, 6):
            cx, cy = (float(v) for v in source + (middle - source) * along)
            radius = float(rng.uniform(0.02, 0.08)) * side + 1
            disc = ((x - cx) ** 2 + (y - cy) ** 2 < radius**2)[..., None]
            light += 0.35 * strength * disc * rng.uniform(0.3, 1, 3).astype(np.float32)
        out = clipped(255 - (255 - pixels) * (1 - np.clip(light, 0, 1)))
        return same_frame(out, changed(pixels, out), source=source.tolist())
