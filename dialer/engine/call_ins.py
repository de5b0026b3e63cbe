"""Customers who got through to us by themselves: departments that go by that need not call them back."""

from collections.abc import Callable

import structlog

from dialer.domain.directory import Directory
from dialer.domain.errors import RequestRefused, StoreError
from dialer.engine.ports import EngineStore
from dialer.routing.dialling import presented

log = structlog.get_logger()


class CallIns:
    """Notes answered calls that came in by a trunk; `poke` is called when that changed what is to be dialled."""

    def __init__(self, directory: Directory, store: EngineStore, poke: Callable[[], None]) -> None:
        self._directory = directory
        self._store = store
        self._poke = poke

    async def note(self, pbx: str, trunk: str, number: str) -> None:
        """A call from `number`, as the trunk wrote it, was answered. A number that is none is no customer's."""
        departments = [
            each.id for each in self._directory.departments.values() if each.called_in and trunk in each.trunks
        ]
        try:
            caller = presented(number, self._directory.trunks[trunk])
            found = await self._store.customer_called_in(caller, departments)
        except RequestRefused:
            return
        except StoreError as error:
            log.warning("callback.call_in_not_noted", pbx=pbx, why=error.what, remedy=error.remedy)
            return
        for callback in found:
            log.info("callback.called_in", callback=callback.id, department=callback.department, pbx=pbx)
        if found:
            self._poke()
