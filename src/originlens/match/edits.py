"""What was done to an original, in words with numbers, and which of two pictures came first.

Geometry is read off the transform, colour, sharpness and noise off the models that the change map
fits (:mod:`originlens.match._alignment`), and regions off the map itself. Every rule has a dead
zone wider than what a plain re-save at JPEG quality 75 or a transform wrong by two pixels causes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from originlens.core import geometry
from originlens.core.evidence import Direction, Edit
from originlens.core.image import Image, Pixels
from originlens.match import _plane as plane
from originlens.match import _traits as traits
from originlens.match import diff
from originlens.match._alignment import Aligned, Homography, align

#: Working pixels: enough to name an edit, cheap enough for every match of a search.
WORKING_AREA = 64_000
#: Error of a transform, in working pixels.
_SLACK = 1.5
_LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF", "HEIC", "JPEG2000", "MPO")


@dataclass(frozen=True, slots=True)
class Explanation:
    """The named edits between an asset and a query, and the likely direction of the copy."""

    edits: tuple[Edit, ...]
    direction: Direction | None


def explain(
    query: Image, asset: Pixels, asset_size: tuple[int, int], transform: Homography
) -> Explanation:
    """Name the edits that lead from an asset to a query, and judge which came first.

    Args:
        query: the query.
        asset: (h, w, 3) uint8 pixels of the asset at any size (a proxy will do).
        asset_size: (height, width) of the full-size, EXIF-oriented asset.
        transform: (3, 3) homography from full-size asset pixels to full-size query pixels.

    Raises:
        ValueError: ``transform`` is singular.
        OriginLensError: the query cannot be decoded.
    """
    pixels = query.reduced(512)
    shape = (pixels.shape[0], pixels.shape[1])
    full = (query.height, query.width)
    working = (
        geometry.scaling(full, shape)
        @ np.asarray(transform, dtype=np.float64)
        @ geometry.scaling((asset.shape[0], asset.shape[1]), asset_size)
    )
    aligned = align(pixels, asset, working, area=WORKING_AREA)
    laid = plane.decompose(transform, asset_size, full)
    seen = _Seen(query, pixels, asset, asset_size, aligned, laid)
    return Explanation(tuple(_named(seen)), _direction(seen))


def named_edits(
    query: Image, asset: Pixels, asset_size: tuple[int, int], transform: Homography
) -> tuple[Edit, ...]:
    """The edits of :func:`explain` alone."""
    return explain(query, asset, asset_size, transform).edits


def direction(
    query: Image, asset: Pixels, asset_size: tuple[int, int], transform: Homography
) -> Direction | None:
    """The direction of :func:`explain` alone: None where nothing tells."""
    return explain(query, asset, asset_size, transform).direction


class _Seen:
    """Everything measured once on one pair."""

    def __init__(
        self,
        query: Image,
        pixels: Pixels,
        asset: Pixels,
        asset_size: tuple[int, int],
        aligned: Aligned,
        laid: plane.Plane,
    ) -> None:
        import cv2

        self.query, self.pixels, self.asset_size = query, pixels, asset_size
        self.aligned, self.plane = aligned, laid
        score = diff.changed(aligned)
        self.changed = score >= 0.5
        near = cv2.dilate(self.changed.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
        self.same = aligned.explained & ~near
        self.colour = traits.colour(aligned, self.same)
        self.regions = traits.regions(aligned, self.changed)
        self.frame, self.frame_flatness = traits.frame_share(aligned)
        self.continues = traits.continues(aligned) if self.frame > 0.02 else 0.0
        self.asset_blocks = traits.blockiness(asset)
        self.slack = _SLACK / max(aligned.query.shape[1] / query.width, 1e-9)
        self.fine, self.coarse = (traits.response(aligned.taps, f) for f in (0.25, 0.125))
        plain = aligned.plain.astype(np.float32)
        self.noise_query = traits.noise_level(aligned.query, self.same)
        self.noise_asset = traits.noise_level(plain, self.same)

    @property
    def finer(self) -> float | None:
        """Detail of the query that the asset is too small to hold, times how much smaller it is.

        None where not measurable.
        """
        factor = self.plane.scale * self.pixels.shape[1] / self.query.width
        if factor < 1.35 or self.plane.covered_share < 0.3:
            return None
        factor = min(factor, 4.0)
        return factor * traits.finer_detail(self.pixels, factor)

    @property
    def asset_is_crop(self) -> bool:
        """The query goes on naturally beyond the asset's outline: the asset was cut from it."""
        return self.frame > 0.04 and self.continues > 0.7


def _named(seen: _Seen) -> list[Edit]:
    return [
        *_turns(seen),
        *_framing(seen),
        *_tones(seen),
        *_sharpness(seen),
        *(_region(seen, region) for region in seen.regions),
    ]


def _turns(seen: _Seen) -> list[Edit]:
    """Mirror, rotation, scale, stretch, perspective."""
    p, found = seen.plane, []
    rotation = p.rotation
    if p.mirror and abs(abs(rotation) - 180.0) < 2.0:
        found.append(Edit("mirror", "mirrored top to bottom"))
        rotation -= 180.0 * float(np.sign(rotation))
    elif p.mirror:
        found.append(Edit("mirror", "mirrored left to right"))
    left, top, right, bottom = p.covered_box
    reach = max(1.0, 0.5 * float(np.hypot(right - left, bottom - top)))
    # What an error of the transform turns is no rotation, and quarter turns are exact.
    error = float(np.degrees(2.0 * seen.slack / reach))
    quarter = 90.0 * round(rotation / 90.0)
    rotation = quarter if abs(rotation - quarter) < error else rotation
    if abs(rotation) > 0:
        way = "clockwise" if rotation > 0 else "counter-clockwise"
        words = f"rotated {abs(rotation):.1f}° {way}"
        found.append(Edit("rotate", words, value=round(rotation, 2)))
    across, along = p.stretches
    ratio = across / along
    if abs(np.log(ratio)) > np.log(1.04) + seen.slack / reach:
        axis, factor = ("width", ratio) if ratio > 1 else ("height", 1 / ratio)
        words = f"{axis} stretched by {factor:.2f} against the other side"
        found.append(Edit("stretch", words, round(ratio, 3)))
    if abs(np.log(p.scale)) > np.log(1.02) + seen.slack / reach:
        word = "enlarged" if p.scale > 1 else "reduced"
        words = f"{word} to {p.scale:.0%} of the original's size"
        found.append(Edit("scale", words, round(p.scale, 4)))
    if p.perspective > 0.006 + seen.slack / reach:
        words = f"perspective distorted by {p.perspective:.1%} of its size"
        found.append(Edit("perspective", words, round(p.perspective, 4)))
    elif p.skew > 1.5 + 2 * error:
        words = f"sheared by {p.skew:.1f}°"
        found.append(Edit("stretch", words, round(p.skew, 2)))
    return found


def _framing(seen: _Seen) -> list[Edit]:
    """Crop, border, embedding."""
    p = seen.plane
    found = _crop(seen)
    if p.covered_share > 0.98 or seen.frame < 0.005:
        return found
    box = _rounded(p.covered_box)
    fills = (box[2] - box[0]) * (box[3] - box[1]) > 0.97 * seen.query.width * seen.query.height
    rest = 1 - p.covered_share
    if seen.asset_is_crop and p.seen_share > 0.95:
        words = f"the indexed picture is a crop of this one, {p.covered_share:.0%} of it"
        found.append(Edit("crop", words, value=round(p.covered_share, 4), box=box))
    elif seen.frame_flatness > 0.8 and not fills:
        words = f"a plain border was added: {rest:.0%} of the picture"
        found.append(Edit("border", words, value=round(rest, 4), box=box))
    elif not fills:
        words = f"placed inside another picture, {p.covered_share:.0%} of it"
        found.append(Edit("embed", words, value=round(p.covered_share, 4), box=box))
    return found


def _crop(seen: _Seen) -> list[Edit]:
    p = seen.plane
    left, top, right, bottom = p.seen_box
    height, width = seen.asset_size
    # A strip counts when an error of the transform cannot have made it.
    strip = max(left, top, width - right, height - bottom) * p.scale
    if not ((p.seen_share < 0.985 and strip > 2.0 * seen.slack) or p.seen_share < 0.94):
        return []
    words = f"cropped to {p.seen_share:.0%} of the original "
    words += f"(x {left:.0f} to {right:.0f}, y {top:.0f} to {bottom:.0f})"
    box = _rounded(p.seen_box)
    return [Edit("crop", words, value=round(p.seen_share, 4), box=box, frame="asset")]


def _rounded(box: plane.Box) -> plane.Box:
    left, top, right, bottom = (round(v, 1) for v in box)
    return (left, top, right, bottom)


def _tones(seen: _Seen) -> list[Edit]:
    """Negative, greyscale and global colour."""
    c = seen.colour
    if c is None:
        return []
    found = []
    if c.correlation < -0.3:
        found.append(Edit("negative", "a negative: light and dark are exchanged"))
    if c.chroma_query < 1.5 and c.chroma_asset > 3.0 + 2.0 * c.chroma_query:
        found.append(Edit("greyscale", "colours removed"))
    if found or c.change < 5.0:
        return found
    words = []
    if abs(c.brightness) >= 3:
        words.append(
            f"{'brighter' if c.brightness > 0 else 'darker'} by {abs(c.brightness):.0f} levels"
        )
    if abs(np.log(max(c.contrast, 1e-3))) > 0.08:
        words.append(f"contrast x {c.contrast:.2f}")
    saturation = (c.chroma_query + 0.5) / (c.chroma_asset + 0.5)
    if abs(np.log(saturation)) > 0.15:
        words.append(f"saturation x {saturation:.2f}")
    detail = ", ".join(words) or f"colours shifted by {c.change:.0f} levels"
    return [Edit("recolour", f"colours changed all over: {detail}", value=round(c.change, 1))]


def _sharpness(seen: _Seen) -> list[Edit]:
    """Blur, sharpening, noise, recompression of the whole picture."""
    found = []
    if seen.coarse < 0.72 and seen.fine < 0.5:
        # Width of the Gaussian with the same gain at 1/8 cycle per working pixel.
        sigma = float(np.sqrt(-np.log(max(seen.coarse, 1e-3)) / 2) / (np.pi * 0.125))
        sigma *= seen.query.width / seen.aligned.query.shape[1]
        words = f"blurred all over, about {sigma:.1f} pixels wide"
        found.append(Edit("blur", words, round(sigma, 2)))
    elif seen.fine > 1.3 and seen.coarse > 1.05:
        found.append(
            Edit("sharpen", f"sharpened: fine detail x {seen.fine:.2f}", round(seen.fine, 2))
        )
    if seen.noise_query > 3.0 + 1.6 * seen.noise_asset and seen.fine < 1.3:
        found.append(
            Edit(
                "noise",
                f"noise of about {seen.noise_query:.0f} levels added",
                round(seen.noise_query, 1),
            )
        )
    blocks = traits.blockiness(seen.pixels) if seen.query.format in _LOSSY else 1.0
    if blocks > 1.5 and blocks > 1.25 * seen.asset_blocks:
        found.append(Edit("recompress", "compressed again, visibly", value=round(blocks, 2)))
    return found


def _region(seen: _Seen, r: traits.Region) -> Edit:
    """Name one changed region."""
    shape = seen.aligned.query.shape
    sx, sy = seen.query.width / shape[1], seen.query.height / shape[0]
    box = (
        round(r.box[0] * sx, 1),
        round(r.box[1] * sy, 1),
        round(r.box[2] * sx, 1),
        round(r.box[3] * sy, 1),
    )
    name, words = _what(r)
    return Edit(name, f"{words} ({r.area:.1%} of the picture)", round(r.area, 4), box)


def _what(r: traits.Region) -> tuple[str, str]:
    """Name and words for one changed region."""
    left, top, right, bottom = r.box
    long = (right - left) / (bottom - top)
    inked = r.stroke < 0.35 and r.ink_query > 0.65 and long > 1.5
    if r.letters >= 3 and r.correlation < 0.8 and r.fill < 0.98 and (long > 3 or inked):
        return "text", "text or line art was added"
    if r.detail < 0.6 and r.offset < 12 and r.tone > 0.85:
        return "blur", "a region was blurred or pixelated"
    if r.correlation > 0.6 and r.offset >= 6:
        return "recolour", "a region was recoloured"
    flat = r.flat_query > 0.5 and (r.detail > 1.3 or r.flat_query > r.flat_asset + 0.2)
    if flat and r.correlation < 0.4:
        return "overlay", "something flat was laid over the picture"
    if r.fill > 0.9 and r.correlation < 0.4 and r.detail > 0.6:
        return "overlay", "a rectangular patch was laid over the picture"
    if r.detail < 0.6 and r.offset < 12:
        return "region-replaced", "something was removed or smoothed away"
    return "region-replaced", "a region shows something else"


def _direction(seen: _Seen) -> Direction | None:
    """Weigh what tells an original from its copy; the sum must reach 1 to be said.

    Positive votes: the query was made from the asset. A crop shows less, a copy is smaller, less
    coloured, more blurred, framed or painted over; the other side of each speaks for the reverse.
    """
    p, votes = seen.plane, 0.0
    if seen.frame > 0.02:
        votes += -2.0 if seen.asset_is_crop else 1.5 * (seen.continues < 0.5)
    if p.seen_share < 0.95 and p.covered_share > 0.95:
        votes += 1.5
    if p.scale < 0.9:
        votes += 1.0
    elif seen.finer is not None:
        # Measured: enlarged pictures stay below 0.9, real ones mostly above 1.1.
        votes += -1.0 if seen.finer > 0.95 else 1.0
    if seen.colour is not None:
        if seen.colour.chroma_query < 1.5 and seen.colour.chroma_asset > 4.0:
            votes += 2.0
        elif seen.colour.chroma_asset < 1.5 and seen.colour.chroma_query > 4.0:
            votes -= 2.0
    if seen.coarse < 0.72:
        votes += 1.0
    votes += float(np.clip(sum(_laid_over(r) for r in seen.regions), -0.7, 1.5))
    turned = abs(p.rotation) > 1 and min(abs(abs(p.rotation) - k) for k in (90, 180)) > 1
    if turned and seen.frame > 0.02:
        votes += 0.5
    if votes >= 1.0:
        return "query-from-asset"
    return "asset-from-query" if votes <= -1.0 else None


def _laid_over(r: traits.Region) -> float:
    """On which side a region looks like ink or a flat graphic: > 0 query, < 0 asset, 0 unclear."""
    if r.letters >= 3 and r.stroke < 0.4 and r.correlation < 0.6:
        lean = r.ink_query - r.ink_asset
    else:
        lean = r.flat_query - r.flat_asset
    # Flat sky painted over is flat on the asset's side too: only a clear difference counts.
    return float(np.clip(2.0 * lean, -0.5, 1.0)) if abs(lean) > 0.25 else 0.0
