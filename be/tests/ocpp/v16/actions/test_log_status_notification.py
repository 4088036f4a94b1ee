"""LogStatusNotification (OCPP 1.6, whitepaper)."""

from levity.ocpp.effects import FileReported, UpdateChargePoint
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.log_status_notification import log_status_notification
from tests.ocpp.states import request

KINDS = ("log", "diagnostics")
STATES = {"Idle": "", "UploadFailed": "failed", "Banana": ""}


def test_the_status_is_shown_with_the_charge_point_whatever_it_is() -> None:
    """Unknown words are kept as text."""
    for status in STATES:
        assert log_status_notification(
            request("LogStatusNotification", {"status": status})
        ) == Response(
            {},
            (
                UpdateChargePoint({"diagnostics_status": status}),
                FileReported(KINDS, status, STATES[status]),
            ),
        )
