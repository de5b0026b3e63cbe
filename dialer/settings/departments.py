"""The configured departments → the domain's: what they refer to, and whether each agent of theirs has a way out."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from dialer.domain import phone
from dialer.domain.directory import Agent, Department, OpeningHours, Overflow, RetryRule, Site, Trunk
from dialer.domain.errors import RequestRefused
from dialer.settings.models import DepartmentSettings, OverflowSettings, RetrySettings
from dialer.settings.references import References


def caller_id(references: References, key: str, given: str, region: str) -> str:
    """The number in E.164; '' when it cannot be presented, which is a problem at `key`."""
    remedy = "give a number that can be called back, with its country code"
    try:
        number = phone.parse(given, region)
    except RequestRefused as refusal:
        references.problem(key, refusal.what, remedy)
        return ""
    if number.kind not in phone.CALLER_ID_KINDS:
        references.problem(key, f"a number of kind {number.kind} cannot be presented", remedy)
    return number.e164


@dataclass(frozen=True, slots=True)
class Departments:
    """Makes departments of what is already made. `given` are all of them as configured; `caller_ids` those of sites
    that have one."""

    references: References
    given: Mapping[str, DepartmentSettings]
    sites: Mapping[str, Site]
    caller_ids: Mapping[str, str]
    trunks: Mapping[str, Trunk]
    agents: Mapping[str, Agent]

    def make(self, id_: str) -> Department | None:
        """The department of this id, or None when its site is not there."""
        given, key = self.given[id_], f"department.{id_}"
        site = self.sites.get(self.references.one("site", given.site, self.sites, f"{key}.site"))
        trunks = self.references.several("trunk", given.trunks, self.trunks, f"{key}.trunks")
        agents = self.references.several("agent", given.agents, self.agents, f"{key}.agents")
        self._check_ways_out(f"{key}.agents", agents, trunks)
        overflow = self._overflow(id_, given.overflow, trunks) if given.overflow else None
        self._check_holidays(key, given)
        self._check_called_in(key, given, trunks)
        if site is None:
            return None
        return Department(
            id=id_,
            name=given.name,
            site=site.id,
            agents=agents,
            trunks=trunks,
            caller_id=self._caller_id(f"{key}.caller_id", given, site),
            hours=_hours(given, site),
            retry=_retry(given.retry),
            agent_ring=given.agent_ring,
            customer_ring=given.customer_ring,
            max_call=given.max_call,
            press_to_accept=given.accept == "press_1",
            whisper=given.whisper,
            order=given.order,
            wrap_up=timedelta(seconds=given.wrap_up_seconds),
            max_missed_rings=given.max_missed_rings,
            overflow=overflow,
            patience=given.patience,
            pace=given.pace,
            name_style=given.caller_name,
            called_in=given.cancel_when_called_in,
        )

    def _caller_id(self, key: str, given: DepartmentSettings, site: Site) -> str:
        if given.caller_id is not None:
            return caller_id(self.references, key, given.caller_id, site.region)
        if site.id not in self.caller_ids:
            self.references.problem(key, "is missing", f"add it, or give [site.{site.id}] one")
        return self.caller_ids.get(site.id, "")

    def _check_holidays(self, key: str, given: DepartmentSettings) -> None:
        if given.bank_holiday_hours and given.bank_holidays is None:
            what, remedy = "there are no bank holidays", "say whose: add bank_holidays"
            self.references.problem(f"{key}.bank_holiday_hours", what, remedy)

    def _check_called_in(self, key: str, given: DepartmentSettings, trunks: Sequence[str]) -> None:
        contexts = [self.trunks[trunk].inbound_contexts for trunk in trunks]
        if given.cancel_when_called_in and contexts and not any(contexts):
            what = "none of its trunks says where calls come in"
            self.references.problem(f"{key}.cancel_when_called_in", what, "add inbound_contexts to one of them")

    def _check_ways_out(self, key: str, agents: Sequence[str], trunks: Sequence[str]) -> None:
        """Each agent's PBX has one of the trunks: an attempt lies on one PBX."""
        pbxs = {self.trunks[trunk].pbx for trunk in trunks}
        if not pbxs or "" in pbxs:
            return
        for agent in agents:
            pbx = self.agents[agent].pbx
            if pbx and pbx not in pbxs:
                what = f"{agent} is on PBX {pbx}, where none of the department's trunks is"
                self.references.problem(key, what, "add a trunk of that PBX to the department, or leave the agent out")

    def _overflow(self, id_: str, given: OverflowSettings, trunks: Sequence[str]) -> Overflow:
        """With its agents resolved to one list, without the department's own and without repeats."""
        key = f"department.{id_}.overflow"
        before = len(self.references.problems)
        if id_ in given.departments:
            self.references.problem(f"{key}.departments", "names the department itself", "name others")
        own = self.given[id_].agents
        found = dict.fromkeys(agent for agent in self._helpers(key, given) if agent not in own)
        if not found and len(self.references.problems) == before:
            self.references.problem(key, "adds no agent", "name other agents or departments, or remove it")
        self._check_ways_out(key, tuple(found), trunks)
        return Overflow(given.after, tuple(found))

    def _helpers(self, key: str, given: OverflowSettings) -> Iterator[str]:
        """The agents of the departments in the order given, then the agents."""
        others = self.references.known("department", given.departments, self.given, f"{key}.departments")
        for other in others:
            yield from (agent for agent in self.given[other].agents if agent in self.agents)
        yield from self.references.known("agent", given.agents, self.agents, f"{key}.agents")


def _hours(given: DepartmentSettings, site: Site) -> OpeningHours:
    return OpeningHours(site.zone, given.hours, given.exceptions, given.bank_holidays, given.bank_holiday_hours)


def _retry(given: RetrySettings) -> RetryRule:
    return RetryRule(
        given.delays(),
        given.max_customer_attempts,
        given.max_agent_rings,
        given.max_customer_attempts_a_day,
        given.least_gap,
        given.jitter,
    )
