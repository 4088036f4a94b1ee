"""From an operator's wish to a charger's answer. This module reads as the sentence of the design:

queue -> dispatch (one outstanding Call per charge point) -> charger
      -> answered | refused | timed out | expired | cancelled

The rows of `Command` are the queue; nothing is kept in memory, so any worker can go on where
another one died. (The charger's answer comes through the pipeline, see `worker/call_results.py`.)
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, When
from django.utils import timezone

from levity.ocpp.command_events import finish
from levity.ocpp.commands.claiming import calls_to_send
from levity.ocpp.commands.due import anything_over
from levity.ocpp.commands.queueing import (
    BadCall,
    KeyTaken,
    NeverSent,
    cancel,
    check_calls,
    queue,
    queue_many,
    queue_once,
)
from levity.ocpp.commands.retrying import ask_again
from levity.ocpp.models import Command
from levity.ocpp.rules.evidence import SETTLED_AFTER
from levity.ocpp.store.evidence import expect_evidence, settle_by_log
from levity.ocpp.store.file_jobs import unsent_files
from levity.ocpp.store.messages.writing import forget_unsent
from levity.ocpp.store.news import tell_of_ended
from levity_ws.rpc.envelope import Reply, Send

__all__ = [
    "BadCall",
    "KeyTaken",
    "NeverSent",
    "cancel",
    "check_calls",
    "dispatch",
    "give_up",
    "queue",
    "queue_many",
    "queue_once",
]

SendTo = Callable[[str, Reply], bool]


def dispatch(now: datetime, send: SendTo, if_more: Callable[[], None] = lambda: None) -> int:
    """Send what is due; how many went out. Runs in any worker, as often as it likes.

    `if_more` is called where more may be due than one look takes: look again soon.
    """
    claimed = calls_to_send(now)
    outgoing = claimed.calls
    for reply_to in {item.reply_to for item in outgoing}:
        there = [item for item in outgoing if item.reply_to == reply_to]
        commands = tuple(Send(item.connection, item.text) for item in there)
        if not send(reply_to, Reply(commands=commands)):
            _take_back([item.command_id for item in there])
    if outgoing and claimed.is_full:
        if_more()
    return len(outgoing)


def give_up(now: datetime) -> int:
    """End what waited too long: answers that never came, Calls that were not sent in time.

    One without an answer whose effect was seen is confirmed by that, and not given up; one that
    only reads is asked for again, once.
    """
    if not anything_over(now, now - SETTLED_AFTER):
        return 0
    settled = settle_by_log(now) + ask_again(now)
    late = Command.objects.filter(state=Command.State.SENT, deadline__lt=now)
    expect_evidence(late, now)
    overdue = finish(
        late,
        state=Command.State.TIMED_OUT,
        finished_at=now,
        error_description="the charger did not answer in time",
    )
    expired = finish(
        Command.objects.filter(state=Command.State.QUEUED, expires_at__lt=now),
        state=Command.State.EXPIRED,
        finished_at=now,
        idempotency_key=Case(When(connection__isnull=True, then=F("idempotency_key"))),
        error_description="it could not be sent in time",
    )
    if overdue or expired:
        tell_of_ended()
    return settled + overdue + expired


def _take_back(command_ids: Sequence[int]) -> None:
    """Nobody is there any more at that edge: the Calls never left.

    They wait again, except those that were for this connection or for now; and so does what was
    asked for after them.
    """
    again = timezone.now() + timedelta(seconds=2)
    mine = Command.objects.filter(pk__in=command_ids, state=Command.State.SENT)
    with transaction.atomic():
        forget_unsent(mine)
        unsent_files(mine)
        finish(
            mine.filter(queue_offline=False),
            state=Command.State.FAILED,
            finished_at=timezone.now(),
            idempotency_key=None,
            error_description="this charger's edge is gone",
        )
        tell_of_ended()
        Command.objects.filter(
            charge_point__in=list(mine.values_list("charge_point", flat=True)),
            state=Command.State.QUEUED,
            not_before__lt=again,
        ).update(not_before=again)
        mine.update(
            state=Command.State.QUEUED,
            sent_at=None,
            deadline=None,
            connection=None,
            not_before=again,
        )
