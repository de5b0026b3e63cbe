"""Reading requests: bodies and parameters, each of them known, given once and of its form."""

import contextlib
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, get_origin

from fastapi import Query, Request
from fastapi.dependencies.models import Dependant
from pydantic import AwareDatetime

from dialer.domain.errors import IllegalState, RequestRefused
from dialer.intake.objects import read_object
from dialer.web.problems import Problem
from dialer.web.services import Services

_JSON = re.compile(r'application/json\s*(;\s*charset="?utf-8"?\s*)?', re.IGNORECASE)
_KEY = re.compile(r"[!-~]{1,255}")

Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]
"""A page is made in the loop that places calls: one of 500 kept it for up to a tenth of a second."""
Cursor = Annotated[
    str | None,
    Query(
        pattern=r"^-?[0-9]{1,19}\.[0-9A-Za-z]{1,40}$", description="`next` of the page before: asks for what follows."
    ),
]
Instant = Annotated[AwareDatetime | None, Query(description="ISO 8601 with an offset or Z.")]


async def services_of(request: Request) -> Services:
    """For `Depends(services_of)`; like every dependency a coroutine, for others are run in threads."""
    services: Services = request.app.state.services
    return services


async def known_parameters(request: Request) -> None:
    """For a router's dependencies: every query parameter is one that the route knows, and single unless it is a list.
    Raises `Problem`."""
    fields = dict(_parameters(request.scope["route"].dependant))
    for name, count in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in fields:
            known = ", ".join(sorted(fields)) or "none"
            raise Problem(422, "parameter_unknown", f"an unknown parameter; known are {known}", field="query")
        if count > 1 and get_origin(fields[name]) is not list:
            raise Problem(422, "parameter_doubled", "the parameter is there twice", field=name)


async def body_of(request: Request) -> tuple[dict[str, object], bytes]:
    """The JSON object in a request's body, and its bytes. Raises `Problem`, `RequestRefused`."""
    _check_type(request)
    raw = await request.body()
    try:
        return read_object(raw, "send one JSON object"), raw
    except RequestRefused as refusal:
        raise Problem(400, refusal.code, f"the body is {_told(refusal)}", field="body") from None


def only(body: Mapping[str, object], *known: str) -> None:
    """Raise `RequestRefused` where a body holds something else."""
    if not body.keys() <= set(known):
        # The unknown key itself could be a visitor's data in the wrong place.
        raise RequestRefused("field_unknown", "body", "holds an unknown field", remedy=f"known are {', '.join(known)}")


def idempotency_key(request: Request) -> str | None:
    """The key by which a repeated request is known again; None when there is none. Raises `Problem`."""
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    if len(given) > 1 or not _KEY.fullmatch(given[0]):
        what = "give one key of 1 to 255 printable ASCII characters without spaces"
        raise Problem(422, "idempotency_key_invalid", what, field="Idempotency-Key")
    return given[0]


def in_order(since: datetime | None, before: datetime | None, field: str) -> None:
    """Raise `Problem` where a range ends before it begins."""
    if since is not None and before is not None and before < since:
        raise Problem(422, "range_empty", "the range ends before it begins", field=field)


@contextlib.contextmanager
def handed_out() -> Iterator[None]:
    """What is read by a cursor inside becomes a `Problem` when we never handed that cursor out."""
    try:
        yield
    except IllegalState as error:
        raise Problem(422, "cursor_unknown", error.what, field="cursor") from None


def schema_of(name: str) -> dict[str, Any]:
    """For an operation's `openapi_extra`: its body is this model, which `make_app` puts among the components."""
    reference = {"schema": {"$ref": f"#/components/schemas/{name}"}}
    return {"requestBody": {"required": True, "content": {"application/json": reference}}}


def _parameters(of: Dependant) -> Iterator[tuple[str, object]]:
    """The names and types of the query parameters of a route and all that it depends on."""
    for field in of.query_params:
        yield field.alias, field.field_info.annotation
    for each in of.dependencies:
        yield from _parameters(each)


def _check_type(request: Request) -> None:
    types = request.headers.getlist("content-type")
    if len(types) != 1 or not _JSON.fullmatch(types[0]):
        raise Problem(415, "media_type", "send application/json in UTF-8", field="Content-Type")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "content_encoding", "send the body as it is, not compressed", field="Content-Encoding")


def _told(refusal: RequestRefused) -> str:
    return f"{refusal.what}; {refusal.remedy}"
