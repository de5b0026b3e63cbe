"""The application: every route of the daemon's, behind one gate."""

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.middleware import Middleware

from dialer import __version__
from dialer.web import callbacks, calls, do_not_call, docs, events, health, reports, slots
from dialer.web.asked import REQUESTS
from dialer.web.cors import Cors
from dialer.web.gate import Gate
from dialer.web.problems import ProblemBody, answer_with_problems
from dialer.web.proxies import Networks, Proxies
from dialer.web.services import Services


def make_app(
    services: Services,
    *,
    max_body: int = 64 * 1024,
    trusted_proxies: Networks = (),
    visitor: APIRouter | None = None,
) -> FastAPI:
    """The application on these services. `max_body` is bytes; `visitor`: the visitor's own page, where there is one."""
    origins = frozenset().union(*services.origins.values())
    app = FastAPI(
        title="Mi Connect callback dialer",
        version=__version__,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        middleware=[
            Middleware(Gate, max_body=max_body),
            Middleware(Proxies, trusted=trusted_proxies),
            Middleware(Cors, origins=origins),
        ],
    )
    app.state.services = services
    app.state.documents = docs.Documents()
    answer_with_problems(app)
    app.include_router(callbacks.router)
    app.include_router(calls.router)
    app.include_router(do_not_call.router)
    app.include_router(slots.router)
    app.include_router(events.router)
    app.include_router(reports.router)
    app.include_router(health.router)
    app.include_router(docs.router)
    if visitor is not None:
        app.include_router(visitor)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """The OpenAPI document: as the framework makes it, with our problems in the place of its own errors."""
    make = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = make()
            schemas = made.setdefault("components", {}).setdefault("schemas", {})
            for model in (*REQUESTS, ProblemBody):
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas |= schema.pop("$defs", {})
                schemas[schema["title"]] = schema
            made["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
            for path, operations in made["paths"].items():
                for operation in operations.values():
                    _put_right(operation, open_to_all=not path.startswith("/v1/"))
            for unused in ("HTTPValidationError", "ValidationError"):
                schemas.pop(unused, None)
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]  # the framework's own way to extend it


def _put_right(operation: dict[str, Any], *, open_to_all: bool) -> None:
    if not open_to_all:
        operation["security"] = [{"key": []}]
    for answer in operation["responses"].values():
        if answer["description"] == "Successful Response":
            answer["description"] = "Done"
