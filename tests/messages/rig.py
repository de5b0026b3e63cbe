"""The messenger on a real store, a real SMTP server and a real gateway, by a clock that the test sets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import IPv4Network
from pathlib import Path
from random import Random

from dialer.domain.callback import Callback
from dialer.http.client import HttpClient
from dialer.notify.carrier import World
from dialer.notify.gateway import Texter
from dialer.notify.letter import Sender
from dialer.notify.messages import Channel, Message, MessageKind, MessageState
from dialer.notify.messenger import Messenger
from dialer.notify.outbox import Change, Subscriber
from dialer.notify.planner import Manner
from dialer.notify.sending import Security
from dialer.notify.smtp import Mailer
from dialer.notify.templates import Templates
from dialer.notify.ways import ByMail, ByText, Sources, Voice
from dialer.notify.wording import Language
from dialer.store.messages import MessageStore
from dialer.store.outbox import SqlOutbox
from dialer.store.store import SqlStore
from tests.messages.gateways import Texts, texts
from tests.messages.postbox import Postbox, postbox, scripted
from tests.messages.samples import MONDAY, SHOP, ZOE

LOOPBACK = (IPv4Network("127.0.0.0/8"),)
PAGE = "https://calls.example.com/c/"


class Clock:
    """Stands still until the test moves it."""

    def __init__(self) -> None:
        self.at = MONDAY

    def now(self) -> datetime:
        return self.at


class Pages:
    def page_of(self, callback: str) -> str:
        return PAGE + callback[-6:]


@dataclass
class Watch:
    said: list[str] = field(default_factory=list)

    def stuck(self, channel: Channel, why: str) -> None:
        self.said.append(f"{channel} stuck: {why}")

    def well(self, channel: Channel) -> None:
        self.said.append(f"{channel} well")


@dataclass
class Rig:
    """All of it. `told`: changes that the outbox had to tell."""

    store: SqlStore
    clock: Clock
    messages: MessageStore
    messenger: Messenger
    box: Postbox
    texts: Texts
    watch: Watch
    told: list[Change] = field(default_factory=list)

    async def book(self, callback: Callback) -> None:
        await self.store.add([callback])
        await self.go_on()

    async def go_on(self, to: datetime | timedelta | None = None) -> None:
        """Move the clock; tell what changed, and send all that is due."""
        if to is not None:
            self.clock.at = to if isinstance(to, datetime) else self.clock.at + to
        outbox = SqlOutbox(self.store)
        while changes := await outbox.ready("messages", self.clock.now(), 100):
            for change in changes:
                await self.messenger.deliver(change)
                self.told.append(change)
            await outbox.delivered(changes)
        for carrier in self.messenger._carriers.values():
            while not await carrier._round():
                pass

    async def of(self, callback: Callback) -> list[Message]:
        return await self.messages.of(callback.id)

    async def states(self, callback: Callback) -> dict[tuple[MessageKind, Channel], MessageState]:
        return {(each.draft.kind, each.draft.channel): each.state for each in await self.of(callback)}


def voice(language: Language = Language.ENGLISH, channels: frozenset[Channel] = frozenset(Channel)) -> Voice:
    sender = Sender("Example Shop", "calls@example.com")
    return Voice(SHOP, Manner(channels), Templates(language), sender, "ExampleShop")


@asynccontextmanager
async def rig(
    folder: Path, certificates: Path, speaking: Voice | None = None, answers: dict[str, str] | None = None
) -> AsyncIterator[Rig]:
    """`answers`: what a scripted SMTP server says, in the place of the good one."""
    clock, watch = Clock(), Watch()
    mail = postbox(certificates) if answers is None else scripted(answers)
    async with (
        mail as box,
        texts() as sms,
        HttpClient(allow_private=LOOPBACK) as client,
        SqlStore.open(folder / "dialer.db", exclusive=True, now=clock.now) as store,
    ):
        await SqlOutbox(store).subscribe([Subscriber("messages")])
        sources = Sources(lambda _callback: "+442079460100", clock, Pages())
        security = Security.STARTTLS if answers is None else Security.NONE
        ways = {
            Channel.EMAIL: ByMail(Mailer(box.server(security)), sources),
            Channel.SMS: ByText(Texter(sms.gateway(), client, clock), sources),
        }
        messages = MessageStore(store)
        world = World(store, clock, Random(1), watch)
        messenger = Messenger(messages, {"shop": speaking or voice()}, ways, world)
        yield Rig(store, clock, messages, messenger, box, sms, watch)


def named(callback: Callback, name: str) -> Callback:
    """The callback of a visitor of this name."""
    return replace(callback, visitor=replace(ZOE, name=name))
