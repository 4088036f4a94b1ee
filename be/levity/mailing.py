"""Sending a mail through the server of EMAIL_URL, or the one that was entered on the pages; and
what its refusals mean."""

import smtplib
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import BadHeaderError, EmailMessage, get_connection
from django.core.validators import validate_email
from django.db import transaction

from levity.environment import email_settings
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.models import Installation
from levity.ocpp.models.installation import ONLY
from levity.secrets.sealing import Unreadable, seal, unseal

__all__ = [
    "NotSent",
    "deliver",
    "domain",
    "enter_server",
    "has_server",
    "known_server",
    "send_test",
    "sender",
]

TEMPORARY = range(400, 500)
"""RFC 5321, 4.2.1: try the same later."""
PURPOSE = "mail server"
IN_HOST = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-")


class NotSent(Exception):
    """It could not be sent; the text says why, without secrets.

    `is_unreached`: no server took any mail now, so that the next one need not be tried. `is_final`:
    the same mail is not taken later, either. `is_unclear`: the connection broke when the server may
    have taken it.
    """

    def __init__(
        self,
        text: str,
        *,
        is_unreached: bool = False,
        is_final: bool = False,
        is_unclear: bool = False,
    ) -> None:
        super().__init__(text)
        self.is_unreached, self.is_final, self.is_unclear = is_unreached, is_final, is_unclear


def domain() -> str:
    """Of the sender, for the id of a mail."""
    return sender().rpartition("@")[2].strip(">") or "levity"


def sender() -> str:
    """Whom mails come from."""
    return _entered().mail_from or str(settings.DEFAULT_FROM_EMAIL)


def has_server() -> bool:
    """True if a mail server is set, or was entered."""
    return bool(settings.EMAIL_HOST or _entered().mail_server)


def known_server() -> dict[str, Any]:
    """Host, port, user and the like as Django's EMAIL_... settings, of what was entered; empty
    without it, and where SECRET_KEY was lost."""
    try:
        sealed = _entered().mail_server
        return _settings(unseal(sealed, PURPOSE).decode()) if sealed else {}
    except Unreadable:
        return {}


def enter_server(values: Mapping[str, Any], who: Who) -> None:
    """Keep this server, sealed: `encryption` (of `ENCRYPTIONS`), `host`, `port` (None: the usual
    one), `user`, `password` and `sender`. No host: none. For superusers, who may read what goes
    through it."""
    if who is not None and not who.is_superuser:
        raise NotAllowed("only a superuser may enter the mail server")
    if not IN_HOST.issuperset(values["host"].lower()):
        raise NotPossible("enter the name of the mail server alone, such as mail.example.net")
    url = _url(values) if values["host"] else ""
    with transaction.atomic():
        row = Installation.get()
        row.mail_server = seal(url.encode(), PURPOSE) if url else ""
        row.mail_from = values["sender"]
        row.save(update_fields=["mail_server", "mail_from"])
        said = {name: values[name] for name in ("encryption", "host", "port", "user", "sender")}
        note(who, [row], "changed the mail server", {}, said)


def send_test(address: str, subject: str, text: str) -> None:
    """A mail that says that mails arrive, at once. Raises `NotPossible`."""
    try:
        validate_email(address)
    except ValidationError as error:
        raise NotPossible(f"“{address[:80]}” is no e-mail address") from error
    try:
        deliver(EmailMessage(subject, text, to=[address]))
    except NotSent as error:
        raise NotPossible(str(error)) from error


def deliver(message: EmailMessage) -> None:
    """Send it to its one recipient over a connection of its own, or raise `NotSent`."""
    if settings.EMAIL_HOST:
        server: Any = get_connection()
    elif entered := known_server():
        message.from_email = sender()
        server = get_connection(
            host=entered["EMAIL_HOST"],
            port=entered["EMAIL_PORT"],
            username=entered["EMAIL_HOST_USER"],
            password=entered["EMAIL_HOST_PASSWORD"],
            use_ssl=entered["EMAIL_USE_SSL"],
            use_tls=entered["EMAIL_USE_TLS"],
            timeout=entered["EMAIL_TIMEOUT"],
        )
    elif has_server():
        text = "SECRET_KEY has changed since the mail server was entered: enter it again"
        raise NotSent(text, is_unreached=True)
    else:
        raise NotSent("EMAIL_URL is not set, so there is no mail server", is_unreached=True)
    message.connection = server
    try:
        server.open()
    except smtplib.SMTPAuthenticationError as error:
        text = "the mail server rejects its user or password"
        raise NotSent(text, is_unreached=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(_said(error), is_unreached=True) from error
    try:
        message.send()
    except smtplib.SMTPRecipientsRefused as error:
        code, answer = next(iter(error.recipients.values()), (0, b""))
        said = " ".join(answer.decode(errors="replace").split())[:150]
        text = f"the mail server rejects {message.to[0]}: {code} {said}"
        raise NotSent(text, is_final=code not in TEMPORARY) from error
    except smtplib.SMTPResponseException as error:
        raise NotSent(_said(error), is_final=error.smtp_code not in TEMPORARY) from error
    except (BadHeaderError, UnicodeError, smtplib.SMTPNotSupportedError) as error:
        raise NotSent(_said(error), is_final=True) from error
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(_said(error), is_unclear=True) from error
    finally:
        _close(server)


def _close(server: Any) -> None:
    # What was taken stays taken, however the connection ends.
    with suppress(smtplib.SMTPException, OSError):
        server.close()


def _said(error: Exception) -> str:
    """Answers of servers are bytes and lines; they never contain the password."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:200]


def _entered() -> Installation:
    """What was entered on the pages: nothing where EMAIL_URL is set, which counts before it."""
    found = None if settings.EMAIL_HOST else Installation.objects.filter(pk=ONLY).first()
    return found or Installation(pk=ONLY)


def _url(values: Mapping[str, Any]) -> str:
    login = ""
    if values["user"]:
        login = f"{quote(values['user'], safe='')}:{quote(values['password'], safe='')}@"
    port = f":{values['port']}" if values["port"] else ""
    return f"{values['encryption']}://{login}{values['host']}{port}"


def _settings(url: str) -> dict[str, Any]:
    return email_settings({"EMAIL_URL": url}, "localhost")
