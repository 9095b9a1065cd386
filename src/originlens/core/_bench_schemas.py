"""JSON Schemas of what ``originlens bench`` prints; published with the others."""

from __future__ import annotations

from originlens.core._schema_parts import (
    COUNT,
    ERROR,
    NUMBER,
    NUMBER_OR_NULL,
    OBJECT,
    SHARE,
    TEXT,
    TEXT_OR_NULL,
    Schema,
    document_of,
    list_of,
    object_of,
    ref,
)

_COUNTS: Schema = {"type": "object", "additionalProperties": COUNT}
_TEXTS: Schema = {"type": "object", "additionalProperties": TEXT}

_VALUE = object_of(
    {
        "name": TEXT,
        "value": NUMBER_OR_NULL,
        "low": NUMBER_OR_NULL,
        "high": NUMBER_OR_NULL,
        "n": {**COUNT, "description": "independent units behind it"},
        "note": TEXT,
    }
)
_CELL: Schema = {"oneOf": [ref("value"), {"type": ["string", "number", "null"]}]}
_TABLE = object_of(
    {
        "title": TEXT,
        "note": TEXT,
        "best": {"enum": ["highest", "lowest"], "description": "of the column to rank by"},
        "rank_by": {**TEXT, "description": "that column; empty: the first measured one"},
        "columns": list_of(TEXT),
        "rows": list_of(list_of(_CELL)),
    }
)
_SERIES = object_of(
    {
        "name": TEXT,
        "x": list_of({"type": ["string", "number"]}),
        "y": list_of(NUMBER_OR_NULL),
        "low": list_of(NUMBER_OR_NULL),
        "high": list_of(NUMBER_OR_NULL),
    },
    optional=("low", "high"),
)
_CHART = object_of(
    {
        "title": TEXT,
        "kind": {"enum": ["bars", "lines", "matrix"]},
        "x": TEXT,
        "y": TEXT,
        "series": list_of(_SERIES),
    }
)
_SIDE = object_of({"negative": COUNT, "positive": COUNT})
_PAIR: Schema = {**list_of(TEXT), "minItems": 2, "maxItems": 2}
_DUPLICATE = object_of({"paths": _PAIR, "labels": _PAIR, "groups": _PAIR})
_FEATURE = object_of({"name": TEXT, "auc": SHARE, "negative": TEXT, "positive": TEXT})


_CARD: dict[str, Schema] = {
    "name": TEXT,
    "kind": TEXT,
    "task": TEXT,
    "claims": TEXT,
    "paper": TEXT,
    "code_licence": TEXT,
    "reads": list_of(TEXT),
    "cost": object_of({"ms_per_mpx": NUMBER, "mb": NUMBER, "note": TEXT, "per": TEXT}),
    "status": {"enum": ["stable", "experimental", "toy"]},
    "scope": TEXT,
    "fails_when": TEXT,
    "extra": TEXT_OR_NULL,
    "takes": {"enum": ["pictures", "files", "manifest"], "description": "what a suite is run on"},
    "compares": {**list_of(TEXT), "description": "the kinds of a suite's systems"},
}
_OUTCOME: dict[str, Schema] = {
    "suite": TEXT,
    "facts": {**OBJECT, "description": "what was run on what"},
    "missing": {**_TEXTS, "description": "systems that were not measured, and why"},
    "tables": list_of(_TABLE),
    "charts": list_of(_CHART),
}
_COMPARED: dict[str, Schema] = {
    "measure": TEXT,
    "questions": {**COUNT, "description": "that both were asked"},
    "first": ref("value"),
    "second": ref("value"),
    "difference": ref("value"),
    "p": {
        **NUMBER_OR_NULL,
        "minimum": 0,
        "maximum": 1,
        "description": "McNemar's exact test; null where the measure is no share",
    },
}
_LAYOUT: dict[str, Schema] = {
    "name": TEXT,
    "title": TEXT,
    "paper": TEXT,
    "licence": TEXT,
    "pages": {**list_of(TEXT), "description": "where the shape is documented"},
    "unverified": list_of(TEXT),
    "tree": TEXT,
}
_MANIFEST: dict[str, Schema] = {
    "manifest": TEXT,
    "layout": TEXT,
    "rows": COUNT,
    "labels": _COUNTS,
    "generators": _COUNTS,
    "splits": _COUNTS,
    "groups": {**COUNT, "description": "units that stay together, single rows among them"},
    "masks": {**COUNT, "description": "rows that have one"},
    "ignored": {**list_of(TEXT), "description": "files that no rule of the layout knows"},
    "unmatched": {**_COUNTS, "description": "entries of each list that name no file"},
}
_AUDIT: dict[str, Schema] = {
    "manifest": TEXT,
    "leaks": {"type": "boolean"},
    "warning": TEXT,
    "auc": SHARE,
    "low": SHARE,
    "high": SHARE,
    "p_value": SHARE,
    "rows": COUNT,
    "units": COUNT,
    "features": {**list_of(_FEATURE), "description": "each alone, by falling AUC"},
    "failed": {**COUNT, "description": "rows that could not be read, each an error line"},
    "duplicates": {
        **list_of(_DUPLICATE),
        "description": "pairs of rows with equal bytes, but another label or unit",
    },
}
_EQUALISED: dict[str, Schema] = {
    "manifest": {**TEXT, "description": "of the copy"},
    "rows": COUNT,
    "left_out": {**COUNT, "description": "rows that are error lines"},
    "recipe": OBJECT,
    "seed": COUNT,
}
_GRID: dict[str, Schema] = {
    "manifest": TEXT,
    "grid": TEXT,
    "cell": TEXT,
    "train": {"oneOf": [_SIDE, {"type": "null"}]},
    "test": _SIDE,
    "attack": TEXT,
    "problem": {**TEXT, "description": "why it cannot be evaluated; empty for a sound cell"},
}
_PEER: dict[str, Schema] = {
    "name": TEXT,
    "title": TEXT,
    "licence": TEXT,
    "home": TEXT,
    "requirements": {**list_of(TEXT), "description": "what is installed, pinned"},
    "note": TEXT,
    "installed": {"type": "boolean"},
    "why": {**TEXT, "description": "why it is not; empty where it is"},
    "folder": TEXT,
    "versions": {**_TEXTS, "description": "of every package in it"},
}


def bench_schemas() -> dict[str, Schema]:
    """Every schema of the bench by its id (``bench/1`` ...)."""
    return {**_runs(), **_protocols()}


def _runs() -> dict[str, Schema]:
    return {
        "bench/1": document_of(
            "bench/1", "a suite that was run, or what is in its outcome.json",
            object_of(_OUTCOME), None, {"value": _VALUE},
        ),
        "bench-list/1": document_of(
            "bench-list/1", "the card of a suite, or of a system that one can compare",
            object_of(_CARD, optional=("takes", "compares")),
        ),
        "bench-compare/1": document_of(
            "bench-compare/1", "one measure of two runs on the same questions",
            object_of(_COMPARED), None, {"value": _VALUE},
        ),
    }  # fmt: skip


def _protocols() -> dict[str, Schema]:
    failed = {"path": TEXT, "error": ref("error")}
    error = {"error": ERROR}
    return {
        "bench-layout/1": document_of(
            "bench-layout/1", "a known data set's layout", object_of(_LAYOUT)
        ),
        "bench-manifest/1": document_of(
            "bench-manifest/1", "a manifest that was written, or a file it names that is not there",
            object_of(_MANIFEST), object_of(failed), error,
        ),
        "bench-audit/1": document_of(
            "bench-audit/1", "the shortcut audit of a manifest, or a row that cannot be read",
            object_of(_AUDIT), object_of(failed), error,
        ),
        "bench-equalise/1": document_of(
            "bench-equalise/1", "an equalised copy, or a row that was left out",
            object_of(_EQUALISED), object_of(failed), error,
        ),
        "bench-grid/1": document_of(
            "bench-grid/1", "one cell of a grid, or a manifest that cannot be read",
            object_of(_GRID), object_of(failed), error,
        ),
        "bench-peer/1": document_of(
            "bench-peer/1", "a peer with an environment of its own, or one that cannot be made",
            object_of(_PEER), object_of({"name": TEXT, "error": ref("error")}), error,
        ),
    }  # fmt: skip
