"""`[webhook.<id>]`, `[mail]` and `[sms]`: whom the daemon tells, and how."""

from dialer.settings.models import Section


class WebhookSettings(Section):
    """`[webhook.<id>]`: where changes of callbacks are told."""


class MailSettings(Section):
    """`[mail]`: the SMTP server for messages to visitors; without the table none are sent by e-mail."""


class SmsSettings(Section):
    """`[sms]`: the HTTP gateway for text messages to visitors; without the table none are sent."""
