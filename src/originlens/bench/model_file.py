"""A model file of the user's (ONNX, TorchScript), and the spec that says what it is to be shown.

A spec is a TOML file beside the model; ``docs/how-to/benchmark-your-model.md`` has examples. Its
name stands for a system wherever ``--systems`` takes one.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from originlens.core.errors import MissingExtra, OriginLensError, UsageError
from originlens.core.evidence import Evidence, FloatMap
from originlens.core.image import Image, Pixels
from originlens.core.registry import make

Floats = npt.NDArray[np.float32]
Run = Callable[[Floats], Floats]
Task = Literal["descriptor", "detector"]
Resize = Literal["squeeze", "crop", "window"]
Activation = Literal["none", "sigmoid", "softmax"]
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
_WORDS: dict[str, tuple[str, ...]] = {
    "task": get_args(Task),
    "resize": get_args(Resize),
    "channels": ("rgb", "bgr"),
    "layout": ("nchw", "nhwc"),
    "question": ("synthesis", "edits"),
    "activation": get_args(Activation),
}
_OF_DETECTORS = {"question", "positive", "activation", "map"}


@dataclass(frozen=True, slots=True)
class Spec:
    """A model file, and what it wants to be shown.

    ``model`` is an ONNX or TorchScript file that takes (1, 3, side, side) float32 (``layout``
    "nhwc": channels last) of ``channels`` "rgb" or "bgr"; pixels are scaled to [0, 1], then
    ``mean`` is subtracted and ``std`` divided by. ``resize`` is "squeeze" (whatever the aspect),
    "crop" (short side to ``side``, middle square) or "window" (the middle square of ``side`` pixels
    as they are, a smaller picture repeated by mirroring: for detectors whose traces no resampling
    survives).

    A ``task`` "descriptor" returns a vector; ``threshold`` is the cosine similarity from which on a
    reference is a copy (0.75: SSCD's).

    A ``task`` "detector" answers the ``question`` "synthesis" or "edits" with one number, or with
    several of which ``positive`` is the index; ``activation`` is applied to them ("softmax" to
    several), and from ``threshold`` on (0.5) the picture is called positive. With ``map`` it
    returns a map (C, h, w) or (h, w) of the whole picture, whose highest value is the score.
    """

    model: str
    side: int
    task: Task = "descriptor"
    resize: Resize = "squeeze"
    mean: tuple[float, float, float] = _MEAN
    std: tuple[float, float, float] = _STD
    channels: Literal["rgb", "bgr"] = "rgb"
    layout: Literal["nchw", "nhwc"] = "nchw"
    threshold: float = 0.75
    question: Literal["synthesis", "edits"] = "synthesis"
    positive: int = 0
    activation: Activation = "none"
    map: bool = False

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
            why = (error.strerror or error) if isinstance(error, OSError) else error
            raise UsageError(f"{path}: cannot be read as a model's spec: {why}") from error
        try:
            return cls._checked(values, os.path.dirname(path))
        except UsageError as error:
            raise UsageError(f"{path}: {error}") from error

    @classmethod
    def _checked(cls, values: dict[str, Any], folder: str) -> Spec:
        known = set(cls.__dataclass_fields__)
        if unknown := set(values) - known:
            raise UsageError(f"unknown {', '.join(sorted(unknown))}: use {sorted(known)}")
        for key, words in _WORDS.items():
            if values.get(key, words[0]) not in words:
                raise UsageError(f"{key} is {', '.join(words[:-1])} or {words[-1]}")
        detects = values.get("task") == "detector"
        if not detects and (strange := _OF_DETECTORS & set(values)):
            raise UsageError(f'{", ".join(sorted(strange))}: only with task = "detector"')
        try:
            values["model"] = os.path.join(folder, str(values["model"]))
            values["side"] = int(values["side"])
            values["threshold"] = float(values.get("threshold", 0.5 if detects else 0.75))
            values["positive"] = int(values.get("positive", 0))
            for key in {"mean", "std"} & set(values):
                values[key] = _three(values[key])
            spec = cls(**values)
        except (KeyError, TypeError, ValueError) as error:
            raise UsageError("model and side are needed, mean and std are three numbers") from error
        if not 8 <= spec.side <= 4096:
            raise UsageError("side lies in 8..4096")
        if spec.map and spec.resize != "squeeze":
            raise UsageError('a map needs the whole picture: resize = "squeeze"')
        if not os.path.isfile(spec.model):
            raise UsageError(f"no model {spec.model!r}")
        return spec

    def prepared(self, image: Image) -> Floats:
        """(1, 3, side, side) float32, or (1, side, side, 3) for ``layout`` "nhwc"."""
        pixels = self._square(image)
        if self.channels == "bgr":
            pixels = pixels[..., ::-1]
        mean, std = np.array(self.mean, np.float32), np.array(self.std, np.float32)
        values = (pixels.astype(np.float32) / np.float32(255) - mean) / std
        if self.layout == "nchw":
            values = values.transpose(2, 0, 1)
        return np.ascontiguousarray(values[None], dtype=np.float32)

    def _square(self, image: Image) -> Pixels:
        """(side, side, 3) uint8."""
        import cv2

        if self.resize == "window":
            pixels = image.pixels
            lacking = [max(0, self.side - n) for n in pixels.shape[:2]]
            if any(lacking):
                pixels = np.pad(pixels, [(0, lacking[0]), (0, lacking[1]), (0, 0)], "symmetric")
            return _middle(pixels, self.side)
        pixels = image.reduced(self.side)
        if self.resize == "crop":
            pixels = _middle(pixels, min(pixels.shape[:2]))
        method = cv2.INTER_AREA if min(pixels.shape[:2]) >= self.side else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(pixels, (self.side, self.side), interpolation=method))

    def opened(self) -> Callable[[Image], Floats]:
        """The model: from a picture to the first output, without its batch of one.

        Raises:
            UsageError: the file is no model, or the model cannot take what the spec says (the
                latter when it is called).
            MissingExtra: TorchScript without torch.
        """
        is_onnx = self.model.endswith(".onnx")
        run, wanted = _onnx(self.model) if is_onnx else (_torchscript(self.model), "")

        def describe(image: Image) -> Floats:
            shown = self.prepared(image)
            try:
                found = run(shown)
            except OriginLensError:
                raise
            except Exception as error:  # both libraries raise errors of their own kinds
                said = " ".join(str(error).strip().splitlines()[-1:])
                raise UsageError(
                    f"{self.model}: cannot take {shown.shape} ({said}){wanted}: see side and "
                    "layout of its spec"
                ) from error
            return found[0] if found.ndim > 1 else found

        return describe


def _middle(pixels: Pixels, side: int) -> Pixels:
    height, width = pixels.shape[:2]
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def _three(values: Any) -> tuple[float, float, float]:
    first, second, third = values
    return float(first), float(second), float(third)


def _onnx(path: str) -> tuple[Run, str]:
    """The model, and in words which shape it takes."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the library has an error class per fault of a file
        raise UsageError(f"{path}: is no ONNX model: {error}") from error
    taken = session.get_inputs()[0]
    wanted = ", ".join(str(n) for n in taken.shape)  # a name or None where any length will do

    def run(values: Floats) -> Floats:
        return np.asarray(session.run(None, {taken.name: values})[0], np.float32)

    return run, f", it takes ({wanted}) {taken.type}"


def _torchscript(path: str) -> Run:
    try:
        import torch
    except ImportError as error:
        raise MissingExtra("torch", "torch") from error
    try:
        model = torch.jit.load(path, map_location="cpu").eval()
    except RuntimeError as error:
        raise UsageError(f"{path}: is no TorchScript model: {error}") from error

    def run(values: Floats) -> Floats:
        with torch.inference_mode():
            found = model(torch.from_numpy(values))
        return np.asarray(found.numpy(), np.float32)

    return run


def describer(descriptor: str, spec: str | None = None) -> Callable[[Image], Floats]:
    """From a picture to its (d,) float32 vector of unit length.

    Args:
        descriptor: name of a registered descriptor of float vectors, which then works in one
            thread.
        spec: TOML file that describes a model instead.

    Raises:
        UsageError: no such descriptor, or a spec that is wrong or of no descriptor.
        MissingExtra: TorchScript without torch.
    """
    if spec is None:
        describe: Callable[[Image], Floats] = make("descriptor", descriptor, threads=1).describe
    else:
        read = Spec.read(spec)
        if read.task != "descriptor":
            raise UsageError(f"{spec}: is the spec of a {read.task}, not of a descriptor")
        describe = read.opened()

    def unit(image: Image) -> Floats:
        vector = np.asarray(describe(image), np.float32).ravel()
        return vector / np.float32(max(float(np.linalg.norm(vector)), 1e-12))

    return unit


class ModelDetector:
    """A detector by its spec: a picture to a score, or to a map and a score.

    Args:
        path: TOML file whose ``task`` is "detector", see :class:`Spec`.
    """

    def __init__(self, path: str) -> None:
        self.spec = Spec.read(path)
        self.name = os.path.splitext(os.path.basename(path))[0]
        self._run: Callable[[Image], Floats] | None = None

    def inspect(self, image: Image) -> Evidence:
        """The score of the model, with its map if it makes one.

        Raises:
            UsageError: the model's output is not what its spec says.
        """
        if self._run is None:
            self._run = self.spec.opened()
        output = self._activated(self._run(image))
        heat = self._heat(output, image) if self.spec.map else None
        score = float(output.max()) if self.spec.map else float(output)
        if not np.isfinite(score):
            why = f"the model gave {score}"
            return Evidence(self.name, self.spec.question, status="failed", why=why)
        return Evidence(self.name, self.spec.question, score=score, heatmap=heat)

    def _activated(self, output: Floats) -> npt.NDArray[np.float64]:
        """The positive output: a number, or (h, w)."""
        values = output.astype(np.float64)
        if self.spec.map:
            values = values[None] if values.ndim == 2 else values
            wanted = "a map (C, h, w) or (h, w)"
        else:
            values = values.ravel()
            wanted = f"{self.spec.positive + 1} numbers or more"
        if values.ndim != (3 if self.spec.map else 1) or len(values) <= self.spec.positive:
            raise UsageError(f"{self.spec.model}: returned {output.shape}, not {wanted}")
        if self.spec.activation == "softmax":
            raised = np.exp(values - values.max(axis=0))
            values = raised / raised.sum(axis=0)
        elif self.spec.activation == "sigmoid":
            values = 1 / (1 + np.exp(-np.clip(values, -60, 60)))
        return np.asarray(values[self.spec.positive])

    def _heat(self, output: npt.NDArray[np.float64], image: Image) -> FloatMap:
        import cv2

        size = (image.width, image.height)
        shown = cv2.resize(output.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
        return np.clip(np.asarray(shown, np.float32), 0, 1)
