"""A region of the picture, copied to another place of it.

Paper: Christlein et al. 2012, IEEE TIFS 7(6), arXiv:1208.3665 (copy-move forgery). Why it works as
a test: the pasted pixels have the picture's own statistics. Fails when: source and target look
alike, then the truth (what really changed) is small too.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, same_frame
from originlens.bench.attacks._region import LARGEST, changed, feathered, textured_region
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Christlein et al. 2012, IEEE TIFS 7(6), arXiv:1208.3665"


@register(attack_card("copy-move", "copy a region to another place", ms=80, paper=PAPER))
class CopyMove(Edit):
    """The whole region lands inside the frame, moved by at least half of its own size."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The region covers 30 % x strength of the picture."""
        size = (pixels.shape[0], pixels.shape[1])
        source = textured_region(pixels, LARGEST * strength, rng)
        rows, columns = np.nonzero(source)
        box = np.array([rows.min(), rows.max(), columns.min(), columns.max()])
        reach = np.array([box[1] - box[0] + 1, box[3] - box[2] + 1])
        low, high = -box[[0, 2]], np.array(size) - 1 - box[[1, 3]]
        tries = rng.integers(low, high + 1, (16, 2))
        # The move that overlaps the source least, of sixteen that stay inside.
        move = tries[int(np.argmax((np.abs(tries) / reach).max(axis=1)))]
        alpha = np.roll(feathered(source, sigma=min(size) / 400), tuple(move), (0, 1))
        out = clipped(pixels * (1 - alpha) + np.roll(pixels, tuple(move), (0, 1)) * alpha)
        return same_frame(out, changed(pixels, out), moved=[int(move[1]), int(move[0])])
