"""What people use today, on the same queries: PDQ (pdqhash) and pHash (imagehash).

Both are compared at the threshold that serves them best: the widest one at which no more than 1 %
of the negative queries match anything. ``pip install pdqhash imagehash``; absent ones are left out.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import numpy.typing as npt

NAMES = {"pdqhash": "PDQ", "imagehash": "pHash"}


def available() -> dict[str, str]:
    """Import name and display name of the peers that are installed."""
    return {m: n for m, n in NAMES.items() if importlib.util.find_spec(m) is not None}


def hashes(pixels: npt.NDArray[np.uint8]) -> dict[str, str]:
    """Hex hash of (H, W, 3) uint8 sRGB pixels by display name, for each installed peer."""
    found: dict[str, str] = {}
    if "pdqhash" in available():
        import pdqhash

        bits, _quality = pdqhash.compute(np.ascontiguousarray(pixels))
        found["PDQ"] = np.packbits(bits.astype(np.uint8)).tobytes().hex()
    if "imagehash" in available():
        import imagehash
        from PIL import Image as Pillow

        bits = imagehash.phash(Pillow.fromarray(pixels)).hash
        found["pHash"] = np.packbits(bits.ravel()).tobytes().hex()
    return found


def hashes_of_files(paths: Sequence[str], jobs: int) -> dict[str, dict[str, str]]:
    """Hashes of indexed pictures by path."""
    with ProcessPoolExecutor(jobs, get_context("spawn")) as pool:
        return dict(zip(paths, pool.map(_hash_file, paths, chunksize=32), strict=True))


def _hash_file(path: str) -> dict[str, str]:
    from originlens.core.image import Image

    return hashes(Image.open(path).pixels)


def matrix(hexes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """(N, bytes) uint8 of hex hashes."""
    return np.stack([np.frombuffer(bytes.fromhex(h), np.uint8) for h in hexes])


def distances(
    queries: npt.NDArray[np.uint8], references: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    """(Q, N) Hamming distances in bits."""
    return np.stack([np.bitwise_count(references ^ q).sum(axis=1, dtype=np.int64) for q in queries])
