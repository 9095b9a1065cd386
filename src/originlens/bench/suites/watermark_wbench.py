"""Watermarks under the 25 distortions of W-Bench.

Paper: Lu et al. 2024 (VINE and W-Bench), arXiv:2410.18775. Why it works as a test: five levels of
five distortions by their published parameters, so that figures stand beside the paper's. Fails
when: read as robustness to editing, the paper's other half, which needs generative models.
"""

from __future__ import annotations

from originlens.bench.marking import Distortion
from originlens.bench.outcome import Chart
from originlens.bench.points import wbench_points
from originlens.bench.suites._values import series_of
from originlens.bench.suites._watermark import Answers, WatermarkSuite, watermark_card
from originlens.core.registry import register


@register(
    watermark_card(
        "watermark-wbench",
        "watermarks under the distortions of W-Bench",
        paper="Lu et al. 2024 (W-Bench), arXiv:2410.18775",
        note="25 distortions x 20 marked and 40 unmarked pictures",
        fails_when="read as robustness to generative editing, which it does not test",
    )
)
class WatermarkWbench(WatermarkSuite):
    """W-Bench's points; the strength of a distortion is its published parameter."""

    def distortions(self) -> list[Distortion]:
        """Brightness, contrast, blur, noise and JPEG at five levels each."""
        return [
            Distortion(f"{p.attack.removeprefix('waves-')} ({p.parameter})", p.expression, p.value)
            for p in wbench_points()
        ]

    def charts(self, found: Answers) -> tuple[Chart, ...]:
        """Detection over the parameter, a chart per distortion."""
        charts = []
        for name in dict.fromkeys(d.name for d in found.distortions()):
            levels = [d for d in found.distortions() if d.name == name]
            series = [
                series_of(
                    system,
                    [d.strength for d in levels if d.strength is not None],
                    [found.detected(system, d) for d in levels],
                )
                for system in found.asked
            ]
            charts.append(Chart(f"Detection: {name}", "lines", name, "TPR@0.1%FPR", tuple(series)))
        return tuple(charts)
