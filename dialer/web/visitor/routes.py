"""The page's routes. To look changes nothing, whoever looks: only a form of the page itself, sent back, does."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from dialer.domain.callback import Callback
from dialer.domain.errors import StoreError
from dialer.intake.allowance import Allowance
from dialer.web.proxies import network
from dialer.web.visitor import offers, posted
from dialer.web.visitor.deeds import Deeds, Services
from dialer.web.visitor.english import ENGLISH
from dialer.web.visitor.preferred import preferred
from dialer.web.visitor.query import Query
from dialer.web.visitor.rendering import HEADERS, LANGUAGES, Shown, address, page, trouble
from dialer.web.visitor.texts import Notice, Trouble
from dialer.web.visitor.throttle import GUESSING, Throttle
from dialer.web.visitor.view import fits, view

_RETRY_AFTER = {"Retry-After": "60"}
_AS_ASKED = {"Vary": "Accept-Language"}
"""Of every answer that comes before its site is known, and with it the language."""
_CHOOSING = frozenset({Notice.GONE, Notice.NONE_CHOSEN, Notice.CHANGED})


@dataclass(frozen=True, slots=True)
class Served:
    """`base_url`: where visitors see the page; `languages`: in which it opens, by site (none given: English);
    `throttle`: how often an address may ask; `moves`: how often one callback may be moved."""

    services: Services
    base_url: str
    languages: Mapping[str, str]
    throttle: Throttle
    moves: Throttle


def visitor_router(served: Served) -> APIRouter:
    """The routes, for an app; none of them is part of the API that it describes."""
    router = APIRouter(include_in_schema=False)
    pages = _Pages(served)
    router.add_api_route("/c/{token}", pages.show, methods=["GET", "HEAD"], response_model=None)
    router.add_api_route("/c/{token}/{deed}", pages.act, methods=["POST"], response_model=None)
    router.add_api_route("/c/{token}/{deed}", pages.home, methods=["GET", "HEAD"], response_model=None)
    # An address that was cut off, or has more at its end, is answered as one that we never made.
    router.add_api_route("/c/{rest:path}", pages.lost, methods=["GET", "HEAD", "POST"], response_model=None)
    return router


class _Pages:
    def __init__(self, served: Served) -> None:
        self._served = served
        self._services = served.services
        self._deeds = Deeds(served.services)
        self._origin = posted.origin_of(served.base_url)
        self._base = posted.path_of(served.base_url)

    async def show(self, request: Request, token: str) -> Response:
        query = _before_its_site(request)
        try:
            found = await self._found(request, token, query)
            return found if isinstance(found, Response) else await self._page(request, found, token)
        except StoreError:
            return _not_now(query)

    async def act(self, request: Request, token: str, deed: str) -> Response:
        """Do what a form asks for, and send the browser back to the page, which tells what came of it."""
        query = _before_its_site(request)
        try:
            found = await self._found(request, token, query)
            return found if isinstance(found, Response) else await self._sent(request, found, token, deed)
        except StoreError:
            return _not_now(query)

    async def _sent(self, request: Request, callback: Callback, token: str, deed: str) -> Response:
        query = self._asked(request.query_params, callback)
        if not posted.is_ours(request.headers, self._origin):
            return trouble(Trouble.FOREIGN_FORM, query.texts, HTTPStatus.FORBIDDEN)
        if (given := await posted.fields(request)) is None:
            return trouble(Trouble.FOREIGN_FORM, query.texts, HTTPStatus.BAD_REQUEST)
        query = self._asked(given, callback)
        form = self._services.links.read_form(given.get("form", ""))
        if form is None or form.callback != callback.id:
            return self._home(token, query, Notice.TOO_OLD)
        if deed == "move" and not self._served.moves.admits(callback.id):
            return trouble(Trouble.TOO_OFTEN, query.texts, HTTPStatus.TOO_MANY_REQUESTS, _RETRY_AFTER)
        notice = await self._deeds.do(deed, callback, form, given)
        return await self.lost(request) if notice is None else self._home(token, query, notice)

    async def home(self, token: str, deed: str) -> Response:
        """From the address of a form, opened as if it were a page, to the page."""
        del deed
        return RedirectResponse(f"{self._base}/c/{token}", HTTPStatus.SEE_OTHER, headers=HEADERS)

    async def lost(self, request: Request) -> Response:
        query = _before_its_site(request)
        asker = network(request.client.host if request.client else "")
        if not self._served.throttle.admits(asker):
            return _too_often(query)
        self._served.throttle.charge(asker, GUESSING)
        return _no_link(query)

    async def _found(self, request: Request, token: str, query: Query) -> Callback | Response:
        """The callback of a link that is good; else the answer: one for all that are not, whatever the reason."""
        asker = network(request.client.host if request.client else "")
        if not self._served.throttle.admits(asker):
            return _too_often(query)
        link = self._services.links.read(token)
        callback = await self._services.store.get(link.callback) if link else None
        now = self._services.clock.now()
        known = callback is not None and callback.site in self._services.directory.sites
        if link and callback and known and self._services.links.is_good(link, callback, now):
            return callback
        self._served.throttle.charge(asker, GUESSING)
        return _no_link(query)

    def _asked(self, given: Mapping[str, str], callback: Callback) -> Query:
        return Query.of(given, self._served.languages.get(callback.site, ENGLISH.code))

    async def _page(self, request: Request, callback: Callback, token: str) -> Response:
        query = self._asked(request.query_params, callback)
        directory, now = self._services.directory, self._services.clock.now()
        objected = await self._services.store.objected(callback.visitor.phone)
        site = directory.sites[callback.site]
        seen = view(callback, now, objected=objected)
        department = directory.departments.get(callback.department)
        offered = None
        if seen.may_move and department is not None:
            free = await Allowance(self._services.store, directory, now).free_from(department)
            offered = offers.offer(directory, department, callback.visitor.phone, query.day, now, free)
        notice = query.notice if query.notice and fits(query.notice, callback, objected=objected) else None
        shown = Shown(
            path=f"{self._base}/c/{token}",
            site=site.name,
            view=seen,
            at=seen.at.astimezone(site.zone) if seen.at else None,
            offer=offered,
            first=query.day,
            choosing=query.has_day or notice in _CHOOSING,
            form=self._services.links.form(callback),
            notice=notice,
        )
        return page(shown, query.texts)

    def _home(self, token: str, query: Query, notice: Notice) -> Response:
        url = address(f"{self._base}/c/{token}", lang=query.texts.code, done=notice)
        return RedirectResponse(url, HTTPStatus.SEE_OTHER, headers=HEADERS)


def _before_its_site(request: Request) -> Query:
    """What an address says, of a callback that is not known yet, or never will be."""
    header = ",".join(request.headers.getlist("accept-language"))
    return Query.of(request.query_params, preferred(header, tuple(LANGUAGES)))


def _no_link(query: Query) -> Response:
    return trouble(Trouble.NO_LINK, query.texts, HTTPStatus.NOT_FOUND, _AS_ASKED)


def _too_often(query: Query) -> Response:
    return trouble(Trouble.TOO_OFTEN, query.texts, HTTPStatus.TOO_MANY_REQUESTS, {**_RETRY_AFTER, **_AS_ASKED})


def _not_now(query: Query) -> Response:
    return trouble(Trouble.NOT_NOW, query.texts, HTTPStatus.SERVICE_UNAVAILABLE, {**_RETRY_AFTER, **_AS_ASKED})
