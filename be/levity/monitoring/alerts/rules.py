"""Alert rules as people decide them: who is notified of what."""

from collections.abc import Mapping
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from levity.monitoring.alerts import webhook
from levity.monitoring.alerts.recipients import mail_addresses
from levity.monitoring.models import AlertRule, kind_choices
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.visibility import is_limited

__all__ = [
    "CHANGE",
    "LEAST_SECRET",
    "add_rule",
    "address",
    "addresses",
    "change_rule",
    "check_whole",
    "delete_rule",
    "secret",
]

CHANGE = "operation.change_alertrule"
LEAST_SECRET = 16
# Addresses may contain tokens, and people's names are theirs.
AUDITED = ("name", "enabled", "site_id", "kinds", "least_severity", "send_recovered")


def addresses(text: str) -> str:
    """E-mail addresses, a line each."""
    try:
        return "\n".join(mail_addresses(text))
    except ValueError as error:
        raise ValidationError(str(error)) from error


def address(url: str) -> str:
    """A webhook's address that may be called, or nothing."""
    url = url.strip()
    if url:
        try:
            webhook.check_url(url)
        except webhook.BadWebhook as error:
            raise ValidationError(str(error)) from error
    return url


def secret(text: str) -> str:
    """Long enough that it can't be guessed, or nothing."""
    if text and len(text) < LEAST_SECRET:
        raise ValidationError(f"at least {LEAST_SECRET} characters")
    return text


def check_whole(
    emails: str, webhook_url: str, quiet_from: time | None, quiet_until: time | None
) -> None:
    """A rule needs a recipient, and quiet hours need two ends."""
    if not emails and not webhook_url:
        raise ValidationError("Enter an e-mail address or a webhook to notify.")
    if (quiet_from is None) != (quiet_until is None):
        raise ValidationError("Quiet hours need both a beginning and an end, or neither.")


def add_rule(values: Mapping[str, Any], who: Who) -> AlertRule:
    """A new one. `new_secret` signs the webhook, and is never shown. Raises `ValidationError`."""
    _may(who, "operation.add_alertrule")
    row = _with(AlertRule(), values)
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, [row], "added", {}, {name: getattr(row, name) for name in AUDITED})
    return row


def change_rule(row: AlertRule, values: Mapping[str, Any], who: Who) -> AlertRule:
    """What is given; the rest stays."""
    _may(who, CHANGE)
    with transaction.atomic():
        found = AlertRule.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
        before = {name: getattr(found, name) for name in AUDITED}
        found = _with(found, values)
        found.save()
        after = {name: getattr(found, name) for name in AUDITED}
        differs = {name for name in AUDITED if before[name] != after[name]}
        note(
            who,
            [found],
            f"changed: {', '.join(values)}",
            {name: before[name] for name in AUDITED if name in differs},
            {name: after[name] for name in AUDITED if name in differs},
        )
    return found


def delete_rule(row: AlertRule, who: Who) -> None:
    """Nobody is notified by it any more."""
    _may(who, "operation.delete_alertrule")
    with transaction.atomic():
        note(who, [row], "deleted", AUDITED)
        row.delete()


def _with(row: AlertRule, values: Mapping[str, Any]) -> AlertRule:
    rules: dict[str, Any] = {"emails": addresses, "webhook_url": address, "new_secret": secret}
    wrong: dict[str, Any] = {}
    for name, value in values.items():
        try:
            found = rules[name](value) if name in rules else value
        except ValidationError as error:
            wrong[name] = error.messages
            continue
        if name != "new_secret":
            setattr(row, name, found)
        elif found:
            row.keep_secret(found)
    if unknown := set(row.kinds) - set(dict(kind_choices())):
        wrong["kinds"] = [f"there are no alerts of the kind {min(unknown)}"]
    if wrong:
        raise ValidationError(wrong)
    row.full_clean()
    check_whole(row.emails, row.webhook_url, row.quiet_from, row.quiet_until)
    return row


def _may(who: Who, permission: str) -> None:
    if who is not None and not who.has_perm(permission):
        raise NotAllowed(f"your role, or your token's scope, lacks the permission {permission}")
    if who is not None and is_limited(who):
        raise NotAllowed("alert rules are for people who see all sites")
