"""One site's callbacks, calls and objections: what a key of that site may see and change, and nothing of any other."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import CTE, Connection, Select, func, select, update

from dialer.domain.attempt import Attempt
from dialer.domain.ids import CallbackId
from dialer.intake.listing import Known, Some, Wanted, WantedCalls
from dialer.store import queries
from dialer.store.key_tables import other_name
from dialer.store.objections import IN_FORCE
from dialer.store.operations import Alone
from dialer.store.reading import AnyRow
from dialer.store.rows import to_attempt, to_callback
from dialer.store.store import SqlStore
from dialer.store.tables import attempt, callback, do_not_call
from dialer.store.views import CallbackFilter, CallFilter, Objection


class SiteViews:
    """Implements the web's `SiteStore`. Every method raises `StoreError`; those with a cursor `IllegalState`, when it
    was never handed out."""

    def __init__(self, store: SqlStore) -> None:
        self._store = store

    async def callback(self, site: str, id_: CallbackId) -> Known | None:
        """One callback of the site's."""
        rows = await self._store.read(_of_site(queries.callback_by_id(id_), site))
        return _known(rows[0]) if rows else None

    async def callbacks(self, site: str, which: Wanted, limit: int, cursor: str | None) -> Some[Known]:
        """The site's callbacks by due time, earliest first; `limit` is at least 1."""
        rows = await self._store.read(callbacks_of(site, which, limit, cursor))
        if not rows and which.external_id is not None:
            rows = await self._store.read(callbacks_named_too(site, which, limit, cursor))
        items = tuple(_known(row) for row in rows[:limit])
        return Some(items, _cursor(rows, limit, "due_at"))

    async def attempts(self, id_: CallbackId) -> list[Attempt]:
        """A callback's attempts, first to last."""
        return await self._store.attempts(id_)

    async def calls(self, site: str, which: WantedCalls, limit: int, cursor: str | None) -> Some[Attempt]:
        """The call log of the site's callbacks, newest end first; `limit` is at least 1."""
        found: list[AnyRow] = []
        # Each by the index of its department: of all departments together there is none.
        for (department,) in await self._store.read(departments_of(site)):
            if which.department in {None, department}:
                found += await self._store.read(calls_of(site, department, which, limit, cursor))
        rows = sorted(found, key=lambda row: (row.ended_at, row.id), reverse=True)
        return Some(tuple(to_attempt(row) for row in rows[:limit]), _cursor(rows, limit, "ended_at"))

    async def objections(self, who: str, limit: int, cursor: str | None) -> Some[Objection]:
        """What `who` put on the do-not-call list, first to last; `limit` is at least 1."""
        rows = await self._store.read(objections_of(who, limit, cursor))
        return Some(tuple(Objection(*row[:-1]) for row in rows[:limit]), _cursor(rows, limit, "since"))

    async def withdraw(self, number: str, who: str) -> bool:
        """Take a number (E.164) off the list that `who` put there; False when they had not."""
        return await self._store.write(_Withdraw(number, who))


@dataclass(frozen=True, slots=True)
class _Withdraw(Alone[bool]):
    number: str = field(repr=False)
    who: str

    def change(self, connection: Connection, now: datetime) -> bool:
        listed = update(do_not_call).where(do_not_call.c.number == self.number, do_not_call.c.who == self.who, IN_FORCE)
        return connection.execute(listed.values(allowed_by=self.who, allowed_at=now)).rowcount > 0


def callbacks_of(site: str, which: Wanted, limit: int, cursor: str | None) -> Select[Any]:
    """A page of a site's callbacks by due time, one row longer than `limit` when there is more."""
    found = _page(site, which, limit, cursor)
    if which.external_id is None:
        return found
    return found.where(callback.c.source == which.source, callback.c.external_id == which.external_id)


def callbacks_named_too(site: str, which: Wanted, limit: int, cursor: str | None) -> Select[Any]:
    """The same of the callback that answered another request, which had this external id."""
    c = other_name.c
    named = select(c.callback_id).where(c.source == which.source, c.external_id == which.external_id)
    return _page(site, which, limit, cursor).where(callback.c.id == named.scalar_subquery())


def departments_of(site: str) -> Select[Any]:
    """The departments that the site's callbacks ever had, whether or not the configuration still has them: by as many
    steps through an index, however many callbacks there are."""
    c = callback.c
    first = select(func.min(c.department).label("id")).where(c.site == site)
    found: CTE = first.cte("found", recursive=True)
    after = select(func.min(c.department)).where(c.site == site, c.department > found.c.id).scalar_subquery()
    found = found.union_all(select(after).where(found.c.id.is_not(None)))
    return select(found.c.id).where(found.c.id.is_not(None))


def calls_of(site: str, department: str, which: WantedCalls, limit: int, cursor: str | None) -> Select[Any]:
    """A page of a department's ended attempts whose callbacks were the site's."""
    wanted = CallFilter(which.outcomes, department, which.since, which.before)
    found = queries.calls(wanted, limit, cursor)
    return found.join(callback, callback.c.id == attempt.c.callback_id).where(callback.c.site == site)


def objections_of(who: str, limit: int, cursor: str | None) -> Select[Any]:
    """A page of what `who` put on the do-not-call list."""
    return queries.objections_after(limit, cursor).where(do_not_call.c.who == who)


def _page(site: str, which: Wanted, limit: int, cursor: str | None) -> Select[Any]:
    wanted = CallbackFilter(which.statuses, which.department, which.due_from, which.due_before)
    return _of_site(queries.callbacks(wanted, limit, cursor), site)


def _of_site(query: Select[Any], site: str) -> Select[Any]:
    return query.where(callback.c.site == site).add_columns(callback.c.external_id)


def _known(row: AnyRow) -> Known:
    return Known(to_callback(row[:-1]), row[-1])


def _cursor(rows: Sequence[AnyRow], limit: int, sorted_by: str) -> str | None:
    """There are more rows than `limit` when there is more to come."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    return queries.cursor_after(getattr(last, sorted_by), last.id)
