"""Text messages as networks carry them: GSM-7 where possible, else UCS-2, in segments that cost one message each.

3GPP TS 23.038 (alphabet) and 23.040 (concatenation: a header takes 7 of 160, or 3 of 70, from each segment).
"""

import unicodedata

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("^{}\\[~]|€")
"""Each counts twice."""

_PLAINER = str.maketrans(
    {
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "\N{LEFT DOUBLE QUOTATION MARK}": '"',
        "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
        "\N{EN DASH}": "-",
        "\N{EM DASH}": "-",
        "\N{HORIZONTAL ELLIPSIS}": "...",
        "\N{NO-BREAK SPACE}": " ",
    }
)

_MOST_SEGMENTS = 3
_GSM = (160, 153)
_UCS = (70, 67)


def plainer(text: str) -> str:
    """The text in GSM-7 where only typographers' signs and accents stand against it; otherwise as it is.

    An accent is dropped only if all else is Latin: three times the price for a circumflex helps nobody, but a name in
    another script stays what it is.
    """
    typed = text.translate(_PLAINER)
    folded = "".join(char if _fits(char) else _without_accent(char) for char in typed)
    return folded if all(map(_fits, folded)) else typed


def segments(text: str) -> int:
    """How many segments a text takes."""
    gsm = all(map(_fits, text))
    length = sum(1 + (char in _EXTENDED) for char in text) if gsm else len(text.encode("utf-16-be")) // 2
    whole, part = _GSM if gsm else _UCS
    return 1 if length <= whole else -(-length // part)


def shortened(text: str) -> str:
    """The text, cut where it would take more than three segments."""
    if segments(text) <= _MOST_SEGMENTS:
        return text
    kept = len(text)
    while segments(cut := f"{text[:kept].rstrip()}...") > _MOST_SEGMENTS:
        kept -= 1
    return cut


def _fits(char: str) -> bool:
    return char in _BASIC or char in _EXTENDED


def _without_accent(char: str) -> str:
    return unicodedata.normalize("NFD", char)[0]
