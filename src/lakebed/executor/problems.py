"""Errors as RFC 9457 problem details: one table from the error tree to HTTP statuses."""

import logging
from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from lakebed.api.answers import Problem
from lakebed.errors import (
    AccessDenied,
    BucketMissing,
    Forbidden,
    IssuerAway,
    KeyReused,
    LakebedError,
    LedgerError,
    ObjectError,
    OperationError,
    RequestRefused,
    StoreError,
    TooManyRequests,
    Unauthenticated,
    UnknownComponent,
    UnknownOperation,
    UnknownStore,
    UsageError,
)
from lakebed.executor.tracing import trace_id_of
from lakebed.observe.log import redact

_log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
STATUSES: tuple[tuple[type[LakebedError], HTTPStatus], ...] = (
    (UnknownOperation, HTTPStatus.NOT_FOUND),
    (UnknownComponent, HTTPStatus.NOT_FOUND),
    (UnknownStore, HTTPStatus.UNPROCESSABLE_ENTITY),
    (KeyReused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (UsageError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (Unauthenticated, HTTPStatus.UNAUTHORIZED),
    (Forbidden, HTTPStatus.FORBIDDEN),
    (IssuerAway, HTTPStatus.SERVICE_UNAVAILABLE),
    (TooManyRequests, HTTPStatus.TOO_MANY_REQUESTS),
    (OperationError, HTTPStatus.CONFLICT),
    (BucketMissing, HTTPStatus.NOT_FOUND),
    (AccessDenied, HTTPStatus.FORBIDDEN),
    (RequestRefused, HTTPStatus.UNPROCESSABLE_ENTITY),
    (StoreError, HTTPStatus.BAD_GATEWAY),
    (ObjectError, HTTPStatus.UNPROCESSABLE_ENTITY),
    (LedgerError, HTTPStatus.SERVICE_UNAVAILABLE),
    (LakebedError, HTTPStatus.INTERNAL_SERVER_ERROR),
)
"""The first that an error is an instance of."""
CODES: dict[int, str] = {
    400: "bad-request",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "request-timeout",
    413: "content-too-large",
    415: "unsupported-media-type",
    421: "misdirected",
    501: "not-implemented",
}
"""Of what is refused before a route is reached, or by what is no error of the tree. Ours: the
phrases of Python's own change with its versions."""


class ProblemResponse(JSONResponse):
    media_type = MEDIA_TYPE


def add_to(app: FastAPI) -> None:
    """Every error of this application leaves as a problem."""
    app.add_exception_handler(LakebedError, of_ours)
    app.add_exception_handler(RequestValidationError, _of_fields)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(Exception, _of_defects)


def status_of(error: LakebedError) -> HTTPStatus:
    return next(status for kind, status in STATUSES if isinstance(error, kind))


def problem(
    request: Request,
    status: int,
    code: str,
    detail: str,
    *,
    retryable: bool = False,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> ProblemResponse:
    told = Problem(
        type=f"urn:lakebed:problem:{code}",
        title=code.replace("-", " "),  # of all of this type, as RFC 9457 wants it
        status=status,
        detail=redact(detail),
        code=code,
        retryable=retryable,
        trace_id=trace_id_of(request),
        errors=errors or [],
    )
    return ProblemResponse(told.model_dump(mode="json"), status, headers)


def refusal(
    request: Request, status: int, detail: str, *, headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """The answer to what the status alone names."""
    return problem(request, status, CODES.get(status, "refused"), detail, headers=headers)


async def of_ours(request: Request, error: Exception) -> ProblemResponse:
    """The answer to an error of the tree."""
    assert isinstance(error, LakebedError)
    headers = {}
    detail = str(error)
    if isinstance(error, LedgerError):  # it names the database: the log has it, for its owners
        _log.warning("%s", error)
        detail = "the database does not do what it is asked: the log has more"
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="lakebed"'
    if isinstance(error, (TooManyRequests, StoreError)) and error.retry_after:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    field = getattr(request.state, "field", None)  # one of several that a body asks for
    return problem(
        request,
        status_of(error),
        error.code,
        detail,
        retryable=error.retryable,
        errors=[{"field": field, "message": redact(error.what)}] if field else None,
        headers=headers,
    )


async def _of_fields(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, RequestValidationError)
    found = [
        {
            "field": ".".join(str(part) for part in one["loc"][1:]) or str(one["loc"][0]),
            "message": one["msg"].removeprefix("Value error, "),
        }
        for one in error.errors()
    ]
    detail = "; ".join(f"{one['field']}: {one['message']}" for one in found[:3])
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    return problem(request, status, "usage", detail, errors=found)


async def _of_http(request: Request, error: Exception) -> ProblemResponse:
    assert isinstance(error, HTTPException)
    return refusal(request, error.status_code, str(error.detail), headers=error.headers)


async def _of_defects(request: Request, _error: Exception) -> ProblemResponse:
    """The log has the error; what it says of our inside is nobody's else."""
    detail = "a defect of Lakebed: the log has more"
    return problem(request, HTTPStatus.INTERNAL_SERVER_ERROR, LakebedError.code, detail)
