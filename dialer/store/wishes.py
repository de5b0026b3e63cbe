"""How a wish is kept with its callback, honoured by the statement that ends the attempt, and cleared as soon as nothing
can come any more that it could hold for."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Text, case, false, func, literal, literal_column, null, or_

from dialer.domain.callback import Status, Wish, WishKind
from dialer.store.rows import wish_values
from dialer.store.tables import callback, word

MOVED = "moved"
"""The reason of a callback that is due when somebody wished."""

_IN_PROGRESS = callback.c.status == word(Status.IN_PROGRESS)


def _is(*kinds: WishKind) -> ColumnElement[bool]:
    return callback.c.wish_kind.in_([word(kind) for kind in kinds])


IS_MOVE = _is(WishKind.MOVE)
NO_END_WISHED = or_(callback.c.wish_kind.is_(None), ~_is(WishKind.CANCEL, WishKind.OBJECTION))
"""Nobody said that a callback shall end; that a customer called in is only what we make of it."""

NO_WISH: Mapping[str, ColumnElement[Any]] = {**dict.fromkeys(wish_values(None), null()), "wish_late": false()}
"""The wish's columns of a callback of which nothing else is wanted, or can be."""


def wished(wish: Wish, otherwise: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """The columns of a callback that note a wish if an attempt is under way, and else are as `otherwise` says, in one
    statement that need not ask first which it is. That an earlier wish came too late stays: it is the attempt that is
    too far."""
    noted = {name: value for name, value in wish_values(wish).items() if name != "wish_late"}
    return {
        name: case((_IN_PROGRESS, _value(name, noted)), else_=_value(name, otherwise))
        for name in {**noted, **otherwise}
    }


def honoured(step: Mapping[str, ColumnElement[Any]]) -> dict[str, ColumnElement[Any]]:
    """The columns of a callback that would be scheduled again by `step`, or given up because its time ran out, after
    its wish: a move gave it another time."""
    nothing = literal_column("''", Text)
    return {
        "status": case(
            (_is(WishKind.CANCEL, WishKind.CALLED_IN), word(Status.CANCELLED)),
            (_is(WishKind.OBJECTION), word(Status.REJECTED)),
            (IS_MOVE, word(Status.SCHEDULED)),
            else_=step["status"],
        ),
        # A move's, too: it is noted with its wish.
        "reason": func.coalesce(callback.c.wish_reason, step["reason"]),
        "due_at": case((IS_MOVE, callback.c.wish_due_at), else_=step["due_at"]),
        "expires_at": case((IS_MOVE, callback.c.wish_expires_at), else_=step["expires_at"]),
        # By then the trunk may work again, and the agent be gone.
        "prefer_agent": case((IS_MOVE, nothing), else_=step["prefer_agent"]),
        "failed_trunks": case((IS_MOVE, nothing), else_=step["failed_trunks"]),
    }


def _value(name: str, values: Mapping[str, Any]) -> ColumnElement[Any]:
    """The column's new value, or the one that it has."""
    column = callback.c[name]
    value = values.get(name, column)
    return value if isinstance(value, ColumnElement) else literal(value, column.type)
