"""Who delivers events now, as the process with the turn last said."""

from datetime import datetime
from typing import Any

from levity.integrations.models import Turn
from levity_ws.frozen import frozen

__all__ = ["TURN", "Delivering", "delivering"]

TURN = "deliver events"


@frozen
class Delivering:
    """The process that has the turn."""

    holder: str
    mqtt: dict[str, Any] | None


def delivering(now: datetime) -> Delivering | None:
    """None: no process delivers."""
    row = Turn.objects.filter(pk=TURN, until__gte=now).first()
    return None if row is None else Delivering(row.holder, row.report.get("mqtt"))
