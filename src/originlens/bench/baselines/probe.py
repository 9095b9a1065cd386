"""A linear probe: logistic regression on a frozen descriptor.

Paper: Ojha et al. 2023, Towards Universal Fake Image Detectors that Generalize Across Generative
Models (arXiv:2302.10174), the linear classifier on a feature space not trained for the task. Why it
works: a space that separates pictures by how they look leaves few parameters to overfit one
generator. When it fails: the descriptor was taught to ignore what separates the classes (one for
copy detection ignores compression and noise), and where content differs between the classes it
learns the content.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from originlens.bench.baselines._fitting import both_classes, fitted
from originlens.bench.model_file import Floats, describer
from originlens.core.errors import MissingExtra
from originlens.core.evidence import Evidence
from originlens.core.image import Image
from originlens.core.registry import Card, Cost, register


@register(
    Card(
        name="probe",
        kind="baseline",
        task="synthesis, edits",
        claims="the class, linearly from a descriptor",
        paper="Ojha et al. 2023 (arXiv:2302.10174)",
        code_licence="Apache-2.0; a model given by path has its own",
        reads=("pixels",),
        cost=Cost(18.0, 140.0, "once fitted, with gem-v0", per="picture"),
        status="stable",
        scope="fitted on each benchmark's own training rows",
        fails_when="classes differ in content; the descriptor ignores what separates them",
        extra="bench",
        thresholds={"score": 0.5},
    )
)
class Probe:
    """Logistic regression with balanced classes and scikit-learn's default regularisation on
    vectors scaled to a mean square of 1 per component.

    Args:
        descriptor: name of a registered descriptor of float vectors.
        spec: TOML file that describes a model instead, see
            :class:`~originlens.bench.model_file.Spec`.
    """

    def __init__(self, *, descriptor: str = "gem-v0", spec: str | None = None) -> None:
        self.descriptor, self.spec = descriptor, spec
        self._describe: Callable[[Image], Floats] | None = None
        self._model: Any = None

    def features(self, image: Image) -> str:
        """The unit vector, little-endian float32 in base64: a quarter of its length in digits."""
        if self._describe is None:
            self._describe = describer(self.descriptor, self.spec)
        return base64.b64encode(self._describe(image).astype("<f4").tobytes()).decode()

    def fit(self, features: Sequence[str], truth: npt.NDArray[np.bool_]) -> None:
        """Fit the regression; see :class:`originlens.bench.Trainable`."""
        try:
            from sklearn.linear_model import LogisticRegression
        except ImportError as error:
            raise MissingExtra("scikit-learn", "bench") from error
        both_classes(truth)
        model = LogisticRegression(class_weight="balanced", max_iter=2000)
        self._model = model.fit(np.stack([_vector(text) for text in features]), truth)

    def judge(self, features: str) -> Evidence:
        """The probability of the positive class; see :class:`originlens.bench.Trainable`."""
        found = fitted(self._model, "probe").predict_proba(_vector(features)[None])[0, 1]
        return Evidence("probe", "the class, linearly from a descriptor", score=float(found))

    def inspect(self, image: Image) -> Evidence:
        """:meth:`judge` the features of a picture."""
        return self.judge(self.features(image))


def _vector(text: str) -> npt.NDArray[np.float64]:
    values = np.frombuffer(base64.b64decode(text), "<f4").astype(np.float64)
    return values * np.sqrt(len(values))
