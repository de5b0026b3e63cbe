"""The words of the messages: Jinja2 templates, ours in English and Welsh, a site's own before them.

A template is named `<kind>.<part>.j2` (`booked.html.j2`); in the HTML part everything is escaped. They run in a
sandbox, and what a template does not know is an error, not an empty place.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from zoneinfo import ZoneInfo

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, StrictUndefined, TemplateError, TemplateSyntaxError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from dialer.domain.errors import ConfigurationError, DialerError
from dialer.notify.messages import MessageKind
from dialer.notify.wording import Language, one_line, when

_OURS = Path(__file__).parent / "templates"
_SUFFIX = ".j2"

_LONGEST_SUBJECT = 150
_LONGEST_TEXT = 100_000
"""Characters of a rendered message: more is a template that ran away."""


class Part(StrEnum):
    """What a message is made of."""

    SUBJECT = "subject"
    TEXT = "txt"
    HTML = "html"
    SMS = "sms"


class TemplateFault(DialerError):
    """A template cannot be rendered; the text says which and where, and nothing of what was to be put in."""


Words = Mapping[str, object]
"""What a template may use: see `sample`."""


class Templates:
    """A language's templates, with those of one site's `folder` before them (None: it has none)."""

    def __init__(self, language: Language, folder: Path | None = None) -> None:
        self.language = language
        self._folder = folder
        own: list[BaseLoader] = [FileSystemLoader(folder)] if folder else []
        self._environment = ImmutableSandboxedEnvironment(
            loader=ChoiceLoader([*own, FileSystemLoader(_OURS / language), FileSystemLoader(_OURS)]),
            undefined=StrictUndefined,
            autoescape=lambda name: name is None or not name.endswith((".txt.j2", ".subject.j2", ".sms.j2")),
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def render(self, kind: MessageKind, part: Part, words: Words) -> str:
        """One part of a message; subject and SMS are one line. Raises `TemplateFault`."""
        name = f"{kind}.{part}{_SUFFIX}"
        try:
            text = self._environment.get_template(name).render(words)
        except Exception as error:  # noqa: BLE001  # a template may raise anything; none of it may end the daemon
            raise self._fault(name, error) from None
        if len(text) > _LONGEST_TEXT:
            raise TemplateFault(f"longer than {_LONGEST_TEXT} characters", where=name)
        match part:
            case Part.SUBJECT:
                return one_line(text, _LONGEST_SUBJECT)
            case Part.SMS:
                return one_line(text, _LONGEST_TEXT)
            case _:
                return text.strip() + "\n"

    def check(self) -> None:
        """Render every part of every message with sample words, with and without what may be missing. Raises
        `ConfigurationError` that says which file and line is wrong."""
        if self._folder is not None:
            self._check_names(self._folder)
        for kind in MessageKind:
            for part in Part:
                for whole in (True, False):
                    try:
                        text = self.render(kind, part, sample(self.language, whole=whole))
                    except TemplateFault as fault:
                        raise ConfigurationError(fault.what, where=fault.where, remedy="correct the template") from None
                    if not text.strip():
                        what = "it is empty"
                        raise ConfigurationError(what, where=f"{kind}.{part}{_SUFFIX}", remedy="write something there")

    def _check_names(self, folder: Path) -> None:
        """A file that no message is made of is a slip of the pen, unless another one takes it in."""
        if not folder.is_dir():
            raise ConfigurationError("no such folder", where=str(folder), remedy="make it, or leave templates out")
        known = {f"{kind}.{part}{_SUFFIX}" for kind in MessageKind for part in Part}
        for file in sorted(folder.glob("*.*.j2")):
            if file.name not in known:
                remedy = "templates are named <kind>.<part>.j2; name what others include <name>.j2"
                raise ConfigurationError("no message is made of it", where=str(file), remedy=remedy)

    def _fault(self, name: str, error: Exception) -> TemplateFault:
        file, line = _place(error, name)
        where = f"{self._folder / file if self._folder and (self._folder / file).exists() else file}"
        what = error.message if isinstance(error, TemplateError) and error.message else type(error).__name__
        return TemplateFault(one_line(what, 200), where=f"{where}: line {line}" if line else where)


def sample(language: Language, *, whole: bool = True) -> dict[str, object]:
    """Words like those of a real message; without `whole`, without everything that may be missing.

    `language` ("en", "cy"), `subject`, `site` (its name), `name` (the visitor's, "" where there is none that can be
    shown), `when` (the promised time in words), `day`, `time` and `zone` (its parts), `caller_id` (the number that
    will call, "" where it is not known), `page` (the address of the visitor's own page, or none).
    """
    london = ZoneInfo("Europe/London")
    at = datetime(2030, 5, 17, 13, 30, tzinfo=UTC)
    told = when(at, at + timedelta(hours=1) if whole else None, london, london, language)
    return {
        "language": language.value,
        "subject": "",
        "site": "Example Shop",
        "name": "Zoë" if whole else "",
        "when": told.whole,
        "day": told.day,
        "time": told.time,
        "zone": told.zone,
        "caller_id": "020 7946 0123" if whole else "",
        "page": "https://calls.example.com/c/sample" if whole else None,
    }


def _place(error: Exception, name: str) -> tuple[str, int | None]:
    """The file (its name among the templates) and line at which a template failed."""
    if isinstance(error, TemplateSyntaxError):
        return error.name or name, error.lineno
    if isinstance(error, UnicodeDecodeError):
        return name, None
    found: tuple[str, int | None] = (name, None)
    trace: TracebackType | None = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if file.endswith(_SUFFIX):
            found = (Path(file).name, trace.tb_lineno)
        trace = trace.tb_next
    return found
