"""`[api]` and `[page]`: what the daemon serves over HTTP."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dialer.settings.addresses import BaseAddress
from dialer.settings.models import Section
from dialer.settings.problems import Invalid
from dialer.settings.values import Credential


class ApiSettings(Section):
    """`[api]`: the HTTP API; without the table there is none."""


class PageSettings(Section):
    """`[page]`: the visitor's own page; without the table there is none. `base_url`: where visitors see it; the secrets
    sign its links, one a line, of which the first signs; `link_days`: how long after the callback's time a link is
    good; `language`: the one in which the page opens."""

    base_url: BaseAddress
    secrets_file: Path | None = None
    secrets_credential: Credential | None = None
    link_days: Annotated[int, Field(ge=1, le=365)] = 14
    language: Literal["en", "cy"] = "en"

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        given = [way for way in (self.secrets_file, self.secrets_credential) if way is not None]
        if len(given) != 1:
            found = "no secrets" if not given else "two places for the secrets"
            raise Invalid(found, "give one of secrets_file and secrets_credential")
        return self
