"""`dialer check` reads what the daemon reads at its start: each thing that is not as it must be is one line."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.host import CONFIG, Host, environment
from tests.lab.certificates import make_certificates

# What the bits of a file's mode forbid is forbidden to root as well then.
FEEBLE = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []

SIGNING = "whsec_bm90IGEgc2VjcmV0IGF0IGFsbCwgYSB0ZXN0J3M="
SECRETS = {
    "pbx": ("pbx.main.secret_file", "open sesame"),
    "hooks": ("webhook.crm.secrets_file", SIGNING),
    "feed": ("feed.mi.token_file", "open-sesame"),
    "links": ("page.secrets_file", "open sesame " * 3),
    "mail": ("mail.secret_file", "open sesame"),
    "sms": ("sms.secret_file", "open sesame"),
}
"""Each secret's file, the key that names it, and a good one."""

TLS = """
[api]
tls_certificate = "tls/server.pem"
tls_key = "tls/server.key"
"""
REST = """
[webhook.crm]
url = "https://hooks.example.com/"
secrets_file = "hooks"
[feed.mi]
url = "https://feed.example.com/"
token_file = "feed"
[page]
base_url = "https://callback.example.com"
secrets_file = "links"
[mail]
host = "smtp.example.com"
username = "u"
secret_file = "mail"
ca_file = "tls/ca.pem"
[sms]
url = "https://sms.example.com/"
body = { to = "{number}", text = "{text}" }
secret_file = "sms"
"""
WHOLE = (
    CONFIG.replace('secret = "s3cret-of-the-pbx"', 'secret_file = "pbx"').replace(
        "[site.shop]\n", '[site.shop]\nmail_from = "calls@example.com"\n'
    )
    + TLS
    + REST
)


@pytest.fixture
def whole(bare: Host) -> Host:
    """A configuration with everything that has a secret, and each of them as it must be."""
    bare.configure(WHOLE)
    make_certificates(bare.folder / "tls")
    for name, (_, secret) in SECRETS.items():
        (bare.folder / name).write_text(f"{secret}\n")
    return bare


def told(host: Host, *, code: int) -> list[str]:
    done = host.run("check")
    assert (done.returncode, done.stdout) == (code, "")
    assert "sesame" not in done.stderr
    assert SIGNING[6:] not in done.stderr
    return done.stderr.splitlines()


def as_somebody_else(host: Host) -> tuple[int, list[str]]:
    """Run it as one who is bound by the files' modes."""
    done = subprocess.run(
        [*FEEBLE, *host.command("check")], capture_output=True, text=True, check=False, env=environment()
    )
    assert done.stdout == ""
    return done.returncode, done.stderr.splitlines()


def test_all_is_there(whole: Host) -> None:
    done = whole.run("check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{whole.config}: ok: ")


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_that_is_missing_or_empty(whole: Host, name: str) -> None:
    key, _ = SECRETS[name]
    file = whole.folder / name
    file.unlink()
    (line,) = told(whole, code=2)
    missing = f"cannot read {file}: No such file or directory (create it, readable by the service alone)"
    assert line == f"dialer: {whole.config}: {key}: {missing}"
    file.write_text("\n")
    (line,) = told(whole, code=2)
    assert line.startswith(f"dialer: {whole.config}: {key}: ")
    assert line.endswith((" (store one line of text)", " (store one on each line)"))


def test_all_that_is_wrong_is_told_at_once(whole: Host) -> None:
    for name in SECRETS:
        (whole.folder / name).unlink()
    (whole.folder / "tls" / "ca.pem").write_text("no certificate")
    (whole.folder / "tls" / "server.key").write_text("no key")
    lines = told(whole, code=2)
    assert [key for key, _ in SECRETS.values()] == [line.split(": ")[2] for line in lines[: len(SECRETS)]]
    authority, certificate = lines[len(SECRETS) :]
    assert f"{whole.folder / 'tls' / 'ca.pem'}: the CA file cannot be used: it holds no certificate (" in authority
    assert "api.tls_certificate: the certificate or its key cannot be used: " in certificate


def test_it_says_what_the_daemon_says(whole: Host) -> None:
    whole.upgrade()
    (whole.folder / "hooks").write_text("whsec_short")
    (line,) = told(whole, code=2)
    daemon = whole.run("run")
    assert daemon.returncode == 2
    assert daemon.stderr.splitlines()[-1] == line


def test_a_key_that_wants_a_password_is_refused_and_not_asked_for(whole: Host) -> None:
    key = whole.folder / "tls" / "server.key"
    subprocess.run(["openssl", "ec", "-aes256", "-passout", "pass:sesame", "-in", key, "-out", key], check=True)
    (line,) = told(whole, code=2)
    assert "api.tls_certificate" in line
    assert "pass phrase" not in whole.at_terminal(80, "check")


class TestSecretsThatAreNotForUs:
    def test_a_credential_is_the_service_s(self, whole: Host, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
        whole.configure(WHOLE.replace('secret_file = "pbx"', 'secret_credential = "pbx"'))
        line, summary = told(whole, code=1)
        assert "pbx.main.secret_credential: credential pbx is not there: this process was given none (" in line
        assert summary == (
            f"dialer: {whole.config}: not checked whole: 1 secret could not be looked at"
            " (run it as the service runs: docs/operations.md)"
        )
        monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(whole.folder))
        assert whole.run("check").returncode == 0
        (whole.folder / "pbx").unlink()
        assert "pbx.main.secret_credential: cannot read " in told(whole, code=2)[0]

    @pytest.mark.parametrize("name", [*SECRETS, "tls/server.key"])
    def test_a_file_that_we_may_not_read_is_not_called_good_or_bad(self, whole: Host, name: str) -> None:
        Path(whole.folder, name).chmod(0)
        code, (line, summary) = as_somebody_else(whole)
        assert code == 1
        assert "Permission denied (give " in line
        assert "1 secret could not be looked at" in summary

    def test_what_is_surely_wrong_counts_for_more(self, whole: Host) -> None:
        (whole.folder / "pbx").chmod(0)
        (whole.folder / "mail").unlink()
        code, lines = as_somebody_else(whole)
        assert code == 2
        assert len(lines) == 3
