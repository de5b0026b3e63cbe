"""What people do about callbacks that were accepted: they cancel, move, object, call by themselves, or decide on what
is in doubt; at random, and now and then at the very moment of the claim."""

import contextlib
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from random import Random

from dialer.domain.callback import Callback, Status
from dialer.domain.directory import Directory
from dialer.domain.errors import IllegalState, RequestRefused
from dialer.intake import changes
from dialer.intake.changes import Waiting
from tests.year.audit import Audit
from tests.year.picture import Picture, settled
from tests.year.timeline import Timeline

_AT_ONCE = Waiting(patience=0.0, clock=lambda: 0.0)
"""A daemon's answer is not waited for: what becomes of the wish is seen later."""

_CHANGED = 0.08
"""The share of callbacks of which somebody wants something else; of a third of those, during an attempt."""

_RACES = 0.002


class People:
    """`wake` wakes the daemon, if one runs. `directory` may be exchanged."""

    def __init__(
        self,
        directory: Directory,
        timeline: Timeline,
        random: Random,
        picture: Picture,
        audit: Audit,
        wake: Callable[[], None],
    ) -> None:
        self.directory = directory
        self.did: Counter[str] = Counter()
        self._timeline = timeline
        self._random = random
        self._picture = picture
        self._audit = audit
        self._wake = wake

    def accepted(self, callback: Callback) -> None:
        """A callback is new: will anybody change their mind?"""
        if self._random.random() < _CHANGED * 2 / 3:
            waits = callback.due_at - self._timeline.now + timedelta(hours=1)
            self._timeline.after(self._random.random() * waits.total_seconds(), self._change, callback)

    def placed(self, callback: Callback) -> None:
        """An attempt is under way."""
        if self._random.random() < _CHANGED / 3:
            self._timeline.after(self._random.uniform(0, 30), self._change, callback)

    def claiming(self, callback: Callback) -> None:
        """The engine has decided to ring it, and has not written that down yet."""
        if self._random.random() < _RACES:
            self._change(callback)

    def in_doubt(self, callback: Callback) -> None:
        """A person decides, hours later."""
        status = self._random.choice((Status.SCHEDULED, Status.SCHEDULED, Status.COMPLETED, Status.FAILED))
        self._timeline.after(self._random.uniform(600, 40_000), self._resolve, callback, status)

    def _resolve(self, callback: Callback, status: Status) -> None:
        self._picture.resolve(callback.id, status, self._timeline.now)
        self._wake()

    def _change(self, callback: Callback) -> None:
        act = self._random.choice((self._cancel, self._move, self._move, self._object, self._call_in))
        with contextlib.suppress(IllegalState, RequestRefused):
            act(callback)
            self.did[act.__name__] += 1

    def _cancel(self, callback: Callback) -> None:
        settled(changes.cancel(self._picture, self._wake, callback.id, "visitor", _AT_ONCE))

    def _move(self, callback: Callback) -> None:
        now = self._timeline.now
        at = now + timedelta(minutes=self._random.choice((1, 60, 3000)) * self._random.random())
        until = (at + timedelta(hours=2)).isoformat() if self._random.random() < 0.2 else ""
        wish = (at.isoformat(), until)
        settled(changes.move(self._picture, self._wake, self.directory, callback.id, wish, now, _AT_ONCE))

    def _object(self, callback: Callback) -> None:
        number = callback.visitor.phone
        self._audit.objected(number, self._timeline.now)
        settled(changes.object_to(self._picture, self._wake, number, "visitor", "asked", _AT_ONCE))

    def _call_in(self, callback: Callback) -> None:
        departments = [each.id for each in self.directory.departments.values() if each.called_in]
        self._picture.called_in(callback.visitor.phone, departments)
        self._wake()
