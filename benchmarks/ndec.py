"""NDEC style: copies ranked among look-alikes, and who was cropped from whom.

The bench's suite ``hard-negatives`` on the subjects that are photographed several times, with other
photos enrolled beside.
"""

from __future__ import annotations

from pathlib import Path

from _corpus import Corpus
from _lines import Line, Section
from _queries import Setting
from descriptor_alone import given

from originlens.bench.outcome import Setting as BenchSetting
from originlens.bench.results import Value
from originlens.core.registry import make

SYSTEMS = ("originlens", "descriptor", "pdq")
DISTRACTORS = 500


def run(setting: Setting) -> Section:
    """Every value of the suite's tables."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    subjects = list(corpus.subjects.values())[: setting.few(len(corpus.subjects), 3)]
    pictures = [path for views in subjects for path in views]
    pictures += _alone(corpus.distractors[: setting.few(DISTRACTORS, 20)], setting)
    folder = str(setting.cache / f"ndec-{setting.split}-{setting.seed}")
    systems = (*SYSTEMS, *given(setting))
    bench = BenchSetting(tuple(pictures), folder, systems, setting.seed, jobs=setting.jobs)
    outcome = make("suite", "hard-negatives").run(bench)
    lines = [
        Line(f"{row[0]}: {column}", cell.value, cell.low, cell.high, note=f"{cell.n} groups")
        for table in outcome.tables
        for row in table.rows
        for column, cell in zip(table.columns, row, strict=True)
        if isinstance(cell, Value)
    ]
    return Section("ndec", lines, {"facts": dict(outcome.facts)})


def _alone(paths: list[str], setting: Setting) -> list[str]:
    """Links to the pictures, each in its own folder, which the suite takes for a subject."""
    found = []
    for number, path in enumerate(paths):
        folder = setting.cache / "alone" / str(number)
        folder.mkdir(parents=True, exist_ok=True)
        link = folder / Path(path).name
        if not link.is_symlink():
            link.symlink_to(path)
        found.append(str(link))
    return found
