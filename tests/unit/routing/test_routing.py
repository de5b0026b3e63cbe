"""Who rings next, by which way, and what they are told."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.domain.callback import Visitor
from dialer.domain.directory import Agent, Department, Directory, OpeningHours, RetryRule, Trunk
from dialer.routing.agents import by_idle_time
from dialer.routing.context import caller_name, page
from dialer.routing.route import Route, route

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)

SALES = Department(
    id="sales",
    name="Sales",
    site="shop",
    agents=("anna", "ben", "chloe"),
    trunk="carrier",
    caller_id="+442079460123",
    hours=OpeningHours(ZoneInfo("Europe/London"), ((),) * 7),
    retry=RetryRule({}, 3, 10),
    agent_ring=20,
    customer_ring=25,
    max_call=7200,
    press_to_accept=True,
    whisper="",
)
AGENTS = {
    id_: Agent(id_, id_.title(), "main", f"PJSIP/{id_}", f"PJSIP/{id_}") for id_ in ("anna", "ben", "chloe", "dan")
}
CARRIER = Trunk("carrier", "main", "mi-trunk")
DIRECTORY = Directory(agents=AGENTS, trunks={"carrier": CARRIER}, departments={"sales": SALES})


def rung(**seconds_ago: int) -> dict[str, datetime]:
    return {agent: NOW - timedelta(seconds=ago) for agent, ago in seconds_ago.items()}


@pytest.mark.parametrize(
    ("free", "last_rung", "expected"),
    [
        (set(), {}, []),
        ({"dan"}, {}, []),  # another department's
        ({"anna", "ben", "chloe"}, {}, ["anna", "ben", "chloe"]),  # ties: the configured order
        ({"anna", "ben", "chloe"}, rung(anna=10, ben=30, chloe=20), ["ben", "chloe", "anna"]),
        ({"anna", "ben", "chloe"}, rung(anna=10, ben=30), ["chloe", "ben", "anna"]),  # never rung comes first
        ({"anna", "chloe"}, rung(anna=30, ben=60, chloe=30), ["anna", "chloe"]),
    ],
)
def test_the_longest_idle_agent_rings_first(
    free: set[str], last_rung: dict[str, datetime], expected: list[str]
) -> None:
    assert [agent.id for agent in by_idle_time(SALES, DIRECTORY, free, last_rung)] == expected


def test_the_route_goes_by_the_departments_trunk() -> None:
    assert route(SALES, AGENTS["anna"], DIRECTORY) == Route(SALES, AGENTS["anna"], CARRIER)


@pytest.mark.parametrize(("name", "shown"), [("Zoë", "Sales: Zoë"), ("", "Sales")])
def test_the_caller_name(name: str, shown: str) -> None:
    assert caller_name(SALES, Visitor(phone="+441614960001", name=name)) == shown


@pytest.mark.parametrize(
    ("given_page", "shown"),
    [
        ("https://shop.example.com/sofas/red?email=zoe@example.com#top", "https://shop.example.com/sofas/red"),
        ("http://shop.example.com", "http://shop.example.com"),
        ("HTTPS://shop.example.com:8443/a", "https://shop.example.com:8443/a"),
        ("https://zoe:secret@shop.example.com/a", "https://shop.example.com/a"),
        ("https://shop.example.com/a?x=1,GLOBAL(PWNED)=yes", "https://shop.example.com/a"),
        ("", ""),
        ("shop.example.com/a", ""),
        ("javascript:alert(1)", ""),
        ("ftp://shop.example.com/a", ""),
        ("https:///a", ""),
        ("https://zoe@/a", ""),
        ("https://[shop/a", ""),
    ],
)
def test_the_page_without_what_may_be_personal(given_page: str, shown: str) -> None:
    assert page(Visitor(phone="+441614960001", page=given_page)) == shown


@settings(deadline=None)  # a busy machine is no failure
@given(st.text() | st.text("htps:/?#@[].,a\n", max_size=40).map(lambda rest: f"https://{rest}"))
def test_any_page_is_shown_without_query_or_not_at_all(text: str) -> None:
    shown = page(Visitor(phone="+441614960001", page=text))
    assert "?" not in shown
    assert "#" not in shown
    assert shown == "" or shown.startswith(("http://", "https://"))
