"""RemoteStartTransaction (OCPP 1.6, 5.11): the charger is about to charge for somebody."""

from levity.ocpp.effects import Effect, UpdateChargePoint
from levity.ocpp.request import Result
from levity.ocpp.rules.holds import ANY, Holds, patience
from levity.ocpp.v16.results.set_charging_profile import installed
from levity.ocpp.wire.fields import INT4_MAX, decimal_of

__all__ = ["remote_start_transaction"]


def remote_start_transaction(result: Result) -> tuple[Effect, ...]:
    """The connector is held for that tag; a start that nobody asked for holds nothing."""
    tag, named = result.asked.get("idTag"), decimal_of(result.asked.get("connectorId"))
    if result.is_automatic or result.status != "Accepted" or not isinstance(tag, str) or not tag:
        return ()
    connector = int(named) if named is not None and 0 < named <= INT4_MAX else ANY
    wait = patience(result.charge_point.connection_timeout)
    held = Holds.of(result.charge_point.holds).held(tag, connector, result.received_at, wait)
    profile = installed(result, connector, result.asked.get("chargingProfile"))
    return UpdateChargePoint({"holds": held.text()}), *profile
