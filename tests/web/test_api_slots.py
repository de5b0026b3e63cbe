"""What a widget is offered, and that it is kept."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dialer.domain.outcome import Outcome
from dialer.engine.ports import Claim
from tests.contract.story import COMPLETED, ended
from tests.unit.intake.places import NOW, with_account
from tests.web.place import Place, attempt_of, place, problem

SLOTS = "/v1/departments/sales/slots"
SPAN = {"until": "2030-05-15T00:00:00Z"}


async def test_every_slot_that_is_offered_is_kept(api: Place, shop: dict[str, str]) -> None:
    number = api.number()
    answer = await api.client.get(SLOTS, params={"number": number, "every": 60, **SPAN}, headers=shop)
    told = answer.json()
    assert (told["department"], told["zone"]) == ("sales", "Europe/London")
    assert told["slots"][0] == {"at": "2030-05-13T11:00:00+01:00", "expires_at": "2030-05-13T13:00:00+01:00"}
    assert len(told["slots"]) == 6 + 8
    for slot in told["slots"]:
        made = await api.submitted(shop, department="sales", phone=number, at=slot["at"])
        for key, value in (("due_at", slot["at"]), ("expires_at", slot["expires_at"])):
            assert datetime.fromisoformat(made[key]) == datetime.fromisoformat(value)
        await api.client.delete(f"/v1/callbacks/{made['id']}", headers=shop)


async def test_a_span(api: Place, shop: dict[str, str]) -> None:
    span = {"from": "2030-05-14T09:00:00+01:00", "until": "2030-05-14T08:31:00Z", "every": "30"}
    told = (await api.client.get(SLOTS, params=span, headers=shop)).json()["slots"]
    assert [each["at"] for each in told] == ["2030-05-14T09:00:00+01:00", "2030-05-14T09:30:00+01:00"]


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"from": "9999-12-31T23:59:59-14:00"}, 0),
        ({"from": "0001-01-01T00:00:00+14:00", "until": "0001-01-01T00:00:00+14:00"}, 0),
        ({"from": "2030-05-13T00:00:00Z", "until": "2032-01-01T00:00:00Z", "every": "5"}, 500),
        ({"from": "2031-05-13T09:59:00Z"}, 0),
    ],
)
async def test_any_span_has_its_answer(api: Place, shop: dict[str, str], params: dict[str, str], count: int) -> None:
    answer = await api.client.get(SLOTS, params=params, headers=shop)
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["slots"]) == count


@pytest.mark.parametrize(
    ("params", "code", "field"),
    [
        ({"every": "7"}, "field_invalid", "every"),
        ({"every": "0"}, "field_invalid", "every"),
        ({"from": "tomorrow"}, "field_invalid", "from"),
        ({"from": "2030-05-14T09:00:00Z", "until": "2030-05-14T08:00:00Z"}, "range_empty", "until"),
        ({"number": "nobody"}, "number_not_a_number", "phone"),
        ({"number": "0900 123 4567"}, "number_premium", "phone"),
        ({"number": ""}, "field_missing", "phone"),
        ({"phone": "020 7946 0000"}, "parameter_unknown", "query"),
    ],
)
async def test_what_cannot_be_asked(
    api: Place, shop: dict[str, str], params: dict[str, str], code: str, field: str
) -> None:
    problem(await api.client.get(SLOTS, params=params, headers=shop), 422, code, field)


@pytest.mark.parametrize("department", ["elsewhere", "nowhere"])
async def test_a_department_of_another_site(api: Place, shop: dict[str, str], department: str) -> None:
    answer = await api.client.get(f"/v1/departments/{department}/slots", headers=shop)
    problem(answer, 404, "department_unknown")


async def test_an_account_that_has_used_up_its_day_offers_tomorrow_and_moves_nothing_to_today(tmp_path: Path) -> None:
    async with place(tmp_path, directory=with_account(max_attempts_a_day=1)) as api:
        headers = await api.as_()
        made = await api.submitted(headers, department="sales")
        attempt = replace(attempt_of(was := await api.stored(made["id"])), created_at=NOW)
        assert await api.store.claim(Claim(was, attempt))
        await api.store.finish(ended(attempt, Outcome.CONNECTED, NOW + timedelta(seconds=1)), COMPLETED)
        told = (await api.client.get(SLOTS, headers=headers)).json()["slots"]
        assert told[0]["at"] == "2030-05-14T09:00:00+01:00"
        waiting = await api.submitted(headers, department="sales", at=told[0]["at"])
        moved = await api.client.patch(f"/v1/callbacks/{waiting['id']}", json={"at": None}, headers=headers)
        problem(moved, 429, "account_cap", "department")
        assert (await api.stored(waiting["id"])).due_at == datetime.fromisoformat(told[0]["at"])
        moved = await api.client.patch(f"/v1/callbacks/{waiting['id']}", json={"at": told[1]["at"]}, headers=headers)
        assert moved.status_code == 200
