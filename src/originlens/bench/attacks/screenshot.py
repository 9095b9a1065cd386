"""The picture as it appears in a screenshot: status bar, title, buttons and text around it.

Paper: the edit list of AugLy (overlay onto screenshot); the interface is drawn here. Why it works
as a test: the picture is scaled, moved and surrounded by sharp structure. Fails when: never.
Letters: Pillow's embedded font (Aileron, CC0).
"""

from __future__ import annotations

import numpy as np

from originlens.bench import Attacked
from originlens.bench.attacks._base import Edit, attack_card, mapped
from originlens.bench.attacks._drawing import blend, rounded_rectangle, text_alpha, words
from originlens.bench.attacks._warp import resized, translation
from originlens.core.image import Pixels
from originlens.core.registry import register


@register(attack_card("screenshot", "show the picture inside a drawn user interface", ms=21))
class Screenshot(Edit):
    """A phone screen (bars above and below) or a desktop window (side column)."""

    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """The picture covers 1 - 0.8 x strength of the screen, scaled to 60-100 %."""
        factor = 1 - 0.4 * min(1.0, 2 * strength) * rng.random()
        h0, w0 = pixels.shape[:2]
        inner, scale = resized(pixels, (max(1, round(h0 * factor)), max(1, round(w0 * factor))))
        h, w = inner.shape[:2]
        share = 1 - 0.8 * strength
        phone = bool(rng.random() < 0.6)
        # A phone's picture nearly fills the width; a desktop window adds on both axes.
        across = min(0.98, max(share, 1 - 0.1 * strength)) if phone else np.sqrt(share)
        width = max(w + 2, round(w / across))
        height = max(h + 4, round(h * w / share / width))
        dark = bool(rng.random() < 0.4)
        ground = np.array([28, 28, 32] if dark else [250, 250, 250], np.uint8)
        out = np.empty((height, width, 3), np.uint8)
        out[:] = ground
        left = (width - w) // 2 if phone else width - w - (width - w) // 4
        top = (height - h) * 2 // 5 if phone else (height - h) // 2
        _interface(out, (left, top, w, h), dark, rng)
        out[top : top + h, left : left + w] = inner
        mask = np.ones((height, width), bool)
        mask[top : top + h, left : left + w] = False
        layout = "phone" if phone else "desktop"
        transform = translation(left, top) @ scale
        return mapped(out, transform, mask, layout=layout, dark=dark, scale=factor)


def _interface(
    out: Pixels, box: tuple[int, int, int, int], dark: bool, rng: np.random.Generator
) -> None:
    """Draw bars, buttons and lines of text around the picture's box (x, y, w, h)."""
    height, width = out.shape[:2]
    x, y, _, h = box
    ink = (235, 235, 235) if dark else (30, 30, 30)
    pale = (70, 70, 78) if dark else (225, 225, 230)
    accent = tuple(int(c) for c in rng.integers(0, 256, 3))
    unit = max(2, min(height, width) // 24)
    out[: min(unit, y)] = pale
    clock = f"{int(rng.integers(24)):02d}:{int(rng.integers(60)):02d}"
    blend(out, text_alpha(clock, unit - 1), ink, (unit // 2, 0))
    battery = np.ones((max(1, unit // 2), unit), np.float32)
    blend(out, battery, ink, (width - 2 * unit, unit // 4))
    title = text_alpha(words(2, rng).title(), unit + unit // 3, bold=True)
    blend(out, title, ink, (unit, min(y, 2 * unit)))
    for row in range(y + h + unit // 2, height - unit, 2 * unit):
        if rng.random() < 0.4:
            _buttons(out, row, unit, accent, rng)
        else:
            line = text_alpha(words(int(rng.integers(3, 9)), rng), unit)
            blend(out, line, ink, (unit // 2, row))
    for row in range(3 * unit, height - unit, 2 * unit):
        if x > 4 * unit:
            entry = text_alpha(words(1, rng), unit)
            blend(out, entry[:, : x - unit], ink, (unit // 2, row))


def _buttons(
    out: Pixels, row: int, unit: int, accent: tuple[int, ...], rng: np.random.Generator
) -> None:
    """A row of round buttons."""
    button = rounded_rectangle((unit + unit // 2, unit + unit // 2), unit // 2)
    for place in range(unit // 2, out.shape[1] - 2 * unit, 3 * unit):
        colour = accent if rng.random() < 0.5 else (128, 128, 128)
        blend(out, button, colour, (place, row))
