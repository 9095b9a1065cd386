"""Everything the index keeps about a picture's looks, from one decode."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.core.errors import InputError, OriginLensError
from originlens.core.image import Image, Pixels
from originlens.core.registry import DEFAULT_DESCRIPTOR, make
from originlens.match import views
from originlens.match.descriptors import pdq
from originlens.match.local import coding

PROXY_SIDE = 512
PROXY_QUALITY = 80


@dataclass(frozen=True, slots=True)
class Description:
    """A picture as the index keeps it.

    ``width`` and ``height`` are those of the full-size, EXIF-oriented picture. ``pixel_hash`` is
    None where the picture did not have to be decoded in full. ``pdq`` is 32 bytes, computed on
    pixels as stored (no ICC, no EXIF turn), and means nothing where ``pdq_quality`` (0 to 100) is
    0. ``vectors`` (P, 256) float32 have unit length; the first is the whole picture's. ``proxy``
    is a JPEG of the EXIF-oriented sRGB picture, long side at most 512, without metadata. ``meta``
    holds credit, creator, copyright, licence and title as the file states them. ``local`` is (N,)
    of dtype ``store.LOCAL_FEATURE``.
    """

    sha256: str
    width: int
    height: int
    format: str
    orientation: int
    pixel_hash: str | None
    pdq: bytes
    pdq_quality: int
    vectors: npt.NDArray[np.float32]
    proxy: bytes | None
    meta: dict[str, str] = field(default_factory=dict)
    local: npt.NDArray[Any] | None = None


def describe(
    images: Iterable[Image],
    *,
    proxies: bool = True,
    regions: bool = False,
    descriptor: str = DEFAULT_DESCRIPTOR,
    threads: int | None = None,
) -> list[Description | OriginLensError]:
    """Describe pictures in a batch.

    Args:
        images: the pictures, taken one after another and not kept: give a generator where their
            decoded pixels should not be in memory together.
        proxies: whether to make the small JPEGs that verification and display use.
        regions: whether to describe nine overlapping quarters of each picture, too.
        descriptor: name of the registered descriptor.
        threads: threads of the network; by default the CPUs that this process may use.

    Returns:
        One entry per picture, in order: its description, or the error that its decoding raised.

    Raises:
        WeightsError: the network's weight file is absent or its checksum is wrong.
    """
    embedder = make("descriptor", descriptor, threads=threads)
    results: list[Description | OriginLensError] = []
    inputs: list[Pixels] = []
    for image in images:
        try:
            description, pixels = _describe_without_vectors(image, proxies)
        except InputError as error:
            results.append(error)
        else:
            results.append(description)
            inputs.append(embedder.network_input(pixels))
    boxes = [views.WHOLE, *(views.QUARTERS if regions else ())]
    vectors = iter(embedder.describe_parts(inputs, boxes))
    return [replace(r, vectors=next(vectors)) if isinstance(r, Description) else r for r in results]


def _describe_without_vectors(image: Image, proxies: bool) -> tuple[Description, Pixels]:
    """The description, its ``vectors`` empty, and the reduced pixels for the network."""
    stored = image.reduced(pdq.HASHED_SHORT_SIDE, managed=False, oriented=False)
    digest, quality = pdq.hash_with_quality(stored)
    pixels = image.reduced(pdq.HASHED_SHORT_SIDE)
    in_full = pixels.shape[:2] == (image.height, image.width)
    description = Description(
        sha256=image.sha256,
        width=image.width,
        height=image.height,
        format=image.format,
        orientation=image.orientation,
        pixel_hash=image.pixel_hash if in_full else None,
        pdq=digest,
        pdq_quality=quality,
        vectors=np.empty((0, 256), np.float32),
        proxy=make_proxy(pixels) if proxies else None,
        meta=dict(image.embedded_metadata),
        local=coding.describe(pixels),
    )
    return description, pixels


def make_proxy(pixels: Pixels) -> bytes:
    """A small JPEG of ``(H, W, 3) uint8`` sRGB pixels: long side at most 512, quality 80."""
    import cv2

    height, width = pixels.shape[:2]
    scale = min(1.0, PROXY_SIDE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels
    bgr = cv2.cvtColor(small, cv2.COLOR_RGB2BGR)
    _, data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, PROXY_QUALITY])
    return bytes(data)
