"""From a message that is due to what leaves us: the words of the site, as a letter or as a text."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dialer.domain import phone
from dialer.domain.callback import Callback
from dialer.domain.directory import Site
from dialer.notify.gateway import Clock, Texter
from dialer.notify.invitation import invitation, method_of
from dialer.notify.letter import BadAddress, Content, Sender, letter, recipient_of
from dialer.notify.messages import Draft, Pages
from dialer.notify.planner import Manner
from dialer.notify.sending import Leaving, NotSent
from dialer.notify.smtp import Mailer
from dialer.notify.templates import Part, TemplateFault, Templates, Words
from dialer.notify.texts import plainer, shortened
from dialer.notify.wording import name_of, one_line, when, zone_of

_LONGEST_SITE = 60


@dataclass(frozen=True, slots=True)
class Voice:
    """How a site speaks to its visitors. `sender` is whose name its mail bears, `sms_from` what its texts bear as
    theirs ('': the gateway's own)."""

    site: Site
    manner: Manner
    templates: Templates
    sender: Sender | None = None
    sms_from: str = ""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a message's words come from: `caller_id` gives the number (E.164) from which a callback is called, '' where
    that is not known; `pages` are the visitors' own, where there are any."""

    caller_id: Callable[[Callback], str]
    clock: Clock
    pages: Pages | None = None


class Way(Protocol):
    """One way to the visitor."""

    async def send(self, voice: Voice, draft: Draft, callback: Callback, leaving: Leaving) -> bool:
        """Send one message; whether it was sent, or `leaving` said no. Raises `NotSent`, `MaybeSent`."""


class ByMail:
    """Messages as letters."""

    def __init__(self, mailer: Mailer, sources: Sources) -> None:
        self._mailer = mailer
        self._sources = sources

    async def send(self, voice: Voice, draft: Draft, callback: Callback, leaving: Leaving) -> bool:
        """As `Way` says."""
        if voice.sender is None:
            raise NotSent("the site has no mail_from", final=True)
        try:
            recipient = recipient_of(callback.visitor.email)
        except BadAddress as error:
            raise NotSent(f"the visitor's address: {error}", final=True) from None
        content = self._content(voice, voice.sender, draft, callback)
        made = letter(draft, voice.sender, recipient, content, self._sources.clock.now())
        return await self._mailer.send(voice.sender.address, recipient, made.as_bytes(), leaving)

    def _content(self, voice: Voice, sender: Sender, draft: Draft, callback: Callback) -> Content:
        page = _page(self._sources, callback)
        words = _words(voice, draft, callback, self._sources)
        subject = _rendered(voice, draft, Part.SUBJECT, words)
        words = {**words, "subject": subject}
        calendar = None
        if (method := method_of(draft.kind)) is not None:
            entry = invitation(draft, callback, method, subject, sender.address, page, self._sources.clock.now())
            calendar = (method, entry)
        text, html = (_rendered(voice, draft, part, words) for part in (Part.TEXT, Part.HTML))
        return Content(subject, text, html, calendar)


class ByText:
    """Messages as texts."""

    def __init__(self, texter: Texter, sources: Sources) -> None:
        self._texter = texter
        self._sources = sources

    async def send(self, voice: Voice, draft: Draft, callback: Callback, leaving: Leaving) -> bool:
        """As `Way` says."""
        words = _words(voice, draft, callback, self._sources)
        text = shortened(plainer(_rendered(voice, draft, Part.SMS, words)))
        asked = {
            "number": callback.visitor.phone,
            "text": text,
            "sender": voice.sms_from,
            "id": f"{draft.callback}-{draft.kind}-{draft.about}",
        }
        return await self._texter.send(asked, leaving)


def _page(sources: Sources, callback: Callback) -> str | None:
    return None if sources.pages is None else sources.pages.page_of(callback.id)


def _words(voice: Voice, draft: Draft, callback: Callback, sources: Sources) -> Words:
    """What `templates.sample` describes."""
    site, language = voice.site, voice.templates.language
    zone = zone_of(callback.visitor.phone, site.zone, draft.promised_at)
    told = when(draft.promised_at, draft.wanted_until, zone, site.zone, language)
    caller_id = sources.caller_id(callback)
    return {
        "language": language.value,
        "subject": "",
        "site": one_line(site.name, _LONGEST_SITE),
        "name": name_of(callback.visitor.name),
        "when": told.whole,
        "day": told.day,
        "time": told.time,
        "zone": told.zone,
        "caller_id": phone.as_dialled(caller_id, site.region) if caller_id else "",
        "page": _page(sources, callback),
    }


def _rendered(voice: Voice, draft: Draft, part: Part, words: Words) -> str:
    try:
        return voice.templates.render(draft.kind, part, words)
    except TemplateFault as fault:
        raise NotSent(f"template {fault}", final=True) from None
