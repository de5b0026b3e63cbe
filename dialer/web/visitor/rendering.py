"""The page as HTML, and the headers that keep it from being kept, framed, followed or added to."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import sha256
from importlib.resources import files
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from dialer.web.visitor import moments
from dialer.web.visitor.english import ENGLISH
from dialer.web.visitor.offers import Offer
from dialer.web.visitor.texts import Notice, Texts, Trouble
from dialer.web.visitor.view import View
from dialer.web.visitor.welsh import WELSH

LANGUAGES: Mapping[str, Texts] = {texts.code: texts for texts in (ENGLISH, WELSH)}

_STYLE = files(__package__).joinpath("templates", "page.css").read_text("utf-8")
_STYLE_HASH = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()

HEADERS = {
    # Neither a script nor anything from elsewhere: the page is one answer, and needs no more.
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # To other hosts as good as no-referrer, by which browsers would also hide from us where a form came from.
    "Referrer-Policy": "same-origin",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

_TEMPLATES = Environment(
    loader=PackageLoader(__package__ or "", "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True, slots=True)
class Shown:
    """All that the page shows. `path` is the page's own, `form` the token that its forms send back; `first`: the day
    from which times are offered, if not today; `choosing`: the visitor is about to choose one."""

    path: str
    site: str
    view: View
    at: datetime | None
    offer: Offer | None
    first: date | None
    choosing: bool
    form: str
    notice: Notice | None


def page(shown: Shown, texts: Texts) -> Response:
    """The page of a callback."""
    heading, text = texts.stands[shown.view.stands]
    html = _TEMPLATES.get_template("page.html").render(
        shown=shown,
        heading=heading,
        text=text.format(site=shown.site),
        notice=texts.notices[shown.notice] if shown.notice else "",
        address=lambda **query: address(shown.path, **query),
        **_common(texts),
    )
    return HTMLResponse(html, headers=HEADERS)


def trouble(what: Trouble, texts: Texts, status: int, headers: Mapping[str, str] | None = None) -> Response:
    """What is answered in the page's place: the same whatever the reason, so that nothing can be learnt from it."""
    heading, text = texts.troubles[what]
    html = _TEMPLATES.get_template("trouble.html").render(heading=heading, text=text, **_common(texts))
    return HTMLResponse(html, status, headers={**HEADERS, **(headers or {})})


def address(path: str, **query: object) -> str:
    """The page's address with what is given of a query."""
    given = {key: str(value) for key, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path


def _common(texts: Texts) -> dict[str, object]:
    return {
        "texts": texts,
        "labels": texts.labels,
        "others": [other for other in LANGUAGES.values() if other is not texts],
        "moments": moments,
        "style": _STYLE,
    }
