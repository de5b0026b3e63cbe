"""The labels of the numbers are true: by `phonenumbers` itself, range by range."""

from random import Random

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from tests.year.clocks import zones_of
from tests.year.numbers import CALLED, NEVER, Range

KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: "toll_free",
}
HOMES = {"GB": "GB", "US": "US"}


@pytest.mark.parametrize("numbers", CALLED, ids=lambda numbers: numbers.prefix)
def test_a_range_that_may_be_called_is_what_its_label_says(numbers: Range) -> None:
    random = Random(1)
    zones = set()
    for _ in range(300):
        drawn = numbers.draw(random, HOMES.get(numbers.region, ""))
        typed = phonenumbers.parse(drawn.text, HOMES.get(numbers.region))
        assert phonenumbers.format_number(typed, phonenumbers.PhoneNumberFormat.E164) == drawn.e164
        assert phonenumbers.region_code_for_number(typed) == drawn.region
        assert KINDS[phonenumbers.number_type(typed)] == drawn.kind
        zones.add(zones_of(drawn.e164))
    assert len(zones) == 1, "all of a range ring in the same zones"


@pytest.mark.parametrize("numbers", NEVER, ids=lambda numbers: numbers.prefix)
def test_a_range_that_is_never_called_is_none_of_the_allowed_kinds(numbers: Range) -> None:
    typed = phonenumbers.parse(numbers.draw(Random(1), "").text, "GB")
    of_a_country = phonenumbers.region_code_for_number(typed) not in {None, "001"}
    kind = KINDS.get(phonenumbers.number_type(typed))
    special = phonenumbers.national_significant_number(typed).startswith(("84", "87"))
    assert not of_a_country or kind is None or special
