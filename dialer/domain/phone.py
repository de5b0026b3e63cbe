"""Phone numbers: text → E.164, type and region; allowed, or why not. Facts by `phonenumbers`, never its geocoder."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

import phonenumbers
from phonenumbers import (
    SUPPORTED_REGIONS,
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    ValidationResult,
    shortnumberinfo,
    timezone,
)

from dialer.domain.errors import RequestRefused


class NumberKind(StrEnum):
    """What a number is, as its country's plan says; `fixed_or_mobile` where the plan cannot tell (North America)."""

    FIXED = "fixed"
    MOBILE = "mobile"
    FIXED_OR_MOBILE = "fixed_or_mobile"
    TOLL_FREE = "toll_free"
    PREMIUM = "premium"
    SPECIAL_RATE = "special_rate"
    PERSONAL = "personal"
    VOIP = "voip"
    PAGER = "pager"
    UAN = "uan"
    VOICEMAIL = "voicemail"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PhoneNumber:
    """A valid number. `region` is ISO 3166 (`GB`; `001` for satellite and other numbers of no country)."""

    e164: str = field(repr=False)
    region: str
    kind: NumberKind


def parse(text: str, region: str) -> PhoneNumber:
    """Read one phone number as people write it; a national one is read in `region` (ISO 3166).

    Copied formatting marks, full-width digits, `tel:` and `+44 (0)20…` are understood. Letters, an extension or a
    second number are refused rather than dropped: what is left could ring somebody else.

    Raises `RequestRefused` (field `phone`); its text never holds the number.
    """
    plain = _plain(text)
    # Only a URI has parameters after its number; one of them, the context, may say the country.
    is_uri = plain[:4].lower() == "tel:"
    number_text = plain[4:] if is_uri else plain
    written = number_text.partition(";")[0] if is_uri else number_text
    try:
        number = phonenumbers.parse(number_text, region)
    except NumberParseException as error:
        raise _refused(_PARSE_CODES.get(error.error_type, "number_invalid")) from None
    if number.extension:
        raise _refused("number_extension")
    if not all(_written_in_numbers(char) for char in written):
        raise _refused("number_not_a_number")
    if not (found := _valid(phonenumbers.format_number(number, PhoneNumberFormat.E164))):
        raise _refused(_why_invalid(number, region))
    return found


def of_e164(e164: str) -> PhoneNumber:
    """A number that was accepted once, read again by the facts of today. Raises `RequestRefused` as `parse`."""
    return _valid(e164) or parse(e164, "ZZ")


def zones(e164: str) -> tuple[str, ...]:
    """The IANA names of the time zones in which a number may ring, by its prefix; empty where none is known."""
    number = _valid(e164)
    if number is not None and number.kind in _OF_A_PLACE:
        # What `time_zones_for_number` comes to after it has found out the type once more, which takes far longer.
        found = timezone.time_zones_for_geographical_number(_read(e164))
    else:
        try:
            found = timezone.time_zones_for_number(_read(e164))
        except NumberParseException:
            return ()
    return tuple(name for name in found if name != timezone.UNKNOWN_TIMEZONE)


def as_dialled(e164: str, region: str) -> str:
    """As it is written for whoever dials it in `region` (ISO 3166), national or international."""
    return phonenumbers.format_out_of_country_calling_number(_read(e164), region)


@lru_cache(4096)
def _read(e164: str) -> phonenumbers.PhoneNumber:
    """Remembered: between its submission and its call a number is read many times, and reading one takes longer than
    all that is asked about it. Nobody changes what is returned."""
    return phonenumbers.parse(e164)


@lru_cache(4096)
def _valid(e164: str) -> PhoneNumber | None:
    """The facts about a number in use, written in E.164; None of anything else."""
    try:
        number = _read(e164)
    except NumberParseException:
        return None
    # The type of a number that is not valid is unknown: asking for both would look through the plan twice.
    type_ = phonenumbers.number_type(number)
    if type_ == PhoneNumberType.UNKNOWN or phonenumbers.format_number(number, PhoneNumberFormat.E164) != e164:
        return None
    return PhoneNumber(e164, phonenumbers.region_code_for_number(number) or "", _kind(number, type_))


def known_region(region: str) -> bool:
    """True when national numbers of `region` (ISO 3166, capitals) can be read."""
    return region in SUPPORTED_REGIONS


@dataclass(frozen=True, slots=True)
class NumberPolicy:
    """Which numbers may be dialled; everything else is refused.

    The Crown dependencies are regions of their own (`GG`, `JE`, `IM`): 07911… and 07624… look like UK mobiles and cost
    more. `deny` holds numbers and prefixes in E.164 with their +.
    """

    regions: frozenset[str] = frozenset({"GB"})
    kinds: frozenset[NumberKind] = frozenset({NumberKind.FIXED, NumberKind.FIXED_OR_MOBILE, NumberKind.MOBILE})
    deny: frozenset[str] = frozenset()

    def check(self, number: PhoneNumber) -> None:
        """Return when `number` may be dialled; raises `RequestRefused` with the reason when it may not."""
        if number.region not in self.regions:
            raise _refused("number_foreign")
        if number.kind not in self.kinds:
            raise _refused(_KIND_CODES.get(number.kind, "number_type"))
        if any(number.e164[:length] in self.deny for length in range(2, len(number.e164) + 1)):
            raise _refused("number_denied")


DEFAULT_POLICY = NumberPolicy()
"""UK geographic and mobile numbers, nothing else."""

CALLER_ID_KINDS = frozenset(
    {
        NumberKind.FIXED,
        NumberKind.FIXED_OR_MOBILE,
        NumberKind.MOBILE,
        NumberKind.TOLL_FREE,
        NumberKind.UAN,
        NumberKind.VOIP,
    }
)
"""Kinds that may be presented as caller ID: calling back must not cost more than a call to a geographic number."""


_TEXTS: Mapping[str, tuple[str, str]] = {
    "number_invalid": ("not a number in use", "check the number, with its area code"),
    "number_too_short": ("the number is too short", "give the whole number, with its area code"),
    "number_too_long": ("the number is too long", "give one number"),
    "number_not_a_number": ("not a phone number", "give one number, in digits"),
    "number_extension": ("the number has an extension", "give a number that can be dialled without an extension"),
    "number_emergency": ("an emergency number", "give the visitor's own number"),
    "number_short_code": ("a short code", "give the visitor's own number"),
    "number_foreign": ("the number's country or territory is not allowed", "give a UK number"),
    "number_premium": ("a premium rate number", "give a landline or mobile number"),
    "number_special_rate": ("a special rate number", "give a landline or mobile number"),
    "number_personal": ("a personal (070) number", "give a landline or mobile number"),
    "number_denied": ("this number is not called", "give another number"),
    "number_type": ("this type of number is not allowed", "give a landline or mobile number"),
}
"""Code → what is wrong, and the remedy."""

_PARSE_CODES = {
    NumberParseException.NOT_A_NUMBER: "number_not_a_number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "number_too_short",
    NumberParseException.TOO_SHORT_NSN: "number_too_short",
    NumberParseException.TOO_LONG: "number_too_long",
}

_POSSIBLE_CODES = {
    ValidationResult.TOO_SHORT: "number_too_short",
    ValidationResult.IS_POSSIBLE_LOCAL_ONLY: "number_too_short",
    ValidationResult.TOO_LONG: "number_too_long",
}

_KIND_CODES = {
    NumberKind.PREMIUM: "number_premium",
    NumberKind.SPECIAL_RATE: "number_special_rate",
    NumberKind.PERSONAL: "number_personal",
}

_KINDS = {
    PhoneNumberType.FIXED_LINE: NumberKind.FIXED,
    PhoneNumberType.MOBILE: NumberKind.MOBILE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: NumberKind.FIXED_OR_MOBILE,
    PhoneNumberType.TOLL_FREE: NumberKind.TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM,
    PhoneNumberType.SHARED_COST: NumberKind.SPECIAL_RATE,
    PhoneNumberType.VOIP: NumberKind.VOIP,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL,
    PhoneNumberType.PAGER: NumberKind.PAGER,
    PhoneNumberType.UAN: NumberKind.UAN,
    PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
}

_OF_A_PLACE = frozenset({NumberKind.FIXED, NumberKind.FIXED_OR_MOBILE})

_UK = 44


def _refused(code: str) -> RequestRefused:
    what, remedy = _TEXTS[code]
    return RequestRefused(code, "phone", what, remedy=remedy)


def _plain(text: str) -> str:
    """The text without formatting marks (they come with copied numbers), its digits and signs in plain width."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf").strip()


def _written_in_numbers(char: str) -> bool:
    """Digits of any script and what people set between them.

    No slash, star or comma: `01204 52345/6` and `020 7946*0000` would be read as numbers that nobody wrote.
    """
    return char.isdecimal() or char in "+.()[]" or unicodedata.category(char) in {"Zs", "Pd"}


def _why_invalid(number: phonenumbers.PhoneNumber, region: str) -> str:
    digits = phonenumbers.national_significant_number(number)
    if shortnumberinfo.is_emergency_number(digits, region):
        return "number_emergency"
    if shortnumberinfo.is_valid_short_number_for_region(number, region):
        return "number_short_code"
    return _POSSIBLE_CODES.get(phonenumbers.is_possible_number_with_reason(number), "number_invalid")


def _kind(number: phonenumbers.PhoneNumber, type_: int) -> NumberKind:
    if number.country_code == _UK and phonenumbers.national_significant_number(number).startswith(("84", "87")):
        # phonenumbers counts them as premium or shared cost; in the UK they have a name and a rule of their own.
        return NumberKind.SPECIAL_RATE
    return _KINDS[type_]
