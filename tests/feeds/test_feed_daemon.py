"""A real daemon and its feed: refused, told as one alert, put right, read and told of it."""

from pathlib import Path

from fastapi import Request, Response

from tests.cli.host import CONFIG, Host
from tests.feeds.platform import TOKEN, Platform, cancel, request, serving, table
from tests.lab.waiting import until
from tests.rig import Daemon, detached

NAME = "Zoë of the feed"


async def test_a_feed_that_refuses_us_is_one_alert_and_goes_on_when_it_takes_us(tmp_path: Path) -> None:
    async def refuses(_: Request) -> Response:
        return Response(status_code=401)

    bad = request("r-2", "07700 900123", name=NAME)
    async with serving(Platform(items=[request("r-1", name=NAME), bad], fault=refuses)) as platform:
        feed = {name: value for name, value in table(platform).items() if name != "token"}
        feed |= {"token_file": "feed.token", "wait_seconds": 5}
        (tmp_path / "feed.token").write_text(f"{TOKEN}\n")
        with Daemon(detached(tmp_path, {"feed.mi": feed})) as daemon:
            await daemon.ready()
            await until(lambda: len(daemon.logged("feed.failed")) >= 2)
            platform.fault = None
            await until(lambda: len(platform.events) >= 2)
            await platform.put(cancel("c-1", "r-1"))
            # What comes while it is asked to wait comes at once; what became of it, too.
            await until(lambda: len(platform.events) >= 4)
            raised = [line for line in daemon.logged("alert.raised") if line["kind"] == "feed_failed"]
            cleared = [line for line in daemon.logged("alert.cleared") if line["kind"] == "feed_failed"]
            text = (tmp_path / "dialer.log").read_text()
    assert [line["what"] for line in raised] == ["feed mi fails: it answered 401"]
    assert len(cleared) == 1
    assert {(event["item"], event["type"]) for event in platform.events} == {
        ("r-1", "callback.accepted"),
        ("r-2", "item.quarantined"),
        ("c-1", "item.done"),
        ("r-1", "callback.cancelled"),
    }
    assert not any(secret in text for secret in (NAME, "7946", "900123", TOKEN))


def test_a_daemon_that_cannot_read_its_token_says_so_and_does_not_start(host: Host) -> None:
    host.configure(CONFIG + '[feed.mi]\nurl = "https://feed.example.com/"\ntoken_file = "none.token"\n')
    done = host.run("run")
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert "feed.mi.token_file: cannot read" in last
    assert "create it, readable by the service alone" in last
