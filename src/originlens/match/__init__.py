"""Have I seen this picture, and what was changed? Types that descriptors and verifiers share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from originlens.core.image import Image

Vector = npt.NDArray[np.float32]
Homography = npt.NDArray[np.float64]

MINIATURE = 64
"""Side of :attr:`LocalFeatures.miniature` in pixels."""


class Descriptor(Protocol):
    """A method that turns a picture into a fixed-length vector or bit string."""

    dimension: int

    def describe(self, image: Image) -> npt.NDArray[Any]:
        """The picture's descriptor; its length is ``dimension``."""
        ...


@dataclass(frozen=True, slots=True)
class LocalFeatures:
    """Local features of one picture at a working size.

    ``points`` (N, 4) float32: x, y, scale (diameter) and angle (degrees) in the working frame;
    ``descriptors`` (N, 128) float32 RootSIFT; ``size`` is (height, width) of the working frame,
    ``full_size`` (height, width) of the full-size EXIF-oriented picture; ``grey`` (h, w) uint8 is
    the working picture for photometric checks, ``thumbnail`` (24, 24) float32 of zero mean stands
    in for pictures without features, ``miniature`` (64, 64, 3) uint8 RGB, the whole picture
    squeezed, for its layout of tones and colours.
    """

    points: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32]
    size: tuple[int, int]
    full_size: tuple[int, int]
    grey: npt.NDArray[np.uint8]
    thumbnail: npt.NDArray[np.float32]
    miniature: npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Geometry:
    """How an original lies in a query, as far as local features and pixels tell.

    ``transform`` maps full-size original pixels to full-size query pixels (3x3, ``H[2,2] = 1``);
    ``coverage_query`` / ``coverage_asset`` are the shares of each picture's area that overlap;
    ``inliers`` are points that lie on it, ``match_share`` in [0, 1] is the share that did of those
    matched before it was known;
    ``agreement`` in [0, 1] is the share of the overlap whose local contrast pattern agrees;
    ``correlation`` in [-1, 1] is the median local correlation after warping.
    """

    transform: Homography | None
    inliers: int = 0
    match_share: float = 0.0
    coverage_query: float = 0.0
    coverage_asset: float = 0.0
    agreement: float = 0.0
    correlation: float = 0.0
    details: dict[str, Any] = field(default_factory=dict)


class Verifier(Protocol):
    """A method that decides whether two pictures show the same pixels, and how they lie."""

    def features(self, image: Image) -> LocalFeatures:
        """Local features of a picture (cached by the caller)."""
        ...

    def verify(self, query: LocalFeatures, asset: LocalFeatures) -> Geometry:
        """The geometry between two pictures; ``transform`` is None if there is none."""
        ...
