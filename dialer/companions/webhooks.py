"""Webhooks as subscribers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

from dialer.companions.host import Host
from dialer.http.addresses import Address, Network
from dialer.http.client import HttpClient
from dialer.http.network import TargetRefused, resolve
from dialer.notify.outbox import Subscriber
from dialer.notify.pump import Subscription
from dialer.notify.webhooks import Webhook


@asynccontextmanager
async def webhooks(host: Host) -> AsyncIterator[Sequence[Subscription]]:
    """Those that are configured, each with a client of its own. Raises `ConfigurationError` for a secret or a CA file
    that cannot be used."""
    settings = host.settings
    async with AsyncExitStack() as clients:
        subscriptions = []
        for id_, given in settings.webhook.items():
            secrets = [secret.get_secret_value() for secret in settings.webhook_secrets(id_)]
            plain = urlsplit(given.url).scheme == "http"
            client = HttpClient(
                allow_private=given.allow_private,
                ca_file=settings.resolve(given.ca_file) if given.ca_file else None,
                resolve=partial(private_only, given.allow_private) if plain else resolve,
            )
            await clients.enter_async_context(client)
            webhook = Webhook(given.url, secrets, client, host.clock)
            subscriptions.append(Subscription(Subscriber(f"webhook:{id_}", given.site or ""), webhook))
        yield subscriptions


async def private_only(networks: Sequence[Network], host: str) -> Sequence[Address]:
    """Without TLS nothing is told to anybody but those in the networks that are allowed for it."""
    found = [each for each in await resolve(host) if any(each in network for network in networks)]
    if not found:
        what = "without https only addresses in allow_private are told"
        raise TargetRefused(what, remedy="give an https address, or allow its network")
    return found
