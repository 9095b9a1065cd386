"""What the suites of watermarks share: mark, distort, read, and the tables of the answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from originlens.bench.marking import (
    AskWatermarks,
    Distortion,
    Question,
    host,
    is_exact,
    row,
    task,
)
from originlens.bench.outcome import Cell, Chart, Outcome, Setting, Table, Takes
from originlens.bench.results import Value
from originlens.bench.runner import Answer, Journal, answers, key_of, version_of
from originlens.bench.suites._values import grouped_mean, grouped_share, machine, series_of, share
from originlens.core.errors import InputError, MissingExtra
from originlens.core.registry import Card, Cost, make, method, methods
from originlens.core.stats import upper_bound

#: The false-positive rate at which both benchmarks report detection.
FPR = 0.001
_CALIBRATED = 0.01
#: Milliseconds per megapixel above which thousands of readings are no default.
_QUICK = 1000.0
Asked = list[tuple[Question, Answer]]
Score = Callable[[Answer], float]


def watermark_card(name: str, task_: str, *, paper: str, note: str, fails_when: str) -> Card:
    """The card of a suite of watermarks; ``note`` tells its size."""
    return Card(
        name=name,
        kind="suite",
        task=task_,
        claims="compares watermarks on the same distorted pictures, marked and not, with intervals",
        paper=paper,
        code_licence="Apache-2.0",
        reads=("collection",),
        cost=Cost(ms_per_mpx=0.0, mb=300.0, note=note),
        status="stable",
        scope="any folder of pictures; figures hold for pictures like those, cut to 512 x 512",
        fails_when=fails_when,
    )


class WatermarkSuite:
    """Mark pictures, distort them and unmarked ones, compare what systems read."""

    card: ClassVar[Card]
    system_kinds: ClassVar[tuple[str, ...]] = ("watermark",)
    takes: ClassVar[Takes] = "pictures"
    each: ClassVar[int] = 20
    #: Bytes of a payload: 32 bits, as most of the published systems carry.
    length: ClassVar[int] = 4

    def distortions(self) -> list[Distortion]:
        """What is done to marked and unmarked pictures."""
        raise NotImplementedError

    def tables(self, found: Answers) -> tuple[Table, ...]:
        """Tables of this suite only."""
        return ()

    def charts(self, found: Answers) -> tuple[Chart, ...]:
        """Charts of this suite only."""
        return ()

    def run(self, setting: Setting) -> Outcome:
        """See :class:`originlens.bench.outcome.Suite`."""
        drawn = task(
            setting.pictures,
            self.distortions(),
            each=setting.each or self.each,
            length=self.length,
            seed=setting.seed,
        )
        wanted, slow = (setting.systems, {}) if setting.systems else _quick()
        folders, missing = _available(drawn[0].picture, wanted, setting)
        found = Answers(_ask_all(drawn, folders, setting), setting.seed)
        facts = {
            "suite": self.card.name,
            "systems": ", ".join(folders),
            "marked": len({q.picture for q in drawn if q.marked}),
            "unmarked": len({q.picture for q in drawn if not q.marked}),
            "distortions": len(self.distortions()),
            "seed": setting.seed,
            "versions": "; ".join(f"{n} {version_of(method('watermark', n))}" for n in folders),
            "machine": machine(setting.jobs),
        }
        tables = (_systems(found), _detection(found), *self.tables(found), *_by_distortion(found))
        charts = (_bars(found), *self.charts(found))
        rows = tuple(row(name, q, a) for name, pairs in found.asked.items() for q, a in pairs)
        return Outcome(self.card.name, facts, tables, charts, missing | slow, rows)


def _quick() -> tuple[tuple[str, ...], dict[str, str]]:
    """The watermarks that are asked by default, and why others are not."""
    quick, slow = [], {}
    for card in (found.card for found in methods("watermark")):
        if card.cost.ms_per_mpx <= _QUICK:
            quick.append(card.name)
        else:
            slow[card.name] = (
                f"it takes {card.cost.ms_per_mpx:g} ms per megapixel: name it in --systems, and "
                "give few pictures with --each"
            )
    return tuple(quick), slow


def _available(
    picture: str, wanted: Sequence[str], setting: Setting
) -> tuple[dict[str, str], dict[str, str]]:
    """Folders for the marked pictures of systems that run, and why others do not."""
    folders: dict[str, str] = {}
    missing: dict[str, str] = {}
    for name in wanted:
        folder = (
            Path(setting.folder) / f"{name}-{key_of(name, version_of(method('watermark', name)))}"
        )
        runs = folder / "runs"
        try:
            if not runs.is_file():
                _try_out(name, picture)
                folder.mkdir(parents=True, exist_ok=True)
                runs.write_text("ok\n")
        except MissingExtra as error:
            missing[name] = str(error)
            continue
        folders[name] = str(folder)
    return folders, missing


def _try_out(name: str, picture: str) -> None:
    try:
        make("watermark", name).read(host(picture))
    except InputError:
        return  # of this picture: the answers will tell


def _ask_all(drawn: list[Question], folders: dict[str, str], setting: Setting) -> dict[str, Asked]:
    """Every question with its answer, by system.

    The undistorted ones first: they mark the pictures that the others then only distort.
    """
    found: dict[str, Asked] = {name: [] for name in folders}
    worker = AskWatermarks(folders)
    plain = [q for q in drawn if not q.distortion.expression]
    rest = [q for q in drawn if q.distortion.expression]
    with Journal(Path(setting.folder) / "read.jsonl") as journal:
        for what, part in (("marking", plain), ("reading", rest)):
            questions = {
                key_of(name, Path(folder).name, question.key): (name, question)
                for question in part
                for name, folder in folders.items()
            }

            def told(done: int, total: int, what: str = what) -> None:
                if setting.progress is not None:
                    setting.progress(what, done, total)

            given = answers(worker, questions, journal, jobs=setting.jobs, progress=told)
            for (name, question), answer in zip(questions.values(), given, strict=True):
                found[name].append((question, answer))
    return found


@dataclass(frozen=True, slots=True)
class Rule:
    """A decision: marked, where ``score`` exceeds ``limit``.

    ``false_alarms`` is the share of unmarked pictures' answers that do, ``bound`` an upper one of
    that rate: exact where it follows from how payloads are drawn, else at 95 %.
    """

    score: Score
    limit: float
    false_alarms: Value
    bound: float

    def __call__(self, answer: Answer) -> bool:
        return self.score(answer) > self.limit


def payload_rule(pairs: Asked, seed: int) -> Rule:
    """At least as many right bits as chance reaches in 0.1 % of unmarked pictures.

    Payloads are drawn evenly, so whatever is read of an unmarked picture agrees with them in
    Binomial(bits, 1/2) places: the rate needs no sample. (Of one fixed payload it would.)
    """
    from scipy.stats import binom

    bits = max((4 * len(a["sent"]) for _, a in pairs if a["sent"] is not None), default=0)
    needed = int(binom.isf(FPR, bits, 0.5)) + 1
    # Without any bits nothing was read, and nothing is found.
    limit = (needed - 1) / bits if bits else 1.0
    bound = float(binom.sf(needed - 1, bits, 0.5))
    unmarked = [(q.picture, known_payload(a) > limit) for q, a in pairs if not q.marked]
    return Rule(known_payload, limit, _alarms(unmarked, seed)[0], bound)


def score_rule(pairs: Asked, seed: int) -> Rule:
    """A higher score than 0.1 % of the answers on every second unmarked picture at most have.

    False alarms are those of the other half; the bound takes a picture with any alarm whole, since
    its distortions are not independent.
    """
    unmarked = [(q.picture, own_score(a)) for q, a in pairs if not q.marked]
    fixing = set(list(dict.fromkeys(picture for picture, _ in unmarked))[::2])
    fixed = sorted((s for picture, s in unmarked if picture in fixing), reverse=True)
    limit = fixed[int(FPR * len(fixed))]
    other = [(picture, s > limit) for picture, s in unmarked if picture not in fixing]
    return Rule(own_score, limit, *_alarms(other, seed))


def _alarms(unmarked: Sequence[tuple[str, bool]], seed: int) -> tuple[Value, float]:
    """The share of alarms, and the exact upper bound of the share of pictures with any."""
    pictures = [picture for picture, _ in unmarked]
    wrong = {picture for picture, is_alarm in unmarked if is_alarm}
    rate = grouped_share([is_alarm for _, is_alarm in unmarked], pictures, seed)
    return rate, upper_bound(len(wrong), len(set(pictures)))


def known_payload(answer: Answer) -> float:
    """The share of right bits: the score of both papers, for whoever knows the payload."""
    return float(answer["accuracy"])


def own_score(answer: Answer) -> float:
    """What the watermark itself states without knowing the payload."""
    return -math.inf if answer["score"] is None else float(answer["score"])


def is_called(answer: Answer) -> bool:
    """The watermark's own decision."""
    return answer["read"] is not None


class Answers:
    """The answers of a run, by system, and what tables are made of."""

    def __init__(self, asked: dict[str, Asked], seed: int) -> None:
        self.asked = asked
        self.seed = seed
        self.rules = {name: payload_rule(pairs, seed) for name, pairs in asked.items()}

    def distortions(self) -> list[Distortion]:
        """Those asked, in their order, without "none"."""
        pairs = next(iter(self.asked.values()), [])
        return [d for d in dict.fromkeys(q.distortion for q, _ in pairs) if d.expression]

    def marked(self, system: str, distortion: Distortion) -> list[Answer]:
        """Answers on marked pictures under a distortion, one per picture."""
        pairs = self.asked[system]
        return [a for q, a in pairs if q.marked and q.distortion == distortion]

    def detected(self, system: str, distortion: Distortion) -> Value:
        """TPR at 0.1 % FPR; exact interval."""
        return share([self.rules[system](a) for a in self.marked(system, distortion)])

    def accuracy(self, system: str, distortion: Distortion) -> Value:
        """Share of right bits."""
        values = [known_payload(a) for a in self.marked(system, distortion)]
        return grouped_mean(values, [str(i) for i in range(len(values))], self.seed)


def _halves(pairs: Asked) -> tuple[Asked, Asked]:
    """Answers on marked pictures without and with a distortion."""
    marked = [(q, a) for q, a in pairs if q.marked]
    plain = [(q, a) for q, a in marked if not q.distortion.expression]
    return plain, [(q, a) for q, a in marked if q.distortion.expression]


def _shares(pairs: Asked, counts: Callable[[Answer], bool], seed: int) -> list[Value]:
    """Of undistorted and of distorted marked pictures."""
    return [
        grouped_share([counts(a) for _, a in half], [q.picture for q, _ in half], seed)
        for half in _halves(pairs)
    ]


def _mean(pairs: Asked, field: str, seed: int) -> Value:
    known = [(q.picture, a[field]) for q, a in pairs if a[field] is not None]
    return grouped_mean([v for _, v in known], [p for p, _ in known], seed)


def _median(answers_: Sequence[Any]) -> Cell:
    times = [t for t in answers_ if t is not None]
    return f"{np.median(times):.3g}" if times else ""


def _systems(found: Answers) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in found.asked.items():
        plain, distorted = _halves(pairs)
        bits = {4 * len(a["sent"]) for _, a in pairs if a["sent"] is not None}
        rows.append(
            (
                name,
                "/".join(map(str, sorted(bits))),
                _mean(plain, "psnr", found.seed),
                _mean(plain, "ssim", found.seed),
                _mean(plain, "accuracy", found.seed),
                _mean(distorted, "accuracy", found.seed),
                *_shares(pairs, is_exact, found.seed),
                _median([a["ms_embed"] for _, a in pairs]),
                _median([a["ms"] for _, a in pairs]),
                sum(a["error"] is not None for _, a in pairs),
            )
        )
    columns = (
        "system", "bits", "PSNR dB", "SSIM", "bits right, undistorted", "bits right, distorted",
        "payload exact, undistorted", "payload exact, distorted", "ms embed p50", "ms read p50",
        "errors",
    )  # fmt: skip
    note = (
        "PSNR and SSIM (uniform window, as in WAVES) of marked pictures. Chance reads half of the "
        "bits right, and an error counts so. Intervals: 95 %, by picture. Times are of busy "
        "processes, one CPU each."
    )
    return Table("Systems", columns, tuple(rows), note, rank_by="payload exact, distorted")


def _detection(found: Answers) -> Table:
    rows: list[tuple[Cell, ...]] = []
    for name, pairs in found.asked.items():
        rules = {"known payload": found.rules[name]}
        if len({own_score(a) for _, a in pairs}) > 1:
            rules["own score"] = score_rule(pairs, found.seed)
        for label, by in rules.items():
            shown = "yes" if by.bound <= FPR else "no"
            limit = by.limit if math.isfinite(by.limit) else None
            shares = _shares(pairs, by, found.seed)
            rows.append((name, label, limit, *shares, by.false_alarms, by.bound, shown, None))
        unmarked = [(q.picture, a) for q, a in pairs if not q.marked]
        rate, bound = _alarms([(p, is_called(a)) for p, a in unmarked], found.seed)
        shares = _shares(pairs, is_called, found.seed)
        stated = [(p, a["p_value"] <= _CALIBRATED) for p, a in unmarked if a["p_value"] is not None]
        low = _alarms(stated, found.seed)[0] if stated else None
        rows.append((name, "own decision", None, *shares, rate, bound, "", low))
    columns = (
        "system", "decision by", "above", "TPR, undistorted", "TPR, distorted", "FPR",
        "FPR at most", "0.1 % shown", f"unmarked with p <= {_CALIBRATED:g}",
    )  # fmt: skip
    note = (
        "One threshold for all distortions. Known payload: the share of right bits, as in WAVES "
        "and W-Bench; payloads are drawn evenly, so an unmarked picture's is binomial and 0.1 % "
        "holds exactly. Own score, where one is stated: at most 0.1 % of the answers on every "
        "second unmarked picture are above it. FPR: measured on unmarked pictures, of the own "
        "score on the other half. FPR at most: known exactly, or the exact upper bound (95 %) of "
        "the share of pictures with any false alarm, which takes 3 000 of them to show 0.1 %."
    )
    return Table("Detection", columns, tuple(rows), note)


def _by_distortion(found: Answers) -> tuple[Table, Table]:
    systems = tuple(found.asked)
    every = found.distortions()
    columns = ("distortion", "strength", *systems)

    def table(title: str, value: Callable[[str, Distortion], Value], note: str) -> Table:
        rows = tuple((d.name, d.strength, *(value(name, d) for name in systems)) for d in every)
        return Table(title, columns, rows, note)

    exact = "Known payload, one threshold for all distortions; exact intervals (Clopper-Pearson)."
    right = "Share of right bits of marked pictures; 0.5 is chance."
    return (
        table("TPR@0.1%FPR by distortion", found.detected, exact),
        table("Bit accuracy by distortion", found.accuracy, right),
    )


def _bars(found: Answers) -> Chart:
    names = tuple(dict.fromkeys(d.name for d in found.distortions()))
    series = []
    for system, pairs in found.asked.items():
        values = []
        for name in names:
            of = [(q, a) for q, a in pairs if q.marked and q.distortion.name == name]
            hits = [found.rules[system](a) for _, a in of]
            values.append(grouped_share(hits, [q.picture for q, _ in of], found.seed))
        series.append(series_of(system, names, values))
    return Chart(
        "Detection by distortion, mean of strengths", "bars", "", "TPR@0.1%FPR", tuple(series)
    )
