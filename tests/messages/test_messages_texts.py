"""How many segments a text takes, and what is done to make it fewer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.notify.texts import plainer, segments, shortened

EURO = "€"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        (EURO * 80, 1),
        (EURO * 81, 2),
        ("ŵ" * 70, 1),
        ("ŵ" * 71, 2),
        ("ŵ" * 134, 2),
        ("ŵ" * 135, 3),
        ("\N{TELEPHONE RECEIVER}" * 35, 1),
        ("\N{TELEPHONE RECEIVER}" * 36, 2),
    ],
)
def test_segments(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("Siôn\N{RIGHT SINGLE QUOTATION MARK}s “shop” \N{EN DASH} 5 €…", 'Sion\'s "shop" - 5 €...'),
        ("à la carte", "à la carte"),
        ("Tŷ Gwyn", "Ty Gwyn"),
        # a name in another script stays what it is, and so do the accents beside it
        ("Tŷ Gwyn 李", "Tŷ Gwyn 李"),
    ],
)
def test_accents_give_way_only_where_all_else_fits(text: str, plain: str) -> None:
    assert plainer(text) == plain


@given(st.text(max_size=900))
def test_nothing_takes_more_than_three_segments(text: str) -> None:
    cut = shortened(text.encode("utf-16", "ignore").decode("utf-16"))
    assert segments(cut) <= 3


def test_what_fits_is_not_cut() -> None:
    assert shortened("a" * 459) == "a" * 459
    assert shortened("a" * 460) == "a" * 456 + "..."
