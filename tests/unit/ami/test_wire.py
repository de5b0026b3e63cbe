"""Faults on the wire that a healthy Asterisk never shows: each ends typed, in bounded time, and nothing is replayed."""

import asyncio
import errno
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from dialer.ami import messages
from dialer.ami.codec import MAX_MESSAGE, Message
from dialer.ami.config import TlsConfig
from dialer.ami.messages import Action
from dialer.ami.session import Refused, Session, _plainly
from dialer.domain.errors import (
    ActionRefused,
    ConfigurationError,
    LinkDown,
    LoginRefused,
    NeverSent,
    OutcomeUnknown,
    PbxError,
)
from tests.unit.ami.samples import ATTEMPT, ORDER
from tests.unit.ami.scripted import PATIENCE, Scripted, event, refuse, reply, running, silence

OURS = f"mi-{ATTEMPT}"


async def opened(pbx: Scripted) -> Session:
    session = Session(pbx.config(), {})
    await session.open()
    return session


# --- opening -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "pbx",
    [
        Scripted(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        Scripted(b"Asterisk Call Manager/" + b"9" * 2000),
        Scripted(b""),
        Scripted(Challenge=silence),
        Scripted(Login=silence),
        Scripted(Login=reply),
        Scripted(Challenge=lambda _: b"A: " + b"a" * MAX_MESSAGE + b"a\r\n"),
        Scripted(Login=refuse("Login Already In Use")),
    ],
    ids=["another service", "endless banner", "no banner", "mute", "no login", "never boots", "endless line", "busy"],
)
async def test_what_is_no_ready_asterisk_is_typed_and_may_pass(pbx: Scripted) -> None:
    async with pbx:
        session = Session(pbx.config(), {})
        with pytest.raises(PbxError) as failure:
            await session.open()
        session.close()
    assert not isinstance(failure.value, LoginRefused)


async def test_a_wrong_banner_is_named() -> None:
    async with Scripted(b"SSH-2.0-OpenSSH\r\n") as pbx:
        session = Session(pbx.config(), {})
        with pytest.raises(PbxError, match="not Asterisk's manager interface"):
            await session.open()
        session.close()


async def test_a_session_cut_while_asterisk_boots_is_down() -> None:
    async with Scripted(Login=reply) as pbx:
        session = Session(replace(pbx.config(), boot_timeout=PATIENCE), {})
        opening = asyncio.create_task(session.open())
        await pbx.until("Login")
        pbx.cut()
        with pytest.raises(PbxError):
            await opening
        session.close()


async def test_nobody_listening_is_said_plainly() -> None:
    async with Scripted() as pbx:
        config = pbx.config()
    with pytest.raises(LinkDown, match="nothing listens there"):
        await Session(config, {}).open()


async def test_a_host_that_is_no_name_is_said_plainly() -> None:
    async with Scripted() as pbx:
        session = Session(replace(pbx.config(), host="pbx..example.com"), {})
        with pytest.raises(LinkDown, match=r"its name cannot be resolved \(correct the PBX's host"):
            await session.open()


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (socket.gaierror(-2, "Name or service not known"), "its name cannot be resolved"),
        (OSError(errno.EHOSTUNREACH, "No route to host"), "the connection failed: No route to host"),
        (ConnectionResetError(), "the connection failed: ConnectionResetError"),
    ],
)
def test_failures_are_told_in_plain_words(error: OSError, reason: str) -> None:
    assert _plainly(error) == reason


async def test_asking_before_opening_is_never_sent() -> None:
    async with Scripted() as pbx:
        with pytest.raises(NeverSent):
            await Session(pbx.config(), {}).ask(messages.ping())


@pytest.mark.parametrize(("banner", "reason"), [(b"", "within 0.3 s"), (b"Asterisk Call Manager/1\r\n", "TLS failed")])
async def test_tls_with_what_speaks_none_fails_in_time(banner: bytes, reason: str) -> None:
    async with Scripted(banner) as pbx:
        session = Session(pbx.config(tls=TlsConfig()), {})
        with pytest.raises(LinkDown, match=reason) as caught:
            await session.open()
        assert "manager.conf" in caught.value.remedy
        session.close()


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_an_unusable_ca_file_is_a_configuration_error(content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    async with Scripted() as pbx:
        with pytest.raises(ConfigurationError, match=r"ca\.pem"):
            Session(pbx.config(tls=TlsConfig(file)), {})


# --- asking --------------------------------------------------------------------------------------------------------


async def test_an_action_without_an_answer_is_unknown_and_its_late_answer_harms_nobody() -> None:
    async with Scripted(Originate=silence) as pbx:
        session = await opened(pbx)
        with pytest.raises(OutcomeUnknown):
            await session.ask(messages.originate(ORDER))
        late = await pbx.until("Originate")
        pbx.say(reply(late))
        await session.ask(messages.ping())
        assert session._pending == {}
        session.close()


async def test_a_cancelled_question_leaves_nothing_behind() -> None:
    async with Scripted(Originate=silence) as pbx:
        session = await opened(pbx)
        async with running(_asked(session, messages.originate(ORDER))):
            await pbx.until("Originate")
        assert session._pending == {}
        session.close()


async def _asked(session: Session, action: Action) -> None:
    await session.ask(action)


async def test_a_list_needs_its_end_and_survives_doubled_messages() -> None:
    item = event("CoreShowChannel", Uniqueid=OURS)
    twice: dict[str, bytes] = {}

    def answer(action: Action | object) -> bytes:
        assert isinstance(action, dict)
        of_ours = item.replace(b"\r\n\r\n", f"\r\nActionID: {action['ActionID']}\r\n\r\n".encode())
        end = event("CoreShowChannelsComplete", ActionID=action["ActionID"])
        twice["again"] = end
        return reply(action) + of_ours + end + end

    async with Scripted(CoreShowChannels=answer) as pbx:
        session = await opened(pbx)
        listing = await session.ask(messages.core_show_channels())
        assert [found.get("Uniqueid") for found in listing.events] == [OURS]
        session.close()
    async with Scripted(CoreShowChannels=reply) as pbx:
        session = await opened(pbx)
        with pytest.raises(OutcomeUnknown):
            await session.ask(messages.core_show_channels())
        session.close()


async def test_what_never_left_is_told_from_what_may_have() -> None:
    heavy = Action("Ping", (("Padding", "x" * 1000),) * 120)
    async with Scripted() as pbx:
        session = await opened(pbx)
        pbx.writers[-1].transport.pause_reading()  # type: ignore[attr-defined]  # a server's transport reads too
        asked = await asyncio.gather(*(session.ask(heavy) for _ in range(120)), return_exceptions=True)
        session.close()
    assert {type(each) for each in asked} == {NeverSent, OutcomeUnknown}
    unsent = [isinstance(each, NeverSent) for each in asked]
    assert unsent == sorted(unsent), "what came first was written first"


async def test_a_slow_reader_gets_everything() -> None:
    heavy = Action("Ping", (("Padding", "x" * 1000),) * 50)
    async with Scripted() as pbx:
        session = Session(replace(pbx.config(), action_timeout=PATIENCE), {})
        await session.open()
        # Far more than the kernel buffers: the transport pauses us again and again.
        await asyncio.gather(*(session.ask(heavy) for _ in range(200)))
        session.close()
    assert pbx.seen["Ping"] == 200


async def test_after_the_loss_nothing_is_sent() -> None:
    async with Scripted(Originate=silence) as pbx:
        session = await opened(pbx)
        asking = asyncio.create_task(_asked(session, messages.originate(ORDER)))
        await pbx.until("Originate")
        pbx.cut()
        with pytest.raises(OutcomeUnknown):
            await asking
        with pytest.raises(NeverSent):
            await session.ask(messages.ping())


async def test_a_refusal_is_quoted_without_long_numbers() -> None:
    async with Scripted(Originate=refuse("Extension +441614960001 does not exist.")) as pbx:
        session = await opened(pbx)
        with pytest.raises(ActionRefused, match="Extension … does not exist") as refusal:
            await session.ask(messages.originate(ORDER))
        assert isinstance(refusal.value, Refused)
        session.close()


async def test_action_ids_are_never_used_twice() -> None:
    async with Scripted() as pbx:
        for _ in range(2):
            session = await opened(pbx)
            await session.ask(messages.ping())
            session.close()
        seen = [pbx.received.get_nowait()["ActionID"] for _ in range(pbx.received.qsize())]
    assert len(seen) == len(set(seen)) == 6


# --- events --------------------------------------------------------------------------------------------------------


async def test_a_bad_event_or_handler_costs_neither_the_link_nor_a_secret() -> None:
    seen: list[str] = []

    def handler(message: Message) -> None:
        seen.append(message.event)
        if message.get("Cause") == "+441614960001":
            raise ValueError(message.get("Cause"))

    async with Scripted() as pbx:
        session = Session(pbx.config(), {"Hangup": handler})
        await session.open()
        with capture_logs() as logs:
            pbx.say(
                event("Hangup", Cause="+441614960001")
                + b"Event: Hangup\r\nEvent: Hangup\r\nActionID: 1\r\nActionID: 2\r\n\r\n"
                + b"Nonsense\r\n\r\n\r\n\r\nEvent: Unwanted\r\n\r\n"
                + b"Event: Hangup\r\nX: \xff\xfe\r\n\r\n"
            )
            await session.ask(messages.ping())
        session.close()
    assert seen == ["Hangup"] * 3
    assert [entry["error"] for entry in logs] == ["ValueError"]
    assert "1614960001" not in str(logs)
