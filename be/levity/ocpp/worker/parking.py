"""Frames that fail: parked with their reason, answered, and taken again when a person says so.

A frame that kills its worker leaves no traceback. So when a batch comes again, each of its frames
is marked, in a transaction of its own, before it is tried: one that is found marked is the killer.
"""

import logging
import traceback
from datetime import UTC, datetime
from uuid import UUID, uuid5

from django.db import transaction

from levity.ocpp.models import FailedMessage, FrameAttempt
from levity.ocpp.store import Arrival, Outcome, load
from levity.ocpp.store.messages.reading import stored_response
from levity.ocpp.store.messages.writing import write_parked
from levity.ocpp.wire.frames import (
    Call,
    CallResult,
    ErrorCode,
    Malformed,
    given_id,
    parse,
    storable,
    write_error,
)
from levity_ws.rpc.envelope import Event, Received, Spooled

__all__ = ["is_killer", "park", "replayed_event", "survived"]

log = logging.getLogger(__name__)

# Found marked once may be chance: somebody killed the worker while it held an innocent frame.
# Twice in a row at the same frame is the frame.
CHANCES = 2


def is_killer(event: Event) -> bool:
    """Mark the event as being tried; True if workers died of it often enough."""
    if not isinstance(event, Received):
        return False
    with transaction.atomic():
        mark, new = FrameAttempt.objects.get_or_create(
            connection=event.connection, seq=event.seq, defaults={"attempts": 1}
        )
        if new:
            return False
        if mark.attempts >= CHANCES:
            mark.delete()
            return True
        mark.attempts += 1
        mark.save(update_fields=["attempts"])
        return False


def survived(event: Event) -> None:
    """Take the mark away: the event is committed and the worker alive."""
    if isinstance(event, Received):
        FrameAttempt.objects.filter(connection=event.connection, seq=event.seq).delete()


def park(event: Event, why: Exception | str) -> list[Outcome]:
    """Put the event aside; what the charger gets instead of its answer.

    Events that are no frames have nothing to keep: they are logged and dropped.
    """
    if not isinstance(event, Received):
        log.error("dropped a %s event of %s: %s", event.type, event.charge_point, why)
        return []
    frame = parse(event.text)
    action = frame.action[:64] if isinstance(frame, Call | Malformed) else ""
    unique_id = frame.unique_id[:64]
    said = (
        why
        if isinstance(why, str)
        else "".join(traceback.format_exception(why)).encode("utf-8", "replace").decode()
    )
    answer = event.answer if isinstance(event, Spooled) else ""
    answer_to = frame.answer_to if isinstance(frame, Call | Malformed) else None
    if answer_to is not None and not answer:
        answer = write_error(
            answer_to, ErrorCode.INTERNAL_ERROR, "the central system failed to process this message"
        )
    at = datetime.fromtimestamp(event.at, UTC)
    with transaction.atomic():
        # One that came with this frame was rolled back with it: it is made again.
        charge_point = load([Arrival(event, at)]).charge_point(event.charge_point)
        FailedMessage.objects.update_or_create(
            connection=event.connection,
            seq=event.seq,
            defaults={
                "charge_point_id": charge_point.id if charge_point else None,
                "identity": event.charge_point[:48],
                "action": action,
                "text": storable(event.text),
                "subprotocol": storable(event.subprotocol)[:255],
                "received_at": at,
                "traceback": storable(said),
            },
        )
        if charge_point is not None:
            # Where it was recorded when its worker died, nothing went wrong for the charger.
            answer = write_parked(
                charge_point.id,
                event.connection,
                unique_id,
                event.seq,
                action=action,
                request=storable(event.text),
                response=answer,
                error_code=ErrorCode.INTERNAL_ERROR,
                error_description="parked; see failed messages",
                received_at=at,
                answered_at=at if answer else None,
            )
    return [Outcome(Arrival(event, at, frame), None, answer=answer)]


def replayed_event(failed: FailedMessage) -> Received:
    """The parked frame as an event of its own, on a connection on which nobody listens.

    One that an edge had answered keeps that answer: its charger goes by the id in it.
    """
    connection = str(uuid5(UUID(str(failed.connection)), f"replay {failed.attempts}"))
    at = failed.received_at.timestamp()
    common = (failed.identity, connection, failed.seq, at, failed.text, failed.subprotocol)
    unique_id = parse(failed.text).unique_id[:64]
    answer = stored_response(
        failed.charge_point_id, failed.connection, unique_id, failed.seq, failed.received_at
    )
    if not isinstance(parse(answer), CallResult):
        return Received(*common)
    return Spooled(*common, answer=answer, transaction=given_id(answer) or 0)
