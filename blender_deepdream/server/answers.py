# SPDX-License-Identifier: GPL-3.0-or-later
"""Every answer is JSON, every error {"code", "message", "hint"}."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from ..protocol.errors import BusyError, DeepDreamError, InternalError, NotFoundError, RequestError

RETRY_AFTER_SECONDS = 5
"""When to come again where there is too much to do."""


def answer_errors(app: FastAPI) -> None:
    """Let every error that a route meets, and every address that there is not, be answered in our form."""
    for kind in (DeepDreamError, HTTPException, RequestValidationError, ClientDisconnect, Exception):
        app.add_exception_handler(kind, _answer_error)


def as_json(data: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse(dict(data), status, dict(headers) if headers else None)


async def _answer_error(_: Request, error: Exception) -> Response:
    if isinstance(error, DeepDreamError):
        later = {"Retry-After": str(RETRY_AFTER_SECONDS)} if isinstance(error, BusyError) else None
        return as_json(error.to_wire(), error.http_status, later)
    if isinstance(error, HTTPException):
        kind = NotFoundError if error.status_code == 404 else RequestError
        answer = kind(f"{error.detail}.", "See the list of addresses in the documentation.")
        return as_json(answer.to_wire(), error.status_code, error.headers)
    if isinstance(error, RequestValidationError):
        return as_json(RequestError("The request is malformed.").to_wire(), 422)
    if isinstance(error, ClientDisconnect):  # nobody reads this, but neither is it a defect
        return as_json(RequestError("The client went away.").to_wire(), 400)
    # a defect of ours: uvicorn logs it with its traceback
    return as_json(InternalError("The server met a defect of its own.", "Its log says more.").to_wire(), 500)
