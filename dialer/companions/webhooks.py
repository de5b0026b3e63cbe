"""Webhooks as subscribers."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from dialer.companions.clients import client_for
from dialer.companions.host import Host
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
            client = await clients.enter_async_context(client_for(settings, given.url, given))
            webhook = Webhook(given.url, secrets, client, host.clock)
            subscriptions.append(Subscription(Subscriber(f"webhook:{id_}", given.site or ""), webhook))
        yield subscriptions
