"""What was done to an original, in words with numbers, and which of two pictures came first.

Geometry is read off the transform, colour, sharpness and noise off the models that the change map
fits (:mod:`originlens.match._alignment`), and regions off the map itself. Every rule has a dead
zone wider than what a plain re-save at JPEG quality 75 or a transform wrong by two pixels causes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from originlens.core.evidence import Direction, Edit
from originlens.core.image import Image, Pixels
from originlens.match import _plane as plane
from originlens.match import _traits as traits
from originlens.match import direction as directions
from originlens.match._alignment import Homography
from originlens.match._seen import Seen

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
    seen = Seen(query, asset, asset_size, transform)
    came = directions.judge(seen)
    return Explanation(tuple(_named(seen, came)), came)


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


def _named(seen: Seen, came: Direction | None) -> list[Edit]:
    return [
        *_turns(seen),
        *_framing(seen, came),
        *_tones(seen),
        *_sharpness(seen),
        *(_region(seen, region) for region in seen.regions),
    ]


def _turns(seen: Seen) -> list[Edit]:
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


def _framing(seen: Seen, came: Direction | None) -> list[Edit]:
    """Crop, border, embedding, told from the side of the picture that was made from the other."""
    p = seen.plane
    found = _crop(seen)
    if found and came == "asset-from-query" and seen.around_asset.continues < 0.7:
        return [_framed_asset(seen)]
    if p.covered_share > 0.98 or seen.around_query.share < 0.005:
        return found
    box = _rounded(p.covered_box)
    fills = (box[2] - box[0]) * (box[3] - box[1]) > 0.97 * seen.query.width * seen.query.height
    rest = 1 - p.covered_share
    if seen.asset_is_crop and p.seen_share > 0.95:
        words = f"the indexed picture is a crop of this one, {p.covered_share:.0%} of it"
        found.append(Edit("crop", words, value=round(p.covered_share, 4), box=box))
    elif seen.around_query.flatness > 0.8 and not fills:
        words = f"a plain border was added: {rest:.0%} of the picture"
        found.append(Edit("border", words, value=round(rest, 4), box=box))
    elif not fills:
        words = f"placed inside another picture, {p.covered_share:.0%} of it"
        found.append(Edit("embed", words, value=round(p.covered_share, 4), box=box))
    return found


def _crop(seen: Seen) -> list[Edit]:
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


def _framed_asset(seen: Seen) -> Edit:
    """The asset shows the query, or a part of it, with something around it."""
    box, rest = _rounded(seen.plane.seen_box), 1 - seen.plane.seen_share
    if seen.around_asset.flatness > 0.8:
        words = f"the indexed picture is this one with a plain border: {rest:.0%} of it"
        return Edit("border", words, value=round(rest, 4), box=box, frame="asset")
    words = f"the indexed picture shows this one inside another picture, {1 - rest:.0%} of it"
    return Edit("embed", words, value=round(1 - rest, 4), box=box, frame="asset")


def _rounded(box: plane.Box) -> plane.Box:
    left, top, right, bottom = (round(v, 1) for v in box)
    return (left, top, right, bottom)


def _tones(seen: Seen) -> list[Edit]:
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


def _sharpness(seen: Seen) -> list[Edit]:
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
    blocks = seen.blocks_query if seen.query.format in _LOSSY else 1.0
    if blocks > 1.5 and blocks > 1.25 * seen.blocks_asset:
        found.append(Edit("recompress", "compressed again, visibly", value=round(blocks, 2)))
    return found


def _region(seen: Seen, r: traits.Region) -> Edit:
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
    inked = r.stroke < 0.35 and max(r.ink_query, r.ink_asset) > 0.65 and long > 1.5
    if r.letters >= 3 and r.correlation < 0.8 and r.fill < 0.98 and (long > 3 or inked):
        if directions.laid_over(r) < 0:
            return "text", "the indexed picture has text or line art here, this one has not"
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
