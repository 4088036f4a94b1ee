"""An edge to which Calls go out, beside the pipeline."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from levity.ocpp.commands.lifecycle import dispatch
from levity.ocpp.models import ChargePoint
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger
from tests.ocpp.keyring import basic


class Line:
    """A charger that is connected with its key, and what is sent to it."""

    def __init__(self, identity: str = "CP1", **asks: str) -> None:
        self.site = CentralSystem()
        self.charger = Charger(identity)
        self.site.take(self.charger.asks(**asks), self.charger.connects())
        self.row = ChargePoint.objects.get(identity=identity)
        self.is_open = True

    def sent(self, now: datetime | None = None) -> list[str]:
        """The frames that go out now."""
        frames: list[str] = []

        def send(_reply_to: str, reply: Reply) -> bool:
            if self.is_open:
                frames.extend(item.text for item in reply.commands if isinstance(item, Send))
            return self.is_open

        dispatch(now or timezone.now(), send)
        return frames


@pytest.fixture
def line(db: None) -> Line:
    """CP1 with profile 1 and its key, connected."""
    from tests.ocpp.keyring import charge_point

    charge_point()
    return Line(authorization=basic())


@pytest.fixture
def now() -> datetime:
    """Our clock."""
    return datetime.now(UTC)
