"""Find, read and check the configuration. Whatever is wrong becomes one `ConfigurationError`."""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError

from dialer.domain.errors import ConfigurationError
from dialer.settings.models import Section
from dialer.settings.problems import Problem, configuration_error, problems_of
from dialer.settings.settings import ENV_PREFIX, TABLES, Settings

PATH_VARIABLE = "DIALER_CONFIG"

_USUAL_PLACES = (Path("/etc/dialer/dialer.toml"), Path("config/dialer.toml"))


def find(given: Path | None = None) -> Path:
    """The configuration file: the one given, else `$DIALER_CONFIG`, else the first that exists of the usual places."""
    if given is not None:
        return given
    if named := os.environ.get(PATH_VARIABLE):
        return Path(named)
    for place in _USUAL_PLACES:
        if _may_exist(place):
            return place
    raise ConfigurationError(
        f"no configuration found: neither {' nor '.join(map(str, _USUAL_PLACES))} exists",
        remedy=f"name it with --config or ${PATH_VARIABLE}",
    )


def load(path: Path | None = None) -> Settings:
    """Read the configuration from `path` (default: see `find`) and the environment, and check all of it.

    Secrets are not read here: see `Settings.secret`. Raises `ConfigurationError`: the first problem in full, with file,
    key and remedy, and how many more there are.
    """
    file = find(path)
    content = _read(file)
    problems = [*_unknown_tables(content), *_unknown_variables(os.environ)]
    try:
        # Only tables that are ours: the library takes keyword arguments of its own.
        settings = Settings(**{name: content[name] for name in TABLES if name in content})
    except ValidationError as error:
        raise configuration_error(file, [*problems, *problems_of(error, _known_keys())]) from None
    except SettingsError as error:
        problem = Problem("environment", _first_line(error), f"a {ENV_PREFIX} variable holds a whole table: use JSON")
        raise configuration_error(file, [*problems, problem]) from None
    if problems:
        raise configuration_error(file, problems)
    settings._file = file  # noqa: SLF001 -- a private attribute: the environment must not be able to set it
    settings.directory()
    return settings


def _may_exist(place: Path) -> bool:
    try:
        return place.exists()
    except OSError:
        # For example a folder that we may not enter: reading the file will say so.
        return True


def _read(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            return tomllib.load(stream)
    except OSError as error:
        raise ConfigurationError(
            f"cannot be read: {error.strerror}", where=str(file), remedy="check the path and its permissions"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", where=str(file), remedy="correct that line") from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(
            f"not UTF-8 at byte {error.start + 1}", where=str(file), remedy="save it as UTF-8"
        ) from None
    except ValueError:  # the reader's only other one
        raise ConfigurationError("a number has too many digits", where=str(file), remedy="correct it") from None


def _unknown_tables(content: Mapping[str, object]) -> Iterator[Problem]:
    for name in content:
        if name not in TABLES:
            yield Problem(name, "unknown key", f"known are {', '.join(TABLES)}")


def _unknown_variables(environment: Mapping[str, str]) -> Iterator[Problem]:
    """Variables with our prefix that mean nothing: a slip of the pen that would otherwise change nothing, silently."""
    for name in environment:
        section = name.upper().removeprefix(ENV_PREFIX).partition("__")[0].lower()
        ours = name.upper().startswith(ENV_PREFIX) and name.upper() != PATH_VARIABLE
        if ours and section not in TABLES:
            yield Problem(f"${name}", "unknown variable", "unset it, or write DIALER_<SECTION>__<KEY>")


def _known_keys() -> list[str]:
    return sorted({key for section in _kinds(Section) for key in section.model_fields})


def _kinds(of: type[Section]) -> Iterator[type[Section]]:
    for kind in of.__subclasses__():
        yield kind
        yield from _kinds(kind)


def _first_line(error: SettingsError) -> str:
    return str(error).partition("\n")[0]
