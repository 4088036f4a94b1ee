"""DataTransfer (OCPP 1.6, 4.3)."""

from levity.ocpp.request import Response
from levity.ocpp.v16.actions.data_transfer import data_transfer
from tests.ocpp.states import request


def test_nobody_here_knows_the_vendor() -> None:
    """EVBox sends one with each StatusNotification, Growatt THOR an object as data."""
    for data in ("x", {"a": 1}, None):
        assert data_transfer(
            request("DataTransfer", {"vendorId": "EV-BOX", "data": data})
        ) == Response({"status": "UnknownVendorId"})
