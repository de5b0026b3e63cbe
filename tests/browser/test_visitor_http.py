"""The page over real HTTP, asked as scanners, guessers and forgers ask."""

import contextlib
import re
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from dialer.domain.callback import Callback, Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from dialer.notify.links import Links
from dialer.web.visitor.throttle import Allowance
from tests.browser.serving import NUMBER, PLANNED, Place, serving
from tests.cli.seeds import claimed, over
from tests.unit.intake.places import NOW, with_account

DEEDS = ("cancel", "move", "object")
LATER = "2030-05-15T09:00:00+00:00"
DAY = timedelta(days=1)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def form_in(html: str) -> str:
    """The token that the page's forms send back."""
    found = re.search(r'name="form" value="([^"]+)"', html)
    assert found
    return found[1]


async def send(http: httpx.AsyncClient, place: Place, url: str, deed: str, **changes: str) -> httpx.Response:
    """What a browser sends for a form of the page at `url`, and where it is led."""
    form = form_in((await http.get(url)).text)
    fields = {"form": form, "lang": "en", **({"at": LATER} if deed == "move" else {}), **changes}
    return await http.post(f"{url}/{deed}", data=fields, headers={"Origin": place.base}, follow_redirects=True)


# --- who only looks --------------------------------------------------------------------------------------------------


async def test_a_scanner_that_follows_the_link_changes_nothing(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    url = place.page_of(made)
    looks = [url, *(f"{url}/{deed}" for deed in DEEDS), f"{url}?done=cancelled", f"{url}?day=2030-05-20&lang=cy"]
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE"):
        for look in looks:
            await http.request(method, look, follow_redirects=True, headers={"Origin": place.base})
    for deed in DEEDS:
        # Some even send forms, without a page to send them from.
        await http.post(f"{url}/{deed}", headers={"Origin": place.base}, data={"at": LATER})
    assert await place.now(made) == made
    assert not await place.store.objected(NUMBER)
    assert place.woken == []


async def test_head_answers_as_get_does_without_the_page(place: Place, http: httpx.AsyncClient) -> None:
    url = place.page_of(await place.add())
    get, head = await http.get(url), await http.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}


async def test_the_page_shows_no_more_than_its_holder_knows(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    html = (await http.get(place.page_of(made))).text
    assert "Caffi &amp; Siop &lt;Môr&gt;" in html
    assert "Tuesday 14 May 2030" in html
    assert "ends in 123" in html
    for personal in ("Maria", "maria@", "my secret", NUMBER, NUMBER[-4:]):
        assert personal not in html
    # The one place with the callback's id is its own address.
    assert "<script" not in html


async def test_an_account_that_has_used_up_its_day_offers_nothing_more_of_it(
    folder: Path, http: httpx.AsyncClient
) -> None:
    """Submission would not promise it either."""
    async with serving(folder, directory=with_account(max_attempts_a_day=1)) as place:
        url, today = place.page_of(made := await place.add()), "2030-05-13T15:00:00+01:00"
        assert f'value="{today}"' in (await http.get(url)).text
        attempt = await claimed(place.store, await place.add(due_at=NOW))
        await over(place.store, attempt, Outcome.CONNECTED, Status.COMPLETED)
        html = (await http.get(url)).text
        assert 'value="2030-05-13T' not in html
        assert 'value="2030-05-14T' in html
        told = await send(http, place, url, "move", at=today)
        assert "We can no longer keep that time" in told.text
        assert (await place.now(made)).due_at == PLANNED


async def test_it_opens_in_the_language_of_its_site(place: Place, http: httpx.AsyncClient) -> None:
    url = place.page_of(await place.add(department="elsewhere", site="other"))
    assert '<html lang="cy">' in (await http.get(url)).text
    assert '<html lang="en">' in (await http.get(f"{url}?lang=en")).text
    refused = await http.post(f"{url}/cancel")
    assert '<html lang="cy">' in refused.text
    sent = await http.post(f"{url}/cancel", headers={"Origin": place.base}, data={"form": ""})
    assert sent.headers["location"].endswith("?lang=cy&done=too_old")


@pytest.mark.parametrize("bad", [False, True])
async def test_nobody_may_keep_frame_or_add_to_it(place: Place, http: httpx.AsyncClient, *, bad: bool) -> None:
    url = place.page_of(await place.add())
    answer = await http.get(url[:-1] if bad else url)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "noindex" in answer.headers["x-robots-tag"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


async def test_what_is_done_is_told_in_the_log_without_anything_personal(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    with capture_logs() as logs:
        await send(http, place, place.page_of(made), "cancel")
    (line,) = [each for each in logs if each["event"] == "visitor.deed"]
    assert line == {
        "event": "visitor.deed",
        "log_level": "info",
        "callback": made.id,
        "deed": "cancel",
        "told": "cancelled",
    }


# --- links that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("", "no longer valid"),
        ("cy-GB,cy;q=0.9,en;q=0.8", "ddolen hon yn ddilys mwyach"),
        ("cy;q=0.5, en-GB;q=0.6", "no longer valid"),
        ("cy;q=2,\t;q=, \x7f<script>, *;q=1.001", "no longer valid"),
    ],
)
async def test_every_link_that_is_not_good_is_answered_alike(
    place: Place, http: httpx.AsyncClient, asked: str, told: str
) -> None:
    made = await place.add()
    http.headers["accept-language"] = asked
    foreign = replace(made, id=CallbackId("01JV3KQ8ZC4W9E5R7T2Y6M1N0P"))
    elsewhere = await place.add(site="gone", visitor=replace(made.visitor, phone="+442079460777"))
    others = Links(place.base, ["another secret of at least 32 chars"], DAY, place.clock.now)
    place.clock.at = PLANNED + 15 * DAY
    expired = place.page_of(made)
    place.clock.at = NOW
    made_later, expired = expired, place.page_of(made)
    bad = {
        "forged": others.page_of(made.id),
        "foreign": place.page_of(foreign),
        "its site is gone": place.page_of(elsewhere),
        "of the future": made_later,
        "cut off": place.page_of(made)[:-3],
        "longer": place.page_of(made) + "x",
        "no link": f"{place.base}/c/",
        "a path": f"{place.base}/c/..%2f..%2fetc%2fpasswd",
        "deeper": f"{place.page_of(made)}/cancel/now",
        "strange": f"{place.base}/c/%00%ff%0d%0aX-Evil:1",
        "huge": f"{place.base}/c/{'A' * 20_000}",
    }
    place.clock.at = PLANNED + 14 * DAY
    bad["expired"] = expired
    answers = {}
    for why, url in bad.items():
        place.clock.at = PLANNED + 14 * DAY if why == "expired" else NOW
        get, post = await http.get(url), await http.post(f"{url}/cancel", headers={"Origin": place.base})
        answers[why] = [(each.status_code, {**each.headers, "date": ""}, each.text) for each in (get, post)]
    assert answers["forged"][0][0] == 404
    assert told in answers["forged"][0][2]
    assert answers["forged"][0][1]["vary"] == "Accept-Language"
    assert [why for why, answer in answers.items() if answer != answers["forged"]] == []
    assert await place.now(made) == made


async def test_what_the_browser_asks_for_is_heeded_until_the_site_is_known(
    place: Place, http: httpx.AsyncClient, folder: Path
) -> None:
    url, welsh = place.page_of(await place.add()), {"accept-language": "cy"}
    page = await http.get(url, headers=welsh)
    assert '<html lang="en">' in page.text, "the site's own"
    assert "vary" not in page.headers
    assert '<html lang="en">' in (await http.get(f"{url}x?lang=en", headers=welsh)).text
    rename(folder, "callback", "hidden")
    held = await http.get(url, headers=welsh)
    assert (held.status_code, held.headers["vary"]) == (503, "Accept-Language")
    assert "Ni sydd ar fai" in held.text


async def test_a_link_is_good_until_days_after_its_callback(place: Place, http: httpx.AsyncClient) -> None:
    url = place.page_of(await place.add())
    place.clock.at = PLANNED + 14 * DAY - timedelta(seconds=1)
    assert (await http.get(url)).status_code == 200
    place.clock.at = PLANNED + 14 * DAY
    assert (await http.get(url)).status_code == 404


async def test_guessing_is_held_up_and_the_page_with_it_until_time_has_passed(
    folder: Path, http: httpx.AsyncClient
) -> None:
    async with serving(folder, Allowance()) as place:
        url = place.page_of(await place.add())
        statuses = [(await http.get(f"{place.base}/c/{'A' * 58}")).status_code for _ in range(8)]
        assert statuses == [404] * 6 + [429] * 2
        held = await http.get(url)
        assert (held.status_code, held.headers["retry-after"], held.headers["vary"]) == (429, "60", "Accept-Language")
        assert (await http.get(f"{place.base}/c/x/y/z")).status_code == 429
        place.clock.at += timedelta(seconds=60)
        assert (await http.get(url)).status_code == 200


# --- forms that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Origin": "https://evil.example.net"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 303),
    ],
)
@pytest.mark.parametrize("deed", DEEDS)
async def test_a_form_that_another_page_sends_does_nothing(
    place: Place, http: httpx.AsyncClient, deed: str, headers: dict[str, str], status: int
) -> None:
    made = await place.add()
    url = place.page_of(made)
    fields = {"form": form_in((await http.get(url)).text), "at": LATER}
    answer = await http.post(f"{url}/{deed}", data=fields, headers=headers)
    assert answer.status_code == status
    assert (await place.now(made) == made) is (status == 403)


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"form=x", "application/x-www-form-urlencoded", 303),
        (b"", "application/x-www-form-urlencoded", 303),
        (b"form=x", "text/plain", 400),
        (b"form=x", "", 400),
        (b"{}", "application/json", 400),
        (b"form=" + b"x" * 5_000, "application/x-www-form-urlencoded", 400),
        (b"a&" * 2_000, "application/x-www-form-urlencoded", 400),
        (b"a=1&" * 9, "application/x-www-form-urlencoded", 400),
        (b"form=\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"form=%ff%00%0d%0a&lang=%ed%a0%80", "application/x-www-form-urlencoded; charset=x", 303),
        (b"lang=cy%0d%0aX:1", "application/x-www-form-urlencoded", 303),
    ],
)
async def test_a_form_that_is_not_ours_does_nothing(
    place: Place, http: httpx.AsyncClient, content: bytes, kind: str, status: int
) -> None:
    made = await place.add()
    headers = {"Origin": place.base, "Content-Type": kind}
    answer = await http.post(f"{place.page_of(made)}/cancel", content=content, headers=headers)
    assert answer.status_code == status
    assert "done=cancelled" not in answer.headers.get("location", "")
    assert await place.now(made) == made


async def test_a_form_of_another_callback_or_of_yesterday_does_nothing(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    other = await place.add(visitor=replace(made.visitor, phone="+442079460777"))
    foreign = await send(http, place, place.page_of(made), "cancel", form=place.links.form(other))
    assert "open for too long" in foreign.text
    form = place.links.form(made)
    place.clock.at += timedelta(hours=13)
    old = await send(http, place, place.page_of(made), "cancel", form=form)
    assert "open for too long" in old.text
    assert await place.now(made) == made


async def test_a_deed_that_there_is_not_is_none(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    answer = await send(http, place, place.page_of(made), "delete")
    assert answer.status_code == 404
    assert await place.now(made) == made


# --- what is done, and who won ---------------------------------------------------------------------------------------


async def test_what_is_sent_twice_is_done_once_and_told_alike(place: Place, http: httpx.AsyncClient) -> None:
    cancelled, moved = await place.add(), await place.add(department="care")
    for made, deed, told in ((cancelled, "cancel", "has been cancelled"), (moved, "move", "has been moved")):
        url = place.page_of(made)
        form = form_in((await http.get(url)).text)
        first = await send(http, place, url, deed, form=form)
        done = await place.now(made)
        again = await send(http, place, url, deed, form=form)
        assert told in first.text
        assert told in again.text
        assert (await place.now(made)).version == done.version


async def test_a_time_that_cannot_be_kept_is_not_taken(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    for at in ("2030-05-15T22:00:00+00:00", "2030-05-18T10:00:00+00:00", "2030-05-13T09:00:00+00:00", "tomorrow"):
        answer = await send(http, place, place.page_of(made), "move", at=at)
        assert "can no longer keep that time" in answer.text
    answer = await send(http, place, place.page_of(made), "move", at="")
    assert "choose a time first" in answer.text
    assert await place.now(made) == made


async def test_a_move_chosen_by_a_time_that_no_longer_held_is_asked_again(
    place: Place, http: httpx.AsyncClient
) -> None:
    made = await place.add()
    url = place.page_of(made)
    form = form_in((await http.get(url)).text)
    elsewhere = PLANNED + DAY
    await place.store.reschedule(made.id, elsewhere, None, elsewhere)
    answer = await send(http, place, url, "move", form=form)
    assert "changed meanwhile" in answer.text
    assert (await place.now(made)).due_at == elsewhere
    answer = await send(http, place, url, "cancel", form=form)
    assert "has been cancelled" in answer.text, "whoever cancels wants none of it"


async def test_moving_again_and_again_is_held_up_but_never_cancelling(place: Place, http: httpx.AsyncClient) -> None:
    made, other = await place.add(), await place.add(department="care")
    url, headers = place.page_of(made), {"Origin": place.base}
    fields = {"form": form_in((await http.get(url)).text), "at": LATER}
    tries = [(await http.post(f"{url}/move", data=fields, headers=headers)).status_code for _ in range(11)]
    assert tries == [303] * 10 + [429]
    assert "has been moved" in (await send(http, place, place.page_of(other), "move")).text
    place.clock.at += timedelta(minutes=10)
    assert "has been moved" in (await send(http, place, url, "move", at="2030-05-15T10:00:00+00:00")).text
    assert "has been cancelled" in (await send(http, place, url, "cancel")).text


@pytest.mark.parametrize(
    ("deed", "told", "status"),
    [
        ("cancel", "has been cancelled", Status.CANCELLED),
        ("move", "has been moved", Status.SCHEDULED),
        ("object", "will not be called any more", Status.REJECTED),
    ],
)
async def test_an_attempt_that_is_stopped_in_time_lets_the_visitor_win(
    place: Place, http: httpx.AsyncClient, deed: str, told: str, status: Status
) -> None:
    made = await place.add()
    attempt = await claimed(place.store, made)
    place.meanwhile.happens = [partial(over, place.store, attempt, Outcome.CANCELLED)]
    answer = await send(http, place, place.page_of(made), deed)
    assert told in answer.text
    assert (await place.now(made)).status is status
    assert place.woken


@pytest.mark.parametrize(
    ("deed", "told"),
    [("cancel", "came too late"), ("move", "came too late"), ("object", "may still reach you")],
)
async def test_a_customer_who_is_being_dialled_makes_it_too_late(
    place: Place, http: httpx.AsyncClient, deed: str, told: str
) -> None:
    made = await place.add()
    await claimed(place.store, made)
    place.meanwhile.happens = [partial(place.store.too_late, made.id)]
    answer = await send(http, place, place.page_of(made), deed)
    assert told in answer.text
    assert "We are calling you" in answer.text
    assert (await place.now(made)).wish is not None


@pytest.mark.parametrize("deed", DEEDS)
async def test_a_call_that_had_ended_by_then_came_first(place: Place, http: httpx.AsyncClient, deed: str) -> None:
    made = await place.add()
    attempt = await claimed(place.store, made)
    url = place.page_of(made)
    form = form_in((await http.get(url)).text)
    await over(place.store, attempt, Outcome.CONNECTED, Status.COMPLETED)
    answer = await send(http, place, url, deed, form=form)
    assert "We have called you" in answer.text
    assert ("will not be called any more" if deed == "object" else "came too late") in answer.text


async def test_without_an_answer_of_the_daemon_it_is_undecided(place: Place, http: httpx.AsyncClient) -> None:
    made = await place.add()
    await claimed(place.store, made)
    answer = await send(http, place, place.page_of(made), "cancel")
    assert "not certain yet" in answer.text
    assert place.meanwhile.waited == pytest.approx(8, abs=0.2)


async def test_an_objection_reaches_whatever_waits_for_the_number(place: Place, http: httpx.AsyncClient) -> None:
    made, other = await place.add(), await place.add(department="elsewhere", site="other")
    answer = await send(http, place, place.page_of(made), "object")
    assert "will not be called any more" in answer.text
    assert {(await place.now(each)).status for each in (made, other)} == {Status.REJECTED}
    assert await place.store.objected(NUMBER)


async def test_a_callback_whose_department_is_gone_can_still_be_cancelled(
    place: Place, http: httpx.AsyncClient
) -> None:
    made = await place.add(department="gone")
    page = await http.get(place.page_of(made))
    assert "Choose another time" not in page.text
    assert "can no longer keep" in (await send(http, place, place.page_of(made), "move")).text
    assert "has been cancelled" in (await send(http, place, place.page_of(made), "cancel")).text


def rename(folder: Path, table: str, to: str) -> None:
    """Take a table from under the store that is open, or give it back."""
    with contextlib.closing(sqlite3.connect(folder / "dialer.db")) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {to}")


async def test_a_store_that_fails_is_told_as_ours_and_changes_nothing(
    place: Place, http: httpx.AsyncClient, folder: Path
) -> None:
    made: Callback = await place.add()
    url = place.page_of(made)
    form = form_in((await http.get(url)).text)
    rename(folder, "callback", "hidden")
    headers = {"Origin": place.base}
    answers = [await http.get(url), await http.post(f"{url}/cancel", data={"form": form}, headers=headers)]
    for answer in answers:
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
        assert "The fault is ours" in answer.text
    rename(folder, "hidden", "callback")
    assert (await place.now(made)).status is Status.SCHEDULED
