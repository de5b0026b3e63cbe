"""The checks of those whom the daemon speaks to besides PBXs: each is reached as the daemon reaches it, and nothing is
asked of it. What cannot be read for that has been told where it was read (`start`)."""

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from dialer.cli.doctor.findings import Finding, bad, good
from dialer.companions.clients import Reach, client_for
from dialer.companions.messages import mail_server
from dialer.domain.errors import ConfigurationError
from dialer.http.client import TargetRefused, Unreachable
from dialer.notify.sending import NotSent, Security
from dialer.notify.smtp import Mailer
from dialer.settings import Settings
from dialer.settings.outward import MailSettings

_WITHIN = 10.0
"""Seconds until a web server must have been reached."""

_HOW = {
    Security.STARTTLS: "by STARTTLS, certificate trusted",
    Security.TLS: "by TLS, certificate trusted",
    Security.NONE: "unencrypted",
}


def examine(settings: Settings) -> Iterator[Finding]:
    """Whether the mail server takes our login, and whether the web servers can be connected to."""
    with asyncio.Runner() as runner:
        if settings.mail is not None:
            yield from runner.run(_mail(settings, settings.mail))
        for place, check, url, reach in _addresses(settings):
            yield from runner.run(_web(settings, place, check, url, reach))


async def _mail(settings: Settings, given: MailSettings) -> list[Finding]:
    where = f"{given.host}:{given.port}"
    try:
        await Mailer(mail_server(settings, given)).log_in()
    except ConfigurationError:
        return []
    except NotSent as failure:
        return [bad("mail", "server", f"{where}: {failure.what}", failure.remedy)]
    login = f"logged in as {given.username}" if given.username else "without a login"
    return [good("mail", "server", f"{where}: {_HOW[given.security]}, {login}; no message was begun")]


def _addresses(settings: Settings) -> Iterator[tuple[str, str, str, Reach]]:
    """Place, check, address, and what goes for it."""
    if settings.sms is not None:
        yield "sms", "server", settings.sms.url, settings.sms
    for id_, webhook in settings.webhook.items():
        yield f"webhook {id_}", "server", webhook.url, webhook
    for id_, feed in settings.feed.items():
        yield f"feed {id_}", "server", feed.url, feed
        if feed.outcomes_url is not None:
            yield f"feed {id_}", "outcomes", feed.outcomes_url, feed


async def _web(settings: Settings, place: str, check: str, url: str, reach: Reach) -> list[Finding]:
    to = urlsplit(url)
    # No more of the address: its path may be a secret.
    where = to.netloc
    try:
        async with client_for(settings, url, reach) as client:
            await client.reach(url, within=_WITHIN)
    except ConfigurationError:
        return []
    except (Unreachable, TargetRefused) as error:
        remedy = error.remedy or "correct the address, or see to DNS, the firewall and the server"
        return [bad(place, check, f"{where}: {error.what}", remedy)]
    how = "by TLS, certificate trusted" if to.scheme == "https" else "unencrypted, as allow_private has it"
    return [good(place, check, f"{where}: {how}; nothing was asked of it")]
