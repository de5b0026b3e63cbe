"""The least configurations that load, and what becomes of one that is written to a file."""

from pathlib import Path

import pytest

from dialer.domain.directory import Department
from dialer.domain.errors import ConfigurationError
from dialer.settings import Settings, load

SHIPPED = Path(__file__).resolve().parents[3] / "config" / "dialer.toml"

LEAST = """
[pbx.main]
username = "mi-dialer"
secret = "open sesame"
[trunk.carrier]
endpoint = "mi-trunk"
[site.shop]
name = "Shop"
[agent.anna]
name = "Anna"
endpoint = "PJSIP/anna"
[department.sales]
name = "Sales"
agents = ["anna"]
caller_id = "020 7946 0123"
hours = { mon-fri = ["09:00-17:30"] }
"""

SECOND_PBX = """
[pbx.second]
username = "mi-dialer"
secret = "open sesame"
"""

TWO_PBXS = (
    LEAST.replace("[trunk.carrier]", '[trunk.carrier]\npbx = "main"').replace(
        '"PJSIP/anna"\n', '"PJSIP/anna"\npbx = "main"\n'
    )
    + 'trunks = ["carrier"]\n'
    + SECOND_PBX
    + """
[trunk.spare]
pbx = "second"
endpoint = "mi-trunk"
[agent.ben]
name = "Ben"
pbx = "second"
endpoint = "PJSIP/ben"
[department.support]
name = "Support"
agents = ["ben"]
trunks = ["spare"]
caller_id = "0161 496 0123"
hours = { mon-fri = ["09:00-17:30"] }
"""
)
"""A department on each of two PBXs."""


def loaded(file: Path, text: str = LEAST) -> Settings:
    file.write_text(text)
    return load(file)


def sales(file: Path, more: str = "", hours: str = '{ mon-fri = ["09:00-17:30"] }') -> Department:
    """The department of the least configuration with more in its table, or other hours."""
    text = LEAST.replace('{ mon-fri = ["09:00-17:30"] }', hours)
    return loaded(file, text + more).directory().departments["sales"]


def refused(file: Path, text: str) -> ConfigurationError:
    file.write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        load(file)
    error = caught.value
    assert str(file) in error.where
    assert error.what
    assert error.remedy
    assert "\n" not in str(error)
    assert "sesame" not in str(error)
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
    return error


def refused_at(file: Path, text: str, key: str, says: str) -> ConfigurationError:
    """That there is this one thing wrong, and nothing else."""
    error = refused(file, text)
    assert error.where == f"{file}: {key}"
    assert says in error.what
    assert "; and " not in error.what
    return error
