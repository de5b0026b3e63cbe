"""From a decision to its durable intent, and from that to the attempt's one Originate."""

from datetime import datetime, timedelta

from dialer.domain.attempt import Attempt, Step
from dialer.domain.directory import Directory
from dialer.domain.ids import AttemptId
from dialer.engine.choices import Place
from dialer.engine.ports import Order, Pbx
from dialer.routing import context
from dialer.routing.dialling import dialled

_PLACE_MARGIN = timedelta(seconds=60)
"""How long after the agent's ring time a late Originate may still be answered: covers a slow store and what the PBX's
clock was set by since it was last asked, and bounds how long a twin could come."""


def intent(id_: AttemptId, placed: Place, pbx: Pbx, now: datetime) -> Attempt:
    """A new attempt, made at `now` (UTC) under the PBX's present start and database. It is the PBX that refuses what
    comes after `place_by`, and its clock may not be ours."""
    callback, way = placed.callback, placed.way
    return Attempt(
        id=id_,
        callback_id=callback.id,
        number=callback.attempts + 1,
        department=way.department.id,
        pbx=pbx.name,
        pbx_boot=pbx.boot,
        pbx_identity=pbx.identity,
        agent=way.agent.id,
        trunk=way.trunk.id,
        caller_id=way.department.caller_id,
        dialled=callback.visitor.phone,
        due_at=callback.due_at,
        ready_at=placed.ready_at,
        created_at=now,
        place_by=pbx.clock + timedelta(seconds=way.department.agent_ring) + _PLACE_MARGIN,
        timeline=(Step("intent", now, f"due {callback.due_at.isoformat()}"),),
    )


def order(attempt: Attempt, placed: Place, pbx: Pbx, directory: Directory, now: datetime) -> Order:
    """The attempt's one Originate, at `now` (UTC): a claim may have taken seconds. The PBX goes by its own clock, too,
    for when the customer may be rung."""
    callback, department, trunk = placed.callback, placed.way.department, placed.way.trunk
    left = None if placed.ring_until is None else placed.ring_until - now
    return Order(
        attempt=attempt.id,
        callback=callback.id,
        agent_endpoint=placed.way.agent.endpoint,
        number=dialled(attempt.dialled, trunk),
        trunk_endpoint=trunk.endpoint,
        caller_id=attempt.caller_id,
        caller_name=context.caller_name(department, callback.visitor),
        department=department.id,
        page=context.page(callback.visitor, directory.sites[department.site]),
        agent_ring=department.agent_ring,
        customer_ring=department.customer_ring,
        max_call=department.max_call,
        press_to_accept=department.press_to_accept,
        whisper=department.whisper,
        place_by=attempt.place_by or attempt.created_at,
        identity=attempt.pbx_identity,
        ring_until=None if left is None else pbx.clock + left,
        page_link=context.page_link(directory, callback.id),
    )
