"""What a browser sends back: whether it came from our own page, and its few fields, bounded before they are read."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

_MOST_BYTES = 4_096
_MOST_FIELDS = 8
_FORM = "application/x-www-form-urlencoded"


def is_ours(headers: Mapping[str, str], origin: str) -> bool:
    """Whether a browser says that a form was sent from `origin` (`https://callback.example.com`) itself. Every browser
    says at least one of the two, and no page of somebody else can make it say so."""
    site, sent_from = headers.get("sec-fetch-site"), headers.get("origin")
    if site is None and sent_from is None:
        return False
    return site in {None, "same-origin"} and sent_from in {None, origin}


def origin_of(base_url: str) -> str:
    """The origin of an address, as browsers write it."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = "" if parts.port in {None, usual} else f":{parts.port}"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}{port}"


async def fields(request: Request) -> Mapping[str, str] | None:
    """The fields of a form, of doubled ones the last; None where it is none, or larger than any of ours."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != _FORM:
        return None
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            return None
    try:
        return dict(parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return None


def path_of(base_url: str) -> str:
    """The path of an address that has neither a query nor a last /."""
    return urlsplit(base_url).path
