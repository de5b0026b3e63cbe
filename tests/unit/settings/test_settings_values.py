"""The values of the keys: what they become, their defaults, and what is no value."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from dialer.domain.directory import (
    AgentOrder,
    Delay,
    Interval,
    NameStyle,
    NumberFormat,
    Pace,
)
from dialer.domain.outcome import Outcome
from dialer.domain.phone import DEFAULT_POLICY, NumberKind
from dialer.intake.limits import Limit, Limits
from dialer.settings import RetrySettings
from tests.unit.settings.least import LEAST, loaded, refused_at, sales

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def test_the_least_configuration_and_its_defaults(file: Path) -> None:
    settings = loaded(file)
    directory = settings.directory()
    agent, department = directory.agents["anna"], directory.departments["sales"]
    assert (agent.pbx, agent.device) == ("main", "PJSIP/anna")
    assert (department.site, department.trunks, department.caller_id) == ("shop", ("carrier",), "+442079460123")
    assert (department.agent_ring, department.customer_ring, department.max_call) == (20, 25, 7200)
    assert (department.press_to_accept, department.whisper, department.called_in) == (True, "", False)
    assert (department.order, department.name_style) == (AgentOrder.LONGEST_IDLE, NameStyle.LATIN)
    assert (department.wrap_up, department.max_missed_rings) == (timedelta(0), 3)
    assert (department.overflow, department.patience, department.pace) == (None, 8 * HOUR, Pace())
    assert settings.pbx["main"].port == 5038
    assert settings.file == file
    assert settings.state_dir == Path("/var/lib/dialer")
    assert settings.database == Path("/var/lib/dialer/dialer.db")
    assert settings.socket == Path("/var/lib/dialer/dialer.sock")
    assert (settings.metrics_file, settings.alerts.webhook, directory.callback_page) == (None, None, "")


def test_the_defaults_of_what_a_department_leans_on(file: Path) -> None:
    directory = loaded(file).directory()
    site, trunk, account = directory.sites["shop"], directory.trunks["carrier"], directory.accounts["default"]
    assert (site.account, site.zone.key, site.region) == ("default", "Europe/London", "GB")
    assert (site.call_between, site.page_query) == (Interval(time(8), time(21)), False)
    assert (trunk.pbx, trunk.endpoint, trunk.prefixes, trunk.inbound_contexts) == ("main", "mi-trunk", (), ())
    assert (trunk.number_format, trunk.region, trunk.pace) == (NumberFormat.E164, "GB", Pace(10.0))
    assert (account.name, account.zone.key, account.numbers) == ("Default", "Europe/London", DEFAULT_POLICY)
    assert (account.pace, account.max_attempts_a_day, account.max_minutes_a_day) == (Pace(), None, None)
    assert directory.pbxs == {"main": Pace()}


def test_relative_paths_start_at_the_files_folder(file: Path) -> None:
    paths = '[daemon]\nstate_dir = "state"\nsocket = "/run/d.sock"\nmetrics_file = "d.prom"\n[store]\npath = "d.db"\n'
    settings = loaded(file, paths + LEAST)
    assert settings.state_dir == file.parent / "state"
    assert settings.database == file.parent / "d.db"
    assert settings.metrics_file == file.parent / "d.prom"
    assert settings.socket == Path("/run/d.sock")


# --- retries ---------------------------------------------------------------------------------------------------------


def test_every_outcome_that_can_be_tried_again_has_a_ladder() -> None:
    bounds = {"max_customer_attempts", "max_customer_attempts_a_day", "max_agent_rings", "least_gap", "jitter"}
    final = {Outcome.CONNECTED.value, Outcome.IN_DOUBT.value}
    assert set(RetrySettings.model_fields) == {outcome.value for outcome in Outcome} - final | bounds


def test_the_usual_retry_rule(file: Path) -> None:
    retry = sales(file).retry
    assert retry.delays[Outcome.CUSTOMER_BUSY] == (Delay(5 * MINUTE), Delay(15 * MINUTE), Delay(HOUR))
    assert Outcome.CUSTOMER_DECLINED not in retry.delays
    assert (retry.max_customer_attempts, retry.max_customer_attempts_a_day, retry.max_agent_rings) == (3, None, 10)
    assert (retry.least_gap, retry.jitter) == (2 * MINUTE, 0.1)


def test_a_retry_rule_of_its_own(file: Path) -> None:
    retry = sales(
        file,
        """[department.sales.retry]
        customer_busy = []
        customer_no_answer = ["2h open", "1d"]
        agent_busy = ["0s", "90s", "2h", "30d"]
        max_customer_attempts = 4
        max_customer_attempts_a_day = 2
        least_gap = "90s"
        jitter = 1
        """,
    ).retry
    assert Outcome.CUSTOMER_BUSY not in retry.delays
    assert retry.delays[Outcome.CUSTOMER_NO_ANSWER] == (Delay(2 * HOUR, opening=True), Delay(DAY))
    assert retry.delays[Outcome.AGENT_BUSY] == (Delay(0 * DAY), Delay(1.5 * MINUTE), Delay(2 * HOUR), Delay(30 * DAY))
    assert (retry.max_customer_attempts, retry.max_customer_attempts_a_day) == (4, 2)
    assert (retry.least_gap, retry.jitter) == (1.5 * MINUTE, 1.0)


@pytest.mark.parametrize(
    ("given", "patience"), [("never", None), ("1s", timedelta(seconds=1)), ("90m", 90 * MINUTE), ("30d", 30 * DAY)]
)
def test_patience_is_a_duration_or_never_ends(file: Path, given: str, patience: timedelta | None) -> None:
    assert sales(file, f'patience = "{given}"').patience == patience


# --- what is new around the department -------------------------------------------------------------------------------


def test_a_department_of_its_own(file: Path) -> None:
    department = sales(
        file,
        """order = "round_robin"
        wrap_up_seconds = 45
        max_missed_rings = 0
        caller_name = "ascii"
        calls_per_second = 0.5
        calls_at_once = 7
        """,
    )
    assert (department.order, department.wrap_up) == (AgentOrder.ROUND_ROBIN, timedelta(seconds=45))
    assert (department.max_missed_rings, department.name_style) == (0, NameStyle.ASCII)
    assert department.pace == Pace(0.5, 7)


def test_a_trunk_of_its_own(file: Path) -> None:
    trunk = """[trunk.carrier]
    prefixes = ["+44 20", "+"]
    number_format = "national"
    region = "JE"
    inbound_contexts = ["from-carrier", "from_carrier2"]
    calls_per_second = 1000
    calls_at_once = 10000
    """
    made = loaded(file, LEAST.replace("[trunk.carrier]\n", trunk)).directory().trunks["carrier"]
    assert made.prefixes == ("+4420", "+")
    assert (made.number_format, made.region) == (NumberFormat.NATIONAL, "JE")
    assert made.inbound_contexts == ("from-carrier", "from_carrier2")
    assert made.pace == Pace(1000.0, 10_000)


def test_an_account_of_its_own(file: Path) -> None:
    account = """[account.acme]
    name = "Acme Ltd"
    zone = "America/New_York"
    regions = ["GB", "IM"]
    kinds = ["mobile", "voip"]
    deny = ["+44 20 7946 0999", "+44 1"]
    max_attempts_a_day = 500
    max_minutes_a_day = 2000
    calls_per_second = 2.5
    """
    directory = loaded(file, LEAST + account).directory()
    made = directory.accounts["acme"]
    assert list(directory.accounts) == ["acme"]
    assert directory.sites["shop"].account == "acme"
    assert directory.account_of(directory.departments["sales"]) is made
    assert (made.name, made.zone.key, made.pace) == ("Acme Ltd", "America/New_York", Pace(2.5))
    assert made.numbers.regions == {"GB", "IM"}
    assert made.numbers.kinds == {NumberKind.MOBILE, NumberKind.VOIP}
    assert made.numbers.deny == {"+442079460999", "+441"}
    assert (made.max_attempts_a_day, made.max_minutes_a_day) == (500, 2000)


def test_a_pbx_has_a_pace(file: Path) -> None:
    text = LEAST.replace("[pbx.main]", "[pbx.main]\ncalls_per_second = 20\ncalls_at_once = 250")
    assert loaded(file, text).directory().pbxs == {"main": Pace(20.0, 250)}


@pytest.mark.parametrize(
    ("table", "limits"),
    [
        (
            "",
            Limits(
                per_number=(Limit(7, 15 * MINUTE), Limit(9, HOUR), Limit(15, DAY)),
                per_visitor=(Limit(3, HOUR), Limit(4, DAY)),
            ),
        ),
        ("[limits]\nper_number = []\nper_visitor = []\n", Limits()),
        (
            '[limits]\nper_number = ["1000/1s"]\nper_visitor = ["1/30d"]\n',
            Limits((Limit(1000, timedelta(seconds=1)),), (Limit(1, 30 * DAY),)),
        ),
    ],
)
def test_limits(file: Path, table: str, limits: Limits) -> None:
    assert loaded(file, table + LEAST).limits() == limits


@pytest.mark.parametrize(
    "address",
    [
        "https://hooks.example.com/services/T0/B0?x=1&y=%20#z",
        "http://127.0.0.1:9093/api",
        "http://[::1]:9093/",
        "HTTPS://hooks",
    ],
)
def test_a_webhook(file: Path, address: str) -> None:
    settings = loaded(file, f'[alerts]\nwebhook = "{address}"\n{LEAST}')
    assert settings.alerts.webhook == address
    # Whoever knows such an address may post there.
    assert "webhook" not in repr(settings.alerts)
    assert address not in repr(settings)


@pytest.mark.parametrize(
    "address", ["https://desk.example.com/callbacks/{id}", "http://desk:8080/?callback={id}&tab=1", "https://d/{id}#x"]
)
def test_a_callback_page(file: Path, address: str) -> None:
    assert loaded(file, f'[desk]\ncallback_page = "{address}"\n{LEAST}').directory().callback_page == address


# --- what is no value ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("[pbx.main]", "[pbx.main]\nhots = 1", "pbx.main.hots", "unknown key"),
        ("[pbx.main]", "[demon]\n[pbx.main]", "demon", "unknown key"),
        ("[pbx.main]", "_env_file = 'x'\n[pbx.main]", "_env_file", "unknown key"),
        ("[pbx.main]", "log = 3\n[pbx.main]", "log", "not a table"),
        ("[pbx.main]", "limits = 3\n[pbx.main]", "limits", "not a table"),
        ("[pbx.main]", "request_limits = {}\n[pbx.main]", "request_limits", "unknown key"),
        ("[pbx.main]", "[log]\nlevel = 'loud'\n[pbx.main]", "log.level", "input should be"),
        ("[pbx.main]", '[store]\npath = "d\\u0000"\n[pbx.main]', "store.path", "not a path"),
        ("[pbx.main]", "[daemon]\nmetrics_file = 'dialer.db'\n[pbx.main]", "daemon.metrics_file", "not a metrics file"),
        ("[pbx.main]", '[daemon]\nmetrics_file = "\\u0000.prom"\n[pbx.main]', "daemon.metrics_file", "not a path"),
        ("[pbx.main]", "[pbx.main]\nport = 70000", "pbx.main.port", "less than"),
        ("[pbx.main]", '[pbx."Main 1"]', "pbx.Main 1", "not an id"),
        ("[pbx.main]", "[pbx.main]\nhost = 'a b'", "pbx.main.host", "not a host"),
        ('"mi-dialer"', '"mi\\r\\nAction: Ping"', "pbx.main.username", "not a user name"),
        ('username = "mi-dialer"\n', "", "pbx.main.username", "is missing"),
        ('secret = "open sesame"\n', "", "pbx.main", "no secret"),
        ("[trunk.carrier]", 'secret_file = "s"\n[trunk.carrier]', "pbx.main", "more than one secret"),
        ("[trunk.carrier]", 'secret_credential = "../s"\n[trunk.carrier]', "pbx.main.secret_credential", "not a cred"),
        ('"mi-trunk"', '"mi-trunk,15"', "trunk.carrier.endpoint", "not an endpoint"),
        ('"PJSIP/anna"', '"anna"', "agent.anna.endpoint", "not a phone"),
        ('"PJSIP/anna"', '"PJSIP/anna&PJSIP/ben"', "agent.anna.endpoint", "not a phone"),
        ('"PJSIP/anna"', '"Local/anna@other"', "agent.anna.endpoint", "not a phone"),
        ('"PJSIP/anna"', '"PJSIP/anna"\ndevice = "x"', "agent.anna.device", "not a device"),
        ('name = "Shop"', 'name = "Shop\\u0007"', "site.shop.name", "not a name"),
        ('name = "Shop"', 'name = "Shop"\nzone = "Europe/Londn"', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nzone = "Europe"', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nzone = "/etc/localtime"', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nzone = 1', "site.shop.zone", "no such time zone"),
        ('name = "Shop"', 'name = "Shop"\nregion = "UK"', "site.shop.region", "no such region"),
        ('name = "Shop"', 'name = "Shop"\npage_query = "some"', "site.shop.page_query", "valid boolean"),
        ("020 7946 0123", "020 79", "department.sales.caller_id", "too short"),
        ("020 7946 0123", "0901 234 5678", "department.sales.caller_id", "premium"),
        ("020 7946 0123", "07700 900123", "department.sales.caller_id", "not a number in use"),
    ],
)
def test_one_thing_wrong(file: Path, old: str, new: str, key: str, says: str) -> None:
    assert old in LEAST
    refused_at(file, LEAST.replace(old, new), key, says)


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ("agents = []", "agents", "at least 1"),
        ('agents = ["Anna"]', "agents.0", "not an id"),
        ("trunks = []", "trunks", "at least 1"),
        ("customer_ring = 14", "customer_ring", "greater than or equal to 15"),
        ('accept = "1"', "accept", "input should be"),
        ('whisper = "beep,1"', "whisper", "not sounds"),
        (f'whisper = "{"a" * 801}"', "whisper", "not sounds"),
        ('order = "any"', "order", "'ring_order', 'round_robin' or 'longest_idle'"),
        ('caller_name = "Latin"', "caller_name", "'as_written', 'latin' or 'ascii'"),
        ("wrap_up_seconds = -1", "wrap_up_seconds", "greater than or equal to 0"),
        ("max_missed_rings = 101", "max_missed_rings", "less than or equal to 100"),
        ("calls_per_second = 0", "calls_per_second", "greater than"),
        ("calls_per_second = 1e-300", "calls_per_second", "greater than"),
        ("calls_per_second = 1001", "calls_per_second", "less than"),
        ("calls_per_second = nan", "calls_per_second", "less than"),
        ("calls_per_second = inf", "calls_per_second", "less than"),
        ("calls_at_once = 0", "calls_at_once", "greater than"),
        ("calls_at_once = 10001", "calls_at_once", "less than"),
        ("calls_at_once = 1.5", "calls_at_once", "valid integer"),
        ('patience = "0s"', "patience", "not a patience"),
        ('patience = "ever"', "patience", "not a patience"),
        ('patience = "8h open"', "patience", "not a patience"),
        ("patience = 8", "patience", "not a patience"),
        # A move that let its agent go would end as failed.
        ("retry = { cancelled = [] }", "retry.cancelled", "at least 1"),
        ("retry = { not_placed = [] }", "retry.not_placed", "at least 1"),
        ("retry = { connected = [] }", "retry.connected", "unknown key"),
        ('retry = { cancelled = ["5"] }', "retry.cancelled.0", "not a duration"),
        ('retry = { cancelled = ["5s", "31d"] }', "retry.cancelled.1", "not a duration"),
        ("retry = { cancelled = [5] }", "retry.cancelled.0", "not a duration"),
        ('retry = { cancelled = ["2h opened"] }', "retry.cancelled.0", "not a duration"),
        ('retry = { cancelled = ["2h  open"] }', "retry.cancelled.0", "not a duration"),
        ('retry = { cancelled = [" open"] }', "retry.cancelled.0", "not a duration"),
        ('retry = { least_gap = "2m open" }', "retry.least_gap", "not a duration"),
        ("retry = { jitter = -0.1 }", "retry.jitter", "greater than or equal to 0"),
        ("retry = { jitter = 1.1 }", "retry.jitter", "less than or equal to 1"),
        ("retry = { jitter = nan }", "retry.jitter", "less than or equal to 1"),
        ("retry = { max_customer_attempts_a_day = 0 }", "retry.max_customer_attempts_a_day", "greater than"),
        ("retry = { max_customer_attempts_a_day = 21 }", "retry.max_customer_attempts_a_day", "less than"),
        ('overflow = { after = "soon" }', "overflow.after", "not a duration"),
        ("overflow = true", "overflow", "not a table"),
        ('overflow = { agent = ["anna"] }', "overflow.agent", "unknown key"),
        ("bank_holiday_hours = 9", "bank_holiday_hours", "not a list"),
        ('bank_holidays = "uk"', "bank_holidays", "'england', 'wales', 'scotland' or 'northern_ireland'"),
    ],
)
def test_one_thing_wrong_with_a_department(file: Path, line: str, key: str, says: str) -> None:
    kept = "".join(f"{each}\n" for each in LEAST.splitlines() if not each.startswith(f"{line.partition(' =')[0]} ="))
    refused_at(file, f"{kept}{line}\n", f"department.sales.{key}", says)


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ('prefixes = ["44"]', "prefixes.0", "not a prefix"),
        ('prefixes = ["+44", "+x"]', "prefixes.1", "not a prefix"),
        ('prefixes = ["+\u0664\u0664"]', "prefixes.0", "not a prefix"),
        ('prefixes = ["+1234567890123456"]', "prefixes.0", "not a prefix"),
        ('number_format = "local"', "number_format", "'e164', 'e164_plain' or 'national'"),
        ('number_format = "national"', "region", "is missing"),
        ('region = "001"', "region", "no such region"),
        ('inbound_contexts = ["in,s,1"]', "inbound_contexts.0", "not a dialplan context"),
        ('inbound_contexts = ["-in"]', "inbound_contexts.0", "not a dialplan context"),
        (f'inbound_contexts = ["{"i" * 81}"]', "inbound_contexts.0", "not a dialplan context"),
    ],
)
def test_one_thing_wrong_with_a_trunk(file: Path, line: str, key: str, says: str) -> None:
    refused_at(file, LEAST.replace("[trunk.carrier]", f"[trunk.carrier]\n{line}"), f"trunk.carrier.{key}", says)


@pytest.mark.parametrize(
    ("line", "key", "says"),
    [
        ('regions = ["UK"]', "regions.0", "no such region"),
        ("regions = []", "regions", "at least 1"),
        ('kinds = ["landline"]', "kinds.0", "not a kind of number that may be called"),
        ('kinds = ["mobile", "premium"]', "kinds.1", "not a kind of number that may be called"),
        ('kinds = ["special_rate"]', "kinds.0", "not a kind of number that may be called"),
        ('kinds = ["personal"]', "kinds.0", "not a kind of number that may be called"),
        ("kinds = [1]", "kinds.0", "not a kind of number that may be called"),
        ('deny = ["020 7946 0999"]', "deny.0", "not a number or prefix"),
        ('deny = ["+44"]', "deny.0", "not a number or prefix"),
        ('deny = ["+1234567890123456"]', "deny.0", "not a number or prefix"),
        ('deny = ["+44\\t1"]', "deny.0", "not a number or prefix"),
        ("max_attempts_a_day = 0", "max_attempts_a_day", "greater than"),
        ("max_minutes_a_day = 0", "max_minutes_a_day", "greater than"),
        ('zone = "London"', "zone", "no such time zone"),
    ],
)
def test_one_thing_wrong_with_an_account(file: Path, line: str, key: str, says: str) -> None:
    refused_at(file, f'{LEAST}[account.acme]\nname = "Acme"\n{line}\n', f"account.acme.{key}", says)


def test_the_kinds_that_may_be_called_are_told(file: Path) -> None:
    text = LEAST + '[account.acme]\nname = "Acme"\nkinds = ["landline"]\n'
    error = refused_at(file, text, "account.acme.kinds.0", "not a kind")
    assert error.remedy == "known are fixed, mobile, fixed_or_mobile, toll_free, voip, pager, uan, voicemail"


@pytest.mark.parametrize(
    "limit", ["7", "7/", "/15m", "0/15m", "1001/15m", "7/0s", "7/31d", "7/15", "7/15m/1", "-7/15m", "\u0667/15m", 7]
)
def test_what_is_no_limit(file: Path, limit: str | int) -> None:
    text = f"[limits]\nper_number = [{limit!r}]\n{LEAST}"
    refused_at(file, text, "limits.per_number.0", "not a limit")


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("hooks.example.com", "not a web address"),
        ("ftp://hooks.example.com/", "not a web address"),
        ("https:///path", "not a web address"),
        ("https://:443/", "not a web address"),
        ("https://hooks.example.com:port/", "not a web address"),
        ("https://hooks.example.com:99999/", "not a web address"),
        ("https://[::1/", "not a web address"),
        ("https://hooks.example.com/a b", "not a web address"),
        ("https://hooks.example.com/\\r\\nX: y", "not a web address"),
        ("https://hooks.example.com/\u00e9", "not a web address"),
        ("https://who:sesame@hooks.example.com/", "holds a user name"),
        ("https://who@hooks.example.com/", "holds a user name"),
    ],
)
def test_what_is_no_webhook(file: Path, address: str, says: str) -> None:
    refused_at(file, f'[alerts]\nwebhook = "{address}"\n{LEAST}', "alerts.webhook", says)


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("https://desk.example.com/callbacks/", "must hold {id} once"),
        ("https://desk.example.com/{id}/{id}", "must hold {id} once"),
        ("https://{id}.example.com/", "must hold {id} once"),
        ("{id}", "must hold {id} once"),
        ("/callbacks/{id}", "must hold {id} once"),
        ("ftp://desk.example.com/{id}", "not a web address"),
        ("https://desk.example.com/{id}/{name}", "not a web address"),
        ("https://desk.example.com/{id}/$x", "not a web address"),
        *((f"https://desk.example.com/{char}/{{id}}", "not a web address") for char in " ',;<>^`|\u00e9"),
        ('https://desk.example.com/\\"/{id}', "not a web address"),
        ("https://desk.example.com/\\\\/{id}", "not a web address"),
        ("https://desk.example.com/\\n/{id}", "not a web address"),
        ("https://who:sesame@desk.example.com/{id}", "holds a user name"),
    ],
)
def test_what_is_no_callback_page(file: Path, address: str, says: str) -> None:
    refused_at(file, f'[desk]\ncallback_page = "{address}"\n{LEAST}', "desk.callback_page", says)
