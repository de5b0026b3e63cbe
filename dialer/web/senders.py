"""Each site as a sender of requests: its own departments, and a name for where its callbacks come from."""

from collections.abc import Mapping
from dataclasses import replace

from dialer.domain.directory import Department, Directory
from dialer.intake.once import Sender
from dialer.web.bodies import accepted_text


def source_of(site: str) -> str:
    """What the store knows as the source of what a site handed in; also who made its objections."""
    return f"api:{site}"


def departments_of(directory: Directory, site: str) -> Mapping[str, Department]:
    """A site's departments by id."""
    return {id_: department for id_, department in directory.departments.items() if department.site == site}


def sender(directory: Directory, site: str) -> Sender:
    """The site as a sender."""
    return Sender(replace(directory, departments=departments_of(directory, site)), source_of(site), accepted_text)
