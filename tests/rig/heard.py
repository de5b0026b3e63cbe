"""What a subscriber heard, judged: every event, whole each time, and those of a callback in their order."""

from collections import defaultdict
from itertools import chain


class Heard:
    """Takes events as they were told, again and again if they were."""

    def __init__(self) -> None:
        self.times = 0
        self._bodies: dict[str, object] = {}
        self._altered: list[str] = []
        self._versions: dict[str, list[int]] = defaultdict(list)

    @property
    def events(self) -> int:
        """How many different ones there were."""
        return len(self._bodies)

    @property
    def again(self) -> int:
        """How many of the times were not an event's first."""
        return self.times - self.events

    def add(self, event: str, body: object, about: tuple[str, int] | None = None) -> None:
        """One event by its id; `about` is the callback and its version, where it tells of one."""
        self.times += 1
        if self._bodies.setdefault(event, body) != body:
            self._altered.append(event)
        if about is not None:
            callback, version = about
            self._versions[callback].append(version)

    def broken(self, wanted: set[str]) -> list[str]:
        """Every broken promise in words, if these events were to be told: `untold`, `altered`, `disordered`."""
        disordered = (f"{id_}: {seen}" for id_, seen in self._versions.items() if seen != sorted(seen))
        return list(
            chain(
                (f"untold: {event}" for event in sorted(wanted - self._bodies.keys())),
                (f"altered: {event}" for event in self._altered),
                (f"disordered: {each}" for each in disordered),
            )
        )
