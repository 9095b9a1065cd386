"""Runs in the environment "pdqhash"."""

from __future__ import annotations

from typing import Any


def dihedral(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """The eight hashes, in the order of the package, of (H, W, 3) RGB pixels, and the quality."""
    import numpy as np
    import pdqhash

    pixels = np.frombuffer(data, np.uint8).reshape(header["shape"])
    hashes, quality = pdqhash.compute_dihedral(pixels)
    packed = np.packbits(np.asarray(hashes, np.uint8), axis=1)
    return {"quality": int(quality), "shape": list(packed.shape)}, packed.tobytes()


OPERATIONS = {"dihedral": dihedral}
