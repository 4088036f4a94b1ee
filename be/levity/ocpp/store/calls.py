"""Writing Calls to chargers: those that handlers ask for, and how they ended."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

import orjson

from levity.db.rows import insert_rows, update_rows
from levity.ocpp.effects import AUTOMATIC, LookAgain, SendCall
from levity.ocpp.models import ChargePoint, Command
from levity.ocpp.store.budget import log_budget
from levity.ocpp.store.messages.writing import AnsweredCall, write_answers
from levity.ocpp.store.news import tell_of_ended
from levity.ocpp.store.values import Outcome, each
from levity.ocpp.wire.frames import storable
from levity_ws.rpc.envelope import Received

__all__ = ["finish_commands", "hasten_commands", "queue_commands"]

log = logging.getLogger(__name__)


def queue_commands(outcomes: Sequence[Outcome]) -> None:
    """Queue the Calls that handlers and middleware asked for."""
    rows = []
    for outcome, charge_point, effect in each(outcomes, SendCall):
        at = outcome.arrival.at
        due = at + effect.delay
        # Whoever wrote the middleware is to see it, and the charger's frame is not to blame.
        calls = outcome.arrival.version.calls
        wrong = calls.wrong_with(effect.action, effect.payload)
        if wrong:
            log.error("%s asks for a Call that is none: %s", effect.source or "middleware", wrong)
        payload = effect.payload if isinstance(effect.payload, Mapping) else {}
        shown, secret = calls.conceal(effect.action, payload)
        connector, status = effect.only_while or (None, "")
        rows.append(
            (
                charge_point.id,
                effect.action[:64],
                orjson.dumps(shown).decode(),
                secret,
                calls.priority(effect.action),
                "failed" if wrong else "queued",
                str(uuid4()),
                not effect.this_connection,
                due,
                due + effect.expires_after if effect.expires_after else None,
                outcome.arrival.connection if effect.this_connection else None,
                connector,
                status,
                effect.only_since,
                effect.key or None,
                effect.source,
                at,
                at if wrong else None,
                f"never sent: {wrong}" if wrong else "",
            )
        )
    insert_rows(
        Command,
        (
            "charge_point_id",
            "action",
            "payload",
            "secret",
            "priority",
            "state",
            "unique_id",
            "queue_offline",
            "not_before",
            "expires_at",
            "connection",
            "only_connector",
            "only_status",
            "only_since",
            "idempotency_key",
            "source",
            "created_at",
            "finished_at",
            "error_description",
        ),
        rows,
        new_only=True,
    )


def hasten_commands(outcomes: Sequence[Outcome]) -> None:
    """Let starts that were put off for somebody else's sake look now whether they may go.

    After the charge points' rows are written: whoever puts one off has locked that row, and has
    read what stood in it, before or after this.
    """
    served = {
        charge_point.id: outcome.arrival.at
        for outcome, charge_point, _ in each(outcomes, LookAgain)
    }
    if served:
        at = max(served.values())
        Command.objects.filter(
            charge_point__in=served,
            state=Command.State.QUEUED,
            source=AUTOMATIC,
            # One that was not looked at yet is still for its connection, and has its delay.
            connection=None,
            not_before__gt=at,
        ).update(not_before=at)


def finish_commands(outcomes: Sequence[Outcome]) -> None:
    """Write how Calls of ours ended, with the command and in the message log."""
    late: set[int] = set()
    commands: dict[int, tuple[Any, ...]] = {}
    awaited: list[int] = []
    answers: list[AnsweredCall] = []
    for outcome in outcomes:
        answer, event = outcome.command, outcome.arrival.event
        if answer is None or not isinstance(event, Received):
            continue
        at, calls = outcome.arrival.at, outcome.arrival.version.calls
        if answer.late and outcome.charge_point and outcome.charge_point.evidence_until:
            late.add(outcome.charge_point.id)
        if answer.is_awaited:
            awaited.append(answer.command_id)
        commands[answer.command_id] = (
            answer.command_id,
            answer.state,
            answer.late,
            answer.result,
            answer.result_status,
            answer.error_code,
            answer.error_description,
            at,
        )
        answers.append(
            AnsweredCall(
                outcome.charge_point.id if outcome.charge_point else 0,
                answer.connection,
                answer.unique_id,
                log_budget.kept(
                    outcome.charge_point.id if outcome.charge_point else 0,
                    outcome.action,
                    calls.stored_answer(outcome.action, storable(event.text)),
                ),
                at,
                answer.error_code,
                answer.error_description,
                answer.late,
            )
        )
    update_rows(
        Command,
        (
            "id",
            "state",
            "answered_late",
            "result",
            "result_status",
            "error_code",
            "error_description",
            "finished_at",
        ),
        list(commands.values()),
    )
    write_answers(answers)
    if awaited:
        tell_of_ended(awaited)
    # It is slow, and loses nothing: no evidence is needed any more.
    update_rows(ChargePoint, ("id", "evidence_until"), [(pk, None) for pk in sorted(late)])
