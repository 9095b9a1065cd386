"""Printed and scanned: ink tones, a dot screen, slight turn and scale, blur, noise.

Paper: after Solanki et al. 2006, IEEE TIFS 1(4), Print and scan resilient data hiding (the chain of
its channel model); own code. Why it works as a test: tone, texture and geometry change a little,
all at once. Fails when: never.
"""

from __future__ import annotations

import math

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, clipped, mapped
from originlens.bench.attacks._warp import translation, warped
from originlens.core.image import Pixels
from originlens.core.registry import register

PAPER = "after Solanki et al. 2006, IEEE TIFS 1(4) (print-scan channel model); own code"


@register(attack_card("print-scan", "print and scan", ms=67, paper=PAPER))
class PrintScan(Edit):
    """Printer: tone curve and dots. Scanner: place on a white bed, blur, uneven light, noise."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Up to 3 degrees and 4 % scale, margins up to 8 %, dots up to 30 %, times strength."""
        import cv2

        h, w = pixels.shape[:2]
        margin = np.ceil(0.08 * strength * rng.uniform(0.3, 1, 2) * [w, h])
        size = (h + 2 * int(margin[1]), w + 2 * int(margin[0]))
        angle = math.radians(3 * strength * rng.uniform(-1, 1))
        scale = 1 + 0.04 * strength * rng.uniform(-1, 1)
        cos, sin = scale * math.cos(angle), scale * math.sin(angle)
        turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
        transform = translation((size[1] - 1) / 2, (size[0] - 1) / 2) @ turn
        transform = transform @ translation(-(w - 1) / 2, -(h - 1) / 2)
        printed = _printed(pixels, strength, rng)
        out, outside = warped(printed, transform, size, (248, 248, 246))
        soft = cv2.GaussianBlur(out, (0, 0), 0.4 + 0.6 * strength)
        y, x = np.ogrid[: size[0], : size[1]]
        slope = 0.08 * strength * rng.uniform(-1, 1, 2)
        light = 1 + slope[0] * (x / size[1] - 0.5) + slope[1] * (y / size[0] - 0.5)
        values = np.asarray(soft, np.float32).reshape(out.shape)
        values *= np.asarray(light, np.float32)[..., None]
        values += rng.standard_normal((*size, 1), dtype=np.float32) * np.float32(5 * strength)
        degrees = math.degrees(angle)
        return mapped(clipped(values), transform, outside, degrees=degrees, scale=scale)


def _printed(pixels: Pixels, strength: float, rng: np.random.Generator) -> Pixels:
    """Ink and paper bound the tones, gamma is the dot gain, dots lie on a 45 degree screen."""
    h, w = pixels.shape[:2]
    ink, paper = 30 * strength, 255 - 12 * strength
    gamma = 1 + 0.4 * strength * rng.uniform(-0.3, 1)
    table = (ink + (paper - ink) * (np.arange(256) / 255) ** gamma).astype(np.float32)
    y, x = np.mgrid[:h, :w].astype(np.float32)
    pitch = np.float32(math.pi / rng.uniform(2, 3))
    screen = np.cos((x + y) * pitch) * np.cos((x - y) * pitch)
    # Dots show most in the mid-tones, nowhere on bare paper or full ink.
    tones = table[pixels]
    weight = np.float32(0.3 * strength) * (1 - np.abs(tones / 127.5 - 1))
    return clipped(tones + 127.5 * weight * screen[..., None])
