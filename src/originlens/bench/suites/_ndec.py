"""What NDEC measures besides calls: rankings with and without look-alikes, and directions.

Paper: Wang et al. 2023, A Benchmark and Asymmetrical-Similarity Learning for Practical Image Copy
Detection, AAAI, arXiv:2205.12358: look-alikes join the questions, and a crop is a copy of the whole
picture while the whole is none of the crop.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from originlens.bench.copies import Edit, Question, Task
from originlens.bench.draws import rng_of
from originlens.bench.kinds import KINDS
from originlens.bench.outcome import Cell, Setting, Table
from originlens.bench.runner import content_of, key_of
from originlens.bench.suites._copy import Asked, ask_all, enrol_all, ranked
from originlens.bench.suites._values import grouped_share

_EACH = 4
_CROP = "crop:0.4..0.75+jpeg:0.05..0.2"


def copies_of(pictures: Sequence[str], seed: int) -> list[Question]:
    """Four edits of each enrolled picture, of the kinds that have a promised recall.

    What is pasted lies on a drawn scene: no other picture is needed.
    """
    edits = [Edit.of(kind) for kind in KINDS if kind.goal is not None and kind.others != "indexed"]
    found = []
    for path in pictures:
        rng = rng_of(seed, "copies", content_of(path))
        for i in rng.permutation(len(edits))[:_EACH]:
            found.append(Question(path, edits[i], (), int(rng.integers(2**31))))
    return found


def rankings(asked: dict[str, Asked], seed: int) -> Table:
    """uAP and recall at 90 % precision of the edited pictures, without and with look-alikes."""
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in asked.items():
        copies = [(q, a) for q, a in pairs if q.edit is not None]
        parts = (copies, pairs)
        values = [
            ranked(metric, part, seed)
            for metric in ("uap", "recall-at-precision")
            for part in parts
        ]
        rows.append((name, *values, len(copies), len(pairs) - len(copies)))
    return Table(
        "Copies among look-alikes",
        (
            "system", "uAP without look-alikes", "uAP", "R@P90 without look-alikes", "R@P90",
            "copies", "look-alikes",
        ),
        tuple(rows),
        "As NDEC: one ranking of all candidates of all questions, edited pictures alone and then "
        "with the other views. R@P90: recall at a precision of 90 %. Intervals: 95 %, bootstrapped "
        "over pictures.",
        rank_by="uAP",
    )  # fmt: skip


def directions(pictures: Sequence[str], setting: Setting, wanted: Sequence[str]) -> Table:
    """Whether systems tell who was cropped from whom; half of the crops are enrolled, half asked.

    Only where a system finds the other picture can it tell, so both shares are of all pairs.
    """
    folder = Path(setting.folder) / "crops"
    folder.mkdir(parents=True, exist_ok=True)
    references, questions, true = [], [], {}
    for number, path in enumerate(pictures):
        content = content_of(path)
        seed = int(rng_of(setting.seed, "crop", content).integers(2**31))
        edit = Edit("crop", _CROP)
        if number % 2:
            crop = folder / f"{key_of(content, _CROP, seed)}.jpg"
            if not crop.exists():
                part = crop.with_suffix(f".{os.getpid()}.part")
                part.write_bytes(Question(path, edit, (), seed).image().data)
                part.replace(crop)
            references.append(str(crop))
            question, answer = Question(path), (str(crop), "asset-from-query")
        else:
            references.append(path)
            question, answer = Question(path, edit, (), seed), (path, "query-from-asset")
        questions.append(question)
        true[question.key] = answer
    drawn = Task(tuple(references), tuple(questions))
    inner = replace(setting, folder=str(Path(setting.folder) / "directions"))
    folders, _missing = enrol_all(drawn, wanted, inner)
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in ask_all(drawn, folders, inner).items():
        said = [(a["directions"].get(true[q.key][0]), true[q.key][1]) for q, a in pairs]
        if not any(found for found, _ in said):
            continue  # a system without a notion of it
        groups = [content_of(q.picture) for q, _ in pairs]
        right = grouped_share([found == wanted_ for found, wanted_ in said], groups, setting.seed)
        wrong = grouped_share(
            [found not in (None, wanted_) for found, wanted_ in said], groups, setting.seed
        )
        rows.append((name, right, wrong, len(pairs)))
    return Table(
        "Who was cropped from whom",
        ("system", "direction right", "direction wrong", "pairs"),
        tuple(rows),
        "A crop (25 to 60 % of the area) is asked with the whole enrolled, or the whole with the "
        "crop enrolled. The rest: not found, or left open. Systems without directions are left "
        "out. Intervals: 95 %, bootstrapped over pictures.",
    )
