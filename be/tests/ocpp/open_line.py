"""A charger on a line without a key, and what is sent to it."""

import json
from datetime import UTC, datetime
from typing import Any

from levity.ocpp.commands.lifecycle import dispatch
from levity.ocpp.models import ChargePoint
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger

__all__ = ["OpenLine", "clock"]


def clock() -> datetime:
    """Our clock, as commands are stamped."""
    return datetime.now(UTC)


class OpenLine:
    """Connected, booted; its frames bear the time of our clock."""

    def __init__(self, identity: str = "CP1", site: CentralSystem | None = None) -> None:
        self.site = site or CentralSystem()
        self.charger = Charger(identity)
        self.at(clock())
        self.site.take(self.charger.connects())
        self.site.take(self.charger.boots())

    @property
    def row(self) -> ChargePoint:
        """Its charge point."""
        return ChargePoint.objects.get(identity=self.charger.identity)

    def at(self, moment: datetime) -> None:
        """From now on it is this late."""
        from levity.ocpp.testing import NOW

        self.charger.now = (moment - NOW).total_seconds()

    def sent(self, now: datetime | None = None) -> list[tuple[str, str, dict[str, Any]]]:
        """(unique id, action, payload) of the Calls that go out now, to this charger or others."""
        frames: list[str] = []

        def send(_reply_to: str, reply: Reply) -> bool:
            frames.extend(item.text for item in reply.commands if isinstance(item, Send))
            return True

        dispatch(now or clock(), send)
        return [(frame[1], frame[2], frame[3]) for frame in map(json.loads, frames)]

    def answers(self, payload: dict[str, Any], now: datetime | None = None) -> dict[str, Any]:
        """Answer the next Call that goes out with this; what it asked."""
        (unique_id, _, asked), *others = self.sent(now)
        assert not others
        self.site.take(self.charger.answers(unique_id, payload))
        return asked

    def refuses(self, code: str) -> dict[str, Any]:
        """The same with a CALLERROR."""
        ((unique_id, _, asked),) = self.sent()
        self.site.take(self.charger.refuses(unique_id, code))
        return asked
