"""One message over SMTP: how it gets in, and what is known of it when something fails at any stage."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.domain.errors import ConfigurationError
from dialer.notify.sending import MaybeSent, NotSent, Security
from dialer.notify.smtp import Mailer, MailServer
from tests.messages.postbox import SECRET, USER, Answer, certificates, hang_up, postbox, say_nothing, scripted

FROM, TO, TEXT = "calls@example.com", "zoe@example.com", b"Subject: x\r\n\r\n.Hello\r\n"
SHORT = 0.3


class Asked:
    """Whether, and how often, it was asked whether the message may leave."""

    def __init__(self, *, answer: bool = True) -> None:
        self.count = 0
        self._answer = answer

    async def __call__(self) -> bool:
        self.count += 1
        return self._answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mail")


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
async def test_a_message_gets_in_encrypted_by_a_server_that_is_who_it_says(folder: Path, security: Security) -> None:
    async with postbox(folder, security) as box:
        asked = Asked()
        assert await Mailer(box.server(security)).send(FROM, TO, TEXT, asked)
    (letter,) = box.letters
    assert (letter.sender, letter.recipients, letter.encrypted, asked.count) == (FROM, [TO], True, 1)
    assert letter.content.endswith(b".Hello\r\n")


async def test_we_log_in_only_behind_tls(folder: Path) -> None:
    async with postbox(folder, login=True) as box:
        assert await Mailer(box.server(username=USER, secret=SECRET)).send(FROM, TO, TEXT, Asked())
    assert box.letters[0].user == USER


async def test_a_server_on_this_host_may_do_without_tls(folder: Path) -> None:
    async with postbox(folder, Security.NONE) as box:
        assert await Mailer(box.server(Security.NONE)).send(FROM, TO, TEXT, Asked())
    assert not box.letters[0].encrypted


async def refused(server: MailServer, *, asked: int) -> NotSent | MaybeSent:
    asking = Asked()
    with pytest.raises((NotSent, MaybeSent)) as caught:
        await Mailer(server).send(FROM, TO, TEXT, asking)
    assert asking.count == asked
    assert "zoe" not in str(caught.value)
    error: NotSent | MaybeSent = caught.value  # type: ignore[assignment]  # one of the two
    return error


async def test_who_may_not_leave_does_not(folder: Path) -> None:
    async with postbox(folder) as box:
        assert not await Mailer(box.server()).send(FROM, TO, TEXT, Asked(answer=False))
    assert box.letters == []


async def test_a_stranger_s_certificate_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    async with postbox(folder) as box:
        for security in (Security.STARTTLS, Security.TLS):
            made, _ = certificates(tmp_path / "other")
            error = await refused(box.server(security, ca_file=made.ca), asked=0)
            assert isinstance(error, NotSent)
            assert error.down
    assert box.letters == []


async def test_a_server_that_is_not_the_one_named_is_not_trusted(folder: Path) -> None:
    async with postbox(folder) as box:
        server = MailServer("127.0.0.2", box.port, Security.STARTTLS, "pbx.example.com", ca_file=box.ca, within=5.0)
        error = await refused(server, asked=0)
    assert isinstance(error, NotSent)


async def test_a_server_without_starttls_gets_nothing(folder: Path) -> None:
    async with postbox(folder, Security.NONE) as box:
        error = await refused(box.server(), asked=0)
    assert isinstance(error, NotSent)
    assert error.down
    assert box.letters == []


async def test_a_wrong_secret_is_said(folder: Path) -> None:
    async with postbox(folder, login=True) as box:
        error = await refused(box.server(username=USER, secret="wrong"), asked=0)
    assert isinstance(error, NotSent)
    assert (error.what, error.down, error.final) == ("the server refuses our user or secret (535)", True, False)


@pytest.mark.parametrize("security", list(Security))
async def test_logging_in_begins_no_message(folder: Path, security: Security) -> None:
    async with postbox(folder, security) as box:
        box.answers["MAIL"] = "554 nobody asked for one"
        await Mailer(box.server(security)).log_in()
    async with postbox(folder, login=True) as box:
        await Mailer(box.server(username=USER, secret=SECRET)).log_in()
    began: list[bytes] = []

    async def note(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        began.append(await reader.read())

    async with scripted(dict.fromkeys(("MAIL", "RCPT", "DATA"), note)) as script:
        await Mailer(script.server(Security.NONE)).log_in()
    assert began == []


async def failure(server: MailServer) -> str:
    with pytest.raises(NotSent) as caught:
        await Mailer(server).log_in()
    assert caught.value.down
    assert caught.value.remedy
    return caught.value.what


async def test_a_login_that_fails_says_why(folder: Path, tmp_path: Path) -> None:
    stranger = certificates(tmp_path)[0].ca
    async with postbox(folder, login=True) as box, postbox(folder, Security.TLS) as tls:
        for server in (box.server(ca_file=stranger), tls.server(Security.TLS, ca_file=stranger)):
            assert (await failure(server)).startswith("its certificate is not trusted: ")
        wrong = box.server(username=USER, secret="wrong")
        assert await failure(wrong) == "the server refuses our user or secret (535)"
        assert await failure(replace(wrong, security=Security.TLS)) == "TLS failed"
        assert await failure(tls.server(within=SHORT)) == "the server did not answer in time"
    for host in ("nowhere.invalid", "no..name"):
        assert await failure(replace(wrong, host=host)) == "its name cannot be resolved"
    for host in ("127.0.0.1", "localhost"):
        assert await failure(replace(wrong, host=host)) == "nothing listens there"


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        ({"": "421 busy"}, "the server is not ready (421)"),
        ({"EHLO": "550 not you", "HELO": "550 not you"}, "the server is not ready (550)"),
        ({"": hang_up}, "the server hung up"),
        ({"NOOP": hang_up}, "the server hung up"),
        ({"": say_nothing}, "the server did not answer in time"),
        ({"NOOP": say_nothing}, "the server did not answer in time"),
    ],
)
async def test_a_server_that_is_not_well(answers: Mapping[str, Answer], says: str) -> None:
    async with scripted(answers) as box:
        assert await failure(box.server(Security.NONE, within=SHORT)) == says


async def test_what_the_server_does_not_offer(folder: Path) -> None:
    lacks = "it offers no STARTTLS, or no login that we know"
    async with postbox(folder, Security.NONE) as box, scripted({}) as script:
        assert await failure(box.server()) == lacks
        assert await failure(script.server(Security.NONE, username=USER, secret=SECRET)) == lacks


REFUSALS = [
    # command, what the server says → final, down, and how often it was asked
    ("", "421 busy", (False, True), 0),
    ("", hang_up, (False, True), 0),
    ("", say_nothing, (False, True), 0),
    ("EHLO", "421 closing", (False, True), 0),
    ("MAIL", "451 later", (False, True), 0),
    ("MAIL", "550 not you", (False, True), 0),
    ("RCPT", "450 greylisted", (False, False), 0),
    ("RCPT", "550 no such user zoe@example.com", (True, False), 0),
    ("RCPT", "503 bad sequence", (False, False), 0),
    ("RCPT", hang_up, (False, True), 0),
    ("RCPT", say_nothing, (False, True), 0),
    # From here on it was claimed, and the server's own word is still a word.
    ("DATA", "451 later", (False, False), 1),
    ("DATA", "554 no", (True, False), 1),
    (".", "452 full", (False, False), 1),
    (".", "554 it looks like rubbish", (True, False), 1),
]


@pytest.mark.parametrize(("command", "answer", "known", "asked"), REFUSALS)
async def test_what_surely_did_not_arrive(command: str, answer: Answer, known: tuple[bool, bool], asked: int) -> None:
    async with scripted({command: answer}) as box:
        error = await refused(box.server(Security.NONE, within=SHORT), asked=asked)
    assert isinstance(error, NotSent)
    assert (error.final, error.down) == known


@pytest.mark.parametrize("answers", [{".": hang_up}, {".": say_nothing}, {"DATA": hang_up}, {"DATA": say_nothing}])
async def test_what_nobody_knows(answers: Mapping[str, Answer]) -> None:
    async with scripted(answers) as box:
        error = await refused(box.server(Security.NONE, within=SHORT), asked=1)
    assert isinstance(error, MaybeSent)


async def test_a_good_answer_of_another_number_is_good() -> None:
    async with scripted({".": "251 passed on"}) as box:
        assert await Mailer(box.server(Security.NONE)).send(FROM, TO, TEXT, Asked())


async def test_what_happens_after_the_answer_changes_nothing() -> None:
    for answer in (hang_up, "500 what"):
        async with scripted({"QUIT": answer}) as box:
            assert await Mailer(box.server(Security.NONE, within=SHORT)).send(FROM, TO, TEXT, Asked())


async def test_where_nothing_listens_nothing_was_sent() -> None:
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    error = await refused(MailServer("127.0.0.1", port, Security.NONE, "pbx.example.com"), asked=0)
    assert isinstance(error, NotSent)
    assert error.down


@pytest.mark.parametrize(
    "address",
    [
        "zoe@example.com\r\nRCPT TO:<all@example.com>",
        "zoe@example.com\x00",
        "zoe@example.com <all@example.com>",
        "Zoe <all@example.com>",
        "zoe@example.com, all@example.com",
        " zoe@example.com",
        "",
    ],
)
async def test_an_address_is_one_address_as_it_stands_or_none(folder: Path, address: str) -> None:
    async with postbox(folder) as box:
        for sender, recipient, ours in ((FROM, address, False), (address, TO, True)):
            asked = Asked()
            with pytest.raises(NotSent, match="not one plain address") as raised:
                await Mailer(box.server()).send(sender, recipient, TEXT, asked)
            assert (raised.value.final, raised.value.down, asked.count) == (not ours, ours, 0)
    assert box.letters == []


def test_a_ca_file_that_holds_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("no certificate")
    for name, why in (("ca.pem", "it holds no certificate"), ("missing.pem", "No such file")):
        server = MailServer("127.0.0.1", 25, Security.TLS, "pbx.example.com", ca_file=tmp_path / name)
        with pytest.raises(ConfigurationError, match=f"CA file cannot be used: {why}"):
            Mailer(server)
