"""JSON that strangers send, read one value after another: each is handed out before the next one is made, so that
whoever has seen enough stops there, and other threads have their turn in between."""

import json
import re
from collections.abc import Iterator

_SPACE = re.compile(r"[ \t\n\r]*")
_MAX_DIGITS = 100


class Reading:
    """A text, and how far it is read. What is not JSON raises `json.JSONDecodeError`, what nests too deep
    `RecursionError`."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def ahead(self) -> str:
        """The next character, spaces left out; '' at the end."""
        found = _SPACE.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return self._text[self._at : self._at + 1]

    def value(self) -> object:
        """The next value, all of it."""
        self.ahead()
        found, self._at = _DECODER.raw_decode(self._text, self._at)
        return found

    def elements(self) -> Iterator[object]:
        """Those of the list that comes next."""
        self._take("[")
        ended = self._ends("]")
        while not ended:
            yield self.value()
            ended = self._take(",", "]") == "]"

    def names(self) -> Iterator[str]:
        """Those in the object that comes next; the value of each is to be read before the next one."""
        self._take("{")
        ended = self._ends("}")
        while not ended:
            if self.ahead() != '"':
                raise self._broken()
            key = str(self.value())
            self._take(":")
            yield key
            ended = self._take(",", "}") == "}"

    def end(self) -> None:
        """There is nothing more."""
        if self.ahead():
            raise self._broken()

    def _ends(self, end: str) -> bool:
        return self.ahead() == end and self._take(end) == end

    def _take(self, *wanted: str) -> str:
        found = self.ahead()
        if found not in wanted:
            raise self._broken()
        self._at += 1
        return found

    def _broken(self) -> json.JSONDecodeError:
        return json.JSONDecodeError("not JSON", self._text, self._at)


def _object(pairs: list[tuple[str, object]]) -> object:
    """A JSON object; one that has a key twice becomes a list, which is nowhere taken for an object: of two meanings,
    neither is taken, and only the item that holds it is in the way."""
    made = dict(pairs)
    return made if len(made) == len(pairs) else tuple(pairs)


def _integer(digits: str) -> object:
    return int(digits) if len(digits) <= _MAX_DIGITS else _no_number(digits)


def _no_number(text: str) -> object:
    """NaN, Infinity, and what Python takes for no number of any use: as a list nowhere taken for one, so that only the
    item that holds it is in the way."""
    return (text,)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_constant=_no_number)
