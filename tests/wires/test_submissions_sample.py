"""A short run of the wires' submissions."""

from pathlib import Path

from tests.wires.submissions import run


async def test_what_was_answered_is_there_once_whatever_was_killed(tmp_path: Path) -> None:
    outcome = await run(200, 2, tmp_path)
    assert outcome.kept, outcome
    assert outcome.kills == 2
