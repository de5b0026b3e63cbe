"""The configured people and things → the domain's directory, every reference between them checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from dialer.domain.directory import Account, Agent, Directory, NumberFormat, Site, Trunk
from dialer.domain.phone import NumberPolicy
from dialer.settings.departments import Departments, caller_id
from dialer.settings.models import (
    AccountSettings,
    AgentSettings,
    DepartmentSettings,
    DeskSettings,
    PbxSettings,
    SiteSettings,
    TrunkSettings,
)
from dialer.settings.problems import Problem
from dialer.settings.references import References

_ONE_ACCOUNT = {"default": AccountSettings(name="Default")}
"""Whose everything is where no account is configured."""

_USUAL_REGION = "GB"


@dataclass(frozen=True, slots=True)
class Parts:
    """The configuration's tables that refer to each other, by id, and the agents' desk."""

    accounts: Mapping[str, AccountSettings]
    pbxs: Mapping[str, PbxSettings]
    trunks: Mapping[str, TrunkSettings]
    agents: Mapping[str, AgentSettings]
    sites: Mapping[str, SiteSettings]
    departments: Mapping[str, DepartmentSettings]
    desk: DeskSettings


def build(parts: Parts) -> tuple[Directory, list[Problem]]:
    """The directory, and what is wrong with it. It is whole, and may be used, only when nothing is wrong."""
    making = _Making(parts)
    accounts = {id_: _account(id_, given) for id_, given in making.accounts.items()}
    sites = {id_: making.site(id_, given) for id_, given in parts.sites.items()}
    trunks = {id_: making.trunk(id_, given) for id_, given in parts.trunks.items()}
    agents = {id_: making.agent(id_, given) for id_, given in parts.agents.items()}
    making.check_contexts(trunks)
    maker = Departments(making.references, parts.departments, sites, making.caller_ids, trunks, agents)
    departments = {id_: department for id_ in parts.departments if (department := maker.make(id_))}
    making.check_agents(agents)
    pbxs = {id_: given.pace for id_, given in parts.pbxs.items()}
    page = parts.desk.callback_page or ""
    return Directory(accounts, sites, pbxs, agents, trunks, departments, page), making.references.problems


@dataclass(slots=True)
class _Making:
    """One pass over the parts."""

    parts: Parts
    references: References = field(default_factory=References)
    caller_ids: dict[str, str] = field(default_factory=dict)
    """Of the sites that have one; '' where it cannot be used."""

    @property
    def accounts(self) -> Mapping[str, AccountSettings]:
        return self.parts.accounts or _ONE_ACCOUNT

    def site(self, id_: str, given: SiteSettings) -> Site:
        key = f"site.{id_}"
        account = self.references.one("account", given.account, self.accounts, f"{key}.account")
        if given.caller_id is not None:
            found = caller_id(self.references, f"{key}.caller_id", given.caller_id, given.region)
            self.caller_ids[id_] = found
        return Site(id_, given.name, given.zone, given.region, account, given.call_between, given.page_query)

    def trunk(self, id_: str, given: TrunkSettings) -> Trunk:
        key = f"trunk.{id_}"
        if given.number_format is NumberFormat.NATIONAL and given.region is None:
            remedy = f"number_format {NumberFormat.NATIONAL} is a region's: name it"
            self.references.problem(f"{key}.region", "is missing", remedy)
        return Trunk(
            id=id_,
            pbx=self.references.one("pbx", given.pbx, self.parts.pbxs, f"{key}.pbx"),
            endpoint=given.endpoint,
            prefixes=given.prefixes,
            number_format=given.number_format,
            region=given.region or _USUAL_REGION,
            pace=given.pace,
            inbound_contexts=given.inbound_contexts,
        )

    def agent(self, id_: str, given: AgentSettings) -> Agent:
        pbx = self.references.one("pbx", given.pbx, self.parts.pbxs, f"agent.{id_}.pbx")
        return Agent(id_, given.name, pbx, given.endpoint, given.device or given.endpoint)

    def check_contexts(self, trunks: Mapping[str, Trunk]) -> None:
        """A context belongs to one trunk: it tells by which one a call came in."""
        owners: dict[tuple[str, str], str] = {}
        for trunk in trunks.values():
            for context in trunk.inbound_contexts:
                other = owners.setdefault((trunk.pbx, context), trunk.id)
                if trunk.pbx and other != trunk.id:
                    key, what = f"trunk.{trunk.id}.inbound_contexts", f"{context} is a context of trunk {other} too"
                    self.references.problem(key, what, "let each trunk's calls come in by contexts of its own")

    def check_agents(self, agents: Mapping[str, Agent]) -> None:
        """Each agent has something to do, and a phone of their own: two on one phone would be rung at once."""
        members = {agent for department in self.parts.departments.values() for agent in _named_in(department)}
        phones: dict[tuple[str, str], str] = {}
        for agent in agents.values():
            if agent.id not in members:
                what, remedy = "is in no department", "list the agent in a department, or remove it"
                self.references.problem(f"agent.{agent.id}", what, remedy)
            other = phones.setdefault((agent.pbx, agent.endpoint), agent.id)
            if other != agent.id:
                what, remedy = f"is the phone of {other} too", "one phone for each agent"
                self.references.problem(f"agent.{agent.id}.endpoint", what, remedy)


def _account(id_: str, given: AccountSettings) -> Account:
    return Account(
        id=id_,
        name=given.name,
        zone=given.zone,
        numbers=NumberPolicy(frozenset(given.regions), frozenset(given.kinds), frozenset(given.deny)),
        pace=given.pace,
        max_attempts_a_day=given.max_attempts_a_day,
        max_minutes_a_day=given.max_minutes_a_day,
    )


def _named_in(department: DepartmentSettings) -> tuple[str, ...]:
    return (*department.agents, *(department.overflow.agents if department.overflow else ()))
