"""Reports of the month before by mail, to those who asked for them.

A mail that may have been taken is never sent again by itself: before the server is asked, the row
says that this month is being sent.
"""

import logging
from collections.abc import Callable
from datetime import datetime, time, timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models import ReportMail
from levity.billing.reports.letter import letter
from levity.billing.reports.making import NAMES, make_report
from levity.billing.reports.span import BadSpan, Span
from levity.billing.reports.table import csv_text
from levity.days import month_before
from levity.mailing import NotSent, deliver, domain, has_server
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import LACKS, NotAllowed, NotPossible, check
from levity.ocpp.visibility import OfOneSite, is_limited, may_see
from levity.ocpp.wire.fields import zone_of
from levity.pages.kit.words import NO_SERVER

__all__ = ["ADD", "send_due_reports", "send_last_month", "subscribe", "unsubscribe"]

log = logging.getLogger(__name__)

ADD, CHANGE, DELETE = (f"billing.{verb}_reportmail" for verb in ("add", "change", "delete"))
HOUR = time(6)
"""From then on at the first day of a month, by the clock of the site: late stops have come."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=2)
MAX_TRIES = 30
"""Within about two days."""
AT_ONCE = 10
State = ReportMail.State


def subscribe(row: ReportMail, who: Who, now: datetime) -> ReportMail:
    """From the next month on. Raises `ValidationError`."""
    _check_site(row, who, ADD)
    row.last_month, row.not_before = _month(row, now)[0], now
    row.full_clean()
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, [row], f"gets the reports of each month: {row}")
    return row


def unsubscribe(row: ReportMail, who: Who) -> None:
    """It gets no more of them."""
    check(row, who, DELETE)
    with transaction.atomic():
        note(who, [row], f"gets no more reports: {row}")
        row.delete()


def send_last_month(row: ReportMail, who: Who, now: datetime) -> None:
    """Once more, or for the first time: the month before, within half a minute."""
    _check_site(row, who, CHANGE)
    if not has_server():
        raise NotPossible(NO_SERVER)
    with transaction.atomic():
        found = ReportMail.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
        if found.state == State.SENDING and found.not_before > now - timedelta(minutes=10):
            raise NotPossible(gettext_noop("it is being sent"))
        found.last_month, found.state, found.attempts, found.not_before = "", State.WAITING, 0, now
        found.save(update_fields=["last_month", "state", "attempts", "not_before"])
        note(who, [found], "the reports of the month before ordered by mail")


def send_due_reports(now: datetime, breathe: Callable[[], object] = lambda: None) -> int:
    """One round: send what is due; how many mails were tried."""
    rows = ReportMail.objects.select_related("site").filter(not_before__lte=now)
    rows.filter(state=State.SENDING, not_before__lt=now - timedelta(minutes=10)).update(
        state=State.UNCLEAR,
        error=gettext_noop("Levity ended while it was being sent"),
        ended_at=now,
    )
    tried = 0
    for row in rows.exclude(state=State.SENDING).order_by("pk"):
        month, span = _month(row, now)
        begins = datetime.combine(span.last + timedelta(days=1), HOUR, span.zone)
        if row.last_month >= month or now < begins:
            continue
        mine = ReportMail.objects.filter(pk=row.pk, last_month=row.last_month).exclude(
            state=State.SENDING
        )
        if not mine.update(
            state=State.SENDING, last_month=month, attempts=F("attempts") + 1, not_before=now
        ):
            continue  # another process has it
        tried += 1
        if not _attempt(row, month, span, now) or tried == AT_ONCE:
            break
        breathe()
    return tried


def _attempt(row: ReportMail, month: str, span: Span, now: datetime) -> bool:
    """False if no server takes anything now."""
    before = row.last_month
    row.last_month, row.attempts, row.not_before = month, row.attempts + 1, now
    try:
        deliver(_message(row, month, span))
    except BadSpan as error:
        _end(row, State.REFUSED, str(error))
    except NotSent as error:
        log.warning("the reports of %s could not be sent: %s", month, error)
        if error.is_unclear:
            _end(row, State.UNCLEAR, str(error))
        elif error.is_final or row.attempts >= MAX_TRIES:
            _end(row, State.REFUSED, str(error))
        else:
            pause = min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 10), LONGEST_PAUSE)
            row.last_month, row.not_before = before, now + pause
            row.state, row.error = State.WAITING, str(error)[:255]
            row.save(update_fields=["last_month", "not_before", "state", "error", "attempts"])
        return not error.is_unreached
    else:
        _end(row, State.SENT, "")
    return True


def _end(row: ReportMail, state: ReportMail.State, error: str) -> None:
    row.state, row.error, row.ended_at, row.attempts = state, error[:255], timezone.now(), 0
    row.save(update_fields=["state", "error", "ended_at", "attempts"])


def _month(row: ReportMail, now: datetime) -> tuple[str, Span]:
    """The month before, by the clock of the site."""
    named = row.site.time_zone if row.site else ""
    zone = (zone_of(named) if named else None) or timezone.get_default_timezone()
    first, last = month_before(now.astimezone(zone).date())
    return f"{first:%Y-%m}", Span(first, last, zone)


def _message(row: ReportMail, month: str, span: Span) -> EmailMessage:
    # Somebody of one site may have entered it: it names nobody whom they don't see on the page.
    reader = OfOneSite(row.site) if row.site else None
    reports = [make_report(name, span, reader, row.site) for name in NAMES if name != "month"]
    subject, body = letter(reports, span, row.site.name if row.site else "")
    message = EmailMessage(
        subject,
        body,
        to=[row.address],
        headers={
            "Message-ID": f"<levity-reports-{row.pk}-{month}-{timezone.now():%H%M%S%f}@{domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    for report in reports:
        message.attach(f"{report.name}-{month}.csv", csv_text(report), "text/csv")
    return message


def _check_site(row: ReportMail, who: Who, permission: str) -> None:
    if who is None:
        return
    if not who.has_perm(permission):
        raise NotAllowed(LACKS, permission=permission)
    if is_limited(who) and (row.site is None or not may_see(row.site, who)):
        raise NotAllowed(gettext_noop("choose one of your sites: the reports are about all of it"))
