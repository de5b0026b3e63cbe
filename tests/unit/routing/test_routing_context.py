"""What the agent is told: by what name, from which page, and where to read more."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialer.domain.callback import Visitor
from dialer.domain.directory import NameStyle
from dialer.domain.ids import CallbackId
from dialer.routing.context import MAX_NAME, MAX_NAME_BYTES, caller_name, page, page_link
from dialer.routing.names import one_line, trimmed, written
from tests.unit.routing.house import SALES, SHOP, directory

OPEN_SHOP = replace(SHOP, page_query=True)
anything = st.text(st.characters(exclude_categories=()), max_size=300)


# --- letters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "as_written", "latin", "plain"),
    [
        ("Maria", "Maria", "Maria", "Maria"),
        ("Zoë Strauß", "Zoë Strauß", "Zoë Strauß", "Zoe Strauss"),
        ("Łukasz Ørsted", "Łukasz Ørsted", "Łukasz Ørsted", "Lukasz Orsted"),
        ("Nguyễn Ái", "Nguyễn Ái", "Nguyễn Ái", "Nguyen Ai"),
        ("İpek Çelik", "İpek Çelik", "İpek Çelik", "Ipek Celik"),
        ("Zoe\u0308", "Zoë", "Zoë", "Zoe"),  # composed
        ("e\u0323\u0302\u0300", "ệ\u0300", "ệ\u0300", "e"),  # a mark that nothing is composed with stays
        ("Ольга Щукина", "Ольга Щукина", "Ol'ga Shchukina", "Ol'ga Shchukina"),
        ("й\u0301", "й\u0301", "y", "y"),  # not on a letter that is written otherwise
        ("Γιώργος", "Γιώργος", "Giorgos", "Giorgos"),
        ("王小明", "王小明", "WangXiaoMing", "WangXiaoMing"),
        ("たなか", "たなか", "tanaka", "tanaka"),
        ("김철수", "김철수", "GimCheolSu", "GimCheolSu"),
        ("محمد", "محمد", "mhmd", "mhmd"),
        ("नमस्ते", "नमस्ते", "nmste", "nmste"),
        ("\uff2d\uff41x", "\uff2d\uff41x", "Max", "Max"),  # of full width
        ("O\u2019Neill \u2014 Søn", "O\u2019Neill \u2014 Søn", "O'Neill - Søn", "O'Neill - Son"),
        ("Zoë 🎉 Li", "Zoë 🎉 Li", "Zoë Li", "Zoe Li"),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧", "", ""),
        ("a : b", "a : b", "a : b", "a : b"),
        ("  a\r\nAction:\tb\u2028c ", "a Action: b c", "a Action: b c", "a Action: b c"),
        ("a\u202eb\x00c\ud800d\ue000e", "abcde", "abcde", "abcde"),
        ("\u202e \u200b", "", "", ""),
        ("", "", "", ""),
    ],
)
def test_names_in_the_letters_that_a_phone_has(name: str, as_written: str, latin: str, plain: str) -> None:
    assert written(name, NameStyle.AS_WRITTEN) == as_written
    assert written(name, NameStyle.LATIN) == latin
    assert written(name, NameStyle.ASCII) == plain


@given(anything)
def test_any_name_becomes_one_line_of_what_can_be_shown(text: str) -> None:
    for style in NameStyle:
        line = written(text, style)
        assert line == " ".join(line.split())
        assert not any(ord(char) < 0x20 for char in line)
    assert written(text, NameStyle.ASCII).isascii()
    assert one_line(text) == written(text, NameStyle.AS_WRITTEN)


# --- trimming --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "characters", "octets", "shown"),
    [
        ("Maria", 5, 5, "Maria"),
        ("Maria Schmidt", 9, 99, "Maria"),  # a whole word rather than a piece of one
        ("Maria Schmidt", 5, 99, "Maria"),
        ("Maria Schmidt", 6, 99, "Maria"),
        ("Jo Featherstonehaugh", 12, 99, "Jo Featherst"),  # … unless that costs more than half
        ("Featherstonehaugh", 7, 99, "Feather"),
        ("Zoë", 99, 3, "Zo"),  # no half a letter
        ("Zoë", 99, 4, "Zoë"),
        ("王小明", 99, 7, "王小"),
        ("ab\u0323\u0300c", 2, 99, "a"),  # no letter without its marks
        ("ab\u0323\u0300c", 3, 99, "a"),
        ("ab\u0323\u0300c", 4, 99, "ab\u0323\u0300"),
        ("a👩\u200d👧", 2, 99, "a"),  # no half of a joined picture
        ("a👩\u200d👧", 3, 99, "a👩"),
        ("\u0301" * 9, 3, 99, ""),
        ("a b", 2, 99, "a"),
        ("a", 0, 99, ""),
    ],
)
def test_trimmed_where_it_hurts_least(text: str, characters: int, octets: int, shown: str) -> None:
    assert trimmed(text, characters, octets) == shown


# --- the caller's name -----------------------------------------------------------------------------------------------

LONG_PLACE = "Customer Care for Furniture and Kitchens in the North"


@pytest.mark.parametrize(
    ("department", "name", "shown"),
    [
        ("Sales", "Zoë", "Sales: Zoë"),
        ("Sales", "", "Sales"),
        ("Sales", " \u202e\n", "Sales"),
        ("Sales", "🎉", "Sales"),
        ("Продажи", "Ольга", "Prodazhi: Ol'ga"),
        ("🎉", "Zoë", "Zoë"),
        ("Sales", "\u0301" * 100, "Sales"),
        # Both are seen when both are long: the department gives way first, down to a third.
        (LONG_PLACE, "Zoë", f"{LONG_PLACE}: Zoë"),
        (LONG_PLACE, "Maximilian von Hohenstein", "Customer Care for Furniture and: Maximilian von Hohenstein"),
        (LONG_PLACE, "Maximiliana " * 9, "Customer Care for: Maximiliana Maximiliana Maximiliana"),
        ("Sales", "x" * 99, "Sales: " + "x" * 53),
        ("x" * 99, "y" * 99, "x" * 24 + ": " + "y" * 34),
        (LONG_PLACE * 3, "", "Customer Care for Furniture and Kitchens in the"),
    ],
)
def test_the_caller_name(department: str, name: str, shown: str) -> None:
    assert caller_name(replace(SALES, name=department), Visitor(phone="+441614960001", name=name)) == shown


@pytest.mark.parametrize(
    ("style", "shown"),
    [(NameStyle.AS_WRITTEN, "Büro: Лев Ås"), (NameStyle.LATIN, "Büro: Lev Ås"), (NameStyle.ASCII, "Buro: Lev As")],
)
def test_the_caller_name_is_in_the_departments_style(style: NameStyle, shown: str) -> None:
    department = replace(SALES, name="Büro", name_style=style)
    assert caller_name(department, Visitor(phone="+441614960001", name="Лев Ås")) == shown


def test_letters_of_three_bytes_leave_room_for_both() -> None:
    department = replace(SALES, name="店" * 99, name_style=NameStyle.AS_WRITTEN)
    assert caller_name(department, Visitor(phone="+441614960001", name="王" * 99)) == "店" * 10 + ": " + "王" * 15


@given(anything, anything, st.sampled_from(NameStyle))
def test_any_caller_name_is_bounded_and_never_ends_in_nothing(place: str, name: str, style: NameStyle) -> None:
    department = replace(SALES, name=f"Sales {place}", name_style=style)
    shown = caller_name(department, Visitor(phone="+441614960001", name=name))
    assert shown.startswith("Sales")
    assert len(shown) <= MAX_NAME
    assert len(shown.encode()) <= MAX_NAME_BYTES
    assert shown == shown.strip()
    assert not written(name, style) or ":" in shown or len(shown) < MAX_NAME


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_page", "shown", "with_query"),
    [
        (
            "https://shop.example.com/sofas/red?email=zoe@example.com#top",
            "https://shop.example.com/sofas/red",
            "https://shop.example.com/sofas/red?email=zoe@example.com",
        ),
        ("http://shop.example.com", "http://shop.example.com", "http://shop.example.com"),
        ("http://shop.example.com?", "http://shop.example.com", "http://shop.example.com"),
        ("http://shop.example.com#?a", "http://shop.example.com", "http://shop.example.com"),
        ("HTTPS://shop.example.com:8443/a", "https://shop.example.com:8443/a", "https://shop.example.com:8443/a"),
        ("https://zoe:secret@shop.example.com/a", "https://shop.example.com/a", "https://shop.example.com/a"),
        (
            "https://shop.example.com/a?x=1,GLOBAL(PWNED)=yes",
            "https://shop.example.com/a",
            "https://shop.example.com/a?x=1,GLOBAL(PWNED)=yes",
        ),
        ("", "", ""),
        ("shop.example.com/a", "", ""),
        ("javascript:alert(1)", "", ""),
        ("ftp://shop.example.com/a", "", ""),
        ("https:///a", "", ""),
        ("https://zoe@/a", "", ""),
        ("https://[shop/a", "", ""),
    ],
)
def test_the_page_without_what_may_be_personal(given_page: str, shown: str, with_query: str) -> None:
    visitor = Visitor(phone="+441614960001", page=given_page)
    assert page(visitor, SHOP) == shown
    assert page(visitor, OPEN_SHOP) == with_query


@given(st.text() | st.text("htps:/?#@[].,a\n", max_size=40).map(lambda rest: f"https://{rest}"))
def test_any_page_is_shown_without_query_or_not_at_all(text: str) -> None:
    visitor = Visitor(phone="+441614960001", page=text)
    shown = page(visitor, SHOP)
    assert "?" not in shown
    assert shown == "" or shown.startswith(("http://", "https://"))
    assert "#" not in shown + page(visitor, OPEN_SHOP)


@pytest.mark.parametrize(
    ("configured", "link"),
    [
        ("", ""),
        ("https://desk.example.com/callbacks/{id}", "https://desk.example.com/callbacks/01ABC"),
        ("https://desk.example.com/?id={id}&back={id}", "https://desk.example.com/?id=01ABC&back=01ABC"),
    ],
)
def test_the_link_to_the_callbacks_page(configured: str, link: str) -> None:
    assert page_link(directory(callback_page=configured), CallbackId("01ABC")) == link
