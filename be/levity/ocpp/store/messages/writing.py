"""Writing the log: frames as they come, Calls of ours as they leave, and their answers."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from levity.db.rows import insert_rows, update_rows
from levity.ocpp.models import Command, Message
from levity.ocpp.store.budget import log_budget
from levity.ocpp.store.messages.blocks import Block
from levity.ocpp.store.messages.keeping import locked, rewrite
from levity.ocpp.store.values import Outcome
from levity.ocpp.wire.frames import storable
from levity_ws.frozen import frozen
from levity_ws.rpc.envelope import Received

__all__ = [
    "AnsweredCall",
    "SentCall",
    "forget_unsent",
    "write_answers",
    "write_calls",
    "write_messages",
    "write_parked",
]


@frozen
class SentCall:
    """A Call of ours, on its way to a charge point."""

    charge_point_id: int
    connection: str
    unique_id: str
    action: str
    request: str
    """Without its secrets."""
    at: datetime


@frozen
class AnsweredCall:
    """What a charge point has answered to a Call of ours."""

    charge_point_id: int
    connection: str
    unique_id: str
    response: str
    at: datetime
    error_code: str
    error_description: str
    is_late: bool
    """After we had given it up: days, perhaps."""


def write_messages(outcomes: Sequence[Outcome]) -> None:
    """Insert the exchanges of these frames: of all but the answers to our Calls."""
    insert_rows(
        Message,
        (
            "charge_point_id",
            "connection",
            "seq",
            "sender",
            "unique_id",
            "action",
            "transaction",
            "request",
            "response",
            "error_code",
            "error_description",
            "received_at",
            "answered_at",
        ),
        [
            (
                outcome.charge_point.id,
                outcome.arrival.connection,
                outcome.arrival.event.seq,
                "cp",
                outcome.unique_id,
                outcome.action,
                outcome.transaction_id,
                log_budget.kept(
                    outcome.charge_point.id, outcome.action, storable(outcome.arrival.event.text)
                ),
                outcome.answer,
                outcome.error_code,
                outcome.error_description,
                outcome.arrival.at,
                outcome.arrival.at if outcome.answer else None,
            )
            for outcome in outcomes
            if outcome.charge_point is not None
            and isinstance(outcome.arrival.event, Received)
            and outcome.command is None
        ],
    )


def write_parked(
    charge_point_id: int,
    connection: str,
    unique_id: str,
    seq: int,
    **values: Any,
) -> str:
    """Insert the exchange of a frame at which we failed; its answer, or the one that it was given
    when it was recorded before."""
    message, _ = Message.objects.get_or_create(
        connection=connection,
        unique_id=unique_id,
        seq=seq,
        defaults={"charge_point_id": charge_point_id, **values},
    )
    return message.response


def write_calls(calls: Sequence[SentCall]) -> None:
    """Insert the exchanges that these Calls begin."""
    insert_rows(
        Message,
        (
            "charge_point_id",
            "connection",
            "sender",
            "unique_id",
            "action",
            "request",
            "response",
            "error_code",
            "error_description",
            "received_at",
        ),
        [
            (
                call.charge_point_id,
                call.connection,
                "cs",
                call.unique_id,
                call.action,
                call.request,
                "",
                "",
                "",
                call.at,
            )
            for call in calls
        ],
    )


def write_answers(answers: Sequence[AnsweredCall]) -> None:
    """Put these answers beside the Calls that they are about."""
    if late := [answer for answer in answers if answer.is_late]:
        _write_answers_to_moved(late)
    update_rows(
        Message,
        (
            "connection",
            "unique_id",
            "sender",
            "response",
            "answered_at",
            "error_code",
            "error_description",
        ),
        [
            (
                answer.connection,
                answer.unique_id,
                "cs",
                answer.response,
                answer.at,
                answer.error_code,
                answer.error_description,
            )
            for answer in answers
        ],
        key=3,
    )


def _write_answers_to_moved(answers: Sequence[AnsweredCall]) -> None:
    """The same where the Call has moved into a block in the meantime."""
    rows = Message.objects.filter(
        sender=Message.Sender.CENTRAL_SYSTEM,
        connection__in=[answer.connection for answer in answers],
        unique_id__in=[answer.unique_id for answer in answers],
    )
    # Locked: they don't move before this is written.
    there = set(rows.select_for_update().values_list("unique_id", flat=True))
    for answer in answers:
        if answer.unique_id in there:
            continue
        sent = Command.objects.filter(unique_id=answer.unique_id, sent_at__isnull=False)
        for sent_at in sent.values_list("sent_at", flat=True):
            assert sent_at is not None
            for block in locked(charge_point=answer.charge_point_id, day=sent_at.date()):
                _answer_in(block, answer)


def _answer_in(block: Block, answer: AnsweredCall) -> None:
    exchanges = block.exchanges()
    changed = [
        replace(
            item,
            response=answer.response,
            answered_at=answer.at,
            error_code=answer.error_code,
            error_description=answer.error_description,
        )
        if (item.sender, item.connection, item.unique_id)
        == ("cs", answer.connection, answer.unique_id)
        else item
        for item in exchanges
    ]
    if changed != exchanges:
        rewrite(block, changed)


def forget_unsent(commands: QuerySet[Command]) -> None:
    """The Calls of these commands have never left."""
    Message.objects.filter(
        sender=Message.Sender.CENTRAL_SYSTEM,
        connection__in=commands.values("connection"),
        unique_id__in=commands.values("unique_id"),
    ).delete()
