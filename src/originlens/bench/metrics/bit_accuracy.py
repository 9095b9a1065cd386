"""Share of a watermark's bits that were read right.

Paper: e.g. Zhu et al. 2018 (HiDDeN), arXiv:1807.09937. Why it works: it shows decay before a
payload is lost. Fails when: nothing is there to read: chance gives 0.5, so it is no detection rate.
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
        "bit-accuracy",
        "share of payload bits read right",
        paper="Zhu et al. 2018 (HiDDeN), arXiv:1807.09937",
        reads=("bits", "bits"),
        fails_when="read without 0.5, the value of chance, in mind",
        cost=Cost(ms_per_mpx=6, mb=13, note="10,000 messages of 100 bits", per="call"),
    )
)
class BitAccuracy(MeanMetric):
    """Truth and output: (N, B) bool or 0/1 bits of N messages. Units: messages.

    Bits of one message stand or fall together, so the interval resamples messages, not bits.
    """

    higher_is_better = True
    bounds = (0.0, 1.0)

    def each(self, truth: Any, output: Any) -> Floats:
        """(N,) float64 shares of right bits.

        Raises:
            UsageError: shapes differ or are not (N, B) with N, B > 0; values other than 0 and 1.
        """
        sent, read = np.asarray(truth), np.asarray(output)
        if sent.ndim != 2 or sent.shape != read.shape or not sent.size:
            raise UsageError(f"bits {sent.shape} and {read.shape} are not both (N, B), N, B > 0")
        if not (np.isin(sent, (0, 1)).all() and np.isin(read, (0, 1)).all()):
            raise UsageError("bits are bool or 0 and 1: decide soft bits first")
        return np.asarray((sent == read).mean(axis=1), dtype=np.float64)

    def units(self, truth: Any, output: Any) -> int:
        """The number of messages."""
        return len(truth)

    def take(self, truth: Any, output: Any, indices: Indices) -> tuple[Any, Any]:
        """Messages at the indices."""
        return np.asarray(truth)[indices], np.asarray(output)[indices]

    def examples(self) -> dict[str, tuple[Any, Any]]:
        """All right, one bit in ten wrong, all wrong."""
        rng = np.random.default_rng(0)
        bits = rng.random((20, 32)) < 0.5
        return {
            "perfect": (bits, bits.copy()),
            "typical": (bits, bits ^ (rng.random(bits.shape) < 0.1)),
            "worst": (bits, ~bits),
        }
