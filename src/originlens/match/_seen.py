"""Everything that is measured once on an aligned pair: what edits and direction are read off."""

from __future__ import annotations

import numpy as np

from originlens.core import geometry
from originlens.core.image import Image, Pixels
from originlens.match import _plane as plane
from originlens.match import _traits as traits
from originlens.match import diff
from originlens.match._alignment import Homography, align

#: Working pixels: enough to name an edit, cheap enough for every match of a search.
WORKING_AREA = 64_000
#: Error of a transform, in working pixels.
_SLACK = 1.5
#: Long side at which the asset's surroundings are looked at.
_ASSET_SIDE = 256


class Seen:
    """Measurements on one pair.

    Args:
        query: the query.
        asset: (h, w, 3) uint8 pixels of the asset at any size.
        asset_size: (height, width) of the full-size asset.
        transform: (3, 3), full-size asset pixels to full-size query pixels.
    """

    def __init__(
        self, query: Image, asset: Pixels, asset_size: tuple[int, int], transform: Homography
    ) -> None:
        import cv2

        pixels = query.reduced(512)
        shape, full = (pixels.shape[0], pixels.shape[1]), (query.height, query.width)
        working = (
            geometry.scaling(full, shape)
            @ np.asarray(transform, dtype=np.float64)
            @ geometry.scaling((asset.shape[0], asset.shape[1]), asset_size)
        )
        aligned = align(pixels, asset, working, area=WORKING_AREA)
        self.query, self.pixels, self.asset_size = query, pixels, asset_size
        self.aligned, self.plane = aligned, plane.decompose(transform, asset_size, full)
        score = diff.changed(aligned)
        self.changed = score >= 0.5
        near = cv2.dilate(self.changed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        self.same = aligned.explained & ~near
        self.colour = traits.colour(aligned, self.same)
        self.regions = traits.regions(aligned, self.changed)
        self.around_query = traits.surround(aligned.query, aligned.explained)
        self.around_asset = _around_asset(asset, shape, working)
        self.blocks_query, self.blocks_asset = traits.blockiness(pixels), traits.blockiness(asset)
        self.slack = _SLACK / max(aligned.query.shape[1] / query.width, 1e-9)
        self.fine, self.coarse = (traits.response(aligned.taps, f) for f in (0.25, 0.125))
        plain = aligned.plain.astype(np.float32)
        self.noise_query = traits.noise_level(aligned.query, self.same)
        self.noise_asset = traits.noise_level(plain, self.same)
        self._asset = asset

    @property
    def finer_query(self) -> float | None:
        """Detail of the query that the asset is too small to hold, times how much smaller it is.

        None where not measurable.
        """
        factor = self.plane.scale * self.pixels.shape[1] / self.query.width
        return _finer(self.pixels, factor, self.plane.covered_share)

    @property
    def finer_asset(self) -> float | None:
        """The same with the sides exchanged."""
        factor = self._asset.shape[1] / self.asset_size[1] / max(self.plane.scale, 1e-6)
        return _finer(self._asset, factor, self.plane.seen_share)

    @property
    def asset_is_crop(self) -> bool:
        """The query goes on naturally beyond the asset's outline: the asset was cut from it."""
        return self.around_query.share > 0.04 and self.around_query.continues > 0.7


def _finer(pixels: Pixels, factor: float, share: float) -> float | None:
    if factor < 1.35 or share < 0.3:
        return None
    factor = min(factor, 4.0)
    return factor * traits.finer_detail(pixels, factor)


def _around_asset(asset: Pixels, shape: tuple[int, int], transform: Homography) -> traits.Surround:
    """What lies in the asset beside the part that a query of ``shape`` shows.

    ``transform`` maps pixels of ``asset`` to those of the query.
    """
    import cv2

    scale = min(1.0, _ASSET_SIDE / max(asset.shape[:2]))
    size = (max(8, round(asset.shape[0] * scale)), max(8, round(asset.shape[1] * scale)))
    small = cv2.resize(asset, size[::-1], interpolation=cv2.INTER_AREA)
    back = geometry.scaling(asset.shape[:2], size) @ np.linalg.inv(transform)
    ones = np.ones(shape, np.uint8)
    shown = cv2.warpPerspective(ones, back, size[::-1], flags=cv2.INTER_NEAREST) > 0
    return traits.surround(small.astype(np.float32), shown)
