"""ReserveNow (OCPP 1.6, 5.13): a connector is kept for somebody, or is not."""

from levity.ocpp.effects import Effect, ReservationAnswered, UpdateChargePoint
from levity.ocpp.request import Result
from levity.ocpp.rules.holds import Holds, Reserved
from levity.ocpp.wire.fields import INT4_MAX, time_of

__all__ = ["reserve_now"]


def reserve_now(result: Result) -> tuple[Effect, ...]:
    """What became of the reservation; one that holds keeps the connector free of others."""
    asked, number = result.asked, result.asked.get("reservationId")
    connector, tag = asked.get("connectorId"), asked.get("idTag")
    parent, until = asked.get("parentIdTag"), time_of(asked.get("expiryDate"))
    if (
        type(number) is not int
        or abs(number) >= 2**63
        or type(connector) is not int
        or not 0 <= connector <= INT4_MAX
        or not isinstance(tag, str)
    ):
        # Sent by force: no reservation that could be recorded.
        return ()
    group = parent if isinstance(parent, str) else ""
    is_accepted = result.status == "Accepted"
    answered = ReservationAnswered(
        command_id=result.command_id,
        number=number,
        connector=connector,
        id_tag=tag[:255],
        parent=group[:255],
        until=until,
        is_accepted=is_accepted,
        said=(result.status or result.error_code)[:64],
    )
    if not is_accepted or until is None or until <= result.received_at:
        return (answered,)
    kept = Reserved(number, connector, tag[:64], group[:64], result.received_at, until)
    held = Holds.of(result.charge_point.holds).reserving(kept)
    return answered, UpdateChargePoint({"holds": held.text()})
