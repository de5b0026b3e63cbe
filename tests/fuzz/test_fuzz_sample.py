"""A short run of `make fuzz-api`."""

from pathlib import Path

from tests.fuzz.run import fuzz


async def test_a_few_hundred_cases_find_nothing(tmp_path: Path) -> None:
    found = await fuzz(1, tmp_path / "whole", per_round=10)
    assert found.kept, found.summary()
    assert found.judged.cases > 250
    assert found.judged.accepted
