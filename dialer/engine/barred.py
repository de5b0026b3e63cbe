"""Attempts that the PBX refuses from now on, and what of them still comes late."""

from collections.abc import Iterable

import structlog

from dialer.domain.errors import PbxError
from dialer.domain.ids import AttemptId
from dialer.engine.ports import Pbx

log = structlog.get_logger()

_MOST = 1000


class Barred:
    """The latest thousand: a late Originate comes within minutes or not at all."""

    def __init__(self) -> None:
        self._pbx_of: dict[AttemptId, Pbx] = {}

    def add(self, pbx: Pbx, attempts: Iterable[AttemptId]) -> None:
        """Remember attempts that this PBX refuses."""
        self._pbx_of |= dict.fromkeys(attempts, pbx)
        for oldest in list(self._pbx_of)[:-_MOST]:
            del self._pbx_of[oldest]

    async def turn_away(self, attempt: AttemptId) -> None:
        """An agent's phone rings: when it is for one of these, spare the agent an answer that the dialplan refuses."""
        pbx = self._pbx_of.pop(attempt, None)
        if pbx is None:
            return
        log.info("attempt.came_late", attempt=attempt, pbx=pbx.name, note="it had been revoked; the agent is let go")
        try:
            await pbx.hang_up(attempt)
        except PbxError as error:
            log.warning("attempt.not_ended", attempt=attempt, why=error.what)
