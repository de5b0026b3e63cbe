"""The way out for text messages: an HTTP gateway of the administrator's choice, asked as the configuration says."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from dialer.http.client import Answer, HttpClient, NotConnected, TargetRefused, Unreachable
from dialer.http.patience import retry_after
from dialer.notify.sending import Leaving, MaybeSent, NotSent

_MOST = 64 * 1024
"""Bytes of an answer; only its status matters."""

_TRY_LATER = frozenset({429, 503})
_CREDENTIALS = frozenset({401, 403, 407})
_OUR_FAULT = 4


class Clock(Protocol):
    """Wall time, UTC and aware."""

    def now(self) -> datetime: ...


@dataclass(frozen=True, slots=True)
class Gateway:
    """How the gateway is asked: by a POST of `body` as JSON, in whose texts `{number}`, `{text}`, `{sender}` and `{id}`
    are filled in. `success`: the statuses that mean "taken". `within`: seconds for the whole."""

    url: str = field(repr=False)
    body: Mapping[str, object]
    success: frozenset[int]
    headers: Mapping[str, str] = field(repr=False)
    within: float = 20.0


class Texter:
    """Hands text messages to the gateway."""

    def __init__(self, gateway: Gateway, client: HttpClient, clock: Clock) -> None:
        self._gateway = gateway
        self._client = client
        self._clock = clock

    async def send(self, words: Mapping[str, str], leaving: Leaving) -> bool:
        """Hand one text in, whose number, text, sender and id are `words`; whether it was, or `leaving` said no.
        Raises `NotSent`, `MaybeSent`."""
        gateway = self._gateway
        content = json.dumps(filled(gateway.body, words), ensure_ascii=False).encode()
        headers = {"content-type": "application/json", **gateway.headers}
        if not await leaving():
            return False
        try:
            answer = await self._client.send(
                "POST", gateway.url, headers=headers, content=content, within=gateway.within, most=_MOST
            )
        except (NotConnected, TargetRefused) as error:
            raise NotSent(error.what, down=True) from None
        except Unreachable as error:
            raise MaybeSent(error.what) from None
        self._judge(answer)
        return True

    def _judge(self, answer: Answer) -> None:
        status = answer.status
        if status in self._gateway.success:
            return
        why = f"the gateway answered {status}"
        if status in _TRY_LATER:
            pause = retry_after(answer.headers.get("retry-after", ""), self._clock.now())
            raise NotSent(why, down=True, retry_after=pause)
        if status in _CREDENTIALS:
            raise NotSent(why, down=True)
        if status // 100 == _OUR_FAULT:
            raise NotSent(why, final=True)
        # It may have failed after it had passed the text on.
        raise MaybeSent(why)


def filled(body: object, words: Mapping[str, str]) -> object:
    """`body` with the words in the places of its texts; a word never becomes anything but text."""
    match body:
        case str():
            return _put(body, words)
        case Mapping():
            return {key: filled(value, words) for key, value in body.items()}
        case list() | tuple():
            return [filled(value, words) for value in body]
        case _:
            return body


def _put(text: str, words: Mapping[str, str]) -> str:
    """In one pass, so that what a word holds is not filled in again."""
    pieces, rest = [], text
    while rest:
        before, brace, after = rest.partition("{")
        name, end, behind = after.partition("}")
        pieces.append(before)
        if not brace:
            break
        if end and name in words:
            pieces.append(words[name])
            rest = behind
        else:
            pieces.append(brace)
            rest = after
    return "".join(pieces)
