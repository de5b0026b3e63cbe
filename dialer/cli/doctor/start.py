"""What the daemon reads at its start beside its configuration, read by the same code, so that it is told before."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from dialer.cli.doctor.findings import Finding, bad, good
from dialer.companions.messages import voices_of
from dialer.domain.errors import ConfigurationError
from dialer.http.trust import trusting
from dialer.settings import Settings
from dialer.web.certificate import check_certificate


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing to read: whose it is (`webhook crm`), what it is, and how; which raises `ConfigurationError`."""

    place: str
    what: str
    read: Callable[[], object]


def faults(settings: Settings) -> Iterator[tuple[Reading, ConfigurationError]]:
    """What cannot be read or used, and what the daemon would say of it; `MayNotRead` where only this process fails."""
    for reading in _readings(settings):
        try:
            reading.read()
        except ConfigurationError as error:
            yield reading, error


def examine(settings: Settings) -> Iterator[Finding]:
    """The same as findings."""
    sound = True
    for reading, error in faults(settings):
        sound = False
        # The place says which table it is; a file that the table names is told.
        told = error.what if error.where.startswith(str(settings.file)) else f"{error.where}: {error.what}"
        yield bad(reading.place, reading.what, told, error.remedy)
    if sound:
        yield good("host", "start", "secrets, authorities, certificates and templates can be used")


def _readings(settings: Settings) -> Iterator[Reading]:
    for id_ in settings.pbx:
        yield Reading(f"PBX {id_}", "secret", partial(settings.secret, id_))
    for id_ in settings.webhook:
        yield Reading(f"webhook {id_}", "secrets", partial(settings.webhook_secrets, id_))
    for id_ in settings.feed:
        yield Reading(f"feed {id_}", "token", partial(settings.feed_token, id_))
    yield Reading("page", "secrets", partial(settings.links, partial(datetime.now, UTC)))
    yield Reading("mail", "secret", settings.mail_secret)
    yield Reading("sms", "token", settings.sms_token)
    for place, file in _authorities(settings):
        yield Reading(place, "authority", partial(trusting, settings.resolve(file)))
    yield Reading("site", "templates", partial(voices_of, settings, settings.directory()))
    if settings.api is not None and settings.api.tls_certificate and settings.api.tls_key:
        files = settings.resolve(settings.api.tls_certificate), settings.resolve(settings.api.tls_key)
        yield Reading("API", "certificate", partial(check_certificate, *files))


def _authorities(settings: Settings) -> Iterator[tuple[str, Path]]:
    """The CA files, and whose they are."""
    given = (
        *((f"PBX {id_}", pbx.tls) for id_, pbx in settings.pbx.items()),
        *((f"webhook {id_}", webhook) for id_, webhook in settings.webhook.items()),
        *((f"feed {id_}", feed) for id_, feed in settings.feed.items()),
        ("mail", settings.mail),
        ("sms", settings.sms),
    )
    for place, section in given:
        if section is not None and section.ca_file is not None:
            yield place, section.ca_file
