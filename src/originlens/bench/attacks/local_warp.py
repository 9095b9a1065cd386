"""One region swollen, pinched or swirled, as "liquify" tools do.

Paper: Gustafsson 1993, Interactive Image Warping (MSc thesis; local translation and scaling maps).
Why it works as a test: pixels move by a few per cent of the side in one place only. Fails when: the
region is smooth.
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, same_frame
from originlens.bench.attacks._region import LARGEST, changed, textured_region
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "Gustafsson 1993, Interactive Image Warping, Helsinki University of Technology"


@register(attack_card("local-warp", "swell, pinch or swirl a region", ms=72, paper=PAPER))
class LocalWarp(Edit):
    """A displacement that fades to nothing at the region's rim."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The region covers 30 % x strength of the picture; outside it no pixel moves."""
        import cv2

        h, w = pixels.shape[:2]
        rows, columns = np.nonzero(textured_region(pixels, LARGEST * strength, rng))
        cy, cx = rows.mean(), columns.mean()
        radius = max(1.0, np.sqrt(len(rows) / np.pi) * 1.1)
        y, x = np.mgrid[:h, :w].astype(np.float32)
        dx, dy = x - np.float32(cx), y - np.float32(cy)
        fade = np.clip(1 - (dx * dx + dy * dy) / np.float32(radius**2), 0, 1) ** 2
        kind = ("swell", "pinch", "swirl")[int(rng.integers(3))]
        if kind == "swirl":
            angle = np.float32(rng.choice([-1.2, 1.2])) * fade
            mx = dx * np.cos(angle) - dy * np.sin(angle)
            my = dx * np.sin(angle) + dy * np.cos(angle)
        else:
            factor = 1 + np.float32(-0.55 if kind == "swell" else 0.8) * fade
            mx, my = dx * factor, dy * factor
        moved = cv2.remap(
            pixels,
            (mx + np.float32(cx)).astype(np.float32),
            (my + np.float32(cy)).astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT_101,
        )
        moved = np.asarray(moved, dtype=np.uint8).reshape(pixels.shape)
        out = np.where(fade[..., None] > 0, moved, pixels)
        return same_frame(out, changed(pixels, out), warp=kind, radius=float(radius))
