"""Callbacks, calls and objections looked at and changed, by who may."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from dialer.domain.callback import Status
from dialer.domain.ids import CallbackId
from dialer.domain.outcome import Outcome
from tests.contract.story import COMPLETED, ended, progressed
from tests.unit.intake.places import DIRECTORY, NOW
from tests.web.place import Place, claimed, place, problem

AT = {"at": "2030-05-20T09:00:00Z"}


async def got(api: Place, headers: dict[str, str], path: str, status: int = 200) -> dict[str, Any]:
    answer = await api.client.get(path, headers=headers)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_a_callback_is_shown_whole(api: Place, shop: dict[str, str]) -> None:
    made = await api.submitted(
        shop,
        name="Zoë",
        page="https://example.com/?q=1",
        consent={"wording": "Yes", "given_at": "2030-05-13T09:00:00Z", "page": "https://example.com/"},
        external_id="shown",
    )
    shown = await got(api, shop, f"/v1/callbacks/{made['id']}")
    del made["double"]
    assert shown == {
        **made,
        "reason": "",
        "attempts": 0,
        "customer_attempts": 0,
        "version": 1,
        "visitor": {
            "phone": shown["visitor"]["phone"],
            "name": "Zoë",
            "email": "",
            "page": "https://example.com/?q=1",
            "message": "",
            "session": "",
            "sms": False,
            "consent": {"wording": "Yes", "given_at": "2030-05-13T09:00:00Z", "page": "https://example.com/"},
        },
    }
    found = await got(api, shop, "/v1/callbacks?external_id=shown")
    assert found == {"items": [shown], "next": None}
    assert (await got(api, shop, "/v1/callbacks?external_id=other"))["items"] == []


async def test_a_list_comes_in_pages_and_by_filters(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with place(tmp_path_factory.mktemp("list")) as api:
        shop, other = await api.as_(), await api.as_(site="other")
        made = [await api.submitted(shop, at=f"2030-05-14T1{hour}:00:00Z") for hour in range(5)]
        await api.submitted(other, department="elsewhere")
        await api.store.cancel(CallbackId(made[4]["id"]), "")
        await api.submitted(shop, department="sales", at="2030-05-16T09:00:00Z")
        ids, path = [], "/v1/callbacks?limit=2"
        while True:
            page = await got(api, shop, path)
            ids += [each["id"] for each in page["items"]]
            assert len(page["items"]) <= 2
            if page["next"] is None:
                break
            path = f"/v1/callbacks?limit=2&cursor={page['next']}"
        assert ids[:5] == [each["id"] for each in made]
        assert len(ids) == 6
        for query, count in (
            ("status=cancelled", 1),
            ("status=cancelled&status=scheduled", 6),
            ("department=sales", 1),
            ("department=elsewhere", 0),
            ("due_from=2030-05-14T12:00:00Z&due_before=2030-05-14T14:00:00%2B00:00", 2),
            ("due_from=2030-05-14T12:00:00Z&due_before=2030-05-14T12:00:00Z", 0),
        ):
            assert len((await got(api, shop, f"/v1/callbacks?{query}"))["items"]) == count, query


@pytest.mark.parametrize(
    ("query", "code", "field"),
    [
        ("limit=0", "field_invalid", "limit"),
        ("limit=201", "field_invalid", "limit"),
        ("limit=x", "field_invalid", "limit"),
        ("limit=1&limit=2", "parameter_doubled", "limit"),
        ("status=lost", "field_invalid", "status.0"),
        ("due_from=2030-05-14T12:00:00", "field_invalid", "due_from"),
        ("due_from=soon", "field_invalid", "due_from"),
        ("due_from=2030-05-14T12:00:00Z&due_before=2030-05-14T11:00:00Z", "range_empty", "due_before"),
        ("cursor=x", "field_invalid", "cursor"),
        ("cursor=9999999999999999999.x", "cursor_unknown", "cursor"),
        ("Limit=1", "parameter_unknown", "query"),
        ("phone=%2B442079460000", "parameter_unknown", "query"),
    ],
)
async def test_a_parameter_that_is_none(api: Place, shop: dict[str, str], query: str, code: str, field: str) -> None:
    problem(await api.client.get(f"/v1/callbacks?{query}", headers=shop), 422, code, field)


class TestChanging:
    async def test_a_waiting_callback_is_cancelled(self, api: Place, shop: dict[str, str]) -> None:
        made, woken = await api.submitted(shop, external_id="cancel-me"), api.daemon.woken
        answer = await api.client.delete(f"/v1/callbacks/{made['id']}", headers=shop)
        del made["double"]
        assert (answer.status_code, answer.json()) == (
            200,
            {"answer": "done", "callback": {**made, "status": "cancelled"}},
        )
        assert api.daemon.woken == woken + 1
        again = await api.client.delete(f"/v1/callbacks/{made['id']}", headers=shop)
        problem(again, 409, "state")

    async def test_a_waiting_callback_is_moved(self, api: Place, shop: dict[str, str]) -> None:
        made = await api.submitted(shop)
        window = {**AT, "until": "2030-05-20T10:00:00Z"}
        answer = await api.client.patch(f"/v1/callbacks/{made['id']}", json=window, headers=shop)
        moved = answer.json()["callback"]
        assert (moved["due_at"], moved["expires_at"]) == (AT["at"], window["until"])
        now = await api.client.patch(f"/v1/callbacks/{made['id']}", json={"at": None}, headers=shop)
        assert now.json()["callback"]["due_at"] == "2030-05-13T10:00:00Z"

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({}, "field_missing", "at"),
            ({"at": 7}, "field_type", "at"),
            ({"at": "2029-01-01T00:00:00Z"}, "time_past", "at"),
            ({"at": "2030-05-20T09:00:00Z", "until": "2030-05-20T08:00:00Z"}, "window_empty", "until"),
            ({"at": None, "phone": "+442079460000"}, "field_unknown", "body"),
        ],
    )
    async def test_a_move_that_cannot_be(
        self, api: Place, shop: dict[str, str], body: dict[str, Any], code: str, field: str
    ) -> None:
        made = await api.submitted(shop)
        answer = await api.client.patch(f"/v1/callbacks/{made['id']}", json=body, headers=shop)
        problem(answer, 422, code, field)
        assert (await api.stored(made["id"])).version == 1

    async def test_of_a_call_under_way_it_is_told_who_was_first(self, api: Place, shop: dict[str, str]) -> None:
        made = await api.submitted(shop)
        attempt = await claimed(api.store, made["id"])
        path = f"/v1/callbacks/{made['id']}"
        for answer in (
            await api.client.patch(path, json=AT, headers=shop),
            await api.client.delete(path, headers=shop),
        ):
            assert (answer.status_code, answer.json()["answer"]) == (202, "undecided")
        await api.store.too_late(CallbackId(made["id"]))
        told = problem(await api.client.delete(path, headers=shop), 409, "too_late")
        assert "being called" in told["detail"]
        await api.store.finish(ended(attempt), COMPLETED)
        problem(await api.client.patch(path, json=AT, headers=shop), 409, "state")

    async def test_a_department_that_is_gone_keeps_its_callbacks_where_they_are(
        self, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        departments = dict(DIRECTORY.departments)
        async with place(tmp_path_factory.mktemp("gone"), directory=replace(DIRECTORY, departments=departments)) as api:
            shop = await api.as_()
            made = await api.submitted(shop)
            del departments["care"]
            answer = await api.client.patch(f"/v1/callbacks/{made['id']}", json=AT, headers=shop)
            problem(answer, 409, "state")


async def test_attempts_and_calls(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with place(tmp_path_factory.mktemp("calls")) as api:
        shop, other = await api.as_(), await api.as_(site="other")
        made = [await api.submitted(shop, department=name) for name in ("care", "sales", "care")]
        foreign = await api.submitted(other, department="elsewhere")
        for number, each in enumerate((*made, foreign)):
            attempt = progressed(await claimed(api.store, each["id"]), "originate_sent")
            if number != 2:
                outcome = (Outcome.CONNECTED, Outcome.CUSTOMER_BUSY)[number % 2]
                await api.store.finish(ended(attempt, outcome, NOW + timedelta(seconds=number)), COMPLETED)
        page = await got(api, shop, "/v1/calls")
        assert [each["callback_id"] for each in page["items"]] == [made[1]["id"], made[0]["id"]]
        first = page["items"][1]
        assert (first["outcome"], first["talk_seconds"], first["ended_at"]) == (
            "connected",
            61.000005,
            "2030-05-13T10:00:00Z",
        )
        assert first["number"] == (await api.stored(made[0]["id"])).visitor.phone
        assert first["lateness_seconds"] is not None
        one = await got(api, shop, "/v1/calls?limit=1")
        two = await got(api, shop, f"/v1/calls?limit=1&cursor={one['next']}")
        assert [*one["items"], *two["items"], two["next"]] == [*page["items"], None]
        for query, count in (("outcome=customer_busy", 1), ("department=care", 1), ("department=elsewhere", 0)):
            assert len((await got(api, shop, f"/v1/calls?{query}"))["items"]) == count
        living = await got(api, shop, f"/v1/callbacks/{made[2]['id']}/attempts")
        assert [(each["attempt"], each["ended_at"], each["outcome"]) for each in living["items"]] == [(1, None, None)]


async def test_a_call_stays_its_site_s_when_its_department_leaves_or_becomes_another_site_s(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    departments = dict(DIRECTORY.departments)
    async with place(tmp_path_factory.mktemp("gone"), directory=replace(DIRECTORY, departments=departments)) as api:
        shop, other = await api.as_(), await api.as_(site="other")
        asked = [(shop, "care"), (shop, "sales"), (other, "elsewhere")]
        made = [(await api.submitted(headers, department=name))["id"] for headers, name in asked]
        del departments["care"]
        departments["sales"] = replace(departments["sales"], site="other")
        made.append((await api.submitted(other, department="sales"))["id"])
        for number, id_ in enumerate(made):
            attempt = progressed(await claimed(api.store, id_), "originate_sent")
            await api.store.finish(ended(attempt, Outcome.CONNECTED, NOW + timedelta(seconds=number)), COMPLETED)

        async def seen(by: dict[str, str], query: str = "") -> list[str]:
            return [each["callback_id"] for each in (await got(api, by, f"/v1/calls{query}"))["items"]]

        assert (await seen(shop), await seen(other)) == ([made[1], made[0]], [made[3], made[2]])
        assert (await seen(shop, "?department=care"), await seen(other, "?department=care")) == ([made[0]], [])
        assert (await seen(shop, "?department=sales"), await seen(other, "?department=sales")) == ([made[1]], [made[3]])


class TestObjections:
    async def test_whoever_objected_is_not_called_and_may_be_again(self, api: Place, shop: dict[str, str]) -> None:
        made = await api.submitted(shop)
        number = (await api.stored(made["id"])).visitor.phone
        answer = await api.client.post("/v1/do-not-call", json={"phone": number, "why": "asked"}, headers=shop)
        assert (answer.status_code, answer.json()) == (
            201,
            {"phone": number, "rejected": 1, "stopped": 0, "too_late": 0, "undecided": 0},
        )
        assert (await api.stored(made["id"])).status is Status.REJECTED
        listed = await got(api, shop, "/v1/do-not-call")
        assert [(each["phone"], each["why"]) for each in listed["items"]] == [(number, "asked")]
        assert (await api.client.delete(f"/v1/do-not-call/{number}", headers=shop)).status_code == 204
        problem(await api.client.delete(f"/v1/do-not-call/{number}", headers=shop), 404, "objection_unknown")
        assert (await got(api, shop, "/v1/do-not-call"))["items"] == []

    async def test_another_site_neither_sees_nor_lifts_it(self, api: Place, shop: dict[str, str]) -> None:
        other, number = await api.as_(site="other"), api.number()
        await api.client.post("/v1/do-not-call", json={"phone": number}, headers=shop)
        assert (await got(api, other, "/v1/do-not-call"))["items"] == []
        problem(await api.client.delete(f"/v1/do-not-call/{number}", headers=other), 404, "objection_unknown")
        assert await api.store.objected(number)

    async def test_whoever_takes_theirs_back_leaves_what_others_said(self, api: Place, shop: dict[str, str]) -> None:
        """Each was answered 201: the second one's visitor must not be called because the first one's may be."""
        other, number = await api.as_(site="other"), api.number()
        for headers in (shop, other, shop):
            await api.client.post("/v1/do-not-call", json={"phone": number}, headers=headers)
        assert (await api.client.delete(f"/v1/do-not-call/{number}", headers=shop)).status_code == 204
        assert await api.store.objected(number)
        assert [each["phone"] for each in (await got(api, other, "/v1/do-not-call"))["items"]] == [number]
        assert (await api.client.delete(f"/v1/do-not-call/{number}", headers=other)).status_code == 204
        assert not await api.store.objected(number)

    async def test_nothing_of_another_site_s_callbacks_is_told(self, api: Place, shop: dict[str, str]) -> None:
        other = await api.as_(site="other")
        made = await api.submitted(other, department="elsewhere")
        number = (await api.stored(made["id"])).visitor.phone
        answer = await api.client.post("/v1/do-not-call", json={"phone": number}, headers=shop)
        assert answer.json()["rejected"] == 0
        assert (await api.stored(made["id"])).status is Status.REJECTED

    async def test_a_call_under_way_is_told(self, api: Place, shop: dict[str, str]) -> None:
        made = await api.submitted(shop)
        await claimed(api.store, made["id"])
        number = (await api.stored(made["id"])).visitor.phone
        answer = await api.client.post("/v1/do-not-call", json={"phone": number}, headers=shop)
        assert answer.json()["undecided"] == 1

    @pytest.mark.parametrize(
        ("body", "code", "field"),
        [
            ({}, "field_missing", "phone"),
            ({"phone": ""}, "field_missing", "phone"),
            ({"phone": "nobody"}, "number_not_a_number", "phone"),
            ({"phone": "+442079460000", "why": "a\nb"}, "field_characters", "why"),
            ({"phone": "+442079460000", "who": "me"}, "field_unknown", "body"),
        ],
    )
    async def test_what_is_no_objection(
        self, api: Place, shop: dict[str, str], body: dict[str, Any], code: str, field: str
    ) -> None:
        problem(await api.client.post("/v1/do-not-call", json=body, headers=shop), 422, code, field)
