"""The real daemon, with the real program's settings: it sends; killed at the worst moments, it sends nothing twice."""

import asyncio
import json
import os
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from dialer.notify.messages import Message, MessageKind, MessageState
from dialer.notify.sending import Security
from dialer.notify.texts import segments
from dialer.store import schema
from dialer.store.messages import MessageStore
from tests.messages.gateways import TOKEN, texts
from tests.messages.postbox import SECRET, USER, Postbox, postbox, scripted
from tests.messages.samples import MOBILE
from tests.rig import API, Daemon, House, detached
from tests.rig.daemon import until
from tests.rig.house import Table

WAIT = 30.0
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=14, minute=0, second=0, microsecond=0)


def house(folder: Path, box: Postbox, tables: Mapping[str, Table]) -> House:
    """It mails by this box; `tables` are more of it."""
    ours: dict[str, Table] = {
        "site.shop": {"name": "Example Shop", "mail_from": "calls@example.com", "reminder_before": "0s"},
        "mail": {"host": "127.0.0.1", "port": box.port, "hello": "pbx.example.com", **tables.get("mail", {})},
    }
    return detached(folder, {**tables, **ours})


def in_the_open(folder: Path, box: Postbox) -> Daemon:
    return Daemon(house(folder, box, {"mail": {"security": Security.NONE, "plaintext_allowed": True}}))


def requests(count: int) -> list[dict[str, str]]:
    one = {"department": "sales", "email": "zoe@example.com", "at": TOMORROW.isoformat(), "name": "Zoe Smith"}
    return [{**one, "phone": f"020 7946 {nth:04}"} for nth in range(count)]


async def booked(daemon: Daemon) -> list[Message]:
    async with daemon.store() as store:
        page = await MessageStore(store).page((), None, 1000, None)
    return [each for each in page.items if each.draft.kind is MessageKind.BOOKED]


async def settled(daemon: Daemon, count: int) -> list[Message]:
    """All of them, once there are so many and none waits or is being sent."""
    async with asyncio.timeout(WAIT):
        while True:
            found = await booked(daemon)
            moving = {MessageState.WAITING, MessageState.SENDING} & {each.state for each in found}
            if len(found) >= count and not moving:
                return found
            await asyncio.sleep(0.1)


async def submitted(daemon: Daemon, *wanted: dict[str, Any]) -> None:
    """While our own servers go on."""
    await asyncio.to_thread(daemon.submit, wanted)


async def test_the_daemon_confirms_by_mail_and_text_and_its_log_names_nobody(tmp_path: Path) -> None:
    async with postbox(tmp_path / "certificates", login=True) as box, texts() as sms:
        (tmp_path / "secret").write_text(f"{SECRET}\n")
        (tmp_path / "links").write_text("s" * 40)
        mail = {"security": Security.STARTTLS, "username": USER, "secret_file": "secret"}
        tables: dict[str, Table] = {
            "mail": {**mail, "ca_file": "certificates/ca.pem"},
            "sms": {
                "url": f"http://127.0.0.1:{sms.port}/",
                "allow_private": ["127.0.0.0/8"],
                "secret": TOKEN,
                "body": {"to": "{number}", "text": "{text}"},
            },
            "api": API,
            "page": {"base_url": "https://callback.example.com", "secrets_file": "links"},
        }
        daemon = Daemon(house(tmp_path, box, tables))
        assert "ok" in daemon.cli("check").stdout
        with daemon:
            await daemon.ready()
            await submitted(daemon, {**requests(1)[0], "phone": MOBILE, "sms": True})
            await until(lambda: bool(box.letters and sms.asked), WAIT, "sent")
            assert await asyncio.to_thread(daemon.stop) == 0
        assert box.letters[0].user == USER
        assert sms.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert sms.asked[0].body["to"] == MOBILE
        assert "https://callback.example.com/c/" in sms.asked[0].body["text"]
        assert segments(sms.asked[0].body["text"]) <= 2
        listed = [json.loads(line) for line in daemon.cli("messages", "list", "--json").stdout.splitlines()]
        assert {(each["channel"], each["state"]) for each in listed} == {("email", "sent"), ("sms", "sent")}
        log = (tmp_path / "dialer.log").read_text()
        for personal in ("zoe@", "Zoe", MOBILE[1:], SECRET, TOKEN):
            assert personal not in log


async def test_killed_after_the_message_left_it_is_unknown_and_not_sent_again(tmp_path: Path) -> None:
    arrived = asyncio.Event()

    async def keep_waiting(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with scripted({".": keep_waiting}) as box:
        first = in_the_open(tmp_path, box)
        await schema.upgrade(first.database)
        await submitted(first, *requests(1))
        with first:
            # Who was there before the daemon is not a subscriber's: it is told of what changes from its start on.
            await first.ready()
            await submitted(first, requests(2)[1])
            await asyncio.wait_for(arrived.wait(), WAIT)
    (message,) = await booked(first)
    assert message.state is MessageState.SENDING
    async with scripted({}) as again:
        with in_the_open(tmp_path, again) as second:
            await submitted(second, requests(3)[2])
            await until(lambda: len(again.letters) == 1, WAIT, "the next one is sent")
            states = {each.id: (each.state, each.detail) for each in await settled(second, 2)}
    assert states[message.id] == (MessageState.UNKNOWN, "the daemon ended while it was sent")
    assert sorted(state for state, _ in states.values()) == [MessageState.SENT, MessageState.UNKNOWN]


async def test_killed_at_random_no_message_comes_twice_and_none_is_lost_unseen(tmp_path: Path) -> None:
    """A sample; `SEED` repeats a run."""
    random = Random(os.environ.get("SEED", "7"))
    # Each life takes 11 at most: up to 4 wanted, 3 on their way beside them, and 4 of which nobody knows.
    total = 40
    async with scripted({}) as box:
        daemon = in_the_open(tmp_path, box)
        for life in range(4):
            with daemon:
                if not life:
                    await daemon.ready()
                    await submitted(daemon, *requests(total))
                enough = random.randint(1, 4) + len(box.letters)
                await until(lambda enough=enough: len(box.letters) >= enough, WAIT, "some are sent")  # type: ignore[misc]  # mypy cannot infer it
        with daemon:
            messages = await settled(daemon, total)
    came = Counter(each.message["Message-ID"] for each in box.letters)
    assert len(messages) == total
    assert set(came.values()) == {1}
    states = Counter(each.state for each in messages)
    assert set(states) <= {MessageState.SENT, MessageState.UNKNOWN}
    # What came is sent or unknown, and what is sent came.
    ids = {f"<{each.draft.callback}.booked.0@example.com>": each.state for each in messages}
    assert {id_ for id_, state in ids.items() if state is MessageState.SENT} <= set(came)
