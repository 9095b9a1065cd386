"""Share of payloads that were read without a single wrong bit.

Paper: e.g. Fernandez et al. 2023 (Stable Signature), arXiv:2303.15435. Why it works: an identifier
with one wrong bit names another picture. Fails when: read as detection: a mark may be found and not
readable.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from originlens.bench.metrics._base import Indices, MeanMetric, metric_card
from originlens.core.errors import UsageError
from originlens.core.registry import Cost, register
from originlens.core.stats import Floats


@register(
    metric_card(
        "payload-exactness",
        "share of payloads read exactly",
        paper="Fernandez et al. 2023 (Stable Signature), arXiv:2303.15435",
        reads=("payloads", "payloads"),
        fails_when="read as a detection rate",
        cost=Cost(ms_per_mpx=1, mb=1.0, note="10,000 payloads", per="call"),
    )
)
class PayloadExactness(MeanMetric):
    """Truth: N payloads (bytes, text or integers); output: what was read, None for nothing.

    Units: payloads. Exact interval.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def each(self, truth: Any, output: Any) -> Floats:
        """(N,) float64: 1 for a payload read exactly, else 0.

        Raises:
            UsageError: none, or different numbers.
        """
        if len(truth) != len(output) or not len(truth):
            raise UsageError(f"{len(output)} payloads read of {len(truth)}")
        pairs = zip(truth, output, strict=True)
        return np.array([read is not None and read == sent for sent, read in pairs], np.float64)

    def counts(self, truth: Any, output: Any) -> tuple[int, int]:
        """Payloads read exactly, and all."""
        hits = self.each(truth, output)
        return int(hits.sum()), hits.size

    def units(self, truth: Any, output: Any) -> int:
        """The number of payloads."""
        return len(truth)

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Payloads at the indices."""
        return [truth[i] for i in indices], [output[i] for i in indices]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """All read, two of three, none."""
        sent = [number.to_bytes(4, "big") for number in range(30)]
        return {
            "perfect": (sent, list(sent)),
            "typical": (sent, [p if p[3] % 3 else None for p in sent]),
            "worst": (sent, [None] * 30),
        }
