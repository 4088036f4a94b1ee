"""DiagnosticsStatusNotification (OCPP 1.6, 4.4)."""

from levity.ocpp.effects import FileReported, UpdateChargePoint
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.diagnostics_status_notification import diagnostics_status_notification
from tests.ocpp.states import request

KINDS = ("diagnostics", "log")
STATES = {"Idle": "", "UploadFailed": "failed", "Banana": ""}


def test_the_status_is_shown_with_the_charge_point_whatever_it_is() -> None:
    """Unknown words are kept as text."""
    for status in STATES:
        assert diagnostics_status_notification(
            request("DiagnosticsStatusNotification", {"status": status})
        ) == Response(
            {},
            (
                UpdateChargePoint({"diagnostics_status": status}),
                FileReported(KINDS, status, STATES[status]),
            ),
        )
