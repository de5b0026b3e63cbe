"""Figures from a few attempts and events, each case a small story with the figures that must come out."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dialer.domain.outcome import Blame, Outcome
from dialer.domain.widget import EventKind
from dialer.reports.calls import Answers, AnswersSums, Ends, EndsSums, Punctuality, PunctualitySums
from dialer.reports.funnel import Funnel, FunnelSums
from dialer.reports.groups import By, grouped
from dialer.reports.rows import Call, Visit
from dialer.reports.usage import Usage, usage
from tests.unit.reports.cases import KOLKATA, NOON, call, directory, visit

BUSY, CONNECTED, DOUBT = Outcome.CUSTOMER_BUSY, Outcome.CONNECTED, Outcome.IN_DOUBT


def told(sums: Any, rows: Iterable[Call | Visit], by: By | None = None) -> list[Any]:
    tally = grouped(sums, by, directory())
    tally.take(rows)
    return tally.figures()


def punctual(*figures: Any) -> Punctuality:
    return Punctuality("", *figures)


def answers(*figures: Any) -> Answers:
    return Answers("", *figures)


def funnel(*figures: Any) -> Funnel:
    return Funnel("", *figures)


PUNCTUAL: list[tuple[str, list[Call], Punctuality]] = [
    ("nothing happened", [], punctual(0, None, None, None, None, None, None, None)),
    ("one, a quarter of a second late", [call(late=0.25)], punctual(1, *[0.25] * 4, 1.0, 0.25, 0.25)),
    ("never sent: not late, not there", [call(late=None)], punctual(0, *[None] * 7)),
    (
        "half a minute waiting for an agent is lateness, but not ours",
        [call(late=30.5, ready=30.0)],
        punctual(1, *[30.5] * 4, 1.0, 0.5, 0.5),
    ),
    (
        "all was there before it was due: only what came after due is ours",
        [call(late=0.5, ready=-300.0)],
        punctual(1, *[0.5] * 4, 1.0, 0.5, 0.5),
    ),
    (
        "sixty seconds are punctual, a microsecond more is not",
        [call(late=60.0), call(late=60.000001)],
        punctual(2, 60.0, 60.0, 60.0, 60.0, 0.5, 60.0, 60.0),
    ),
    ("a clock that was set back: early", [call(late=-2.0)], punctual(1, *[-2.0] * 4, 1.0, -2.0, -2.0)),
    (
        "a failed attempt was as late as any",
        [call(Outcome.TRUNK_FAILURE, late=7.0)],
        punctual(1, *[7.0] * 4, 1.0, 7.0, 7.0),
    ),
]


@pytest.mark.parametrize(("story", "calls", "figures"), PUNCTUAL, ids=[case[0] for case in PUNCTUAL])
def test_punctuality(story: str, calls: list[Call], figures: Punctuality) -> None:
    assert told(PunctualitySums, calls) == [figures]


ANSWERED: list[tuple[str, list[Call], Answers]] = [
    ("nothing happened", [], answers(0, 0, 0, *[None] * 8, 0.0)),
    (
        "one call: 5 s of ringing, an hour and 15.25 s after it was asked for, a minute of talk",
        [call(talk=60)],
        answers(1, 1, 1, 1.0, 1.0, 5.0, 5.0, 3615.25, 3615.25, 60.0, 60.0, 60.0),
    ),
    (
        "busy, no answer, then reached: a third of what customers decided, three attempts a success",
        [call(BUSY), call(Outcome.CUSTOMER_NO_ANSWER), call()],
        answers(3, 3, 1, 0.3333, 3.0, 5.0, 5.0, 3615.25, 3615.25, 60.0, 60.0, 60.0),
    ),
    (
        "an agent who did not answer, a trunk that failed: attempts, but no customer decided them",
        [call(Outcome.AGENT_NO_ANSWER), call(Outcome.TRUNK_FAILURE), call(Outcome.ABANDONED_BY_AGENT), call(DOUBT)],
        answers(4, 0, 0, *[None] * 8, 0.0),
    ),
    (
        "an intent that never reached the PBX is no attempt",
        [call(Outcome.NOT_PLACED)],
        answers(*[0] * 3, *[None] * 8, 0.0),
    ),
    (
        "settled from the journal, nobody saw the answer: talk is known, how long it rang is not",
        [call(ring=None, talk=30)],
        answers(1, 1, 1, 1.0, 1.0, None, None, None, None, 30.0, 30.0, 30.0),
    ),
    (
        "the dialling was not seen, the answer was",
        [call(talk=30)._replace(dialled_at=None)],
        answers(1, 1, 1, 1.0, 1.0, None, None, 3615.25, 3615.25, 30.0, 30.0, 30.0),
    ),
]


@pytest.mark.parametrize(("story", "calls", "figures"), ANSWERED, ids=[case[0] for case in ANSWERED])
def test_answers(story: str, calls: list[Call], figures: Answers) -> None:
    assert told(AnswersSums, calls) == [figures]


def test_outcomes_with_their_blame_the_most_frequent_first() -> None:
    calls = [call(BUSY), call(), call(BUSY), call(Outcome.AGENT_BUSY)]
    assert told(EndsSums, calls) == [
        Ends("", BUSY, Blame.CUSTOMER, 2, 0.5),
        Ends("", Outcome.AGENT_BUSY, Blame.AGENT, 1, 0.25),
        Ends("", CONNECTED, Blame.NOBODY, 1, 0.25),
    ]
    assert told(EndsSums, []) == []


FUNNELS: list[tuple[str, list[Visit], Funnel]] = [
    ("nobody came", [], funnel(*[0] * 5, *[None] * 4)),
    (
        "ten saw it, five opened, two submitted, one got through",
        [
            *[visit()] * 10,
            *[visit(EventKind.OPEN)] * 5,
            visit(EventKind.SUBMIT, requested=True, connected=True),
            visit(EventKind.SUBMIT, requested=True),
        ],
        funnel(10, 5, 2, 2, 1, 0.5, 0.4, 1.0, 0.5),
    ),
    (
        "what submitted was refused",
        [visit(EventKind.SUBMIT)],
        funnel(0, 0, 1, 0, 0, None, None, 0.0, None),
    ),
]


@pytest.mark.parametrize(("story", "visits", "figures"), FUNNELS, ids=[case[0] for case in FUNNELS])
def test_funnel(story: str, visits: list[Visit], figures: Funnel) -> None:
    assert told(FunnelSums, visits) == [figures]


GROUPS: list[tuple[By, Sequence[Call], list[tuple[str, int]]]] = [
    (By.SITE, [call(), call(site="clinic"), call()], [("clinic", 1), ("shop", 2)]),
    (By.DEPARTMENT, [call(), call(department="ward")], [("sales", 1), ("ward", 1)]),
    (By.AGENT, [call(agent="ben"), call()], [("anna", 1), ("ben", 1)]),
    # By the site's clock: noon UTC is 13 in a British summer, and 17:30 in India.
    (By.HOUR, [call(), call(site="clinic")], [("13", 1), ("17", 1)]),
    # An hour that the clocks show twice is one, from 00:00 to 02:00 UTC; one that they leave out does not occur.
    (By.HOUR, [call(at=datetime(2030, 10, 27, hour, 30, tzinfo=UTC)) for hour in (0, 1)], [("01", 2)]),
    (By.HOUR, [call(at=datetime(2030, 3, 31, hour, 59, tzinfo=UTC)) for hour in (0, 1)], [("00", 1), ("02", 1)]),
    # Half past eleven at night in summer is the day after in London.
    (By.DAY, [call(at=datetime(2030, 5, 17, 23, 30, tzinfo=UTC)), call()], [("2030-05-17", 1), ("2030-05-18", 1)]),
    (By.WEEKDAY, [call(at=NOON + timedelta(days=day)) for day in (0, 0, 2, 3)], [("mon", 1), ("fri", 2), ("sun", 1)]),
    # A site that is no longer in the configuration goes by UTC.
    (By.HOUR, [call(site="gone")], [("12", 1)]),
    (By.HOUR, [], []),
]


@pytest.mark.parametrize(("by", "calls", "counts"), GROUPS)
def test_groups_in_their_order(by: By, calls: Sequence[Call], counts: list[tuple[str, int]]) -> None:
    assert [(row.group, row.attempts) for row in told(AnswersSums, calls, by)] == counts


def test_events_have_a_site_and_a_time_only() -> None:
    visits = [visit(), visit(EventKind.OPEN)]
    assert [(row.group, row.impressions) for row in told(FunnelSums, visits, By.WEEKDAY)] == [("fri", 1)]
    assert [row.group for row in told(FunnelSums, visits, By.AGENT)] == [""]
    assert [row.group for row in told(FunnelSums, visits, By.DEPARTMENT)] == [""]


MAY = ("retail", "2030-05", "GB", "fixed")
USED: list[tuple[str, list[Call], list[Usage]]] = [
    ("nothing happened", [], []),
    ("one of a minute", [call(talk=60)], [Usage(*MAY, 1, 1, 0, 60, 1)]),
    ("a second more begins another minute", [call(talk=61)], [Usage(*MAY, 1, 1, 0, 61, 2)]),
    ("a microsecond more begins another of both", [call(talk=60.000001)], [Usage(*MAY, 1, 1, 0, 61, 2)]),
    ("each begins its own", [call(talk=1)] * 3, [Usage(*MAY, 3, 3, 0, 3, 3)]),
    ("answered and hung up at once", [call(talk=0)], [Usage(*MAY, 1, 1, 0, 0, 0)]),
    ("busy, and one that nobody saw the end of", [call(BUSY), call(DOUBT)], [Usage(*MAY, 2, 0, 1, 0, 0)]),
    ("only agents were rung", [call(Outcome.AGENT_BUSY), call(Outcome.NOT_PLACED), call(Outcome.PBX_FAILURE)], []),
    (
        "the classes of destinations apart",
        [call(number="+447911123456"), call(number="+447400123456"), call()],
        [
            Usage("retail", "2030-05", "GB", "fixed", 1, 1, 0, 60, 1),
            Usage("retail", "2030-05", "GB", "mobile", 1, 1, 0, 60, 1),
            Usage("retail", "2030-05", "GG", "mobile", 1, 1, 0, 60, 1),
        ],
    ),
    (
        "a number that is none any more",
        [call(number="+44999")],
        [Usage("retail", "2030-05", "", "unknown", 1, 1, 0, 60, 1)],
    ),
    (
        "months are the account's: a June night in India is still May in London",
        [call(site="clinic", at=datetime(2030, 6, 1, 1, tzinfo=KOLKATA))],
        [Usage("health", "2030-05", "GB", "fixed", 1, 1, 0, 60, 1)],
    ),
    (
        "a site that is gone: nobody's account, by UTC",
        [call(site="gone", at=datetime(2030, 5, 31, 23, 30, tzinfo=UTC))],
        [Usage("", "2030-05", "GB", "fixed", 1, 1, 0, 60, 1)],
    ),
]


@pytest.mark.parametrize(("story", "calls", "rows"), USED, ids=[case[0] for case in USED])
def test_usage(story: str, calls: list[Call], rows: list[Usage]) -> None:
    tally = usage(directory())
    tally.take(calls)
    assert tally.figures() == rows


def test_a_row_never_shows_whom_it_was_to() -> None:
    assert "7946" not in repr(call(number="+442079460999"))
