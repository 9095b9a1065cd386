"""What every attack shares: the door check, the card's common fields and results with truth."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench import Attacked
from originlens.core.errors import UsageError
from originlens.core.geometry import Matrix, normalised
from originlens.core.image import Image, Pixels
from originlens.core.registry import Card, Cost

Mask = npt.NDArray[np.bool_]

AUGLY = "after the edit list of AugLy (Papakipos, Bitton 2022, arXiv:2201.06494); own code"
ANYPATTERN = "in the spirit of AnyPattern (Wang et al. 2024, arXiv:2404.13788); own code"


class Edit(ABC):
    """An attack as a function of pixels; strength 0 never reaches it."""

    def apply(self, image: Image, strength: float, rng: np.random.Generator) -> Attacked:
        """The edited picture with its truth; see :class:`originlens.bench.Attack`."""
        if not 0.0 <= strength <= 1.0:
            raise UsageError(f"attack strength {strength} lies outside [0, 1]")
        if strength == 0.0:
            return Attacked(image, np.eye(3), np.zeros((image.height, image.width), bool))
        return self.edit(image.pixels, strength, rng)

    @abstractmethod
    def edit(self, pixels: Pixels, strength: float, rng: np.random.Generator) -> Attacked:
        """Edit (H, W, 3) uint8 pixels (never in place) at a strength in (0, 1]."""


def attack_card(
    name: str,
    task: str,
    *,
    ms: float,
    paper: str = AUGLY,
    note: str = "",
    extra: str | None = None,
) -> Card:
    """A card of kind "attack".

    ``ms`` is the measured cost in milliseconds per megapixel, ``extra`` the pip extra it needs.
    """
    return Card(
        name=name,
        kind="attack",
        task=task,
        claims="returns the edited picture with its exact transform and mask",
        paper=paper,
        code_licence="Apache-2.0",
        reads=("pixels",),
        cost=Cost(ms_per_mpx=ms, mb=30.0, note=note),
        status="stable",
        scope="benchmarks, tests and demos: no model of what any one editor does",
        fails_when="the picture is so small (a few pixels) that the edit rounds to nothing",
        extra=extra,
    )


def same_frame(pixels: Pixels, mask: Mask | None = None, **parameters: Any) -> Attacked:
    """The result of an edit that keeps the frame; ``mask`` defaults to "nothing local"."""
    if mask is None:
        mask = np.zeros(pixels.shape[:2], bool)
    return Attacked(Image.from_array(np.ascontiguousarray(pixels)), np.eye(3), mask, parameters)


def mapped(pixels: Pixels, transform: Matrix, mask: Mask | None, **parameters: Any) -> Attacked:
    """The result of an edit that moves pixels by ``transform`` (original to attacked frame)."""
    if mask is None:
        mask = np.zeros(pixels.shape[:2], bool)
    image = Image.from_array(np.ascontiguousarray(pixels))
    return Attacked(image, normalised(np.asarray(transform, dtype=np.float64)), mask, parameters)


def mixed_in(pixels: Pixels, other: npt.NDArray[Any], share: float) -> Pixels:
    """``share`` of another picture of the same frame, (H, W, 3) or grey (H, W), the rest ours."""
    import cv2

    layer = np.asarray(other, dtype=np.uint8)
    if layer.ndim == 2:
        layer = np.repeat(layer[..., None], 3, axis=2)
    out = cv2.addWeighted(pixels, 1 - share, layer, share, 0)
    return np.asarray(out, dtype=np.uint8).reshape(pixels.shape)


def clipped(values: npt.NDArray[np.floating]) -> Pixels:
    """Rounded to (H, W, 3) uint8."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
