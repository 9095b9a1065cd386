"""Ragged white paper edges.

Paper: in the spirit of AnyPattern, Wang et al. 2024, arXiv:2404.13788; own code. Why it works as a
test: the rim is lost along an irregular line. Fails when: the picture's rim is white.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import ANYPATTERN, Edit, attack_card, clipped, same_frame
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("torn-edge", "tear the edges", ms=11, paper=ANYPATTERN))
class TornEdge(Edit):
    """Replace everything beyond a random ragged line by paper."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Up to 14 % x strength of the sides, on one to four edges."""
        h, w = pixels.shape[:2]
        mask = np.zeros((h, w), bool)
        edges = sorted(int(e) for e in rng.permutation(4)[: int(rng.integers(1, 5))])
        for edge in edges:
            view = mask if edge < 2 else mask.T
            view = view[::-1] if edge % 2 else view
            depth = 0.14 * strength * view.shape[0]
            # A random walk folded into [0, 1]: it wanders once across in about 5 % of the edge.
            pace = (0.05 * view.shape[1] + 1) ** -0.5
            ragged = np.abs(np.cumsum(rng.normal(0, pace, view.shape[1]))) % 2
            ragged = np.minimum(ragged, 2 - ragged) + rng.uniform(0, 0.05, view.shape[1])
            limit = depth * np.clip(0.3 + 0.65 * ragged, 0, 1)
            view[np.arange(view.shape[0])[:, None] < limit] = True
        out = pixels.copy()
        paper = rng.normal(244, 4, (int(mask.sum()), 1))
        out[mask] = clipped(np.repeat(paper, 3, axis=1))
        return same_frame(out, mask, edges=edges)
