"""Who is notified: the alert rules, and the one of the environment."""

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from levity.monitoring.kinds import Severity, rank
from levity.monitoring.models import SECRET_FIELDS, AlertDelivery, AlertRule
from levity.secrets.sealing import Unreadable

__all__ = [
    "Route",
    "from_environ",
    "mail_addresses",
    "of_rule",
    "quiet_hours",
    "routes",
    "seal_secrets",
]

Channel = AlertDelivery.Channel


@dataclass(frozen=True, slots=True)
class Route:
    """One route on which alerts reach people. `rule` None: that of the environment."""

    name: str
    rule: int | None = None
    site: int | None = None
    kinds: frozenset[str] = frozenset()
    least_severity: str = Severity.WARNING
    emails: tuple[str, ...] = ()
    webhook_url: str = ""
    webhook_secret: str = ""
    is_secret_lost: bool = False
    """The secret can't be read any more: nothing is sent unsigned instead."""
    quiet_from: time | None = None
    quiet_until: time | None = None
    send_recovered: bool = True

    def wants(self, alert: Any) -> bool:
        """True if this alert matches the route."""
        return (
            (not self.kinds or alert.kind in self.kinds)
            and (self.site is None or alert.site_id == self.site)
            and rank(alert.severity) >= rank(self.least_severity)
        )

    def targets(self) -> Iterator[tuple[str, str]]:
        """(channel, address) of all recipients."""
        for address in self.emails:
            yield Channel.EMAIL, address
        if self.webhook_url:
            yield Channel.WEBHOOK, self.webhook_url


def routes(environ: Mapping[str, str] = os.environ) -> list[Route]:
    """All active routes."""
    found = [of_rule(rule) for rule in AlertRule.objects.filter(enabled=True)]
    own = from_environ(environ)
    return [*found, *([own] if own else [])]


def of_rule(rule: AlertRule) -> Route:
    """The route of this alert rule."""
    try:
        secret, is_lost = rule.secret(), False
    except Unreadable:
        secret, is_lost = "", True
    return Route(
        name=rule.name,
        rule=rule.pk,
        site=rule.site_id,
        kinds=frozenset(rule.kinds),
        least_severity=rule.least_severity,
        emails=mail_addresses(rule.emails, strict=False),
        webhook_url=rule.webhook_url,
        webhook_secret=secret,
        is_secret_lost=is_lost,
        quiet_from=rule.quiet_from,
        quiet_until=rule.quiet_until,
        send_recovered=rule.send_recovered,
    )


def seal_secrets() -> int:
    """Seal secrets that an older release stored unencrypted, or that an older SECRET_KEY sealed;
    returns how many."""
    sealed = 0
    for rule in AlertRule.objects.exclude(webhook_secret="", sealed_secret=""):
        before = {name: getattr(rule, name) for name in SECRET_FIELDS}
        try:
            if not rule.seal_again():
                continue
        except Unreadable:
            continue  # the page of alerts says so, and what to do
        after = {name: getattr(rule, name) for name in SECRET_FIELDS}
        # A user may be entering another one right now.
        sealed += AlertRule.objects.filter(pk=rule.pk, **before).update(**after)
    return sealed


def from_environ(environ: Mapping[str, str]) -> Route | None:
    """The route of LEVITY_ALERT_EMAIL and LEVITY_ALERT_WEBHOOK; None without both. Raises
    ValueError if a variable is invalid.
    """
    emails = mail_addresses(environ.get("LEVITY_ALERT_EMAIL", ""))
    webhook = environ.get("LEVITY_ALERT_WEBHOOK", "").strip()
    if not emails and not webhook:
        return None
    quiet_from, quiet_until = quiet_hours(environ.get("LEVITY_ALERT_QUIET_HOURS", ""))
    return Route(
        name="environment",
        emails=emails,
        webhook_url=webhook,
        webhook_secret=environ.get("LEVITY_ALERT_WEBHOOK_SECRET", ""),
        quiet_from=quiet_from,
        quiet_until=quiet_until,
    )


def mail_addresses(text: str, *, strict: bool = True) -> tuple[str, ...]:
    """The addresses in a list separated by commas, blanks or line breaks; ValueError names an
    invalid one."""
    found = tuple(dict.fromkeys(text.replace(",", " ").replace(";", " ").split()))
    return tuple(_valid(found, strict=strict))


def _valid(addresses: Iterable[str], *, strict: bool) -> Iterator[str]:
    for address in addresses:
        try:
            validate_email(address)
        except ValidationError as error:
            if strict:
                raise ValueError(f"{address!r} is not an e-mail address") from error
            continue
        yield address


def quiet_hours(text: str) -> tuple[time | None, time | None]:
    """`22:00-07:00` as two times; (None, None) for nothing; ValueError names what is wrong."""
    if not text.strip():
        return None, None
    first, _, last = text.partition("-")
    try:
        return time.fromisoformat(first.strip()), time.fromisoformat(last.strip())
    except ValueError as error:
        raise ValueError(
            f"LEVITY_ALERT_QUIET_HOURS={text!r}: enter two times, such as 22:00-07:00"
        ) from error
