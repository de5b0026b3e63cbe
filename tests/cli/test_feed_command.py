"""`dialer feed`: how far feeds were read, what is in quarantine, and what becomes of it when it is retried."""

import json
from datetime import UTC, datetime

import pytest

from dialer.domain.callback import Status
from dialer.intake.feed import read_item
from dialer.intake.limits import LimitRule, Limits
from dialer.intake.taking import Bounds, prepare
from dialer.settings import load
from dialer.store.feed_store import FeedStore
from dialer.store.store import SqlStore
from tests.cli.host import CONFIG, Host
from tests.feeds.platform import Item, cancel, change, request

FEED = """
[feed.mi]
url = "https://feed.example.com/v1/callbacks?key=s3cret"
outcomes_url = "https://feed.example.com/v1/outcomes"
token = "t0ken"
"""
PERSON = "Zoë of the feed"


@pytest.fixture
def fed(host: Host) -> Host:
    """With a feed that brought something once."""
    host.configure(CONFIG + FEED)
    bad = request("r-2", "07700 900123", name=PERSON)
    bring(host, request("r-1"), bad, cancel("c-3", "r-3"), request("r-4", department="renamed"))
    return host


def bring(host: Host, *items: Item, cursor: str = "4") -> None:
    """What a puller would do with a page."""

    async def take(store: SqlStore) -> None:
        feeds, directory = FeedStore(store), load(host.config).directory()
        read = [read_item(each) for each in items]
        entries = await prepare(feeds, directory, Bounds("mi", None), read, datetime.now(UTC))
        await feeds.take("mi", entries, cursor, LimitRule(Limits()), tell=True)

    host.with_store(take)


def records(host: Host, *arguments: str) -> list[Item]:
    return [json.loads(line) for line in host.run("feed", *arguments, "--json").stdout.splitlines()]


def test_the_list(fed: Host) -> None:
    (state,) = records(fed, "list")
    counts = {key: state[key] for key in ("feed", "configured", "cursor", "items", "quarantined", "untold")}
    assert counts == {"feed": "mi", "configured": True, "cursor": "4", "items": 4, "quarantined": 3, "untold": 3}
    assert state["read_at"] == state["news_at"]
    shown = fed.run("feed", "list").stdout
    assert shown.split("\t")[0] == "mi"
    assert "https://feed.example.com\n" in shown
    assert "s3cret" not in shown


def test_a_feed_that_was_never_read_and_one_that_is_gone_are_in_it(fed: Host) -> None:
    fed.configure(CONFIG + FEED.replace("feed.mi", "feed.new"))
    assert [(each["feed"], each["configured"], each["read_at"] is None) for each in records(fed, "list")] == [
        ("new", True, True),
        ("mi", False, False),
    ]
    assert "never" in fed.run("feed", "list").stdout
    assert "not configured" in fed.run("feed", "list").stdout


def test_what_is_in_quarantine_and_nothing_personal_of_it(fed: Host) -> None:
    shown = fed.run("feed", "show", "mi")
    assert shown.returncode == 0
    assert [line.split("\t")[0] for line in shown.stdout.splitlines()] == ["r-2", "c-3", "r-4"]
    assert [(each["item"], each["code"], each["field"]) for each in records(fed, "show", "mi")] == [
        ("r-2", "number_invalid", "phone"),
        ("c-3", "item_unknown", "of"),
        ("r-4", "department_unknown", "department"),
    ]
    assert PERSON not in shown.stdout + str(records(fed, "show", "mi"))
    assert len(records(fed, "show", "mi", "--limit", "2")) == 2


def test_one_item_whatever_became_of_it(fed: Host) -> None:
    shown = fed.run("feed", "show", "mi", "r-2").stdout
    assert "number_invalid" in shown
    (whole,) = records(fed, "show", "mi", "r-2")
    assert json.loads(whole["raw"])["request"]["name"] == PERSON
    (taken,) = records(fed, "show", "mi", "r-1")
    assert (taken["answer"], taken["raw"]) == ("accepted", None)
    assert fed.stored(taken["callback"]).visitor.phone == "+442079460000"
    missing = fed.run("feed", "show", "mi", "r-9")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr == "dialer: r-9: feed mi brought no such item (see: dialer feed show mi)\n"


def test_a_retry_takes_what_can_be_taken_by_now(fed: Host) -> None:
    bring(fed, request("r-3", "0161 496 0000"), cursor="5")
    done = fed.run("feed", "retry", "mi", "c-3")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("c-3: done, callback ")
    again = fed.run("feed", "retry", "mi", "c-3")
    assert (again.returncode, again.stderr) == (1, "dialer: c-3: it is not in quarantine: done\n")


@pytest.mark.parametrize("which", ["r-4", "--all"])
def test_a_request_that_is_retried_takes_its_cancellation_with_it(fed: Host, which: str) -> None:
    """The visitor cancelled while it was in quarantine: who retries the request alone must not have them called."""
    bring(fed, change("m-4", "r-4"), cancel("c-4", "r-4"), cursor="5")
    fed.configure(CONFIG.replace("[department.mornings]", "[department.renamed]") + FEED)
    done = fed.run("feed", "retry", "mi", which, "--json")
    answers = [(each["item"], each["answer"]) for each in map(json.loads, done.stdout.splitlines())]
    assert answers[-3:] == [("r-4", "accepted"), ("m-4", "done"), ("c-4", "done")]
    assert done.returncode == (which == "--all")
    (taken,) = records(fed, "show", "mi", "r-4")
    assert fed.stored(taken["callback"]).status is Status.CANCELLED


def test_a_retry_of_all_leaves_what_cannot(fed: Host) -> None:
    fed.configure(CONFIG.replace("[department.mornings]", "[department.renamed]") + FEED)
    done = fed.run("feed", "retry", "mi", "--all", "--json")
    assert done.returncode == 1
    assert [(each["item"], each["answer"]) for each in map(json.loads, done.stdout.splitlines())] == [
        ("r-2", "quarantined"),
        ("c-3", "quarantined"),
        ("r-4", "accepted"),
    ]
    assert [each["item"] for each in records(fed, "show", "mi")] == ["r-2", "c-3"]
    plain = fed.run("feed", "retry", "mi", "--all")
    assert plain.returncode == 1
    assert len(plain.stderr.splitlines()) == 2
    assert PERSON not in plain.stderr + done.stdout


def test_what_is_too_long_to_be_kept_says_so(fed: Host) -> None:
    bring(fed, request("r-5", name="x" * 70_000))
    done = fed.run("feed", "retry", "mi", "r-5")
    assert done.returncode == 1
    assert "not kept whole, and cannot be retried" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["retry", "mi"], 2, "give an ITEM, or --all"),
        (["retry", "mi", "r-1", "--all"], 2, "give an ITEM, or --all"),
        (["retry", "none", "--all"], 2, "there is no feed none (known are mi)"),
        (["retry", "mi", "r-9"], 1, "brought no such item"),
        (["show"], 2, "missing argument"),
    ],
)
def test_slips(fed: Host, arguments: list[str], code: int, says: str) -> None:
    done = fed.run("feed", *arguments)
    assert done.returncode == code
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
