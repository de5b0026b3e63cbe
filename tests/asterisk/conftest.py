"""The lab for the tests on a real Asterisk: one for the whole session, its logs printed with a failure."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.lab import Lab
from tests.lab.lab import AGENTS

LAB = pytest.StashKey[Lab]()
SCENARIO_AGENTS = tuple(f"s{number:02}" for number in range(60))


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    with Lab.create(agents=(*AGENTS, *SCENARIO_AGENTS)) as running:
        request.config.stash[LAB] = running
        yield running
        del request.config.stash[LAB]


@pytest.fixture(scope="module", autouse=True)
def chapter(lab: Lab) -> None:
    """Each file has its own story, though the phones and their numbers are the same."""
    lab.begin_chapter()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    running = item.config.stash.get(LAB, None)
    if report.failed and running is not None:
        report.sections.append(("Asterisk logs", running.logs()))
    return report
