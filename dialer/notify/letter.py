"""An e-mail to a visitor: plain text and HTML, the calendar entry, and headers in which nothing foreign can hide."""

from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from dialer.notify.messages import Draft
from dialer.notify.wording import one_line

# Seven bits pass every server, whether or not it speaks 8BITMIME.
_POLICY = SMTP.clone(cte_type="7bit")

_LONGEST_NAME = 60


class BadAddress(ValueError):
    """An address that mail without extensions cannot be sent to."""


@dataclass(frozen=True, slots=True)
class Sender:
    """In whose name mail goes out: a name for people to read, and an address."""

    name: str
    address: str

    @property
    def domain(self) -> str:
        """The address's part behind the @."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Content:
    """What is in a letter. `calendar`: the method and text of a calendar entry, None: there is none."""

    subject: str
    text: str = field(repr=False)
    html: str = field(repr=False)
    calendar: tuple[str, str] | None = field(default=None, repr=False)


def recipient_of(email: str) -> str:
    """The address as it goes over the wire, its domain in ASCII. Raises `BadAddress`."""
    mailbox, _, domain = email.rpartition("@")
    try:
        wire = domain.encode("idna")
        address = Address(username=mailbox, domain=wire.decode("ascii"))
        exact = domain.isascii() or wire.decode("idna") == domain.lower()
    except (ValueError, UnicodeError):
        raise BadAddress("it cannot be read as an address") from None
    if not exact:
        # To Python's old rules faß.de is fass.de, which is somebody else's.
        raise BadAddress("its domain reads as another one")
    if not mailbox.isascii() or not mailbox.isprintable():
        raise BadAddress("its mailbox is not plain ASCII")
    return address.addr_spec


def letter(draft: Draft, sender: Sender, recipient: str, content: Content, now: datetime) -> bytes:
    """The whole message as it goes over the wire. Its Message-ID is the same each time that it is made; `now` is its
    date."""
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(one_line(sender.name, _LONGEST_NAME), addr_spec=sender.address)
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = content.subject
    message["Date"] = format_datetime(now)
    message["Message-ID"] = f"<{draft.callback}.{draft.kind}.{draft.about}@{sender.domain}>"
    # RFC 3834: no machine shall answer.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(content.text)
    message.add_alternative(content.html, subtype="html")
    if content.calendar is not None:
        method, entry = content.calendar
        message.add_attachment(entry, subtype="calendar", filename="call.ics", params={"method": method})
    # The library would rather begin a subject on the next line than let it be one character too long; some programs
    # show the space that this leaves.
    return message.as_bytes().replace(b"\r\nSubject:\r\n ", b"\r\nSubject: ", 1)
