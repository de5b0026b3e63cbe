"""When the person called may be rung, by the clocks of the places where their number may be."""

from dataclasses import replace
from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from dialer.domain import phone
from dialer.domain.directory import Interval, Site
from dialer.scheduling.hours import next_open_in_all, open_in_all
from dialer.scheduling.quiet import called_windows
from tests.unit.scheduling.samples import LONDON, NEW_YORK

LONDONER = "+442079460001"
NEW_YORKER = "+12125550100"
MOBILE = "+447911123456"  # Guernsey, Jersey, the Isle of Man or Great Britain
TOLL_FREE = "+18005550199"  # from Guam, where the day begins, to Newfoundland, where it ends first
NEW_ZEALANDER = "+6421123456"  # Auckland, or Chatham 45 minutes ahead of it
SATELLITE = "+870773111632"  # nobody knows where

SITE = Site("shop", "Shop", LONDON, "GB")
AMERICAN_SITE = replace(SITE, zone=NEW_YORK, region="US")
LATE_SITE = replace(SITE, call_between=Interval(time(10), time(18)))


@pytest.mark.parametrize(
    ("what", "site", "number", "at", "rings_at"),
    [
        # One zone.
        ("London, a minute too early", SITE, LONDONER, "2026-05-11T07:59+01:00", "2026-05-11T08:00+01:00"),
        ("London, from eight", SITE, LONDONER, "2026-05-11T08:00+01:00", "now"),
        ("London, before nine in the evening", SITE, LONDONER, "2026-05-11T20:59+01:00", "now"),
        ("London, from nine in the evening", SITE, LONDONER, "2026-05-11T21:00+01:00", "2026-05-12T08:00+01:00"),
        ("London, a Sunday is no exception", SITE, LONDONER, "2026-05-10T12:00+01:00", "now"),
        ("the site's own hours, too early", LATE_SITE, LONDONER, "2026-05-11T09:00+01:00", "2026-05-11T10:00+01:00"),
        ("the site's own hours, too late", LATE_SITE, LONDONER, "2026-05-11T18:00+01:00", "2026-05-12T10:00+01:00"),
        # The number's zone, not the site's.
        ("New York, before its eight", SITE, NEW_YORKER, "2026-05-11T12:59+01:00", "2026-05-11T08:00-04:00"),
        ("New York, at its eight", SITE, NEW_YORKER, "2026-05-11T13:00+01:00", "now"),
        ("New York's evening is London's night", SITE, NEW_YORKER, "2026-05-12T01:59+01:00", "now"),
        ("London from an American site", AMERICAN_SITE, LONDONER, "2026-05-11T16:00-04:00", "2026-05-12T08:00+01:00"),
        # Several zones: fine in all of them.
        ("four zones, one clock, too early", SITE, MOBILE, "2026-05-11T07:59+01:00", "2026-05-11T08:00+01:00"),
        ("four zones, one clock", SITE, MOBILE, "2026-05-11T08:00+01:00", "now"),
        ("Chatham goes to rest first", SITE, NEW_ZEALANDER, "2026-05-11T20:14+12:00", "now"),
        ("and Auckland rises last", SITE, NEW_ZEALANDER, "2026-05-11T20:15+12:00", "2026-05-12T08:00+12:00"),
        ("toll-free, midday in New York", SITE, TOLL_FREE, "2026-05-11T16:00+00:00", "2026-05-11T22:00+00:00"),
        ("toll-free, when Guam is up", SITE, TOLL_FREE, "2026-05-11T22:00+00:00", "now"),
        ("toll-free, until Newfoundland rests", SITE, TOLL_FREE, "2026-05-11T23:30+00:00", "2026-05-12T22:00+00:00"),
        ("toll-free in winter, an hour longer", SITE, TOLL_FREE, "2026-01-13T00:29+00:00", "now"),
        ("toll-free in winter, its end", SITE, TOLL_FREE, "2026-01-13T00:30+00:00", "2026-01-13T22:00+00:00"),
        # No zone known: the site's.
        ("unknown, by London's clock", SITE, SATELLITE, "2026-05-11T21:00+01:00", "2026-05-12T08:00+01:00"),
        ("unknown, by New York's clock", AMERICAN_SITE, SATELLITE, "2026-05-11T21:00+01:00", "now"),
        ("not a number at all", SITE, "anonymous", "2026-05-11T21:00+01:00", "2026-05-12T08:00+01:00"),
        # Clock changes.
        ("the night that is an hour shorter", SITE, LONDONER, "2026-03-28T21:00+00:00", "2026-03-29T08:00+01:00"),
        ("eight is seven by yesterday's clock", SITE, LONDONER, "2026-03-29T07:59+01:00", "2026-03-29T08:00+01:00"),
        ("the night that is an hour longer", SITE, LONDONER, "2026-10-24T21:00+01:00", "2026-10-25T08:00+00:00"),
        ("nine is ten by yesterday's clock", SITE, LONDONER, "2026-10-25T20:59+00:00", "now"),
        ("New York, five hours behind", SITE, NEW_YORKER, "2026-03-06T12:59+00:00", "2026-03-06T08:00-05:00"),
        ("only New York's clocks have changed", SITE, NEW_YORKER, "2026-03-09T12:00+00:00", "now"),
        ("London's have, too", SITE, NEW_YORKER, "2026-03-30T12:59+01:00", "2026-03-30T08:00-04:00"),
        ("only London's have gone back", SITE, NEW_YORKER, "2026-10-26T12:00+00:00", "now"),
        ("New York's have, too", SITE, NEW_YORKER, "2026-11-02T12:00+00:00", "2026-11-02T08:00-05:00"),
    ],
)
def test_when_a_number_may_ring(what: str, site: Site, number: str, at: str, rings_at: str) -> None:
    windows = called_windows(site, number)
    moment = datetime.fromisoformat(at)
    assert open_in_all(windows, moment) == (rings_at == "now")
    assert next_open_in_all(windows, moment) == (moment if rings_at == "now" else datetime.fromisoformat(rings_at))


def test_a_number_of_many_zones_has_a_window_for_each() -> None:
    assert {window.zone.key for window in called_windows(SITE, MOBILE)} == set(phone.zones(MOBILE))
    assert len(called_windows(SITE, TOLL_FREE)) > 40


def test_windows_are_the_same_objects_for_all_numbers_and_sites_with_the_same_hours() -> None:
    other_site = Site("other", "Other", NEW_YORK, "US")
    (window,) = called_windows(SITE, LONDONER)
    assert window in called_windows(other_site, MOBILE)
    assert window not in called_windows(LATE_SITE, LONDONER)


def test_a_zone_that_this_host_does_not_know_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = {"+1": ("Mars/Olympus_Mons", "Europe/London"), "+2": ("Mars/Olympus_Mons",)}
    monkeypatch.setattr(phone, "zones", zones.__getitem__)
    assert [window.zone for window in called_windows(AMERICAN_SITE, "+1")] == [LONDON]
    assert [window.zone for window in called_windows(AMERICAN_SITE, "+2")] == [ZoneInfo("America/New_York")]
