"""Who may ask what: keys and their scopes, rates, origins, and addresses behind proxies."""

from collections.abc import Sequence
from ipaddress import ip_network
from pathlib import Path

import pytest

from dialer.intake.limits import Limit
from dialer.store.keys import Keys
from dialer.web.doorkeeper import Doorkeeper
from dialer.web.pace import Pacer
from dialer.web.problems import Problem
from dialer.web.proxies import visitor
from tests.unit.intake.places import NOW
from tests.web.place import MINUTE, ORIGIN, Place, place, problem

ASKED = [
    ("POST", "/v1/callbacks", "submit"),
    ("GET", "/v1/callbacks", "read"),
    ("GET", "/v1/callbacks/x", "read"),
    ("PATCH", "/v1/callbacks/x", "manage"),
    ("DELETE", "/v1/callbacks/x", "manage"),
    ("GET", "/v1/callbacks/x/attempts", "read"),
    ("GET", "/v1/calls", "read"),
    ("GET", "/v1/do-not-call", "manage"),
    ("POST", "/v1/do-not-call", "manage"),
    ("DELETE", "/v1/do-not-call/+442079460000", "manage"),
    ("GET", "/v1/departments/sales/slots", "submit"),
    ("POST", "/v1/events", "submit"),
    ("GET", "/v1/reports/usage", "read"),
]
SCOPES = ("submit", "read", "manage")


@pytest.mark.parametrize(("method", "path", "scope"), ASKED)
async def test_each_thing_needs_its_scope(api: Place, method: str, path: str, scope: str) -> None:
    problem(await api.client.request(method, path), 401, "key_missing")
    for other in SCOPES:
        answer = await api.client.request(method, path, headers=await api.as_(other))
        if other == scope:
            assert answer.status_code not in {401, 403}
        else:
            told = problem(answer, 403, "scope_missing")
            assert scope in told["detail"]


async def test_everything_that_is_documented_is_among_them(api: Place) -> None:
    document = (await api.client.get("/openapi.json")).json()
    documented = {(method.upper(), path) for path, each in document["paths"].items() for method in each}
    shown = {"x": "{id}", "sales": "{id}", "+442079460000": "{number}", "usage": "{kind}"}
    named = {(method, "/".join(shown.get(part, part) for part in path.split("/"))) for method, path, _ in ASKED}
    assert {(method, path) for method, path in documented if path.startswith("/v1/")} == named


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Basic bWk6eA==",
        "Bearer mi_short",
        "Bearer mi_" + "0" * 43,
        "Bearer mi_" + "é" * 43,
        "bearer\tmi_",
        "Bearer " + "x" * 5000,
    ],
)
async def test_what_is_no_key(api: Place, header: str) -> None:
    headers = [(b"authorization", header.encode("latin-1"))]
    answer = await api.client.get("/v1/callbacks", headers=headers)
    assert problem(answer, 401, answer.json()["code"])["code"] in {"key_missing", "key_unknown"}
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_two_keys_are_none(api: Place) -> None:
    token = await api.key()
    both = [("authorization", f"Bearer {token}")] * 2
    problem(await api.client.get("/v1/callbacks", headers=both), 401, "key_missing")


async def test_a_revoked_key_opens_nothing_within_a_second(api: Place) -> None:
    headers = await api.as_()
    assert (await api.client.get("/v1/callbacks", headers=headers)).status_code == 200
    newest = (await Keys(api.store).all())[-1]
    assert await Keys(api.store).revoke(newest.id, "ann")
    assert not await Keys(api.store).revoke(newest.id, "ann")
    api.clocks.seconds += 1
    problem(await api.client.get("/v1/callbacks", headers=headers), 401, "key_unknown")


async def test_a_key_whose_site_is_gone(api: Place) -> None:
    headers = await api.as_(site="closed-shop")
    problem(await api.client.get("/v1/callbacks", headers=headers), 401, "key_unknown")


async def test_when_a_key_was_last_used_is_noted_once_a_minute(api: Place) -> None:
    headers, keys = await api.as_(), Keys(api.store)
    (newest,) = (await keys.all())[-1:]
    assert newest.last_used_at is None
    await api.client.get("/v1/callbacks", headers=headers)
    await api.doorkeeper.note_uses()
    api.clocks.wall += MINUTE
    api.clocks.seconds += 59
    await api.client.get("/v1/callbacks", headers=headers)
    await api.doorkeeper.note_uses()
    assert (await keys.all())[-1].last_used_at == NOW
    api.clocks.seconds += 1
    await api.client.get("/v1/callbacks", headers=headers)
    await api.doorkeeper.note_uses()
    assert (await keys.all())[-1].last_used_at == NOW + MINUTE
    api.clocks.wall = NOW


class TestRates:
    async def test_a_key_s(self, tmp_path: Path) -> None:
        async with place(tmp_path, per_key=2) as api:
            one, two = await api.as_(), await api.as_()
            for _ in range(2):
                assert (await api.client.get("/v1/callbacks", headers=one)).status_code == 200
            api.clocks.seconds += 20
            answer = await api.client.get("/v1/callbacks", headers=one)
            problem(answer, 429, "rate")
            assert answer.headers["retry-after"] == "40"
            assert (await api.client.get("/v1/callbacks", headers=two)).status_code == 200
            api.clocks.seconds += 40
            assert (await api.client.get("/v1/callbacks", headers=one)).status_code == 200

    async def test_an_address_s_without_a_key_or_with_wrong_ones(self, tmp_path: Path) -> None:
        async with place(tmp_path, per_address=3) as api:
            headers = await api.as_()
            await api.client.get("/healthz")
            await api.client.get("/v1/calls")
            await api.client.get("/v1/calls", headers={"authorization": "Bearer mi_" + "a" * 43})
            for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/v1/calls"):
                problem(await api.client.get(path), 429, "rate")
            wrong = {"authorization": "Bearer mi_" + "b" * 43}
            problem(await api.client.get("/v1/calls", headers=wrong), 429, "rate")
            assert (await api.client.get("/v1/calls", headers=headers)).status_code == 200

    async def test_an_address_s_with_a_key_that_anybody_may_read(self, tmp_path: Path) -> None:
        async with place(tmp_path, per_address=1) as api:
            headers = await api.as_("submit")
            assert (await api.client.get("/v1/departments/sales/slots", headers=headers)).status_code == 200
            problem(await api.client.get("/v1/departments/sales/slots", headers=headers), 429, "rate")

    def test_of_ipv6_a_whole_network_is_one_asker(self, tmp_path: Path) -> None:
        seen = Pacer(Limit(1, MINUTE), lambda: 0.0)
        doorkeeper = Doorkeeper(None, seen, seen, lambda: 0.0)  # type: ignore[arg-type]  # no key is looked up
        doorkeeper.keyless("2001:db8::1")
        doorkeeper.keyless("2001:db8:0:1::1")
        with pytest.raises(Problem):
            doorkeeper.keyless("2001:db8::ffff:2")

    def test_on_a_socket_of_both_kinds_each_ipv4_address_is_its_own_asker(self) -> None:
        """There all of them lie in one IPv6 network: the first visitor would use up everybody's pace."""
        seen = Pacer(Limit(1, MINUTE), lambda: 0.0)
        doorkeeper = Doorkeeper(None, seen, seen, lambda: 0.0)  # type: ignore[arg-type]  # no key is looked up
        doorkeeper.keyless("::ffff:192.0.2.1")
        doorkeeper.keyless("::ffff:192.0.2.2")
        with pytest.raises(Problem):
            doorkeeper.keyless("192.0.2.1")

    def test_a_count_holds_for_any_stretch(self) -> None:
        now = [0.0]
        pacer = Pacer(Limit(2, MINUTE), lambda: now[0])
        waits = []
        for now[0] in (0.0, 59.0, 59.0, 60.0, 60.0, 118.9, 119.0):
            waits.append(pacer.wait("a"))
        assert waits == [0, 0, 1, 0, pytest.approx(59), pytest.approx(0.1), 0]

    def test_a_flood_of_askers_does_not_fill_the_memory(self) -> None:
        pacer = Pacer(Limit(1, MINUTE), lambda: 0.0)
        for asker in range(20_000):
            assert pacer.wait(asker) == 0
        assert len(pacer._asked) == 10_000
        assert pacer.wait(19_999) == 60


class TestOrigins:
    async def test_a_page_of_the_site_may_submit_and_ask_for_times(self, api: Place) -> None:
        headers = await api.as_("submit", origin=ORIGIN)
        made = await api.client.post(
            "/v1/callbacks", json={"department": "care", "phone": api.number()}, headers=headers
        )
        slots = await api.client.get("/v1/departments/sales/slots", headers=headers)
        for answer in (made, slots):
            assert answer.status_code in {200, 201}
            assert answer.headers["access-control-allow-origin"] == ORIGIN
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize(
        ("path", "method"), [("/v1/callbacks", "POST"), ("/v1/departments/sales/slots", "GET"), ("/v1/events", "POST")]
    )
    async def test_a_preflight_is_answered(self, api: Place, path: str, method: str) -> None:
        asking = {
            "origin": ORIGIN,
            "access-control-request-method": method,
            "access-control-request-headers": "authorization,content-type,idempotency-key",
        }
        answer = await api.client.options(path, headers=asking)
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["access-control-allow-methods"] == method
        assert "Idempotency-Key" in answer.headers["access-control-allow-headers"]

    @pytest.mark.parametrize(
        ("path", "origin"),
        [
            ("/v1/callbacks", "https://www.example.org"),
            ("/v1/callbacks", "null"),
            ("/v1/callbacks", f"{ORIGIN}."),
            ("/v1/callbacks/x", ORIGIN),
            ("/v1/calls", ORIGIN),
            ("/v1/do-not-call", ORIGIN),
        ],
    )
    async def test_nothing_else_is(self, api: Place, path: str, origin: str) -> None:
        asking = {"origin": origin, "access-control-request-method": "POST"}
        answer = await api.client.options(path, headers=asking)
        problem(answer, 405, "method_not_allowed")
        assert "access-control-allow-origin" not in answer.headers

    @pytest.mark.parametrize("origin", ["https://other.example.com", "https://www.example.org"])
    async def test_a_foreign_page_may_not_use_the_key(self, api: Place, origin: str) -> None:
        headers = await api.as_("submit", origin=origin)
        answer = await api.client.get("/v1/departments/sales/slots", headers=headers)
        problem(answer, 403, "origin_foreign")

    async def test_a_secret_key_is_refused_from_a_browser(self, api: Place) -> None:
        headers = await api.as_("submit,read", origin=ORIGIN)
        problem(await api.client.get("/v1/departments/sales/slots", headers=headers), 403, "key_secret")

    async def test_a_refusal_can_be_read_by_the_page(self, api: Place) -> None:
        headers = await api.as_("submit", origin=ORIGIN)
        answer = await api.client.post("/v1/callbacks", json={"department": "care"}, headers=headers)
        problem(answer, 422, "field_missing", "phone")
        assert answer.headers["access-control-allow-origin"] == ORIGIN


NETWORKS = [ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24"), ip_network("fd00::/8")]


@pytest.mark.parametrize(
    ("forwarded", "found"),
    [
        ([], "127.0.0.1"),
        (["192.0.2.1"], "192.0.2.1"),
        (["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        (["198.51.100.9", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        (["192.0.2.1, fd00::1, 10.0.0.7"], "192.0.2.1"),
        (["::ffff:192.0.2.1"], "192.0.2.1"),
        (["2001:db8::1"], "2001:db8::1"),
        (["10.0.0.7"], "10.0.0.7"),
        (["192.0.2.1, nonsense"], "127.0.0.1"),
        (["192.0.2.1, , 10.0.0.7"], "10.0.0.7"),
        (["192.0.2.1:443"], "127.0.0.1"),
        ([""], "127.0.0.1"),
    ],
)
def test_the_last_hop_that_is_no_proxy_of_ours(forwarded: Sequence[str], found: str) -> None:
    assert visitor("127.0.0.1", forwarded, NETWORKS) == found


@pytest.mark.parametrize("trusted", [True, False])
async def test_only_a_trusted_proxy_is_believed(tmp_path: Path, trusted: bool) -> None:  # noqa: FBT001  # a case
    async with place(tmp_path, trusted=NETWORKS if trusted else ()) as api:
        ours, plain = await api.as_("submit", **{"x-forwarded-for": "192.0.2.1"}), await api.as_("submit,read")
        seen = await api.submitted(ours)
        told, local = [await api.submitted(plain, address=each) for each in ("192.0.2.1", "127.0.0.1")]
        by_id = {each["id"]: (await api.stored(each["id"])).origin for each in (seen, told, local)}
        assert by_id[seen["id"]] == by_id[(told if trusted else local)["id"]]


async def test_a_key_opens_its_own_site_only(api: Place, shop: dict[str, str]) -> None:
    other = await api.as_(site="other")
    mine = await api.submitted(shop)
    id_ = mine["id"]
    for method, path in (
        ("GET", f"/v1/callbacks/{id_}"),
        ("GET", f"/v1/callbacks/{id_}/attempts"),
        ("DELETE", f"/v1/callbacks/{id_}"),
    ):
        problem(await api.client.request(method, path, headers=other), 404, "callback_unknown")
    moved = await api.client.patch(f"/v1/callbacks/{id_}", json={"at": None}, headers=other)
    problem(moved, 404, "callback_unknown")
    slots = await api.client.get("/v1/departments/sales/slots", headers=other)
    problem(slots, 404, "department_unknown")
    listed = (await api.client.get("/v1/callbacks", headers=other)).json()["items"]
    assert id_ not in {each["id"] for each in listed}
    assert (await api.stored(id_)).status == "scheduled"
