"""Statements by mail: who gets one, ordering it, and sending what is ordered, a few in a second.

A mail that may have been taken is never sent again by itself: the row says `sending` before the
server is asked, and what is found so much later is unclear, for a person to decide.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import EmailMessage
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from levity.billing.models import Statement, StatementMail, StatementRun
from levity.billing.statements.files import (
    DamagedFile,
    NoFile,
    content_of,
    make_missing,
    name_of_file,
)
from levity.billing.statements.letters import letter
from levity.mailing import NotSent, deliver, domain, has_server
from levity.mailing import send_test as send_mail_as_test
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotPossible, check
from levity.pages.kit.words import NO_SERVER

__all__ = [
    "SEND",
    "order",
    "order_again",
    "send_due",
    "send_test",
    "to_print",
    "to_send",
]

log = logging.getLogger(__name__)

SEND = "billing.add_statementrun"
"""Who may close statements may send them."""
AT_ONCE, BUDGET = 50, 10.0
"""Mails and seconds of one round."""
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)
MAX_TRIES = 30
"""Within about a day."""
HANGS = timedelta(minutes=10)
"""No attempt takes that long: the process has ended."""

State = StatementMail.State
ON_ITS_WAY = (State.QUEUED, State.SENDING)


def to_send(run: StatementRun) -> QuerySet[Statement]:
    """Those that have an address and were not sent yet, nor are on their way; what was refused is
    among them."""
    done = StatementMail.objects.filter(statement__run=run).exclude(state=State.REFUSED)
    rows = run.statements.exclude(household__email="").exclude(pk__in=done.values("statement"))
    return rows.select_related("household").defer("document").order_by("pk")


def to_print(run: StatementRun) -> QuerySet[Statement]:
    """Those of households without an address."""
    rows = run.statements.filter(household__email="")
    return rows.select_related("household").defer("document").order_by("pk")


def order(run: StatementRun, who: Who, now: datetime) -> int:
    """Send all that `to_send` names, in the background; how many. A second click finds none."""
    check(run, who, SEND)
    _check_server()
    with transaction.atomic():
        _lock(run)
        rows = list(to_send(run))
        _queue(rows, who, now)
        if rows:
            note(who, [run], "mails ordered", {}, {"statements": len(rows)})
    return len(rows)


def order_again(statement: Statement, who: Who, now: datetime, *, known: int) -> StatementMail:
    """Send this one, be it sent before or not. `known`: how many mails of it this person has seen;
    if there are more, it was a second click."""
    check(statement, who, SEND)
    _check_server()
    if not statement.household.email:
        raise NotPossible(gettext_noop("the household has no e-mail address: enter it first"))
    with transaction.atomic():
        _lock(statement.run)
        mails = StatementMail.objects.filter(statement=statement)
        if mails.filter(state__in=ON_ITS_WAY).exists():
            raise NotPossible(gettext_noop("it is on its way already"))
        if mails.count() != known:
            raise NotPossible(
                gettext_noop("it was sent again since you looked: look at what became of it")
            )
        [row] = _queue([statement], who, now)
        note(who, [statement], "mail ordered")
    return row


def send_due(
    now: datetime,
    *,
    run: StatementRun | None = None,
    breathe: Callable[[], object] = lambda: None,
    budget: float = BUDGET,
) -> list[StatementMail]:
    """One round: send what is due (of this run), and return it as it stands then."""
    until = time.monotonic() + budget
    rows = StatementMail.objects.all() if run is None else _of(run)
    rows.filter(state=State.SENDING, not_before__lt=now - HANGS).update(
        state=State.UNCLEAR,
        error=gettext_noop("Levity ended while it was being sent: ask whether it arrived"),
        ended_at=now,
    )
    due = rows.filter(state=State.QUEUED, not_before__lte=now)
    found = list(due.select_related("statement__household").order_by("pk")[:AT_ONCE])
    sent: list[StatementMail] = []
    if not found:
        return sent
    try:
        make_missing(
            Statement.objects.filter(
                pk__in=[row.statement_id for row in found], files__isnull=True
            ).order_by("pk")
        )
    except NoFile:
        log.exception("files of statements wait, and so do their mails; trying again")
        return sent
    for row in found:
        if time.monotonic() > until:
            break
        mine = StatementMail.objects.filter(pk=row.pk, state=State.QUEUED)
        if not mine.update(state=State.SENDING, attempts=F("attempts") + 1, not_before=now):
            continue  # another process has it
        row.attempts += 1
        goes_on = _attempt(row, now)
        sent.append(row)
        if not goes_on:
            break
        breathe()
    return sent


def send_test(address: str, who: Who) -> None:
    """A mail that says that mails arrive, at once. Raises `NotPossible`."""
    if who is not None and not who.has_perm(SEND):
        raise NotPossible(gettext_noop("your role may not send statements"))
    text = gettext("This is a test: Levity's statements reach you here.")
    send_mail_as_test(address, gettext("Test of Levity's mail server"), f"{text}\n")


def _attempt(row: StatementMail, now: datetime) -> bool:
    """Send this one; False if no server takes anything now."""
    try:
        deliver(_message(row))
    except (DamagedFile, NoFile) as error:
        _end(row, State.REFUSED, str(error))
    except NotSent as error:
        log.warning("statement %s could not be sent: %s", row.statement, error)
        if error.is_unclear:
            _end(row, State.UNCLEAR, str(error))
        elif error.is_final or row.attempts >= MAX_TRIES:
            _end(row, State.REFUSED, str(error))
        else:
            pause = min(FIRST_PAUSE * 2 ** min(row.attempts - 1, 10), LONGEST_PAUSE)
            row.state, row.error, row.not_before = State.QUEUED, str(error)[:255], now + pause
            row.save(update_fields=["state", "error", "not_before"])
        return not error.is_unreached
    else:
        _end(row, State.SENT, "")
    return True


def _message(row: StatementMail) -> EmailMessage:
    subject, body = letter(row.statement.document)
    message = EmailMessage(
        subject,
        body,
        to=[row.address],
        headers={
            "Message-ID": f"<levity-statement-{row.pk}-{row.asked_at:%Y%m%d%H%M%S}@{domain()}>",
            "Auto-Submitted": "auto-generated",
        },
    )
    name = f"{name_of_file(row.statement.label)}.pdf"
    message.attach(name, content_of(row.statement, "pdf"), "application/pdf")
    return message


def _end(row: StatementMail, state: StatementMail.State, error: str) -> None:
    row.state, row.error, row.ended_at = state, error[:255], timezone.now()
    row.save(update_fields=["state", "error", "ended_at"])


def _queue(rows: list[Statement], who: Who, now: datetime) -> list[StatementMail]:
    name = "" if who is None else who.get_username()[:150]
    return StatementMail.objects.bulk_create(
        [
            StatementMail(
                statement=row,
                address=row.household.email,
                asked_by=name,
                asked_at=now,
                not_before=now,
            )
            for row in rows
        ],
        batch_size=500,
    )


def _lock(run: StatementRun) -> None:
    """One order for a run at a time."""
    StatementRun.objects.select_for_update(no_key=True).get(pk=run.pk)


def _of(run: StatementRun) -> QuerySet[StatementMail]:
    return StatementMail.objects.filter(statement__run=run)


def _check_server() -> None:
    if not has_server():
        raise NotPossible(NO_SERVER)
