"""`[feed.<id>]`: where callback requests are pulled from."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from dialer.settings.addresses import Private, WebAddress
from dialer.settings.models import Section
from dialer.settings.problems import Invalid
from dialer.settings.values import Credential, Id, Place


class FeedSettings(Section):
    """`[feed.<id>]`: one JSON feed, as `docs/feed.md` has it. `site`: whose departments its items may name (None: any).
    `wait_seconds`: how long the feed is asked to hold an answer that would be empty; `poll_seconds`: how long one that
    does not is left alone. `allow_private`: networks that are not public and may be asked; without https only they."""

    url: Annotated[WebAddress, Field(repr=False)]
    outcomes_url: Annotated[WebAddress | None, Field(repr=False)] = None
    site: Id | None = None
    token: SecretStr | None = None
    token_file: Place | None = None
    token_credential: Credential | None = None
    poll_seconds: Annotated[float, Field(ge=0.1, le=3600)] = 15.0
    wait_seconds: Annotated[int, Field(ge=0, le=300)] = 30
    page_size: Annotated[int, Field(ge=1, le=1000)] = 100
    allow_private: tuple[Private, ...] = ()
    ca_file: Place | None = None

    @model_validator(mode="after")
    def _one_token(self) -> Self:
        given = [way for way in (self.token, self.token_file, self.token_credential) if way is not None]
        if len(given) != 1:
            found = "no token" if not given else "more than one token"
            raise Invalid(found, "give one of token, token_file and token_credential")
        return self

    @model_validator(mode="after")
    def _safe(self) -> Self:
        for url in (self.url, self.outcomes_url or self.url):
            if not url.startswith("https:") and not self.allow_private:
                what = "an address is not https"
                raise Invalid(what, "give https addresses, or name their network in allow_private")
            if "#" in url:
                raise Invalid("an address holds a fragment", "leave out the # and what follows it")
        return self
