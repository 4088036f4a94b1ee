"""The answer to a Call of ours: whose it is, how it ended, and what it means."""

from collections.abc import Mapping

import orjson

from levity.ocpp.effects import ASK_FOR_BOOT, AUTOMATIC, LEARNED_INTERVAL
from levity.ocpp.request import Result
from levity.ocpp.store import CommandAnswer, Loaded, Outcome
from levity.ocpp.wire.frames import CallError, CallResult, Malformed
from levity.ocpp.wire.words import ANSWERS

__all__ = ["finish_command"]

OF_LEVITY = frozenset({ASK_FOR_BOOT, AUTOMATIC, LEARNED_INTERVAL})
"""The sources of Calls for whose answers nobody waits."""


def finish_command(
    outcome: Outcome, unique_id: str, frame: CallResult | CallError | Malformed, loaded: Loaded
) -> None:
    """Match the answer to a Call of ours. What matches nothing is kept and ignored."""
    assert outcome.charge_point is not None
    outcome.unique_id = unique_id[:64]
    command = loaded.commands.get(unique_id)
    if command is None or command.charge_point_id != outcome.charge_point.id:
        outcome.error_description = "does not answer any Call of ours"
        return
    is_confirmed = command.state == "answered" and command.confirmed_by
    if command.state not in ("sent", "timed_out") and not is_confirmed:
        outcome.error_description = "this Call was already answered"
        return
    outcome.action = command.action
    version = outcome.arrival.version
    ended: dict[str, str] = {}
    if isinstance(frame, CallResult):
        status = frame.payload.get("status") if isinstance(frame.payload, Mapping) else None
        ended = {
            "state": "answered",
            "result": version.calls.stored_answer(
                command.action, orjson.dumps(frame.payload).decode()
            ),
            "result_status": ANSWERS.meant(status[:64]) if isinstance(status, str) else "",
        }
    elif isinstance(frame, CallError):
        ended = {
            "state": "refused",
            "error_code": frame.code[:64],
            "error_description": frame.description[:2000],
        }
    else:
        # Grizzl-E (5.x) sends half a CALLRESULT and reboots: waiting longer helps nobody.
        ended = {
            "state": "refused",
            "error_code": "Unparsable",
            "error_description": frame.reason,
        }
    answer = outcome.command = CommandAnswer(
        command.id,
        command.connection,
        unique_id,
        late=command.state != "sent",
        followed=command.followed,
        is_awaited=command.source not in OF_LEVITY,
        **ended,
    )
    if (means := version.results.get(command.action)) is not None:
        outcome.effects += means(
            Result(
                asked=command.payload if isinstance(command.payload, Mapping) else {},
                command_id=command.id,
                charge_point=outcome.charge_point,
                received_at=outcome.arrival.at,
                payload=frame.payload if isinstance(frame, CallResult) else None,
                status=answer.result_status,
                error_code=answer.error_code,
                is_unreadable=isinstance(frame, Malformed),
                is_automatic=command.source == AUTOMATIC,
            )
        )
