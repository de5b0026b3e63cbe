"""`/docs` and `/openapi.json`: how to use all of this. The page loads no script, and nothing from elsewhere."""

import asyncio
import json
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from dialer.web.access import open_to_all

router = APIRouter(include_in_schema=False, dependencies=[Depends(open_to_all)])

_JSON, _PROBLEM = "application/json", "application/problem+json"

Field = tuple[str, str, bool, str]
"""Its name, its form, whether it must be there, and what it is for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked. An answer is its status, what it means, and the schema of its body ('': none)."""

    method: str
    path: str
    about: str
    parameters: tuple[Field, ...]
    body: str
    answers: tuple[tuple[str, str, str], ...]


@dataclass(frozen=True, slots=True)
class _Made:
    """As they are sent; `policy` is the page's."""

    openapi: bytes
    page: str
    policy: str


class Documents:
    """Both, made when somebody asks first, and kept. Making them takes long enough to keep calls waiting: it is done on
    a thread of its own, and costs no start anything."""

    def __init__(self) -> None:
        self._made: _Made | None = None
        self._turn = asyncio.Lock()

    async def of(self, app: FastAPI) -> _Made:
        """Those of this application, which is always the same."""
        async with self._turn:
            if self._made is None:
                self._made = await asyncio.to_thread(_make, app)
        return self._made


@router.get("/openapi.json")
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    made = await request.app.state.documents.of(request.app)
    return Response(made.openapi, media_type=_JSON)


@router.get("/docs")
async def docs(request: Request) -> HTMLResponse:
    """The documentation for people."""
    made = await request.app.state.documents.of(request.app)
    return HTMLResponse(made.page, headers={"content-security-policy": made.policy})


def _make(app: FastAPI) -> _Made:
    document = app.openapi()
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return _Made(text.encode(), *rendered(document))


def rendered(document: Mapping[str, Any]) -> tuple[str, str]:
    """The page for an OpenAPI document, and the policy that lets a browser load nothing but the page itself."""
    folder = files("dialer.web") / "pages"
    style = (folder / "docs.css").read_text("utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["marked"] = _marked
    template = environment.from_string((folder / "docs.html").read_text("utf-8"))
    schemas = {name: (schema.get("description", ""), tuple(_fields(schema))) for name, schema in _schemas(document)}
    page = template.render(
        title=document["info"]["title"],
        version=document["info"]["version"],
        operations=list(_operations(document)),
        schemas=schemas,
        style=style,
    )
    digest = b64encode(sha256(style.encode()).digest()).decode()
    return page, f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


def _schemas(document: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """The schemas that have fields; the others are named where they are used."""
    found: Mapping[str, Mapping[str, Any]] = document["components"]["schemas"]
    return sorted((name, schema) for name, schema in found.items() if "properties" in schema)


def _operations(document: Mapping[str, Any]) -> Iterator[Operation]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get(_JSON, {}).get("schema", {})
            yield Operation(
                method.upper(),
                path,
                operation.get("description", ""),
                tuple(_parameters(operation)),
                _form(body) if body else "",
                tuple(_answers(operation)),
            )


def _parameters(operation: Mapping[str, Any]) -> Iterator[Field]:
    for each in operation.get("parameters", ()):
        about = each.get("description") or each["schema"].get("description", "")
        yield each["name"], f"{_form(each['schema'])}, in {each['in']}", each.get("required", False), about


def _answers(operation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for status, answer in sorted(operation["responses"].items()):
        content = answer.get("content", {})
        schema = content.get(_JSON, content.get(_PROBLEM, {})).get("schema", {})
        yield status, answer["description"], _form(schema) if schema else ""


def _fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    for name, field in schema["properties"].items():
        yield name, _form(field), name in schema.get("required", ()), field.get("description", "")


def _marked(text: str) -> Markup:
    """A description with its words in backquotes set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))  # noqa: S704  # escaped just before


def _form(schema: Mapping[str, Any]) -> str:
    """A schema in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for several in ("anyOf", "allOf", "oneOf"):
        if several in schema:
            return " or ".join(_form(each) for each in schema[several])
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_form(schema['items'])}"
    bound = f", at most {schema['maxLength']} characters" if "maxLength" in schema else ""
    return f"{schema.get('format') or schema.get('type', 'anything')}{bound}"
