"""What is paused, and who paused it. Made as `operations` says."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, exists, insert, literal, select, update

from dialer.domain.stop import Stop
from dialer.store.operations import Alone
from dialer.store.tables import pause
from dialer.store.views import Pause

IN_FORCE = pause.c.resumed_at.is_(None)


@dataclass(frozen=True, slots=True)
class Hold(Alone[Pause]):
    """Pause something; the result is the pause in force, an earlier one if there is one."""

    stop: Stop
    who: str
    why: str = field(repr=False)

    def change(self, connection: Connection, now: datetime) -> Pause:
        c, held = pause.c, _held(self.stop)
        values = {
            "scope": self.stop.scope.value,
            "key": self.stop.key,
            "who": self.who,
            "why": self.why,
            "since": now,
        }
        new = select(*(literal(value, c[name].type) for name, value in values.items()))
        connection.execute(insert(pause).from_select(list(values), new.where(~exists().where(*held))))
        return Pause(self.stop, *connection.execute(select(c.who, c.why, c.since).where(*held)).one())


@dataclass(frozen=True, slots=True)
class Release(Alone[bool]):
    """Lift a pause; False when there was none."""

    stop: Stop
    who: str

    def change(self, connection: Connection, now: datetime) -> bool:
        lift = update(pause).where(*_held(self.stop)).values(resumed_by=self.who, resumed_at=now)
        return connection.execute(lift).rowcount > 0


def _held(stop: Stop) -> tuple[ColumnElement[bool], ...]:
    return pause.c.scope == stop.scope.value, pause.c.key == stop.key, IN_FORCE
