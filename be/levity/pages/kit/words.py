"""Texts of several pages, and entries of the menu that other apps than pages and billing bring, for
the translators."""

from django.utils.translation import gettext_noop

__all__ = ["LIVE", "NO_SERVER", "OPEN_ALERTS", "WORDS"]

NO_SERVER = gettext_noop(
    "there is no mail server: enter it on the page First steps, or set EMAIL_URL and start Levity "
    "again"
)

OPEN_ALERTS = (
    gettext_noop("open alert not acknowledged"),
    gettext_noop("open alerts not acknowledged"),
    gettext_noop("%(count)s of them critical"),
)
LIVE = (
    gettext_noop("%(span)s ago"),
    gettext_noop("%(span)s so far"),
    gettext_noop("in the future"),
    gettext_noop("negative (clock)"),
    gettext_noop("Not updated since %(time)s:"),
    gettext_noop("The page shows the state of that time."),
    gettext_noop("Log in again"),
    gettext_noop("You are logged out."),
    gettext_noop("Not updated since %(time)s."),
    gettext_noop("this page is gone or has moved."),
    gettext_noop("this device is offline."),
    gettext_noop("the server does not answer."),
    gettext_noop("you may not see this page any more."),
    gettext_noop("it is not there any more."),
    gettext_noop("the server answered %(status)s."),
    gettext_noop("Could not be loaded:"),
    gettext_noop("Levity tries again within two minutes."),
)
"""What the scripts say, by themselves (static/levity/live.js and plots.js)."""

WORDS = (
    # Verdicts about signed values.
    gettext_noop("verified with your key"),
    gettext_noop("self-asserted"),
    gettext_noop("not checked"),
    gettext_noop("does not verify"),
    gettext_noop("there is no public key: enter that of the meter"),
    gettext_noop("its values are of several meters"),
    gettext_noop("the signature is not that of this key over this data"),
    gettext_noop("the meter itself says that something was wrong with the reading"),
    gettext_noop("the signed register fell"),
    gettext_noop("the meter's clock was not synchronised; the energy is not affected"),
    # States of commands.
    gettext_noop("Queued"),
    gettext_noop("sent, waiting for the answer"),
    gettext_noop("answered with a result"),
    gettext_noop("answered with an error"),
    gettext_noop("no answer in time"),
    gettext_noop("not sent in time"),
    gettext_noop("Cancelled"),
    gettext_noop("could not be sent"),
    # How sure a figure is.
    gettext_noop("high"),
    gettext_noop("medium"),
    gettext_noop("low"),
    # States of sessions.
    gettext_noop("active"),
    gettext_noop("stopped"),
    gettext_noop("orphaned"),
    # Of the core, whose texts stay English: what its decisions refuse.
    gettext_noop("your role, or your token's scope, lacks the permission %(permission)s"),
    gettext_noop("People"),
    gettext_noop("Users"),
    gettext_noop("Groups"),
    gettext_noop("Logins"),
    gettext_noop("Locked logins"),
    gettext_noop("API tokens"),
    gettext_noop("Integrations"),
    gettext_noop("Webhooks"),
    gettext_noop("Deliveries"),
    gettext_noop("Events"),
    gettext_noop("Alerts"),
    gettext_noop("Alert rules"),
    gettext_noop("Files"),
    gettext_noop("Firmware"),
    gettext_noop("Firmware campaigns"),
)
