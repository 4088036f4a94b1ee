"""What is asked for again, once, when no answer came: Calls that only read."""

from datetime import datetime
from uuid import uuid4

from django.db.models import F, Q

from levity.ocpp.models import Command
from levity.ocpp.versions import RETRIED, version_of

__all__ = ["ask_again"]

AT_ONCE = 200
State = Command.State


def ask_again(now: datetime) -> int:
    """Queue those again whose answer is overdue and which may be sent a second time; how many.

    Only on the connection on which they were sent: a charger that went away over a Call (ABB
    Terra AC restarts when some keys are read) is not asked the same again.
    """
    late = Command.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        state=State.SENT,
        deadline__lt=now,
        action__in=RETRIED,
        connection=F("charge_point__connection"),
    )
    asked = late.order_by("pk").values_list(
        "pk", "unique_id", "action", "tries", "charge_point__subprotocol"
    )
    count = 0
    for pk, unique_id, action, tries, spoken in asked[:AT_ONCE]:
        if tries > version_of(spoken).calls.retries.get(action, 0):
            continue
        # Another message: an answer to the first one that comes now is no answer to this.
        count += Command.objects.filter(pk=pk, state=State.SENT, unique_id=unique_id).update(
            state=State.QUEUED,
            unique_id=str(uuid4()),
            sent_at=None,
            deadline=None,
            connection=None,
            not_before=now,
            error_description=f"no answer to try {tries}: asked again",
        )
    return count
