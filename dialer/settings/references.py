"""What one part of the configuration says of another, checked; what is wrong is collected, to be told at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dialer.settings.problems import Problem


@dataclass(slots=True)
class References:
    """One pass over the configuration: looks up what is referred to, and collects what is wrong."""

    problems: list[Problem] = field(default_factory=list)

    def problem(self, key: str, what: str, remedy: str) -> None:
        """Something is wrong at `key`."""
        self.problems.append(Problem(key, what, remedy))

    def one(self, kind: str, given: str | None, known: Mapping[str, object], key: str) -> str:
        """The id that is meant: the one given, or the only one there is. '' when it is not known."""
        if given is None:
            return self._only(known, key)
        return next(iter(self.known(kind, (given,), known, key)), "")

    def several(self, kind: str, given: Sequence[str] | None, known: Mapping[str, object], key: str) -> tuple[str, ...]:
        """The ids that are meant: the ones given, or the only one there is. None of them when one is not known."""
        if given is None:
            only = self._only(known, key)
            return (only,) if only else ()
        if twice := next((id_ for id_ in given if given.count(id_) > 1), None):
            self.problem(key, f"lists {twice} twice", f"list each {kind} once")
        return self.known(kind, given, known, key)

    def known(self, kind: str, given: Sequence[str], known: Mapping[str, object], key: str) -> tuple[str, ...]:
        """What is given; none of it when one is not known, so that nothing follows from half of it."""
        unknown = [id_ for id_ in given if id_ not in known]
        for id_ in unknown:
            self.problem(key, f"there is no {kind} {id_}", f"name one of {', '.join(known)}, or add [{kind}.{id_}]")
        return () if unknown else tuple(given)

    def _only(self, known: Mapping[str, object], key: str) -> str:
        if len(known) == 1:
            return next(iter(known))
        self.problem(key, "is missing", f"there are several: name one of {', '.join(known)}")
        return ""
