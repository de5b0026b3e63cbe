"""The sections of the configuration, one frozen model each. `config/dialer.toml` shows and explains every key."""

from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from dialer.domain.directory import AgentOrder, Delay, Interval, NameStyle, Nation, NumberFormat, Pace
from dialer.domain.outcome import Outcome
from dialer.domain.phone import NumberKind
from dialer.intake.limits import Limit
from dialer.notify.messages import Channel
from dialer.notify.wording import Language
from dialer.settings.addresses import PageAddress, WebAddress, WebOrigin
from dialer.settings.durations import Bounds, Duration, Ladder, Patience, Steps
from dialer.settings.hours import Exceptions, HolidayHours, Hours, WithinADay
from dialer.settings.problems import Invalid
from dialer.settings.values import (
    Context,
    Credential,
    Denied,
    Device,
    Endpoint,
    Host,
    Id,
    Kind,
    Label,
    MailAddress,
    MetricsFile,
    Phone,
    Place,
    Prefix,
    Rate,
    Region,
    Sounds,
    TextSender,
    UserName,
    Zone,
)


class Section(BaseModel):
    """What all sections share: unknown keys are refused, nothing changes once read, no value is shown in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Paced(Section):
    """Where calls can be held back: calls begun a second, and calls in progress at once. None: not bounded."""

    calls_per_second: Rate | None = None
    calls_at_once: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @property
    def pace(self) -> Pace:
        """Both of them."""
        return Pace(self.calls_per_second, self.calls_at_once)


class DaemonSettings(Section):
    """`[daemon]`. `drain_seconds`: how long a stop waits for calls in progress; `poll_floor_seconds`: how often the
    store is read anew even when nothing woke the daemon; `agent_rest_seconds`: how long an agent who did not take a
    call is left alone; `metrics_file`: a Prometheus text file of the alerts."""

    state_dir: Place = Path("/var/lib/dialer")
    socket: Place | None = None
    drain_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    poll_floor_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    agent_rest_seconds: Annotated[int, Field(ge=0, le=3600)] = 15
    metrics_file: MetricsFile | None = None


class StoreSettings(Section):
    """`[store]`: the SQLite file; `dialer.db` in the state folder when not given."""

    path: Place | None = None


class LogSettings(Section):
    """`[log]`. `auto`: console on a terminal, JSON otherwise."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class AlertsSettings(Section):
    """`[alerts]`. `webhook`: where alerts are posted to; its path may be a secret."""

    webhook: Annotated[WebAddress | None, Field(repr=False)] = None


class DeskSettings(Section):
    """`[desk]`. `callback_page`: the agents' page on a callback, with `{id}` in the place of its id."""

    callback_page: PageAddress | None = None


def _limit(count: int, minutes: int) -> Limit:
    return Limit(count, timedelta(minutes=minutes))


class LimitsSettings(Section):
    """`[limits]`: requests for one number, and different numbers of one visitor, within a time."""

    per_number: Bounds = (_limit(7, 15), _limit(9, 60), _limit(15, 24 * 60))
    per_visitor: Bounds = (_limit(3, 60), _limit(4, 24 * 60))


class TlsSettings(Section):
    """`[pbx.<id>.tls]`. Without `ca_file` the host's own authorities are trusted; the name checked is `host`."""

    ca_file: Place | None = None


class PbxSettings(Paced):
    """`[pbx.<id>]`: one Asterisk by its manager interface (AMI). Times are seconds."""

    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    username: UserName
    secret: SecretStr | None = None
    secret_file: Place | None = None
    secret_credential: Credential | None = None
    tls: TlsSettings | None = None
    connect_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    action_timeout_seconds: Annotated[float, Field(gt=0, le=60)] = 5.0
    ping_seconds: Annotated[float, Field(ge=0.1, le=300)] = 10.0
    login_retry_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 60.0

    @model_validator(mode="after")
    def _one_secret(self) -> Self:
        given = [way for way in (self.secret, self.secret_file, self.secret_credential) if way is not None]
        if len(given) != 1:
            found = "no secret" if not given else "more than one secret"
            raise Invalid(found, "give one of secret, secret_file and secret_credential")
        return self


class TrunkSettings(Paced):
    """`[trunk.<id>]`: `endpoint` is the name of a PJSIP endpoint on the PBX. Without `prefixes` it takes all numbers.
    `inbound_contexts`: the dialplan contexts in which calls that come in by it are answered."""

    pbx: Id | None = None
    endpoint: Endpoint
    prefixes: tuple[Prefix, ...] = ()
    number_format: NumberFormat = NumberFormat.E164
    region: Region | None = None
    inbound_contexts: tuple[Context, ...] = ()
    calls_per_second: Rate | None = 10.0


class AgentSettings(Section):
    """`[agent.<id>]`: `endpoint` is dialled, `device` tells whether the agent is free (default: the endpoint)."""

    name: Label
    pbx: Id | None = None
    endpoint: Phone
    device: Device | None = None


def _london() -> ZoneInfo:
    return ZoneInfo("Europe/London")


class AccountSettings(Paced):
    """`[account.<id>]`: a business and whom it may have called: numbers of these regions and kinds, none that `deny`
    holds. The caps hold for a day of `zone`."""

    name: Label
    zone: Zone = Field(default_factory=_london)
    regions: Annotated[tuple[Region, ...], Field(min_length=1)] = ("GB",)
    kinds: Annotated[tuple[Kind, ...], Field(min_length=1)] = (
        NumberKind.FIXED,
        NumberKind.MOBILE,
        NumberKind.FIXED_OR_MOBILE,
    )
    deny: tuple[Denied, ...] = ()
    max_attempts_a_day: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    max_minutes_a_day: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class SiteSettings(Section):
    """`[site.<id>]`: a website with the widget. `caller_id` is for its departments that give none; `call_between` goes
    by the clock of who is called; `origins` are where its pages come from, for what browsers may ask of the API.
    `language`, `messages` (by which ways, none: not at all), `mail_from` and so on are for messages to its visitors."""

    name: Label
    account: Id | None = None
    zone: Zone = Field(default_factory=_london)
    region: Region = "GB"
    caller_id: str | None = None
    call_between: WithinADay = Interval(time(8), time(21))
    page_query: bool = False
    origins: tuple[WebOrigin, ...] = ()
    language: Language = Language.ENGLISH
    messages: tuple[Channel, ...] = tuple(Channel)
    mail_from: MailAddress | None = None
    mail_name: Label | None = None
    sms_from: TextSender | None = None
    templates: Place | None = None
    confirm_after: Duration = timedelta(minutes=15)
    reminder_before: Duration = timedelta(minutes=30)


_NEVER: tuple[Delay, ...] = ()


def _after(*minutes: float) -> tuple[Delay, ...]:
    return tuple(Delay(timedelta(minutes=length)) for length in minutes)


class RetrySettings(Section):
    """`[department.<id>.retry]`: a ladder of delays per outcome, whose last step repeats; an empty one: not again. What
    nobody noticed is always tried again: a move that lets its agent go ends an attempt as `cancelled`.
    `least_gap` lies between two rings of one number; `jitter` is the share by which a delay may grow."""

    max_customer_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_customer_attempts_a_day: Annotated[int, Field(ge=1, le=20)] | None = None
    max_agent_rings: Annotated[int, Field(ge=1, le=100)] = 10
    least_gap: Duration = timedelta(minutes=2)
    jitter: Annotated[float, Field(ge=0, le=1)] = 0.1
    customer_busy: Ladder = _after(5, 15, 60)
    customer_no_answer: Ladder = _after(15, 60, 240)
    customer_declined: Ladder = _NEVER
    customer_unreachable: Ladder = _NEVER
    agent_busy: Ladder = _after(0.5, 1, 2)
    agent_no_answer: Ladder = _after(0.5, 1, 2)
    agent_declined: Ladder = _after(0.5, 1, 2)
    agent_unavailable: Ladder = _after(0.5, 1, 2)
    abandoned_by_agent: Ladder = _after(1, 5, 15)
    trunk_failure: Ladder = _after(1, 5)
    pbx_failure: Ladder = _after(1, 5)
    not_placed: Steps = _after(1 / 12)
    cancelled: Steps = _after(1 / 12)

    def delays(self) -> dict[Outcome, tuple[Delay, ...]]:
        """The ladders that have a step."""
        ladders = {Outcome(name): ladder for name, ladder in self if name in _RETRYABLE}
        return {outcome: ladder for outcome, ladder in ladders.items() if ladder}


_RETRYABLE = frozenset(RetrySettings.model_fields) & frozenset(Outcome)


class OverflowSettings(Section):
    """`[department.<id>.overflow]`: who helps out once a callback has waited: the agents of other departments, then
    these agents."""

    after: Duration = timedelta(minutes=5)
    departments: tuple[Id, ...] = ()
    agents: tuple[Id, ...] = ()


class DepartmentSettings(Paced):
    """`[department.<id>]`: where a callback is routed. Rings, `wrap_up_seconds` and `max_call` are seconds; `patience`
    is opening time; of `max_missed_rings` 0 is no bound."""

    name: Label
    site: Id | None = None
    agents: Annotated[tuple[Id, ...], Field(min_length=1)]
    order: AgentOrder = AgentOrder.LONGEST_IDLE
    wrap_up_seconds: Annotated[int, Field(ge=0, le=3600)] = 0
    max_missed_rings: Annotated[int, Field(ge=0, le=100)] = 3
    trunks: Annotated[tuple[Id, ...], Field(min_length=1)] | None = None
    caller_id: str | None = None
    hours: Hours
    exceptions: Exceptions = Field(default_factory=dict)
    bank_holidays: Nation | None = None
    bank_holiday_hours: HolidayHours = ()
    patience: Patience = timedelta(hours=8)
    agent_ring: Annotated[int, Field(ge=1, le=120)] = 20
    # Ofcom: a called number is to ring at least 15 s.
    customer_ring: Annotated[int, Field(ge=15, le=120)] = 25
    max_call: Annotated[int, Field(ge=60, le=86400)] = 7200
    accept: Literal["press_1", "answer"] = "press_1"
    whisper: Sounds = ""
    caller_name: NameStyle = NameStyle.LATIN
    cancel_when_called_in: bool = False
    overflow: OverflowSettings | None = None
    retry: RetrySettings = RetrySettings()
