"""The living legs of an attempt, told by their ids to end: never by a name, which another channel may bear by then."""

from dialer.ami import answers, messages
from dialer.ami.session import Refused, Session
from dialer.domain.errors import OutcomeUnknown
from dialer.domain.ids import AttemptId, channel_id


async def hang_up(session: Session, attempt: AttemptId) -> bool:
    """Hang up the agent's leg and what is linked to it; False when there is nothing. True says that the PBX was told,
    not that it answered. Raises a `PbxError`."""
    own = await _hang_up(session, channel_id(attempt))
    linked = answers.linked((await session.ask(messages.core_show_channels())).events, attempt)
    return any([own, *[await _hang_up(session, leg) for leg in linked]])


async def dismiss(session: Session, attempt: AttemptId) -> bool:
    """Let the agent of a revoked attempt go: by the announcement where the phone was answered, else by the end of its
    ringing. False when there is no such channel, or no longer. Raises a `PbxError`."""
    agent = channel_id(attempt)
    try:
        state = (await session.ask(messages.channel_state(agent))).response.get("Value")
    except Refused as refusal:
        if refusal.text != messages.NO_CHANNEL:
            raise
        return False
    if state != messages.UP:
        return await _hang_up(session, agent)
    try:
        await session.ask(messages.announce_revoked(agent))
    except Refused as refusal:
        if not refusal.text.startswith(messages.NO_CHANNEL_TO_REDIRECT):
            raise
        return False
    return True


async def _hang_up(session: Session, channel: str) -> bool:
    """True when the PBX was told, False when the channel is not there."""
    try:
        await session.ask(messages.hangup(channel))
    except Refused as refusal:
        if refusal.text != messages.NO_CHANNEL:
            raise
        return False
    except OutcomeUnknown:
        if session.loss:
            raise
    return True
