"""The widget's events in the store: each once a day. Made as `operations` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from sqlalchemy import Connection, bindparam, exists, insert, select

from dialer.domain.widget import WidgetEvent
from dialer.store.event_tables import event
from dialer.store.operations import Operation
from dialer.store.store import SqlStore

_NAMES = ("site", "kind", "session", "page", "at")
_NEW = {name: bindparam(f"b_{name}", type_=event.c[name].type) for name in _NAMES}
_KNOWN = (
    *(event.c[name] == _NEW[name] for name in ("site", "session", "kind")),
    event.c.at >= bindparam("b_since", type_=event.c.at.type),
)
_NOTE = insert(event).from_select(
    [*_NAMES, "first"],
    select(*_NEW.values(), ~exists().where(*_KNOWN)).where(~exists().where(*_KNOWN, event.c.page == _NEW["page"])),
)


@dataclass(frozen=True, slots=True)
class Tell(Operation[None]):
    """Keep events, unless the same session told the same of the same page since `since`, the beginning of the site's
    day."""

    events: tuple[WidgetEvent, ...]
    since: datetime

    quiet: ClassVar[bool] = True

    @classmethod
    def write(cls, connection: Connection, group: Sequence[Self], now: datetime) -> Sequence[None]:
        rows = [
            {
                "b_site": new.site,
                "b_kind": new.kind.value,
                "b_session": new.session,
                "b_page": new.page,
                "b_at": now,
                "b_since": tell.since,
            }
            for tell in group
            for new in tell.events
        ]
        if rows:
            connection.execute(_NOTE, rows)
        return [None] * len(group)


class Events:
    """Takes the widget's events in. Raises `StoreError`: then none was kept."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def tell(self, events: Sequence[WidgetEvent], since: datetime) -> None:
        """Keep events; durable on return. `since` is the beginning of the site's day."""
        await self._store.write(Tell(tuple(events), since))
