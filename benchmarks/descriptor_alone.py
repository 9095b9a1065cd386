"""The descriptor alone: one vector per picture, inner products with all, no verification.

The protocol is that of the bench's suite ``copy-full`` (the same questions for every system), asked
about pictures that nothing was fitted or chosen on; other photos only fill up the references.
Peers: gem-v0, PDQ, pHash, and a model of the user's where one is given.
"""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
from _corpus import Corpus
from _lines import Line, Section, median
from _queries import Setting

from originlens.bench.comparison import paired_difference
from originlens.bench.copies import Edit, Task, task
from originlens.bench.kinds import KINDS
from originlens.bench.outcome import Setting as BenchSetting
from originlens.bench.suites._copy import Asked, ask_all, enrol_all, pictures_of, ranked, ranking
from originlens.core.image import Image
from originlens.core.registry import DEFAULT_DESCRIPTOR, make, method

OURS, FIRST = f"descriptor/{DEFAULT_DESCRIPTOR}", "descriptor/gem-v0"
DISTRACTORS = 400
#: Held-out kinds that the descriptor's training views are like (see its card).
MET = {"strong-colour", "tint", "rotate-90", "rotate-any", "flip", "overlay"}
#: How the authors of SSCD show a picture to their model without keeping its aspect.
SSCD_SIDE = 320


def run(setting: Setting) -> Section:
    """uAP of every system, by half, and our lead on gem-v0."""
    drawn = _task(setting)
    systems = tuple(dict.fromkeys([OURS, FIRST, "pdq", "phash", *given(setting)]))
    folder = str(setting.cache / f"descriptor-{setting.split}-{setting.seed}")
    bench = BenchSetting((), folder, systems, setting.seed, jobs=setting.jobs)
    folders, missing = enrol_all(drawn, systems, bench)
    asked = ask_all(drawn, folders, bench)
    lines = [line for name in asked for line in _lines(name, asked[name], setting.seed)]
    if OURS != FIRST:
        lines.append(_lead(asked, setting.seed))
    if not setting.model:
        note = "not measured: --model FILE, or $ORIGINLENS_SSCD"
        lines.append(Line("SSCD by path", float("nan"), note=note))
    lines += [
        Line(name, float("nan"), note=f"not measured: {why}") for name, why in missing.items()
    ]
    edited = sum(question.edit is not None for question in drawn.questions)
    details = {
        "references": len(drawn.references),
        "questions": edited,
        "strangers": len(drawn.questions) - edited,
    }
    return Section("descriptor", lines, details)


def _task(setting: Setting) -> Task:
    corpus = Corpus(setting.data, setting.split, setting.seed)
    pictures = corpus.unfitted
    return task(
        pictures[: setting.few(len(pictures), 80)],
        [Edit.of(kind) for kind in KINDS if kind.group != "local"],
        each=setting.few(60, 1),
        negatives=600,
        references=1000,
        seed=setting.seed,
        distractors=corpus.distractors[: setting.few(DISTRACTORS, 40)],
    )


def given(setting: Setting) -> list[str]:
    """The spec of the user's model; a model file alone is taken for SSCD's."""
    if not setting.model:
        return []
    path = Path(setting.model).resolve()
    if path.suffix == ".toml":
        return [str(path)]
    spec = setting.cache / f"{path.stem}.toml"
    spec.write_text(f"model = '{path}'\nside = {SSCD_SIDE}\n")
    return [str(spec)]


def _lines(name: str, asked: Asked, seed: int) -> list[Line]:
    """uAP of all kinds, of the seen ones, of the held-out ones, and of those never met at all."""
    label = Path(name).stem
    seen = {kind.name for kind in KINDS if kind.split == "seen"}
    held_out = {kind.name for kind in KINDS if kind.split == "held-out"}
    halves = {
        "all": seen | held_out, "seen": seen, "held-out": held_out, "never met": held_out - MET
    }  # fmt: skip
    lines = []
    for half, names in halves.items():
        kept = [(q, a) for q, a in asked if q.edit is None or q.edit.name in names]
        value = ranked("uap", kept, seed)
        goal = (">=", 0.93) if name == OURS and half == "all" else None
        note = f"{sum(q.edit is not None for q, _ in kept)} questions, {value.n} pictures"
        lines.append(
            Line(f"uAP, {label}, {half} kinds", value.value, value.low, value.high, goal, note=note)
        )
    return lines


def _lead(asked: dict[str, Asked], seed: int) -> Line:
    first, second = asked[OURS], asked[FIRST]
    value = paired_difference(
        make("metric", "uap"), ranking(first), ranking(second),
        rng=np.random.default_rng(seed), groups=pictures_of(first),
    )  # fmt: skip
    name = f"uAP, {DEFAULT_DESCRIPTOR} minus gem-v0, all kinds"
    return Line(name, value.value, value.low, value.high, note="paired over pictures")


def cost(setting: Setting) -> Section:
    """CPU time of one picture's vector in one thread, and the size of the model."""
    corpus = Corpus(setting.data, setting.split, setting.seed)
    card = method("descriptor", DEFAULT_DESCRIPTOR).card
    descriptor = make("descriptor", DEFAULT_DESCRIPTOR, threads=1)
    pictures = [Image.open(path).reduced(512) for path in corpus.originals[: setting.few(200, 20)]]
    descriptor.describe_batch(pictures[:8])
    times = []
    for pixels in pictures:
        started = time.process_time()
        descriptor.describe_batch([pixels])
        times.append((time.process_time() - started) * 1e3)
    size = sum(file.bytes for file in card.weights) / 1e6
    checked = ", ".join(f"{file.file} sha256 {file.sha256[:8]}" for file in card.weights)
    note = f"n={len(times)}, decoded pictures, CPU time in one thread"
    return Section(
        "cost",
        [
            median(f"{DEFAULT_DESCRIPTOR}: a picture's vector, p50", times, 9, note),
            Line(
                f"{DEFAULT_DESCRIPTOR}: ONNX file", size, goal=("<=", 10), unit="MB", note=checked
            ),
        ],
    )
