"""What went wrong, told to whoever asked: RFC 9457 for every error, with the field at fault, never with its value."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from dialer.domain.errors import IllegalState, RequestRefused, StoreError

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"

_STORE_RETRY = 5
"""Seconds after which the store may work again."""

_WORDS = {
    400: "bad_request",
    401: "key_missing",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "timeout",
    409: "conflict",
    413: "too_large",
    415: "media_type",
    422: "invalid",
    429: "too_many_requests",
    500: "internal",
    503: "unavailable",
}


class ProblemBody(BaseModel):
    """An error. `code` is a stable word for programs, `field` the part of the request that is at fault, `retry_at` when
    the same request may be sent again."""

    model_config = ConfigDict(title="Problem")

    type: str = Field(examples=["about:blank"])
    title: str
    status: int
    code: str
    detail: str
    field: str | None = None
    retry_at: datetime | None = None


class Problem(HTTPException):
    """Raised where a request cannot be answered; becomes the response. `detail` holds nothing that the request gave."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        field: str = "",
        retry_at: datetime | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.field = field
        self.retry_at = retry_at

    @property
    def response(self) -> JSONResponse:
        """As it is sent."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status_code).phrase,
            "status": self.status_code,
            "code": self.code,
            "detail": self.detail,
        }
        if self.field:
            body["field"] = self.field
        if self.retry_at is not None:
            body["retry_at"] = self.retry_at.isoformat()
        headers = {"cache-control": "no-store", **(self.headers or {})}
        return JSONResponse(body, self.status_code, headers, MEDIA_TYPE)


def refused(refusal: RequestRefused, now: datetime) -> Problem:
    """What a refusal at the door becomes: 429 where it is a matter of time, else 422."""
    remedy = f"; {refusal.remedy}" if refusal.remedy else ""
    detail = f"{refusal.what}{remedy}"
    if refusal.retry_at is None:
        return Problem(422, refusal.code, detail, field=refusal.field)
    wait = max(1, math.ceil((refusal.retry_at - now).total_seconds()))
    headers = {"retry-after": str(wait)}
    return Problem(429, refusal.code, detail, field=refusal.field, retry_at=refusal.retry_at, headers=headers)


EVERYWHERE = (400, 401, 403, 405, 422, 429, 503)
"""What any request with a key may be answered with."""
WITH_BODY = (408, 413, 415)
"""What one with a body may be, too."""


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For an operation's `responses`: the problems that it may answer with."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def answer_with_problems(app: FastAPI) -> None:
    """Let every error of this application be a problem, the framework's own, too."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(RequestRefused, _of_refusal)
    app.add_exception_handler(IllegalState, _of_state)
    app.add_exception_handler(StoreError, _of_store)


async def _of_http(_: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Problem):
        return error.response
    if not isinstance(error, HTTPException):
        raise error
    phrase = HTTPStatus(error.status_code).phrase
    return Problem(error.status_code, _WORDS.get(error.status_code, "error"), phrase, headers=error.headers).response


async def _of_validation(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestValidationError):
        raise error
    return _invalid(error.errors()).response


def _invalid(found: Sequence[Mapping[str, Any]]) -> Problem:
    """The first thing that a parameter's declared form forbids; the library's words for it hold no value."""
    first = found[0]
    place = [str(part) for part in first["loc"][1:]]
    missing = first["type"] == "missing"
    detail = "is missing" if missing else f"not of the documented form ({first['type']})"
    return Problem(422, "field_missing" if missing else "field_invalid", detail, field=".".join(place))


async def _of_refusal(request: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, RequestRefused):
        raise error
    return refused(error, request.app.state.services.clock.now()).response


async def _of_state(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, IllegalState):
        raise error
    return Problem(409, "state", error.what).response


async def _of_store(_: Request, error: Exception) -> JSONResponse:
    if not isinstance(error, StoreError):
        raise error
    log.warning("api.store_failed", why=error.what)
    detail = "the store cannot be used just now; nothing was done, send it again"
    return Problem(503, "store", detail, headers={"retry-after": str(_STORE_RETRY)}).response
