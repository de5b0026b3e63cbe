"""What an address of the page says beside its link: the language, a day to offer times from, what was just done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Self

from dialer.web.visitor.english import ENGLISH
from dialer.web.visitor.rendering import LANGUAGES
from dialer.web.visitor.texts import Notice, Texts

_LENGTH_OF_DATE = len("2030-05-17")


@dataclass(frozen=True, slots=True)
class Query:
    """Anything else in it is as if it were not there."""

    texts: Texts
    day: date | None
    has_day: bool
    notice: Notice | None

    @classmethod
    def of(cls, given: Mapping[str, str], language: str = ENGLISH.code) -> Self:
        """Read it; `language` is the one in which the page opens where none is given."""
        done, day = given.get("done", ""), given.get("day")
        return cls(
            texts=LANGUAGES.get(given.get("lang", ""), LANGUAGES[language]),
            day=_date(day or ""),
            has_day=day is not None,
            notice=Notice(done) if done in set(Notice) else None,
        )


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == _LENGTH_OF_DATE else None
    except ValueError:
        return None
