"""StatusNotification (OCPP 1.6, 4.9)."""

from typing import Any

import pytest

from levity.ocpp.effects import ConnectorStatus, UpdateChargePoint
from levity.ocpp.request import Response
from levity.ocpp.v16.actions.status_notification import status_notification
from levity.ocpp.wire.frames import ErrorCode, OcppError
from tests.ocpp.charger import at
from tests.ocpp.states import request

USUAL = {"connectorId": 1, "errorCode": "NoError", "status": "Available"}


def test_what_a_grizzl_e_says_is_kept() -> None:
    """A public capture (lb#442)."""
    payload = {
        **USUAL,
        "timestamp": "2026-11-22T12:00:07.001Z",
        "info": "Pilot and Charger:10h",
        "vendorId": "UC",
        "vendorErrorCode": "0",
    }
    assert status_notification(request("StatusNotification", payload)) == Response(
        {},
        (
            ConnectorStatus(
                connector=1,
                status="Available",
                error_code="NoError",
                info="Pilot and Charger:10h",
                vendor_id="UC",
                vendor_error_code="0",
                reported_at=at(7.001),
            ),
            UpdateChargePoint({"clock_lag": -7, "clock_lag_seen": -7}),
        ),
    )


@pytest.mark.parametrize(
    ("status", "error"), [("OverCurrentFailure", ""), ("Banana", "Error"), ("", "NoError")]
)
def test_words_that_the_standard_does_not_know_are_kept(status: str, error: str) -> None:
    """Zaptec Go shows an errorCode as status, Legrand's errorCode is "Error"."""
    payload = {**USUAL, "status": status, "errorCode": error}
    assert status_notification(request("StatusNotification", payload)).effects == (
        ConnectorStatus(1, status, error),
    )


@pytest.mark.parametrize(("sent", "number"), [(0, 0), ("2", 2), (3.0, 3), (1000, 1000)])
def test_a_connector_is_a_number_however_it_is_written(sent: Any, number: int) -> None:
    """0 is the charge point as a whole."""
    response = status_notification(request("StatusNotification", {**USUAL, "connectorId": sent}))
    assert response.effects == (ConnectorStatus(number, "Available", "NoError"),)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (-1, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (1001, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (2**63, ErrorCode.PROPERTY_CONSTRAINT_VIOLATION),
        (1.5, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ("one", ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        (True, ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        ([], ErrorCode.TYPE_CONSTRAINT_VIOLATION),
        (None, ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION),
    ],
)
def test_what_is_no_connector_is_refused(sent: Any, code: ErrorCode) -> None:
    """I-13: it would only fill the tables."""
    with pytest.raises(OcppError) as caught:
        status_notification(request("StatusNotification", {**USUAL, "connectorId": sent}))
    assert caught.value.code == code
