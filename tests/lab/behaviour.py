"""What a phone at the far end does when it is called: data that the far end's dialplan reads for every call."""

from __future__ import annotations

from dataclasses import dataclass

NEVER = -1  # ring_ms: ring for ever; after_ms: stay until the other side hangs up
BUSY, NOT_FOUND, UNAVAILABLE, DECLINED = 486, 404, 503, 603  # SIP final responses


@dataclass(frozen=True)
class Behaviour:
    """One phone's script: ring, then answer or refuse, then press keys, then stay, leave or transfer.

    Times are milliseconds. ``after_ms`` counts from the answer, or from the last key pressed.
    """

    alert: str = "180"  # "180" ringing, "183" early media without 180, "none"
    ring_ms: int = 200  # NEVER rings until the caller gives up
    refuse: int = 0  # SIP response code instead of an answer
    press: str = ""  # DTMF digits
    press_ms: int = 500  # from the answer to the first key
    after_ms: int = NEVER
    transfer: str = ""  # blind transfer to this PBX extension instead of hanging up
    audio: str = "silent"  # "silent", "tone", "echo"
    forward: str = ""  # refuse with 302, to this PBX extension

    def encode(self) -> str:
        """The text that the far end's dialplan takes apart."""
        fields = (self.alert, self.ring_ms, self.refuse, self.press, self.press_ms, self.after_ms, self.transfer)
        return "|".join(str(field) for field in (*fields, self.audio, self.forward))


class Agent:
    """The agents' repertoire."""

    @staticmethod
    def accept(*, ring_ms: int = 200, press_ms: int = 500, talk_ms: int = NEVER, audio: str = "silent") -> Behaviour:
        """Answers, presses 1, stays; with ``talk_ms``, hangs up that long after the key."""
        return Behaviour(ring_ms=ring_ms, press="1", press_ms=press_ms, after_ms=talk_ms, audio=audio)

    @staticmethod
    def busy() -> Behaviour:
        """Refuses at once with 486."""
        return Behaviour(alert="none", ring_ms=0, refuse=BUSY)

    @staticmethod
    def declined(code: int = DECLINED, *, ring_ms: int = 200) -> Behaviour:
        """Rings, then refuses: 603 (the red button of most phones) or 403."""
        return Behaviour(ring_ms=ring_ms, refuse=code)

    @staticmethod
    def no_answer() -> Behaviour:
        """Rings for ever."""
        return Behaviour(ring_ms=NEVER)

    @staticmethod
    def forwards(extension: str) -> Behaviour:
        """Does not ring, and asks by 302 for somebody else to be called."""
        return Behaviour(alert="none", ring_ms=0, forward=extension)

    @staticmethod
    def never_presses(*, talk_ms: int = NEVER) -> Behaviour:
        """Answers and is silent."""
        return Behaviour(after_ms=talk_ms)

    @staticmethod
    def voicemail() -> Behaviour:
        """Answers, makes sound, never presses a key."""
        return Behaviour(audio="tone")

    @staticmethod
    def presses(digits: str) -> Behaviour:
        """Answers and presses something else."""
        return Behaviour(press=digits)

    @staticmethod
    def hangs_up(after_ms: int = 500) -> Behaviour:
        """Answers and hangs up during the whisper."""
        return Behaviour(after_ms=after_ms)

    @staticmethod
    def transfers(extension: str, *, after_ms: int) -> Behaviour:
        """Accepts, then sends the customer to a PBX extension by REFER, ``after_ms`` after the key."""
        return Behaviour(press="1", after_ms=after_ms, transfer=extension)


class Customer:
    """The customers' (and the carrier's) repertoire."""

    @staticmethod
    def answer(*, ring_ms: int = 200, talk_ms: int = NEVER, audio: str = "silent", alert: str = "180") -> Behaviour:
        """Answers after ``ring_ms``; with ``talk_ms``, hangs up that long after the answer."""
        return Behaviour(alert=alert, ring_ms=ring_ms, after_ms=talk_ms, audio=audio)

    @staticmethod
    def at_once(*, talk_ms: int = NEVER) -> Behaviour:
        """Answers without having rung."""
        return Behaviour(alert="none", ring_ms=0, after_ms=talk_ms)

    @staticmethod
    def busy() -> Behaviour:
        """486."""
        return Behaviour(refuse=BUSY)

    @staticmethod
    def no_answer(alert: str = "180") -> Behaviour:
        """Rings for ever."""
        return Behaviour(alert=alert, ring_ms=NEVER)

    @staticmethod
    def declined(code: int = DECLINED) -> Behaviour:
        """603 or 403."""
        return Behaviour(refuse=code)

    @staticmethod
    def unallocated() -> Behaviour:
        """404: no such number."""
        return Behaviour(alert="none", ring_ms=0, refuse=NOT_FOUND)

    @staticmethod
    def barred(code: int = 403) -> Behaviour:
        """403 before any phone rings: the carrier takes no call of ours, for our credit or caller ID; or another."""
        return Behaviour(alert="none", ring_ms=0, refuse=code)

    @staticmethod
    def forwards(extension: str) -> Behaviour:
        """302: the carrier asks us to call somebody else instead."""
        return Behaviour(alert="none", ring_ms=0, forward=extension)

    @staticmethod
    def congestion(alert: str = "none") -> Behaviour:
        """503: the carrier has no line; with an ``alert``, only after that."""
        return Behaviour(alert=alert, ring_ms=0 if alert == "none" else 300, refuse=UNAVAILABLE)


DEFAULT_AGENT = Agent.accept()
DEFAULT_CUSTOMER = Customer.answer(talk_ms=3000)
