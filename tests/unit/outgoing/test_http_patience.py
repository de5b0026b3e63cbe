"""How long is waited: growing, spread, bounded, and what the other side asks for within reason."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from dialer.http.patience import LONGEST, pause_after, retry_after

NOW = datetime(2030, 5, 17, 12, tzinfo=UTC)
FIRST, MOST = timedelta(seconds=1), timedelta(minutes=5)


def test_pauses_double_up_to_the_most_and_lose_up_to_a_half() -> None:
    rng = Random(7)
    for tries in range(1, 200):
        whole = min(2 ** (tries - 1), 300)
        for _ in range(20):
            pause = pause_after(tries, rng, first=FIRST, most=MOST).total_seconds()
            assert whole / 2 < pause <= whole


def test_what_failed_together_is_spread() -> None:
    pauses = {pause_after(5, Random(seed), first=FIRST, most=MOST) for seed in range(50)}
    assert len(pauses) == 50


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("86400", 86400),
        ("86401", 86400),
        ("9" * 5000, 86400),
        ("Fri, 17 May 2030 12:01:00 GMT", 60),
        ("Fri, 17 May 2030 13:01:00 +0100", 60),
        ("Fri, 17 May 2030 12:01:00 -0000", 60),
        ("Fri, 17 May 2030 11:00:00 GMT", 0),
        ("Fri, 17 May 2999 11:00:00 GMT", 86400),
    ],
)
def test_what_the_other_side_asks_for(header: str, seconds: int) -> None:
    assert retry_after(header, NOW) == timedelta(seconds=seconds) <= LONGEST


@pytest.mark.parametrize(
    "header",
    [
        "",
        "soon",
        "-5",
        "1.5",
        "1e3",
        "\u0663\u0660",
        "Fri, 99 May 2030 12:00:00 GMT",
        "\x00",
        "(",
        "Mon, 1 Jan 99999 0:0",
    ],
)
def test_what_says_nothing(header: str) -> None:
    assert retry_after(header, NOW) is None
