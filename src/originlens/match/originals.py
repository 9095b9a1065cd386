"""The pixels behind an asset of the index: its proxy, or its original where that is unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

from originlens.core import geometry
from originlens.core.errors import InputError
from originlens.core.evidence import Match
from originlens.core.image import Image, Pixels
from originlens.match._query import WORKING_SIDE

if TYPE_CHECKING:
    from originlens.store import AssetRow, Store


def asset_pixels(store: Store, row: AssetRow) -> Pixels | None:
    """Pixels of an asset at working size: its proxy, else its unchanged original, else None."""
    proxy = store.proxy(row.row)
    if proxy is not None:
        return Image(proxy, path=row.path).reduced(WORKING_SIDE)
    original = open_original(row)
    return None if original is None else original.reduced(WORKING_SIDE)


def open_original(row: AssetRow) -> Image | None:
    """The asset's original, if a file of its paths still has the same bytes."""
    for path in row.paths:
        try:
            image = Image.open(path)
            if image.sha256 == row.sha256:
                return image
        except InputError:
            continue
    return None


def original_pixel_hash(row: AssetRow) -> str | None:
    """Pixel hash of the asset's unchanged original, None where there is none that decodes."""
    original = open_original(row)
    try:
        return None if original is None else original.pixel_hash
    except InputError:
        return None


def change_map(image: Image, row: AssetRow, store: Store, match: Match) -> Pixels | None:
    """Change map of a verified match at the query's full size, (H, W) uint8, 255 = changed.

    Compares with the original where its file is unchanged, else with its proxy.
    """
    from originlens.match import diff

    if match.transform is None:
        return None
    original = open_original(row)
    pixels = original.pixels if original is not None else asset_pixels(store, row)
    if pixels is None:
        return None
    to_full = geometry.scaling(pixels.shape[:2], (row.height, row.width))
    return diff.change_map(image.pixels, pixels, geometry.normalised(match.transform @ to_full))
