"""The page of guarantees holds what the program holds: every invariant, and only tests that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "guarantees.md").read_text()
INVARIANTS = ("no-loss", "no-double", "no-silence", "no-surprise", "honest end", "intent first", "forgettable")
SECTIONS = {part.partition("\n")[0]: part for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]}


def test_every_invariant_has_its_section_and_no_other_has() -> None:
    assert tuple(SECTIONS) == INVARIANTS


@pytest.mark.parametrize("invariant", INVARIANTS)
def test_every_invariant_names_what_tries_to_break_it(invariant: str) -> None:
    _, found, tried = SECTIONS[invariant].partition("Tried by:")
    assert found
    tests = re.findall(r"`(tests/\S+\.py)`", tried)
    assert tests
    assert not [test for test in tests if not (ROOT / test).is_file()]


def test_every_file_that_the_page_names_is_there() -> None:
    named = re.findall(r"`((?:dialer|tests|config)/\S+?)`", PAGE)
    assert not [path for path in named if not (ROOT / path).exists()]
