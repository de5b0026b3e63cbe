"""`dialer doctor` on those whom the daemon speaks to besides PBXs: what is told of each, and that nothing is asked."""

import asyncio
import json

import pytest

from dialer.cli.doctor import outward
from dialer.cli.doctor.findings import Finding
from dialer.settings import load
from tests.cli.host import CONFIG, Host
from tests.messages.gateways import texts
from tests.messages.postbox import SECRET, USER, certificates, postbox
from tests.rig.receiver import receiving

SITE = CONFIG.replace("[site.shop]\n", '[site.shop]\nmail_from = "calls@example.com"\n')
SIGNING = "whsec_bm90IGEgc2VjcmV0IGF0IGFsbCwgYSB0ZXN0J3M="
HERE, TRUST = 'allow_private = ["127.0.0.0/8"]\n', 'ca_file = "tls/ca.pem"\n'


def mail(port: int, secret: str = SECRET) -> str:
    return f'[mail]\nhost = "127.0.0.1"\nport = {port}\nusername = "{USER}"\nsecret = "{secret}"\n{TRUST}'


def sms(url: str, more: str = HERE) -> str:
    return f'[sms]\nurl = "{url}"\nbody = {{ to = "{{number}}", text = "{{text}}" }}\nsecret = "s3cret"\n{more}'


def webhook(id_: str, url: str, more: str = HERE) -> str:
    return f'[webhook.{id_}]\nurl = "{url}"\nsecrets = ["{SIGNING}"]\n{more}'


def feed(url: str, outcomes: str, more: str = HERE) -> str:
    return f'[feed.mi]\nurl = "{url}"\noutcomes_url = "{outcomes}"\ntoken = "s3cret"\n{more}'


async def found(host: Host, tables: str) -> dict[tuple[str, str], Finding]:
    host.configure(SITE + tables)
    # It has a loop of its own.
    findings = await asyncio.to_thread(lambda: list(outward.examine(load(host.config))))
    assert all(finding.good == (not finding.remedy) for finding in findings)
    assert "s3cret" not in str(findings)
    return {(finding.place, finding.check): finding for finding in findings}


async def test_all_is_well_and_nobody_was_asked_anything(bare: Host) -> None:
    _, tls = certificates(bare.folder / "tls")
    async with (
        postbox(bare.folder / "tls", login=True) as box,
        texts() as gateway,
        receiving(tls=tls) as crm,
        receiving() as platform,
    ):
        box.answers["MAIL"] = "554 nobody asked for one"
        told = await found(
            bare,
            mail(box.port)
            + sms(f"http://127.0.0.1:{gateway.port}/?key=s3cret")
            + webhook("crm", crm.url(scheme="https"), HERE + TRUST)
            + feed(platform.url(), platform.url(path="/outcomes?key=s3cret")),
        )
        assert (gateway.asked, crm.told, platform.told) == ([], [], [])
    assert all(finding.good for finding in told.values())
    assert set(told) == {
        ("mail", "server"),
        ("sms", "server"),
        ("webhook crm", "server"),
        ("feed mi", "server"),
        ("feed mi", "outcomes"),
    }
    assert told["mail", "server"].found == (
        f"127.0.0.1:{box.port}: by STARTTLS, certificate trusted, logged in as {USER}; no message was begun"
    )
    assert told["webhook crm", "server"].found == (
        f"127.0.0.1:{crm.port}: by TLS, certificate trusted; nothing was asked of it"
    )


async def test_each_failure_is_told(bare: Host) -> None:
    _, tls = certificates(bare.folder / "tls")
    async with postbox(bare.folder / "tls", login=True) as box, receiving(tls=tls) as crm:
        secure = crm.url(scheme="https")
        told = await found(
            bare,
            mail(box.port, "wrong")
            + sms("https://nowhere.invalid/s3cret")
            + webhook("stranger", secure)
            + webhook("private", secure, TRUST)
            + webhook("plain", crm.url(), 'allow_private = ["10.0.0.0/8"]\n')
            + feed("https://127.0.0.1:1/s3cret", secure, HERE + TRUST),
        )
        assert crm.told == []
    says = {
        ("mail", "server"): f"127.0.0.1:{box.port}: the server refuses our user or secret (535)",
        ("sms", "server"): "nowhere.invalid: its name cannot be resolved",
        ("webhook stranger", "server"): f"127.0.0.1:{crm.port}: its certificate is not trusted: ",
        ("webhook private", "server"): f"127.0.0.1:{crm.port}: its address is not a public one",
        ("webhook plain", "server"): f"127.0.0.1:{crm.port}: without https only addresses in allow_private are told",
        ("feed mi", "server"): "127.0.0.1:1: nothing listens there",
    }
    for which, what in says.items():
        assert told[which].found.startswith(what)
        assert not told[which].good
    assert told["feed mi", "outcomes"].good
    assert "wrong" not in str(told)


def test_what_cannot_be_read_is_told_once_and_not_tried(bare: Host) -> None:
    bare.configure(
        SITE.replace('secret = "s3cret-of-the-pbx"', 'secret_file = "pbx"') + mail(1) + sms("https://x.invalid/", TRUST)
    )
    done = bare.run("doctor", "--json")
    assert (done.returncode, done.stderr) == (1, "")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    missing = [(each["place"], each["check"], each["found"]) for each in told if each["place"] != "host"]
    authority = f"{bare.folder / 'tls' / 'ca.pem'}: the CA file cannot be used: No such file or directory"
    assert missing == [
        ("PBX main", "secret", f"cannot read {bare.folder / 'pbx'}: No such file or directory"),
        ("mail", "authority", authority),
        ("sms", "authority", authority),
    ]


@pytest.mark.parametrize("tables", ["", webhook("crm", "https://127.0.0.1:1/")])
def test_at_a_narrow_terminal(bare: Host, tables: str) -> None:
    bare.configure(SITE.replace("[pbx.main]\n", "[pbx.main]\nport = 1\n") + tables)
    shown = bare.at_terminal(60, "doctor")
    assert ("webhook crm: server: 127.0.0.1:1: nothing listens" in shown) == bool(tables)
    assert "secrets, authorities, certificates and" in shown
