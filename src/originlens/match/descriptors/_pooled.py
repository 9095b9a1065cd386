"""Pooled feature maps: what descriptors share that run a convolutional graph of ours.

The graph (made by ``train/global_descriptor/trunk.py``) takes ``pixels`` (N, H, W, 3) uint8 and
``pooling`` (R, H/32 * W/32) float32 whose rows sum to 1, and holds normalisation, trunk, pooling
and projection: one feature map serves the whole picture and any number of its regions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from originlens.core import weights
from originlens.core.image import Image, Pixels
from originlens.core.processors import available_cpus
from originlens.core.registry import Weights

if TYPE_CHECKING:
    import onnxruntime

Vectors = npt.NDArray[np.float32]

DIMENSION = 256
REGION_SIDE = 448
"""Side at which a picture's one feature map is made when its regions are described."""
_STRIDE = 32  # pixels of the input per cell of the last feature map
_BATCH = 4  # bounds the activations' memory; larger batches are slower on a CPU


@lru_cache(maxsize=4)
def session(file: Weights, threads: int) -> onnxruntime.InferenceSession:
    """The inference session of a graph with that many threads; made on first use and shared.

    Raises:
        WeightsError: the weight file is absent or its checksum is wrong.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads must sleep: other work of the process runs between two pictures.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(
        weights.read(file, Path(__file__).parent / "weights"),
        options,
        providers=["CPUExecutionProvider"],
    )


def squeezed(pixels: Pixels, side: int) -> Pixels:
    """(side, side, 3) uint8: the whole picture in a square, whatever its aspect."""
    import cv2

    height, width = pixels.shape[:2]
    shrinks = height >= side and width >= side
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized: Any = cv2.resize(pixels, (side, side), interpolation=method)
    return np.asarray(resized, np.uint8)


def pooling(boxes: Sequence[tuple[float, float, float, float]], cells: int) -> Vectors:
    """(N, cells * cells) float32: how much each cell of a square map counts in each box.

    A cell counts by the share of it that the box covers; rows sum to 1.
    """
    edges = np.arange(cells + 1) / cells
    low, high = edges[:-1], edges[1:]
    rows = []
    for left, top, right, bottom in boxes:
        across = np.clip(np.minimum(high, right) - np.maximum(low, left), 0, None)
        down = np.clip(np.minimum(high, bottom) - np.maximum(low, top), 0, None)
        share = np.outer(down, across).ravel()
        rows.append(share / share.sum())
    return np.asarray(rows, np.float32)


class Pooled:
    """A descriptor whose graph pools feature maps of regions.

    Args:
        threads: threads of the inference; by default the CPUs this process may use. Pass 1 inside
            worker processes. The vectors differ by rounding only (below 1e-5).
    """

    dimension = DIMENSION
    weights: Weights
    """The graph's file, named by each descriptor."""
    input_side: int
    """Side of the square that a whole picture is shown in, named by each descriptor."""

    def __init__(self, *, threads: int | None = None) -> None:
        self.threads = threads

    def describe(self, image: Image) -> Vectors:
        """``(256,) float32`` of unit length for the managed, EXIF-oriented picture."""
        return self.describe_batch([image.reduced(self.input_side)])[0]

    def network_input(self, pixels: Pixels) -> Pixels:
        """(S, S, 3) uint8, all that :meth:`describe_parts` takes from pixels of any size."""
        return squeezed(pixels, self.input_side)

    def describe_batch(self, pictures: Sequence[Pixels]) -> Vectors:
        """Vectors of many pictures, or of many views of one.

        Args:
            pictures: ``(h, w, 3) uint8`` sRGB arrays of any sizes; best not far below
                ``input_side`` pixels.

        Returns:
            ``(N, 256) float32``, each row of unit length.

        Raises:
            WeightsError: the weight file is absent or its checksum is wrong.
        """
        return self.describe_parts(pictures, [(0, 0, 1, 1)])[:, 0]

    def describe_parts(
        self, pictures: Sequence[Pixels], boxes: Sequence[tuple[float, float, float, float]]
    ) -> Vectors:
        """Vectors of the same boxes of many pictures, at no more cost than the whole pictures.

        The boxes are pooled from the small feature map of the whole picture, which shows them
        coarser than :meth:`describe_regions` does.

        Args:
            pictures: ``(h, w, 3) uint8`` sRGB arrays of any sizes.
            boxes: (left, top, right, bottom) in shares of the sides, at least one.

        Returns:
            ``(N, R, 256) float32``, unit length along the last axis.

        Raises:
            WeightsError: the weight file is absent or its checksum is wrong.
        """
        run = session(self.weights, self.threads or available_cpus())
        vectors = np.empty((len(pictures), len(boxes), DIMENSION), np.float32)
        pooled = pooling(boxes, self.input_side // _STRIDE)
        for start in range(0, len(pictures), _BATCH):
            batch = np.stack([self.network_input(p) for p in pictures[start : start + _BATCH]])
            found = run.run(None, {"pixels": batch, "pooling": pooled})[0]
            vectors[start : start + len(batch)] = found
        return vectors

    def describe_regions(
        self, pixels: Pixels, boxes: Sequence[tuple[float, float, float, float]]
    ) -> Vectors:
        """Vectors of many boxes of one picture, pooled from one feature map at 448 pixels.

        The map costs four pictures' inference however many boxes there are. (Regional pooling:
        Tolias, Sicre, Jegou, ICLR 2016, arXiv 1511.05879.)

        Args:
            pixels: ``(h, w, 3) uint8`` sRGB.
            boxes: (left, top, right, bottom) in shares of the picture's sides, not empty.

        Returns:
            ``(N, 256) float32``, each row of unit length.
        """
        if not boxes:
            return np.empty((0, DIMENSION), np.float32)
        run = session(self.weights, self.threads or available_cpus())
        inputs = {
            "pixels": squeezed(pixels, REGION_SIDE)[None],
            "pooling": pooling(boxes, REGION_SIDE // _STRIDE),
        }
        return np.asarray(run.run(None, inputs)[0][0], np.float32)
