"""What the page tells and lets do, for every way in which a callback can stand; in both languages the same."""

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from dialer.domain.callback import Callback, Status, Visitor, Wish, WishKind
from dialer.domain.ids import CallbackId
from dialer.web.visitor import moments
from dialer.web.visitor.english import ENGLISH
from dialer.web.visitor.rendering import LANGUAGES
from dialer.web.visitor.texts import Notice, Stands, Texts, Trouble
from dialer.web.visitor.view import fits, view
from dialer.web.visitor.welsh import WELSH

NOW = datetime(2030, 5, 13, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=3)
MADE = Callback(CallbackId("1"), "shop", "sales", Visitor("+442079460123"), NOW, None, LATER)
UNDER_WAY = replace(MADE, status=Status.IN_PROGRESS)


def wishing(kind: WishKind, *, late: bool = False) -> Callback:
    return replace(UNDER_WAY, wish=Wish(kind, "said so", late=late))


@pytest.mark.parametrize(
    ("callback", "objected", "stands", "may"),
    [
        (MADE, False, Stands.PLANNED, "move cancel object"),
        (MADE, True, Stands.PLANNED, "cancel"),
        (replace(MADE, customer_attempts=1), False, Stands.AGAIN, "move cancel object"),
        (replace(MADE, attempts=2, agent_rings=2), False, Stands.PLANNED, "move cancel object"),
        (replace(MADE, due_at=NOW), False, Stands.SOON, "move cancel object"),
        (UNDER_WAY, False, Stands.CALLING, "move cancel object"),
        (wishing(WishKind.CALLED_IN), False, Stands.CALLING, "move cancel object"),
        (wishing(WishKind.CANCEL), False, Stands.STOPPING, "object"),
        (wishing(WishKind.MOVE), False, Stands.MOVING, "move cancel object"),
        (wishing(WishKind.OBJECTION), True, Stands.STOPPING, ""),
        (wishing(WishKind.CANCEL, late=True), False, Stands.LATE, "cancel object"),
        (wishing(WishKind.OBJECTION, late=True), True, Stands.LATE, "cancel"),
        (replace(MADE, status=Status.NEEDS_REVIEW), False, Stands.REVIEWED, "object"),
        (replace(MADE, status=Status.COMPLETED), False, Stands.CALLED, "object"),
        (replace(MADE, status=Status.FAILED), False, Stands.NOT_REACHED, "object"),
        (replace(MADE, status=Status.CANCELLED), False, Stands.CANCELLED, "object"),
        (replace(MADE, status=Status.EXPIRED), False, Stands.EXPIRED, "object"),
        (replace(MADE, status=Status.REJECTED), False, Stands.REJECTED, "object"),
        (replace(MADE, status=Status.REJECTED), True, Stands.OBJECTED, ""),
    ],
)
def test_how_it_stands_and_what_may_be_done(callback: Callback, stands: Stands, may: str, *, objected: bool) -> None:
    seen = view(callback, NOW, objected=objected)
    assert seen.stands is stands
    allowed = {"move": seen.may_move, "cancel": seen.may_cancel, "object": seen.may_object}
    assert " ".join(name for name, is_allowed in allowed.items() if is_allowed) == may
    assert seen.digits == "123"
    assert seen.at == (LATER if stands in {Stands.PLANNED, Stands.AGAIN} else None)


@pytest.mark.parametrize(
    ("notice", "callback", "objected", "good"),
    [
        (Notice.MOVED, MADE, False, True),
        (Notice.MOVED, UNDER_WAY, False, True),
        (Notice.MOVED, replace(MADE, status=Status.COMPLETED), False, False),
        (Notice.CANCELLED, replace(MADE, status=Status.CANCELLED), False, True),
        (Notice.CANCELLED, MADE, False, False),
        (Notice.OBJECTED, MADE, True, True),
        (Notice.OBJECTED, MADE, False, False),
        (Notice.OBJECTED_LATE, MADE, False, False),
        (Notice.UNDECIDED, wishing(WishKind.CANCEL), False, True),
        (Notice.UNDECIDED, MADE, False, False),
        *((notice, MADE, False, True) for notice in (Notice.TOO_LATE, Notice.CHANGED, Notice.GONE)),
        *((notice, MADE, False, True) for notice in (Notice.NONE_CHOSEN, Notice.TOO_OLD)),
    ],
)
def test_what_was_told_is_told_again_only_while_it_holds(
    notice: Notice, callback: Callback, *, objected: bool, good: bool
) -> None:
    assert fits(notice, callback, objected=objected) is good


@pytest.mark.parametrize("texts", [ENGLISH, WELSH], ids=["en", "cy"])
def test_a_language_says_all_that_there_is_to_say(texts: Texts) -> None:
    assert LANGUAGES[texts.code] is texts
    assert (set(texts.stands), set(texts.notices), set(texts.troubles)) == (set(Stands), set(Notice), set(Trouble))
    assert (len(set(texts.days)), len(set(texts.months))) == (7, 12)
    assert set(texts.labels) == set(ENGLISH.labels)
    for stands, (heading, text) in texts.stands.items():
        assert heading
        assert _holes(text) == _holes(ENGLISH.stands[stands][1]), stands
    for name, label in texts.labels.items():
        assert _holes(label) == _holes(ENGLISH.labels[name])


def test_nothing_was_forgotten_in_translation() -> None:
    for kind in ("stands", "notices", "troubles", "labels"):
        english, welsh = getattr(ENGLISH, kind), getattr(WELSH, kind)
        assert not [key for key in english if english[key] == welsh[key]]


def _holes(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize(
    ("zone", "texts", "words"),
    [
        ("Europe/London", ENGLISH, "Tuesday 14 May 2030, 14:30 (UK time, BST)"),
        ("Europe/London", WELSH, "Dydd Mawrth 14 Mai 2030, 14:30 (amser y DU, BST)"),
        ("America/New_York", ENGLISH, "Tuesday 14 May 2030, 09:30 (New York, EDT)"),
        ("Asia/Dubai", ENGLISH, "Tuesday 14 May 2030, 17:30 (Dubai, UTC+04)"),
    ],
)
def test_a_time_is_told_with_its_zone(zone: str, texts: Texts, words: str) -> None:
    at = datetime(2030, 5, 14, 13, 30, tzinfo=UTC).astimezone(ZoneInfo(zone))
    told = f"{moments.day(at, texts)}, {moments.clock(at)} ({moments.zone_name(at, texts)})"
    assert told == words
