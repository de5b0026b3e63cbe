"""The real daemon, with the real program's settings: it sends; killed at the worst moments, it sends nothing twice."""

import asyncio
import json
import os
import subprocess
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from dialer.notify.messages import Message, MessageKind, MessageState
from dialer.notify.sending import Security
from dialer.notify.texts import segments
from dialer.store import schema
from dialer.store.messages import MessageStore
from dialer.store.store import SqlStore
from tests.cli.host import CONFIG, Host, environment
from tests.messages.gateways import TOKEN, texts
from tests.messages.postbox import SECRET, USER, Postbox, postbox, scripted
from tests.messages.samples import MOBILE

WAIT = 30.0
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=14, minute=0, second=0, microsecond=0)


def settings(box: Postbox, security: Security, more: str = "") -> str:
    site = '[site.shop]\nmail_from = "calls@example.com"\nreminder_before = "0s"\n'
    mail = f'[mail]\nhost = "127.0.0.1"\nport = {box.port}\nsecurity = "{security}"\nhello = "pbx.example.com"\n'
    if security is Security.NONE:
        mail += "plaintext_allowed = true\n"
    return CONFIG.replace("[site.shop]\n", site) + mail + more


def requests(count: int) -> str:
    one = {"department": "sales", "email": "zoe@example.com", "at": TOMORROW.isoformat(), "name": "Zoe Smith"}
    return "".join(json.dumps({**one, "phone": f"020 7946 {nth:04}"}) + "\n" for nth in range(count))


async def until(true: Callable[[], bool], what: str) -> None:
    async with asyncio.timeout(WAIT):
        while not true():  # noqa: ASYNC110  # other processes have no event of ours
            await asyncio.sleep(0.02)
    assert true(), what


@asynccontextmanager
async def daemon(host: Host) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Runs beside the test, and is killed at its end."""
    log = host.folder / "dialer.log"
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: ASYNC220  # it is only begun
            host.command("run"), stdout=out, stderr=out, env=environment()
        )
    try:
        yield process
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def said(host: Host, *arguments: str, data: str = "") -> str:
    done = await asyncio.to_thread(host.run, *arguments, data=data)
    assert done.returncode == 0, done.stderr
    return done.stdout


async def booked(host: Host) -> list[Message]:
    async with SqlStore.open(host.database) as store:
        page = await MessageStore(store).page((), None, 1000, None)
    return [each for each in page.items if each.draft.kind is MessageKind.BOOKED]


async def settled(host: Host, count: int) -> list[Message]:
    """All of them, once there are so many and none waits or is being sent."""
    async with asyncio.timeout(WAIT):
        while True:
            found = await booked(host)
            moving = {MessageState.WAITING, MessageState.SENDING} & {each.state for each in found}
            if len(found) >= count and not moving:
                return found
            await asyncio.sleep(0.1)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


async def test_the_daemon_confirms_by_mail_and_text_and_its_log_names_nobody(host: Host) -> None:
    async with postbox(host.folder / "certificates", login=True) as box, texts() as sms:
        (host.folder / "secret").write_text(f"{SECRET}\n")
        more = f'username = "{USER}"\nsecret_file = "secret"\nca_file = "certificates/ca.pem"\n'
        more += f'[sms]\nurl = "http://127.0.0.1:{sms.port}/"\nallow_private = ["127.0.0.0/8"]\nsecret = "{TOKEN}"\n'
        more += 'body = { to = "{number}", text = "{text}" }\n'
        (host.folder / "links").write_text("s" * 40)
        more += (
            '[api]\nlisten = "127.0.0.1:0"\n[page]\nbase_url = "https://callback.example.com"\nsecrets_file = "links"\n'
        )
        host.configure(settings(box, Security.STARTTLS, more))
        assert "ok" in await said(host, "check")
        await schema.upgrade(host.database)
        async with daemon(host) as running:
            log = host.folder / "dialer.log"
            await until(lambda: "daemon.ready" in log.read_text(), "ready")
            asked = {**json.loads(requests(1)), "phone": MOBILE, "sms": True}
            await said(host, "submit", "-", data=json.dumps(asked))
            await until(lambda: bool(box.letters and sms.asked), "sent")
            running.terminate()
            assert await asyncio.to_thread(running.wait, WAIT) == 0
        assert box.letters[0].user == USER
        assert sms.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
        assert sms.asked[0].body["to"] == MOBILE
        assert "https://callback.example.com/c/" in sms.asked[0].body["text"]
        assert segments(sms.asked[0].body["text"]) <= 2
        listed = [json.loads(line) for line in (await said(host, "messages", "list", "--json")).splitlines()]
        assert {(each["channel"], each["state"]) for each in listed} == {("email", "sent"), ("sms", "sent")}
        for personal in ("zoe@", "Zoe", MOBILE[1:], SECRET, TOKEN):
            assert personal not in log.read_text()


async def test_killed_after_the_message_left_it_is_unknown_and_not_sent_again(host: Host) -> None:
    arrived = asyncio.Event()

    async def keep_waiting(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        arrived.set()
        await reader.read()

    async with scripted({".": keep_waiting}) as box:
        host.configure(settings(box, Security.NONE))
        await schema.upgrade(host.database)
        await said(host, "submit", "-", data=requests(1))
        async with daemon(host) as first:
            # Who was there before the daemon is not a subscriber's: it is told of what changes from its start on.
            await until(lambda: "daemon.ready" in (host.folder / "dialer.log").read_text(), "ready")
            await said(host, "submit", "-", data=requests(2).splitlines()[1])
            await asyncio.wait_for(arrived.wait(), WAIT)
            first.kill()
            await asyncio.to_thread(first.wait)
    (message,) = await booked(host)
    assert message.state is MessageState.SENDING
    async with scripted({}) as again:
        host.configure(settings(again, Security.NONE))
        async with daemon(host):
            await said(host, "submit", "-", data=requests(3).splitlines()[2])
            await until(lambda: len(again.letters) == 1, "the next one is sent")
            states = {each.id: (each.state, each.detail) for each in await settled(host, 2)}
    assert states[message.id] == (MessageState.UNKNOWN, "the daemon ended while it was sent")
    assert sorted(state for state, _ in states.values()) == [MessageState.SENT, MessageState.UNKNOWN]


async def test_killed_at_random_no_message_comes_twice_and_none_is_lost_unseen(host: Host) -> None:
    """A sample; `SEED` repeats a run."""
    random = Random(os.environ.get("SEED", "7"))
    # Each life takes 11 at most: up to 4 wanted, 3 on their way beside them, and 4 of which nobody knows.
    total = 40
    async with scripted({}) as box:
        host.configure(settings(box, Security.NONE))
        await schema.upgrade(host.database)
        for life in range(4):
            async with daemon(host) as running:
                if not life:
                    await until(lambda: "daemon.ready" in (host.folder / "dialer.log").read_text(), "ready")
                    await said(host, "submit", "-", data=requests(total))
                enough = random.randint(1, 4) + len(box.letters)
                await until(lambda enough=enough: len(box.letters) >= enough, "some are sent")  # type: ignore[misc]  # mypy cannot infer it
                running.kill()
                await asyncio.to_thread(running.wait)
        async with daemon(host):
            messages = await settled(host, total)
    came = Counter(each.message["Message-ID"] for each in box.letters)
    assert len(messages) == total
    assert set(came.values()) == {1}
    states = Counter(each.state for each in messages)
    assert set(states) <= {MessageState.SENT, MessageState.UNKNOWN}
    # What came is sent or unknown, and what is sent came.
    ids = {f"<{each.draft.callback}.booked.0@example.com>": each.state for each in messages}
    assert {id_ for id_, state in ids.items() if state is MessageState.SENT} <= set(came)
