"""Quiet hours: when the person called may be rung, by the clocks of every place where they may be."""

from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dialer.domain import phone
from dialer.domain.directory import Interval, OpeningHours, Site

_DAYS_A_WEEK = 7


def called_windows(site: Site, number: str | None) -> tuple[OpeningHours, ...]:
    """The windows that must all be open to ring `number` (E.164): one per zone in which it may ring, each open at the
    site's `call_between` every day; the site's own zone where none is known, or nobody knows the number yet (None)."""
    zones = _zones(number) if number is not None else ()
    return tuple(_window(zone, site.call_between) for zone in zones or (site.zone,))


@lru_cache(1024)
def _zones(number: str) -> tuple[ZoneInfo, ...]:
    """Remembered for the few numbers that are being decided on, because reading one takes longer than all the rest."""
    return tuple(zone for name in phone.zones(number) if (zone := _zone(name)) is not None)


def _zone(name: str) -> ZoneInfo | None:
    """None where this host's time zones are older than the facts about numbers."""
    try:
        return ZoneInfo(name)
    except ZoneInfoNotFoundError:
        return None


@lru_cache(1024)
def _window(zone: ZoneInfo, between: Interval) -> OpeningHours:
    """The same object for the same hours: what is worked out of it is remembered by its identity."""
    return OpeningHours(zone, ((between,),) * _DAYS_A_WEEK)
