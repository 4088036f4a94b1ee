"""Texts of several pages, and entries of the menu that other apps than pages and billing bring, for
the translators."""

from django.utils.translation import gettext_noop

__all__ = ["NO_SERVER", "WORDS"]

NO_SERVER = gettext_noop(
    "there is no mail server: enter it on the page First steps, or set EMAIL_URL and start Levity "
    "again"
)

WORDS = (
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
