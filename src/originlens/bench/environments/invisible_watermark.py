"""Runs in the environments "invisible-watermark" and "rivagan"."""

from __future__ import annotations

from functools import cache
from typing import Any


def embed(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """(H, W, 3) RGB pixels with ``bits`` in them by ``method``."""
    import imwatermark

    _prepare(header["method"])
    encoder = imwatermark.WatermarkEncoder()
    encoder.set_watermark("bits", header["bits"])
    marked = encoder.encode(_bgr(header, data), header["method"])[:, :, ::-1]
    return {"shape": list(marked.shape)}, marked.tobytes()


def read(header: dict[str, Any], data: bytes) -> tuple[dict[str, Any], bytes]:
    """The ``length`` bits that ``method`` reads from (H, W, 3) RGB pixels."""
    import imwatermark

    _prepare(header["method"])
    decoder = imwatermark.WatermarkDecoder("bits", header["length"])
    bits = decoder.decode(_bgr(header, data), header["method"])
    return {"bits": [int(bit) for bit in bits]}, b""


def _bgr(header: dict[str, Any], data: bytes) -> Any:
    import numpy as np

    return np.frombuffer(data, np.uint8).reshape(header["shape"])[:, :, ::-1].copy()


@cache
def _prepare(method: str) -> None:
    """One thread for OpenCV, and for the networks where the method has them."""
    import cv2

    cv2.setNumThreads(1)
    if method != "rivaGan":
        return
    import os

    import onnxruntime
    from imwatermark import rivaGan

    folder = os.path.dirname(rivaGan.__file__)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    for part in ("encoder", "decoder"):
        file = os.path.join(folder, f"rivagan_{part}.onnx")
        made = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        setattr(rivaGan.RivaWatermark, part, made)


OPERATIONS = {"embed": embed, "read": read}
