"""Prices, and files and mails of statements, in the background: a part of the duty that
one worker of an installation has."""

import logging
import time
from collections.abc import Callable

from django.db import DatabaseError
from django.utils import timezone

from levity.billing.models import ReportMail
from levity.billing.receiving import is_set_up
from levity.billing.settling import CHUNK, settle_marked
from levity.billing.statements.files import PORTION, NoFile, make_missing, missing
from levity.billing.statements.mails import send_due
from levity.billing.unplugging import settle_unplugged

__all__ = ["go_on"]

log = logging.getLogger(__name__)

BUDGET = 5.0
"""Seconds of one round: what is left waits for the next."""


def go_on(breathe: Callable[[], object] = lambda: None) -> int:
    """Price what was marked, in portions; how many sessions that were."""
    _send_reports(breathe)
    if not is_set_up():
        return 0
    until = time.monotonic() + BUDGET
    priced = 0
    while time.monotonic() < until:
        found = settle_marked(CHUNK)
        priced += found
        if found < CHUNK:
            break
        breathe()
    priced += settle_unplugged(timezone.now())
    _make_files()
    send_due(timezone.now(), breathe=breathe)
    return priced


def _send_reports(breathe: Callable[[], object]) -> None:
    """Of the month before, to whoever gets them by mail."""
    if not ReportMail.objects.exists():
        return
    # Loaded only where somebody gets any.
    from levity.billing.reports.mails import send_due_reports

    try:
        send_due_reports(timezone.now(), breathe)
    except DatabaseError:
        raise
    except Exception:
        log.exception("monthly reports wait; trying again")


def _make_files() -> None:
    """Of statements that were closed lately, a portion in each round."""
    try:
        make_missing(missing().order_by("pk")[:PORTION])
    except NoFile:
        log.exception("files of statements wait; trying again")
