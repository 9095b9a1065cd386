"""Watermarks under the distortions of WAVES, detection set against what each costs the picture.

Paper: An et al. 2024 (WAVES), ICML, arXiv:2401.08573. Why it works as a test: an attack counts only
if the picture survives it, so detection is plotted over the normalised loss of quality. Fails when:
compared with the paper's absolute qualities (ours is the mean of three of its eight measures); its
regeneration and adversarial attacks need networks and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from originlens.bench.marking import Distortion
from originlens.bench.outcome import Cell, Chart, Table
from originlens.bench.points import DEGRADATION, GEOMETRIC, PHOTOMETRIC, waves_combos
from originlens.bench.results import Value
from originlens.bench.suites._values import series_of
from originlens.bench.suites._watermark import Answers, WatermarkSuite, watermark_card
from originlens.core.registry import register

_STRENGTHS = (0.2, 0.4, 0.6, 0.8, 1.0)
_PERFORMANCES = (0.95, 0.7)


@register(
    watermark_card(
        "watermark-waves",
        "watermarks under the distortions of WAVES",
        paper="An et al. 2024 (WAVES), ICML, arXiv:2401.08573",
        note="8 distortions x 5 strengths and 5 combinations x 20 marked and 40 unmarked pictures",
        fails_when="read as robustness to regeneration or adversarial attacks, which it lacks",
    )
)
class WatermarkWaves(WatermarkSuite):
    """The eight distortions over their ranges, and the combinations."""

    def distortions(self) -> list[Distortion]:
        """By relative strength, 1 being the end of WAVES's range."""
        single = [
            Distortion(attack.removeprefix("waves-"), f"{attack}:{strength}", strength)
            for attack in (*GEOMETRIC, *PHOTOMETRIC, *DEGRADATION)
            for strength in _STRENGTHS
        ]
        combined = [
            Distortion(combo.name.removesuffix("-mild"), combo.expression, combo.strength)
            for combo in waves_combos()
        ]
        return single + combined

    def tables(self, found: Answers) -> tuple[Table, ...]:
        """The ranking of attacks, for each system."""
        rows: list[tuple[Cell, ...]] = []
        for system in found.asked:
            curves = [c for n in _names(found) if (c := _curve(found, system, n)).points]
            # The paper's order: the strongest attack is the one that costs least where it works.
            ranked = sorted(curves, key=lambda c: (*c.at, c.performance, c.quality))
            for place, curve in enumerate(ranked, start=1):
                at = [_text(q) for q in curve.at]
                rows.append((system, place, curve.name, *at, curve.performance, curve.quality))
        columns = ("system", "rank", "attack", "Q@0.95P", "Q@0.7P", "Avg P", "Avg Q")
        note = (
            "Strongest attack first, as WAVES ranks them. P: TPR@0.1%FPR; Q: normalised quality "
            "degradation (mean of PSNR, SSIM and NMI), means over pictures at each strength. "
            "Q@0.95P: Q where P falls to 0.95, linear between strengths; inf: P never does, -inf: "
            "it is below at every strength."
        )
        return (Table("Attacks", columns, tuple(rows), note),)

    def charts(self, found: Answers) -> tuple[Chart, ...]:
        """Performance over quality degradation, a chart per distortion with a curve."""
        charts = []
        for name in _names(found):
            curves = {system: _curve(found, system, name) for system in found.asked}
            if any(len(curve.points) > 1 for curve in curves.values()):
                series = [
                    series_of(system, [q for q, _ in curve.points], [p for _, p in curve.points])
                    for system, curve in curves.items()
                ]
                title = f"Performance and quality: {name}"
                x = "normalised quality degradation"
                charts.append(Chart(title, "lines", x, "TPR@0.1%FPR", tuple(series)))
        return tuple(charts)


@dataclass(frozen=True, slots=True)
class _Curve:
    """An attack on one system: (quality degradation, performance) by rising strength."""

    name: str
    points: tuple[tuple[float, Value], ...]

    @property
    def at(self) -> tuple[float, ...]:
        """Q@0.95P and Q@0.7P."""
        pairs = [(q, p.value) for q, p in self.points]
        return tuple(quality_at(pairs, performance) for performance in _PERFORMANCES)

    @property
    def performance(self) -> float:
        """Avg P."""
        return sum(p.value for _, p in self.points) / len(self.points)

    @property
    def quality(self) -> float:
        """Avg Q."""
        return sum(q for q, _ in self.points) / len(self.points)


def quality_at(points: Sequence[tuple[float, float]], performance: float) -> float:
    """The quality degradation at which performance first falls below a value.

    ``points`` are (quality degradation, performance) by rising strength; linear between two. Inf
    where performance never falls below it, -inf where it is below from the first point on to the
    last. A curve that starts below and rises gives its first point's quality degradation.
    """
    below = [p < performance for _, p in points]
    if not any(below):
        return math.inf
    if all(below):
        return -math.inf
    first = below.index(True)
    if first == 0:
        return points[0][0]
    (q0, p0), (q1, p1) = points[first - 1 : first + 1]
    return q0 + (q1 - q0) * (p0 - performance) / (p0 - p1)


def _names(found: Answers) -> list[str]:
    return list(dict.fromkeys(d.name for d in found.distortions()))


def _curve(found: Answers, system: str, name: str) -> _Curve:
    points = []
    levels = [d for d in found.distortions() if d.name == name]
    for distortion in sorted(levels, key=lambda d: d.strength or 0.0):
        qualities = [a["degradation"] for a in found.marked(system, distortion)]
        known = [q for q in qualities if q is not None]
        if known:
            points.append((sum(known) / len(known), found.detected(system, distortion)))
    return _Curve(name, tuple(points))


def _text(quality: float) -> str:
    """As the paper writes it: JSON has no infinity."""
    return f"{quality:.3f}" if math.isfinite(quality) else str(quality)
