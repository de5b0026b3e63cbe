"""The outbox's tables, and the triggers by which the database itself fills it in the transaction of the change.

The triggers are SQLite's. PostgreSQL will need the same two as `FOR EACH ROW EXECUTE FUNCTION`.
"""

from typing import Any

from sqlalchemy import DDL, BigInteger, Column, ColumnElement, Index, Integer, Table, Text, event, text

from dialer.notify.outbox import BY_A_PERSON, DeliveryState
from dialer.store.columns import Instant
from dialer.store.tables import metadata, word

subscriber = Table(
    "subscriber",
    metadata,
    Column("name", Text, primary_key=True),
    Column("site", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("since", Instant, nullable=False),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("subscriber", Text, nullable=False),
    # Not a foreign key: what was told outlives what it told of.
    Column("callback_id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("previous", Text),
    Column("reason", Text, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("wanted_at", Instant),
    Column("wanted_until", Instant),
    Column("expires_at", Instant),
    Column("attempts", Integer, nullable=False),
    Column("customer_attempts", Integer, nullable=False),
    Column("attempt_id", Text),
    Column("outcome", Text),
    Column("site", Text, nullable=False),
    Column("department", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("external_id", Text),
    Column("requested_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    Column("state", Text, nullable=False, server_default=text("'waiting'")),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("since", Instant, nullable=False),
    Column("try_at", Instant, nullable=False),
    Column("why", Text, nullable=False, server_default=text("''")),
    Column("settled_at", Instant),
)

WAITS = outbox.c.state == word(DeliveryState.WAITING)
UNDELIVERED = outbox.c.state != word(DeliveryState.DELIVERED)
SETTLED = outbox.c.settled_at.is_not(None)


def _partial(name: str, *columns: Column[Any], where: ColumnElement[bool], unique: bool = False) -> None:
    """An index of what is wanted only: of a year's changes nearly all are settled, and those cost nothing here."""
    Index(name, *columns, unique=unique, sqlite_where=where, postgresql_where=where)


_partial("ix_outbox_ready", outbox.c.subscriber, outbox.c.try_at, outbox.c.id, where=WAITS)
_partial("uq_outbox_line", outbox.c.subscriber, outbox.c.callback_id, outbox.c.version, where=WAITS, unique=True)
_partial("ix_outbox_undelivered", outbox.c.id, where=UNDELIVERED)
_partial("ix_outbox_settled", outbox.c.settled_at, where=SETTLED)

_SAME = (
    *("version", "status", "due_at", "wanted_at", "wanted_until", "expires_at", "attempts", "customer_attempts"),
    *("attempt_id", "site", "department", "source", "external_id", "requested_at"),
)
_CHANGED = {
    "subscriber": "s.name",
    "callback_id": "NEW.id",
    "reason": f"CASE WHEN NEW.reason GLOB '*[^a-z0-9_]*' THEN '{BY_A_PERSON}' ELSE NEW.reason END",
    "outcome": "(SELECT a.outcome FROM attempt AS a WHERE a.id = NEW.attempt_id)",
    "at": "NEW.updated_at",
    "since": "NEW.updated_at",
    "try_at": "NEW.updated_at",
    **{name: f"NEW.{name}" for name in _SAME},
}


def _trigger(name: str, moment: str, condition: str, previous: str) -> str:
    values = {**_CHANGED, "previous": previous}
    return (  # nothing in it is from outside
        f"CREATE TRIGGER {name} AFTER {moment} ON callback "  # noqa: S608  # as just said
        f"WHEN {condition}EXISTS (SELECT 1 FROM subscriber) BEGIN "
        f"INSERT INTO outbox ({', '.join(values)}) SELECT {', '.join(values.values())} FROM subscriber AS s "
        "WHERE s.site IN ('', NEW.site) AND s.source IN ('', NEW.source); END"
    )


for _each in (
    _trigger("outbox_accepted", "INSERT", "", "NULL"),
    _trigger("outbox_changed", "UPDATE OF version", "NEW.version <> OLD.version AND ", "OLD.status"),
):
    event.listen(metadata, "after_create", DDL(_each))  # type: ignore[no-untyped-call]  # the library's
