"""Webhooks in the form of Standard Webhooks: an event with its id, the time of its sending and their signature."""

from collections.abc import Sequence

from standardwebhooks.webhooks import Webhook as Signer

from dialer.http.client import Answer, HttpClient, TargetRefused, Unreachable
from dialer.http.patience import retry_after
from dialer.notify.events import event_body
from dialer.notify.outbox import Change
from dialer.notify.pump import Clock, NotDelivered

_WITHIN = 15.0
"""Seconds for one delivery, redirects included."""

_MOST_ANSWERED = 256 * 1024
"""Bytes of an answer: nobody reads it, but its end shows that it is whole."""

_REDIRECTS = 3
_GONE = 410
_OF_THIS_EVENT = frozenset({400, 409, 413, 415, 422})
"""Answers that say something of one event; any other failure is the receiver's as a whole."""


class Webhook:
    """Where changes are told: called with one, it delivers it or raises `NotDelivered`.

    Every one of `secrets` signs, so that a receiver may change over at any time while there are two.
    """

    def __init__(
        self, url: str, secrets: Sequence[str], client: HttpClient, clock: Clock, *, within: float = _WITHIN
    ) -> None:
        self._url = url
        self._signers = [Signer(secret) for secret in secrets]
        self._client = client
        self._clock = clock
        self._within = within

    async def __call__(self, change: Change) -> None:
        body = event_body(change)
        try:
            answer = await self._client.send(
                "POST",
                self._url,
                headers={"content-type": "application/json", **self._signed(change.event_id, body)},
                content=body.encode("ascii"),
                within=self._within,
                most=_MOST_ANSWERED,
                redirects=_REDIRECTS,
            )
        except (Unreachable, TargetRefused) as error:
            raise NotDelivered(error.what, down=True) from None
        if not answer.good:
            raise self._refusal(answer)

    def _signed(self, event_id: str, body: str) -> dict[str, str]:
        now = self._clock.now()
        return {
            "webhook-id": event_id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signer.sign(event_id, now, body) for signer in self._signers),
        }

    def _refusal(self, answer: Answer) -> NotDelivered:
        if answer.status == _GONE:
            return NotDelivered("it answered 410: nobody is there to be told any more", final=True)
        return NotDelivered(
            f"it answered {answer.status}",
            retry_after=retry_after(answer.headers.get("retry-after", ""), self._clock.now()),
            down=answer.status not in _OF_THIS_EVENT,
        )
