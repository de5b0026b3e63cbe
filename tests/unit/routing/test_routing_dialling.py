"""What is dialled: the same number as each trunk wants it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import SUPPORTED_REGIONS, PhoneNumberFormat, example_number, format_number

from dialer.domain.directory import NumberFormat, Trunk
from dialer.routing.dialling import dialled, presented

E164, PLAIN, NATIONAL = NumberFormat.E164, NumberFormat.E164_PLAIN, NumberFormat.NATIONAL


@pytest.mark.parametrize(
    ("number", "written", "region", "expected"),
    [
        ("+442079460001", E164, "GB", "+442079460001"),
        ("+442079460001", PLAIN, "GB", "442079460001"),
        ("+442079460001", NATIONAL, "GB", "02079460001"),
        ("+441614960001", NATIONAL, "GB", "01614960001"),
        ("+447400123456", NATIONAL, "GB", "07400123456"),
        ("+493012345", NATIONAL, "DE", "03012345"),
        # Abroad: the international prefix of the trunk's region.
        ("+493012345", NATIONAL, "GB", "00493012345"),
        ("+442079460001", NATIONAL, "DE", "00442079460001"),
        ("+442079460001", NATIONAL, "US", "011442079460001"),
        ("+442079460001", NATIONAL, "AU", "0011442079460001"),
        ("+442079460001", NATIONAL, "RU", "810442079460001"),
        # The Crown dependencies dial and are dialled like the mainland; North America dials its 1 at home.
        ("+441481960194", NATIONAL, "GB", "01481960194"),
        ("+442079460001", NATIONAL, "JE", "02079460001"),
        ("+12125550123", NATIONAL, "US", "12125550123"),
        ("+16045550123", NATIONAL, "US", "16045550123"),
        # Italy keeps its 0, Spain has none.
        ("+390236618300", NATIONAL, "IT", "0236618300"),
        ("+34810123456", NATIONAL, "ES", "810123456"),
        # Brazil leaves the choice of a carrier to the caller: without one, the + stays.
        ("+442079460001", NATIONAL, "BR", "+442079460001"),
    ],
)
def test_a_number_is_dialled_as_its_trunk_wants_it(
    number: str, written: NumberFormat, region: str, expected: str
) -> None:
    assert dialled(number, Trunk("t", "main", "t", number_format=written, region=region)) == expected


@pytest.mark.parametrize(
    ("number", "written", "region", "expected"),
    [
        ("+442079460001", E164, "GB", "+442079460001"),
        ("02079460001", NATIONAL, "GB", "+442079460001"),
        ("00493012345", NATIONAL, "GB", "+493012345"),
        ("442079460001", PLAIN, "GB", "+442079460001"),
        ("+442079460001", PLAIN, "GB", "+442079460001"),
        ("33142278186", PLAIN, "GB", "+33142278186"),
        # Alexandria, not London.
        ("2034871234", PLAIN, "GB", "+2034871234"),
        # Whatever the trunk was said to write.
        ("02079460001", PLAIN, "GB", "+442079460001"),
        ("02079460001", E164, "GB", "+442079460001"),
    ],
)
def test_who_calls_in_is_known_by_the_number_that_the_trunk_presents(
    number: str, written: NumberFormat, region: str, expected: str
) -> None:
    assert presented(number, Trunk("t", "main", "t", number_format=written, region=region)) == expected


@given(
    st.sampled_from(sorted(SUPPORTED_REGIONS)),
    st.sampled_from(sorted(SUPPORTED_REGIONS)),
    st.sampled_from(NumberFormat),
)
def test_from_anywhere_to_anywhere_only_digits_are_dialled(home: str, abroad: str, written: NumberFormat) -> None:
    example = example_number(abroad)
    assert example is not None
    number = format_number(example, PhoneNumberFormat.E164)
    assert re.fullmatch(r"\+?[0-9]{3,20}", dialled(number, Trunk("t", "main", "t", (), written, home)))
