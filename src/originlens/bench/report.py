"""An outcome as Markdown and as one self-contained page, with its charts as inline SVG."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from importlib import resources
from typing import Any

from originlens.bench.outcome import Cell, Chart, Outcome, Table
from originlens.bench.results import Value
from originlens.core.errors import MissingExtra

#: Distinct in grey and for the colour-blind (Okabe and Ito 2008), readable on light and dark.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")
#: Marks of footnotes; tables with more different notes refer to the JSON file.
_MARKS, _MORE = "¹²³⁴⁵⁶", "⁺"


def words(cell: Cell) -> str:
    """A cell as text: numbers to three digits, values with their interval."""
    if cell is None:
        return ""
    if isinstance(cell, Value):
        return f"{cell.value:.3f} [{cell.low:.3f}, {cell.high:.3f}]"
    return f"{cell:.3g}" if isinstance(cell, float) else str(cell)


def marked(table: Table) -> tuple[list[list[str]], list[str]]:
    """The cells as text, those that a note limits with a mark, and the notes by their marks."""
    notes = [c.note for row in table.rows for c in row if isinstance(c, Value) and c.note]
    marks = dict(zip(dict.fromkeys(notes), _MARKS, strict=False))
    rows = [
        [
            f"{words(cell)} {marks.get(cell.note, _MORE)}"
            if isinstance(cell, Value) and cell.note
            else words(cell)
            for cell in row
        ]
        for row in table.rows
    ]
    told = [f"{mark} {note}" for note, mark in marks.items()]
    if len(set(notes)) > len(marks):
        told.append(f"{_MORE} further notes: see outcome.json")
    return rows, told


def markdown(outcome: Outcome) -> str:
    """The tables, and what was run, as Markdown."""
    parts = [f"# {outcome.suite}\n", _facts(outcome.facts)]
    if outcome.missing:
        parts += ["Not measured:\n", *(f"- {name}: {why}" for name, why in outcome.missing.items())]
        parts.append("")
    parts += [table_markdown(table) for table in outcome.tables]
    return "\n".join(parts)


def _facts(facts: Mapping[str, Any]) -> str:
    return "\n".join(f"- {name}: {value}" for name, value in facts.items()) + "\n"


def table_markdown(table: Table) -> str:
    """A table as Markdown under its title."""

    def line(cells: tuple[str, ...]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [f"## {table.title}\n"]
    if table.note:
        lines.append(f"{table.note}\n")
    lines += [line(table.columns), line(tuple("---" for _ in table.columns))]
    rows, notes = marked(table)
    lines += [line(tuple(row)) for row in rows]
    lines += [f"\n{note}" for note in notes]
    return "\n".join(lines) + "\n"


def html(outcome: Outcome) -> str:
    """The whole outcome as one page; without matplotlib it says that its charts are missing."""
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["marked"] = marked
    text = resources.files("originlens.bench").joinpath("report.html").read_text("utf-8")
    try:
        charts = [(c.title, svg(c)) for c in outcome.charts]
        note = ""
    except MissingExtra as missing:
        charts, note = [], f"Charts are missing: {missing}"
    return environment.from_string(text).render(outcome=outcome, charts=charts, note=note)


def svg(chart: Chart) -> str:
    """A chart as an SVG element that inherits the page's text colour.

    Raises:
        MissingExtra: matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtra("matplotlib", "bench") from error
    import matplotlib

    draw = {"bars": _bars, "lines": _lines, "matrix": _matrix}[chart.kind]
    # Text stays text; the ids of shapes are hashed with a fixed salt: the same chart, same bytes.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": chart.title}):
        figure = Figure(figsize=_size(chart), layout="constrained")
        axes = figure.subplots()
        draw(axes, chart)
        if chart.kind != "matrix":
            axes.grid(alpha=0.25)
            axes.set_axisbelow(True)
            if len(chart.series) > 1:  # outside: no part of a chart may lie under it
                figure.legend(loc="outside upper left", ncols=4, frameon=False, fontsize=8)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue().decode()
    element = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg") :], flags=re.DOTALL)
    # Axes, ticks and words are drawn in black: let them follow the page.
    element = re.sub(r"#000000\b", "currentColor", element)
    return element.replace("<text ", '<text fill="currentColor" ')


def _size(chart: Chart) -> tuple[float, float]:
    """Inches."""
    count = len(chart.series)
    if chart.kind == "matrix":
        return 7.5, 0.3 * count + 1.0
    bars = max((len(s.x) for s in chart.series), default=0) if chart.kind == "bars" else 0
    return 7.5, max(3.2, 0.24 * bars * max(1, count) * 0.6 + 1.2)


def _matrix(axes: Any, chart: Chart) -> None:
    """A grid of shares: the number in every cell, its shade for the eye.

    Shades are one colour, at most three quarters opaque, over the page: the page's own text colour
    stays readable on every one of them, in light and dark.
    """
    columns = list(dict.fromkeys(str(x) for series in chart.series for x in series.x))
    for row, series in enumerate(chart.series):
        for x, y in zip(series.x, series.y, strict=True):
            column = columns.index(str(x))
            corner = (column - 0.48, row - 0.46)
            axes.add_patch(_tile(corner, 0.75 * y))
            axes.text(column, row, f"{100 * y:.0f} %", ha="center", va="center", fontsize=8)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylim(len(chart.series) - 0.5, -0.5)
    axes.set_xticks(range(len(columns)), columns, fontsize=8)
    axes.set_yticks(range(len(chart.series)), [s.name for s in chart.series], fontsize=8)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.set_frame_on(False)


def _tile(corner: tuple[float, float], opacity: float) -> Any:
    from matplotlib.patches import Rectangle

    return Rectangle(corner, 0.96, 0.92, facecolor=_COLOURS[0], alpha=opacity, linewidth=0)


def _bars(axes: Any, chart: Chart) -> None:
    """Horizontal bars, the systems of one name side by side."""
    names = list(dict.fromkeys(str(x) for s in chart.series for x in s.x))
    height = 0.8 / max(1, len(chart.series))
    for k, series in enumerate(chart.series):
        places = [
            names.index(str(x)) + (k - (len(chart.series) - 1) / 2) * height for x in series.x
        ]
        errors = None
        if series.low:
            pairs = list(zip(series.y, series.low, series.high, strict=True))
            errors = [[y - low for y, low, _ in pairs], [high - y for y, _, high in pairs]]
        axes.barh(
            places,
            series.y,
            height=height,
            xerr=errors,
            color=_COLOURS[k % len(_COLOURS)],
            error_kw={"lw": 0.8},
            label=series.name,
        )
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(chart.y_label)
    if chart.log_x:
        axes.set_xscale("log")
    else:
        axes.set_xlim(0, 1)


def _lines(axes: Any, chart: Chart) -> None:
    for k, series in enumerate(chart.series):
        colour = _COLOURS[k % len(_COLOURS)]
        # Straight lines also between thresholds: ties count half, as in the area below.
        axes.plot(series.x, series.y, color=colour, label=series.name)
        if series.low:
            axes.fill_between(series.x, series.low, series.high, color=colour, alpha=0.15, lw=0)
    if chart.log_x:
        axes.set_xscale("log")
    axes.set_xlabel(chart.x_label)
    axes.set_ylabel(chart.y_label)
    axes.set_ylim(0, 1.02)
