"""A descriptor alone: the nearest references by cosine similarity, without any verification.

Paper: the evaluation of a global descriptor, as in Pizzi et al. 2022 (SSCD, arXiv:2202.10261).
Why it works: it shows what retrieval gives before anything else helps. When it fails: a picture
pasted small into another one, and look-alikes, which only a verifier tells apart.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from originlens.bench.model_file import Floats, Spec, describer
from originlens.bench.peers._nearest import Array, Nearest, Scores
from originlens.core.image import Image
from originlens.core.registry import DEFAULT_DESCRIPTOR, Card, Cost, register


@register(
    Card(
        name="descriptor",
        kind="matcher",
        task="copy detection",
        claims="the reference with the nearest vector",
        paper="Pizzi et al. 2022 (SSCD, arXiv:2202.10261), its evaluation",
        code_licence="Apache-2.0; a model given by path has its own",
        reads=("collection", "pixels"),
        cost=Cost(12.0, 100.0, "with the default; all vectors scanned", per="picture"),
        status="stable",
        scope="a registered descriptor, or a model of the user's by its spec",
        fails_when="small pasted pictures; look-alikes, which nothing here verifies",
    )
)
class Descriptor(Nearest):
    """Nearest neighbours of one vector per picture.

    Args:
        descriptor: name of a registered descriptor of float vectors.
        spec: TOML file that describes a model instead, see
            :class:`~originlens.bench.model_file.Spec`.
        threshold: cosine similarity from which on a reference is a copy (a spec states its own).
    """

    def __init__(
        self,
        *,
        descriptor: str = DEFAULT_DESCRIPTOR,
        spec: str | None = None,
        threshold: float = 0.75,
    ) -> None:
        self.descriptor, self.spec, self.threshold = descriptor, spec, threshold
        self._describe: Callable[[Image], Floats] | None = None

    @property
    def limit(self) -> float:
        """The threshold of the spec, or of this matcher."""
        return self.threshold if self.spec is None else Spec.read(self.spec).threshold

    def describe(self, image: Image) -> Floats:
        """(1, d) float32 of unit length."""
        if self._describe is None:
            self._describe = describer(self.descriptor, self.spec)
        return self._describe(image)[None]

    def scores(self, asked: Array) -> Scores:
        """The cosine similarity of every reference."""
        similarity: Scores = (self.rows @ asked[0]).astype(np.float64)
        return similarity
