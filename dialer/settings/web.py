"""`[api]` and `[page]`: what the daemon serves over HTTP."""

from dialer.settings.models import Section


class ApiSettings(Section):
    """`[api]`: the HTTP API; without the table there is none."""


class PageSettings(Section):
    """`[page]`: the visitor's own page; without the table there is none."""
