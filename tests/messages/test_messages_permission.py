"""The permission to send texts: given by a plain true alone, kept with the callback, absent in what is older."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from dialer.domain.errors import RequestRefused
from dialer.intake.submission import accept
from dialer.settings import load
from dialer.store import schema
from dialer.store.store import SqlStore
from tests.messages.samples import MOBILE, ZOE, callback
from tests.unit.settings.least import LEAST
from tests.unit.store import older

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("permission") / "dialer.toml"
    made.write_text(LEAST)
    return made


@pytest.mark.parametrize(("given", "permitted"), [({}, False), ({"sms": None}, False), ({"sms": False}, False)])
def test_without_a_word_there_is_no_permission(file: Path, given: dict[str, object], permitted: bool) -> None:  # noqa: FBT001  # a table's
    request = {"department": "sales", "phone": MOBILE, **given}
    assert accept(request, load(file).directory(), NOW).visitor.sms is permitted


def test_a_plain_true_is_a_permission(file: Path) -> None:
    assert accept({"department": "sales", "phone": MOBILE, "sms": True}, load(file).directory(), NOW).visitor.sms


@pytest.mark.parametrize("given", ["true", "yes", 1, 0, [], {}, [True], 1.0])
def test_anything_else_is_refused(file: Path, given: object) -> None:
    with pytest.raises(RequestRefused, match="neither true nor false") as caught:
        accept({"department": "sales", "phone": MOBILE, "sms": given}, load(file).directory(), NOW)
    assert (caught.value.code, caught.value.field) == ("field_type", "sms")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    older.make(tmp_path / "dialer.db")
    return tmp_path / "dialer.db"


async def test_it_is_kept_and_absent_in_what_is_older(old: Path) -> None:
    await schema.upgrade(old)
    async with SqlStore.open(old, exclusive=True) as store:
        await store.add([callback()])
        kept, done = await store.get(callback().id), await store.get(older.DONE)
    assert kept is not None
    assert kept.visitor == ZOE
    assert done is not None
    assert not done.visitor.sms
