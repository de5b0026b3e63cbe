"""The numbers that visitors give: ranges of real numbering plans under labels of our own, so that nobody has to ask the
code under test what a number is."""

from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Number:
    """`text` as a visitor types it; region (ISO 3166) and kind are the label of the range that begins with `prefix`."""

    text: str
    e164: str
    prefix: str
    region: str
    kind: str


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers that begin so, with so many random digits behind it. They all ring in the same zones."""

    prefix: str
    digits: int
    region: str
    kind: str

    def draw(self, random: Random, home: str) -> Number:
        """One of them. In their own region `home`, three of ten type it without the country's code."""
        e164 = f"{self.prefix}{random.randrange(10**self.digits):0{self.digits}}" if self.digits else self.prefix
        text = _typed(e164, random) if home == self.region else e164
        return Number(text, e164, self.prefix, self.region, self.kind)


def _typed(e164: str, random: Random) -> str:
    if random.random() < 0.7 or not e164.startswith("+"):
        return e164
    if e164.startswith("+44"):
        return f"0{e164[3:6]} {e164[6:]}"
    return f"({e164[2:5]}) {e164[5:8]}-{e164[8:]}"


_DRAMA = (
    *("+442079460", "+441134960", "+441144960", "+441164960", "+441174960", "+441184960", "+441214960"),
    *("+441314960", "+441414960", "+441514960", "+441614960", "+441914980", "+442920180", "+442896496"),
)
"""Ofcom keeps these for fiction. It keeps no mobile numbers that `phonenumbers` takes for valid."""

UK = (
    *(Range(prefix, 3, "GB", "fixed") for prefix in _DRAMA),
    *(Range(prefix, 7, "GB", "mobile") for prefix in ("+44740", "+44742", "+44753", "+44741")),
)
CROWN = (
    Range("+4414812", 5, "GG", "fixed"),
    Range("+447781", 6, "GG", "mobile"),
    Range("+4479111", 5, "GG", "mobile"),
    Range("+4415342", 5, "JE", "fixed"),
    Range("+447797", 6, "JE", "mobile"),
    Range("+4416246", 5, "IM", "fixed"),
    Range("+4476243", 5, "IM", "mobile"),
)
US = (
    Range("+1212555", 4, "US", "fixed_or_mobile"),
    Range("+1312234", 4, "US", "fixed_or_mobile"),
    Range("+1303456", 4, "US", "fixed_or_mobile"),
    Range("+1602234", 4, "US", "fixed_or_mobile"),
    Range("+1213345", 4, "US", "fixed_or_mobile"),
    Range("+1907234", 4, "US", "fixed_or_mobile"),
    Range("+1808234", 4, "US", "fixed_or_mobile"),
)
TOLL_FREE = (Range("+1800234", 4, "US", "toll_free"), Range("+1888234", 4, "US", "toll_free"))
GERMANY = (Range("+4930123", 5, "DE", "fixed"), Range("+49151", 8, "DE", "mobile"))
FRANCE = (Range("+3312345", 4, "FR", "fixed"),)
CALLED = (*UK, *CROWN, *US, *TOLL_FREE, *GERMANY, *FRANCE)
"""What some policies allow."""

NEVER = (
    Range("+44909879", 4, "GB", "premium"),
    Range("+44700012", 4, "GB", "personal"),
    Range("+4484312", 5, "GB", "special_rate"),
    Range("+4487123", 5, "GB", "special_rate"),
    Range("+8816123", 5, "001", "satellite"),
    Range("+870773", 6, "001", "satellite"),
    Range("+447700900", 3, "GB", "nobody's"),
    Range("118118", 0, "GB", "short"),
    Range("999", 0, "GB", "emergency"),
)
"""What no policy allows."""
