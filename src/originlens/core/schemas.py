"""JSON Schemas (draft 2020-12) of what the command line prints; published in docs/schemas.

Further keys may be added within a major version, so that objects are open; those listed as required
stay. Every line is a result or an error; ``python -m originlens.core.schemas docs/schemas`` writes
the files.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from originlens.core.evidence import QUESTIONS

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
_NUMBER: Schema = {"type": "number"}
_NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_COUNT: Schema = {"type": "integer", "minimum": 0}
_COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SHA256_OR_NULL: Schema = {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"}
_OBJECT: Schema = {"type": "object"}
_MS: Schema = {"type": "number", "minimum": 0, "description": "wall time in milliseconds"}


def _object(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An open object whose properties are required unless named in ``optional``."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


_ERROR = _object({"type": _TEXT, "message": _TEXT})

_EDIT = _object(
    {
        "name": _TEXT,
        "explanation": _TEXT,
        "value": _NUMBER_OR_NULL,
        "box": {
            "description": "left, top, right, bottom in pixels of the picture that `frame` names",
            "type": ["array", "null"],
            "items": _NUMBER,
            "minItems": 4,
            "maxItems": 4,
        },
        "frame": {"enum": ["query", "asset"]},
    }
)

_ROW: Schema = {"type": "array", "items": _NUMBER, "minItems": 3, "maxItems": 3}

_MATCH = _object(
    {
        "asset": _TEXT,
        "path": _TEXT_OR_NULL,
        "meta": _OBJECT,
        "relation": {"enum": ["identical", "copy", "related", "none"]},
        "direction": {"enum": ["query-from-asset", "asset-from-query", None]},
        "probability": _SHARE,
        "score": {**_NUMBER, "description": "ranks (query, asset) pairs across all queries"},
        "pdq_distance": {**_COUNT_OR_NULL, "maximum": 256},
        "pdq_quality": {**_COUNT_OR_NULL, "maximum": 100},
        "transform": {
            "description": "pixels of the full-size upright asset to the query's; H[2][2] = 1",
            "type": ["array", "null"],
            "items": _ROW,
            "minItems": 3,
            "maxItems": 3,
        },
        "inliers": _COUNT,
        "coverage": {**_SHARE, "description": "share of the query that the asset explains"},
        "edits": _list(_ref("edit")),
        "why": {**_TEXT, "description": "what decided, or what a non-match lacked"},
        "diff_map": {**_TEXT_OR_NULL, "description": "path of the change map, 255 = changed"},
    }
)

_EVIDENCE = _object(
    {
        "method": _TEXT,
        "claim": _TEXT,
        "score": _NUMBER_OR_NULL,
        "llr": {**_NUMBER_OR_NULL, "description": "log10 likelihood ratio"},
        "p_value": {"type": ["number", "null"], "minimum": 0, "maximum": 1},
        "status": {"enum": ["ok", "not-applicable", "failed"]},
        "why": _TEXT,
        "explanation": _TEXT,
        "details": _OBJECT,
        "ms": _MS,
        "calibration": _TEXT_OR_NULL,
        "scope": _TEXT,
        "map": _TEXT_OR_NULL,
    }
)

_VERDICT = _object(
    {
        "label": _TEXT,
        "score": _NUMBER_OR_NULL,
        "log10_lr": _NUMBER_OR_NULL,
        "strength": _TEXT,
        "because": _list(_ref("evidence")),
        "would_change": _TEXT,
        "map": _TEXT_OR_NULL,
    },
    optional=("map",),
)

_DEFS = {
    "error": _ERROR,
    "edit": _EDIT,
    "match": _MATCH,
    "evidence": _EVIDENCE,
    "verdict": _VERDICT,
}
_MATCH_DEFS = ("error", "edit", "match")


def _document(
    schema: str, title: str, result: Schema, failed: Schema, defs: tuple[str, ...]
) -> Schema:
    """A schema of lines that are a result, or an error that names the input."""
    for case in (result, failed):
        case["properties"] = {"schema": {"const": schema}, **case["properties"]}
        case["required"] = ["schema", *case["required"]]
    only = [name for name in result["required"] if name not in failed["required"]]
    result["not"] = {"required": ["error"]}
    failed["not"] = {"anyOf": [{"required": [name]} for name in only]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{schema}: {title}",
        "oneOf": [result, failed],
        "$defs": {name: _DEFS[name] for name in defs},
    }


_ADDED: dict[str, Schema] = {
    "path": _TEXT_OR_NULL,
    "asset": _TEXT,
    "status": {"enum": ["added", "unchanged", "updated"]},
    "sha256": _SHA256_OR_NULL,
}
_LISTED: dict[str, Schema] = {
    "path": _TEXT_OR_NULL,
    "asset": _TEXT,
    "sha256": _SHA256_OR_NULL,
    "status": {"enum": ["ok", "missing", "hash-only"]},
    "meta": _OBJECT,
}


_ATTACKED: dict[str, Schema] = {
    "path": _TEXT,
    "written": _TEXT,
    "mask": {**_TEXT_OR_NULL, "description": "path of the mask, 255 = changed locally"},
    "sha256": _SHA256,
    "attack": {**_TEXT, "description": "the whole expression, as it was understood"},
    "seed": _COUNT,
    "transform": {
        "description": "pixels of the full-size upright source to the result's; H[2][2] = 1",
        "type": "array",
        "items": _ROW,
        "minItems": 3,
        "maxItems": 3,
    },
    "masked": {**_SHARE, "description": "share of the result's pixels in the mask"},
    "parameters": {**_OBJECT, "description": "what was drawn, a list of `steps`"},
    "ms": _MS,
}


def schemas() -> dict[str, Schema]:
    """Every published schema by its id (``search/1`` ...)."""
    error = _ref("error")
    image = {
        "path": _TEXT_OR_NULL,
        "sha256": _SHA256,
        "width": _COUNT,
        "height": _COUNT,
        "format": _TEXT,
    }
    search = {
        "query": _TEXT,
        "sha256": _SHA256,
        "decision": {"enum": ["identical", "copy", "related", "none"]},
        "matches": _list(_ref("match")),
        "ms": _MS,
    }
    report = {
        "image": _object(image),
        "verdicts": {
            "type": "object",
            "properties": {question: _ref("verdict") for question in QUESTIONS},
            "additionalProperties": False,
        },
        "evidence": _list(_ref("evidence")),
        "skipped": _list(_object({"method": _TEXT, "why": _TEXT})),
        "matches": _list(_ref("match")),
        "versions": {"type": "object", "additionalProperties": _TEXT},
        "ms": _MS,
    }
    path_error = {"path": _TEXT_OR_NULL, "error": error}
    return {
        "search/1": _document(
            "search/1", "one query and its candidates, best first",
            _object(search), _object({"query": _TEXT, "error": error}), _MATCH_DEFS,
        ),
        "report/1": _document(
            "report/1", "one picture and what its examination found",
            _object(report), _object({"image": _object({"path": _TEXT_OR_NULL}), "error": error}),
            tuple(_DEFS),
        ),
        "index-add/1": _document(
            "index-add/1", "one file that was indexed, printed once durable",
            _object(_ADDED), _object(path_error), ("error",),
        ),
        "index-list/1": _document(
            "index-list/1", "one ingested path; equal files are two lines and one asset",
            _object(_LISTED), _object(path_error), ("error",),
        ),
        "attack/1": _document(
            "attack/1", "one picture that was edited in a known way",
            _object(_ATTACKED), _object(path_error), ("error",),
        ),
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
