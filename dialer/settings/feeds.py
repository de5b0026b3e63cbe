"""`[feed.<id>]`: where callback requests are pulled from."""

from dialer.settings.models import Section


class FeedSettings(Section):
    """`[feed.<id>]`: one HTTPS JSON feed."""
