"""The bodies of requests, as they are documented: `intake` reads and checks what came."""

from pydantic import BaseModel, ConfigDict, Field

from dialer.domain.widget import EventKind


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ConsentGiven(_Asked):
    """The evidence that the visitor asked to be called."""

    wording: str = Field(min_length=1, max_length=2000, description="What the visitor agreed to, as it was shown.")
    given_at: str = Field(max_length=64, description="ISO 8601; without an offset by the site's clock.")
    page: str | None = Field(None, max_length=2048)


class CallbackRequest(_Asked):
    """A visitor's request to be called. `null` stands for absent."""

    department: str = Field(max_length=40, description="Where the callback goes: an id of the site's.")
    phone: str = Field(max_length=100, description="As people write it; a national one is read in the site's region.")
    name: str | None = Field(None, max_length=200)
    email: str | None = Field(None, max_length=254)
    page: str | None = Field(None, max_length=2048, description="The page the visitor was on: http or https.")
    message: str | None = Field(None, max_length=4000)
    session: str | None = Field(None, max_length=128, description="The widget's anonymous session.")
    address: str | None = Field(
        None,
        max_length=100,
        description="The visitor's IP address, of which only a key is kept, for limits. Not with a key that may only "
        "submit: there the address that the request comes from counts.",
    )
    at: str | None = Field(
        None,
        max_length=64,
        description="When to call: ISO 8601; without an offset by the site's clock. Absent: as soon as possible.",
    )
    until: str | None = Field(None, max_length=64, description="The end of a window that begins at `at`.")
    consent: ConsentGiven | None = None
    sms: bool | None = Field(None, description="Whether the visitor may be sent texts about this callback.")
    external_id: str | None = Field(
        None,
        max_length=128,
        description="Your own id: a second request with it is answered with the same callback. Not with a key that may "
        "only submit, which anybody can read in a page.",
    )


class MoveRequest(_Asked):
    """Another time for a callback."""

    at: str | None = Field(max_length=64, description="As in a callback's request; null: as soon as possible.")
    until: str | None = Field(None, max_length=64)


class ObjectionRequest(_Asked):
    """Somebody does not want to be called any more."""

    phone: str = Field(max_length=100)
    why: str | None = Field(None, max_length=200, description="Kept with it; no personal data.")


class WidgetEvent(_Asked):
    """A step of an anonymous session."""

    kind: EventKind
    session: str = Field(
        pattern="^[A-Za-z0-9_-]{16,128}$",
        description="Made at random for the browser's session; a callback's `session` links the two.",
    )
    page: str = Field(max_length=2048, description="http or https. Its query and fragment are not kept.")


class EventsRequest(_Asked):
    """What the widget saw, and nothing that says who it was."""

    events: list[WidgetEvent] = Field(min_length=1, max_length=50)


REQUESTS = (CallbackRequest, MoveRequest, ObjectionRequest, EventsRequest)
"""The bodies of requests, which no route's signature names."""
