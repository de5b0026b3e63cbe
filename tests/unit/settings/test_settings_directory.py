"""What the parts of the configuration say of each other: every name is known, and every agent has a way out."""

from datetime import timedelta
from pathlib import Path

import pytest

from dialer.domain.directory import Overflow
from tests.unit.settings.least import LEAST, SECOND_PBX, TWO_PBXS, loaded, refused, refused_at

SPARE = '[trunk.spare]\nendpoint = "mi-spare"\n'
BEN = '[agent.ben]\nname = "Ben"\nendpoint = "PJSIP/ben"\n'
OTHER_SITE = '[site.other]\nname = "Other"\n'
ACCOUNTS = '[account.acme]\nname = "Acme"\n[account.best]\nname = "Best"\n'


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ('"PJSIP/anna"', '"PJSIP/anna"\npbx = "other"', "agent.anna.pbx", "there is no pbx other"),
        ('"mi-trunk"', '"mi-trunk"\npbx = "other"', "trunk.carrier.pbx", "there is no pbx other"),
        ('name = "Shop"', 'name = "Shop"\naccount = "acme"', "site.shop.account", "there is no account acme"),
        ('agents = ["anna"]', 'agents = ["anna", "anna"]', "department.sales.agents", "lists anna twice"),
        ('agents = ["anna"]', 'agents = ["anna", "bob"]', "department.sales.agents", "there is no agent bob"),
        ('agents = ["anna"]', 'agents = ["anna"]\ntrunks = ["b"]', "department.sales.trunks", "there is no trunk b"),
        ('["anna"]', '["anna"]\ntrunks = ["carrier", "carrier"]', "department.sales.trunks", "lists carrier twice"),
        ('agents = ["anna"]', 'agents = ["anna"]\nsite = "b"', "department.sales.site", "there is no site b"),
        ("[department.sales]", f"{BEN}[department.sales]", "agent.ben", "is in no department"),
        ('name = "Shop"', 'name = "Shop"\ncaller_id = "0901 234 5678"', "site.shop.caller_id", "premium"),
        ('caller_id = "020 7946 0123"\n', "", "department.sales.caller_id", "is missing"),
        ("hours =", "cancel_when_called_in = true\nhours =", "department.sales.cancel_when_called_in", "come in"),
    ],
)
def test_one_thing_wrong(file: Path, old: str, new: str, key: str, says: str) -> None:
    assert old in LEAST
    refused_at(file, LEAST.replace(old, new), key, says)


def test_an_unknown_name_comes_with_those_that_are_known(file: Path) -> None:
    text = LEAST.replace('agents = ["anna"]', 'agents = ["anna"]\ntrunks = ["b"]') + SPARE
    error = refused_at(file, text, "department.sales.trunks", "there is no trunk b")
    assert error.remedy == "name one of carrier, spare, or add [trunk.b]"


@pytest.mark.parametrize(
    ("more", "key", "known"),
    [
        (SPARE, "department.sales.trunks", "carrier, spare"),
        (OTHER_SITE, "department.sales.site", "shop, other"),
        (ACCOUNTS, "site.shop.account", "acme, best"),
    ],
)
def test_where_there_are_several_one_is_named(file: Path, more: str, key: str, known: str) -> None:
    error = refused_at(file, LEAST + more, key, "is missing")
    assert error.remedy == f"there are several: name one of {known}"


def test_with_two_pbxs_each_is_named(file: Path) -> None:
    error = refused(file, LEAST + SECOND_PBX)
    assert (error.where, error.what) == (f"{file}: trunk.carrier.pbx", "is missing; and 1 more")
    assert error.remedy == "there are several: name one of main, second"


def test_no_two_agents_share_a_phone(file: Path) -> None:
    text = LEAST.replace('["anna"]', '["anna", "ben"]') + BEN.replace("PJSIP/ben", "PJSIP/anna")
    refused_at(file, text, "agent.ben.endpoint", "is the phone of anna too")


# --- accounts and sites ----------------------------------------------------------------------------------------------


def test_each_site_has_its_account(file: Path) -> None:
    text = LEAST.replace(
        "[agent.anna]", 'account = "best"\n[site.other]\nname = "Other"\naccount = "acme"\n[agent.anna]'
    )
    text = text.replace('agents = ["anna"]', 'agents = ["anna"]\nsite = "shop"') + ACCOUNTS
    sites = loaded(file, text).directory().sites
    assert {id_: site.account for id_, site in sites.items()} == {"shop": "best", "other": "acme"}


def test_a_departments_caller_id_is_its_own_or_the_sites(file: Path) -> None:
    site = LEAST.replace('name = "Shop"', 'name = "Shop"\ncaller_id = "0161 496 0123"')
    own, none = loaded(file, site), loaded(file, site.replace('caller_id = "020 7946 0123"\n', ""))
    assert own.directory().departments["sales"].caller_id == "+442079460123"
    assert none.directory().departments["sales"].caller_id == "+441614960123"


def test_a_sites_bad_caller_id_is_told_once(file: Path) -> None:
    text = LEAST.replace('caller_id = "020 7946 0123"\n', "").replace('"Shop"', '"Shop"\ncaller_id = "020 79"')
    refused_at(file, text, "site.shop.caller_id", "too short")


# --- several PBXs ----------------------------------------------------------------------------------------------------


def test_a_department_may_lie_on_several_pbxs(file: Path) -> None:
    text = TWO_PBXS.replace('agents = ["anna"]', 'agents = ["ben", "anna"]').replace(
        'trunks = ["carrier"]', 'trunks = ["spare", "carrier"]'
    )
    department = loaded(file, text).directory().departments["sales"]
    assert (department.agents, department.trunks) == (("ben", "anna"), ("spare", "carrier"))


def test_each_agent_has_a_trunk_on_their_pbx(file: Path) -> None:
    text = TWO_PBXS.replace('agents = ["anna"]', 'agents = ["anna", "ben"]')
    what = "ben is on PBX second, where none of the department's trunks is"
    error = refused_at(file, text, "department.sales.agents", what)
    assert error.remedy == "add a trunk of that PBX to the department, or leave the agent out"


def test_nothing_is_said_of_ways_out_by_trunks_that_are_not_known(file: Path) -> None:
    text = TWO_PBXS.replace('trunks = ["carrier"]', 'trunks = ["spare", "carier"]\ncancel_when_called_in = true')
    refused_at(file, text, "department.sales.trunks", "there is no trunk carier")
    text = TWO_PBXS.replace('[trunk.spare]\npbx = "second"', "[trunk.spare]")
    refused_at(file, text, "trunk.spare.pbx", "is missing")


# --- overflow --------------------------------------------------------------------------------------------------------

OVERFLOWING = (
    LEAST.replace(
        "[department.sales]", f"{BEN}{BEN.replace('ben', 'cleo')}{BEN.replace('ben', 'dan')}[department.sales]"
    )
    + """
[department.sales.overflow]
OVERFLOW
[department.support]
name = "Support"
agents = ["ben", "anna"]
caller_id = "0161 496 0123"
hours = { mon-fri = ["09:00-17:30"] }
[department.desk]
name = "Desk"
agents = ["cleo", "ben", "dan"]
caller_id = "0161 496 0124"
hours = { mon-fri = ["09:00-17:30"] }
"""
)


@pytest.mark.parametrize(
    ("given", "overflow"),
    [
        ('departments = ["support"]', Overflow(timedelta(minutes=5), ("ben",))),
        ('after = "0s"\nagents = ["dan", "ben", "dan"]', Overflow(timedelta(0), ("dan", "ben"))),
        ('departments = ["desk", "support"]', Overflow(timedelta(minutes=5), ("cleo", "ben", "dan"))),
        (
            'after = "90s"\ndepartments = ["support"]\nagents = ["anna", "dan", "ben"]',
            Overflow(timedelta(seconds=90), ("ben", "dan")),
        ),
    ],
)
def test_an_overflow_is_one_list_of_agents(file: Path, given: str, overflow: Overflow) -> None:
    directory = loaded(file, OVERFLOWING.replace("OVERFLOW", given)).directory()
    assert directory.departments["sales"].overflow == overflow
    assert directory.departments["desk"].overflow is None


def test_an_agent_may_help_out_without_a_department_of_their_own(file: Path) -> None:
    text = f'{LEAST}overflow = {{ agents = ["ben"] }}\n{BEN}'
    assert loaded(file, text).directory().departments["sales"].overflow == Overflow(timedelta(minutes=5), ("ben",))


@pytest.mark.parametrize(
    ("given", "key", "says"),
    [
        ("", "", "adds no agent"),
        ('after = "1m"', "", "adds no agent"),
        ('agents = ["anna"]', "", "adds no agent"),
        ('departments = ["sales"]', ".departments", "names the department itself"),
        ('departments = ["support", "sales"]', ".departments", "names the department itself"),
        ('departments = ["lost"]', ".departments", "there is no department lost"),
        ('departments = ["support"]\nagents = ["lost"]', ".agents", "there is no agent lost"),
    ],
)
def test_what_is_no_overflow(file: Path, given: str, key: str, says: str) -> None:
    refused_at(file, OVERFLOWING.replace("OVERFLOW", given), f"department.sales.overflow{key}", says)


@pytest.mark.parametrize("given", ['departments = ["support"]', 'agents = ["ben"]'])
def test_whoever_helps_out_has_a_trunk_on_their_pbx(file: Path, given: str) -> None:
    what = "ben is on PBX second, where none of the department's trunks is"
    text = f"{TWO_PBXS}[department.sales.overflow]\n{given}\n"
    refused_at(file, text, "department.sales.overflow", what)
    both = text.replace('trunks = ["carrier"]', 'trunks = ["carrier", "spare"]')
    overflow = loaded(file, both).directory().departments["sales"].overflow
    assert overflow is not None
    assert overflow.agents == ("ben",)


# --- calls that come in ----------------------------------------------------------------------------------------------


def with_contexts(carrier: str, spare: str, text: str = TWO_PBXS) -> str:
    text = text.replace("[trunk.carrier]", f"[trunk.carrier]\ninbound_contexts = {carrier}")
    return text.replace("[trunk.spare]", f"[trunk.spare]\ninbound_contexts = {spare}")


def test_a_context_belongs_to_one_trunk_of_its_pbx(file: Path) -> None:
    directory = loaded(file, with_contexts('["in"]', '["in", "in2"]')).directory()
    assert [trunk.inbound_contexts for trunk in directory.trunks.values()] == [("in",), ("in", "in2")]
    one_pbx = LEAST.replace("hours =", 'trunks = ["spare"]\nhours =') + SPARE
    text = with_contexts('["in"]', '["other", "in"]', one_pbx)
    refused_at(file, text, "trunk.spare.inbound_contexts", "in is a context of trunk carrier too")


def test_who_called_in_is_noticed_where_one_of_the_trunks_says_where(file: Path) -> None:
    text = with_contexts("[]", '["in"]').replace('trunks = ["carrier"]', 'trunks = ["carrier", "spare"]')
    text = text.replace('name = "Sales"', 'name = "Sales"\ncancel_when_called_in = true')
    departments = loaded(file, text).directory().departments
    assert [department.called_in for department in departments.values()] == [True, False]
    alone = text.replace('trunks = ["carrier", "spare"]', 'trunks = ["carrier"]')
    key, what = "department.sales.cancel_when_called_in", "none of its trunks says where calls come in"
    assert refused_at(file, alone, key, what).remedy == "add inbound_contexts to one of them"
