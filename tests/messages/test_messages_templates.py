"""The templates: ours are good in both languages, a site's own come first, and what is wrong is said with its place."""

from pathlib import Path

import pytest

from dialer.domain.errors import ConfigurationError
from dialer.notify.messages import MessageKind
from dialer.notify.templates import Part, TemplateFault, Templates, sample
from dialer.notify.texts import plainer, segments
from dialer.notify.wording import Language

EN, CY = Language.ENGLISH, Language.WELSH
BOOKED = MessageKind.BOOKED


@pytest.mark.parametrize("language", list(Language))
def test_ours_are_good(language: Language) -> None:
    Templates(language).check()


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(MessageKind))
@pytest.mark.parametrize("site", ["Example Shop", "S" * 60])
def test_ours_fit_into_a_few_segments(language: Language, kind: MessageKind, site: str) -> None:
    words = {**sample(language), "site": site, "page": "https://callback.example.com/c/" + "x" * 58}
    text = plainer(Templates(language).render(kind, Part.SMS, words))
    assert segments(text) <= 3
    assert segments(text) == -(-len(text) // (160 if len(text) <= 160 else 153))  # GSM-7


@pytest.mark.parametrize("language", list(Language))
def test_in_html_everything_foreign_is_escaped(language: Language) -> None:
    bad = '"><script>alert(1)</script>'
    words = {**sample(language), "name": bad, "site": bad, "page": f"https://x/{bad}", "subject": bad}
    for kind in MessageKind:
        html = Templates(language).render(kind, Part.HTML, words)
        assert "<script" not in html
        assert "&lt;script&gt;" in html
        # a text is a text
        assert "&lt;" not in Templates(language).render(kind, Part.TEXT, words)


def test_a_header_and_a_text_are_one_line() -> None:
    words = {**sample(EN), "site": "Shop\r\nBcc: all@example.com\u2028x" + "y" * 200}
    for part in (Part.SUBJECT, Part.SMS):
        assert "\n" not in Templates(EN).render(BOOKED, part, words)
    assert len(Templates(EN).render(BOOKED, Part.SUBJECT, words)) == 150


def test_a_site_s_own_come_first_and_ours_fill_in(tmp_path: Path) -> None:
    (tmp_path / "booked.subject.j2").write_text("Own: {{ when }}")
    (tmp_path / "foot.j2").write_text("<p>Our foot &amp; {{ site }}</p>")
    (tmp_path / "booked.html.j2").write_text(
        '{% extends "layout.html.j2" %}{% block content %}{% include "foot.j2" %}{% endblock %}'
    )
    templates = Templates(CY, tmp_path)
    templates.check()
    assert templates.render(BOOKED, Part.SUBJECT, sample(CY)).startswith("Own: dydd Gwener")
    assert "<p>Our foot &amp; Example Shop</p>" in templates.render(BOOKED, Part.HTML, sample(CY))
    assert "Helo" in templates.render(BOOKED, Part.TEXT, sample(CY))


WRONG = [
    # what is written, at which line, what is said
    ("a\n{{ nme }}\n", "line 2", "'nme' is undefined"),
    ("a\nb\n{% if %}\n", "line 3", "Expected"),
    ("{{ site", "line 1", "unexpected end of template"),
    ("a\n\n{% include 'nowhere.j2' %}", "line 3", "nowhere.j2"),
    ("{% include '../../../secret' %}", "line 1", "secret"),
    ("{{ 1 / 0 }}", "line 1", "ZeroDivisionError"),
    ("{{ site.nothing }}", "line 1", "has no attribute 'nothing'"),
    # out of the sandbox
    ("{{ ''.__class__.__mro__ }}", "line 1", "unsafe"),
    ("\n{{ site.__init__.__globals__ }}", "line 2", "unsafe"),
    ("{% for i in range(99999999) %}x{% endfor %}", "line 1", "OverflowError"),
    ("{{ 'x' * 200000 }}", "", "longer than 100000 characters"),
    # only without what may be missing
    ("{{ page.upper() }}", "line 1", "has no attribute 'upper'"),
    (" \n", "", "it is empty"),
]


@pytest.mark.parametrize(("text", "line", "says"), WRONG)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, text: str, line: str, says: str) -> None:
    (tmp_path / "booked.txt.j2").write_text(text)
    with pytest.raises(ConfigurationError) as caught:
        Templates(EN, tmp_path).check()
    error = caught.value
    assert says in error.what
    assert "booked.txt.j2" in error.where
    assert line in error.where
    assert "\n" not in str(error)


def test_a_mistake_in_what_is_included_is_said_with_its_own_place(tmp_path: Path) -> None:
    (tmp_path / "foot.j2").write_text("a\n{{ nobody }}")
    (tmp_path / "booked.html.j2").write_text("{% include 'foot.j2' %}")
    with pytest.raises(ConfigurationError) as caught:
        Templates(EN, tmp_path).check()
    assert caught.value.where == f"{tmp_path / 'foot.j2'}: line 2"


def test_a_folder_s_slips_are_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such folder"):
        Templates(EN, tmp_path / "missing").check()
    (tmp_path / "boked.txt.j2").write_text("x")
    with pytest.raises(ConfigurationError, match="no message is made of it"):
        Templates(EN, tmp_path).check()
    (tmp_path / "boked.txt.j2").rename(tmp_path / "booked.txt.j2")
    (tmp_path / "booked.txt.j2").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UnicodeDecodeError"):
        Templates(EN, tmp_path).check()


def test_a_fault_never_tells_what_was_to_be_put_in(tmp_path: Path) -> None:
    (tmp_path / "booked.txt.j2").write_text("{{ [].index(name) }}")
    with pytest.raises(TemplateFault) as caught:
        Templates(EN, tmp_path).render(BOOKED, Part.TEXT, {**sample(EN), "name": "Zoe Smith"})
    assert "Zoe" not in str(caught.value)
    assert caught.value.__cause__ is None
