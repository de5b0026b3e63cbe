"""The sections of the configuration, one frozen model each. `config/dialer.toml` shows and explains every key."""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from dialer.domain.outcome import Outcome
from dialer.settings.problems import Invalid
from dialer.settings.values import (
    Credential,
    Delay,
    Device,
    Endpoint,
    Host,
    Hours,
    Id,
    Label,
    Phone,
    Region,
    Sounds,
    UserName,
    Zone,
)


class Section(BaseModel):
    """What all sections share: unknown keys are refused, nothing changes once read, no value is shown in an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DaemonSettings(Section):
    """`[daemon]`. `drain_seconds`: how long a stop waits for calls in progress; `poll_floor_seconds`: how often the
    store is read anew even when nothing woke the daemon; `agent_rest_seconds`: how long an agent who did not take a
    call is left alone."""

    state_dir: Path = Path("/var/lib/dialer")
    socket: Path | None = None
    drain_seconds: Annotated[int, Field(ge=0, le=3600)] = 30
    poll_floor_seconds: Annotated[int, Field(ge=1, le=3600)] = 30
    agent_rest_seconds: Annotated[int, Field(ge=0, le=3600)] = 15


class StoreSettings(Section):
    """`[store]`: the SQLite file; `dialer.db` in the state folder when not given."""

    path: Path | None = None


class LogSettings(Section):
    """`[log]`. `auto`: console on a terminal, JSON otherwise."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "console"] = "auto"


class TlsSettings(Section):
    """`[pbx.<id>.tls]`. Without `ca_file` the host's own authorities are trusted; the name checked is `host`."""

    ca_file: Path | None = None


class PbxSettings(Section):
    """`[pbx.<id>]`: one Asterisk by its manager interface (AMI). Times are seconds."""

    host: Host = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    username: UserName
    secret: SecretStr | None = None
    secret_file: Path | None = None
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


class TrunkSettings(Section):
    """`[trunk.<id>]`: `endpoint` is the name of a PJSIP endpoint on the PBX."""

    pbx: Id | None = None
    endpoint: Endpoint


class AgentSettings(Section):
    """`[agent.<id>]`: `endpoint` is dialled, `device` tells whether the agent is free (default: the endpoint)."""

    name: Label
    pbx: Id | None = None
    endpoint: Phone
    device: Device | None = None


class SiteSettings(Section):
    """`[site.<id>]`: a website with the widget."""

    name: Label
    zone: Zone = Field(default_factory=lambda: ZoneInfo("Europe/London"))
    region: Region = "GB"


_NEVER: tuple[timedelta, ...] = ()


def _after(*minutes: float) -> tuple[timedelta, ...]:
    return tuple(timedelta(minutes=delay) for delay in minutes)


Ladder = Annotated[tuple[Delay, ...], Field(max_length=20)]


class RetrySettings(Section):
    """`[department.<id>.retry]`: a ladder of delays per outcome, whose last step repeats; an empty one: not again."""

    max_customer_attempts: Annotated[int, Field(ge=1, le=20)] = 3
    max_agent_rings: Annotated[int, Field(ge=1, le=100)] = 10
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
    not_placed: Ladder = _after(1 / 12)
    cancelled: Ladder = _after(1 / 12)

    def delays(self) -> dict[Outcome, tuple[timedelta, ...]]:
        """The ladders that have a step."""
        ladders = {Outcome(name): ladder for name, ladder in self if name in _RETRYABLE}
        return {outcome: ladder for outcome, ladder in ladders.items() if ladder}


_RETRYABLE = frozenset(RetrySettings.model_fields) & frozenset(Outcome)


class DepartmentSettings(Section):
    """`[department.<id>]`: where a callback is routed. Rings and `max_call` are seconds."""

    name: Label
    site: Id | None = None
    agents: Annotated[tuple[Id, ...], Field(min_length=1)]
    trunk: Id | None = None
    caller_id: str
    hours: Hours
    agent_ring: Annotated[int, Field(ge=1, le=120)] = 20
    # Ofcom: a called number is to ring at least 15 s.
    customer_ring: Annotated[int, Field(ge=15, le=120)] = 25
    max_call: Annotated[int, Field(ge=60, le=86400)] = 7200
    accept: Literal["press_1", "answer"] = "press_1"
    whisper: Sounds = ""
    retry: RetrySettings = RetrySettings()
