"""Identifiers: ULIDs as text, so that they sort by the time of their making; and the names of callbacks' sources."""

from typing import NewType

CallbackId = NewType("CallbackId", str)
AttemptId = NewType("AttemptId", str)

_CHANNEL_PREFIX = "mi-"
_FEED = "feed:"


def channel_id(attempt: AttemptId) -> str:
    """The Uniqueid that an attempt's agent leg bears on the PBX; also the attempt's key in the journal."""
    return _CHANNEL_PREFIX + attempt


def attempt_of(channel: str) -> AttemptId | None:
    """The attempt that a Uniqueid or Linkedid belongs to, or None when the channel is not one of ours."""
    ours = channel.startswith(_CHANNEL_PREFIX) and len(channel) == len(_CHANNEL_PREFIX) + 26
    return AttemptId(channel[len(_CHANNEL_PREFIX) :]) if ours else None


def feed_source(feed: str) -> str:
    """The source of the callbacks that a feed brings."""
    return _FEED + feed


def by_feed(source: str) -> bool:
    """Whether callbacks of a source come by a feed."""
    return source.startswith(_FEED)
