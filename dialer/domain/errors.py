"""One tree of errors. Every message says what is wrong, where, and what to do; none carries a secret or a person."""

from datetime import datetime


class DialerError(Exception):
    """The root: whatever the project raises on purpose.

    `what` and `where` become one line; `remedy` is what the reader can do about it.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what = what
        self.where = where
        self.remedy = remedy
        line = f"{where}: {what}" if where else what
        super().__init__(f"{line} ({remedy})" if remedy else line)


class ConfigurationError(DialerError):
    """The configuration cannot be used; nothing was started."""


class MayNotRead(ConfigurationError):
    """It is kept from this process, and perhaps not from the service: nobody knows by it whether that is good."""


class RequestRefused(DialerError):
    """A callback request was refused at the door and not stored.

    `code` is a stable word for programs (`number_premium`), `field` the part of the request that is at fault,
    `retry_at` when the same request may be sent again (UTC; None: never).
    """

    def __init__(self, code: str, field: str, what: str, *, remedy: str = "", retry_at: datetime | None = None) -> None:
        self.code = code
        self.field = field
        self.retry_at = retry_at
        super().__init__(what, where=field, remedy=remedy)


class IllegalState(DialerError):
    """The caller asked for something that the present state does not allow; nothing was changed."""


class StoreError(DialerError):
    """The store could not be read or written; what was asked for did not happen."""


class StoreBusy(StoreError):
    """A daemon, or an upgrade, already owns this store."""


class SchemaOutdated(StoreError):
    """The database's schema is older or newer than this program."""


class PbxError(DialerError):
    """Something between us and a PBX failed."""


class LinkDown(PbxError):
    """There is no usable session with the PBX."""


class NeverSent(PbxError):
    """The action provably never reached the PBX: it may be tried again as a new one."""


class OutcomeUnknown(PbxError):
    """The action may or may not have been carried out: only the PBX itself can tell. Never resend."""


class ActionRefused(PbxError):
    """The PBX answered the action with an error."""


class LoginRefused(PbxError):
    """The PBX refused our user or secret. Terminal: trying again without a change is pointless."""


class DialplanMismatch(PbxError):
    """The PBX runs another version of the dialplan than this program needs."""


class ProtocolViolation(PbxError):
    """What came over the wire is not the manager protocol."""
