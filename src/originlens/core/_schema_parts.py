"""Building blocks of the published JSON Schemas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TEXT_OR_NULL: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": "number"}
NUMBER_OR_NULL: Schema = {"type": ["number", "null"]}
SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
COUNT: Schema = {"type": "integer", "minimum": 0}
COUNT_OR_NULL: Schema = {"type": ["integer", "null"], "minimum": 0}
SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
SHA256_OR_NULL: Schema = {"type": ["string", "null"], "pattern": "^[0-9a-f]{64}$"}
OBJECT: Schema = {"type": "object"}
MS: Schema = {"type": "number", "minimum": 0, "description": "wall time in milliseconds"}


def object_of(properties: dict[str, Schema], optional: tuple[str, ...] = ()) -> Schema:
    """An open object whose properties are required unless named in ``optional``."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required}


def list_of(items: Schema) -> Schema:
    """A list of any length."""
    return {"type": "array", "items": items}


def ref(name: str) -> Schema:
    """A part that stands in the document's definitions."""
    return {"$ref": f"#/$defs/{name}"}


ERROR: Schema = object_of({"type": TEXT, "message": TEXT})


def document_of(
    schema: str,
    title: str,
    result: Schema,
    failed: Schema | None = None,
    defs: Mapping[str, Schema] | None = None,
) -> Schema:
    """A schema of lines that are a result, or (where one can fail) an error that names the input.

    ``result`` and ``failed`` are made by :func:`object_of`; both get the key ``schema``.
    """
    for case in filter(None, (result, failed)):
        case["properties"] = {"schema": {"const": schema}, **case["properties"]}
        case["required"] = ["schema", *case["required"]]
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{schema}: {title}",
    }
    tail = {"$defs": dict(defs)} if defs else {}
    if failed is None:
        return {**head, **result, **tail}
    only = [name for name in result["required"] if name not in failed["required"]]
    result["not"] = {"required": ["error"]}
    failed["not"] = {"anyOf": [{"required": [name]} for name in only]}
    return {**head, "oneOf": [result, failed], **tail}
