"""JSON Schemas (draft 2020-12) of what the command line prints; published in docs/schemas.

Further keys may be added within a major version, so that objects are open; those listed as required
stay. Every line is a result or an error; ``python -m originlens.core.schemas docs/schemas`` writes
the files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from originlens.core._bench_schemas import bench_schemas
from originlens.core._schema_parts import (
    COUNT,
    COUNT_OR_NULL,
    ERROR,
    MS,
    NUMBER,
    NUMBER_OR_NULL,
    OBJECT,
    SHA256,
    SHA256_OR_NULL,
    SHARE,
    TEXT,
    TEXT_OR_NULL,
    Schema,
    document_of,
    list_of,
    object_of,
    ref,
)
from originlens.core.evidence import QUESTIONS

_EDIT = object_of(
    {
        "name": TEXT,
        "explanation": TEXT,
        "value": NUMBER_OR_NULL,
        "box": {
            "description": "left, top, right, bottom in pixels of the picture that `frame` names",
            "type": ["array", "null"],
            "items": NUMBER,
            "minItems": 4,
            "maxItems": 4,
        },
        "frame": {"enum": ["query", "asset"]},
    }
)

_ROW: Schema = {"type": "array", "items": NUMBER, "minItems": 3, "maxItems": 3}

_MATCH = object_of(
    {
        "asset": TEXT,
        "path": TEXT_OR_NULL,
        "meta": OBJECT,
        "relation": {"enum": ["identical", "copy", "related", "none"]},
        "direction": {"enum": ["query-from-asset", "asset-from-query", None]},
        "probability": SHARE,
        "score": {**NUMBER, "description": "ranks (query, asset) pairs across all queries"},
        "pdq_distance": {**COUNT_OR_NULL, "maximum": 256},
        "pdq_quality": {**COUNT_OR_NULL, "maximum": 100},
        "transform": {
            "description": "pixels of the full-size upright asset to the query's; H[2][2] = 1",
            "type": ["array", "null"],
            "items": _ROW,
            "minItems": 3,
            "maxItems": 3,
        },
        "inliers": COUNT,
        "coverage": {**SHARE, "description": "share of the query that the asset explains"},
        "level": {
            "description": "how much of the asset the query repeats; null where it was not judged",
            "oneOf": [{"type": "null"}, ref("level")],
        },
        "edits": list_of(ref("edit")),
        "why": {**TEXT, "description": "what decided, or what a non-match lacked"},
        "diff_map": {**TEXT_OR_NULL, "description": "path of the change map, 255 = changed"},
    }
)

_LEVEL_VALUE: Schema = {"type": "number", "minimum": 0, "maximum": 5}
_LEVEL = object_of(
    {
        "level": {
            "description": "most probable replication level, 0 = unrelated to 5 = the same picture",
            "type": "integer",
            "minimum": 0,
            "maximum": 5,
        },
        "value": {**_LEVEL_VALUE, "description": "expected level"},
        "low": {**_LEVEL_VALUE, "description": "lower end of the 90 % interval"},
        "high": {**_LEVEL_VALUE, "description": "upper end of the 90 % interval"},
    }
)

_EVIDENCE = object_of(
    {
        "method": TEXT,
        "claim": TEXT,
        "score": NUMBER_OR_NULL,
        "llr": {**NUMBER_OR_NULL, "description": "log10 likelihood ratio"},
        "p_value": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "status": {"enum": ["ok", "not-applicable", "failed"]},
        "why": TEXT,
        "explanation": TEXT,
        "details": OBJECT,
        "ms": MS,
        "calibration": TEXT_OR_NULL,
        "scope": TEXT,
        "map": TEXT_OR_NULL,
    }
)

_VERDICT = object_of(
    {
        "label": TEXT,
        "score": NUMBER_OR_NULL,
        "log10_lr": NUMBER_OR_NULL,
        "strength": TEXT,
        "because": list_of(ref("evidence")),
        "would_change": TEXT,
        "map": TEXT_OR_NULL,
    },
    optional=("map",),
)

_DEFS = {
    "error": ERROR,
    "edit": _EDIT,
    "level": _LEVEL,
    "match": _MATCH,
    "evidence": _EVIDENCE,
    "verdict": _VERDICT,
}
_ERROR_ONLY = {"error": ERROR}
_MATCH_DEFS = {name: _DEFS[name] for name in ("error", "edit", "level", "match")}


_ADDED: dict[str, Schema] = {
    "path": TEXT_OR_NULL,
    "asset": TEXT,
    "status": {"enum": ["added", "unchanged", "updated"]},
    "sha256": SHA256_OR_NULL,
}
_LISTED: dict[str, Schema] = {
    "path": TEXT_OR_NULL,
    "asset": TEXT,
    "sha256": SHA256_OR_NULL,
    "status": {"enum": ["ok", "missing", "hash-only"]},
    "meta": OBJECT,
}


_ATTACKED: dict[str, Schema] = {
    "path": TEXT,
    "written": TEXT,
    "mask": {**TEXT_OR_NULL, "description": "path of the mask, 255 = changed locally"},
    "sha256": SHA256,
    "attack": {**TEXT, "description": "the whole expression, as it was understood"},
    "seed": COUNT,
    "transform": {
        "description": "pixels of the full-size upright source to the result's; H[2][2] = 1",
        "type": "array",
        "items": _ROW,
        "minItems": 3,
        "maxItems": 3,
    },
    "masked": {**SHARE, "description": "share of the result's pixels in the mask"},
    "parameters": {**OBJECT, "description": "what was drawn, a list of `steps`"},
    "ms": MS,
}


def schemas() -> dict[str, Schema]:
    """Every published schema by its id (``search/1`` ...)."""
    error = ref("error")
    image = {
        "path": TEXT_OR_NULL,
        "sha256": SHA256,
        "width": COUNT,
        "height": COUNT,
        "format": TEXT,
    }
    search = {
        "query": TEXT,
        "sha256": SHA256,
        "decision": {"enum": ["identical", "copy", "related", "none"]},
        "matches": list_of(ref("match")),
        "ms": MS,
    }
    report = {
        "image": object_of(image),
        "verdicts": {
            "type": "object",
            "properties": {question: ref("verdict") for question in QUESTIONS},
            "additionalProperties": False,
        },
        "evidence": list_of(ref("evidence")),
        "skipped": list_of(object_of({"method": TEXT, "why": TEXT})),
        "matches": list_of(ref("match")),
        "versions": {"type": "object", "additionalProperties": TEXT},
        "ms": MS,
    }
    path_error = {"path": TEXT_OR_NULL, "error": error}
    return {
        "search/1": document_of(
            "search/1", "one query and its candidates, best first",
            object_of(search), object_of({"query": TEXT, "error": error}), _MATCH_DEFS,
        ),
        "report/1": document_of(
            "report/1", "one picture and what its examination found",
            object_of(report),
            object_of({"image": object_of({"path": TEXT_OR_NULL}), "error": error}),
            _DEFS,
        ),
        "index-add/1": document_of(
            "index-add/1", "one file that was indexed, printed once durable",
            object_of(_ADDED), object_of(path_error), _ERROR_ONLY,
        ),
        "index-list/1": document_of(
            "index-list/1", "one ingested path; equal files are two lines and one asset",
            object_of(_LISTED), object_of(path_error), _ERROR_ONLY,
        ),
        "attack/1": document_of(
            "attack/1", "one picture that was edited in a known way",
            object_of(_ATTACKED), object_of(path_error), _ERROR_ONLY,
        ),
        **bench_schemas(),
    }  # fmt: skip


def file_name(schema: str) -> str:
    """The file a schema is published in: ``search/1`` is ``search-1.json``."""
    return schema.replace("/", "-") + ".json"


def render(document: Schema) -> str:
    """The text of a published file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def main(folder: str) -> None:
    """Write every schema into a folder."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    for schema, document in schemas().items():
        (target / file_name(schema)).write_text(render(document), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/schemas")
