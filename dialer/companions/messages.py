"""Messages to visitors: what changes have to tell them, planned and sent."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from random import Random

from dialer.companions.clients import client_for
from dialer.companions.host import Host
from dialer.domain.callback import Callback
from dialer.domain.directory import Directory
from dialer.engine.ports import Alerting, AlertKind
from dialer.notify.carrier import World
from dialer.notify.gateway import Gateway, Texter
from dialer.notify.letter import Sender
from dialer.notify.messages import Channel
from dialer.notify.messenger import Messenger
from dialer.notify.outbox import Subscriber
from dialer.notify.planner import Manner
from dialer.notify.pump import Subscription
from dialer.notify.smtp import Mailer, MailServer
from dialer.notify.templates import Templates
from dialer.notify.ways import ByMail, ByText, Sources, Voice, Way
from dialer.notify.wording import Language
from dialer.settings import Settings, SiteSettings
from dialer.settings.outward import MailSettings, SmsSettings
from dialer.store.messages import MessageStore

SUBSCRIBER = "messages"
"""The messenger's name in the outbox."""

_LAST = 10.0
"""Seconds that what is being sent may take to come to its end when the daemon stops."""


@asynccontextmanager
async def messages(host: Host) -> AsyncIterator[Sequence[Subscription]]:
    """The messenger, where a way to visitors is configured. Raises `ConfigurationError` for a secret, a CA file or a
    template that cannot be used."""
    async with AsyncExitStack() as clients:
        ways = await _ways(host, clients)
        if not ways:
            yield ()
            return
        voices = voices_of(host.settings, host.directory)
        store = MessageStore(host.store)
        await store.forget_sending()
        # Jitter needs no secrecy.
        world = World(host.store, host.clock, Random(), _Watch(host.alerts))  # noqa: S311  # as just said
        messenger = Messenger(store, voices, ways, world)
        with host.poked.heard_by(messenger.wake):
            async with asyncio.TaskGroup() as tasks:
                running = tasks.create_task(messenger.run(), name="messages")
                yield (Subscription(Subscriber(SUBSCRIBER), messenger.deliver),)
                messenger.stop()
                await asyncio.wait((running,), timeout=_LAST)
                running.cancel()


def voices_of(settings: Settings, directory: Directory) -> dict[str, Voice]:
    """How each site writes, by its id; their templates are checked. Raises `ConfigurationError`."""
    ready = {
        channel for channel, given in ((Channel.EMAIL, settings.mail), (Channel.SMS, settings.sms)) if given is not None
    }
    templates: dict[tuple[Language, Path | None], Templates] = {}
    voices = {}
    for id_, given in settings.site.items():
        key = (given.language, settings.resolve(given.templates) if given.templates else None)
        if key not in templates:
            templates[key] = Templates(*key)
            templates[key].check()
        voices[id_] = Voice(
            site=directory.sites[id_],
            manner=Manner(frozenset(given.messages) & ready, given.confirm_after, given.reminder_before),
            templates=templates[key],
            sender=_sender(given),
            sms_from=given.sms_from or "",
        )
    return voices


def _sender(given: SiteSettings) -> Sender | None:
    return None if given.mail_from is None else Sender(given.mail_name or given.name, given.mail_from)


async def _ways(host: Host, clients: AsyncExitStack) -> Mapping[Channel, Way]:
    """Those that are configured."""
    sources = Sources(partial(_caller_id, host.directory), host.clock, host.settings.links(host.clock.now))
    ways: dict[Channel, Way] = {}
    if host.settings.mail is not None:
        ways[Channel.EMAIL] = ByMail(Mailer(mail_server(host.settings, host.settings.mail)), sources)
    if host.settings.sms is not None:
        client = await clients.enter_async_context(client_for(host.settings, host.settings.sms.url, host.settings.sms))
        ways[Channel.SMS] = ByText(Texter(_gateway(host.settings, host.settings.sms), client, host.clock), sources)
    return ways


def _caller_id(directory: Directory, callback: Callback) -> str:
    department = directory.departments.get(callback.department)
    return department.caller_id if department is not None else ""


def mail_server(settings: Settings, given: MailSettings) -> MailServer:
    """Where mail goes, with the secret as read now. Raises `ConfigurationError`."""
    secret = settings.mail_secret()
    return MailServer(
        host=given.host,
        port=given.port,
        security=given.security,
        hello=given.hello or socket.gethostname(),
        username=given.username or "",
        secret=secret.get_secret_value() if secret is not None else "",
        ca_file=settings.resolve(given.ca_file) if given.ca_file else None,
        within=given.timeout_seconds,
    )


def _gateway(settings: Settings, given: SmsSettings) -> Gateway:
    token = settings.sms_token()
    headers = {}
    if token is not None:
        headers[given.token_header] = f"{given.token_scheme} {token.get_secret_value()}".strip()
    return Gateway(given.url, given.body, frozenset(given.success), headers, given.timeout_seconds)


class _Watch:
    """How the ways do, as alerts."""

    def __init__(self, alerts: Alerting) -> None:
        self._alerts = alerts

    def stuck(self, channel: Channel, why: str) -> None:
        what = f"no message goes out by {channel}: {why}"
        remedy = f"correct [{'mail' if channel is Channel.EMAIL else 'sms'}]; what waits: dialer messages list"
        self._alerts.raised(AlertKind.MESSAGES_STUCK, channel.value, what, remedy)

    def well(self, channel: Channel) -> None:
        self._alerts.cleared(AlertKind.MESSAGES_STUCK, channel.value)
