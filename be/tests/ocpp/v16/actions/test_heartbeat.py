"""Heartbeat (OCPP 1.6, 4.6)."""

from datetime import timedelta, timezone

from levity.ocpp.request import Response
from levity.ocpp.v16.actions.heartbeat import heartbeat
from tests.ocpp.charger import NOW
from tests.ocpp.states import request


def test_the_answer_is_our_time_in_utc_with_milliseconds() -> None:
    """As chargers like it best, wherever the edge's clock thinks it is."""
    received = (NOW + timedelta(microseconds=5999)).astimezone(timezone(timedelta(hours=9)))
    assert heartbeat(request("Heartbeat", received_at=received)) == Response(
        {"currentTime": "2026-11-22T12:00:00.005Z"}
    )
