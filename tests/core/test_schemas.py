"""Published schemas: up to date, valid, and met by what the types print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from originlens.core import evidence as ev
from originlens.core import schemas
from originlens.core.errors import CorruptImage

PUBLISHED = Path(__file__).parents[2] / "docs" / "schemas"
SHA = "0" * 64


def check(document: dict[str, Any]) -> None:
    line = json.loads(json.dumps(document, allow_nan=False))
    jsonschema.Draft202012Validator(schemas.schemas()[line["schema"]]).validate(line)


@pytest.mark.parametrize("name", sorted(schemas.schemas()))
def test_published_file_is_what_the_code_says(name: str) -> None:
    document = schemas.schemas()[name]
    jsonschema.Draft202012Validator.check_schema(document)
    text = (PUBLISHED / schemas.file_name(name)).read_text(encoding="utf-8")
    assert text == schemas.render(document), "run python -m originlens.core.schemas docs/schemas"


finite = st.floats(allow_nan=False, allow_infinity=False)
share = st.floats(0, 1)
text = st.text(max_size=20)
values = st.dictionaries(text, st.none() | st.booleans() | finite | text, max_size=3)
edits = st.builds(
    ev.Edit,
    name=text,
    explanation=text,
    value=st.none() | finite,
    box=st.none() | st.tuples(finite, finite, finite, finite),
    frame=st.sampled_from(["query", "asset"]),
)
matches = st.builds(
    ev.Match,
    asset=text,
    path=text,
    relation=st.sampled_from(["identical", "copy", "related", "none"]),
    score=finite,
    probability=share,
    meta=values,
    direction=st.sampled_from(["query-from-asset", "asset-from-query", None]),
    pdq_distance=st.none() | st.integers(0, 256),
    pdq_quality=st.none() | st.integers(0, 100),
    transform=st.none()
    | st.lists(finite, min_size=9, max_size=9).map(lambda v: np.array(v).reshape(3, 3)),
    level=st.none() | st.builds(ev.ReplicationLevel, st.integers(0, 5), *[st.floats(0, 5)] * 3),
    inliers=st.integers(0, 10**6),
    coverage=share,
    edits=st.lists(edits, max_size=2).map(tuple),
    why=text,
    diff_map=st.none() | text,
    change_map=st.none(),
)
evidence = st.builds(
    ev.Evidence,
    method=text,
    claim=text,
    score=st.none() | finite,
    llr=st.none() | finite,
    p_value=st.none() | share,
    status=st.sampled_from(["ok", "not-applicable", "failed"]),
    details=values,
    ms=st.floats(0, 1e9),
    calibration=st.none() | text,
    heatmap=st.none(),
    reliability=st.none(),
    map_path=st.none() | text,
)
verdicts = st.builds(
    ev.Verdict,
    question=st.just("origin"),
    label=text,
    score=st.none() | finite,
    log10_lr=st.none() | finite,
    because=st.lists(evidence, max_size=2).map(tuple),
    details=st.just({}) | st.just({"map": None}) | st.just({"map": "/a.png"}),
)
reports = st.builds(
    ev.Report,
    image=st.just({"path": "a.png", "sha256": SHA, "width": 3, "height": 2, "format": "PNG"}),
    verdicts=st.fixed_dictionaries({}, optional={"origin": verdicts}),
    evidence=st.lists(evidence, max_size=2).map(tuple),
    skipped=st.lists(st.builds(ev.Skipped, text, text), max_size=2).map(tuple),
    matches=st.lists(matches, max_size=2).map(tuple),
    versions=st.just({"originlens": "1"}),
    ms=st.floats(0, 1e9),
)


@given(reports)
def test_report_goes_to_json_and_back_and_meets_its_schema(report: ev.Report) -> None:
    check(report.to_dict())
    again = ev.Report.from_dict(json.loads(json.dumps(report.to_dict())))
    assert again.to_dict() == report.to_dict()
    assert again == report


@given(st.lists(matches, max_size=3))
def test_search_result_meets_its_schema(found: list[ev.Match]) -> None:
    check(ev.SearchResult("q.jpg", SHA, "none", tuple(found), 1.5).to_dict())


def test_lines_of_errors_meet_the_schemas() -> None:
    error = CorruptImage("a.jpg: broken").to_dict()
    check({"schema": "search/1", "query": "a.jpg", "error": error})
    check({"schema": "report/1", "image": {"path": "a.jpg"}, "error": error})
    check({"schema": "index-add/1", "path": "a.jpg", "error": error})


def test_lines_of_an_index_meet_the_schemas() -> None:
    from originlens.match.ingest import AddEvent
    from originlens.store import Listed

    check(AddEvent("a.jpg", "a", "added", SHA).to_dict())
    check(AddEvent(None, "a", "added", None).to_dict())
    check(AddEvent("a.jpg", error=CorruptImage("a.jpg: broken")).to_dict())
    check(Listed("a.jpg", "a", SHA, "ok", {"credit": "x"}, "/a.jpg").to_dict())
    check(Listed(None, "a", None, "hash-only", {}, None).to_dict())


@pytest.mark.parametrize(
    "change",
    [
        {"decision": "maybe"},
        {"sha256": "zz"},
        {"matches": [{"asset": "a"}]},
        {"ms": -1},
        {"error": {"type": "x", "message": "y"}},
    ],
)
def test_schema_refuses_what_is_wrong(change: dict[str, Any]) -> None:
    good = ev.SearchResult("q.jpg", SHA, "none", (), 1.5).to_dict()
    check(good)
    with pytest.raises(jsonschema.ValidationError):
        check({**good, **change})


def test_numbers_that_json_lacks_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot be written"):
        ev.Evidence("m", "c", score=float("nan")).to_dict()
    with pytest.raises(ValueError, match="schema"):
        ev.Report.from_dict({"schema": "report/2"})
