"""How values of the domain are kept in columns that every database has."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, Dialect, Text
from sqlalchemy.types import TypeDecorator

from dialer.domain.attempt import Step
from dialer.domain.callback import Consent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_micros(at: datetime) -> int:
    """Microseconds since 1970 UTC, exact; `ValueError` for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("an instant must carry its time zone")
    return (at - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The UTC instant of so many microseconds since 1970, exact."""
    return _EPOCH + timedelta(microseconds=micros)


class Instant(TypeDecorator[datetime]):
    """An aware datetime, kept as BIGINT: UTC microseconds. Sorts, compares and travels the same in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002  # SQLAlchemy's signature
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # as above
        return None if value is None else from_micros(value)


class Timeline(TypeDecorator[Sequence[Step]]):
    """An attempt's steps as one JSON text, `[[name, microseconds, detail], …]`: a call costs one row, not ten."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[Step] | None, dialect: Dialect) -> str:  # noqa: ARG002  # as above
        return _dumps([(step.name, to_micros(step.at), step.detail) for step in value or ()])

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[Step, ...]:  # noqa: ARG002  # as above
        return tuple(Step(name, from_micros(at), detail) for name, at, detail in json.loads(value or "[]"))


class ConsentText(TypeDecorator[Consent]):
    """The evidence of consent as one JSON object with `wording`, `given_at` (microseconds) and `page`."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Consent | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # as above
        if value is None:
            return None
        return _dumps({"wording": value.wording, "given_at": to_micros(value.given_at), "page": value.page})

    def process_result_value(self, value: str | None, dialect: Dialect) -> Consent | None:  # noqa: ARG002  # as above
        if value is None:
            return None
        kept = json.loads(value)
        return Consent(kept["wording"], from_micros(kept["given_at"]), kept["page"])


class Day(TypeDecorator[date]):
    """A date as ISO text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: date | None, dialect: Dialect) -> str | None:  # noqa: ARG002  # as above
        return None if value is None else value.isoformat()

    def process_result_value(self, value: str | None, dialect: Dialect) -> date | None:  # noqa: ARG002  # as above
        return None if value is None else date.fromisoformat(value)


class Ids(TypeDecorator[Sequence[str]]):
    """Ids of the configuration, which hold no spaces, joined by spaces."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> str:  # noqa: ARG002  # as above
        return " ".join(value or ())

    def process_result_value(self, value: str | None, dialect: Dialect) -> tuple[str, ...]:  # noqa: ARG002  # as above
        return tuple((value or "").split())


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
