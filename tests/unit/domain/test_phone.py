"""Phone numbers: what is read, what is refused and why."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.errors import RequestRefused
from dialer.domain.phone import CALLER_ID_KINDS, DEFAULT_POLICY, NumberKind, NumberPolicy, known_region, parse


def refusal(text: str, region: str = "GB", policy: NumberPolicy = DEFAULT_POLICY) -> RequestRefused | None:
    """Why `text` may not be dialled; None when it may."""
    try:
        policy.check(parse(text, region))
    except RequestRefused as refused:
        return refused
    return None


@pytest.mark.parametrize(
    "text",
    [
        "02079460000",
        "020 7946 0000",
        "+442079460000",
        "+44 20 7946 0000",
        "+44 (0)20 7946 0000",
        "+44(0)2079460000",
        "0044 20 7946 0000",
        "442079460000",
        "2079460000",
        "(020) 7946-0000",
        "020.7946.0000",
        "020\u20137946\u20130000",  # en dashes
        "020\u00a07946\u00a00000",  # no-break spaces
        "  020 7946 0000  ",
        "\uff10\uff12\uff10\uff17\uff19\uff14\uff16\uff10\uff10\uff10\uff10",  # full width
        "\uff0b442079460000",
        "\u0660\u0662\u0660\u0667\u0669\u0664\u0666\u0660\u0660\u0660\u0660",  # Arabic-Indic
        "\u200f020 7946 0000\u200e",  # marks that come with copied text
        "\u202a+44 20 7946 0000\u202c",
        "\ufeff020 7946 0000",
        "tel:+44-20-7946-0000",
        "tel:02079460000;phone-context=+44",
        "TEL:+442079460000",
    ],
)
def test_one_number_in_many_writings(text: str) -> None:
    number = parse(text, "GB")
    assert (number.e164, number.region, number.kind) == ("+442079460000", "GB", NumberKind.FIXED)


@pytest.mark.parametrize(
    ("text", "e164", "region", "kind"),
    [
        ("0161 496 0000", "+441614960000", "GB", NumberKind.FIXED),
        ("028 9649 6000", "+442896496000", "GB", NumberKind.FIXED),
        ("01204 523456", "+441204523456", "GB", NumberKind.FIXED),
        ("07400 123456", "+447400123456", "GB", NumberKind.MOBILE),
        ("0800 123456", "+44800123456", "GB", NumberKind.TOLL_FREE),
        ("0300 123 4567", "+443001234567", "GB", NumberKind.UAN),
        ("05600 123456", "+445600123456", "GB", NumberKind.VOIP),
        ("07600 123456", "+447600123456", "GB", NumberKind.PAGER),
        ("07012 345678", "+447012345678", "GB", NumberKind.PERSONAL),
        ("0901 234 5678", "+449012345678", "GB", NumberKind.PREMIUM),
        ("0845 123 4567", "+448451234567", "GB", NumberKind.SPECIAL_RATE),
        ("0870 123 4567", "+448701234567", "GB", NumberKind.SPECIAL_RATE),
        ("07911 123456", "+447911123456", "GG", NumberKind.MOBILE),
        ("07624 123456", "+447624123456", "IM", NumberKind.MOBILE),
        ("07797 123456", "+447797123456", "JE", NumberKind.MOBILE),
        ("01534 123456", "+441534123456", "JE", NumberKind.FIXED),
        ("+1 202 555 0123", "+12025550123", "US", NumberKind.FIXED_OR_MOBILE),
        ("+870 772 001234", "+870772001234", "001", NumberKind.MOBILE),
    ],
)
def test_region_and_kind(text: str, e164: str, region: str, kind: NumberKind) -> None:
    number = parse(text, "GB")
    assert (number.e164, number.region, number.kind) == (e164, region, kind)


@pytest.mark.parametrize("text", ["020 7946 0000", "0161 496 0999", "07400 123456"])
def test_allowed_by_default(text: str) -> None:
    assert refusal(text) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "number_not_a_number"),
        ("   ", "number_not_a_number"),
        ("+", "number_not_a_number"),
        ("call me", "number_not_a_number"),
        ("0800 FLOWERS", "number_not_a_number"),
        ("020 7946 ABCD", "number_not_a_number"),
        ("020 7946 0000 or 0161 496 0000", "number_too_long"),
        ("020 7946 0000; 0161 496 0000", "number_not_a_number"),
        ("020 7946 0000, 0161 496 0000", "number_not_a_number"),
        ("01204 52345/6", "number_not_a_number"),
        ("020 7946*0000", "number_not_a_number"),
        ("020 7946\n0000", "number_not_a_number"),
        ("\x00020 7946 0000", "number_not_a_number"),
        ("020 7946 0000\r\nAction: Command", "number_not_a_number"),
        ("<020 7946 0000>", "number_not_a_number"),
        ("020 7946 0000 \N{GRINNING FACE}", "number_not_a_number"),
        ("\ud800020 7946 0000", "number_not_a_number"),
        ("+44+2079460000", "number_not_a_number"),
        ("020 7946 0000 / 020 7946 0001", "number_too_long"),
        ("020794600000000", "number_too_long"),
        ("0" * 300, "number_too_long"),
        ("02079460000 x12", "number_extension"),
        ("+44 20 7946 0000 ext. 5", "number_extension"),
        ("020 7946 0000,,5", "number_extension"),
        ("tel:+442079460000;ext=5", "number_extension"),
        ("+4420", "number_too_short"),
        ("7946 0000", "number_too_short"),
        ("07700 900123", "number_invalid"),  # Ofcom's drama mobiles are in nobody's use
        ("01632 960000", "number_invalid"),
        ("0116 123", "number_invalid"),
        ("+999 123456789", "number_invalid"),
        ("999", "number_emergency"),
        ("112", "number_emergency"),
        ("+44 999", "number_emergency"),
        ("101", "number_short_code"),
        ("111", "number_short_code"),
        ("118500", "number_short_code"),
        ("0901 234 5678", "number_premium"),
        ("07012 345678", "number_personal"),
        ("0843 123 4567", "number_special_rate"),
        ("0845 123 4567", "number_special_rate"),
        ("0870 123 4567", "number_special_rate"),
        ("0800 123456", "number_type"),
        ("0300 123 4567", "number_type"),
        ("05600 123456", "number_type"),
        ("07600 123456", "number_type"),
        ("07911 123456", "number_foreign"),
        ("07624 123456", "number_foreign"),
        ("01534 123456", "number_foreign"),
        ("+1 202 555 0123", "number_foreign"),
        ("+33 1 23 45 67 89", "number_foreign"),
        ("+870 772 001234", "number_foreign"),
        ("+1 900 234 5678", "number_foreign"),
    ],
)
def test_refused(text: str, expected: str) -> None:
    refused = refusal(text)
    assert refused is not None
    assert (refused.code, refused.field) == (expected, "phone")
    assert refused.remedy


def test_a_policy_opens_what_it_names() -> None:
    policy = NumberPolicy(regions=frozenset({"FR", "GG"}), kinds=frozenset({NumberKind.FIXED, NumberKind.MOBILE}))
    assert refusal("+33 1 23 45 67 89", policy=policy) is None
    assert refusal("07911 123456", policy=policy) is None
    refused = refusal("020 7946 0000", policy=policy)
    assert refused is not None
    assert refused.code == "number_foreign"


def test_a_national_number_is_read_in_its_region() -> None:
    assert parse("01 23 45 67 89", "FR").e164 == "+33123456789"


def test_a_caller_id_never_costs_more_to_call_back() -> None:
    assert not CALLER_ID_KINDS & {NumberKind.PREMIUM, NumberKind.SPECIAL_RATE, NumberKind.PERSONAL, NumberKind.PAGER}


def test_known_regions() -> None:
    assert known_region("GB")
    assert known_region("GG")
    assert not known_region("gb")
    assert not known_region("XX")
    assert not known_region("001")


def test_a_number_does_not_show_in_its_repr() -> None:
    assert "2079460000" not in repr(parse("020 7946 0000", "GB"))


SOME_REGIONS = st.sampled_from(["GB", "GG", "US", "FR", "IT"])
LIKE_NUMBERS = st.text("0123456789+ -().x#;=,/*\u200f\uff10\u0660abctel:\n", max_size=40)


@given(
    st.one_of(st.text(), st.text(st.characters(codec=None, categories=["Cs", "Nd", "Zs"])), LIKE_NUMBERS), SOME_REGIONS
)
def test_any_text_is_read_or_refused(text: str, region: str) -> None:
    try:
        number = parse(text, region)
    except RequestRefused as refused:
        digits = "".join(char for char in text if char.isdigit())
        assert len(digits) < 3 or digits not in str(refused)  # noqa: PT017 -- what is refused is half the property
    else:
        assert number.e164.startswith("+")
        assert number.e164[1:].isascii()
        assert number.e164[1:].isdigit()
        assert parse(number.e164, region) == number
