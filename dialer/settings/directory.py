"""The configured people and things → the domain's directory, every reference between them checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.domain import phone
from dialer.domain.directory import Agent, Department, Directory, OpeningHours, RetryRule, Site, Trunk
from dialer.domain.errors import RequestRefused
from dialer.settings.models import (
    AgentSettings,
    DepartmentSettings,
    PbxSettings,
    RetrySettings,
    SiteSettings,
    TrunkSettings,
)
from dialer.settings.problems import Problem


@dataclass(frozen=True, slots=True)
class Parts:
    """The configuration's tables that refer to each other, by id."""

    pbxs: Mapping[str, PbxSettings]
    trunks: Mapping[str, TrunkSettings]
    agents: Mapping[str, AgentSettings]
    sites: Mapping[str, SiteSettings]
    departments: Mapping[str, DepartmentSettings]


def build(parts: Parts) -> tuple[Directory, list[Problem]]:
    """The directory, and what is wrong with it. It is whole, and may be used, only when nothing is wrong."""
    making = _Making(parts)
    sites = {id_: Site(id_, given.name, given.zone, given.region) for id_, given in parts.sites.items()}
    trunks = {id_: making.trunk(id_, given) for id_, given in parts.trunks.items()}
    agents = {id_: making.agent(id_, given) for id_, given in parts.agents.items()}
    departments = {
        id_: department
        for id_, given in parts.departments.items()
        if (department := making.department(id_, given, sites, trunks, agents))
    }
    making.check_agents(agents)
    return Directory(sites, agents, trunks, departments), making.problems


@dataclass(slots=True)
class _Making:
    """One pass over the parts; what is wrong is collected, so that all of it is told at once."""

    parts: Parts
    problems: list[Problem] = field(default_factory=list)

    def trunk(self, id_: str, given: TrunkSettings) -> Trunk:
        return Trunk(id_, self._reference("pbx", given.pbx, self.parts.pbxs, f"trunk.{id_}.pbx"), given.endpoint)

    def agent(self, id_: str, given: AgentSettings) -> Agent:
        pbx = self._reference("pbx", given.pbx, self.parts.pbxs, f"agent.{id_}.pbx")
        return Agent(id_, given.name, pbx, given.endpoint, given.device or given.endpoint)

    def department(
        self,
        id_: str,
        given: DepartmentSettings,
        sites: Mapping[str, Site],
        trunks: Mapping[str, Trunk],
        agents: Mapping[str, Agent],
    ) -> Department | None:
        """The department, or None when what it refers to is not there."""
        key = f"department.{id_}"
        site = sites.get(self._reference("site", given.site, sites, f"{key}.site"))
        trunk = trunks.get(self._reference("trunk", given.trunk, trunks, f"{key}.trunk"))
        self._check_members(key, given, trunk, agents)
        if site is None or trunk is None:
            return None
        return Department(
            id=id_,
            name=given.name,
            site=site.id,
            agents=given.agents,
            trunk=trunk.id,
            caller_id=self._caller_id(f"{key}.caller_id", given.caller_id, site.region),
            hours=OpeningHours(site.zone, given.hours),
            retry=_retry(given.retry),
            agent_ring=given.agent_ring,
            customer_ring=given.customer_ring,
            max_call=given.max_call,
            press_to_accept=given.accept == "press_1",
            whisper=given.whisper,
        )

    def check_agents(self, agents: Mapping[str, Agent]) -> None:
        """Each agent has a department, and a phone of their own: two on one phone would be rung at once."""
        members = {agent for department in self.parts.departments.values() for agent in department.agents}
        phones: dict[tuple[str, str], str] = {}
        for agent in agents.values():
            if agent.id not in members:
                self._problem(
                    f"agent.{agent.id}", "is in no department", "list the agent in a department, or remove it"
                )
            other = phones.setdefault((agent.pbx, agent.endpoint), agent.id)
            if other != agent.id:
                self._problem(f"agent.{agent.id}.endpoint", f"is the phone of {other} too", "one phone for each agent")

    def _check_members(
        self, key: str, given: DepartmentSettings, trunk: Trunk | None, agents: Mapping[str, Agent]
    ) -> None:
        if len(set(given.agents)) < len(given.agents):
            self._problem(f"{key}.agents", "lists an agent twice", "list each agent once")
        for id_ in given.agents:
            agent = agents.get(self._reference("agent", id_, agents, f"{key}.agents"))
            if agent and trunk and agent.pbx and trunk.pbx and agent.pbx != trunk.pbx:
                what = f"{agent.id} is on PBX {agent.pbx}, trunk {trunk.id} on {trunk.pbx}"
                self._problem(f"{key}.agents", what, "a department's agents and trunk belong to one PBX")

    def _reference(self, kind: str, given: str | None, known: Mapping[str, object], key: str) -> str:
        """The id that is meant: the one given, or the only one there is. '' when it is not known."""
        if given is None and len(known) == 1:
            return next(iter(known))
        if given is None:
            self._problem(key, "is missing", f"there are several: name one of {', '.join(known)}")
        elif given not in known:
            self._problem(
                key, f"there is no {kind} {given}", f"name one of {', '.join(known)}, or add [{kind}.{given}]"
            )
        return given if given is not None and given in known else ""

    def _caller_id(self, key: str, given: str, region: str) -> str:
        remedy = "give a number that can be called back, with its country code"
        try:
            number = phone.parse(given, region)
        except RequestRefused as refusal:
            self._problem(key, refusal.what, remedy)
            return ""
        if number.kind not in phone.CALLER_ID_KINDS:
            self._problem(key, f"a number of kind {number.kind} cannot be presented", remedy)
        return number.e164

    def _problem(self, key: str, what: str, remedy: str) -> None:
        self.problems.append(Problem(key, what, remedy))


def _retry(given: RetrySettings) -> RetryRule:
    return RetryRule(given.delays(), given.max_customer_attempts, given.max_agent_rings)
