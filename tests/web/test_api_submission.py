"""Requests handed in: what is answered is durable, and the same request again is the same callback."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from dialer.intake import submission
from dialer.intake.limits import Limit, Limits
from dialer.store.key_tables import answer as answer_table
from dialer.store.submissions import KEPT, Submissions
from dialer.web.asked import CallbackRequest
from tests.unit.intake.places import NOW
from tests.web.place import Place, place, problem

DAY = timedelta(days=1)
HOSTILE = "Zoë “Ω” ش ☎ <script>'--"


async def post(api: Place, headers: dict[str, str], body: Any, **more: str) -> httpx.Response:
    return await api.client.post("/v1/callbacks", json=body, headers={**headers, **more})


async def test_a_request_is_answered_with_its_promise_and_nothing_of_its_visitor(
    api: Place, shop: dict[str, str]
) -> None:
    number = api.number()
    body = {
        "department": "sales",
        "phone": number,
        "name": HOSTILE,
        "email": "zoe@example.com",
        "message": "Line one\nline two",
        "at": "2030-05-14T11:00:00+01:00",
        "external_id": "order-1",
        "consent": {"wording": "Yes", "given_at": "2030-05-13T10:59:00"},
    }
    answer = await post(api, shop, body)
    told = answer.json()
    assert answer.status_code == 201
    assert told == {
        "id": told["id"],
        "status": "scheduled",
        "site": "shop",
        "department": "sales",
        "external_id": "order-1",
        "requested_at": "2030-05-13T10:00:00Z",
        "wanted_at": "2030-05-14T10:00:00Z",
        "wanted_until": None,
        "due_at": "2030-05-14T10:00:00Z",
        "expires_at": "2030-05-14T12:00:00Z",
        "double": False,
    }
    stored = await api.stored(told["id"])
    assert (stored.visitor.phone, stored.visitor.name, stored.origin) == (number, HOSTILE, "")
    assert api.daemon.new[-1] == stored


async def test_the_same_request_again_is_the_same_answer_and_no_other_callback(
    api: Place, shop: dict[str, str]
) -> None:
    body, before = {"department": "care", "phone": api.number()}, len(api.daemon.new)
    answers = [await post(api, shop, body, **{"Idempotency-Key": "k-1"}) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(api.daemon.new) == before + 1


async def test_it_is_so_when_its_time_has_passed_and_its_callback_has_ended(api: Place, shop: dict[str, str]) -> None:
    body = {"department": "care", "phone": api.number(), "at": "2030-05-13T10:30:00Z"}
    first = await post(api, shop, body, **{"Idempotency-Key": "k-2"})
    await api.store.cancel(first.json()["id"], "")
    api.clocks.wall = NOW + DAY
    second = await post(api, shop, body, **{"Idempotency-Key": "k-2"})
    api.clocks.wall = NOW
    assert (second.status_code, second.text) == (201, first.text)


async def test_in_parallel_there_is_one_callback(api: Place, shop: dict[str, str]) -> None:
    body, before = {"department": "care", "phone": api.number()}, len(api.daemon.new)
    answers = await asyncio.gather(*(post(api, shop, body, **{"Idempotency-Key": "k-3"}) for _ in range(20)))
    assert [answer.status_code for answer in answers] == [201] * 20
    assert len({answer.text for answer in answers}) == 1
    assert len(api.daemon.new) == before + 1


async def test_another_request_under_the_same_key_is_refused(api: Place, shop: dict[str, str]) -> None:
    first, second = ({"department": "care", "phone": api.number()} for _ in range(2))
    assert (await post(api, shop, first, **{"Idempotency-Key": "k-4"})).status_code == 201
    for _ in range(2):
        answer = await post(api, shop, second, **{"Idempotency-Key": "k-4"})
        problem(answer, 422, "idempotency_key_reused", "Idempotency-Key")
    both = [post(api, shop, body, **{"Idempotency-Key": "k-5"}) for body in (first, second)]
    answers = sorted([answer.status_code for answer in await asyncio.gather(*both)])
    assert answers in ([200, 422], [201, 422])


async def test_keys_belong_to_their_holder(api: Place, shop: dict[str, str]) -> None:
    other = await api.as_()
    bodies = [{"department": "care", "phone": api.number()} for _ in range(2)]
    one = await post(api, shop, bodies[0], **{"Idempotency-Key": "k-6"})
    two = await post(api, other, bodies[1], **{"Idempotency-Key": "k-6"})
    assert (one.status_code, two.status_code) == (201, 201)
    assert one.json()["id"] != two.json()["id"]


async def test_a_refused_request_is_judged_again(api: Place, shop: dict[str, str]) -> None:
    number = api.number()
    await api.store.object_to(number, "ann", "")
    body = {"department": "care", "phone": number}
    refused = await post(api, shop, body, **{"Idempotency-Key": "k-7"})
    problem(refused, 422, "number_objected", "phone")
    await api.store.allow_again(number, "ann")
    assert (await post(api, shop, body, **{"Idempotency-Key": "k-7"})).status_code == 201


@pytest.mark.parametrize("key", ["", "a b", "é", "x" * 256])
async def test_what_is_no_key(api: Place, shop: dict[str, str], key: str) -> None:
    headers = [(b"Idempotency-Key", key.encode("latin-1")), (b"Authorization", shop["authorization"].encode())]
    answer = await api.client.post("/v1/callbacks", json={}, headers=headers)
    problem(answer, 422, "idempotency_key_invalid", "Idempotency-Key")


async def test_two_keys_are_none(api: Place, shop: dict[str, str]) -> None:
    headers = [*shop.items(), ("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    answer = await api.client.post("/v1/callbacks", json={}, headers=headers)
    problem(answer, 422, "idempotency_key_invalid", "Idempotency-Key")


async def test_an_open_callback_is_the_answer_to_a_second_wish_for_it(api: Place, shop: dict[str, str]) -> None:
    body = {"department": "care", "phone": api.number()}
    first = await post(api, shop, body)
    second = await post(api, shop, body)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {**first.json(), "double": True}
    kept = [await post(api, shop, body, **{"Idempotency-Key": "k-8"}) for _ in range(2)]
    assert [(each.status_code, each.text) for each in kept] == [(200, second.text)] * 2


async def test_an_external_id_is_for_good(api: Place, shop: dict[str, str]) -> None:
    body = {"department": "care", "phone": api.number(), "external_id": "order-7"}
    first = await post(api, shop, body)
    await api.store.cancel(first.json()["id"], "")
    again = await post(api, shop, {**body, "phone": api.number(), "at": "1999-01-01T00:00:00Z"})
    assert (again.status_code, again.json()["id"], again.json()["status"]) == (200, first.json()["id"], "cancelled")
    foreign = await api.as_(site="other")
    other = await post(api, foreign, {"department": "elsewhere", "phone": api.number(), "external_id": "order-7"})
    assert other.status_code == 201
    at_once = {**body, "external_id": "order-8"}
    answers = await asyncio.gather(*(post(api, shop, {**at_once, "phone": api.number()}) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 200, 201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_so_is_that_of_a_request_which_an_open_callback_answered(api: Place, shop: dict[str, str]) -> None:
    """Sent again when that callback is over, it must not ring its visitor once more."""
    body = {"department": "care", "phone": api.number()}
    first = await post(api, shop, {**body, "external_id": "order-9"})
    answers = [await post(api, shop, {**body, "external_id": "order-10"}) for _ in range(2)]
    answers += await asyncio.gather(*(post(api, shop, {**body, "external_id": "order-11"}) for _ in range(5)))
    await api.store.cancel(first.json()["id"], "")
    answers += [await post(api, shop, {**body, "external_id": each}) for each in ("order-10", "order-11")]
    answers.append(await post(api, shop, {**body, "external_id": "order-10", "at": "1999-01-01T00:00:00Z"}))
    assert {(each.status_code, each.json()["id"]) for each in answers} == {(200, first.json()["id"])}
    for external_id in ("order-9", "order-10"):
        found = await api.client.get("/v1/callbacks", params={"external_id": external_id}, headers=shop)
        assert [each["id"] for each in found.json()["items"]] == [first.json()["id"]]
    foreign = await api.as_(site="other")
    found = await api.client.get("/v1/callbacks", params={"external_id": "order-10"}, headers=foreign)
    assert found.json()["items"] == []


@pytest.mark.parametrize("department", ["elsewhere", "nowhere", "", None, 7])
async def test_a_department_is_the_sites_own(api: Place, shop: dict[str, str], department: Any) -> None:
    answer = await post(api, shop, {"department": department, "phone": api.number()})
    assert problem(answer, 422, answer.json()["code"], "department")["code"] in {
        "department_unknown",
        "field_missing",
        "field_type",
    }


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"phone": "020 79"}, "number_too_short", "phone"),
        ({"phone": "07700 900123"}, "number_invalid", "phone"),
        ({"phone": "0900 123 4567"}, "number_premium", "phone"),
        ({"name": "a\nb"}, "field_characters", "name"),
        ({"name": "\ud800"}, "field_characters", "name"),
        ({"message": "x" * 4001}, "field_too_long", "message"),
        ({"email": "nobody"}, "email_invalid", "email"),
        ({"page": "javascript:alert(1)"}, "page_invalid", "page"),
        ({"at": "tomorrow"}, "time_invalid", "at"),
        ({"at": "2029-01-01T00:00Z"}, "time_past", "at"),
        ({"at": "2030-10-27T01:30"}, "time_ambiguous", "at"),
        ({"until": "2030-05-14T10:00Z"}, "field_missing", "at"),
        ({"consent": {"given_at": "2030-05-13T09:00Z"}}, "field_missing", "consent.wording"),
        ({"external_id": "x" * 129}, "field_too_long", "external_id"),
        ({"external_id": ["x"]}, "field_type", "external_id"),
        ({"unknown": "a secret"}, "field_unknown", None),
        ({"department": "closed"}, "department_closed", "department"),
        ({"department": "texts"}, "number_no_trunk", "phone"),
        ({"address": "nowhere"}, "address_invalid", "address"),
    ],
)
async def test_a_refusal_names_the_field_and_never_repeats_it(
    api: Place, shop: dict[str, str], body: dict[str, Any], code: str, field: str | None
) -> None:
    asked = {"department": "care", "phone": "+442079460999", **body}
    answer = await api.client.post("/v1/callbacks", content=json.dumps(asked), headers={**shop, **JSON})
    problem(answer, 422, code, field)
    told = answer.json()["detail"]
    assert not any(str(value) in told for name, value in body.items() if name != "department" and value)


JSON = {"content-type": "application/json"}


async def test_limits_say_when_it_may_be_tried_again(tmp_path: Path) -> None:
    limits = Limits(per_number=(Limit(1, timedelta(minutes=15)),))
    async with place(tmp_path, limits=limits) as api:
        headers = await api.as_()
        body = {"department": "care", "phone": api.number()}
        first = await post(api, headers, body)
        await api.store.cancel(first.json()["id"], "")
        told = problem(answer := await post(api, headers, body), 429, "limit_number", "phone")
        assert (told["retry_at"], answer.headers["retry-after"]) == ("2030-05-13T10:15:00+00:00", "900")
        api.clocks.wall += timedelta(minutes=15)
        assert (await post(api, headers, body)).status_code == 201


class TestAPublishableKey:
    async def test_counts_the_address_that_it_comes_from(self, api: Place, shop: dict[str, str]) -> None:
        headers = await api.as_("submit")
        made = await api.submitted(headers)
        by_address = await api.submitted(shop, address="127.0.0.1")
        origins = [(await api.stored(each["id"])).origin for each in (made, by_address)]
        assert origins[0] == origins[1] != ""

    async def test_takes_no_other_s_word_for_it(self, api: Place) -> None:
        headers = await api.as_("submit")
        answer = await post(api, headers, {"department": "care", "phone": api.number(), "address": "192.0.2.7"})
        problem(answer, 422, "address_not_allowed", "address")

    async def test_takes_none_of_the_site_s_own_ids(self, api: Place, shop: dict[str, str]) -> None:
        """Whoever read the key in a page could have the site's request for `order-99` answered with their callback."""
        body = {"department": "care", "phone": api.number(), "external_id": "order-99"}
        problem(await post(api, await api.as_("submit"), body), 422, "external_id_not_allowed", "external_id")
        assert (await post(api, shop, {**body, "phone": api.number()})).status_code == 201


async def test_answers_are_kept_for_seven_days(tmp_path: Path) -> None:
    async with place(tmp_path) as api:
        headers = await api.as_()
        for number in range(3):
            body = {"department": "care", "phone": api.number()}
            await post(api, headers, body, **{"Idempotency-Key": f"k{number}"})
            api.clocks.wall += DAY
        submissions = Submissions(api.store)
        assert await submissions.forget(NOW + DAY + KEPT - KEPT) == 1
        assert [row.key for row in await api.store.read(answer_table.select())] == ["k1", "k2"]
        assert await submissions.forget(NOW + KEPT) == 2
        assert await submissions.forget(NOW + KEPT) == 0


def test_the_documented_fields_are_those_that_are_read() -> None:
    assert set(CallbackRequest.model_fields) == {*submission._FIELDS, "external_id"}
