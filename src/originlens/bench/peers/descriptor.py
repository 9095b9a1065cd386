"""A descriptor alone: the nearest references by cosine similarity, without any verification.

Paper: the evaluation of a global descriptor, as in Pizzi et al. 2022 (SSCD, arXiv:2202.10261).
Why it works: it shows what retrieval gives before anything else helps. When it fails: a picture
pasted small into another one, and look-alikes, which only a verifier tells apart.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from originlens.bench.peers._nearest import Array, Nearest, Scores
from originlens.core.errors import MissingExtra, UsageError
from originlens.core.image import Image, Pixels
from originlens.core.registry import Card, Cost, make, register

Vectors = npt.NDArray[np.float32]
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
_KEYS = {"model", "side", "resize", "mean", "std", "threshold"}


@dataclass(frozen=True, slots=True)
class Spec:
    """A model file of the user's, and what it wants to be shown.

    ``model`` is an ONNX or TorchScript file that takes (1, 3, side, side) float32 and returns a
    vector; pixels are scaled to [0, 1], then ``mean`` is subtracted and ``std`` divided by.
    ``resize`` is "squeeze" (whatever the aspect) or "crop" (short side to ``side``, middle square).
    ``threshold`` is the cosine similarity from which on a reference is a copy (0.75: SSCD's).
    """

    model: str
    side: int
    resize: Literal["squeeze", "crop"] = "squeeze"
    mean: tuple[float, float, float] = _MEAN
    std: tuple[float, float, float] = _STD
    threshold: float = 0.75

    @classmethod
    def read(cls, path: str) -> Spec:
        """The spec of a TOML file; ``model`` is relative to it.

        Raises:
            UsageError: no such file, no TOML, an unknown or missing key, or a wrong value.
        """
        try:
            with open(path, "rb") as file:
                values = tomllib.load(file)
        except (OSError, tomllib.TOMLDecodeError) as error:
            raise UsageError(f"{path}: cannot be read as a model's spec: {error}") from error
        if unknown := set(values) - _KEYS:
            raise UsageError(f"{path}: unknown {', '.join(sorted(unknown))}: use {sorted(_KEYS)}")
        try:
            spec = cls(
                model=os.path.join(os.path.dirname(path), str(values["model"])),
                side=int(values["side"]),
                resize=values.get("resize", "squeeze"),
                mean=_three(values.get("mean", _MEAN)),
                std=_three(values.get("std", _STD)),
                threshold=float(values.get("threshold", 0.75)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError(
                f"{path}: model and side are needed, mean and std are three"
            ) from error
        if spec.resize not in ("squeeze", "crop") or not 8 <= spec.side <= 2048:
            raise UsageError(f"{path}: resize is squeeze or crop, side lies in 8..2048")
        if not os.path.isfile(spec.model):
            raise UsageError(f"{path}: no model {spec.model!r}")
        return spec

    def prepared(self, image: Image) -> Vectors:
        """(1, 3, side, side) float32."""
        import cv2

        pixels: Pixels = image.reduced(self.side)
        if self.resize == "crop":
            height, width = pixels.shape[:2]
            edge = min(height, width)
            top, left = (height - edge) // 2, (width - edge) // 2
            pixels = pixels[top : top + edge, left : left + edge]
        method = cv2.INTER_AREA if min(pixels.shape[:2]) >= self.side else cv2.INTER_LINEAR
        small = np.asarray(cv2.resize(pixels, (self.side, self.side), interpolation=method))
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        values = (small.astype(np.float32) / np.float32(255) - mean) / std
        return np.ascontiguousarray(values.transpose(2, 0, 1)[None], dtype=np.float32)


@register(
    Card(
        name="descriptor",
        kind="matcher",
        task="copy detection",
        claims="the reference with the nearest vector",
        paper="Pizzi et al. 2022 (SSCD, arXiv:2202.10261), its evaluation",
        code_licence="Apache-2.0; a model given by path has its own",
        reads=("collection", "pixels"),
        cost=Cost(12.0, 100.0, "with gem-v0; all vectors scanned", per="picture"),
        status="stable",
        scope="a registered descriptor, or a model of the user's by its spec",
        fails_when="small pasted pictures; look-alikes, which nothing here verifies",
    )
)
class Descriptor(Nearest):
    """Nearest neighbours of one vector per picture.

    Args:
        descriptor: name of a registered descriptor of float vectors.
        spec: TOML file that describes a model instead, see :class:`Spec`.
        threshold: cosine similarity from which on a reference is a copy (a spec states its own).
    """

    def __init__(
        self, *, descriptor: str = "gem-v0", spec: str | None = None, threshold: float = 0.75
    ) -> None:
        self.descriptor, self.spec, self.threshold = descriptor, spec, threshold
        self._describe: Callable[[Image], Vectors] | None = None

    @property
    def limit(self) -> float:
        """The threshold of the spec, or of this matcher."""
        return self.threshold if self.spec is None else Spec.read(self.spec).threshold

    def describe(self, image: Image) -> Vectors:
        """(1, d) float32 of unit length."""
        if self._describe is None:
            self._describe = self._model()
        vector = np.asarray(self._describe(image), np.float32).ravel()
        return vector[None] / np.float32(max(float(np.linalg.norm(vector)), 1e-12))

    def scores(self, asked: Array) -> Scores:
        """The cosine similarity of every reference."""
        similarity: Scores = (self.rows @ asked[0]).astype(np.float64)
        return similarity

    def _model(self) -> Callable[[Image], Vectors]:
        if self.spec is None:
            made = make("descriptor", self.descriptor, threads=1)
            return lambda image: np.asarray(made.describe(image), np.float32)
        spec = Spec.read(self.spec)
        run = _onnx(spec.model) if spec.model.endswith(".onnx") else _torchscript(spec.model)
        return lambda image: run(spec.prepared(image))


def _three(values: Any) -> tuple[float, float, float]:
    first, second, third = values
    return float(first), float(second), float(third)


def _onnx(path: str) -> Callable[[Vectors], Vectors]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has an error class per fault of a file
        raise UsageError(f"{path}: is no ONNX model: {error}") from error
    name = session.get_inputs()[0].name
    return lambda values: np.asarray(session.run(None, {name: values})[0], np.float32)


def _torchscript(path: str) -> Callable[[Vectors], Vectors]:
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("torch", "torch") from error
    try:
        model = torch.jit.load(path, map_location="cpu").eval()
    except RuntimeError as error:
        raise UsageError(f"{path}: is no TorchScript model: {error}") from error

    def run(values: Vectors) -> Vectors:
        with torch.inference_mode():
            found = model(torch.from_numpy(values))
        return np.asarray(found.numpy(), np.float32)

    return run
