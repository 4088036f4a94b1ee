"""Failed messages are taken again, once what they failed at is fixed."""

from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import check
from levity.ocpp.models import FailedMessage
from levity.ocpp.worker.parking import replayed_event
from levity.ocpp.worker.pipeline import Pipeline
from levity_ws.rpc.envelope import Batch

__all__ = ["CHANGE", "take_again"]

CHANGE = "ocpp.change_failedmessage"


def take_again(failed: FailedMessage, pipeline: Pipeline, who: Who) -> str:
    """Record this frame as of the time it came; empty, or why it failed again.

    The charger, which was answered at the time, hears nothing. Doing it twice changes nothing:
    a transaction that is there is found, not made again. What it records, that it is replayed and
    who did it are one database transaction. Raises `DatabaseAway`.
    """
    check(failed, who, CHANGE)
    with transaction.atomic():
        event = replayed_event(failed)
        pipeline.take(Batch("replay", str(uuid4()), (event,)), "")
        row = FailedMessage.objects.filter(pk=failed.pk)
        again = FailedMessage.objects.filter(connection=event.connection, seq=event.seq).first()
        if again is None:
            row.update(replayed_at=timezone.now())
            note(who, [failed], "replayed, recorded")
            return ""
        row.update(attempts=failed.attempts + 1, traceback=again.traceback)
        again.delete()
        note(who, [failed], "replayed, failed again")
    return again.traceback.strip().rpartition("\n")[2] or "it failed again"
