"""Tasks of copy detection: roles by content, questions by seed, and what an answer's row says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from originlens.bench.copies import AskMatchers, Edit, Question, row, system, task, version
from originlens.bench.suites._copy import _confusions
from originlens.core.errors import ReadError, UsageError
from originlens.core.registry import make

EDITS = (Edit("small", "resize:0.5"), Edit("pasted", "paste:0.5", indexed_host=True))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    from originlens.testing import textured_image

    folder = tmp_path_factory.mktemp("pictures")
    paths = [folder / f"{number}.png" for number in range(24)]
    for number, path in enumerate(paths):
        Pillow.fromarray(textured_image(number, 200, 260).pixels).save(path)
    return [str(path) for path in paths]


def draw(pictures: list[str], seed: int = 1):
    return task(pictures, EDITS, each=5, negatives=100, references=100, seed=seed)


def test_every_picture_has_one_role(pictures):
    drawn = draw(pictures)
    strangers = {q.picture for q in drawn.questions if q.edit is None}
    asked = {q.picture for q in drawn.questions if q.edit is not None}
    hosts = {p for q in drawn.questions if q.edit == EDITS[0] for p in q.others}
    assert asked <= set(drawn.references)
    assert not strangers & set(drawn.references)
    assert not hosts & (strangers | set(drawn.references))
    assert len(strangers) == 6
    for edit in EDITS:
        assert sum(q.edit == edit for q in drawn.questions) == 5


def test_distractors_are_enrolled_and_never_asked(pictures):
    drawn = task(
        pictures[:16], EDITS, each=5, negatives=100, references=3, seed=1, distractors=pictures[12:]
    )
    assert set(drawn.references[3:]) == set(pictures[16:])
    asked = {path for q in drawn.questions for path in (q.picture, *q.others)}
    assert not asked & set(pictures[16:])


def test_an_indexed_host_is_another_reference(pictures):
    drawn = draw(pictures)
    pasted = [q for q in drawn.questions if q.edit == EDITS[1]]
    assert all(len(q.others) == 1 and q.others[0] in drawn.references for q in pasted)
    assert all(q.picture not in q.others for q in pasted)


def test_roles_depend_on_contents_and_seed_not_on_names(pictures, tmp_path):
    renamed = []
    for number, path in enumerate(reversed(pictures)):
        renamed.append(str(tmp_path / f"other-{number}.png"))
        Path(renamed[-1]).write_bytes(Path(path).read_bytes())
    first = [q.key for q in draw(pictures).questions]
    assert sorted(first) == sorted(q.key for q in draw(renamed).questions)
    assert sorted(first) != sorted(q.key for q in draw(pictures, seed=2).questions)


def test_equal_files_count_once_and_few_are_refused(pictures):
    doubled = draw([*pictures, *pictures])
    assert len(doubled.references) == len(set(doubled.references))
    with pytest.raises(UsageError, match="7 different pictures"):
        draw([*pictures[:7], *pictures[:7]])


def test_the_same_question_is_the_same_picture(pictures):
    question = next(q for q in draw(pictures).questions if q.edit == EDITS[1])
    assert np.array_equal(question.image().pixels, question.image().pixels)


def test_rows_tell_rank_and_decision(pictures, tmp_path):
    make("matcher", "pdq").enrol(pictures[:6], str(tmp_path / "pdq"))
    ask = AskMatchers({"pdq": str(tmp_path / "pdq")})
    right = Question(pictures[2], EDITS[0], seed=4)
    found = row("pdq", right, ask.answer(("pdq", right)))
    assert (found["rank"], found["found"], found["called"], found["best"]) == (
        1, True, True, pictures[2],
    )  # fmt: skip
    stranger = Question(pictures[9])
    missed = row("pdq", stranger, ask.answer(("pdq", stranger)))
    assert (missed["rank"], missed["found"], missed["called"]) == (None, False, False)
    assert missed["negative"]


def test_a_picture_that_breaks_is_a_row_with_its_error(pictures, tmp_path):
    make("matcher", "pdq").enrol(pictures[:2], str(tmp_path / "pdq"))
    broken = tmp_path / "broken.png"
    broken.write_bytes(Path(pictures[0]).read_bytes()[:200])
    question = Question(str(broken), EDITS[0])
    answer = AskMatchers({"pdq": str(tmp_path / "pdq")}).answer(("pdq", question))
    assert "CorruptImage" in row("pdq", question, answer)["error"]


def enrolled(pictures: list[str], folder: Path) -> str:
    folder.mkdir()
    make("matcher", "phash").enrol(pictures[:4], str(folder))
    return str(folder)


def spoil_nothing_left(path: Path) -> None:
    path.unlink()


def spoil_junk(path: Path) -> None:
    path.write_bytes(b"no archive")


def spoil_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def spoil_inside(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[40:200] = bytes(160)
    path.write_bytes(data)


@pytest.mark.parametrize("spoil", [spoil_nothing_left, spoil_junk, spoil_cut, spoil_inside])
def test_what_a_matcher_made_and_is_broken_ends_the_run_with_the_remedy(pictures, tmp_path, spoil):
    folder = enrolled(pictures, tmp_path / "phash")
    spoil(tmp_path / "phash" / "references.npz")
    worker = AskMatchers({"phash": folder})
    with pytest.raises(ReadError, match=r"references\.npz: .*remove its folder and run") as caught:
        worker.answer(("phash", Question(pictures[0])))
    assert "pickle" not in str(caught.value)


def test_an_index_that_is_gone_ends_the_run_with_the_remedy(pictures, tmp_path):
    worker = AskMatchers({"originlens": str(tmp_path / "gone")})
    with pytest.raises(ReadError, match=r"gone: .*; remove this folder and run again"):
        worker.answer(("originlens", Question(pictures[0])))


@pytest.mark.parametrize("ask", [system, version])
def test_a_spec_that_is_gone_is_refused_by_its_name(tmp_path, ask):
    with pytest.raises(UsageError, match=r"gone\.toml: cannot be read as a model's spec: No such"):
        ask(str(tmp_path / "gone.toml"))


def test_a_confusion_tells_the_relation_of_the_edited_picture_and_the_worst_of_a_stranger():
    def answer(*matches):
        return {"matches": [list(m) for m in matches], "ms": 1.0, "error": None}

    edited, stranger = Question("a.png", EDITS[0]), Question("s.png")
    (chart,) = _confusions(
        {
            "pdq": [
                (edited, answer(("b.png", "identical", 3.0), ("a.png", "copy", 2.0))),
                (edited, answer(("b.png", "copy", 2.0))),
                (stranger, answer(("a.png", "none", 1.0), ("b.png", "related", 0.5))),
            ]
        }
    )
    assert chart.series[0].x == ("identical", "copy", "related", "none")
    assert {s.name: s.y for s in chart.series} == {
        "small (2)": (0.0, 0.5, 0.0, 0.5),
        "strangers (1)": (0.0, 0.0, 1.0, 0.0),
    }
