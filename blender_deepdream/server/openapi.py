# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire as an OpenAPI document: what FastAPI knows of the routes, and what only we know of bodies and errors."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from ..protocol.jobs import KINDS
from ..protocol.wire import MAX_LISTED_BLOBS

_SHA = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_ERROR = {
    "type": "object",
    "required": ["code", "message", "hint"],
    "properties": {name: {"type": "string"} for name in ("code", "message", "hint")},
    "additionalProperties": False,
}
_JOB = {
    "type": "object",
    "required": ["kind"],
    "properties": {"kind": {"type": "string", "enum": sorted(KINDS)}, "settings": {"type": "object"}},
}
_LIST = {
    "type": "object",
    "required": ["blobs"],
    "properties": {"blobs": {"type": "array", "items": _SHA, "maxItems": MAX_LISTED_BLOBS}},
    "additionalProperties": False,
}
_BODIES: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("post", "/v1/jobs"): ("application/json", _JOB),
    ("post", "/v1/jobs/resolve"): ("application/json", _JOB),
    ("post", "/v1/blobs/missing"): ("application/json", _LIST),
    ("put", "/v1/blobs/{sha}"): ("application/octet-stream", {}),
}
_ANSWERS = {
    ("get", "/v1/blobs/{sha}"): "application/octet-stream",
    ("head", "/v1/blobs/{sha}"): "application/octet-stream",
    ("get", "/v1/jobs/{job_id}/preview"): "image/jpeg",
    ("get", "/v1/jobs/{job_id}/events"): "text/event-stream",
    ("get", "/metrics"): "text/plain",
}
"""Where it is not JSON."""


def describe(app: FastAPI) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    document: dict[str, Any] = app.openapi()
    document["components"] = {
        "schemas": {"Error": _ERROR},
        "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _complete(operation, method, path)
    return document


def _complete(operation: dict[str, Any], method: str, path: str) -> None:
    if path != "/v1/health":
        operation["security"] = [{"token": []}]
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in ("sha", "job_id"):
            parameter["schema"] = _SHA
    if body := _BODIES.get((method, path)):
        kind, schema = body
        operation["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    answers = operation["responses"]
    answers.pop("422", None)
    if kind := _ANSWERS.get((method, path), ""):
        answers["200"]["content"] = {kind: {}}
    error = {"$ref": "#/components/schemas/Error"}
    answers["default"] = {"description": "What is wrong", "content": {"application/json": {"schema": error}}}
