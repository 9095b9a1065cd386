"""Structural similarity.

Paper: Wang et al. 2004, doi:10.1109/TIP.2003.819861. Why it works: local means, contrasts and
correlation follow what people see better than single pixels do. Fails when: pictures are shifted or
turned; papers differ in the window and in colour: compare only the same.
"""

from __future__ import annotations

from originlens.bench.metrics import _fidelity
from originlens.bench.metrics._base import metric_card
from originlens.bench.metrics._pictures import Picture, PictureMetric
from originlens.core.errors import UsageError
from originlens.core.registry import Cost, register


@register(
    metric_card(
        "ssim",
        "structural similarity",
        paper="Wang et al. 2004, doi:10.1109/TIP.2003.819861",
        reads=("originals", "pictures"),
        fails_when="pictures are shifted or turned",
        cost=Cost(ms_per_mpx=240, mb=240),
    )
)
class Ssim(PictureMetric):
    """Mean over pictures, channels (each by itself) and places.

    ``window="gaussian"``: 11 x 11, sigma 1.5, population moments, as in the paper. "uniform":
    7 x 7, sample moments, scikit-image's default and that of WAVES.
    """

    higher_is_better = True
    bounds = (-1.0, 1.0)
    smallest = 11

    def __init__(self, *, window: _fidelity.Window = "gaussian") -> None:
        self.window = window

    def compare(self, original: Picture, changed: Picture) -> float:
        """SSIM of one pair."""
        if self.window not in _fidelity.SIDE:
            raise UsageError(f'window is "gaussian" or "uniform", not {self.window!r}')
        return _fidelity.ssim(original, changed, self.window)
