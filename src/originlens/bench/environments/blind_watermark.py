"""Runs in the environment "blind-watermark"."""

from __future__ import annotations

from typing import Any


def embed(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """(H, W, 3) RGB pixels with ``bits`` in them, rounded as saving them to a file would."""
    import numpy as np

    marker = _marker()
    marker.read_img(img=_bgr(header, data))
    marker.read_wm(np.array(header["bits"], np.bool_), mode="bit")
    marked = np.rint(marker.embed()).astype(np.uint8)[:, :, ::-1]
    return {"shape": list(marked.shape)}, marked.tobytes()


def read(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """The ``length`` bits that it reads from (H, W, 3) RGB pixels."""
    found = _marker().extract(embed_img=_bgr(header, data), wm_shape=header["length"], mode="bit")
    return {"bits": [int(bit) for bit in found]}, b""


def _marker() -> Any:
    """Under the package's default passwords."""
    import blind_watermark
    import cv2

    cv2.setNumThreads(1)
    blind_watermark.bw_notes.close()
    return blind_watermark.WaterMark()


def _bgr(header: dict[str, Any], data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, np.uint8).reshape(header["shape"])[:, :, ::-1].copy()


OPERATIONS = {"embed": embed, "read": read}
