"""Who asks, and whether they may: keys, scopes and origins."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.security.utils import get_authorization_scheme_param

from dialer.intake.keys import KeyHolder, Scope
from dialer.web.doorkeeper import BY_KEY, Doorkeeper
from dialer.web.problems import Problem
from dialer.web.services import Services


def holder(
    scope: Scope | str, door: Callable[[Services], Doorkeeper] = lambda services: services.doorkeeper
) -> Callable[[Request], Coroutine[Any, Any, KeyHolder]]:
    """For `Depends(holder("read"))`: the holder of the request's key, who has this scope. `door`: whose count the
    request goes to. Raises `Problem`."""
    wanted = Scope(scope)

    async def found(request: Request) -> KeyHolder:
        services: Services = request.app.state.services
        its = await door(services).holder(_token(request, services), address_of(request))
        if its.site not in services.directory.sites:
            raise Problem(401, "key_unknown", "this key's site is not served any more", headers=BY_KEY)
        if wanted not in its.scopes:
            raise Problem(403, "scope_missing", f"this key lacks the scope {wanted}")
        _check_origin(request, its, services)
        return its

    return found


async def open_to_all(request: Request) -> None:
    """For `Depends(open_to_all)`: no key is needed; counted by address."""
    services: Services = request.app.state.services
    services.doorkeeper.keyless(address_of(request))


def address_of(request: Request) -> str:
    """The network address that a request came from, behind trusted proxies ('' where there is none)."""
    return request.client.host if request.client else ""


def _token(request: Request, services: Services) -> str:
    given = request.headers.getlist("authorization")
    scheme, token = get_authorization_scheme_param(given[0] if len(given) == 1 else None)
    if scheme.lower() != "bearer" or not token:
        services.doorkeeper.keyless(address_of(request))
        raise Problem(401, "key_missing", "send a key: Authorization: Bearer mi_…", headers=BY_KEY)
    return token


def _check_origin(request: Request, its: KeyHolder, services: Services) -> None:
    """Scripts of a page may use their own site's key, and only one that may be published."""
    origin = request.headers.get("origin")
    if origin is None:
        return
    if origin not in services.origins.get(its.site, ()):
        raise Problem(403, "origin_foreign", "this origin is none of the site's")
    if not its.publishable:
        raise Problem(403, "key_secret", "a key that may do more than submit does not belong in a page: revoke it")
